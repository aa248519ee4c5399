"""What a network shows of its hosts below the addresses: the link itself."""

from __future__ import annotations

from checks.facts.snapshot import Fact


class LinkAddress(Fact, frozen=True, forbid_unknown_fields=True):
    """The network card behind one live address on the scanner's own link.

    `mac` is in lower case with colons, `vendor` who made the card (empty where nobody knows, or where the
    machine made the MAC up itself). `answered` is whether any port answered as well: a device that does
    not shows its card and hides everything else.
    """

    address: str
    mac: str
    vendor: str
    answered: bool
