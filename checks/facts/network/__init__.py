"""What a network shows of its hosts: addresses, ports, and how each port answers."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact

OUTSIDE = "outside"
"""The vantage that stands for the internet."""
INSIDE = "inside"
"""The vantage of a scanner whose zone nobody named."""
LOOPBACK = "loopback"
"""The vantage of a scanner that asks its own machine."""


class OpenPort(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One open port: what speaks there, as far as it was identified.

    `protocol` is tcp or udp, `service` the IANA-style name (`ssh`, `http`, empty where unidentified),
    `tls` whether it speaks TLS first, `banner` its first words made printable. `note` says why it was
    not identified.
    """

    number: int
    protocol: str
    service: str = ""
    product: str = ""
    version: str = ""
    cpe: tuple[str, ...] = ()
    tls: bool = False
    banner: str = ""
    identified_by: str = ""
    note: str = ""

    @property
    def name(self) -> str:
        """`tcp/22`."""
        return f"{self.protocol}/{self.number}"


class OpenPorts(Fact, frozen=True, forbid_unknown_fields=True):
    """The open ports of one live address, and who looked from where.

    `vantage` is the name of the place of the scanner: `loopback` for the scanner's own machine, else
    the zone of the scanner (`inside` unless the scope says otherwise; `outside` is the internet).
    `asked` is how many ports were asked, `filtered` how many gave no answer. `mode` is `syn` or `connect`.
    """

    address: str
    vantage: str
    mode: str
    asked: int
    filtered: int
    ports: tuple[OpenPort, ...]


class NetworkCoverage(Fact, frozen=True, forbid_unknown_fields=True):
    """What was asked of a network and what answered: the snapshot of the network itself.

    `pairs` counts the TCP ports asked of live addresses, `pairs_silent` those of them without an answer;
    `tcp` are the TCP ports that were to be asked of each address.
    """

    network: str
    vantage: str
    mode: str
    addresses_asked: int
    addresses_live: int
    addresses_excluded: int
    ports_asked: int
    packets_sent: int
    seconds: float
    limits: tuple[str, ...]
    pairs: int = 0
    pairs_silent: int = 0
    tcp: tuple[PortRange, ...] = ()


class PortRange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Ports from `first` to `last`, both included."""

    first: int
    last: int


class PortAnswers(Fact, frozen=True, forbid_unknown_fields=True):
    """How the TCP ports asked of one live address answered, whatever speaks there.

    `closed` answered with a reset; `silent` gave no answer to two tries or an answer that a filter sent;
    `open` is a number only, so that an address on which everything is open stays small. `in_between` is
    why something else seems to answer in its place, empty where nothing says so.
    """

    vantage: str
    asked: int
    open: int
    closed: tuple[PortRange, ...]
    silent: tuple[PortRange, ...]
    in_between: str = ""

    def is_closed(self, port: int) -> bool:
        """True where the port was asked and a reset came back."""
        return any(r.first <= port <= r.last for r in self.closed)

    def is_silent(self, port: int) -> bool:
        """True where the port was asked and nothing came back, or a filter's refusal."""
        return any(r.first <= port <= r.last for r in self.silent)
