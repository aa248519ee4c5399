"""Who may send mail, over which network files are mounted, and what a domain's lock says."""

from __future__ import annotations

import pytest

from checks import Confidence, Exposure, Outcome
from checks.cloud import efs, route53_domains, ses
from checks.facts.cloud.policy import Condition, Policy, Statement
from checks.facts.cloud.resource_policies import FileSystemPolicies, ResourcePolicy, SendingPolicies
from checks.facts.cloud.route53_domains import Domain, RegisteredDomains
from checks.facts.cloud.ses import Sender, Senders
from tests.checks.cloud.examples.records import A, R

FAIL, PASS = Outcome.FAIL, Outcome.PASS
ARN = f"arn:aws:ses:{R}:{A}:identity/example.com"
FILES = f"arn:aws:elasticfilesystem:{R}:{A}:file-system/fs-1"
OWN = ("*",)


def allow(*conditions: Condition, by: str = "*", on: tuple[str, ...] = OWN, deny: bool = False) -> Statement:
    return Statement(not deny, "S", (by,), actions=("ses:SendEmail",), resources=on, conditions=conditions)


@pytest.mark.parametrize(
    ("statements", "outcome", "confidence"),
    [
        ((), PASS, Confidence.CONFIRMED),
        ((allow(),), FAIL, Confidence.CONFIRMED),
        ((allow(on=(ARN,)),), FAIL, Confidence.CONFIRMED),
        # What is written about another identity does nothing here.
        ((allow(on=(f"{ARN}.org",)),), PASS, Confidence.CONFIRMED),
        ((allow(by=f"AWS:arn:aws:iam::{A}:root"),), PASS, Confidence.CONFIRMED),
        # Whom the mail says it is from is chosen by whoever sends it.
        (
            (allow(Condition("StringEquals", "ses:FromAddress", ("news@example.com",))),),
            FAIL,
            Confidence.CONFIRMED,
        ),
        ((allow(Condition("StringEquals", "aws:SourceAccount", (A,))),), PASS, Confidence.CONFIRMED),
        ((allow(Condition("StringEquals", "aws:PrincipalOrgID", ("o-1",))),), PASS, Confidence.CONFIRMED),
        ((allow(), allow(deny=True)), PASS, Confidence.CONFIRMED),
        (
            (allow(), allow(Condition("StringNotEquals", "aws:PrincipalAccount", (A,)), deny=True)),
            PASS,
            Confidence.CONFIRMED,
        ),
    ],
)
def test_who_sends_in_the_name_of_a_domain(
    statements: tuple[Statement, ...], outcome: Outcome, confidence: Confidence
) -> None:
    one = ResourcePolicy(ARN, "example.com", R, Policy(statements))
    [verdict] = ses.POLICIES[0].run(SendingPolicies(A, (one,)))
    assert (verdict.outcome, verdict.confidence) == (outcome, confidence)


@pytest.mark.parametrize(
    ("domain", "signs", "outcomes"),
    [
        (True, True, [PASS]),
        (True, False, [FAIL]),
        # An address is signed with its domain, which is an identity of its own where it is here at all.
        (False, False, []),
        (False, True, []),
    ],
)
def test_domains_sign_and_addresses_are_not_asked(domain: bool, signs: bool, outcomes: list[Outcome]) -> None:
    one = Sender(ARN, "example.com", R, domain, signs)
    found = [verdict.outcome for verdict in ses.signature.run(Senders(A, (R,), (one,)))]
    assert found == outcomes


def mounts(*conditions: Condition, deny: Statement | None = None) -> FileSystemPolicies:
    one = Statement(
        True, "S", ("*",), actions=("elasticfilesystem:ClientMount",), resources=OWN, conditions=conditions
    )
    policy = Policy((one, deny) if deny else (one,))
    return FileSystemPolicies(A, (ResourcePolicy(FILES, "fs-1", R, policy),))


BY_TARGET = "elasticfilesystem:AccessedViaMountTarget"


@pytest.mark.parametrize(
    ("conditions", "outcome"),
    [
        ((), FAIL),
        ((Condition("Bool", BY_TARGET, ("true",)),), PASS),
        ((Condition("Bool", BY_TARGET, ("True",)),), PASS),
        # With "IfExists" a request that does not say it is let in, and "false" asks for the contrary.
        ((Condition("BoolIfExists", BY_TARGET, ("true",)),), FAIL),
        ((Condition("Bool", BY_TARGET, ("false",)),), FAIL),
        ((Condition("Bool", BY_TARGET, ("true", "false")),), FAIL),
        ((Condition("Bool", "aws:SecureTransport", ("true",)),), FAIL),
    ],
)
def test_a_file_system_for_everybody_is_reached_from_its_network(
    conditions: tuple[Condition, ...], outcome: Outcome
) -> None:
    [verdict] = efs.POLICIES[0].run(mounts(*conditions))
    assert verdict.outcome is outcome
    if outcome is FAIL:
        assert verdict.exposure is Exposure.SAME_ZONE
        assert "private addresses" in verdict.exposure_evidence
    else:
        assert verdict.exposure is None


def test_a_denial_of_all_that_comes_by_another_way_takes_the_opening_back() -> None:
    other = Statement(
        False,
        "D",
        ("*",),
        actions=("elasticfilesystem:*",),
        resources=OWN,
        conditions=(Condition("Bool", BY_TARGET, ("false",)),),
    )
    [verdict] = efs.POLICIES[0].run(mounts(deny=other))
    assert verdict.outcome is PASS


@pytest.mark.parametrize(
    ("name", "outcomes"),
    [
        ("example.com", [FAIL]),
        ("example.de", []),
        ("example.co.uk", []),
        ("example.com.au", []),
        # The guide says that these can be locked.
        ("example.be", [FAIL]),
        ("example.cz", [FAIL]),
        ("example.fr", [FAIL]),
    ],
)
def test_a_lock_is_asked_of_registries_that_have_one(name: str, outcomes: list[Outcome]) -> None:
    one = Domain(name, "2027-06-01T00:00:00+00:00", True, False)
    found = [v.outcome for v in route53_domains.transfer_lock.run(RegisteredDomains(A, (one,)))]
    assert found == outcomes
