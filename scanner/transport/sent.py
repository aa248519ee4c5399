"""The log of what was sent: one record per packet or conversation, in the order of sending."""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

import msgspec


class ProbeKind(StrEnum):
    """What was sent: a raw frame, or a connection that the operating system made for us."""

    ARP = "arp"
    NEIGHBOUR = "icmpv6-neighbour"
    ECHO = "icmp-echo"
    SYN = "tcp-syn"
    RESET = "tcp-reset"
    UDP = "udp"
    CONNECT = "tcp-connect"
    TALK = "tcp-talk"
    NMAP = "nmap"


class Sent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One probe: when (seconds since the epoch), from where, to where, and how many bytes.

    `size` is the whole frame for raw packets and the payload for connections; `port` is 0 where the
    protocol has none. A record of kind `nmap` stands for a run of nmap against one address.
    """

    at: float
    source: str
    destination: str
    port: int
    kind: ProbeKind
    size: int


def log_to(path: Path) -> Callable[[Sent], None]:
    """Somebody who appends every probe to that file as a line of JSON; safe to call from any thread.

    Each line is in the file before the next probe is logged, also when the process is killed.

    Raises:
        OSError: the file cannot be written.
    """
    file = path.open("ab", buffering=0)
    path.chmod(0o600)
    lock = threading.Lock()
    encoder = msgspec.json.Encoder()

    def write(sent: Sent) -> None:
        with lock:
            file.write(encoder.encode(sent) + b"\n")

    return write


def not_kept(_: Sent) -> None:
    """The log of somebody who wants none."""
