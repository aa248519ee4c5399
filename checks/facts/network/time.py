"""What time servers answer besides the time."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class NtpServer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One NTP server: `control` is whether it told its variables (mode 6), `monlist` its last clients.

    Each is false only where it refused, or kept silent while it went on telling the time. `variables`
    is the beginning of what it told.
    """

    port: str
    version: int
    stratum: int
    control: bool
    monlist: bool
    variables: str = ""


class NtpServers(Fact, frozen=True, forbid_unknown_fields=True):
    """The NTP servers of the address."""

    servers: tuple[NtpServer, ...]
