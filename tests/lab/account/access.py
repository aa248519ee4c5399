"""Root, passwords, users and their credentials, and the organization."""

from __future__ import annotations

import base64
import json

from tests.lab.account_access import with_peers
from tests.lab.planted_account import OTHER, Lab

ORGANIZATION = "o-a1b2c3d4e5"
SISTER = "135792468013"
"""Another account of the same organization."""
NEVER = "N/A"
_LONG_AGO = "2024-02-01T08:00:00+00:00"
_COLUMNS = (
    "user", "arn", "user_creation_time", "password_enabled", "password_last_used", "password_last_changed",
    "password_next_rotation", "mfa_active",
    "access_key_1_active", "access_key_1_last_rotated", "access_key_1_last_used_date",
    "access_key_1_last_used_region", "access_key_1_last_used_service",
    "access_key_2_active", "access_key_2_last_rotated", "access_key_2_last_used_date",
    "access_key_2_last_used_region", "access_key_2_last_used_service",
    "cert_1_active", "cert_1_last_rotated", "cert_2_active", "cert_2_last_rotated",
)  # fmt: skip
_PEOPLE: dict[str, dict[str, str]] = {
    "access-bare": {"mfa_active": "false"},
    "access-careful": {},
    "access-sleeper": {"password_last_used": "2026-08-01T00:00:00+00:00"},
    # "no_information" is how AWS says that a password was never used.
    "access-never": {"password_last_used": "no_information"},
    "access-newcomer": {
        "password_last_used": "no_information",
        "password_last_changed": "2026-11-18T00:00:00+00:00",
    },
}
_MACHINES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "access-old-key": (("true", "2025-01-01T00:00:00+00:00", "2026-11-22T00:00:00+00:00"),),
    "access-new-key": (("true", "2026-11-01T00:00:00+00:00", NEVER),),
    "access-idle-key": (("true", "2026-09-15T00:00:00+00:00", "2026-09-20T00:00:00+00:00"),),
    "access-off": (("false", "2020-01-01T00:00:00+00:00", "2020-02-01T00:00:00+00:00"),),
    "access-two-keys": (
        ("true", "2026-10-01T00:00:00+00:00", "2026-11-22T00:00:00+00:00"),
        ("true", "2026-11-01T00:00:00+00:00", "2026-11-22T00:00:00+00:00"),
    ),
    "access-renewing": (
        ("false", "2026-01-01T00:00:00+00:00", "2026-10-01T00:00:00+00:00"),
        ("true", "2026-10-01T00:00:00+00:00", "2026-11-22T00:00:00+00:00"),
    ),
}
_FORM: dict[str, tuple[str, str]] = {
    "access-by-form": ("2026-11-10T09:30:12+00:00", NEVER),
    "access-by-form-used": ("2026-11-10T09:30:12+00:00", "2026-11-20T00:00:00+00:00"),
}
"""Console users whose key was made with them: the moment, and when the key was used."""


def plant(lab: Lab) -> None:
    """Plants the topics of access but for roles and rights."""
    first = len(lab.planted)
    _root(lab)
    _passwords(lab)
    _report(lab)
    _certificates(lab)
    _direct_policies(lab)
    _organization(lab)
    _people(lab)
    with_peers(lab, first)


def _root(lab: Lab) -> None:
    counted = {"AccountAccessKeysPresent": 1, "AccountMFAEnabled": 1, "AccountPasswordPresent": 1}
    lab.answer("iam", "GetAccountSummary", {"SummaryMap": counted})
    device = f"arn:aws:iam::{lab.account}:mfa/root-account-mfa-device"
    listed = [{"SerialNumber": device, "EnableDate": {"$time": "2024-01-01T00:00:00Z"}}]
    lab.answer("iam", "ListVirtualMFADevices", {"VirtualMFADevices": listed, "IsTruncated": False})
    root = ("<root_account>", f"arn:aws:iam::{lab.account}:root")
    lab.problem("cloud.root.keys", "root", "a key of root", names=root)
    lab.clean("cloud.root.mfa", "root", "it has a second factor", names=root)
    lab.problem(
        "cloud.iam-credentials.root-hardware",
        "root",
        "the second factor is an app",
        names=root,
    )
    lab.problem(
        "cloud.root.use",
        "root",
        "the password rests, but the key was used last week",
        fools=True,
        names=root,
    )


