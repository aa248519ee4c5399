"""What changed on a network since the scan before, where no list says what is approved.

All of it is made when a snapshot is judged, from this scan and the one that it is compared with.
"""

from __future__ import annotations

import msgspec

from checks.facts.network import OpenPorts, PortAnswers
from checks.facts.snapshot import Fact


class PortSince(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A port that is open now: whether it was before, or was not asked then."""

    port: str
    service: str
    was_open: bool
    was_asked: bool


class PortDrift(Fact, frozen=True, forbid_unknown_fields=True):
    """The open ports of one address beside those of the scan before.

    `scan` is the number of that scan, `at` when it looked. `host_is_new` is true where it asked this address
    and nothing answered.
    """

    derived_from = (OpenPorts, PortAnswers)

    scan: int
    at: str
    host_is_new: bool
    ports: tuple[PortSince, ...]
