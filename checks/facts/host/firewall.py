"""The packet filter of a host: which rules decide about packets that come in."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class InputChain(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One chain that sees packets addressed to the host.

    `family` is ip, ip6 or inet (both). `policy` is what the chain says about packets that no rule
    decides about; `rest` is accept or refuse: what in fact becomes of a packet to which no condition of
    any rule applies, after all rules without a condition. A condition that every packet or every new TCP
    connection meets counts as none. `rules` counts the chain's own rules; `refuses` says whether any
    rule that a packet can come to refuses something.
    """

    tool: str
    family: str
    table: str
    name: str
    policy: str
    rules: int
    rest: str
    refuses: bool = True


class Firewall(Fact, frozen=True, forbid_unknown_fields=True):
    """The loaded rules for incoming packets.

    `tools` are the programs that can load rules; `ipv6` says whether the host has IPv6 addresses beyond
    loopback.
    """

    tools: tuple[str, ...]
    chains: tuple[InputChain, ...]
    ipv6: bool
