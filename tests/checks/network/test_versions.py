"""Releases that have ended, as a banner tells them, and famous flaws that may be there."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from importlib.resources import files

import pytest

from checks.facts.host.packages import Package
from checks.facts.host.system import OperatingSystem
from checks.facts.network import OpenPort, OpenPorts
from checks.facts.network.databases import DatabaseServer, DatabaseServers, Encryption
from checks.facts.network.software import NOBODY_LOOKED, InstalledSoftware
from checks.facts.network.web import HttpAnswer, HttpAnswers
from checks.model import Confidence, Finding, Outcome
from checks.network import lifecycle, versions
from checks.network.versions import SUPPORT
from tests.checks.network import judging
from tests.checks.network.judging import CATALOGUE, cannot_know, filled, judge, open_ports

KNOWN = {
    "openssh": ("OpenSSH", "7.4", "9.9p2"),
    "dropbear": ("Dropbear sshd", "2017.75", "2025.88"),
    "apache-http-server": ("Apache httpd", "2.2.15", "2.4.62"),
    "nginx": ("nginx", "1.10.3", "1.30.0"),
    "iis": ("Microsoft IIS httpd", "7.5", "10.0"),
    "proftpd": ("ProFTPD", "1.3.3c", "1.3.8b"),
    "exim": ("Exim smtpd", "4.92", "4.98"),
    "mysql": ("MySQL", "5.6.51", "8.4.2"),
    "mariadb": ("MariaDB", "10.2.44", "11.4.2"),
    "postgresql": ("PostgreSQL DB", "9.5", "17.2"),
    "redis": ("Redis key-value store", "5.0.7", "7.2.4"),
    "mongodb": ("MongoDB", "4.4.1", "8.0.4"),
    "elasticsearch": ("Elasticsearch REST API", "6.8.1", "8.19.1"),
    "memcached": ("Memcached", "1.4.15", "1.6.18"),
    "bind": ("ISC BIND", "9.8.2", "9.20.4"),
}
GREETINGS = {
    "mssql": ("Microsoft SQL Server", "11.0.7001", "15.0.4173"),
    "oracle": ("Oracle Database", "11.2.0.4.0", "19.3.0.0.0"),
}
HEADERS = {"php": ("PHP/5.6.40", "PHP/8.4.1"), "openssl": ("OpenSSL/1.0.2k-fips", "OpenSSL/3.5.1")}


def seen(name: str, version: str, banner: str = "") -> OpenPorts:
    return open_ports(OpenPort(443, "tcp", "x", KNOWN[name][0], version, banner=banner))


def one(
    name: str, fact: OpenPorts | HttpAnswers | DatabaseServers, inside: InstalledSoftware = NOBODY_LOOKED
) -> Finding:
    [finding] = judge(f"network.versions.{name}", fact, inside)
    return finding


def test_every_program_is_tested() -> None:
    assert {check.id.rpartition(".")[2] for check in SUPPORT} == (set(KNOWN) | set(GREETINGS) | set(HEADERS))


@pytest.mark.parametrize("name", KNOWN)
def test_a_release_that_ended_may_be_back_ported_and_fails(name: str) -> None:
    _, old, new = KNOWN[name]
    finding = one(name, seen(name, old))
    assert (finding.outcome, finding.on, finding.confidence) == (Outcome.FAIL, "tcp/443", Confidence.POSSIBLE)
    assert "the banner alone" in finding.saw
    assert "data of 20" in finding.saw
    assert finding.cves == ()
    filled(f"network.versions.{name}", finding)
    assert one(name, seen(name, new)).outcome is Outcome.PASS
    cannot_know(f"network.versions.{name}", OpenPorts)


@pytest.mark.parametrize("version", ["", "9.6.0 or later", "2.2.X - 2.3.X", "4.x"])
@pytest.mark.parametrize("name", KNOWN)
def test_a_program_that_hides_its_version_is_unknown(name: str, version: str) -> None:
    finding = one(name, seen(name, version))
    assert (finding.outcome, finding.needs) == (Outcome.UNKNOWN, "the installed package, read on the host")
    other = open_ports(OpenPort(443, "tcp", "x", "Thing", "1.0"))
    assert one(name, other).outcome is Outcome.NOT_APPLICABLE


@pytest.mark.parametrize(("name", "told"), HEADERS.items())
def test_headers_tell_versions_too(name: str, told: tuple[str, str]) -> None:
    old, new = (HttpAnswers((HttpAnswer("tcp/80", False, 200, powered_by=value),)) for value in told)
    finding = one(name, old)
    assert (finding.outcome, finding.confidence) == (Outcome.FAIL, Confidence.POSSIBLE)
    assert one(name, new).outcome is Outcome.PASS
    server = HttpAnswers((HttpAnswer("tcp/80", False, 200, server=f"Apache/2.4.6 {told[0]} mod/1"),))
    assert one(name, server).outcome is Outcome.FAIL
    assert one(name, HttpAnswers((HttpAnswer("tcp/80", False, 200),))).outcome is Outcome.NOT_APPLICABLE
    cannot_know(f"network.versions.{name}", HttpAnswers)


@pytest.mark.parametrize(("name", "told"), GREETINGS.items())
def test_first_words_of_databases_tell_versions_too(name: str, told: tuple[str, str, str]) -> None:
    product, old, new = told

    def greeted(version: str) -> DatabaseServers:
        return DatabaseServers((DatabaseServer("tcp/1433", product, version, Encryption.UNTOLD),))

    assert one(name, greeted(old)).outcome is Outcome.FAIL
    assert one(name, greeted(new)).outcome is Outcome.PASS
    assert one(name, DatabaseServers(())).outcome is Outcome.NOT_APPLICABLE
    cannot_know(f"network.versions.{name}", DatabaseServers)


@pytest.mark.parametrize(
    ("name", "version", "banner", "words"),
    [
        ("openssh", "8.0", "SSH-2.0-OpenSSH_8.0", "RHEL 8 repairs it until 2029-05-31"),
        ("nginx", "1.22.1", "", "Debian 12 repairs it until"),
        ("openssh", "6.6.1p1", "SSH-2.0-OpenSSH_6.6.1p1 Ubuntu-2ubuntu2.13", "names a distribution"),
        ("openssh", "7.9", "SSH-2.0-OpenSSH_7.9 FreeBSD-20200214", "names a distribution"),
        ("openssh", "7.9p1", "SSH-2.0-OpenSSH_7.9p1 Debian-10+deb10u4", ""),
        ("openssh", "8.1", "SSH-2.0-OpenSSH_for_Windows_8.1", "names a distribution"),
        ("mysql", "5.7.25-TiDB-v6.5.0", "", "TiDB shows the number"),
        ("mysql", "5.5.30-proxysql", "", "proxysql shows the number"),
        ("mysql", "5.7.mysql_aurora.2.11.1", "", "aurora shows the number"),
        ("mysql", "5.6.51-0ubuntu1", "", "names a distribution"),
        ("openssh", "8.4.7.7", "", ""),
        ("exim", "4.1", "", "is not in the data"),
    ],
)
def test_who_may_repair_an_old_release_is_asked_before_it_fails(
    name: str, version: str, banner: str, words: str
) -> None:
    finding = one(name, seen(name, version, banner))
    assert finding.outcome is (Outcome.UNKNOWN if words else Outcome.FAIL)
    assert words in finding.reason


@pytest.mark.parametrize(
    ("version", "outcome", "words"),
    [
        ("5.5.5-10.11.6-MariaDB-0+deb12u1", Outcome.PASS, "MariaDB 5.5.5-10.11.6"),
        ("5.5.5-10.2.44-MariaDB-log", Outcome.FAIL, "its maker ended 10.2"),
        ("5.5.68-MariaDB", Outcome.FAIL, "its maker ended 5.5"),
    ],
)
def test_a_mariadb_that_is_taken_for_mysql_is_judged_as_what_it_is(
    version: str, outcome: Outcome, words: str
) -> None:
    found = open_ports(OpenPort(3306, "tcp", "mysql", "MySQL", version))
    assert one("mysql", found).outcome is Outcome.NOT_APPLICABLE
    finding = one("mariadb", found)
    assert finding.outcome is outcome
    assert words in finding.saw


@pytest.mark.parametrize(
    ("day", "outcome"), [(date(2022, 3, 31), Outcome.PASS), (date(2022, 4, 1), Outcome.FAIL)]
)
def test_the_last_day_of_support_is_still_supported(
    monkeypatch: pytest.MonkeyPatch, day: date, outcome: Outcome
) -> None:
    moment = datetime(day.year, day.month, day.day, 23, 59, tzinfo=UTC)
    monkeypatch.setattr(judging, "NOW", moment)
    fact = DatabaseServers((DatabaseServer("tcp/1521", "Oracle Database", "12.2.0.1.0", Encryption.UNTOLD),))
    assert one("oracle", fact).outcome is outcome


def test_every_carrier_is_a_distribution_that_banners_can_name() -> None:
    raw = json.loads((files("checks.network") / "lifecycle.json").read_text("utf-8"))
    systems = load_systems()
    for rows in raw["carried"].values():
        for _, name, until in rows:
            family, _, release = name.rpartition(" ")
            assert family.split()[0] in versions._FAMILIES
            public, extended = systems[family][release]
            # Nobody is said to repair for longer than the other table says.
            last = max(date.fromisoformat(one) for one in (public, extended) if one)
            assert date.fromisoformat(until) <= last, (name, until)


def load_systems() -> dict[str, dict[str, tuple[str, str]]]:
    """The table of systems: the last days of fixes for everybody, by the names of the other table."""
    raw = json.loads((files("checks.host") / "lifecycle.json").read_text("utf-8"))
    names = {
        "debian": "Debian",
        "ubuntu": "Ubuntu",
        "rhel": "RHEL",
        "sles": "SLES",
        "amazon-linux": "Amazon Linux",
    }
    return {
        shown: {
            release: (ended, extended if name in raw["extended_free"] else "")
            for release, ended, extended in raw["products"][name]
        }
        for name, shown in names.items()
    }


def host(release: str, name: str, version: str) -> InstalledSoftware:
    system = OperatingSystem("debian", release, f"Debian {release}", (), "6.1", "amd64", "web-1")
    return InstalledSoftware("web-1", (system,), (Package(name, version, "amd64", name, version),))


@pytest.mark.parametrize(
    ("inside", "outcome", "words"),
    [
        (host("12", "openssh-server", "1:8.0p1-2+deb12u3"), Outcome.PASS, "Debian 12, which gets fixes"),
        (host("9", "openssh-server", "1:8.0p1-2+deb9u3"), Outcome.FAIL, "which gets no fixes any more"),
        (host("12", "openssh-server", "1:8.0p1-2"), Outcome.UNKNOWN, "does not tell whose it is"),
        (host("12", "openssh-server", "1:9.2p1-2+deb12u3"), Outcome.UNKNOWN, "does not tell whose it is"),
        (host("12", "openssh-client", "1:8.0p1-2+deb12u3"), Outcome.UNKNOWN, "does not tell whose it is"),
        (host("99", "openssh-server", "1:8.0p1-2+deb99u3"), Outcome.UNKNOWN, "does not tell whose it is"),
    ],
)
def test_the_host_itself_lowers_or_confirms_what_the_banner_says(
    inside: InstalledSoftware, outcome: Outcome, words: str
) -> None:
    finding = one("openssh", seen("openssh", "8.0"), inside)
    assert finding.outcome is outcome
    assert words in finding.saw + finding.reason
    if outcome is Outcome.FAIL:
        assert finding.confidence is Confidence.CONFIRMED


def test_the_data_is_dated_sorted_and_names_its_sources() -> None:
    for name in (*KNOWN, *GREETINGS, *HEADERS):
        assert date.fromisoformat(lifecycle.table_date(name)).year >= 2025
        assert lifecycle.reference(name).startswith("http")
    assert lifecycle.number("1.3.3c") < lifecycle.number("1.3.3d") < lifecycle.number("1.3.10")
    assert lifecycle.number("9.8p1") == lifecycle.number("9.8")
    assert lifecycle.number("none") == ()
    for flaw in lifecycle.flaws():
        assert lifecycle.number(flaw.first) < lifecycle.number(flaw.fixed)
        assert flaw.has(flaw.first)
        assert not flaw.has(flaw.fixed)


@pytest.mark.parametrize(
    ("product", "version", "outcome"),
    [
        ("vsftpd", "2.3.4", Outcome.FAIL),
        ("vsftpd", "3.0.3", Outcome.PASS),
        ("ProFTPD", "1.3.3c", Outcome.FAIL),
        ("ProFTPD", "1.3.3d", Outcome.PASS),
        ("ProFTPD", "1.3.5rc3", Outcome.FAIL),
        ("ProFTPD", "1.3", Outcome.UNKNOWN),
        ("OpenSSH", "9.7p1", Outcome.FAIL),
        ("OpenSSH", "8.7", Outcome.UNKNOWN),
        ("OpenSSH for_Windows", "9.5", Outcome.UNKNOWN),
        ("Apache httpd", "2.4", Outcome.UNKNOWN),
        ("Apache httpd", "2", Outcome.UNKNOWN),
        ("Apache httpd", "2.4.6", Outcome.PASS),
        ("Elasticsearch", "1.3.9", Outcome.PASS),
        ("Elasticsearch", "1.4.2", Outcome.FAIL),
        ("MySQL", "5.5.23-log", Outcome.FAIL),
        ("MySQL", "5.5.20-proxysql", Outcome.UNKNOWN),
        ("MySQL", "5.5.5-10.11.6-MariaDB-0+deb12u1", Outcome.NOT_APPLICABLE),
        ("OpenSSH", "9.8p1", Outcome.PASS),
        ("OpenSSH", "7.4", Outcome.PASS),
        ("Apache httpd", "2.4.49", Outcome.FAIL),
        ("libssh", "0.8.1", Outcome.FAIL),
        ("Exim smtpd", "", Outcome.UNKNOWN),
        ("Thing", "1.0", Outcome.NOT_APPLICABLE),
    ],
)
def test_famous_flaws_are_possible_and_never_named_as_found(
    product: str, version: str, outcome: Outcome
) -> None:
    check = "network.versions.known-flaws"
    [finding] = judge(check, open_ports(OpenPort(21, "tcp", "x", product, version)))
    assert finding.outcome is outcome
    assert finding.cves == ()
    if outcome is Outcome.FAIL:
        assert finding.confidence is Confidence.POSSIBLE
        assert "possibly" in finding.saw
        filled(check, finding)


def test_a_flaw_that_a_distribution_may_have_repaired_is_unknown() -> None:
    banner = "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3"
    check = "network.versions.known-flaws"
    [finding] = judge(check, open_ports(OpenPort(22, "tcp", "ssh", "OpenSSH", "9.2p1", banner=banner)))
    assert finding.outcome is Outcome.UNKNOWN
    assert "CVE-2024-6387" in finding.reason
    cannot_know(check, OpenPorts)
    assert CATALOGUE.checks[check].surface
