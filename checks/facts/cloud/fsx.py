"""File systems in FSx: Windows, Lustre, ONTAP and OpenZFS."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class FsxSystem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file system; `name` is its id, `layout` its deployment type (`MULTI_AZ_1`, `SCRATCH_2`).

    `days` is how long automatic backups are kept, 0 where there are none.
    """

    arn: str
    name: str
    region: str
    kind: str
    layout: str
    days: int

    @property
    def scratch(self) -> bool:
        """Whether it is made to be lost, and can have no backup."""
        return self.layout.startswith("SCRATCH")


class FsxSystems(Fact, frozen=True, forbid_unknown_fields=True):
    """All file systems in FSx that are not about to go."""

    account: str
    regions: tuple[str, ...]
    systems: tuple[FsxSystem, ...]


class FsxKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether a file system is encrypted under a key that somebody manages, and not AWS."""

    arn: str
    name: str
    region: str
    own: bool


class FsxKeys(Fact, frozen=True, forbid_unknown_fields=True):
    """The kind of key of each file system that is made to last."""

    account: str
    regions: tuple[str, ...]
    keys: tuple[FsxKey, ...]
