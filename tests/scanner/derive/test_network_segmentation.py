"""What zones reach of each other, held against the scope as it was recorded with the scan."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from baselines.evaluate import evaluate
from baselines.resolve import Demand
from checks.catalogue import load
from checks.facts.network import NetworkCoverage, OpenPort, OpenPorts, PortAnswers, PortRange
from checks.facts.snapshot import Absence, Fact, Gap, Snapshot
from checks.model import Finding, Kind, Outcome, Severity, Target
from scanner.derive.derivation import derive
from scanner.derive.network import around, derivations
from scanner.derive.network_digest import digest
from scanner.store.record import ScanRecord
from tests.checks.network.judging import filled

CATALOGUE = load()
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LEAK, TESTED, BLOCKED = (f"network.segmentation.{name}" for name in ("leak", "tested", "blocked"))

SCOPE = """\
version: 1
organisation: A
authorisation: {by: x, reference: y, until: 2099-01-01}
networks:
  - {name: servers, cidrs: [10.2.0.0/24], vantage: office}
zones:
  - {name: office, networks: [10.1.0.0/24]}
  - {name: servers, networks: [10.2.0.0/24]}
reach:
  - {from: office, to: servers, ports: [443, "udp/53"]}
"""
CUT = "the time was over before every port had been asked"
NO_ZONES = SCOPE.partition("zones:")[0].replace("vantage: office", "vantage: inside")


def record(scope: str = SCOPE, inventory: str = "", compared_with: int = 0) -> ScanRecord:
    return ScanRecord(
        "A",
        "x",
        (),
        {},
        "scope.yaml",
        scope,
        ("network-exposure",),
        "1",
        (),
        (),
        40,
        inventory,
        compared_with,
    )


def _port(words: str) -> OpenPort:
    name, _, service = words.partition(" ")
    protocol, _, number = name.partition("/")
    return OpenPort(int(number), protocol, service)


def address(
    ip: str = "10.2.0.5",
    *opened: str,
    vantage: str = "office",
    closed: tuple[tuple[int, int], ...] = ((1, 21),),
    silent: tuple[tuple[int, int], ...] = (),
    names: tuple[str, ...] = (),
    facts: tuple[Fact, ...] = (),
    gaps: tuple[Gap, ...] = (),
    parent: str = "net:10.2.0.0/24",
) -> Snapshot:
    """An address on which `tcp/22 ssh`-like ports are open."""
    ports = tuple(map(_port, opened))
    asked = sum(last - first + 1 for first, last in closed + silent) + len(ports)
    shut, quiet = (tuple(PortRange(*pair) for pair in pairs) for pairs in (closed, silent))
    found = (
        OpenPorts(ip, vantage, "syn", asked, 0, ports),
        PortAnswers(vantage, asked, len(ports), shut, quiet),
        *facts,
    )
    return Snapshot(
        Target(Kind.NETWORK, ip, f"net:{ip}", parent=parent),
        "2026-11-23T10:00:00Z",
        (*names, f"address:{vantage}/{ip}"),
        (ip,),
        facts={type(fact).__name__: fact for fact in found},
        gaps=gaps,
        absences=(Absence("NetworkCoverage", "one address is no network"),),
    )


def network(
    cidr: str = "10.2.0.0/24",
    live: int = 1,
    *limits: str,
    vantage: str = "office",
    asked: int = 254,
    mode: str = "syn",
    tcp: tuple[tuple[int, int], ...] = ((1, 9_000),),
    excluded: int = 0,
) -> Snapshot:
    ports = tuple(PortRange(*pair) for pair in tcp)
    fact = NetworkCoverage(cidr, vantage, mode, asked, live, excluded, 152, 1000, 1.0, limits, tcp=ports)
    return Snapshot(
        Target(Kind.NETWORK, "servers", f"net:{cidr}"),
        "2026-11-23T10:00:00Z",
        (f"network:{vantage}/{cidr}",),
        facts={"NetworkCoverage": fact},
        absences=(Absence("OpenPorts", "a network has no ports"), Absence("PortAnswers", "nor answers")),
    )


def judged(
    check: str,
    of: Snapshot,
    *others: Snapshot,
    scan: ScanRecord | None = None,
    earlier: tuple[Snapshot, ...] = (),
) -> list[Finding]:
    """The findings of one check about one snapshot among the others of the scan."""
    scan = scan or record()
    among = around(scan, [digest(one) for one in (of, *others)], map(digest, earlier))
    one = CATALOGUE.checks[check]
    options = {name: option.default for name, option in one.options.items()}
    seen = derive(of, derivations(among))
    return list(evaluate([Demand(one, options, one.severity, {}, "t", "t")], seen, now=NOW))


def test_a_port_that_the_scope_does_not_let_in_is_a_leak_and_worse_where_it_administers() -> None:
    found = judged(LEAK, address("10.2.0.5", "tcp/443 https", "tcp/80 http", "tcp/22 ssh"), network())
    assert {(f.on, f.outcome, f.severity) for f in found} == {
        ("tcp/80", Outcome.FAIL, Severity.HIGH),
        ("tcp/22", Outcome.FAIL, Severity.CRITICAL),
    }
    assert all(f.want == "from office only: tcp/443, udp/53" for f in found)
    for one in found:
        filled(LEAK, one)
    assert "10.2.0.5" in found[0].fix.snippets[0].do


def test_what_refuses_or_keeps_silent_is_evidence_that_the_zone_holds() -> None:
    seen = address("10.2.0.5", "tcp/443 https", closed=((1, 21),), silent=((442, 444),))
    [one] = judged(LEAK, seen, network())
    assert (one.on, one.outcome) == ("office → servers", Outcome.PASS)
    assert one.saw == "none of 23 ports: 21 refused, 2 silent to two tries"


def test_an_open_datagram_port_is_a_leak_unless_it_is_named() -> None:
    found = judged(LEAK, address("10.2.0.5", "udp/53 dns", "udp/161 snmp"), network())
    assert [(f.on, f.outcome, f.severity) for f in found] == [("udp/161", Outcome.FAIL, Severity.CRITICAL)]


def test_a_network_in_which_nothing_answers_holds_and_says_what_was_asked() -> None:
    [tried] = judged(TESTED, network(live=0))
    assert (tried.on, tried.outcome) == ("office → servers", Outcome.PASS)
    assert tried.saw == "254 addresses × 152 ports, 0 live, 0 leaks"


def test_a_sweep_that_was_cut_short_proves_nothing() -> None:
    [tried] = judged(TESTED, network("10.2.0.0/24", 0, CUT))
    assert (tried.outcome, tried.reason) == (Outcome.UNKNOWN, CUT)
    gap = Gap("PortAnswers", "10 of 152 ports were not asked")
    found = judged(LEAK, address(gaps=(gap,)), network())
    assert Outcome.UNKNOWN in {f.outcome for f in found}
    [tried] = judged(TESTED, network(), address(gaps=(gap,)))
    assert tried.outcome is Outcome.UNKNOWN


def test_a_zone_from_which_nobody_scanned_is_unknown_by_name() -> None:
    scope = SCOPE.replace("reach:", "  - {name: guests, networks: [10.3.0.0/24]}\nreach:")
    found = {f.on: f for f in judged(TESTED, network(), scan=record(scope))}
    assert found["office → servers"].outcome is Outcome.PASS
    assert found["guests → servers"].outcome is Outcome.UNKNOWN
    assert found["guests → servers"].reason == "no scan from zone guests"
    assert found["guests → servers"].needs == "a scan from guests (vantage: guests)"


def test_a_scanner_in_no_zone_knows_nothing_and_without_zones_nothing_applies() -> None:
    for check, seen in ((LEAK, address(vantage="inside")), (TESTED, network(vantage="inside"))):
        found = judged(check, seen)
        assert {f.outcome for f in found} == {Outcome.UNKNOWN}
        assert check == TESTED or "no zone of the scope" in found[0].reason
    for check, seen in ((LEAK, address()), (TESTED, network()), (BLOCKED, network())):
        [one] = judged(check, seen, scan=record(NO_ZONES))
        assert one.outcome is Outcome.NOT_APPLICABLE
        assert "declares no zones" in one.reason


def test_a_zone_reaches_itself_unless_the_scope_narrows_it() -> None:
    scope = SCOPE.replace("vantage: office", "vantage: servers")
    seen = address("10.2.0.5", "tcp/22 ssh", vantage="servers")
    [free] = judged(LEAK, seen, network(vantage="servers"), scan=record(scope))
    assert (free.outcome, "lets everything pass" in free.reason) == (Outcome.NOT_APPLICABLE, True)
    narrowed = scope + "  - {from: servers, to: servers, ports: [443]}\n"
    [leak] = judged(LEAK, seen, network(vantage="servers"), scan=record(narrowed))
    assert (leak.on, leak.outcome) == ("tcp/22", Outcome.FAIL)


def test_hosts_narrow_what_may_be_reached() -> None:
    scope = SCOPE.replace('ports: [443, "udp/53"]', "ports: [443], hosts: [10.2.0.9]")
    [leak] = judged(LEAK, address("10.2.0.5", "tcp/443 https"), network(), scan=record(scope))
    assert (leak.outcome, leak.want) == (Outcome.FAIL, "from office only: tcp/443 at 10.2.0.9")
    [held] = judged(LEAK, address("10.2.0.9", "tcp/443 https"), network(), scan=record(scope))
    assert held.outcome is Outcome.PASS


REQUIRED = SCOPE + "  - {from: office, to: servers, ports: [443], required: true}\n"


def test_a_required_way_works_where_one_address_answers_and_is_blocked_where_none_does() -> None:
    [works] = judged(BLOCKED, network(), address("10.2.0.5", "tcp/443 https"), scan=record(REQUIRED))
    assert (works.on, works.outcome, works.saw) == (
        "office → servers tcp/443",
        Outcome.PASS,
        "open at 10.2.0.5",
    )
    for others in ((), (address("10.2.0.5", "tcp/22 ssh"),)):
        [blocked] = judged(BLOCKED, network(), *others, scan=record(REQUIRED))
        assert (blocked.outcome, blocked.saw) == (Outcome.FAIL, "open at none of 254")
        filled(BLOCKED, blocked)


def test_a_required_way_that_nobody_tried_is_unknown() -> None:
    scope = SCOPE + "  - {from: outside, to: servers, ports: [443], required: true}\n"
    [one] = judged(BLOCKED, network(), scan=record(scope))
    assert (one.outcome, one.reason) == (Outcome.UNKNOWN, "no scan from zone outside")
    [cut] = judged(BLOCKED, network("10.2.0.0/24", 0, CUT), scan=record(REQUIRED))
    assert cut.outcome is Outcome.UNKNOWN


def test_a_required_way_to_named_hosts_is_judged_for_each() -> None:
    scope = SCOPE + (
        '  - {from: office, to: servers, ports: [443], hosts: ["10.2.0.5", "10.2.0.6"], required: true}\n'
    )
    found = judged(BLOCKED, network(), address("10.2.0.5", "tcp/443 https"), scan=record(scope))
    assert {f.on: f.outcome for f in found} == {
        "office → servers tcp/443 at 10.2.0.5": Outcome.PASS,
        "office → servers tcp/443 at 10.2.0.6": Outcome.FAIL,
    }


def test_an_old_scan_is_judged_by_its_own_scope() -> None:
    seen = address("10.2.0.5", "tcp/22 ssh")
    before = SCOPE.replace("443", "22, 443")
    assert [f.outcome for f in judged(LEAK, seen, network(), scan=record(before))] == [Outcome.PASS]
    assert [f.outcome for f in judged(LEAK, seen, network())] == [Outcome.FAIL]


def test_a_recorded_scope_that_cannot_be_read_any_more_is_unknown() -> None:
    for check, seen in ((LEAK, address()), (TESTED, network()), (BLOCKED, network())):
        [one] = judged(check, seen, scan=record("version: 9\n"))
        assert (one.outcome, "cannot be read" in one.reason) == (Outcome.UNKNOWN, True)


def test_the_limits_that_cut_a_sweep_short_are_those_that_the_sweep_says() -> None:
    from pathlib import Path

    import scanner.collect.network.look as look
    from scanner.derive.network_digest import CUT_SHORT

    folder = Path(look.__file__).parent
    text = "".join((folder / name).read_text(encoding="utf-8") for name in ("look.py", "collect.py"))
    assert [words for words in CUT_SHORT if words not in text] == []


def test_what_answers_in_place_of_an_address_is_no_leak() -> None:
    seen = address("10.2.0.5", "tcp/22 ssh")
    answers = seen.facts["PortAnswers"]
    between = msgspec.structs.replace(answers, in_between="a proxy answers for it")
    hidden = msgspec.structs.replace(seen, facts={**seen.facts, "PortAnswers": between})
    [one] = judged(LEAK, hidden, network())
    assert (one.outcome, one.reason) == (Outcome.UNKNOWN, "Crossing: a proxy answers for it")
    [tried] = judged(TESTED, network(), hidden)
    assert tried.outcome is Outcome.UNKNOWN
