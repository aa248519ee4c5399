"""The derived facts: what they say of a host by the feeds of the day, and why they say nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from checks.facts.host.packages import Package, Packages
from checks.facts.host.system import OperatingSystem
from checks.facts.host.updates import RebootState
from checks.facts.intel import Feed, KernelFlaws, LifeCycles, Vulnerabilities
from checks.facts.snapshot import Fact, Snapshot, encode
from checks.host.lifecycle import shipped
from checks.model import Kind, Target
from scanner.derive.derivation import derive
from scanner.derive.vulnerabilities import derivations
from scanner.intel.store import Feeds
from tests.scanner.intel.feed_files import bring, bring_file, tracker

DEBIAN = OperatingSystem(
    "debian", "12", "Debian GNU/Linux 12 (bookworm)", (), "6.1.0-25-amd64", "x86_64", "a"
)
ALPINE = OperatingSystem("alpine", "3.20.1", "Alpine Linux v3.20", (), "6.6.49-0-lts", "x86_64", "b")
ARCH = OperatingSystem("arch", "", "Arch Linux", (), "6.9", "x86_64", "c")
PACKAGES = Packages(
    "dpkg",
    (
        Package("libssl3", "3.0.13-1~deb12u1", "amd64", "openssl", "3.0.13-1~deb12u1"),
        Package("bash", "5.2.15-2+b7", "amd64", "bash", "5.2.15-2"),
        Package("linux-image-6.1.0-25-amd64", "6.1.106-3", "amd64", "linux-signed-amd64", "6.1.106+3"),
    ),
)
RUNNING = RebootState("6.1.0-25-amd64", ("6.1.0-25-amd64",), "6.1.106-3", "6.1.106-3", False, (), "")


@pytest.fixture
def feeds(tmp_path: Path) -> Iterator[Feeds]:
    opened = Feeds.open(tmp_path / "feeds.db")
    claims = [
        ("openssl", "CVE-2024-1111", "3.0.15-1~deb12u1"),
        ("openssl", "CVE-2021-3156", "3.0.14-1~deb12u2"),
        ("linux", "CVE-2024-3333", "6.1.112-1"),
        ("linux", "CVE-2024-4444", ""),
    ]
    bring_file(opened, tracker(tmp_path / "tracker.json", claims), "2026-11-20")
    yield opened
    opened.close()


def snapshot(*facts: Fact) -> Snapshot:
    return Snapshot(
        Target(Kind.HOST, "web-1", "ssh://web-1"),
        "2026-11-24T10:00:00Z",
        ("machine-id:0",),
        facts={type(fact).__name__: fact for fact in facts},
    )


def derived(feeds: Feeds | None, *facts: Fact) -> Snapshot:
    return derive(snapshot(*facts), derivations(feeds))


def test_the_flaws_of_a_host_with_the_feeds_that_say_so(feeds: Feeds) -> None:
    bring(feeds, "kev.json", "epss.csv")
    seen = derived(feeds, DEBIAN, PACKAGES, RUNNING)
    fact = seen.get(Vulnerabilities)
    assert isinstance(fact, Vulnerabilities)
    assert (fact.release, fact.manager, fact.examined) == ("debian 12", "dpkg", 2)
    assert fact.advisories == (Feed("debian-tracker", "2026-11-20", "state"),)
    assert (fact.kev, fact.epss, fact.points) == ("2025-08-25", "2026-11-20", "")
    [one] = fact.fixable
    assert [(flaw.cve, flaw.kev) for flaw in one.flaws] == [
        ("CVE-2021-3156", "2022-04-06"),
        ("CVE-2024-1111", ""),
    ]
    assert one.fixed == "3.0.15-1~deb12u1"
    [source] = [one for one in seen.sources if one.fact == "Vulnerabilities"]
    assert source.how == "the feeds debian-tracker 2026-11-20, KEV 2025-08-25, EPSS 2026-11-20, SSVC none"
    assert source.excerpt.startswith("openssl 3.0.13-1~deb12u1, before 3.0.15-1~deb12u1")
    assert "CVE-2021-3156 (KEV 2022-04-06) CVE-2024-1111" in source.excerpt
    assert seen.gaps == ()


def test_the_kernel_that_runs(feeds: Feeds) -> None:
    fact = derived(feeds, DEBIAN, PACKAGES, RUNNING).get(KernelFlaws)
    assert isinstance(fact, KernelFlaws)
    assert (fact.running, fact.newest, fact.unfixed) == ("6.1.0-25-amd64", "6.1.106-3", 1)
    assert (fact.flawed.source, fact.flawed.installed, fact.flawed.fixed) == (
        "linux",
        "6.1.106-3",
        "6.1.112-1",
    )
    assert [flaw.cve for flaw in fact.flawed.flaws] == ["CVE-2024-3333"]


def test_a_container_runs_no_kernel_of_its_own(feeds: Feeds) -> None:
    inside = RebootState("6.1.0-25-amd64", (), "", "", False, (), "docker")
    seen = derived(feeds, DEBIAN, PACKAGES, inside)
    assert seen.get(KernelFlaws) is None
    assert [(one.fact, "docker" in one.reason) for one in seen.absences] == [("KernelFlaws", True)]


def test_a_kernel_of_no_package_is_a_gap(feeds: Feeds) -> None:
    seen = derived(feeds, DEBIAN, PACKAGES, RebootState("6.9.1-own", (), "", "", False, (), ""))
    assert [gap.fact for gap in seen.gaps] == ["KernelFlaws"]
    assert "6.9.1-own is of no package" in seen.gaps[0].reason


def test_a_kernel_that_no_feed_names_is_not_called_clean(feeds: Feeds, tmp_path: Path) -> None:
    other = Feeds.open(tmp_path / "other.db")
    bring_file(other, tracker(tmp_path / "t", []), "2026-11-20")
    fact = derived(other, DEBIAN, PACKAGES, RUNNING).get(KernelFlaws)
    assert isinstance(fact, KernelFlaws)
    assert (fact.flawed.flaws, fact.advisories) == ((), ())


def test_without_any_feed_each_fact_is_a_gap_that_says_what_to_do() -> None:
    seen = derived(None, DEBIAN, PACKAGES, RUNNING)
    assert {gap.fact: (gap.reason, gap.needs) for gap in seen.gaps} == dict.fromkeys(
        ("Vulnerabilities", "KernelFlaws"),
        ("no feed of advisories is imported", "bartizan feeds update --only debian-tracker"),
    )
    assert seen.get(LifeCycles) == shipped()


def test_a_release_that_no_feed_covers_is_said_with_what_there_is(feeds: Feeds) -> None:
    bring(feeds, "alpine-secdb.jsonl", date="2020-06-08")
    apk = Packages("apk", (Package("busybox", "1.36.1-r15", "x86_64", "busybox", "1.36.1-r15"),))
    seen = derived(feeds, ALPINE, apk, RUNNING)
    [gap] = [one for one in seen.gaps if one.fact == "Vulnerabilities"]
    assert gap.reason == (
        "no feed covers Alpine Linux v3.20; the newest release in the data is v3.11, of 2020-06-08"
    )
    assert gap.needs == (
        "bartizan feeds update --only alpine-secdb-v3.20-main --only alpine-secdb-v3.20-community"
    )
    [gap] = [one for one in derived(feeds, ARCH, apk, RUNNING).gaps if one.fact == "Vulnerabilities"]
    assert (gap.reason, gap.needs) == ("no feed covers Arch Linux", "bartizan feeds import FILE")


def test_what_could_not_be_collected_hides_what_is_made_of_it(feeds: Feeds) -> None:
    seen = derived(feeds, DEBIAN)
    assert {gap.fact for gap in seen.gaps} == {"Vulnerabilities", "KernelFlaws", "LifeCycles"}
    assert all("Packages" in gap.reason for gap in seen.gaps if gap.fact == "Vulnerabilities")


def test_newer_life_cycles_take_the_place_of_those_that_come_along(feeds: Feeds) -> None:
    bring(feeds, "endoflife.json")
    assert derived(feeds, DEBIAN, PACKAGES, RUNNING).get(LifeCycles) == shipped()
    bring(feeds, "endoflife-v1.json")
    fact = derived(feeds, DEBIAN, PACKAGES, RUNNING).get(LifeCycles)
    assert isinstance(fact, LifeCycles)
    assert fact.date == "2026-11-18"
    assert fact.products["postgresql"][0] == ("19", "2031-11-13", "")
    # A feed with one product does not make the others unknown.
    assert fact.products["nodejs"] == shipped().products["nodejs"]
    assert fact.products.keys() == shipped().products.keys()


def test_judging_the_same_snapshot_by_the_same_feeds_gives_the_same_bytes(feeds: Feeds) -> None:
    bring(feeds, "kev.json", "epss.csv")
    first, second = (derived(feeds, DEBIAN, PACKAGES, RUNNING) for _ in range(2))
    assert encode(first) == encode(second)
