"""Who may sign in to the account, with what, and what they may do."""

from __future__ import annotations

import msgspec

from checks.facts.cloud.policy import Policy
from checks.facts.snapshot import Fact


class RootAccount(Fact, frozen=True, forbid_unknown_fields=True):
    """What GetAccountSummary says of the root user: has it keys, a second factor, a password."""

    account: str
    keys: bool
    mfa: bool
    password: bool


class ReportKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An access key in the credential report. Times are RFC 3339; `used` is empty for never."""

    number: int
    active: bool
    rotated: str
    used: str


class ReportUser(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row of the credential report. `password` says whether the user can sign in to the console."""

    arn: str
    name: str
    created: str
    password: bool
    password_used: str
    password_changed: str
    mfa: bool
    keys: tuple[ReportKey, ...]


class CredentialReport(Fact, frozen=True, forbid_unknown_fields=True):
    """The IAM users of the credential report, without root. AWS renews the report every four hours."""

    account: str
    generated: str
    users: tuple[ReportUser, ...]


class RootCredentials(Fact, frozen=True, forbid_unknown_fields=True):
    """The row of the root user in the credential report; `password_used` is empty for never."""

    account: str
    generated: str
    password_used: str
    keys: tuple[ReportKey, ...]


class PasswordPolicy(Fact, frozen=True, forbid_unknown_fields=True):
    """The rules for console passwords; the defaults of AWS where the account set none (`custom` False).

    `reuse` is how many former passwords are refused, `expire_days` 0 where passwords do not expire.
    """

    account: str
    custom: bool
    minimum_length: int
    reuse: int
    expire_days: int


class Holder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who a policy is attached to (`user/alice`), and the ARN of the permissions boundary, if any."""

    name: str
    arn: str
    boundary: str = ""


class IamPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A policy and who holds it. `made_by` is `aws`, `account` or `inline`.

    The ARN of an inline policy is that of its holder, a slash and the policy's name.
    """

    arn: str
    name: str
    made_by: str
    policy: Policy
    holders: tuple[Holder, ...]


class IamPolicies(Fact, frozen=True, forbid_unknown_fields=True):
    """The policies of users, groups and roles that somebody holds or that bound somebody.

    `unread` names those (`user/alice`) one of whose policies could not be read, so that nobody takes what
    is known of them for all that they may do.
    """

    account: str
    policies: tuple[IamPolicy, ...]
    unread: tuple[str, ...] = ()


class IamUser(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An IAM user, its groups, and the names of policies that it holds directly.

    `boundary` is the ARN of its permissions boundary, empty for none.
    """

    arn: str
    name: str
    groups: tuple[str, ...]
    direct: tuple[str, ...]
    boundary: str = ""


class IamUsers(Fact, frozen=True, forbid_unknown_fields=True):
    """The IAM users as GetAccountAuthorizationDetails lists them."""

    account: str
    users: tuple[IamUser, ...]


class IamRole(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A role: whom it trusts, when it was made and last used (empty: not in the days that AWS remembers).

    `boundary` is the ARN of its permissions boundary, `profiles` those of the instance profiles that hold it.
    """

    arn: str
    name: str
    path: str
    trust: Policy
    created: str
    used: str
    boundary: str
    profiles: tuple[str, ...]

    @property
    def linked(self) -> bool:
        """Whether it belongs to a service of AWS, which alone can change it."""
        return self.path.startswith("/aws-service-role/")


class IamRoles(Fact, frozen=True, forbid_unknown_fields=True):
    """All roles."""

    account: str
    roles: tuple[IamRole, ...]


class RootDevices(Fact, frozen=True, forbid_unknown_fields=True):
    """Whether the second factor of the root user is an app (`virtual`)."""

    account: str
    virtual: bool


class ServerCertificate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A certificate that is kept in IAM, and until when it is valid."""

    arn: str
    name: str
    ends: str


class ServerCertificates(Fact, frozen=True, forbid_unknown_fields=True):
    """The certificates that are kept in IAM."""

    account: str
    certificates: tuple[ServerCertificate, ...]
