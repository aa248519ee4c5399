"""Packages against claims: which version has which flaw, whose word counts, and what cannot be told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from checks.facts.host.packages import Package, Packages
from checks.facts.intel import Feed, FlawedPackage
from scanner.intel.knowledge import Knowledge
from scanner.intel.match import Match
from scanner.intel.store import Feeds
from tests.scanner.intel.feed_files import bring, bring_file, tracker


@pytest.fixture
def feeds(tmp_path: Path) -> Iterator[Feeds]:
    opened = Feeds.open(tmp_path / "feeds.db")
    yield opened
    opened.close()


def deb(name: str, version: str, source: str = "", source_version: str = "") -> Package:
    return Package(name, version, "amd64", source or name, source_version or version)


def rpm(name: str, version: str, source: str = "", module: str = "") -> Package:
    return Package(name, version, "x86_64", source or name, version, module)


def matched(feeds: Feeds, ecosystem: str, release: str, *packages: Package) -> Match:
    manager = {"debian": "dpkg", "ubuntu": "dpkg", "alpine": "apk"}.get(ecosystem, "rpm")
    knowledge = Knowledge(feeds)
    coverage = knowledge.coverage(ecosystem, release, manager)
    assert coverage is not None
    match = Match(knowledge, coverage)
    match.examine(Packages(manager, packages))
    return match


def cves(found: tuple[FlawedPackage, ...]) -> dict[str, list[str]]:
    return {one.source: sorted(flaw.cve for flaw in one.flaws) for one in found}


def test_a_real_flaw_of_a_real_package_with_all_that_is_known_of_it(feeds: Feeds) -> None:
    bring(feeds, "debian-dsa.jsonl", "kev.json", "epss.csv")
    bring(feeds, "points.jsonl", date="2024-10-24")
    match = matched(
        feeds,
        "debian",
        "buster",
        deb("sudo", "1.8.27-1+deb10u2"),
        deb("libssl1.1", "1.1.1n-0+deb10u3", "openssl"),
    )
    [first, *_] = match.fixable()
    assert first.source == "sudo"
    assert first.packages == (("sudo", "1.8.27-1+deb10u2"),)
    [flaw] = [flaw for flaw in first.flaws if flaw.cve == "CVE-2021-3156"]
    assert first.flaws[0] is flaw
    assert (flaw.kev, flaw.ransomware, flaw.epss) == ("2022-04-06", False, 0.92391)
    assert first.certain
    assert first.feeds == ("debian-dsa",)


def test_the_fixed_version_and_all_newer_ones_are_clean(feeds: Feeds, tmp_path: Path) -> None:
    bring_file(feeds, tracker(tmp_path / "t", [("bash", "CVE-2024-1111", "5.2.15-2+b7")]), "2026-11-20")
    for version, flawed in (
        ("5.2.15-2+b6", True),
        ("5.2.15-2", True),
        ("5.2.15-2+b7", False),
        ("5.2.15-3", False),
        ("1:1", False),
    ):
        assert bool(matched(feeds, "debian", "bookworm", deb("bash", version)).fixable()) is flawed, version


def test_the_source_counts_and_not_the_name_of_the_binary_package(feeds: Feeds, tmp_path: Path) -> None:
    bring_file(feeds, tracker(tmp_path / "t", [("openssl", "CVE-2024-1111", "3.0.15-1")]), "2026-11-20")
    match = matched(
        feeds,
        "debian",
        "bookworm",
        deb("libssl3", "3.0.14-1", "openssl"),
        deb("openssl-doc", "9.9-1", "openssl", "3.0.14-1"),
        deb("openssl", "0.1", "something-else", "9"),
    )
    [one] = match.fixable()
    assert one.packages == (("libssl3", "3.0.14-1"), ("openssl-doc", "9.9-1"))
    assert (one.installed, one.fixed) == ("3.0.14-1", "3.0.15-1")


def test_one_entry_for_a_source_with_the_version_that_closes_all(feeds: Feeds, tmp_path: Path) -> None:
    claims = [
        ("curl", "CVE-2024-1111", "7.88.1-10+deb12u5"),
        ("curl", "CVE-2024-2222", "7.88.1-10+deb12u8"),
        ("curl", "CVE-2024-3333", "7.88.1-10+deb12u1"),
        ("curl", "CVE-2024-4444", ""),
        ("curl", "CVE-2024-5555", "0"),
    ]
    bring_file(feeds, tracker(tmp_path / "t", claims), "2026-11-20")
    match = matched(feeds, "debian", "bookworm", deb("curl", "7.88.1-10+deb12u4"))
    [one] = match.fixable()
    assert one.fixed == "7.88.1-10+deb12u8"
    assert cves((one,)) == {"curl": ["CVE-2024-1111", "CVE-2024-2222"]}
    assert cves(match.unfixed()) == {"curl": ["CVE-2024-4444"]}


def test_the_kernel_is_left_to_another_question(feeds: Feeds, tmp_path: Path) -> None:
    bring_file(feeds, tracker(tmp_path / "t", [("linux", "CVE-2024-1111", "6.1.112-1")]), "2026-11-20")
    match = matched(
        feeds,
        "debian",
        "bookworm",
        deb("linux-image-6.1.0-25-amd64", "6.1.106-3", "linux-signed-amd64", "6.1.106+3"),
        deb("linux-libc-dev", "6.1.106-3", "linux"),
        deb("linux-base", "4.9", "linux-base"),
    )
    assert match.fixable() == ()
    assert match.examined == 1


# --- whose word counts ---


def test_a_changelog_alone_makes_a_likely_finding(feeds: Feeds) -> None:
    bring(feeds, "changelogs.jsonl")
    [one] = matched(feeds, "debian", "bookworm", deb("openssl", "3.0.19-1~deb12u2")).fixable()
    assert not one.certain
    assert one.fixed == "3.0.22-1~deb12u2"


def test_a_rebuild_for_an_older_release_has_the_changes_of_what_it_was_built_from(feeds: Feeds) -> None:
    bring(feeds, "changelogs.jsonl")
    entries = {
        (package, fixed)
        for package, fixed in feeds.connection.execute("SELECT package, fixed FROM advice")
        if package in ("less", "redis")
    }
    assert {("less", "590-2.1"), ("redis", "5:7.0.15-1")} <= entries
    match = matched(
        feeds, "debian", "bookworm", deb("less", "590-2.1~deb12u2"), deb("redis", "5:7.0.15-1~deb12u10")
    )
    assert match.fixable() == ()
    assert match.clean() == ("less", "redis")


def test_the_distribution_is_heard_before_a_changelog(feeds: Feeds, tmp_path: Path) -> None:
    bring(feeds, "changelogs.jsonl")
    old = deb("openssl", "3.0.19-1~deb12u2")
    [(named,)] = feeds.connection.execute(
        "SELECT cves FROM advice WHERE package = 'openssl' AND fixed = '3.0.22-1~deb12u2'"
    ).fetchmany(1)
    first = named.split()[0]
    before = cves(matched(feeds, "debian", "bookworm", old).fixable())["openssl"]
    assert first in before
    bring_file(feeds, tracker(tmp_path / "t", [("openssl", first, "0")]), "2026-11-20")
    after = cves(matched(feeds, "debian", "bookworm", old).fixable())["openssl"]
    assert set(before) - set(after) == {first}


def test_a_changelog_knows_a_fix_that_older_data_does_not(feeds: Feeds, tmp_path: Path) -> None:
    bring(feeds, "changelogs.jsonl")
    [(named,)] = feeds.connection.execute(
        "SELECT cves FROM advice WHERE package = 'openssl' AND fixed = '3.0.22-1~deb12u2'"
    ).fetchmany(1)
    first = named.split()[0]
    bring_file(feeds, tracker(tmp_path / "t", [("openssl", first, "")]), "2026-01-20")
    match = matched(feeds, "debian", "bookworm", deb("openssl", "3.0.19-1~deb12u2"))
    assert first in cves(match.fixable())["openssl"]
    assert match.unfixed() == ()


def test_of_two_words_of_the_distribution_the_newer_one_counts(feeds: Feeds, tmp_path: Path) -> None:
    bring(feeds, "debian-dsa.jsonl", date="2023-04-02")
    [row] = feeds.connection.execute(
        "SELECT fixed, cves FROM advice JOIN places ON places.id = place "
        "WHERE package = 'openssl' AND release = 'bullseye' ORDER BY fixed DESC LIMIT 1"
    )
    fixed, flaw = row[0], row[1].split()[0]
    path = tracker(tmp_path / "t", [("openssl", flaw, "1.0-1")], "bullseye")
    old = deb("openssl", "1.1.1k-1")
    assert flaw in cves(matched(feeds, "debian", "bullseye", old).fixable())["openssl"]
    bring_file(feeds, path, "2026-11-20")
    assert flaw not in cves(matched(feeds, "debian", "bullseye", old).fixable()).get("openssl", [])
    assert fixed


# --- rpm ---


def test_epochs_modules_and_streams(feeds: Feeds) -> None:
    bring(feeds, "almalinux.jsonl")
    rows = feeds.connection.execute(
        "SELECT fixed, module FROM advice JOIN places ON places.id = place "
        "WHERE package = 'nodejs' AND release = '8'"
    )
    streams = {module.partition(":")[2].partition(".")[0]: fixed for fixed, module in rows if module}
    stream, fixed = sorted(streams.items())[-1]
    assert fixed.startswith(f"1:{stream}.")

    def flawed(version: str, module: str = "") -> bool:
        return bool(matched(feeds, "almalinux", "8", rpm("nodejs", version, module=module)).fixable())

    old = f"1:{stream}.0.0-1.module_el8.4.0+1+1"
    assert flawed(old, f"nodejs:{stream}")
    assert flawed(old)
    assert not flawed(fixed, f"nodejs:{stream}")
    # What is fixed in one stream says nothing about another, nor about a package that is of no module.
    assert not flawed("1:4.0.0-1.module_el8.4.0+1+1", "nodejs:4")
    assert not flawed(f"1:{stream}.0.0-1.el8")


def test_binary_packages_of_one_source_are_one_entry(feeds: Feeds) -> None:
    bring(feeds, "almalinux.jsonl")
    match = matched(
        feeds,
        "almalinux",
        "9",
        rpm("openssl", "1:3.0.1-1.el9", "openssl"),
        rpm("openssl-libs", "1:3.0.1-1.el9", "openssl"),
        rpm("bash", "9-1.el9"),
    )
    [one] = match.fixable()
    assert (one.source, len(one.packages)) == ("openssl", 2)
    assert one.flaws[0].severity
    assert one.fixed.startswith("1:3.")


# --- what covers what ---


def test_a_repository_alone_does_not_tell_of_all_packages(feeds: Feeds, tmp_path: Path) -> None:
    def branch(repository: str) -> Path:
        entries = ", ".join(
            f'{{"pkg": {{"name": "p{number}", "secfixes": {{"1-r1": ["CVE-2024-1111"]}}}}}}'
            for number in range(60)
        )
        path = tmp_path / f"{repository}.json"
        path.write_text(f'{{"distroversion": "v3.20", "reponame": "{repository}", "packages": [{entries}]}}')
        return path

    bring_file(feeds, branch("main"), "2026-11-20")
    assert _covers(feeds, "alpine", "v3.20") == (Feed("alpine-secdb-v3.20", "2026-11-20", "some"),)
    bring_file(feeds, branch("community"), "2026-10-01")
    assert _covers(feeds, "alpine", "v3.20") == (Feed("alpine-secdb-v3.20", "2026-10-01", "fixes"),)


def test_what_covers_a_release_and_what_does_not(feeds: Feeds, tmp_path: Path) -> None:
    bring_file(feeds, tracker(tmp_path / "t", []), "2026-11-20")
    bring(feeds, "changelogs.jsonl")
    assert _covers(feeds, "debian", "bookworm") == (
        Feed("changelogs", "2026-11-14", "some"),
        Feed("debian-tracker", "2026-11-20", "state"),
    )
    assert Knowledge(feeds).coverage("debian", "sarge", "dpkg") is None
    assert Knowledge(feeds).coverage("arch", "", "rpm") is None


def _covers(feeds: Feeds, ecosystem: str, release: str) -> tuple[Feed, ...]:
    coverage = Knowledge(feeds).coverage(ecosystem, release, "dpkg")
    assert coverage is not None
    return coverage.feeds


def test_a_version_that_cannot_be_compared_is_named(feeds: Feeds, tmp_path: Path) -> None:
    bring_file(feeds, tracker(tmp_path / "t", [("bash", "CVE-2024-1111", "5.2-2")]), "2026-11-20")
    match = matched(feeds, "debian", "bookworm", deb("bash", "x:1"))
    assert match.unclear == {"bash"}
    assert match.clean() == ()


def test_looking_up_again_gives_the_same_without_asking_again(feeds: Feeds) -> None:
    bring(feeds, "debian-dsa.jsonl", "kev.json")
    knowledge = Knowledge(feeds)
    coverage = knowledge.coverage("debian", "buster", "dpkg")
    assert coverage is not None
    packages = Packages("dpkg", (deb("sudo", "1.8.27-1+deb10u2"), deb("curl", "7.64.0-4+deb10u1")))
    results = []
    for _ in range(2):
        match = Match(knowledge, coverage)
        match.examine(packages)
        results.append(match.fixable())
        feeds.connection.set_trace_callback(lambda statement: pytest.fail(f"asked again: {statement}"))
    assert results[0] == results[1]
    # One flaw is one object, however many hosts have it.
    assert results[0][0].flaws[0] is results[1][0].flaws[0]
