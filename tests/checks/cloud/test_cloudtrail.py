"""Whether the record of the account is whole; databases and keys."""

from __future__ import annotations

import pytest

from checks import Outcome
from checks.cloud.cloudtrail import every_region
from checks.cloud.kms import rotation
from checks.facts.cloud.account import AccountRegions
from checks.facts.cloud.cloudtrail import Trails, TrailSelectors, TrailStates
from checks.facts.cloud.kms import KmsKey, KmsKeyRotation, KmsKeys
from tests.checks.cloud.examples.beginnings import HERE, TRAIL, A, Facts, R, trail


@pytest.mark.parametrize(
    ("facts", "outcome", "words"),
    [
        (trail(), Outcome.PASS, "all"),
        (trail(wide=False), Outcome.FAIL, f"all ({R} only)"),
        (trail(logging=False), Outcome.FAIL, "stopped or partial"),
        (trail(reads=False), Outcome.FAIL, "stopped or partial"),
        (
            (trail()[0], Trails(A, HERE, ()), TrailStates(A, ()), TrailSelectors(A, ())),
            Outcome.FAIL,
            "no trail",
        ),
    ],
)
def test_a_trail_records_only_when_it_runs_everywhere(facts: Facts, outcome: Outcome, words: str) -> None:
    [verdict] = every_region.run(*facts)
    assert verdict.outcome is outcome
    assert words in verdict.saw


def test_an_unread_state_is_not_a_stopped_trail() -> None:
    regions, trails, _, selectors = trail()
    [verdict] = every_region.run(regions, trails, TrailStates(A, ()), selectors)
    assert verdict.outcome is Outcome.UNKNOWN
    regions, trails, states, _ = trail()
    [verdict] = every_region.run(regions, trails, states, TrailSelectors(A, ()))
    assert verdict.outcome is Outcome.UNKNOWN


def test_an_unread_region_may_hold_the_trail() -> None:
    more = AccountRegions(A, "aws", (R, "us-east-1"), ())
    nothing = (Trails(A, HERE, ()), TrailStates(A, ()), TrailSelectors(A, ()))
    [verdict] = every_region.run(more, *nothing)
    assert verdict.outcome is Outcome.UNKNOWN
    [found] = every_region.run(more, *trail()[1:])
    assert found.ok
    assert TRAIL


def test_a_stopped_trail_is_known_to_be_stopped_without_its_selectors() -> None:
    regions, trails, states, _ = trail(logging=False)
    [verdict] = every_region.run(regions, trails, states, TrailSelectors(A, ()))
    assert verdict.outcome is Outcome.FAIL


@pytest.mark.parametrize(
    "changes",
    [
        {"manager": "AWS"},
        {"spec": "RSA_2048"},
        {"origin": "EXTERNAL"},
        {"state": "PendingDeletion"},
        {"replica": True},
    ],
)
def test_keys_that_cannot_rotate_are_not_asked_to(changes: dict[str, object]) -> None:
    values = {
        "arn": "arn:key",
        "id": "1",
        "region": R,
        "manager": "CUSTOMER",
        "spec": "SYMMETRIC_DEFAULT",
        "origin": "AWS_KMS",
        "state": "Enabled",
        "replica": False,
        **changes,
    }
    assert list(rotation(KmsKeys(A, HERE, (KmsKey(**values),)), KmsKeyRotation(A, ()))) == []  # type: ignore[arg-type]
