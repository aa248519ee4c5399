"""Cloud accounts in a scope: roles, external ids, and organizations as a whole."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from baselines.text import TextError
from scanner.scope import AwsScope, Scope
from scanner.scope.guard import ScopeError
from scanner.scope.load import read_scope
from scanner.scope.plan import plan
from scanner.targets import AwsTarget, parse_target

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ORGANIZATION = "o-a1b2c3d4e5"


def scope(*accounts: dict[str, Any]) -> Scope:
    document = {
        "version": 1,
        "organisation": "Example",
        "authorisation": {"by": "A. Admin", "reference": "order 17", "until": "2026-12-31"},
        "aws": list(accounts),
    }
    return read_scope(yaml.safe_dump(document).encode(), "scope.yaml", Path("/etc/bartizan/scope.yaml"))


def entry(**more: Any) -> dict[str, Any]:
    return {"name": "prod", **more}


def test_several_roles_over_one_profile_are_several_targets() -> None:
    one = entry(profile="audit", account="111122223333", role="Bartizan", external_id="env:EXTERNAL_ID")
    other = {**one, "name": "test", "account": "444455556666"}
    made = plan(scope(one, other), [], now=NOW)
    assert [t.target.spec for t in made.targets] == ["aws://111122223333", "aws://444455556666"]
    assert made.targets[0].access == AwsScope(
        "audit", "111122223333", (), role="Bartizan", external_id="env:EXTERNAL_ID"
    )


def test_a_file_with_an_external_id_is_counted_from_the_scope_file() -> None:
    one = entry(account="111122223333", role="Bartizan", external_id="file:external-id")
    [target] = plan(scope(one), [], now=NOW).targets
    assert isinstance(target.access, AwsScope)
    assert target.access.external_id == "file:/etc/bartizan/external-id"


@pytest.mark.parametrize("word", ["aws", "aws://all", f"aws://{ORGANIZATION}", "aws://audit"])
def test_an_organization_is_one_target_by_any_of_its_names(word: str) -> None:
    one = entry(
        name="all",
        profile="audit",
        organization=ORGANIZATION,
        role="Bartizan",
        exclude=["111122223333"],
        regions=["eu-central-1"],
    )
    [target] = plan(scope(one), [word], now=NOW).targets
    assert target.target.spec == f"aws://{ORGANIZATION}/eu-central-1"
    assert target.access == AwsScope(
        "audit",
        "",
        ("eu-central-1",),
        role="Bartizan",
        organization=ORGANIZATION,
        left_out=frozenset({"111122223333"}),
    )


def test_an_organization_is_a_target_by_its_form() -> None:
    target = parse_target(f"aws://{ORGANIZATION}/eu-west-1")
    assert target == AwsTarget(regions=("eu-west-1",), organization=ORGANIZATION)
    assert target.spec == f"aws://{ORGANIZATION}/eu-west-1"


def test_without_a_scope_an_organization_is_no_target() -> None:
    with pytest.raises(ScopeError, match="need a role: name both under aws: in a scope file"):
        plan(Scope.empty(), [f"aws://{ORGANIZATION}"], now=NOW, authorised=True)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({"role": "Bartizan"}, "role needs account"),
        ({"external_id": "env:X"}, "external_id needs role"),
        ({"organization": ORGANIZATION}, "organization needs role"),
        ({"organization": "o-1", "role": "R"}, "the id of an organization is like o-a1b2c3d4e5"),
        ({"organization": ORGANIZATION, "role": "R", "account": "111122223333"}, "leave account out"),
        (
            {"organization": ORGANIZATION, "role": "arn:aws:iam::111122223333:role/R"},
            "leave account out, and name the role",
        ),
        ({"account": "111122223333", "exclude": ["444455556666"]}, "exclude needs organization"),
        (
            {"account": "111122223333", "role": "arn:aws:iam::444455556666:role/R"},
            "the role is in another account",
        ),
        ({"account": "111122223333", "role": "no such name"}, "the name of a role, or arn:aws:iam"),
        (
            {"account": "111122223333", "role": "R", "external_id": "the-very-word"},
            "name where the external id is kept, never the external id",
        ),
        ({"account": "11112222333"}, "the number of an account has 12 digits"),
    ],
)
def test_what_cannot_be_is_said_with_its_line(written: dict[str, Any], told: str) -> None:
    with pytest.raises(TextError, match=r"scope\.yaml:\d+: aws\.0") as error:
        scope(entry(**written))
    assert told in str(error.value)
    assert "the-very-word" not in str(error.value)