def _passwords(lab: Lab) -> None:
    iam = lab.client("iam", OTHER)
    iam.update_account_password_policy(MinimumPasswordLength=16, PasswordReusePrevention=5)
    lab.clean("cloud.passwords.length", "password length", "16 characters")
    lab.problem(
        "cloud.passwords.reuse",
        "password reuse",
        "the sixth password may be the first again",
    )


def user_arn(lab: Lab, name: str) -> str:
    """The ARN of a user."""
    return f"arn:aws:iam::{lab.account}:user/{name}"


def _row(lab: Lab, name: str, **told: str) -> str:
    plain = dict.fromkeys(_COLUMNS, NEVER)
    flags = ("access_key_1_active", "access_key_2_active", "cert_1_active", "cert_2_active")
    plain |= dict.fromkeys(flags, "false") | {"mfa_active": "false", "password_enabled": "false"}
    plain |= {"user": name, "arn": user_arn(lab, name), "user_creation_time": _LONG_AGO}
    return ",".join((plain | told)[column] for column in _COLUMNS)


def _keys(*keys: tuple[str, str, str]) -> dict[str, str]:
    told = {}
    for number, (active, rotated, used) in enumerate(keys, start=1):
        told[f"access_key_{number}_active"] = active
        told[f"access_key_{number}_last_rotated"] = rotated
        told[f"access_key_{number}_last_used_date"] = used
    return told


def _report(lab: Lab) -> None:
    """The credential report: the emulator knows neither ages nor root."""
    root = {
        "arn": f"arn:aws:iam::{lab.account}:root",
        # AWS says "not_supported" of root where it says true of users.
        "password_enabled": "not_supported",
        "password_last_used": "2025-03-01T00:00:00+00:00",
        "password_last_changed": "not_supported",
        "mfa_active": "true",
        **_keys(("true", "2024-05-01T00:00:00+00:00", "2026-11-17T00:00:00+00:00")),
    }
    rows = [_row(lab, "<root_account>", **root)]
    person = {
        "password_enabled": "true",
        "password_last_used": "2026-11-20T00:00:00+00:00",
        "password_last_changed": "2026-01-05T00:00:00+00:00",
        "mfa_active": "true",
    }
    rows += [_row(lab, name, **(person | told)) for name, told in _PEOPLE.items()]
    rows += [_row(lab, name, **_keys(*keys)) for name, keys in _MACHINES.items()]
    for name, (moment, used) in _FORM.items():
        rows.append(_row(lab, name, **person, **_keys(("true", moment, used)), user_creation_time=moment))
    content = base64.b64encode("\n".join((",".join(_COLUMNS), *rows)).encode()).decode()
    told = {
        "Content": {"$bytes": content},
        "ReportFormat": "text/csv",
        "GeneratedTime": {"$time": "2026-11-23T10:00:00Z"},
    }
    lab.answer("iam", "GenerateCredentialReport", {"State": "COMPLETE"})
    lab.answer("iam", "GetCredentialReport", told)
    _told_by_report(lab)


def _told_by_report(lab: Lab) -> None:
    def say(check: str, name: str, note: str, *, bad: bool, key: str = "", fools: bool = False) -> None:
        on = f"{user_arn(lab, name)}{f' {key}' if key else ''}"
        tell = lab.problem if bad else lab.clean
        tell(f"cloud.{check}", on, note, fools=fools, names=(name, user_arn(lab, name)))

    say("iam.console-mfa", "access-bare", "a password alone", bad=True)
    say("iam.console-mfa", "access-careful", "password and device", bad=False)
    idle = "iam.unused-credentials"
    say(idle, "access-sleeper", "not seen since summer", bad=True, key="password")
    say(idle, "access-never", "never used since January", bad=True, key="password", fools=True)
    say(idle, "access-newcomer", "an old user with a new password", bad=False, key="password", fools=True)
    say(idle, "access-careful", "used last week", bad=False, key="password")
    say(idle, "access-idle-key", "unused for two months", bad=True, key="key 1")
    say(idle, "access-new-key", "never used, but new", bad=False, key="key 1", fools=True)
    say("iam.key-age", "access-old-key", "almost two years", bad=True, key="key 1")
    say("iam.key-age", "access-new-key", "three weeks", bad=False, key="key 1")
    say(idle, "access-old-key", "old, but at work", bad=False, key="key 1", fools=True)
    say("iam-credentials.one-key", "access-two-keys", "both at work", bad=True)
    say("iam-credentials.one-key", "access-renewing", "the old one is off", bad=False, fools=True)
    made = "iam-credentials.key-made-with-user"
    say(made, "access-by-form", "made by the form, never used", bad=True)
    say(made, "access-by-form-used", "made by the form, in use", bad=False, fools=True)


