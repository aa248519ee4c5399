"""The baselines of distributions, and the small one for any Linux."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from baselines.evaluate import evaluate
from baselines.fits import misfits
from baselines.load import library
from baselines.load import load as read
from baselines.resolve import Demand, merge, needs, resolve
from checks.catalogue import load
from checks.facts.snapshot import Snapshot
from checks.model import Finding, Kind, Outcome, Target
from scanner.collect.host.collect import parse_output
from tests.checks.host.judging import NOW

ROOT = Path(__file__).parents[2]
RECORDINGS = ROOT / "tests" / "recordings" / "host"
CATALOGUE = load()
LIBRARY = library()
DISTRIBUTIONS = ("debian-12", "ubuntu-22-04", "ubuntu-24-04", "rhel-9")
GENERAL = {"cis-controls-8.1", "iso-27001", "nist-csf-2.0"}
_NUMBERS = r"\| (\d+) \| (\d+) \| (\d+) of (\d+) \| (\d+) of (\d+) \|"
SECTION = re.compile(r"[1-7](\.[1-9][0-9]?){2,5}")


def demands(name: str, profile: str = "level-2") -> tuple[Demand, ...]:
    return resolve(LIBRARY[name], profile, CATALOGUE, LIBRARY)


def recorded(name: str, wanted: tuple[Demand, ...]) -> Snapshot:
    return parse_output(
        Target(Kind.HOST, name, f"ssh://{name}"),
        needs(wanted, Kind.HOST),
        (RECORDINGS / f"{name}.txt").read_bytes(),
        "2026-11-23T11:00:00Z",
    )


def judged(host: str, wanted: tuple[Demand, ...]) -> tuple[Finding, ...]:
    return evaluate(wanted, recorded(host, wanted), now=NOW)


def covered(name: str) -> list[str]:
    """The sections of its own benchmark that the checks of a distribution's baseline are about."""
    found = {number for demand in demands(name) for number in demand.controls.get(f"cis-{name}", ())}
    return sorted(found, key=_order)


def _order(number: str) -> tuple[int, ...]:
    return tuple(int(part) for part in number.split("."))


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_each_is_a_whole_audit_at_both_levels(name: str) -> None:
    first, second = demands(name, "level-1"), demands(name, "level-2")
    assert len(first) >= 150
    assert len(second) >= len(first) + 40
    assert {d.check.id for d in first} < {d.check.id for d in second}
    assert all(d.check.id.startswith("host.") and d.baseline == name and d.fits for d in second)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_each_shows_the_sections_of_its_own_benchmark_only(name: str) -> None:
    shown = {framework for demand in demands(name) for framework in demand.controls}
    assert shown == {f"cis-{name}", *GENERAL}
    assert len(covered(name)) >= 200


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_what_points_at_a_section_is_its_number_and_nothing_else(name: str) -> None:
    for rule in LIBRARY["linux-server"].baseline.rules:
        numbers = rule.controls.get(f"cis-{name}", [])
        assert all(SECTION.fullmatch(number) for number in numbers), rule.check
        assert numbers == sorted(set(numbers), key=_order), rule.check


def test_the_numbers_are_those_of_the_edition() -> None:
    # The same demand stands in another place of another benchmark.
    for check, wanted in {
        "host.ssh.root-login": ("5.1.20", "5.1.20", "5.1.20", "5.1.20"),
        "host.ssh.host-based": ("5.1.10", "5.1.10", "5.1.10", "5.1.12"),
        "host.ssh-crypto.macs": ("5.1.15", "5.1.15", "5.1.15", "5.1.6"),
        "host.audit.immutable": ("6.2.3.20", "6.3.3.20", "6.2.3.20", "6.3.3.20"),
        "host.logging.persistent": ("6.1.2.4", "6.2.1.1.5", "6.1.2.4", "6.2.2.4"),
        "host.kernel-modules.usb-storage": ("1.1.1.9", "1.1.1.8", "1.1.1.9", "1.1.1.8"),
    }.items():
        [rule] = [one for one in LIBRARY["linux-server"].baseline.rules if one.check == check]
        found = tuple(rule.controls.get(f"cis-{name}", []) for name in DISTRIBUTIONS)
        assert found == tuple([number] for number in wanted), check


