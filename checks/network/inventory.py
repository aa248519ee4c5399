"""Whether a network holds the machines, ports, certificates and keys that somebody approved, and no more."""

from __future__ import annotations

from datetime import timedelta

from checks.check import check
from checks.facts.network.drift import PortDrift
from checks.facts.network.inventory import (
    CertificateOfList,
    InventoryCertificates,
    InventoryHost,
    InventoryHostKeys,
    InventoryPorts,
    InventoryPresence,
)
from checks.fix import Disruption, Effort, Fix
from checks.model import Confidence, Exploit, Impact, Severity, Surface
from checks.verdict import Verdicts, expect, unknown

_ACCEPT = "`bartizan inventory accept` writes the list anew from a scan"
_AGAIN = "bartizan scan --scope scope.yaml"


@check(
    "network.inventory.rogue-host",
    title="Every machine of the network is an approved one",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    exploit=Exploit.HARDENING,
    surface=Surface.LOCAL,
    fix=Fix(
        action="Find the machine at @{address} and approve it or take it off the network",
        do="Look in the table of the switch for @{marks} and in the lease of the address server, and ask who "
        f"put it there. What belongs there goes into the list: {_ACCEPT}.",
        verify=f"{_AGAIN}   # @{{address}} is known, or gone",
        effort=Effort(setup=0, each=0.5),
        disruption=Disruption.NONE,
        undo="Take the machine out of the list again.",
        key="rogue:@{address}",
    ),
)
def rogue_host(found: InventoryHost) -> Verdicts:
    """A machine that nobody knows is patched by nobody, and may be an intruder's foothold in the network."""
    maker = f" ({found.vendor})" if found.vendor else ""
    marks = f"MAC {found.mac}{maker}" if found.mac else "no MAC seen"
    moved = f", which was approved at {', '.join(found.before)}" if found.before else ""
    yield expect(
        bool(found.known),
        on=found.address,
        saw=f"{found.known}, known by its {found.known_by}{moved}" if found.known else f"a stranger: {marks}",
        want="a machine of the list",
        values={"address": found.address, "marks": marks},
    )


@check(
    "network.inventory.missing-host",
    title="Every approved machine is on the network",
    severity=Severity.LOW,
    exploit=Exploit.HARDENING,
    surface=Surface.LOCAL,
    fix=Fix(
        action="Find out where @{on} is, or take it off the list",
        do="Look whether the machine is switched off, moved or gone. What is gone for good leaves the list, "
        "and its address, names and accesses are withdrawn.",
        verify=f"{_AGAIN}   # @{{on}} answers, or is not in the list",
        effort=Effort(setup=0, each=0.25),
        undo="Put the machine back into the list.",
        key="missing:@{on}",
    ),
)
def missing_host(found: InventoryPresence) -> Verdicts:
    """A machine that vanished may be stolen, or its name and accesses wait for whoever takes its place."""
    for host in found.hosts:
        if host.reason:
            yield unknown(host.name, host.reason, needs="a scan that asks all of its addresses")
            continue
        where = f"at {', '.join(host.seen_at or host.addresses)}"
        saw = where if host.seen_at else f"no answer {where}"
        yield expect(bool(host.seen_at), on=host.name, saw=saw, want="an answer")


@check(
    "network.inventory.unexpected-port",
    title="Every open port is an approved one",
    severity=Severity.HIGH,
    impact=Impact.PARTIAL,
    exploit=Exploit.HARDENING,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Close @{on} of @{host}, or approve it",
        do="Find out which program listens there and who started it. What is wanted goes into the list: "
        f"{_ACCEPT}.",
        verify="ss -tulnp | grep @{port}   # on @{target}: the program, or nothing",
        effort=Effort(setup=0, each=0.5),
        undo="Start the service again.",
        key="port:@{host}:@{on}",
    ),
)
def unexpected_port(found: InventoryPorts) -> Verdicts:
    """A port that nobody approved is a service that nobody watches, or a door that an intruder opened."""
    for one in found.ports:
        yield expect(
            one.approved,
            on=one.port,
            saw=f"open{f': {one.service}' if one.service else ''}",
            want="a port of the list" if not one.approved else "open",
            port=one.port,
            values={"host": found.host},
        )
    if not found.ports:
        yield expect(True, on="ports", saw="none is open", want="ports of the list only")


