"""Networks: finds what is open, identifies it, and asks it what the demands need to know."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from time import monotonic

from checks.facts.network import NetworkCoverage, OpenPorts, PortAnswers
from checks.facts.snapshot import Fact, Snapshot, source
from checks.model import Target
from scanner.collect.collector import Collected, Context, Permission, snapshot
from scanner.collect.network.access import Course, NetworkAccess
from scanner.collect.network.ask.every import QUESTIONS
from scanner.collect.network.examine import NMAP_AT_ONCE, Examiner, network_only
from scanner.collect.network.look import Looked, look
from scanner.collect.network.ports import FRAGILE
from scanner.collect.network.talk import Address
from scanner.transport import nmap

__all__ = ["NetworkAccess", "collect", "permissions"]

TOGETHER = 32
"""Addresses that are examined at once."""


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
    course = Course(access, context, began + access.total_seconds)
    addresses = tuple(dict.fromkeys(a for a in access.addresses if access.allowed(a)))
    excluded = len(dict.fromkeys(access.addresses)) - len(addresses)
    context.check()
    context.progress(0, len(addresses))
    looked = look(course, addresses) if addresses and access.ports else Looked()
    live = [a for a in addresses if a in looked.live]
    context.progress(len(addresses) - len(live), len(addresses))
    # The collection examines what it found even where the sweep took all its time: each gap says so.
    yield from _examined(target, frozenset(wanted), course, looked, addresses)
    if not live and addresses:
        course.limit("no address answered")
    elapsed = monotonic() - began
    coverage = NetworkCoverage(
        network=target.spec.removeprefix("net:"),
        vantage=access.vantage,
        mode=looked.mode,
        addresses_asked=len(addresses),
        addresses_live=len(live),
        addresses_excluded=excluded,
        ports_asked=len(access.ports),
        packets_sent=course.packets,
        seconds=round(elapsed, 1),
        limits=tuple(course.limits),
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
        Permission("network", "first words, HTTP GET and TLS hello at open ports", every),
        Permission("network", "nmap -sV, at open ports that spoke and were not recognised", ("OpenPorts",)),
    ]
    for question in QUESTIONS:
        facts = tuple(sorted(f.__name__ for f in question.facts & names))
        if facts:
            found.append(Permission("network", question.needs, facts))
    return tuple(found)


def _examined(
    target: Target,
    wanted: frozenset[type[Fact]],
    course: Course,
    looked: Looked,
    addresses: Sequence[Address],
) -> Iterator[Snapshot]:
    live = [a for a in addresses if a in looked.live]
    found = nmap.find() if course.access.use_nmap else None
    if found is None and live:
        why = "nmap is not installed" if course.access.use_nmap else "nmap was switched off"
        course.limit(f"{why}; services that Bartizan does not recognise itself stay unidentified")
    if any(set(swept.open) & set(FRAGILE) for swept in looked.answers.values()):
        course.limit("ports on which a byte can do harm (printers, controllers) were only connected to")
    done = len(addresses) - len(live)
    for start in range(0, len(live), TOGETHER):
        part = live[start : start + TOGETHER]

        async def examine(part: Sequence[Address] = part) -> list[Snapshot]:
            turns = asyncio.Semaphore(NMAP_AT_ONCE)
            examiner = Examiner(course, target, wanted, looked, found, turns)
            return list(await asyncio.gather(*(examiner.examine(address) for address in part)))

        yield from course.run(examine())
        done += len(part)
        course.context.progress(done, len(addresses))


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
