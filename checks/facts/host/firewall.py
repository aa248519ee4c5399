"""The packet filter of a host: which rules decide about packets that come in."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class PortRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a chain does with new connections from other machines to the ports `first` to `last`.

    `family` is ip or ip6, `protocol` tcp or udp. `does` is accept, refuse, limit (only those are let
    in that `limits` tells apart: source, interface, rate), or unclear where the rules ask what is not
    read here. `named` says that a rule names the port.
    """

    family: str
    protocol: str
    first: int
    last: int
    does: str
    limits: tuple[str, ...] = ()
    named: bool = False


class InputChain(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One chain that sees packets addressed to the host.

    `family` is ip, ip6 or inet (both). `policy` is what the chain says about packets that no rule
    decides about; `rest` is accept or refuse: what in fact becomes of a packet to which no condition of
    any rule applies, after all rules without a condition. A condition that every packet or every new TCP
    connection meets counts as none. `rules` counts the chain's own rules; `refuses` says whether any
    rule that a packet can come to refuses something. `accepts_all` is the rule that lets all in before
    anything else decides, empty without one. `ports` covers all ports without a hole, or is empty where
    it was not worked out. `loopback` says that the loopback interface is let in, `forged` that packets
    which claim to come from it on another interface are refused.
    """

    tool: str
    family: str
    table: str
    name: str
    policy: str
    rules: int
    rest: str
    refuses: bool = True
    accepts_all: str = ""
    ports: tuple[PortRule, ...] = ()
    loopback: bool = False
    forged: bool = False


class PortRange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Ports of one protocol that address translation sends on before any input rule sees them."""

    protocol: str
    first: int
    last: int


class Firewall(Fact, frozen=True, forbid_unknown_fields=True):
    """The loaded rules for incoming packets.

    `tools` are the programs that can load rules; `ipv6` says whether the host has IPv6 addresses beyond
    loopback.
    """

    tools: tuple[str, ...]
    chains: tuple[InputChain, ...]
    ipv6: bool
    forwarded: tuple[PortRange, ...] = ()


class SavedRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file from which rules are loaded at boot, with the input chains that it defines.

    `chains` are `family table name policy` each. `whole` is False where the file takes in others, so that
    it may define more than is seen in it.
    """

    file: str
    chains: tuple[str, ...]
    whole: bool


class SavedFirewall(Fact, frozen=True, forbid_unknown_fields=True):
    """What stands ready for the next boot: files of rules, and whether ufw's own switch is on."""

    files: tuple[SavedRules, ...]
    ufw_enabled: bool
