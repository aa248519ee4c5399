"""What Amazon Inspector looks through for known flaws."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class Covered(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A resource that Inspector knows: `kind` is `instance` or `function`, `id` the id or the ARN.

    `reason` is why it is not looked through (`UNMANAGED_EC2_INSTANCE`), where it is not `scanned`.
    """

    region: str
    kind: str
    id: str
    scanned: bool
    reason: str


class Coverage(Fact, frozen=True, forbid_unknown_fields=True):
    """All that Inspector knows; `regions` are those whose whole answer is in here, also an empty one."""

    account: str
    regions: tuple[str, ...]
    resources: tuple[Covered, ...]
