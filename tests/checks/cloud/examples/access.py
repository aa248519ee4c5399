"""Examples of what is used, and of where people sign in."""

from __future__ import annotations

from collections.abc import Mapping

from checks.facts.cloud.federation import IdentityCenter, IdentityCenters, SamlProviders
from checks.facts.cloud.iam import IamRoles, IamUser, IamUsers
from checks.facts.cloud.unused import UnusedRight, UnusedRights
from tests.checks.cloud.examples.beginnings import user
from tests.checks.cloud.examples.records import A, Facts, R

ME = f"arn:aws:iam::{A}:user/alice"
CENTER = IdentityCenter("arn:aws:sso:::instance/ssoins-1", True)
ANALYZER = f"arn:aws:access-analyzer:{R}:{A}:analyzer/unused"
PEOPLE = IamUsers(A, (IamUser(ME, "alice", (), ()),))
NOBODY = IamRoles(A, ())

EXAMPLES: Mapping[str, tuple[Facts, Facts]] = {
    "cloud.access-analyzer.unused-rights": (
        (UnusedRights(A, (ANALYZER,), (UnusedRight(ME),)), PEOPLE, NOBODY),
        (UnusedRights(A, (ANALYZER,), ()), PEOPLE, NOBODY),
    ),
    "cloud.federation.people": (
        (user(), SamlProviders(A, ()), IdentityCenters(A, ()), NOBODY),
        (user(), SamlProviders(A, ()), IdentityCenters(A, (CENTER,)), NOBODY),
    ),
}
