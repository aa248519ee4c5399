"""Known flaws: what fails, what passes, and above all when nothing may pass."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from checks.check import Check
from checks.facts.host.packages import Package, Packages
from checks.facts.host.system import OperatingSystem
from checks.facts.intel import Feed, Flaw, FlawedPackage, KernelFlaws, Vulnerabilities
from checks.facts.snapshot import Absence
from checks.host import vulnerabilities
from checks.host.flaws import exposure_of, points_of, severity_of
from checks.host.lifecycle import shipped
from checks.host.vulnerabilities import (
    app_supported,
    fixed_flaws,
    known_exploited,
    running_kernel,
    unfixed_flaws,
)
from checks.model import Confidence, Exploit, Exposure, Finding, Impact, Outcome, Severity
from tests.checks.host.judging import checks_of, judged, outcomes, says_unknown

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
STATE = Feed("debian-tracker", "2026-11-20", "state")
FIXES = Feed("debian-dsa", "2026-11-20", "fixes")
SOME = Feed("changelogs", "2026-11-20", "some")
OLD = Feed("debian-dsa", "2023-04-01", "fixes")
EXPLOITED = Flaw("CVE-2021-3156", kev="2022-04-06", ransomware=True, epss=0.92, cvss=7.8, reach="local")
PROVED = Flaw(
    "CVE-2024-6387", exploitation="poc", automatable="no", impact="total", cvss=8.1, reach="network"
)
QUIET = Flaw("CVE-2024-1111", exploitation="none", automatable="no", impact="partial", cvss=5.3)
UNJUDGED = Flaw("CVE-2026-1111")
SSH = FlawedPackage(
    "openssh",
    (("openssh-client", "1:9.2p1-2"), ("openssh-server", "1:9.2p1-2")),
    "1:9.2p1-2",
    "1:9.2p1-2+deb12u3",
    (PROVED, QUIET),
    feeds=("debian-tracker",),
)
SUDO = FlawedPackage("sudo", (("sudo", "1.8.27-1"),), "1.8.27-1", "1.9.5p2-1", (EXPLOITED,))
XEN = FlawedPackage("xen", (("libxen", "4.17"),), "4.17", "", (UNJUDGED,))


def found(*feeds: Feed, kev: str = "2026-11-20", **fields: Any) -> Vulnerabilities:
    fact = Vulnerabilities(
        release="debian 12",
        manager="dpkg",
        examined=300,
        advisories=feeds,
        kev=kev,
        epss="",
        points="2026-11-01",
        fixable=(),
        unfixed=(),
        needs="bartizan feeds update --only debian-tracker",
    )
    return msgspec.structs.replace(fact, **fields)


def only(findings: tuple[Finding, ...]) -> Finding:
    [one] = findings
    return one


@pytest.mark.parametrize("check", checks_of(vulnerabilities), ids=lambda check: check.id)
def test_what_is_hidden_is_unknown(check: Check[Any]) -> None:
    says_unknown(check)


# --- packages with a published fix ---


def test_one_finding_for_a_source_package_and_one_action_for_a_release() -> None:
    one = only(judged(fixed_flaws, found(STATE, fixable=(SSH,)), now=NOW))
    assert one.outcome is Outcome.FAIL
    assert one.on == "openssh"
    assert one.saw == (
        "1:9.2p1-2: 2 known flaws fixed in 1:9.2p1-2+deb12u3, worst CVE-2024-6387 (public exploit); by "
        "debian-tracker"
    )
    assert one.want == "1:9.2p1-2+deb12u3 or newer"
    assert one.fix_key == "pkg:openssh on debian 12"
    assert one.fix.action == "Upgrade openssh on debian 12"
    assert one.cves == ("CVE-2024-6387", "CVE-2024-1111")
    assert one.feeds == ("KEV 2026-11-20", "SSVC 2026-11-01", "debian-tracker 2026-11-20")
    assert (one.exploit, one.impact) == (Exploit.POC, Impact.TOTAL)
    assert one.confidence is Confidence.CONFIRMED
    assert one.severity is Severity.HIGH


def test_the_fix_upgrades_just_these_packages_and_knows_the_way_back() -> None:
    one = only(judged(fixed_flaws, found(STATE, fixable=(SSH,)), now=NOW))
    shell = one.fix.snippets[0]
    assert (
        "echo openssh-client,openssh-server | tr , ' ' | xargs apt-get install --only-upgrade -y" in shell.do
    )
    former = "echo openssh-client=1:9.2p1-2,openssh-server=1:9.2p1-2 | tr , ' ' | xargs apt-get install"
    assert former in shell.undo
    assert 'name: "openssh-client,openssh-server"' in one.fix.snippets[1].do


def test_names_that_no_package_has_come_into_no_command() -> None:
    bad = FlawedPackage(
        "evil",
        (("$(id)", "1"), ("-oAPT::x=y", "1"), ("fine", "1;reboot"), ("good", "1.0-1")),
        "1",
        "2",
        (UNJUDGED,),
    )
    one = only(judged(fixed_flaws, found(STATE, fixable=(bad,)), now=NOW))
    script = one.fix.snippets[0].do + one.fix.snippets[0].undo
    assert "good=1.0-1" in script
    for hostile in ("$(id)", "-oAPT", "reboot", "fine"):
        assert hostile not in script


def test_complete_and_fresh_data_without_a_flaw_is_a_pass() -> None:
    for feed in (STATE, FIXES):
        one = only(judged(fixed_flaws, found(feed), now=NOW))
        assert (one.outcome, one.on) == (Outcome.PASS, "packages")
        assert one.saw == f"no known flaw with a published fix in 300 packages, by {feed.name}"


@pytest.mark.parametrize("feeds", [(), (SOME,), (OLD,), (SOME, OLD)])
def test_without_complete_and_fresh_data_nothing_found_is_unknown(feeds: tuple[Feed, ...]) -> None:
    one = only(judged(fixed_flaws, found(*feeds), now=NOW))
    assert one.outcome is Outcome.UNKNOWN
    assert one.needs == "bartizan feeds update --only debian-tracker"
    if OLD in feeds:
        assert "debian-dsa of 2023-04-01, older than 30 days" in one.reason


def test_old_data_still_proves_a_flaw_and_says_nothing_of_the_rest() -> None:
    fact = found(OLD, fixable=(SSH,))
    assert outcomes(judged(fixed_flaws, fact, now=NOW)) == {
        "openssh": Outcome.FAIL,
        "packages": Outcome.UNKNOWN,
    }
    assert outcomes(judged(fixed_flaws, fact, now=NOW, max_age_days=2_000)) == {"openssh": Outcome.FAIL}


def test_the_age_of_the_data_is_counted_in_days() -> None:
    fact = found(Feed("debian-tracker", "2026-10-24", "state"))
    assert only(judged(fixed_flaws, fact, now=NOW)).outcome is Outcome.PASS
    assert only(judged(fixed_flaws, fact, now=NOW, max_age_days=29)).outcome is Outcome.UNKNOWN


def test_what_a_choice_of_packages_tells_is_told_of_these_alone() -> None:
    fact = found(SOME, fixable=(SSH,), clean=("bash", "curl"))
    assert outcomes(judged(fixed_flaws, fact, now=NOW)) == {
        "openssh": Outcome.FAIL,
        "bash": Outcome.PASS,
        "curl": Outcome.PASS,
        "packages": Outcome.UNKNOWN,
    }
    stale = found(Feed("changelogs", "2025-11-20", "some"), clean=("bash",))
    assert outcomes(judged(fixed_flaws, stale, now=NOW)) == {"packages": Outcome.UNKNOWN}


def test_a_version_that_cannot_be_compared_passes_nothing() -> None:
    one = only(judged(fixed_flaws, found(STATE, unclear=("git",)), now=NOW))
    assert one.outcome is Outcome.UNKNOWN
    assert "git cannot be compared" in one.reason


def test_a_changelog_alone_is_likely_and_not_confirmed() -> None:
    likely = msgspec.structs.replace(SSH, certain=False)
    [one, _] = judged(fixed_flaws, found(SOME, fixable=(likely,)), now=NOW)
    assert one.confidence is Confidence.LIKELY


# --- known to be exploited ---


def test_a_flaw_of_the_catalogue_is_critical_and_shares_the_action() -> None:
    one = only(judged(known_exploited, found(STATE, fixable=(SUDO, SSH)), now=NOW))
    assert (one.on, one.outcome, one.severity) == ("sudo", Outcome.FAIL, Severity.CRITICAL)
    assert (
        "1 known exploited flaw fixed in 1.9.5p2-1, worst CVE-2021-3156 (in KEV since 2022-04-06" in one.saw
    )
    assert one.fix_key == "pkg:sudo on debian 12"
    assert one.points[0].kev == "2022-04-06"
    assert one.exposure is Exposure.LOCAL
    assert one.exploit is Exploit.ACTIVE


def test_one_without_a_fix_fails_too() -> None:
    bad = msgspec.structs.replace(SUDO, fixed="")
    one = only(judged(known_exploited, found(STATE, unfixed=(bad,)), now=NOW))
    assert one.want == "a fix, or out of use"
    assert "without a fix yet" in one.saw


def test_without_the_catalogue_nothing_is_known() -> None:
    one = only(judged(known_exploited, found(STATE, kev="", fixable=(SSH,)), now=NOW))
    assert one.outcome is Outcome.UNKNOWN
    assert one.needs == "bartizan feeds update --only kev"


def test_an_old_catalogue_passes_nothing() -> None:
    fact = found(STATE, kev="2025-08-25", clean=("bash",))
    one = only(judged(known_exploited, fact, now=NOW))
    assert one.outcome is Outcome.UNKNOWN
    assert "2025-08-25" in one.reason
    assert one.needs == "bartizan feeds update --only kev"
    one = only(judged(known_exploited, fact, now=NOW, max_age_days=500))
    assert one.outcome is Outcome.PASS
    assert "KEV 2025-08-25" in one.feeds


# --- without a fix ---


def test_flaws_without_a_fix_are_one_low_finding_and_no_command() -> None:
    one = only(judged(unfixed_flaws, found(STATE, unfixed=(XEN, SUDO)), now=NOW))
    assert (one.outcome, one.severity) == (Outcome.FAIL, Severity.LOW)
    assert one.saw == "2 known flaws in 2 packages: xen (1), sudo (1); by debian-tracker"
    assert one.fix.snippets == ()


def test_only_data_that_tells_of_open_flaws_can_say_that_there_are_none() -> None:
    assert only(judged(unfixed_flaws, found(STATE), now=NOW)).outcome is Outcome.PASS
    one = only(judged(unfixed_flaws, found(FIXES), now=NOW))
    assert one.outcome is Outcome.UNKNOWN
    assert "tells which flaws have no fix yet" in one.reason


# --- the kernel ---


def kernel(*feeds: Feed, flaws: tuple[Flaw, ...] = (), newest: str = "6.1.106-3") -> KernelFlaws:
    fixed = "6.1.128-1" if flaws else ""
    return KernelFlaws(
        release="debian 12",
        manager="dpkg",
        running="6.1.0-25-amd64",
        newest=newest,
        flawed=FlawedPackage("linux", (), "6.1.106-3", fixed, flaws),
        unfixed=3,
        advisories=feeds,
        kev="2026-11-20",
        epss="",
        points="",
    )


def test_the_kernel_in_memory_counts_whatever_is_installed() -> None:
    one = only(judged(running_kernel, kernel(STATE, flaws=(QUIET,), newest="6.1.128-1"), now=NOW))
    assert one.outcome is Outcome.FAIL
    assert one.saw == (
        "6.1.0-25-amd64 (6.1.106-3): 1 known flaw fixed up to 6.1.128-1, worst CVE-2024-1111 (CVSS 5.3); "
        "6.1.128-1 is installed; by debian-tracker"
    )
    assert one.fix_key == "pkg:linux on debian 12"
    assert one.cves == ("CVE-2024-1111",)


def test_a_kernel_without_a_known_flaw() -> None:
    assert only(judged(running_kernel, kernel(STATE), now=NOW)).outcome is Outcome.PASS
    for feeds in ((), (OLD,), (SOME,)):
        assert only(judged(running_kernel, kernel(*feeds), now=NOW)).outcome is Outcome.UNKNOWN


def test_in_a_container_the_question_makes_no_sense() -> None:
    reason = "this is a container (docker): it runs the kernel of its host"
    one = only(judged(running_kernel, absences=[Absence("KernelFlaws", reason)]))
    assert (one.outcome, one.reason) == (Outcome.NOT_APPLICABLE, reason)


# --- server programs ---


def system(identifier: str = "debian", version: str = "12") -> OperatingSystem:
    return OperatingSystem(identifier, version, f"{identifier} {version}", (), "6.1", "x86_64", "a")


def programs(
    *packages: tuple[str, str], manager: str = "dpkg", host: OperatingSystem | None = None
) -> dict[str, Finding]:
    installed = tuple(Package(name, version, "amd64", name, version) for name, version in packages)
    fact = Packages(manager, (*installed, Package("bash", "5.2-1", "amd64", "bash", "5.2-1")))
    return {one.on: one for one in judged(app_supported, host or system(), fact, shipped(), now=NOW)}


def test_a_release_that_its_maker_still_mends_passes_wherever_it_is_from() -> None:
    found = programs(("postgresql-15", "15.18-0+deb12u1"), ("postgresql-17", "17.2-1.pgdg120+1"))
    assert {one.outcome for one in found.values()} == {Outcome.PASS}
    assert found["postgresql-15"].saw == "PostgreSQL 15.18, supported until 2027-11-11"
    assert found["postgresql-15"].feeds == (f"endoflife {shipped().date}",)


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("postgresql-13", "13.16-1.pgdg120+1"),
        ("nodejs", "18.20.4-1nodesource1"),
        ("nginx", "1.24.0-1~bookworm"),
        ("mongodb-org-server", "4.4.29"),
        ("mysql-community-server", "5.7.42-1debian11"),
        ("docker-ce", "5:24.0.9-1~debian.12~bookworm"),
        ("php7.4-fpm", "1:7.4.33-15+0~20241224.94+debian12~1.gbp6faa2e"),
        ("mariadb-server", "1:10.4.34+maria~deb12"),
    ],
)
def test_what_is_of_somebody_else_ends_with_its_makers_support(name: str, version: str) -> None:
    one = programs((name, version))[name]
    assert one.outcome is Outcome.FAIL, one.saw
    assert "not the system's own" in one.saw
    assert one.fix.snippets == ()


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("redis-server", "5:7.0.15-1~deb12u1"),
        ("nodejs", "18.19.0+dfsg-6~deb12u2"),
        ("nginx", "1.22.1-9+deb12u2"),
        ("php8.1-fpm", "8.1.2-1ubuntu2.20"),
    ],
)
def test_a_distribution_mends_its_own_packages_as_long_as_it_is_supported(name: str, version: str) -> None:
    one = programs((name, version))[name]
    assert one.outcome is Outcome.PASS
    assert "mended by debian 12 until 2028-06-30" in one.saw or "supported until" in one.saw
    late = programs((name, version), host=system("debian", "10"))[name]
    assert late.outcome is Outcome.FAIL or "supported until" in late.saw


def test_what_no_data_knows_is_unknown() -> None:
    found = programs(
        ("nodejs", "99.0.1-1nodesource1"), ("redis-server", "1.2.3-1"), host=system("mint", "21")
    )
    assert {one.outcome for one in found.values()} == {Outcome.UNKNOWN}


def test_a_host_without_a_server_program_has_nothing_to_judge() -> None:
    fact = Packages("dpkg", (Package("bash", "5.2-1", "amd64", "bash", "5.2-1"),))
    assert only(judged(app_supported, system(), fact, shipped(), now=NOW)).outcome is Outcome.NOT_APPLICABLE


def test_packages_of_the_red_hat_family_and_of_alpine() -> None:
    found = programs(
        ("postgresql13-server", "13.9-1PGDG.rhel9"),
        ("nodejs", "1:16.20.2-8.el9_4"),
        manager="rpm",
        host=system("rhel", "9.4"),
    )
    assert found["postgresql13-server"].outcome is Outcome.FAIL
    assert found["nodejs"].outcome is Outcome.PASS
    found = programs(("postgresql13", "13.9-r0"), manager="apk", host=system("alpine", "3.24"))
    assert found["postgresql13"].outcome is Outcome.PASS


# --- the numbers of flaws ---


def test_only_flaws_that_no_other_exceeds_decide() -> None:
    worse = Flaw("CVE-2024-2222", exploitation="poc", automatable="yes", impact="total")
    assert [one.cve for one in points_of((QUIET, PROVED, worse))] == ["CVE-2024-2222"]
    mild_but_used = Flaw("CVE-2024-3333", kev="2024-01-01", automatable="no", impact="partial")
    assert [one.cve for one in points_of((worse, mild_but_used, QUIET))] == ["CVE-2024-3333", "CVE-2024-2222"]
    assert [one.cve for one in points_of((UNJUDGED,) * 3)] == ["CVE-2026-1111"]


@pytest.mark.parametrize(
    ("flaw", "exploit", "impact", "automatable"),
    [
        (EXPLOITED, Exploit.ACTIVE, Impact.SERIOUS, True),
        (
            Flaw("CVE-1-1", exploitation="active", automatable="no", impact="partial"),
            Exploit.ACTIVE,
            Impact.PARTIAL,
            False,
        ),
        (PROVED, Exploit.POC, Impact.TOTAL, False),
        (
            Flaw("CVE-1-1", exploitation="poc", automatable="yes"),
            Exploit.POC_AUTOMATABLE,
            Impact.SERIOUS,
            True,
        ),
        (Flaw("CVE-1-1", exploitation="none", automatable="yes"), Exploit.AUTOMATABLE, Impact.SERIOUS, True),
        (QUIET, Exploit.HARDENING, Impact.PARTIAL, False),
        (UNJUDGED, Exploit.AUTOMATABLE, Impact.SERIOUS, True),
        (Flaw("CVE-1-1", effect="minor", cvss=9.9), Exploit.AUTOMATABLE, Impact.MINOR, True),
        (Flaw("CVE-1-1", cvss=9.8), Exploit.AUTOMATABLE, Impact.TOTAL, True),
        (Flaw("CVE-1-1", cvss=4.0), Exploit.AUTOMATABLE, Impact.PARTIAL, True),
        (Flaw("CVE-1-1", severity="Important"), Exploit.AUTOMATABLE, Impact.SERIOUS, True),
        (Flaw("CVE-1-1", severity="Low"), Exploit.AUTOMATABLE, Impact.MINOR, True),
    ],
)
def test_what_the_feeds_say_becomes_the_inputs_of_the_score(
    flaw: Flaw, exploit: Exploit, impact: Impact, automatable: bool
) -> None:
    [one] = points_of((flaw,))
    assert (one.exploit, one.impact, one.automatable) == (exploit, impact, automatable)


def test_severity_and_reach_of_many_flaws() -> None:
    assert severity_of((QUIET, EXPLOITED)) is Severity.CRITICAL
    assert severity_of((QUIET,)) is Severity.MEDIUM
    assert severity_of((QUIET, UNJUDGED)) is Severity.HIGH
    assert severity_of((Flaw("CVE-1-1", severity="low"),)) is Severity.LOW
    assert exposure_of((EXPLOITED,))[0] is Exposure.LOCAL
    assert exposure_of((EXPLOITED, PROVED)) == (None, "")
    assert exposure_of((EXPLOITED, QUIET)) == (None, "")