@check(
    "network.inventory.new-port",
    title="No port is open that was shut in the scan before",
    severity=Severity.MEDIUM,
    exploit=Exploit.HARDENING,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Find out why @{on} of @{target} is open now",
        do="Ask who opened it, and close what nobody needs. A list of what is approved makes this certain: "
        "`bartizan inventory accept`.",
        verify="ss -tulnp | grep @{port}   # on @{target}: the program, or nothing",
        effort=Effort(setup=0, each=0.5),
        undo="Start the service again.",
        key="new-port:@{target}:@{on}",
    ),
)
def new_port(found: PortDrift) -> Verdicts:
    """What opens between two scans was opened by somebody: a colleague, an update, or an intruder."""
    for one in found.ports:
        if not one.was_asked:
            yield unknown(one.port, f"scan {found.scan} did not ask it", needs="two scans that ask the same")
            continue
        then = "the machine was not there" if found.host_is_new else "shut"
        yield expect(
            one.was_open,
            on=one.port,
            saw=f"open; in scan {found.scan} ({found.at[:10]}): {'open' if one.was_open else then}",
            want=f"as in scan {found.scan}",
            port=one.port,
        )
    if not found.ports:
        yield expect(True, on="ports", saw="none is open", want=f"as in scan {found.scan}")


@check(
    "network.inventory.changed-certificate",
    title="Every service shows its approved certificate or a renewal of it",
    severity=Severity.MEDIUM,
    impact=Impact.PARTIAL,
    exploit=Exploit.HARDENING,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Find out who changed the certificate of @{host} @{on}",
        do=f"Ask whoever runs the service. Where the change was meant, approve it: {_ACCEPT}. Where nobody "
        "knows of it, somebody may stand between, or on the machine.",
        verify="openssl s_client -connect @{target}:@{port} </dev/null | "
        "openssl x509 -noout -fingerprint -sha256",
        effort=Effort(setup=0, each=0.5),
        undo="Put the former certificate into the list again.",
        key="certificate:@{host}:@{on}",
    ),
)
def changed_certificate(found: InventoryCertificates, *, early_days: int = 90) -> Verdicts:
    """Another certificate than the approved one may be another machine; a renewal in time is expected."""
    for one in found.certificates:
        renewed = _renewed(one, early_days)
        same = one.fingerprint == one.approved
        day = one.not_before.date()
        yield expect(
            same or renewed,
            on=one.port,
            saw="the approved one"
            if same
            else f"{'renewed' if renewed else 'another one'}, of {day} by {one.issuer or 'nobody'}",
            want=f"{one.approved[:16]}… or a renewal of it by {one.approved_issuer or 'its issuer'}",
            port=one.port,
            confidence=Confidence.CONFIRMED if same or not renewed else Confidence.LIKELY,
            values={"host": found.host},
        )


def _renewed(one: CertificateOfList, early_days: int) -> bool:
    """Whether the same issuer made a new certificate for the same names when the old one came to its end."""
    if one.self_signed or not one.approved_issuer or not one.approved_names:
        return False
    alike = one.issuer == one.approved_issuer and set(one.names) == set(one.approved_names)
    return alike and one.not_before >= one.approved_until - timedelta(days=early_days)


@check(
    "network.inventory.changed-host-key",
    title="Every SSH server proves an approved host key",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    exploit=Exploit.HARDENING,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Find out why the SSH host key of @{host} changed",
        do="Do not log in with a password before it is known: ask whoever runs the machine whether it was "
        f"set up anew. Where it was, approve the new key: {_ACCEPT}.",
        verify="ssh-keyscan -p @{port} @{target} | ssh-keygen -lf -   # @{want}",
        effort=Effort(setup=0, each=0.5),
        undo="Put the former key into the list again.",
        key="host-key:@{host}:@{on}",
    ),
)
def changed_host_key(found: InventoryHostKeys) -> Verdicts:
    """A machine that cannot prove its old key was set up anew, or another one answers in its place."""
    for one in found.keys:
        known = sorted(set(one.shown) & set(one.approved))
        yield expect(
            bool(known),
            on=one.port,
            saw=known or one.shown,
            want=" or ".join(one.approved),
            port=one.port,
            values={"host": found.host},
        )
