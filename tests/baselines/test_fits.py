"""A baseline that is made for another system says so, and passes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType

import msgspec
import pytest

from baselines.evaluate import evaluate
from baselines.fits import fits, misfits
from baselines.load import load
from baselines.resolve import Demand, merge, needs, resolve
from checks.catalogue import build
from checks.check import check
from checks.facts.host.system import OperatingSystem
from checks.facts.snapshot import Fact, Gap, Snapshot
from checks.fix import Effort, Fix
from checks.model import Kind, Outcome, Severity, Target
from checks.verdict import Verdicts, expect

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class Door(Fact, frozen=True, forbid_unknown_fields=True):
    """A door."""

    bolts: int = 1


@check("host.doors.bolted", title="T", severity=Severity.LOW, fix=Fix("Mend it.", "true", Effort(0, 1)))
def bolted(door: Door, *, bolts: int = 1) -> Verdicts:
    """Why."""
    yield expect(door.bolts >= bolts, on="door", saw=door.bolts, want=bolts)


CATALOGUE = build([bolted], [Door, OperatingSystem])
DEBIAN = {"debian": ("12",)}


def demand(bolts: int = 1, baseline: str = "b", **wanted: tuple[str, ...]) -> Demand:
    options = MappingProxyType({"bolts": bolts})
    return Demand(bolted, options, Severity.LOW, {}, baseline, "one", MappingProxyType(wanted))


def system(identifier: str, version: str) -> OperatingSystem:
    return OperatingSystem(identifier, version, f"{identifier} {version}", (), "6.1", "x86_64", "web-1")


def host(*facts: Fact, gaps: tuple[Gap, ...] = ()) -> Snapshot:
    return Snapshot(
        Target(Kind.HOST, "web-1", "ssh://web-1"),
        "2026-11-23T12:00:00Z",
        ("machine-id:0",),
        facts={type(fact).__name__: fact for fact in facts},
        gaps=gaps,
    )


@pytest.mark.parametrize(
    ("wanted", "identifier", "version", "answer"),
    [
        (DEBIAN, "debian", "12", True),
        (DEBIAN, "debian", "13", False),
        (DEBIAN, "debian", "120", False),
        (DEBIAN, "ubuntu", "12", False),
        ({"rhel": ("9",)}, "rhel", "9.4", True),
        ({"ubuntu": ("22.04", "24.04")}, "ubuntu", "24.04", True),
        ({"alpine": ()}, "alpine", "3.20.1", True),
        (DEBIAN, "debian", "", False),
    ],
)
def test_a_system_fits_by_its_id_and_its_release(
    wanted: Mapping[str, tuple[str, ...]], identifier: str, version: str, answer: bool
) -> None:
    assert fits(wanted, system(identifier, version)) is answer


def test_where_it_does_not_fit_all_is_unknown_and_says_what_to_take() -> None:
    snapshot = host(Door(5), system("alpine", "3.20"))
    [found] = evaluate([demand(debian=("12",))], snapshot, now=NOW)
    assert found.outcome is Outcome.UNKNOWN
    assert "b is made for Debian 12, and this is alpine 3.20" in found.reason
    assert "linux-minimal" in found.reason
    assert misfits([demand(debian=("12",))], snapshot) == (f"web-1: {found.reason}",)


def test_where_the_system_is_not_known_nothing_is_said_to_fit() -> None:
    snapshot = host(Door(5), gaps=(Gap("OperatingSystem", "no os-release"),))
    [found] = evaluate([demand(debian=("12",))], snapshot, now=NOW)
    assert found.outcome is Outcome.UNKNOWN
    assert "which system this host runs is not known" in found.reason


def test_each_host_is_judged_by_the_baseline_that_fits_it() -> None:
    demands = merge([(demand(2, "deb", debian=("12",)),), (demand(3, "ubu", ubuntu=()),), (demand(9),)])
    assert len(demands) == 3
    for fact, bolts, baseline in (
        (system("debian", "12"), "2", "deb"),
        (system("ubuntu", "24.04"), "3", "ubu"),
        (system("alpine", "3.20"), "9", "b"),
    ):
        [found] = evaluate(demands, host(Door(1), fact), now=NOW)
        assert (found.want, found.baseline, found.outcome) == (bolts, baseline, Outcome.FAIL)
        assert misfits(demands, host(Door(1), fact)) == ()


def test_the_system_is_asked_for_where_a_baseline_is_made_for_some() -> None:
    assert needs([demand()], Kind.HOST) == {Door}
    assert needs([demand(debian=())], Kind.HOST) == {Door, OperatingSystem}


def test_a_baseline_fits_what_the_one_that_it_extends_fits() -> None:
    base = load(
        b"id: deb\ntitle: D\nversion: '1'\nfits: {debian: ['12']}\nprofiles: {one: {title: O}}\n"
        b"rules:\n  - {check: host.doors.bolted, profile: one}\n",
        "deb.yaml",
    )
    own = load(b"id: own\ntitle: O\nversion: '1'\nextends: deb\n", "own.yaml")
    other = load(b"id: oth\ntitle: O\nversion: '1'\nextends: deb\nfits: {ubuntu: []}\n", "oth.yaml")
    known = {"deb": base, "own": own, "oth": other}
    wanted = [resolve(known[name], "", CATALOGUE, known)[0].fits for name in known]
    assert wanted == [DEBIAN, DEBIAN, {"ubuntu": ()}]
    assert replace(demand(debian=("12",))).fits == DEBIAN


def zoned(zone: str, *demands: Demand) -> dict[str, str]:
    """Baseline → outcome, for a host in that zone."""
    seen = host(Door(1))
    placed = replace_target(seen, zone)
    return {f.baseline: str(f.outcome) for f in evaluate(demands, placed, now=NOW)}


def replace_target(seen: Snapshot, zone: str) -> Snapshot:
    return msgspec.structs.replace(seen, target=msgspec.structs.replace(seen.target, zone=zone))


def test_a_demand_for_a_zone_wins_over_one_for_all() -> None:
    all_of_them = demand(1, "everywhere")
    office = replace(demand(2, "office"), zones=frozenset({"office"}))
    assert zoned("office", all_of_them, office) == {"office": "fail"}
    assert zoned("servers", all_of_them, office) == {"everywhere": "pass"}
    assert zoned("", all_of_them, office) == {"everywhere": "pass"}


def test_a_target_of_which_nothing_is_demanded_is_said() -> None:
    office = replace(demand(1, "office"), zones=frozenset({"office"}))
    assert zoned("servers", office) == {}
    seen = replace_target(host(Door(1)), "servers")
    [sentence] = misfits([office], seen)
    assert sentence == "web-1: in zone servers, and the baselines are for others: nothing was judged"
    assert misfits([office], replace_target(host(Door(1)), "office")) == ()


def test_demands_for_different_zones_may_differ_in_their_thresholds() -> None:
    office = replace(demand(2, "b"), zones=frozenset({"office"}))
    merged = merge([(demand(1, "a"),), (office,)])
    assert [(d.baseline, d.zones) for d in merged] == [("a", frozenset()), ("b", frozenset({"office"}))]
