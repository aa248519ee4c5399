"""A small account behind an endpoint that can fail: scanned and judged once for the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from baselines.evaluate import evaluate
from baselines.load import library
from baselines.resolve import Demand, resolve
from checks.catalogue import load
from checks.facts.cloud.ec2 import NetworkInterfaces, PrefixLists, SecurityGroups
from checks.facts.snapshot import Fact, Snapshot
from checks.model import Finding, Kind, Target
from scanner.collect.cloud import registry
from scanner.collect.cloud.collect import collect
from scanner.collect.collector import Context
from scanner.transport.aws import AwsAccess
from tests.lab.aws import REGIONS, Moto, Planted, moto, plant
from tests.lab.aws_faults import Faulty, faulty

__all__ = ["EVERY", "GROUPS", "NOW", "TARGET", "World", "gaps", "moto", "whole", "world"]

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TARGET = Target(Kind.AWS, "lab", "aws")
EVERY = registry.facts()
GROUPS: frozenset[type[Fact]] = frozenset({SecurityGroups, PrefixLists, NetworkInterfaces})


@dataclass(frozen=True)
class World:
    """The planted account behind an endpoint that can fail, and what it shows when nothing fails."""

    endpoint: Faulty
    planted: Planted
    demands: tuple[Demand, ...]
    snapshot: Snapshot
    findings: tuple[Finding, ...]

    def collect(self, wanted: frozenset[type[Fact]], **access: Any) -> Snapshot:
        given = {
            "endpoint": self.endpoint.url,
            "regions": REGIONS,
            "attempts": 1,
            "read_seconds": 20.0,
            **access,
        }
        return collect(TARGET, wanted, AwsAccess(**given), Context(clock=lambda: NOW))

    def of(self, check: str, on: str) -> Finding:
        found = [f for f in self.findings if f.check == check and f.on == on]
        assert len(found) == 1, (check, on, [f.on for f in self.findings if f.check == check])
        return found[0]


@pytest.fixture(scope="module")
def whole(moto: Moto) -> Iterator[World]:
    planted = plant(moto.url)
    known = library()
    demands = resolve(known["aws-foundations"], "level-2", load(), known)
    with faulty(moto.url) as endpoint:
        bare = World(endpoint, planted, demands, Snapshot(TARGET, "", ()), ())
        snapshot = bare.collect(EVERY)
        yield World(endpoint, planted, demands, snapshot, evaluate(demands, snapshot, now=NOW))


@pytest.fixture
def world(whole: World) -> World:
    whole.endpoint.clear()
    return whole


def gaps(snapshot: Snapshot, fact: type[Fact]) -> list[tuple[str, str]]:
    return [(gap.where, gap.needs) for gap in snapshot.gaps if gap.fact == fact.__name__]
