"""The log of what was sent: one record per packet or conversation, in the order of sending."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
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
    protocol has none. A record of kind `tcp-reset` stands for a frame that the kernel sent, to refuse an
    answer to a raw SYN that it did not ask for; so do those `arp` and `icmpv6-neighbour` frames with which
    it learnt the way there. A record of kind `nmap` stands for a run of nmap against one address.
    """

    at: float
    source: str
    destination: str
    port: int
    kind: ProbeKind
    size: int


class ProbeLog:
    """Appends probes to a file as lines of JSON; safe to call from any thread.

    What one call brings is in the file before the next probe is logged, also when the process is killed.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)
        path.chmod(0o600)
        self._lock = threading.Lock()
        self._encoder = msgspec.json.Encoder()

    def __call__(self, sent: Sent) -> None:
        """Logs one probe."""
        self.many([sent])

    def many(self, entries: Sequence[Sent]) -> None:
        """Logs probes with one write."""
        data = memoryview(self._encoder.encode_lines(entries))
        with self._lock:
            while data:
                data = data[self._file.write(data) :]


def log_to(path: Path) -> ProbeLog:
    """Somebody who appends every probe to that file.

    Raises:
        OSError: the file cannot be written.
    """
    return ProbeLog(path)


def pass_on(log: Callable[[Sent], None], entries: Sequence[Sent]) -> None:
    """Logs probes, at once where the log can do that."""
    if isinstance(log, ProbeLog):
        log.many(entries)
        return
    for entry in entries:
        log(entry)


def not_kept(_: Sent) -> None:
    """The log of somebody who wants none."""
