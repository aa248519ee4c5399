"""Roles: whom they trust, and which of them nobody uses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.lab.account.access import SISTER
from tests.lab.account_access import with_peers
from tests.lab.planted_account import OTHER, Lab

STRANGER = "999988887777"
PARTNER = "888877776666"
_GITHUB = "token.actions.githubusercontent.com"
Statement = Mapping[str, object]


def plant(lab: Lab) -> None:
    """Plants roles, their trust, and their age."""
    first = len(lab.planted)
    _trusting_everybody(lab)
    _trusting_accounts(lab)
    _trusting_pipelines(lab)
    for name in ("access-forgotten", "access-never-used", "access-at-work", "access-made-today"):
        role(lab, name, trust({"Service": "lambda.amazonaws.com"}))
    with_peers(lab, first)


def role(lab: Lab, name: str, *statements: Statement, **more: str) -> str:
    """A role with this trust; its ARN."""
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    iam = lab.client("iam", OTHER)
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document, **more)
    return str(made["Role"]["Arn"])


def trust(principal: object, action: str = "sts:AssumeRole", **conditions: Any) -> Statement:
    """A statement that lets somebody take on a role."""
    told: dict[str, object] = {"Effect": "Allow", "Principal": principal, "Action": action}
    return {**told, "Condition": conditions} if conditions else told


def _trusting_everybody(lab: Lab) -> None:
    check = "cloud.iam-roles.trust-everybody"
    open_one = role(lab, "access-open", trust({"AWS": "*"}))
    lab.problem(check, open_one, "everybody")
    by_id = role(lab, "access-open-id", trust("*", StringEquals={"sts:ExternalId": "word"}))
    lab.problem(check, by_id, "whoever knows a word", fools=True)
    optional: dict[str, Any] = {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
    lax = role(lab, "access-open-lax", trust("*", **optional))
    lab.problem(check, lax, "its condition holds where the key is missing", fools=True)
    members = role(lab, "access-members", trust("*", StringEquals={"aws:PrincipalOrgID": "o-a1b2c3d4e5"}))
    lab.clean(check, members, "the organization alone", fools=True)
    own = role(lab, "access-own", trust({"AWS": lab.account}))
    lab.clean(check, own, "its own account")


def _trusting_accounts(lab: Lab) -> None:
    outside, asks = "cloud.iam-roles.trusted-outsiders", "cloud.iam-roles.external-id"
    theirs = {"AWS": f"arn:aws:iam::{STRANGER}:root"}
    stranger = role(lab, "access-stranger", trust(theirs))
    lab.problem(outside, stranger, "an account that nobody knows")
    lab.problem(asks, stranger, "without an external id")
    sister = role(lab, "access-sister", trust({"AWS": f"arn:aws:iam::{SISTER}:root"}))
    lab.clean(outside, sister, "another account of the organization", fools=True)
    named = role(
        lab, "access-partner", trust({"AWS": PARTNER}, StringEquals={"sts:ExternalId": "c0ffee-4711"})
    )
    lab.problem(outside, named, "an external id does not say whose it is")
    lab.clean(asks, named, "with an external id")
    any_id = role(lab, "access-any-id", trust(theirs, StringLike={"sts:ExternalId": "*"}))
    lab.problem(asks, any_id, "any external id will do", fools=True)
    lax = role(lab, "access-lax-id", trust(theirs, StringEqualsIfExists={"sts:ExternalId": "word"}))
    lab.problem(asks, lax, "none will do too", fools=True)
    back = {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}
    unlike = {"StringNotEquals": {"aws:PrincipalAccount": [lab.account]}}
    shut = role(lab, "access-shut", trust(theirs), {**back, "Condition": unlike})
    lab.clean(outside, shut, "a denial keeps all others out", fools=True)


def _trusting_pipelines(lab: Lab) -> None:
    check = "cloud.iam-roles.oidc-subject"
    provider = f"arn:aws:iam::{lab.account}:oidc-provider/{_GITHUB}"
    audience = {f"{_GITHUB}:aud": "sts.amazonaws.com"}
    lab.client("iam", OTHER).create_open_id_connect_provider(
        Url=f"https://{_GITHUB}", ClientIDList=["sts.amazonaws.com"], ThumbprintList=["a" * 40]
    )

    def pipeline(name: str, **conditions: Mapping[str, object]) -> str:
        return role(lab, name, trust({"Federated": provider}, "sts:AssumeRoleWithWebIdentity", **conditions))

    def subject(value: str) -> Mapping[str, object]:
        return {f"{_GITHUB}:sub": value}

    lab.problem(check, pipeline("access-any-repo", StringEquals=audience), "any repository", fools=True)
    stars = pipeline("access-star-repo", StringEquals=audience, StringLike=subject("repo:*"))
    lab.problem(check, stars, "its subject is a star", fools=True)
    forgiving = {"ForAllValues:StringLike": subject("repo:own/app:*")}
    lab.problem(check, pipeline("access-forgiving", **forgiving), "met where there is no subject", fools=True)
    one = pipeline(
        "access-one-repo", StringEquals={**audience, **subject("repo:own/app:ref:refs/heads/main")}
    )
    lab.clean(check, one, "one branch of one repository")
    owner = pipeline("access-one-owner", StringLike=subject("repo:own/*:ref:refs/heads/main"))
    lab.clean(check, owner, "the repositories of one owner", fools=True)
