"""Where people of the account sign in, if not with a password of IAM."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class SamlProvider(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An identity provider that signs with SAML, and until when its metadata is valid (empty: for ever)."""

    arn: str
    ends: str


class SamlProviders(Fact, frozen=True, forbid_unknown_fields=True):
    """The SAML providers of the account."""

    account: str
    providers: tuple[SamlProvider, ...]


class IdentityCenter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An instance of IAM Identity Center that the account sees: of the organization or its own."""

    arn: str
    active: bool


class IdentityCenters(Fact, frozen=True, forbid_unknown_fields=True):
    """The instances of IAM Identity Center in all regions."""

    account: str
    instances: tuple[IdentityCenter, ...]
