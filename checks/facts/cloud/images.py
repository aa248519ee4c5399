"""Whom the machine images of an account are shared with."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class ImageShare(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A machine image, the accounts that may start it, and the organizations whose accounts may."""

    id: str
    region: str
    name: str
    accounts: tuple[str, ...]
    organizations: tuple[str, ...]


class ImageShares(Fact, frozen=True, forbid_unknown_fields=True):
    """The sharing of each image that is not public anyway."""

    account: str
    images: tuple[ImageShare, ...]
