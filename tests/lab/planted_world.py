"""A planted account behind an endpoint that can fail: scanned and judged once, and again as a test wants.

`world` is a fixture over the module's own `whole`, a `World`; import it where it is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

import pytest

from baselines.evaluate import evaluate
from baselines.resolve import Demand
from checks.catalogue import load
from checks.facts.snapshot import Fact, Snapshot
from checks.model import Finding, Kind, Outcome, Target
from scanner.collect.cloud.collect import collect
from scanner.collect.collector import Context
from scanner.transport.aws import AwsAccess
from tests.lab.aws import REGIONS
from tests.lab.aws_faults import Faulty, faulty
from tests.lab.planted_account import Lab, plant_account

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TARGET = Target(Kind.AWS, "lab", "aws")


@dataclass(frozen=True)
class World:
    """The account behind an endpoint that can fail, and what it shows when nothing fails."""

    endpoint: Faulty
    lab: Lab
    demands: tuple[Demand, ...]
    snapshot: Snapshot
    findings: tuple[Finding, ...]
    now: datetime = NOW

    def collect(self, *wanted: type[Fact], regions: tuple[str, ...] = REGIONS) -> Snapshot:
        """A new scan, of the facts that the demands need where none are named."""
        facts = frozenset(wanted) or frozenset(n for d in self.demands for n in d.check.needs)
        access = AwsAccess(endpoint=self.endpoint.url, regions=regions, attempts=1, read_seconds=20.0)
        return collect(TARGET, facts, access, Context(clock=lambda: self.now))

    def judge(self, snapshot: Snapshot, *checks: str) -> tuple[Finding, ...]:
        """What the demands, or those of these checks, say of a scan."""
        some = [one for one in self.demands if not checks or one.check.id in checks]
        return evaluate(some, snapshot, now=self.now)

    def outcomes(self, check: str, findings: tuple[Finding, ...] | None = None) -> dict[str, Outcome]:
        """What one check says of each thing, in these findings or those of when nothing fails."""
        found = self.findings if findings is None else findings
        return {f.on: f.outcome for f in found if f.check == check}

    def misjudged(self) -> list[str]:
        """A line for each planted problem that is not found, and each clean thing that does not pass."""
        wrong = []
        for one in self.lab.planted:
            found = [f for f in self.findings if (f.check, f.on, f.region) == (one.check, one.on, one.region)]
            if {f.outcome for f in found} != {Outcome.FAIL if one.bad else Outcome.PASS}:
                told = [(str(f.outcome), f.saw, f.reason) for f in found]
                wrong.append(f"{one.check} {one.on} ({one.note}): {told}")
        return wrong


def usual_demands(names: Iterable[str]) -> tuple[Demand, ...]:
    """A demand for each of these checks, with the thresholds that they have by themselves."""
    checks = load().checks
    return tuple(
        Demand(
            checks[name],
            MappingProxyType({key: option.default for key, option in checks[name].options.items()}),
            checks[name].severity,
            MappingProxyType({}),
            "b",
            "p",
        )
        for name in sorted(names)
    )


@contextmanager
def planted_world(
    url: str,
    topics: Iterable[str] = (),
    checks: Iterable[str] = (),
    *,
    demands: tuple[Demand, ...] = (),
    now: datetime = NOW,
) -> Iterator[World]:
    """Plants these topics (none: all) into the emulator there, and scans them.

    It is judged by these demands, or by these checks as they are by themselves (none: the planted).
    """
    lab = plant_account(url, *topics)
    demands = demands or usual_demands(tuple(checks) or {one.check for one in lab.planted})
    with faulty(url) as endpoint:
        bare = World(endpoint, lab, demands, Snapshot(TARGET, "", ()), (), now)
        snapshot = bare.collect()
        yield World(endpoint, lab, demands, snapshot, bare.judge(snapshot), now)


@pytest.fixture
def world(whole: World) -> World:
    """The world of the module, with no faults and nothing asked so far."""
    whole.endpoint.clear()
    return whole
