"""Every form of feed, read from a true example: what becomes of it, and which form it is taken for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scanner.intel.formats.alpine import _mended
from scanner.intel.formats.modules import module_of, same_stream
from scanner.intel.formats.points import of_vector
from scanner.intel.importing import FORMS, form_of
from scanner.intel.releases import dist_of, release_of_osv
from scanner.intel.store import Feeds
from scanner.intel.unpack import Source
from tests.scanner.intel.feed_files import FOLDER, bring


@pytest.fixture
def feeds(tmp_path: Path) -> Iterator[Feeds]:
    opened = Feeds.open(tmp_path / "feeds.db")
    yield opened
    opened.close()


def advice(feeds: Feeds, columns: str) -> list[tuple[Any, ...]]:
    query = f"SELECT {columns} FROM advice JOIN places ON places.id = place ORDER BY advice.rowid"
    return list(feeds.connection.execute(query))


@pytest.mark.parametrize(
    ("file", "name", "form", "date"),
    [
        ("kev.json", "kev", "catalogue of known exploited flaws (JSON)", "2025-08-25"),
        ("kev.csv", "kev", "catalogue of known exploited flaws (CSV)", "2022-04-06"),
        ("epss.csv", "epss", "EPSS (CSV)", "2026-11-20"),
        ("CVE-2024-6387.json", "ssvc", "CVE records (JSON 5)", "2026-10-05"),
        ("points.jsonl", "ssvc", "decision points (JSON lines)", "2024-10-24"),
        ("endoflife.json", "endoflife", "life cycles (JSON)", "2026-08-11"),
        ("endoflife-v1.json", "endoflife", "life cycles (endoflife.date, version 1)", "2026-11-18"),
        ("debian-tracker.json", "debian-tracker", "Debian security tracker (JSON)", "2024-10-24"),
        ("debian-dsa.jsonl", "debian-dsa", "Debian advisories (JSON lines)", "2023-03-13"),
        ("debian-dla.list", "debian-dla", "list of Debian advisories", "2026-09-30"),
        ("changelogs.jsonl", "changelogs", "flaws named in changelogs (JSON lines)", "2026-11-14"),
        ("secdb-main.json", "alpine-secdb-v3.20-main", "Alpine security database (JSON)", "2024-10-24"),
        ("alpine-secdb.jsonl", "alpine-secdb", "Alpine security database (JSON lines)", "2024-10-24"),
        ("almalinux.jsonl", "osv-almalinux", "AlmaLinux advisories (JSON lines)", "2026-08-17"),
        ("osv-debian.json", "osv-debian", "OSV records", "2026-09-18"),
        ("osv-ubuntu.json", "osv-ubuntu", "OSV records", "2026-10-01"),
        ("ubuntu-usn.oval.xml", "oval-ubuntu-jammy", "OVAL definitions (XML)", "2026-11-20"),
        ("rhel-8.oval.xml", "oval-rhel-8", "OVAL definitions (XML)", "2026-11-19"),
        ("updateinfo.xml", "updateinfo-amzn-2023", "updateinfo (XML)", "2024-02-01"),
        ("csaf.json", "csaf-redhat", "CSAF or VEX (JSON)", "2026-11-01"),
    ],
)
def test_each_form_is_told_by_what_is_in_it(feeds: Feeds, file: str, name: str, form: str, date: str) -> None:
    dateless = file in ("points.jsonl", "debian-tracker.json", "secdb-main.json", "alpine-secdb.jsonl")
    [part] = bring(feeds, file, date="2024-10-24" if dateless else "")
    assert (part.name, part.form, part.date) == (name, form, date)
    assert part.count > 0
    head = (FOLDER / file).read_bytes()[:16_384]
    assert next(one.title for one in FORMS if one.looks(head)) == form
    assert form_of(Source(FOLDER / file)).title == form


def test_the_tracker_tells_fixed_open_and_not_affected_and_leaves_out_what_is_none(feeds: Feeds) -> None:
    bring(feeds, "debian-tracker.json", date="2026-11-20")
    assert set(advice(feeds, "release, package, fixed, cves")) == {
        ("bookworm", "openssl", "3.0.13-1~deb12u1", "CVE-2023-5678"),
        ("bullseye", "openssl", "", "CVE-2023-5678"),
        ("sid", "openssl", "3.0.12-2", "CVE-2023-5678"),
        ("bookworm", "openssl", "0", "CVE-2023-9999"),
        ("bookworm", "sudo", "1.9.5p2-1", "CVE-2021-3156"),
        ("bookworm", "sudo", "", "CVE-2005-1119"),
    }


def test_the_list_of_advisories(feeds: Feeds) -> None:
    bring(feeds, "debian-dla.list")
    assert advice(feeds, "release, package, fixed, cves, advisory, date") == [
        (
            "bookworm",
            "openssl",
            "3.0.22-1~deb12u2",
            "CVE-2026-1111 CVE-2026-2222",
            "DLA-4300-1",
            "2026-09-30",
        ),
        ("bookworm", "curl", "7.88.1-10+deb12u15", "DLA-4299-2", "DLA-4299-2", "2026-09-29"),
        ("bullseye", "xen", "0", "CVE-2026-3333", "DLA-4298-1", "2026-09-28"),
    ]


def test_the_database_of_alpine_with_its_slips_of_the_pen(feeds: Feeds) -> None:
    [part] = bring(feeds, "secdb-main.json", date="2026-11-20")
    assert advice(feeds, "release, package, fixed, cves") == [
        ("v3.20", "busybox", "1.36.1-r29", "CVE-2023-42364 CVE-2023-42365"),
        ("v3.20", "busybox", "1.36.1-r27", "CVE-2023-42363"),
        ("v3.20", "busybox", "0", "CVE-2020-0001"),
        ("v3.20", "xen", "4.18.2-r0", "CVE-2024-2193"),
    ]
    assert part.skipped == 1
    assert _mended("10.2.26.r0") == "10.2.26-r0"
    assert _mended("2.7.16-33") == "2.7.16-r33"
    assert _mended("1.2.3-r4") == "1.2.3-r4"


def test_osv_with_ranges_and_without_what_is_paid_for(feeds: Feeds) -> None:
    bring(feeds, "osv-debian.json", "osv-ubuntu.json")
    assert advice(feeds, "ecosystem, release, package, since, fixed, cves, advisory") == [
        ("debian", "bookworm", "php8.2", "", "8.2.24-1~deb12u1", "CVE-2024-8925 CVE-2024-8927", "DSA-5780-1"),
        ("ubuntu", "jammy", "gnutls28", "", "3.7.3-4ubuntu1.4", "CVE-2024-0553", "UBUNTU-CVE-2024-0553"),
        ("ubuntu", "noble", "gnutls28", "3.8.0-1", "", "CVE-2024-0553", "UBUNTU-CVE-2024-0553"),
    ]


def test_oval_of_ubuntu_names_binary_packages(feeds: Feeds) -> None:
    bring(feeds, "ubuntu-usn.oval.xml")
    assert advice(feeds, "ecosystem, release, named_by, package, fixed, cves, advisory, severity, date") == [
        (
            "ubuntu",
            "jammy",
            "binary",
            name,
            "3.0.2-0ubuntu1.18",
            "CVE-2024-6119",
            "USN-7018-1",
            "Medium",
            "2024-09-18",
        )
        for name in ("libssl3", "openssl")
    ]


def test_oval_of_red_hat_keeps_the_module_of_a_branch(feeds: Feeds) -> None:
    bring(feeds, "rhel-8.oval.xml")
    assert advice(feeds, "release, package, fixed, module, advisory") == [
        ("8", "nodejs", "1:20.16.0-1.module+el8.10.0+22202+761b9a65", "nodejs:20", "RHSA-2024:5814"),
        ("8", "openssl", "1:1.1.1k-12.el8_9", "", "RHSA-2023:7877"),
    ]


def test_updateinfo_without_sources_and_without_what_is_not_for_security(feeds: Feeds) -> None:
    bring(feeds, "updateinfo.xml")
    assert advice(feeds, "ecosystem, release, package, fixed, cves, severity") == [
        ("amzn", "2023", "curl", "8.5.0-1.amzn2023.0.1", "CVE-2023-38545", "important"),
        ("amzn", "2023", "libcurl", "1:8.5.0-1.amzn2023.0.1", "CVE-2023-38545", "important"),
    ]


def test_vex_without_extended_support_and_with_flaws_that_have_no_fix(feeds: Feeds) -> None:
    bring(feeds, "csaf.json")
    assert set(advice(feeds, "release, named_by, package, fixed, module")) == {
        ("8", "binary", "openssl-libs", "1:1.1.1k-12.el8_9", ""),
        ("8", "binary", "nodejs", "1:20.16.0-1.module+el8.10.0+22202+761b9a65", "nodejs:20"),
        ("9", "source", "openssl", "", ""),
    }


def test_an_advisory_of_almalinux_for_two_releases_counts_for_that_of_its_version(feeds: Feeds) -> None:
    bring(feeds, "almalinux.jsonl")
    rows = advice(feeds, "release, fixed")
    assert {dist_of(fixed)[1] for _, fixed in rows} <= {"8", "9", "10"}
    assert all(dist_of(fixed)[1] == release for release, fixed in rows)
    modules = {module for (module,) in advice(feeds, "module")}
    assert any(module.startswith("nodejs:") for module in modules)


def test_points_and_scores(feeds: Feeds) -> None:
    bring(feeds, "CVE-2024-6387.json", "epss.csv", "kev.csv")
    [row] = feeds.connection.execute("SELECT * FROM points")
    assert row[0] == "CVE-2024-6387"
    assert row[2:] == ("poc", "no", "total", 8.1, "total", "network")
    assert list(feeds.connection.execute("SELECT cve, score FROM epss ORDER BY score DESC LIMIT 1")) == [
        ("CVE-2021-3156", 0.92391)
    ]
    assert list(feeds.connection.execute("SELECT cve, added, ransomware FROM kev ORDER BY cve")) == [
        ("CVE-2017-0144", "2022-02-10", 1),
        ("CVE-2021-3156", "2022-04-06", 0),
    ]


def test_life_cycles_of_both_forms(feeds: Feeds) -> None:
    bring(feeds, "endoflife-v1.json")
    [(product, releases)] = feeds.connection.execute("SELECT product, releases FROM cycles")
    assert product == "postgresql"
    assert releases == '[["19","2031-11-13",""],["13","2025-11-13",""],["6","past",""]]'
    bring(feeds, "endoflife.json")
    found = dict(feeds.connection.execute("SELECT product, releases FROM cycles"))
    assert '["12","2026-07-11","2028-06-30"]' in found["debian"]
    assert '["3","past",""]' in found["nodejs"]


@pytest.mark.parametrize(
    ("vector", "effect", "reach"),
    [
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "total", "network"),
        ("CVSS:3.0/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:N", "serious", "local"),
        ("CVSS:3.1/AV:A/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", "partial", "adjacent"),
        ("CVSS:4.0/AV:P/AC:L/AT:N/PR:N/UI:N/VC:L/VI:N/VA:L/SC:N/SI:N/SA:N", "minor", "physical"),
        ("AV:N/AC:L/Au:N/C:C/I:C/A:C", "", ""),
        ("CVSS:3.1/nonsense", "", ""),
        ("", "", ""),
    ],
)
def test_what_a_vector_says(vector: str, effect: str, reach: str) -> None:
    assert of_vector(vector) == (effect, reach)


def test_a_stream_of_a_module() -> None:
    fixed = {"npm": "1:10.1-1.module_el8.9.0", "nodejs": "1:18.20.4-1.module_el8.10.0+3735"}
    assert module_of(fixed) == "nodejs:18.20.4"
    assert module_of({"nodejs": "1:16.20.2-8.el9_4"}) == ""
    assert same_stream("nodejs:18", "nodejs:18.20.4")
    assert same_stream("php:7.4", "php:7.4.33")
    assert same_stream("nodejs:20", "nodejs:20")
    assert not same_stream("nodejs:18", "nodejs:20.1")
    assert not same_stream("nodejs:1", "nodejs:18.20.4")
    assert not same_stream("php:8.2", "nodejs:8.2.1")
    assert same_stream("container-tools:rhel8", "container-tools:4.9.4")


@pytest.mark.parametrize(
    ("name", "release"),
    [
        ("Debian:12", ("debian", "bookworm")),
        ("Ubuntu:22.04:LTS", ("ubuntu", "jammy")),
        ("Ubuntu:25.10", ("ubuntu", "questing")),
        ("Alpine:v3.20", ("alpine", "v3.20")),
        ("Rocky Linux:9", ("rocky", "9")),
        ("Red Hat:enterprise_linux:8::baseos", ("rhel", "8")),
        ("Ubuntu:Pro:18.04:LTS", None),
        ("Red Hat:rhel_eus:8.6::baseos", None),
        ("Debian", None),
        ("PyPI", None),
    ],
)
def test_the_names_of_releases_in_osv(name: str, release: tuple[str, str] | None) -> None:
    assert release_of_osv(name) == release
