"""Judges facts of one address by one check, the way a scan does."""

from __future__ import annotations

from datetime import UTC, datetime

from baselines.evaluate import evaluate
from baselines.resolve import Demand
from checks.catalogue import load
from checks.facts.network import OpenPort, OpenPorts, PortAnswers, PortRange
from checks.facts.network.datagrams import UdpAnswers, UdpSize
from checks.facts.snapshot import Fact, Gap, Snapshot
from checks.fix import places
from checks.model import Finding, Kind, Outcome, Target

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
CATALOGUE = load()


def judge(check: str, *facts: Fact, gaps: tuple[Gap, ...] = (), **options: object) -> tuple[Finding, ...]:
    """The findings of one check about these facts."""
    one = CATALOGUE.checks[check]
    chosen = {name: option.default for name, option in one.options.items()} | options
    demand = Demand(one, chosen, one.severity, {}, "test", "test")
    target = Target(Kind.NETWORK, "10.0.0.5", "net:10.0.0.5")
    snapshot = Snapshot(
        target,
        "2026-11-23T12:00:00Z",
        ("address:inside/10.0.0.5",),
        facts={type(fact).__name__: fact for fact in facts},
        gaps=gaps,
    )
    return evaluate([demand], snapshot, now=NOW)


def outcomes(findings: tuple[Finding, ...]) -> dict[str, Outcome]:
    """Object → outcome."""
    return {finding.on: finding.outcome for finding in findings}


def hold_by(check: str, failing: Fact, passing: Fact, on: str, *more: Fact) -> None:
    """The three answers that every check must give: failing, passing, and cannot-know.

    Also holds that the failure fills every place of its fix. `more` are the other facts that it needs.
    """
    [finding] = [f for f in judge(check, failing, *more) if f.outcome is Outcome.FAIL]
    assert finding.on == on
    assert finding.saw
    assert finding.want
    filled(check, finding)
    found = outcomes(judge(check, passing, *more))
    assert found.get(on) is Outcome.PASS
    assert Outcome.FAIL not in found.values()
    cannot_know(check, type(failing))


def cannot_know(check: str, fact: type[Fact]) -> None:
    """Without the fact the answer is unknown; with it and a gap at one port, unknown there, not a pass."""
    gap = Gap(fact.__name__, "the connection was reset", "tcp/9", "an answer from tcp/9")
    needs = CATALOGUE.checks[check].needs
    others = [empty(kind) for kind in needs if kind is not fact]
    [finding] = judge(check, *others, gaps=(gap,))
    assert (finding.outcome, finding.on) == (Outcome.UNKNOWN, "tcp/9")
    assert "reset" in finding.reason
    assert finding.needs == "an answer from tcp/9"


def empty(kind: type[Fact]) -> Fact:
    """A fact of that kind in which nothing was found."""
    if kind is OpenPorts:
        return open_ports()
    if kind is UdpAnswers:
        return udp_answers()
    if kind is PortAnswers:
        return answers()
    return kind(**{name: "10.0.0.5" if name == "address" else () for name in kind.__struct_fields__})


def filled(check: str, finding: Finding) -> None:
    """No place of the fix is left open, and the key that closes it is complete."""
    fix = CATALOGUE.checks[check].fix
    texts = (finding.fix.action, finding.fix.do, finding.fix.verify, finding.fix.undo)
    snippets = tuple(text for s in finding.fix.snippets for text in (s.do, s.undo))
    wanted = [
        fix.action,
        fix.do,
        fix.verify,
        fix.undo,
        fix.key,
        *(t for s in fix.snippets for t in (s.do, s.undo)),
    ]
    for name in frozenset().union(*map(places, wanted)):
        for text in (*texts, *snippets, finding.fix_key):
            assert f"<{name}>" not in text, f"{check}: nothing fills @{{{name}}}"


def open_ports(*ports: OpenPort) -> OpenPorts:
    """An address with these open ports, seen from inside."""
    return OpenPorts("10.0.0.5", "inside", "syn", 100, 0, ports)


def answers(*, closed: tuple[int, ...] = (), silent: tuple[int, ...] = (), opened: int = 0) -> PortAnswers:
    """How the ports answered: these closed, these silent, and so many open."""
    return PortAnswers(
        "inside",
        len(closed) + len(silent) + opened,
        opened,
        tuple(PortRange(n, n) for n in closed),
        tuple(PortRange(n, n) for n in silent),
    )


def udp_answers(
    *,
    opened: tuple[int, ...] = (),
    closed: tuple[int, ...] = (),
    silent: tuple[int, ...] = (),
    vantage: str = "inside",
    sizes: tuple[UdpSize, ...] = (),
) -> UdpAnswers:
    """How the UDP ports answered: these with a datagram, these with an error, these not at all."""
    return UdpAnswers(vantage, tuple(sorted(opened + closed + silent)), opened, closed, silent, sizes)
