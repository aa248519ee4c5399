"""Collects where people of the account sign in: SAML providers and IAM Identity Center."""

from __future__ import annotations

from collections.abc import Iterable

from checks.facts.cloud.federation import IdentityCenter, IdentityCenters, SamlProvider, SamlProviders
from scanner.collect.cloud.calls import Call, Collector, Place
from scanner.collect.cloud.fields import Raw, text, time_or_never
from scanner.collect.cloud.lists import listing

# IAM answers with all of them at once.
PROVIDERS = Call("iam", "ListSAMLProviders", (SamlProviders,), key="SAMLProviderList")
CENTERS = Call("sso-admin", "ListInstances", (IdentityCenters,), "sso:ListInstances", "Instances")


def _provider(_: Place, raw: Raw) -> SamlProvider:
    return SamlProvider(text(raw, "Arn"), time_or_never(raw, "ValidUntil"))


def _center(_: Place, raw: Raw) -> IdentityCenter:
    return IdentityCenter(text(raw, "InstanceArn"), text(raw, "Status") == "ACTIVE")


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield listing("saml providers", PROVIDERS, _provider, regional=False, named="Arn")
    # One call for all regions: the instance stands in any of them.
    everywhere = {"RegionScope": "ALL_REGIONS"}
    yield listing("identity center", CENTERS, _center, regional=False, asked=everywhere, named="InstanceArn")
