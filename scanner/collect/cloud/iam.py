"""Collects who may sign in and what they may do, in a handful of calls however many users there are."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping

from checks.facts.cloud.iam import (
    CredentialReport,
    Holder,
    IamPolicies,
    IamPolicy,
    IamRole,
    IamRoles,
    IamUser,
    IamUsers,
    PasswordPolicy,
    RootAccount,
    RootCredentials,
    RootDevices,
    ServerCertificate,
    ServerCertificates,
)
from scanner.collect.cloud.calls import Call, Collector, NotRead, Place
from scanner.collect.cloud.credential_report import report_keys, report_moment, report_user
from scanner.collect.cloud.fields import (
    Raw,
    UnreadableError,
    group,
    items,
    number,
    some,
    text,
    time_of,
    time_or_never,
)
from scanner.collect.cloud.lists import listing
from scanner.collect.cloud.policies import parse
from scanner.collect.collector import Collected
from scanner.transport.aws_errors import Because, Refused

REPORT_TRIES = 30
REPORT_WAIT_SECONDS = 1.0
ROOT = "<root_account>"

SUMMARY = Call("iam", "GetAccountSummary", (RootAccount,))
GENERATE = Call("iam", "GenerateCredentialReport", (CredentialReport, RootCredentials))
REPORT = Call("iam", "GetCredentialReport", (CredentialReport, RootCredentials))
PASSWORDS = Call("iam", "GetAccountPasswordPolicy", (PasswordPolicy,))
DETAILS = Call("iam", "GetAccountAuthorizationDetails", (IamPolicies, IamUsers, IamRoles), page=1000)
DEVICES = Call("iam", "ListVirtualMFADevices", (RootDevices,), key="VirtualMFADevices")
CERTIFICATES = Call(
    "iam", "ListServerCertificates", (ServerCertificates,), key="ServerCertificateMetadataList"
)

_AWS_MINIMUM_LENGTH = 8
"""What AWS itself demands of passwords where the account has no policy."""
_COLUMNS = frozenset({"user", "arn", "user_creation_time", "password_enabled", "mfa_active"})


def summary(place: Place) -> Collected:
    """The root user in figures."""
    counted = group(place.one(SUMMARY), "SummaryMap")
    fact = RootAccount(
        account=place.account,
        keys=number(counted, "AccountAccessKeysPresent") > 0,
        mfa=number(counted, "AccountMFAEnabled") > 0,
        # Left out by AWS before root passwords could be taken away: then there is one.
        password=number(counted, "AccountPasswordPresent", 1) > 0,
    )
    return place.found(fact, SUMMARY, where="")


def report(place: Place) -> Collected:
    """The credential report, made new where AWS thinks it is time."""
    for _ in range(REPORT_TRIES):
        if place.one(GENERATE).get("State") == "COMPLETE":
            break
        place.context.check()
        place.context.cancelled.wait(
            REPORT_WAIT_SECONDS if place.aws.seconds_left > REPORT_WAIT_SECONDS else 0
        )
    else:
        raise NotRead(GENERATE, Refused(Because.TIME, f"not ready after {REPORT_TRIES} tries"))
    answer = place.one(REPORT)
    content = answer.get("Content")
    if not isinstance(content, bytes):
        raise UnreadableError("the answer does not hold Content")
    generated = time_of(answer, "GeneratedTime")
    rows = read_report(content.decode("utf-8", "replace"))
    users = sorted((report_user(row) for row in rows if row["user"] != ROOT), key=lambda u: u.arn)
    fact = CredentialReport(place.account, generated, tuple(users))
    whole = place.found(fact, REPORT, fact.users, where="", names=[u.arn for u in users])
    root = next((row for row in rows if row["user"] == ROOT), None)
    if root is None:
        missing = Refused(Because.UNREADABLE, "the credential report has no row for root")
        return whole + place.lost(Call("iam", "GetCredentialReport", (RootCredentials,)), missing, "")
    used = report_moment(root.get("password_last_used", ""))
    return whole + place.found(
        RootCredentials(place.account, generated, used, report_keys(root)), REPORT, where=""
    )


def read_report(content: str) -> list[Mapping[str, str]]:
    """The rows of a credential report by column.

    Raises:
        UnreadableError: not the report, or a row that was cut short.

    """
    reader = csv.DictReader(io.StringIO(content))
    if reader.fieldnames is None or not _COLUMNS.issubset(reader.fieldnames):
        raise UnreadableError("the credential report lacks columns")
    rows: list[Mapping[str, str]] = list(reader)
    for row in rows:
        if None in row or None in row.values():
            raise UnreadableError("a row of the credential report is cut short")
    return rows


def passwords(place: Place) -> Collected:
    """The password policy, or what AWS demands where there is none."""
    try:
        policy = group(place.one(PASSWORDS), "PasswordPolicy")
    except NotRead as error:
        if error.refused.code not in ("NoSuchEntity", "NoSuchEntityException"):
            raise
        fact = PasswordPolicy(place.account, False, _AWS_MINIMUM_LENGTH, 0, 0)
    else:
        fact = PasswordPolicy(
            account=place.account,
            custom=True,
            minimum_length=number(policy, "MinimumPasswordLength"),
            reuse=number(policy, "PasswordReusePrevention", 0),
            expire_days=number(policy, "MaxPasswordAge", 0),
        )
    return place.found(fact, PASSWORDS, where="")


def details(place: Place) -> Collected:
    """The policies in use with their holders, and the users."""
    pages = place.pages(DETAILS)
    lists = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
    users, groups, roles, managed = ([one for page in pages for one in items(page, key)] for key in lists)
    policies, lost = _policies(place, users, groups, roles, managed)
    people, unread = place.read(users, Call("iam", DETAILS.operation, (IamUsers,)), "Arn", _iam_user)
    all_roles, strange = place.read(roles, Call("iam", DETAILS.operation, (IamRoles,)), "Arn", _iam_role)
    return (
        lost
        + unread
        + strange
        + place.found(
            IamRoles(place.account, all_roles), DETAILS, all_roles, where="", names=[r.arn for r in all_roles]
        )
        + place.found(
            policies, DETAILS, policies.policies, where="", names=[p.arn for p in policies.policies]
        )
        + place.found(
            IamUsers(place.account, people), DETAILS, people, where="", names=[u.arn for u in people]
        )
    )


def _policies(
    place: Place, users: list[Raw], groups: list[Raw], roles: list[Raw], managed: list[Raw]
) -> tuple[IamPolicies, Collected]:
    call = Call("iam", DETAILS.operation, (IamPolicies,))
    holders: dict[str, list[Holder]] = {}
    inline: list[tuple[str, str, object, Holder]] = []
    kinds = (("user", users, "UserPolicyList"), ("group", groups, "GroupPolicyList"))
    for kind, things, own in (*kinds, ("role", roles, "RolePolicyList")):
        for thing in things:
            boundary = text(group(thing, "PermissionsBoundary"), "PermissionsBoundaryArn", "")
            holder = Holder(f"{kind}/{text(thing, f'{kind.title()}Name')}", text(thing, "Arn"), boundary)
            for attached in some(thing, "AttachedManagedPolicies"):
                holders.setdefault(text(attached, "PolicyArn"), []).append(holder)
            if boundary:
                holders.setdefault(boundary, [])
            for one in some(thing, own):
                name = text(one, "PolicyName")
                inline.append((f"{text(thing, 'Arn')}/{name}", name, one.get("PolicyDocument"), holder))
    documents = {text(policy, "Arn"): policy for policy in managed}
    found: list[IamPolicy] = []
    unread: set[str] = set()
    lost = Collected()
    for arn in sorted(holders):
        made_by = "aws" if ":iam::aws:" in arn else "account"
        try:
            policy = parse(_default_document(documents.get(arn)))
        except UnreadableError as error:
            lost += place.lost(call, Refused(Because.UNREADABLE, str(error)), arn)
            unread.update(one.name for one in holders[arn])
            continue
        held = tuple(sorted(holders[arn], key=lambda h: h.name))
        found.append(IamPolicy(arn, arn.rpartition("/")[2], made_by, policy, held))
    for arn, name, document, holder in sorted(inline, key=lambda one: one[0]):
        try:
            policy = parse(_document(document))
        except UnreadableError as error:
            lost += place.lost(call, Refused(Because.UNREADABLE, str(error)), arn)
            unread.add(holder.name)
            continue
        found.append(IamPolicy(arn, name, "inline", policy, (holder,)))
    whole = tuple(sorted(found, key=lambda p: p.arn))
    return IamPolicies(place.account, whole, tuple(sorted(unread))), lost


def _default_document(policy: Raw | None) -> str | Raw:
    for version in some(policy or {}, "PolicyVersionList"):
        if version.get("IsDefaultVersion"):
            return _document(version.get("Document"))
    raise UnreadableError("the answer does not hold the document of this policy")


def _document(raw: object) -> str | Raw:
    if isinstance(raw, str | Mapping):
        return raw
    raise UnreadableError("the answer does not hold the document of this policy")


def _iam_user(raw: Raw) -> IamUser:
    attached = [text(one, "PolicyName") for one in some(raw, "AttachedManagedPolicies")]
    own = [text(one, "PolicyName") for one in some(raw, "UserPolicyList")]
    return IamUser(
        arn=text(raw, "Arn"),
        name=text(raw, "UserName"),
        groups=tuple(sorted(str(name) for name in some(raw, "GroupList"))),
        direct=tuple(sorted(attached + own)),
        boundary=text(group(raw, "PermissionsBoundary"), "PermissionsBoundaryArn", ""),
    )


def _iam_role(raw: Raw) -> IamRole:
    trust = raw.get("AssumeRolePolicyDocument")
    if not isinstance(trust, str | Mapping):
        raise UnreadableError("the role has no trust policy")
    return IamRole(
        arn=text(raw, "Arn"),
        name=text(raw, "RoleName"),
        path=text(raw, "Path", "/"),
        trust=parse(trust),
        created=time_or_never(raw, "CreateDate"),
        used=time_or_never(group(raw, "RoleLastUsed"), "LastUsedDate"),
        boundary=text(group(raw, "PermissionsBoundary"), "PermissionsBoundaryArn", ""),
        profiles=tuple(sorted(text(one, "Arn") for one in some(raw, "InstanceProfileList"))),
    )


def devices(place: Place) -> Collected:
    """Whether the second factor of root is an app: a hardware one is in no list."""
    serials = [text(one, "SerialNumber") for one in place.all_of(DEVICES, AssignmentStatus="Assigned")]
    fact = RootDevices(place.account, any(s.endswith(":mfa/root-account-mfa-device") for s in serials))
    return place.found(fact, DEVICES, where="")


def _certificate(_: Place, raw: Raw) -> ServerCertificate:
    return ServerCertificate(
        text(raw, "Arn"), text(raw, "ServerCertificateName"), time_or_never(raw, "Expiration")
    )


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield Collector("iam summary", False, (SUMMARY,), summary)
    yield Collector("iam credential report", False, (GENERATE, REPORT), report)
    yield Collector("iam password policy", False, (PASSWORDS,), passwords)
    yield Collector("iam authorisations", False, (DETAILS,), details)
    yield Collector("iam devices", False, (DEVICES,), devices)
    yield listing("iam certificates", CERTIFICATES, _certificate, regional=False, named="Arn")
