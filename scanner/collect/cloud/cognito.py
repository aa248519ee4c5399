"""Collects user pools and identity pools."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from checks.facts.cloud.cognito import IdentityPool, IdentityPools, UserPool, UserPools
from scanner.collect.cloud.calls import Call, Collector, Place
from scanner.collect.cloud.fields import flag, group, number, text
from scanner.collect.collector import Collected

LIST = Call("cognito-idp", "ListUserPools", (UserPools,), key="UserPools", page=60)
POOL = Call("cognito-idp", "DescribeUserPool", (UserPools,))
IDENTITIES = Call("cognito-identity", "ListIdentityPools", (IdentityPools,), key="IdentityPools", page=60)
IDENTITY = Call("cognito-identity", "DescribeIdentityPool", (IdentityPools,))
ROLES = Call("cognito-identity", "GetIdentityPoolRoles", (IdentityPools,))


def pools(place: Place) -> Collected:
    """The user pools."""
    ids = sorted(text(one, "Id") for one in place.all_of(LIST))
    empty = Collected(facts=(UserPools(place.account, (place.region,), ()),))
    return empty + place.each([(place.where(one), POOL, partial(_pool, place, one)) for one in ids])


def _pool(place: Place, identifier: str) -> Collected:
    raw = group(place.one(POOL, UserPoolId=identifier), "UserPool")
    passwords = group(group(raw, "Policies"), "PasswordPolicy")
    record = UserPool(
        arn=text(raw, "Arn", "") or place.arn("cognito-idp", f"userpool/{identifier}"),
        id=identifier,
        name=text(raw, "Name", identifier),
        region=place.region,
        mfa=text(raw, "MfaConfiguration", "OFF"),
        password_length=number(passwords, "MinimumLength", 8),
        sign_up=not flag(group(raw, "AdminCreateUserConfig"), "AllowAdminCreateUserOnly", False),
        protected=text(raw, "DeletionProtection", "INACTIVE") == "ACTIVE",
        threats=text(group(raw, "UserPoolAddOns"), "AdvancedSecurityMode", "OFF") == "ENFORCED",
    )
    return place.found(
        UserPools(place.account, (place.region,), (record,)), POOL, (record,), where=record.arn
    )


def identities(place: Place) -> Collected:
    """The identity pools."""
    ids = sorted(text(one, "IdentityPoolId") for one in place.all_of(IDENTITIES))
    empty = Collected(facts=(IdentityPools(place.account, (place.region,), ()),))
    return empty + place.each([(place.where(one), IDENTITY, partial(_identity, place, one)) for one in ids])


def _identity(place: Place, identifier: str) -> Collected:
    raw = place.one(IDENTITY, IdentityPoolId=identifier)
    guests = flag(raw, "AllowUnauthenticatedIdentities")
    # Which role guests get matters only where there are guests.
    roles = group(place.one(ROLES, IdentityPoolId=identifier), "Roles") if guests else {}
    record = IdentityPool(
        arn=place.arn("cognito-identity", f"identitypool/{identifier}"),
        id=identifier,
        name=text(raw, "IdentityPoolName", identifier),
        region=place.region,
        guests=guests,
        role=text(roles, "unauthenticated", ""),
        classic=flag(raw, "AllowClassicFlow", False),
    )
    return place.found(
        IdentityPools(place.account, (place.region,), (record,)), IDENTITY, (record,), where=record.arn
    )


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield Collector("cognito user pools", True, (LIST, POOL), pools)
    yield Collector("cognito identity pools", True, (IDENTITIES, IDENTITY, ROLES), identities)
