"""Where people sign in, and what an analyzer says that they do not use."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from checks import Outcome
from checks.cloud.access_analyzer import unused_rights
from checks.cloud.federation import people
from checks.facts.cloud.federation import IdentityCenter, IdentityCenters, SamlProvider, SamlProviders
from checks.facts.cloud.iam import CredentialReport, IamRole, IamRoles
from checks.facts.cloud.policy import Policy, Statement
from checks.facts.cloud.unused import UnusedRight, UnusedRights
from tests.checks.cloud.examples.access import ANALYZER, CENTER, ME, PEOPLE
from tests.checks.cloud.examples.beginnings import user
from tests.checks.cloud.examples.records import A

NOW = datetime(2026, 11, 23, tzinfo=UTC)
SAML = f"arn:aws:iam::{A}:saml-provider/office"
PIPELINE = f"Federated:arn:aws:iam::{A}:oidc-provider/token.actions.githubusercontent.com"


def role(*principals: str, path: str = "/") -> IamRole:
    trust = Policy((Statement(True, principals=principals, actions=("sts:AssumeRoleWithSAML",)),))
    arn = f"arn:aws:iam::{A}:role{path}x"
    return IamRole(arn, "x", path, trust, "2024-01-01T00:00:00Z", "", "", ())


def report(number: int) -> CredentialReport:
    one = user()
    return msgspec.structs.replace(one, users=one.users * number)


@pytest.mark.parametrize(
    ("users", "providers", "centers", "roles", "ok"),
    [
        (1, (), (), (), False),
        (0, (), (), (), True),
        (2, (), (CENTER,), (), True),
        (3, (), (CENTER,), (), False),
        (1, (), (IdentityCenter("arn:aws:sso:::instance/x", False),), (), False),
        # The roles of Identity Center tell of it where its instance is not seen.
        (1, (), (), (role(path="/aws-reserved/sso.amazonaws.com/eu-west-1/"),), True),
        (1, (SamlProvider(SAML, ""),), (), (role(f"Federated:{SAML}"),), True),
        (1, (SamlProvider(SAML, "2030-01-01T00:00:00Z"),), (), (role(f"Federated:{SAML}"),), True),
        # A provider whose metadata is over, that no role trusts, or that is gone signs nobody in.
        (1, (SamlProvider(SAML, "2026-01-01T00:00:00Z"),), (), (role(f"Federated:{SAML}"),), False),
        (1, (SamlProvider(SAML, ""),), (), (), False),
        (1, (), (), (role(f"Federated:{SAML}"),), False),
        (1, (), (), (role(PIPELINE),), False),
    ],
)
def test_people_sign_in_through_a_provider_that_works(
    users: int,
    providers: tuple[SamlProvider, ...],
    centers: tuple[IdentityCenter, ...],
    roles: tuple[IamRole, ...],
    ok: bool,
) -> None:
    facts = report(users), SamlProviders(A, providers), IdentityCenters(A, centers), IamRoles(A, roles)
    [verdict] = people(*facts, now=NOW)
    assert verdict.ok is ok


def test_the_number_for_emergencies_is_a_threshold() -> None:
    facts = report(3), SamlProviders(A, ()), IdentityCenters(A, (CENTER,)), IamRoles(A, ())
    [verdict] = people(*facts, emergency=3, now=NOW)
    assert verdict.ok


def test_unused_rights_need_an_analyzer_and_are_told_of_those_who_are_there() -> None:
    linked = role(path="/aws-service-role/x.amazonaws.com/")
    roles = IamRoles(A, (linked, role()))
    assert list(unused_rights(UnusedRights(A, (), ()), PEOPLE, roles)) == []
    found = UnusedRights(A, (ANALYZER,), (UnusedRight(ME), UnusedRight(linked.arn)))
    told = {v.on: v.outcome for v in unused_rights(found, PEOPLE, roles)}
    assert told == {ME: Outcome.FAIL, role().arn: Outcome.PASS}