def _certificates(lab: Lab) -> None:
    """Certificates in IAM: the emulator gives all of them one date."""
    listed = []
    for name, ends in (("access-ended", "2026-11-01T00:00:00Z"), ("access-valid", "2027-11-01T00:00:00Z")):
        one = {
            "Path": "/", "ServerCertificateName": name, "ServerCertificateId": name,
            "Arn": f"arn:aws:iam::{lab.account}:server-certificate/{name}", "Expiration": {"$time": ends},
        }  # fmt: skip
        listed.append(one)
    told = {"ServerCertificateMetadataList": listed, "IsTruncated": False}
    lab.answer("iam", "ListServerCertificates", told)
    check = "cloud.iam-credentials.certificates"
    lab.problem(
        check,
        str(listed[0]["Arn"]),
        "ended three weeks ago",
    )
    lab.clean(check, str(listed[1]["Arn"]), "valid for a year")


def _direct_policies(lab: Lab) -> None:
    iam = lab.client("iam", OTHER)
    iam.create_group(GroupName="access-readers")
    read = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::access-data/*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [read]})
    iam.put_group_policy(GroupName="access-readers", PolicyName="read", PolicyDocument=document)
    for name in ("access-inline", "access-attached", "access-grouped"):
        iam.create_user(UserName=name)
    iam.put_user_policy(UserName="access-inline", PolicyName="read", PolicyDocument=document)
    iam.attach_user_policy(
        UserName="access-attached", PolicyArn="arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"
    )
    iam.add_user_to_group(GroupName="access-readers", UserName="access-grouped")
    check = "cloud.iam.user-policies"
    lab.problem(check, user_arn(lab, "access-attached"), "an attached policy")
    lab.problem(check, user_arn(lab, "access-inline"), "an inline policy")
    lab.clean(check, user_arn(lab, "access-grouped"), "by its group")


def _organization(lab: Lab) -> None:
    organization = {
        "Id": ORGANIZATION,
        "Arn": f"arn:aws:organizations::{lab.account}:organization/{ORGANIZATION}",
        "FeatureSet": "ALL",
        "MasterAccountId": lab.account,
    }
    lab.answer("organizations", "DescribeOrganization", {"Organization": organization})
    accounts = [{"Id": one, "Name": one, "Status": "ACTIVE"} for one in (lab.account, SISTER)]
    lab.answer("organizations", "ListAccounts", {"Accounts": accounts})
    # AWS's own policy that allows everything is always there.
    everything = {"Id": "p-FullAWSAccess", "Name": "FullAWSAccess", "AwsManaged": True}
    resting = {"Id": "p-accessrest", "Name": "access-resting", "AwsManaged": False}
    lab.answer("organizations", "ListPolicies", {"Policies": [everything, resting]})
    lab.answer("organizations", "ListTargetsForPolicy", {"Targets": []})
    features = {"OrganizationId": ORGANIZATION, "EnabledFeatures": ["RootSessions"]}
    lab.answer("iam", "ListOrganizationsFeatures", features)
    lab.problem(
        "cloud.organization.guardrails",
        ORGANIZATION,
        "one of its own that is attached to nothing",
        fools=True,
    )
    lab.clean("cloud.organization.all-features", ORGANIZATION, "all features")
    lab.problem("cloud.organization.root-credentials", ORGANIZATION, "sessions alone", fools=True)
    lab.answer(
        "account",
        "GetAlternateContact",
        error=(404, "ResourceNotFoundException", "No contact of the inputted alternate contact type found."),
    )
    lab.problem("cloud.accounts.security-contact", "security contact", "nobody is named")


def _people(lab: Lab) -> None:
    lab.answer("sso-admin", "ListInstances", {"Instances": []})
    lab.problem(
        "cloud.federation.people",
        "console users",
        "only pipelines have a provider, people have passwords",
        fools=True,
    )
