"""Rights: administrators, policies that are too wide, and ways from little to everything."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.lab.account.access_roles import role, trust
from tests.lab.account_access import with_peers
from tests.lab.planted_account import OTHER, Lab

AWS = "arn:aws:iam::aws:policy"
Statement = Mapping[str, object]
_TOO_WIDE = "cloud.iam-rights"


def plant(lab: Lab) -> None:
    """Plants policies, those who hold them, and ways to an administrator."""
    first = len(lab.planted)
    _administrators(lab)
    _inline(lab)
    _wide(lab)
    _of_aws(lab)
    _escalations(lab)
    _chains(lab)
    _bounded(lab)
    with_peers(lab, first)


def allow(*actions: str, on: str = "*", **more: Any) -> Statement:
    """A statement that allows."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": on, **more}


def deny(*actions: str, on: str = "*", **more: Any) -> Statement:
    """A statement that denies."""
    return {"Effect": "Deny", "Action": list(actions), "Resource": on, **more}


def document(*statements: Statement) -> str:
    """A policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def policy(lab: Lab, name: str, *statements: Statement) -> str:
    """A policy of the account; its ARN."""
    iam = lab.client("iam", OTHER)
    made = iam.create_policy(PolicyName=name, PolicyDocument=document(*statements))
    return str(made["Policy"]["Arn"])


def user(lab: Lab, name: str, *statements: Statement) -> str:
    """A user with these rights in an inline policy; its ARN."""
    iam = lab.client("iam", OTHER)
    arn = str(iam.create_user(UserName=name)["User"]["Arn"])
    if statements:
        iam.put_user_policy(UserName=name, PolicyName="rights", PolicyDocument=document(*statements))
    return arn


def _held(lab: Lab, name: str, *statements: Statement) -> str:
    """A policy that a role of the same name holds, which nothing but a service takes on."""
    arn = policy(lab, name, *statements)
    role(lab, name, trust({"Service": "ecs.amazonaws.com"}))
    lab.client("iam", OTHER).attach_role_policy(RoleName=name, PolicyArn=arn)
    return arn


_SECURE: dict[str, Any] = {"Condition": {"Bool": {"aws:SecureTransport": "true"}}}
_FACTOR: dict[str, Any] = {"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}


def _administrators(lab: Lab) -> None:
    check = "cloud.iam.full-administrator"
    iam = lab.client("iam", OTHER)
    iam.create_group(GroupName="access-admins")
    iam.attach_group_policy(GroupName="access-admins", PolicyArn=f"{AWS}/AdministratorAccess")
    lab.problem(
        check,
        f"{AWS}/AdministratorAccess on group/access-admins",
        "given to people for good",
        names=(f"{AWS}/AdministratorAccess", "access-admins"),
    )
    role(lab, "access-break-glass", trust({"AWS": f"arn:aws:iam::{lab.account}:saml-provider/none"}))
    iam.attach_role_policy(RoleName="access-break-glass", PolicyArn=f"{AWS}/AdministratorAccess")
    lab.clean(check, f"{AWS}/AdministratorAccess on role/access-break-glass", "the place for it", fools=True)
    cases: tuple[tuple[str, bool, tuple[Statement, ...], str, bool], ...] = (
        ("everything", True, (allow("*"),), "everything", False),
        ("colon", True, (allow("*:*"),), "everything, written otherwise", True),
        ("but-ec2", True, ({"Effect": "Allow", "NotAction": "ec2:*", "Resource": "*"},), "all but one", True),
        ("secure", True, (allow("*", **_SECURE),), "a condition that every request meets", True),
        ("but-logs", True, (allow("*"), deny("s3:*", on="arn:aws:s3:::l/*")), "all but the logs", True),
        ("factor", False, (allow("*", **_FACTOR),), "with a second factor alone", True),
        ("no-iam", False, (allow("*"), deny("iam:*", "organizations:*")), "a denial takes it back", True),
        ("power", False, ({"Effect": "Allow", "NotAction": ["iam:*"], "Resource": "*"},), "not IAM", True),
        ("one-bucket", False, (allow("*", on="arn:aws:s3:::access-data/*"),), "on one bucket", True),
    )
    for name, bad, statements, note, fools in cases:
        arn = _held(lab, f"access-{name}", *statements)
        say = lab.problem if bad else lab.clean
        say(check, f"{arn} on role/access-{name}", note, fools=fools, names=(f"access-{name}",))


def _inline(lab: Lab) -> None:
    check = "cloud.iam.inline-administrator"
    iam = lab.client("iam", OTHER)
    for name, bad, statement in (("all", True, allow("*")), ("some", False, allow("s3:Get*"))):
        arn = role(lab, f"access-inline-{name}", trust({"Service": "ecs.amazonaws.com"}))
        iam.put_role_policy(
            RoleName=f"access-inline-{name}", PolicyName="own", PolicyDocument=document(statement)
        )
        say = lab.problem if bad else lab.clean
        say(
            check,
            f"{arn}/own",
            "hidden in an inline policy" if bad else "a part of one service",
            names=(arn,),
        )


def _wide(lab: Lab) -> None:
    mine = f"arn:aws:iam::{lab.account}"
    to_lambda: dict[str, Any] = {
        "Condition": {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
    }
    by_service: dict[str, Any] = {
        "Condition": {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}
    }
    secret = f"arn:aws:secretsmanager:*:{lab.account}:secret"
    cases: tuple[tuple[str, str, bool, Statement, str, bool], ...] = (
        ("pass-any-role", "pass", True, allow("iam:PassRole"), "any role", False),
        ("pass-any-role", "pass-arn", True, allow("iam:Pass*", on=f"{mine}:role/*"), "by ARN", True),
        ("pass-any-role", "pass-to", False, allow("iam:PassRole", **to_lambda), "to one service", True),
        (
            "pass-any-role",
            "pass-path",
            False,
            allow("iam:PassRole", on=f"{mine}:role/app/*"),
            "a path",
            False,
        ),
        ("assume-any-role", "assume", True, allow("sts:AssumeRole", on="arn:aws:iam::*:role/*"), "all", True),
        ("assume-any-role", "assume-one", False, allow("sts:AssumeRole", on=f"{mine}:role/x"), "one", False),
        ("decrypt-everything", "decrypt", True, allow("kms:Decrypt"), "every key", False),
        ("decrypt-everything", "decrypt-via", False, allow("kms:Decrypt", **by_service), "by S3", True),
        ("read-every-secret", "secrets", True, allow("secretsmanager:Get*", on=f"{secret}:*"), "all", True),
        (
            "read-every-secret",
            "secrets-app",
            False,
            allow("secretsmanager:*", on=f"{secret}:app/*"),
            "",
            True,
        ),
        ("whole-service", "s3", True, allow("s3:*", on="arn:aws:s3:::*"), "every bucket by ARN", True),
        (
            "whole-service",
            "s3-one",
            False,
            allow("s3:*", on="arn:aws:s3:::access-data*"),
            "one bucket",
            False,
        ),
    )
    for check, name, bad, statement, note, fools in cases:
        arn = _held(lab, f"access-{name}", statement)
        say = lab.problem if bad else lab.clean
        say(f"{_TOO_WIDE}.{check}", arn, note or "by name", fools=fools, names=(f"access-{name}",))
    all_but = {"Effect": "Allow", "NotAction": ["iam:*", "kms:*"], "Resource": "*"}
    arn = _held(lab, "access-all-but", all_but)
    lab.problem(f"{_TOO_WIDE}.all-but", arn, "everything but two services")
    denies = {"Effect": "Deny", "NotAction": ["iam:ChangePassword"], "Resource": "*"}
    arn = _held(lab, "access-denies-but", denies)
    lab.clean(f"{_TOO_WIDE}.all-but", arn, "it denies all but one call", fools=True)


def _of_aws(lab: Lab) -> None:
    iam = lab.client("iam", OTHER)
    iam.create_group(GroupName="access-shells")
    iam.attach_group_policy(GroupName="access-shells", PolicyArn=f"{AWS}/AWSCloudShellFullAccess")
    shell = f"{AWS}/AWSCloudShellFullAccess on group/access-shells"
    lab.problem(
        f"{_TOO_WIDE}.cloudshell", shell, "all of CloudShell", names=(f"{AWS}/AWSCloudShellFullAccess",)
    )
    # One's own policy may have any name.
    _held(lab, "AWSSupportAccess", allow("s3:GetObject", on="arn:aws:s3:::access-data/*"))
    lab.problem(
        f"{_TOO_WIDE}.support-role",
        "AWSSupportAccess",
        "a policy of the account has the name, nobody AWS's own",
        fools=True,
    )


def _escalations(lab: Lab) -> None:
    check = "cloud.iam-escalation.one-step"
    mine = f"arn:aws:iam::{lab.account}"
    iam = lab.client("iam", OTHER)
    role(lab, "access-engine", trust({"Service": "lambda.amazonaws.com"}), Path="/engines/")
    iam.attach_role_policy(RoleName="access-engine", PolicyArn=f"{AWS}/AdministratorAccess")
    starts = ("lambda:CreateFunction", "lambda:InvokeFunction")
    to_ec2: dict[str, Any] = {"Condition": {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}}
    if_exists: dict[str, Any] = {"Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}}
    unlike: dict[str, Any] = {"Condition": {"StringNotEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}}
    cases: tuple[tuple[str, bool, tuple[Statement, ...], str, bool], ...] = (
        ("put-self", True, (allow("iam:Put*", on=f"{mine}:user/*"),), "writes a policy for itself", False),
        ("own-keys", False, (allow("iam:*AccessKey*", on=f"{mine}:user/${{aws:username}}"),), "", True),
        ("own-rights", True, (allow("iam:PutUserPolicy", on=f"{mine}:user/${{aws:username}}"),), "", True),
        ("joins", True, (allow("iam:AddUserToGroup", on=f"{mine}:group/access-admins"),), "", False),
        ("passes", True, (allow("iam:PassRole", *starts),), "a function with the role of an engine", False),
        ("passes-path", False, (allow("iam:PassRole", on=f"{mine}:role/apps/*"), allow(*starts)), "", True),
        ("passes-ec2", False, (allow("iam:PassRole", **to_ec2), allow(*starts)), "to EC2 alone", True),
        ("passes-denied", False, (allow("iam:PassRole", *starts), deny("iam:PassRole", **unlike)), "", True),
        ("if-exists", True, (allow("iam:AttachUserPolicy", **if_exists),), "keys have no factor", True),
        ("with-factor", False, (allow("iam:AttachUserPolicy", **_FACTOR),), "a thief has none", True),
        (
            "all-not-s3",
            True,
            ({"Effect": "Allow", "NotAction": "s3:*", "Resource": f"{mine}:user/*"},),
            "",
            True,
        ),
        ("denied", False, (allow("iam:PutUserPolicy"), deny("iam:*Policy")), "denied", True),
    )
    for name, bad, statements, note, fools in cases:
        arn = user(lab, f"access-{name}", *statements)
        say = lab.problem if bad else lab.clean
        say(check, arn, note or name, fools=fools, names=(f"access-{name}",))
    arn = user(lab, "access-deny-by-group", allow("iam:PutUserPolicy"))
    iam.create_group(GroupName="access-tamed")
    iam.put_group_policy(GroupName="access-tamed", PolicyName="no", PolicyDocument=document(deny("iam:Put*")))
    iam.add_user_to_group(GroupName="access-tamed", UserName="access-deny-by-group")
    lab.clean(check, arn, "its group denies it", fools=True)


def _chains(lab: Lab) -> None:
    check = "cloud.iam-escalation.several-hops"
    iam = lab.client("iam", OTHER)
    first = user(lab, "access-first")
    third = f"arn:aws:iam::{lab.account}:role/access-third"
    second = role(lab, "access-second", trust({"AWS": first}))
    iam.put_role_policy(
        RoleName="access-second", PolicyName="on", PolicyDocument=document(allow("sts:AssumeRole", on=third))
    )
    role(lab, "access-third", trust({"AWS": lab.account}, StringEquals={"sts:ExternalId": "word"}))
    everything = document(allow("*"))
    iam.put_role_policy(RoleName="access-third", PolicyName="all", PolicyDocument=everything)
    lab.problem(check, first, "over two roles that trust each other", fools=True)
    lab.problem("cloud.iam-escalation.one-step", second, "one role before the administrator", fools=True)
    lab.clean("cloud.iam-escalation.one-step", first, "no single step", fools=True)
    alone = user(lab, "access-alone", allow("sts:AssumeRole", on=second))
    lab.clean(check, alone, "the role trusts somebody else", fools=True)
    target = role(lab, "access-target", trust({"AWS": lab.account}))
    writes = allow("iam:PutRolePolicy", "sts:AssumeRole", on=target)
    lab.problem(check, user(lab, "access-writer", writes), "gives a role every right, then takes it on")
    writes_only = allow("iam:PutRolePolicy", on=target)
    lab.clean(check, user(lab, "access-writer-only", writes_only), "it cannot take the role on", fools=True)


def _bounded(lab: Lab) -> None:
    """Roles and users whose boundary holds; `access_last` gives the users theirs."""
    limit = policy(lab, "access-limit", allow("s3:*", "iam:PutRolePolicy", "iam:PutUserPolicy"))
    arn = role(lab, "access-kept", trust({"Service": "ecs.amazonaws.com"}), PermissionsBoundary=limit)
    iam = lab.client("iam", OTHER)
    iam.put_role_policy(
        RoleName="access-kept", PolicyName="own", PolicyDocument=document(allow("iam:*", "s3:*"))
    )
    lab.clean("cloud.iam-escalation.one-step", arn, "what it writes stays within a boundary", fools=True)
    iam.create_group(GroupName="access-writers")
    iam.put_group_policy(
        GroupName="access-writers", PolicyName="put", PolicyDocument=document(allow("iam:PutUserPolicy"))
    )
    user(lab, "access-bounded-user")
    iam.add_user_to_group(GroupName="access-writers", UserName="access-bounded-user")
