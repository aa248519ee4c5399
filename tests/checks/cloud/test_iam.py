"""Users, keys, administrators and root."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from checks import Outcome
from checks.cloud.iam import (
    console_mfa,
    full_administrator,
    inline_administrator,
    key_age,
    unused_credentials,
)
from checks.cloud.root import mfa, use
from checks.facts.cloud.iam import Holder, IamPolicies, IamPolicy, RootAccount, RootCredentials
from checks.facts.cloud.policy import Condition, Policy, Statement
from tests.checks.cloud.examples.beginnings import EVERYTHING, SOMETHING, USER, A, key, user

NOW = datetime(2026, 11, 23, tzinfo=UTC)
BOUNDARY = f"arn:aws:iam::{A}:policy/bounds"


def test_a_user_without_console_password_needs_no_second_factor() -> None:
    assert list(console_mfa(user(password=False, mfa=False))) == []


@pytest.mark.parametrize(
    ("rotated", "ok"),
    [("2026-08-25T00:00:00Z", True), ("2026-08-24T00:00:00Z", False), ("", False)],
)
def test_ninety_days_are_the_limit_of_a_key(rotated: str, ok: bool) -> None:
    [verdict] = key_age(user(keys=(key(rotated=rotated),)), now=NOW)
    assert verdict.ok is ok


def test_the_limit_is_a_threshold_and_inactive_keys_are_left_out() -> None:
    keys = (key(rotated="2026-11-01T00:00:00Z"), key(number=2, active=False, rotated="2020-01-01T00:00:00Z"))
    [verdict] = key_age(user(keys=keys), days=10, now=NOW)
    assert not verdict.ok
    assert verdict.on == f"{USER} key 1"


@pytest.mark.parametrize(
    ("changes", "outcomes"),
    [
        ({"keys": ()}, [True]),
        ({"keys": (), "password_used": "2026-10-09T00:00:00Z"}, [True]),
        ({"keys": (), "password_used": "2026-10-08T00:00:00Z"}, [False]),
        ({"keys": (), "password_used": "", "password_changed": "2026-11-01T00:00:00Z"}, [True]),
        ({"keys": (), "password_used": "", "password_changed": "2026-01-01T00:00:00Z"}, [False]),
        ({"keys": (), "password_used": "", "password_changed": ""}, [False]),
        ({"password": False, "keys": (key(used="", rotated="2026-11-01T00:00:00Z"),)}, [True]),
        ({"password": False, "keys": (key(used="", rotated="2026-01-01T00:00:00Z"),)}, [False]),
        ({"password": False, "keys": (key(active=False, used="2020-01-01T00:00:00Z"),)}, []),
    ],
)
def test_unused_means_neither_used_nor_new(changes: dict[str, object], outcomes: list[bool]) -> None:
    assert [verdict.ok for verdict in unused_credentials(user(**changes), now=NOW)] == outcomes


def one(*statements: Statement) -> Policy:
    return Policy(statements)


@pytest.mark.parametrize(
    ("policy", "ok"),
    [
        (EVERYTHING, False),
        (SOMETHING, True),
        (one(Statement(True, actions=("*:*",), resources=("*",))), False),
        (one(Statement(True, actions=("s3:*", "*"), resources=("*",))), False),
        (one(Statement(True, actions=("*",), resources=("arn:aws:s3:::a",))), True),
        (one(Statement(True, actions=("s3:*",), resources=("*",))), True),
        (one(Statement(True, not_actions=("ec2:*",), resources=("*",))), False),
        (one(Statement(True, not_actions=("iam:*", "organizations:*"), resources=("*",))), True),
        (
            one(
                Statement(
                    True,
                    actions=("*",),
                    resources=("*",),
                    conditions=(Condition("Bool", "aws:MultiFactorAuthPresent", ("true",)),),
                )
            ),
            True,
        ),
        (one(*EVERYTHING.statements, Statement(False, actions=("*",), resources=("*",))), True),
        (one(*EVERYTHING.statements, Statement(False, actions=("s3:*",), resources=("*",))), False),
        # The power over identities may stand in a statement of its own.
        (
            one(
                Statement(True, not_actions=("iam:*",), resources=("*",)),
                Statement(True, actions=("iam:*",), resources=("*",)),
            ),
            False,
        ),
        (
            one(
                Statement(True, not_actions=("iam:*",), resources=("*",)),
                Statement(True, actions=("iam:List*",), resources=("*",)),
            ),
            True,
        ),
        (one(Statement(True, actions=("*",), not_resources=("arn:aws:s3:::secret/*",))), False),
        (one(Statement(True, actions=("*",), not_resources=("*",))), True),
    ],
)
def test_what_allows_everything(policy: Policy, ok: bool) -> None:
    for made_by, judge in (("account", full_administrator), ("inline", inline_administrator)):
        found = IamPolicies(A, (IamPolicy("arn:p", "p", made_by, policy, (Holder("group/g", "arn:g"),)),))
        [verdict] = judge.run(found)
        assert verdict.ok is ok


def held_by(holder: Holder, made_by: str = "account", *others: IamPolicy) -> IamPolicies:
    return IamPolicies(A, (IamPolicy("arn:p", "p", made_by, EVERYTHING, (holder,)), *others))


def test_the_policy_of_aws_on_a_role_is_where_it_belongs() -> None:
    role, person = Holder("role/admin", "arn:r"), Holder("user/alice", USER)
    [on_role] = full_administrator(held_by(role, "aws"))
    assert on_role.ok
    [strict] = full_administrator(held_by(role, "aws"), aws_policy_on_roles=True)
    assert not strict.ok
    [on_user] = full_administrator(held_by(person, "aws"))
    assert not on_user.ok


def test_a_permissions_boundary_bounds() -> None:
    bound = Holder("user/alice", USER, BOUNDARY)
    narrow = IamPolicy(BOUNDARY, "bounds", "account", SOMETHING, ())
    wide = IamPolicy(BOUNDARY, "bounds", "account", EVERYTHING, ())
    [held] = full_administrator(held_by(bound, "account", narrow))
    assert held.ok
    [loose] = full_administrator(held_by(bound, "account", wide))
    assert not loose.ok
    [unread] = full_administrator(held_by(bound))
    assert unread.outcome is Outcome.UNKNOWN


def test_a_policy_that_nobody_holds_harms_nobody() -> None:
    assert (
        list(full_administrator(IamPolicies(A, (IamPolicy("arn:p", "p", "account", EVERYTHING, ()),)))) == []
    )


def test_a_root_that_cannot_sign_in_needs_no_second_factor() -> None:
    [verdict] = mfa(RootAccount(A, False, False, False))
    assert verdict.ok
    [with_key] = mfa(RootAccount(A, True, False, False))
    assert not with_key.ok


@pytest.mark.parametrize(("used", "ok"), [("2026-10-24T00:00:00Z", True), ("2026-10-25T00:00:00Z", False)])
def test_root_is_not_used(used: str, ok: bool) -> None:
    by_password = RootCredentials(A, "2026-11-23T00:00:00Z", used, ())
    by_key = RootCredentials(A, "2026-11-23T00:00:00Z", "", (key(active=False, used=used),))
    for facts in (by_password, by_key):
        [verdict] = use(facts, now=NOW)
        assert verdict.ok is ok
