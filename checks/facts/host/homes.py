"""Home folders, and what lies in them that opens an account or another system."""

from __future__ import annotations

from checks.facts.host.files import FileMode
from checks.facts.snapshot import Fact


class Homes(Fact, frozen=True, forbid_unknown_fields=True):
    """The home folders of the accounts that have a shell, each path once.

    `missing` do not exist, `unseen` may not be looked at. `dots` are dot files and dot folders directly in a
    home that others than their owner may write to, that belong to somebody else than the home does, or that
    forward mail; `unsearched` are homes that exist and that could not be searched for them.
    """

    homes: tuple[FileMode, ...]
    missing: tuple[str, ...]
    unseen: tuple[str, ...] = ()
    dots: tuple[FileMode, ...] = ()
    unsearched: tuple[str, ...] = ()
