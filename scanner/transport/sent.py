"""The log of what was sent: one record per packet or conversation, in the order of sending."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class ProbeKind(StrEnum):
    """What was sent: a raw frame, or a connection that the operating system made for us."""

    ARP = "arp"
    ECHO = "icmp-echo"
    SYN = "tcp-syn"
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