def test_what_belongs_to_another_family_is_left_out() -> None:
    asked = {name: {d.check.id for d in demands(name)} for name in DISTRIBUTIONS}
    assert "host.software.selinux-tools" in asked["rhel-9"]
    assert not any("host.software.selinux-tools" in asked[name] for name in DISTRIBUTIONS[:3])


def test_thresholds_are_those_of_the_family() -> None:
    groups = {
        name: {d.check.id: d for d in demands(name)}["host.files.password-hashes"].options["groups"]
        for name in ("debian-12", "rhel-9")
    }
    assert groups == {"debian-12": {"root", "shadow"}, "rhel-9": {"root"}}


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("debian-12", "rhel-9"),
        ("debian-12", "ubuntu-22-04"),
        ("ubuntu-24.04", "ubuntu-22-04"),
        ("rhel-9", "debian-12"),
        ("alpine-3.20", "ubuntu-24-04"),
    ],
)
def test_a_host_of_another_system_passes_nothing_and_is_told_why(host: str, name: str) -> None:
    wanted = demands(name)
    found = judged(host, wanted)
    assert {finding.check for finding in found} == {demand.check.id for demand in wanted}
    assert {finding.outcome for finding in found} == {Outcome.UNKNOWN}
    assert all("linux-server" in finding.reason for finding in found)
    [said] = misfits(wanted, recorded(host, wanted))
    assert f"{name} is made for" in said


@pytest.mark.parametrize(
    ("host", "name"), [("debian-12", "debian-12"), ("ubuntu-24.04", "ubuntu-24-04"), ("rhel-9", "rhel-9")]
)
def test_a_host_of_its_own_system_is_judged(host: str, name: str) -> None:
    wanted = demands(name)
    outcomes = Counter(finding.outcome for finding in judged(host, wanted))
    assert outcomes[Outcome.PASS] >= 20
    assert outcomes[Outcome.FAIL] >= 5
    assert not outcomes[Outcome.ERROR]
    assert misfits(wanted, recorded(host, wanted)) == ()


def test_named_together_each_host_is_judged_by_its_own_and_the_rest_by_the_small_one() -> None:
    wanted = merge(demands(name) for name in (*DISTRIBUTIONS, "linux-minimal"))
    for host, name in (("debian-12", "debian-12"), ("rhel-9", "rhel-9"), ("alpine-3.20", "linux-minimal")):
        judged_by = {finding.baseline for finding in judged(host, wanted) if not finding.reason}
        assert judged_by == {name}


def test_the_small_one_fits_any_linux_and_is_short() -> None:
    first, second = demands("linux-minimal", "level-1"), demands("linux-minimal", "level-2")
    assert 20 <= len(first) < len(second) <= 40
    assert not any(demand.fits for demand in second)
    assert all(set(demand.controls) == GENERAL for demand in second)
    whole = {d.check.id: d for d in demands("linux-server")}
    for demand in second:
        assert dict(demand.options) == dict(whole[demand.check.id].options)
        assert demand.controls.items() <= whole[demand.check.id].controls.items()


def test_the_page_tells_the_numbers_of_sections_that_there_are() -> None:
    text = (ROOT / "docs" / "baselines.md").read_text("utf-8")
    rows = re.findall(rf"^\| `([a-z0-9-]+)` \|[^|]+{_NUMBERS}$", text, re.MULTILINE)
    assert [row[0] for row in rows] == list(DISTRIBUTIONS)
    for name, *numbers in rows:
        whole, ours, first, all_first, second, all_second = map(int, numbers)
        assert ours == len(covered(name)), f"{name}: {len(covered(name))} sections are covered"
        assert (first + second, all_first + all_second) == (ours, whole)
    assert {name for name in LIBRARY if f"`{name}`" in text} == set(LIBRARY)


def test_the_tailoring_on_the_page_is_one() -> None:
    text = (ROOT / "docs" / "baselines.md").read_text("utf-8")
    loaded = read(text.partition("```yaml\n")[2].partition("```")[0].encode(), "acme.yaml")
    found = {d.check.id: d for d in resolve(loaded, "", CATALOGUE, {**LIBRARY, loaded.baseline.id: loaded})}
    below = {d.check.id for d in demands("debian-12", "level-1")}
    assert found.keys() == below - {"host.unwanted-services.rpcbind"}
    assert found["host.unwanted-services.web"].options["allowed"] == {"nginx"}
    assert found["host.ssh.root-login"].fits == {"debian": ("12",)}
