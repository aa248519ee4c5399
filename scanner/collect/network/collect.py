"""Networks: finds what is open, identifies it, and asks it what the demands need to know."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace
from time import monotonic

from checks.facts.network import NetworkCoverage, OpenPorts, PortAnswers
from checks.facts.snapshot import Fact, Snapshot, source
from checks.model import Target
from scanner.collect.collector import Collected, Context, Permission, snapshot
from scanner.collect.network.access import Course, NetworkAccess
from scanner.collect.network.address_facts import ranges
from scanner.collect.network.ask.every import QUESTIONS
from scanner.collect.network.course import Outcome, Walk
from scanner.collect.network.examine import network_only
from scanner.collect.network.stream import streamed

__all__ = ["NetworkAccess", "collect", "permissions"]


def collect(
    target: Target, wanted: Iterable[type[Fact]], access: NetworkAccess, context: Context
) -> Iterator[Snapshot]:
    """One snapshot per live address, as soon as it is examined, and last that of the network itself.

    Only the questions whose facts are wanted are asked. Nothing is sent to an address that
    `access.allowed` refuses at that moment.

    Raises:
        CollectError: stopped on request; the snapshots given until then stand.

    """
    began = monotonic()
    stop = threading.Event()
    context.check()
    course = Course(access, replace(context, cancelled=stop), began + access.total_seconds)
    addresses = tuple(dict.fromkeys(a for a in access.addresses if access.allowed(a)))
    excluded = len(dict.fromkeys(access.addresses)) - len(addresses)
    outcome = Outcome()
    context.progress(0, len(addresses))
    if addresses and (access.ports or access.udp_ports):
        walk = Walk(course, target, frozenset(wanted), addresses, outcome)
        yield from streamed(walk.walk, context.check, stop)
    elif addresses:
        course.limit("no port was asked")
    if not outcome.live and addresses:
        course.limit("no address answered")
    coverage = NetworkCoverage(
        network=target.spec.removeprefix("net:"),
        vantage=access.vantage,
        mode=outcome.mode,
        addresses_asked=len(addresses),
        addresses_live=outcome.live,
        addresses_excluded=excluded,
        ports_asked=len(access.ports),
        packets_sent=course.packets,
        seconds=round(monotonic() - began, 1),
        limits=tuple(course.limits),
        pairs=outcome.pairs,
        pairs_silent=outcome.pairs_silent,
        tcp=ranges(access.ports),
    )
    yield _network(target, frozenset(wanted), coverage, context)


def permissions(wanted: Iterable[type[Fact]]) -> tuple[Permission, ...]:
    """What is sent for these facts: the sweeps always, and the questions that decide them."""
    names = frozenset(wanted)
    every = tuple(sorted(f.__name__ for f in names | {OpenPorts, PortAnswers}))
    found = [
        Permission(
            "network", "ARP, ICMP echo and TCP SYN packets (CAP_NET_RAW), else TCP connections", every
        ),
        Permission("network", "one datagram of its own protocol to each UDP port that is asked", every),
        Permission(
            "network",
            "first words, TLS hello, HTTP GET and the questions of the installed nmap's service-probe file "
            "that fit the port, at open ports",
            every,
        ),
        Permission("network", "nmap -sV, at open ports that spoke and were not recognised", ("OpenPorts",)),
    ]
    for question in QUESTIONS:
        facts = tuple(sorted(f.__name__ for f in question.facts & names))
        if facts:
            found.append(Permission("network", question.needs, facts))
    return tuple(found)


def _network(
    target: Target, wanted: frozenset[type[Fact]], coverage: NetworkCoverage, context: Context
) -> Snapshot:
    at = context.now()
    said = (
        f"{coverage.addresses_asked} addresses asked, {coverage.addresses_live} live, "
        f"{coverage.addresses_excluded} left out; {coverage.ports_asked} ports each; "
        f"{coverage.packets_sent} packets and conversations in {coverage.seconds} s",
        *coverage.limits,
    )
    how = f'a {coverage.mode} sweep of {coverage.network} from "{coverage.vantage}"'
    evidence = Collected(sources=(source(NetworkCoverage, how, at, "\n".join(said)),))
    place = target.zone or coverage.vantage
    return snapshot(
        target,
        [network_only(coverage, wanted), evidence],
        at=at,
        identities=(f"network:{place}/{coverage.network}",),
    )
