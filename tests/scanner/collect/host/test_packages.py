"""The installed packages: what is read of dpkg, rpm and apk, and what is not believed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from checks.facts.host.packages import Package, Packages
from scanner.collect.host.packages import PROBE, parse
from scanner.collect.host.probe import ParseError
from scanner.collect.host.script import TOOLS
from tests.lab.parts import program

SPEC = """
Name: nodejs
Epoch: 1
Version: 18.20.4
Release: 1.module_el8
Summary: A package
License: MIT
BuildArch: noarch
ModularityLabel: nodejs:18:8100020240807161023:489197e6
%description
A package.
%files
%package -n gpg-pubkey
Summary: A key
%description -n gpg-pubkey
A key.
%files -n gpg-pubkey
"""
APK = """C:Q1abc=
P:busybox
V:1.36.1-r15
A:x86_64
o:busybox
F:bin
R:busybox

C:Q1def=
P:busybox-binsh
V:1.36.1-r15
A:x86_64
o:busybox

C:Q1ghi=
P:zlib
V:1.3.1-r0
A:x86_64
"""


def read(text: str) -> Packages:
    [fact] = parse(text).facts
    assert isinstance(fact, Packages)
    return fact


def test_dpkg_with_its_sources_and_without_what_is_only_configured() -> None:
    fact = read(
        "manager\tdpkg\n"
        "installed\tlibssl3\t3.0.9-1\tamd64\topenssl\t3.0.9-1\n"
        "config-files\told\t1.0\tall\told\t1.0\n"
        "half-configured\tbind9\t1:9.18-1\tamd64\tbind9\t1:9.18-1\n"
        "triggers-pending\tman-db\t2.11-2\tamd64\tman-db\t2.11-2\n"
        "half-installed\tbroken\t1\tall\tbroken\t1\n"
        "installed\tlinux-image-6.1.0-25-amd64\t6.1.106-3\tamd64\tlinux-signed-amd64\t6.1.106+3\n"
    )
    assert fact.manager == "dpkg"
    assert fact.names == {"libssl3", "bind9", "man-db", "linux-image-6.1.0-25-amd64"}
    assert fact.packages[0] == Package("libssl3", "3.0.9-1", "amd64", "openssl", "3.0.9-1")
    assert fact.packages[-1].source_version == "6.1.106+3"


def test_rpm_with_epoch_source_and_module_and_without_keys() -> None:
    fact = read(
        "manager\trpm\n"
        "openssl-libs\t1:3.0.7-27.el9\tx86_64\topenssl-3.0.7-27.el9.src.rpm\t\n"
        "gpg-pubkey\t1234-5678\t(none)\t(none)\t\n"
        "nodejs\t1:18.20.4-1.module_el8\tx86_64\tnodejs-18.20.4-1.module_el8.src.rpm\tnodejs:18:81000:4891\n"
        "own\t1-1\tnoarch\t(none)\t\n"
    )
    assert fact.packages == (
        Package("openssl-libs", "1:3.0.7-27.el9", "x86_64", "openssl", "3.0.7-27.el9"),
        Package("nodejs", "1:18.20.4-1.module_el8", "x86_64", "nodejs", "18.20.4-1.module_el8", "nodejs:18"),
        Package("own", "1-1", "noarch", "own", "1-1"),
    )


def test_rpm_of_a_time_before_modules() -> None:
    [one] = read("manager\trpm\nbash\t4.2.46-35.el7_9\tx86_64\tbash-4.2.46-35.el7_9.src.rpm\t\n").packages
    assert (one.source, one.source_version, one.module) == ("bash", "4.2.46-35.el7_9", "")


def test_apk_with_its_origins() -> None:
    fact = read("manager\tapk\nbusybox-binsh\t1.36.1-r15\tx86_64\tbusybox\nzlib\t1.3.1-r0\tx86_64\t\n")
    assert fact.packages == (
        Package("busybox-binsh", "1.36.1-r15", "x86_64", "busybox", "1.36.1-r15"),
        Package("zlib", "1.3.1-r0", "x86_64", "zlib", "1.3.1-r0"),
    )


def test_a_host_without_a_known_database_is_a_gap_and_never_an_empty_list() -> None:
    collected = parse("none\n")
    assert collected.facts == ()
    assert [gap.fact for gap in collected.gaps] == ["Packages"]
    assert "dpkg, rpm and apk" in collected.gaps[0].reason


@pytest.mark.parametrize(
    "text",
    [
        "",
        "manager\tdpkg\n",
        "manager\tdpkg\nconfig-files\told\t1.0\tall\told\t1.0\n",
        "manager\tpacman\nbash\t1\n",
        "none\nmanager\tdpkg\n",
        "installed\tbash\t5\tamd64\tbash\t5\n",
        "manager\tdpkg\ninstalled\tbash\t5\tamd64\tbash\n",
        "manager\tdpkg\ninstalled\tbash\t\tamd64\tbash\t5\n",
        "manager\tdpkg\ninstalled\t\t5\tamd64\tbash\t5\n",
        "manager\tdpkg\ninstalled\tba sh\t5\tamd64\tbash\t5\n",
        "manager\tdpkg\ninstalled\tba\x1b[31msh\t5\tamd64\tbash\t5\n",
        "manager\tdpkg\nunheard-of\tbash\t5\tamd64\tbash\t5\n",
        "manager\trpm\nbash\t5-1\n",
        "manager\trpm\nerror: rpmdb open failed\n",
        "manager\tapk\nbash\t5\n",
    ],
)
def test_what_is_cut_or_odd_is_not_read_in_part(text: str) -> None:
    with pytest.raises(ParseError):
        parse(text)


# --- for real ---


@pytest.fixture(params=("bash", "dash", "busybox"))
def shell(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    link = tmp_path / "ash"
    link.symlink_to(program(request.param))
    return str(link) if request.param == "busybox" else program(request.param)


def asked(shell: str, planting: str = ":", **environment: str) -> subprocess.CompletedProcess[str]:
    """The fragment in a mount namespace of its own, after the planting has been done there."""
    inside = f'mount --make-rprivate / && {planting} && exec "$0" -c "$1"'
    return subprocess.run(
        [program("unshare"), "--mount", "sh", "-c", inside, shell, f"{TOOLS}\n{PROBE.script}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "ROOT": "root", **environment},
    )


EMPTY = "mount -t tmpfs none /var/lib && mkdir /var/lib/dpkg /var/lib/rpm"
"""Lays an empty folder over all databases of packages."""


@pytest.mark.real
def test_this_machine_knows_its_own_packages(shell: str) -> None:
    done = asked(shell)
    assert (done.returncode, done.stderr) == (0, "")
    fact = read(done.stdout)
    [bash] = [one for one in fact.packages if one.name == "bash"]
    said = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Version} ${source:Version}", "bash"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert said == f"{bash.version} {bash.source_version}"
    assert len(done.stdout) < PROBE.limit / 4


# BusyBox has an rpm of its own that lists nothing; no system of rpm has BusyBox for its shell.
@pytest.mark.real
@pytest.mark.parametrize("shell", ["bash", "dash"])
def test_a_database_of_rpm_is_asked_with_rpm(shell: str, tmp_path: Path) -> None:
    (tmp_path / "one.spec").write_text(SPEC)
    home = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    build = ["rpmbuild", "-bb", "--define", f"_topdir {tmp_path}", str(tmp_path / "one.spec")]
    subprocess.run(build, env=home, capture_output=True, check=True, timeout=60)
    made = sorted(str(path) for path in (tmp_path / "RPMS/noarch").iterdir())
    database = tmp_path / "database"
    database.mkdir()
    install = ["rpm", "--dbpath", str(database), "-i", "--nodeps", "--justdb", "--force-debian", *made]
    subprocess.run(install, env=home, capture_output=True, check=True, timeout=60)
    # The rpm of Debian has its database in the home of whoever calls it.
    (tmp_path / "home").mkdir()
    (tmp_path / "home/.rpmdb").symlink_to("/var/lib/rpm")
    planting = f"{EMPTY} && mount --bind {database} /var/lib/rpm"
    done = asked(shell, planting, HOME=str(tmp_path / "home"))
    assert done.returncode == 0, done.stderr
    assert read(done.stdout).packages == (
        Package("nodejs", "1:18.20.4-1.module_el8", "noarch", "nodejs", "18.20.4-1.module_el8", "nodejs:18"),
    )


@pytest.mark.real
def test_a_database_of_apk_is_read(shell: str, tmp_path: Path) -> None:
    (tmp_path / "installed").write_text(APK)
    # What is made in the folder goes into a layer over it.
    layer = "mount -t tmpfs none /mnt && mkdir /mnt/up /mnt/scratch"
    over = "mount -t overlay none -o lowerdir=/usr/lib,upperdir=/mnt/up,workdir=/mnt/scratch /usr/lib"
    target = "/usr/lib/apk/db"
    copy = f"mkdir -p {target} && cp {tmp_path}/installed {target}/installed"
    done = asked(shell, f"{EMPTY} && {layer} && {over} && {copy}")
    assert (done.returncode, done.stderr) == (0, "")
    fact = read(done.stdout)
    assert [(one.name, one.source) for one in fact.packages] == [
        ("busybox", "busybox"),
        ("busybox-binsh", "busybox"),
        ("zlib", "zlib"),
    ]


@pytest.mark.real
def test_a_machine_without_any_database_says_so(shell: str) -> None:
    done = asked(shell, EMPTY)
    assert (done.returncode, done.stdout) == (0, "none\n")


@pytest.mark.real
def test_a_database_that_cannot_be_read_is_no_empty_one(shell: str) -> None:
    broken = "echo 'Package: bash' >/var/lib/dpkg/status && echo broken >>/var/lib/dpkg/status"
    done = asked(shell, f"{EMPTY} && {broken}")
    assert done.returncode != 0
