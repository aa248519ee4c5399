"""Sources, upkeep and software: the fragments on real shells, and the readers of their answers."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import pytest

from checks.facts.host.sources import PackageSource, PackageSources
from checks.facts.host.units import Processes, Unit, Units
from checks.facts.host.upkeep import (
    AutomaticUpdates,
    Backups,
    BackupTrace,
    LivePatching,
    PaidSupport,
    StaleProgram,
    StalePrograms,
    Unpackaged,
    Uptime,
)
from checks.facts.snapshot import Fact
from scanner.collect.collector import Collected
from scanner.collect.host import software, sources, units, upkeep
from scanner.collect.host.probe import ParseError, Probe
from tests.lab.fragment import answer

SHELLS = ("bash", "dash", "busybox")
every_shell = pytest.mark.parametrize("shell", SHELLS)


def fact(seen: Collected) -> Fact:
    [one] = seen.facts
    return one


def read(probe: Probe, plant: str, folder: Path, shell: str = "dash") -> Collected:
    section = answer(probe, plant, folder, shell)
    assert section.status == 0
    return probe.parse(section.text)


# --- package sources ---

APT = """
mount -t tmpfs none /etc/apt && mkdir /etc/apt/sources.list.d /etc/apt/apt.conf.d
cat >/etc/apt/sources.list <<'END'
# deb http://commented.example/debian x main
deb [arch=amd64 signed-by=/k.gpg] https://user:secret@deb.example.org/debian stable main
deb [ trusted=yes ] http://bad.example.org/apt ./
deb-src http://deb.debian.org/debian bookworm main
END
cat >/etc/apt/sources.list.d/two.sources <<'END'
Types: deb
URIs: http://deb.debian.org/debian
Suites: bookworm bookworm-updates
Components: main

Types: deb
URIs: http://off.example.org/x
Suites: y
Enabled: no

Types: deb
URIs: http://loose.example.org/x
Suites: z
Trusted: yes
END
echo 'APT::Get::AllowUnauthenticated "true";' >/etc/apt/apt.conf.d/99x
"""


@pytest.mark.real
@every_shell
def test_the_sources_of_apt_are_read_in_both_forms(shell: str, tmp_path: Path) -> None:
    found = fact(read(sources.PROBE, APT, tmp_path, shell))
    assert isinstance(found, PackageSources)
    assert [(one.uri, one.suite, one.verified) for one in found.sources] == [
        ("https://***@deb.example.org/debian", "stable", True),
        ("http://bad.example.org/apt", "./", False),
        ("http://deb.debian.org/debian", "bookworm", True),
        ("http://deb.debian.org/debian", "bookworm-updates", True),
        ("http://loose.example.org/x", "z", False),
    ]
    assert found.unverified == ("apt configuration: APT::Get::AllowUnauthenticated true",)


def test_a_repository_of_dnf_without_a_check_is_seen() -> None:
    seen = sources.parse(
        "manager\tdnf\nunverified\t/etc/dnf/dnf.conf: gpgcheck is off\n"
        "source\t/etc/yum.repos.d/a.repo\tbaseos\thttps://m.example/list\t\tno\n"
        "source\t/etc/yum.repos.d/a.repo\tloose\thttp://repo.example/x/\t\tyes\n"
    )
    assert fact(seen) == PackageSources(
        "dnf",
        (
            PackageSource("/etc/yum.repos.d/a.repo", "baseos", "https://m.example/list", "", True),
            PackageSource("/etc/yum.repos.d/a.repo", "loose", "http://repo.example/x/", "", False),
        ),
        ("/etc/dnf/dnf.conf: gpgcheck is off",),
    )


def test_a_file_of_sources_that_may_not_be_read_is_a_gap() -> None:
    seen = sources.parse("manager\tapt\nunread\t/etc/apt/sources.list.d/x.list\n")
    assert [gap.where for gap in seen.gaps] == ["/etc/apt/sources.list.d/x.list"]
    assert seen.gaps[0].needs == "sudo: cat /etc/apt/sources.list.d/x.list"


# --- automatic updates ---

UNATTENDED = """
mount -t tmpfs none /etc/apt && mkdir /etc/apt/apt.conf.d
mount -t tmpfs none /var/lib; mkdir -p /var/lib/apt/periodic
echo 'APT::Periodic::Unattended-Upgrade "{days}";' >/etc/apt/apt.conf.d/20x
touch -d '2026-11-20T10:00:00Z' /var/lib/apt/periodic/unattended-upgrades-stamp
mount -t tmpfs none /var/log
mount -t tmpfs none /mnt && mkdir /mnt/u /mnt/w /mnt/m
mount -t overlay -o lowerdir=/usr/bin,upperdir=/mnt/u,workdir=/mnt/w none /mnt/m
touch /mnt/m/unattended-upgrade && mount --bind /mnt/m /usr/bin
"""


@pytest.mark.real
@pytest.mark.parametrize(("days", "installs"), [("1", True), ("0", False)])
def test_unattended_upgrades_is_read_with_its_setting_and_its_last_run(
    days: str, installs: bool, tmp_path: Path
) -> None:
    found = fact(read(upkeep.AUTOMATIC, UNATTENDED.replace("{days}", days), tmp_path))
    assert found == AutomaticUpdates(
        "unattended-upgrades",
        installs,
        f"APT::Periodic::Unattended-Upgrade {days}",
        "2026-11-20T10:00:00Z",
    )


@pytest.mark.real
@pytest.mark.parametrize("shell", ["dash", "bash", "busybox"])
def test_what_stops_all_periodic_work_of_apt_stops_the_updates(shell: str, tmp_path: Path) -> None:
    off = UNATTENDED.replace("{days}", "1") + "echo 'apt::periodic::enable \"0\";' >/etc/apt/apt.conf.d/99x"
    found = fact(read(upkeep.AUTOMATIC, off, tmp_path, shell))
    assert isinstance(found, AutomaticUpdates)
    assert not found.installs
    assert found.setting.lower() == "apt::periodic::enable 0"


def test_a_number_that_is_none_is_no_crash() -> None:
    found = fact(upkeep.parse_automatic("tool\tx\nsetting\ty\t\u00b2\n"))
    assert found == AutomaticUpdates("x", False, "y \u00b2", "")


def test_a_host_on_which_nothing_updates_by_itself_says_so() -> None:
    assert fact(upkeep.parse_automatic("tool\t\n")) == AutomaticUpdates("", False, "", "")


# --- programs with replaced files ---


@pytest.mark.real
@every_shell
def test_a_program_whose_file_was_replaced_is_found(shell: str, tmp_path: Path) -> None:
    library = Path(f"/opt/bartizan-test-{shell}")
    shutil.copy(shutil.which("sleep") or "/bin/sleep", library)
    process = subprocess.Popen([str(library), "30"])
    try:
        time.sleep(0.2)
        library.unlink()
        found = fact(read(upkeep.STALE, "true", tmp_path, shell))
    finally:
        process.kill()
        process.wait(5)
    assert isinstance(found, StalePrograms)
    assert StaleProgram(library.name[:15], str(library)) in found.programs


def test_hidden_processes_are_a_gap() -> None:
    assert upkeep.parse_stale("hidden\n").gaps
    assert units.parse_processes("hidden\n").gaps


# --- uptime and support ---


@pytest.mark.real
@every_shell
def test_the_contract_of_ubuntu_is_read_from_its_state_file(shell: str, tmp_path: Path) -> None:
    plant = """mount -t tmpfs none /var/lib; mkdir /var/lib/ubuntu-advantage
    cat >/var/lib/ubuntu-advantage/status.json <<'END'
{"_doc": "x", "attached": true, "contract": {"name": "secret"}, "services": [
 {"available": "yes", "name": "esm-infra", "entitled": "yes", "status": "enabled"},
 {"available": "yes", "name": "livepatch", "entitled": "yes", "status": "disabled"}]}
END"""
    section = answer(upkeep.STATE, plant, tmp_path, shell)
    assert "secret" not in section.text
    facts = upkeep.parse_state(section.text).facts
    assert PaidSupport("Ubuntu Pro", True, ("esm-infra",)) in facts


def test_the_state_of_a_machine() -> None:
    seen = upkeep.parse_state("uptime\t864000\t\nlivepatch\tlivepatch_1\nlivetool\tkpatch\n")
    assert seen.facts == (Uptime(10, ""), LivePatching("kpatch", ("livepatch_1",)))
    assert [absence.fact for absence in seen.absences] == ["PaidSupport"]
    assert upkeep.parse_state("uptime\t10\tdocker\n").facts[0] == Uptime(0, "docker")


# --- backups, and programs outside of the packages ---


@pytest.mark.real
@every_shell
def test_a_backup_in_a_cron_job_is_seen(shell: str, tmp_path: Path) -> None:
    plant = """mount -t tmpfs none /etc/cron.d
    printf '# borg is not used\\n5 3 * * * root /usr/bin/restic backup /srv\\n' >/etc/cron.d/backup"""
    found = fact(read(software.BACKUPS, plant, tmp_path, shell))
    assert isinstance(found, Backups)
    assert BackupTrace("restic", "cron", "") in found.traces
    assert "borg" not in {trace.program for trace in found.traces}


@pytest.mark.real
@every_shell
def test_programs_under_local_and_opt_are_listed(shell: str, tmp_path: Path) -> None:
    plant = """mount -t tmpfs none /opt; mkdir /opt/app
    mount -t tmpfs none /usr/local; mkdir /usr/local/bin
    mkdir -p /usr/local/lib/python3.11/dist-packages/a-1.2.dist-info
    touch /usr/local/bin/tool; mkdir -p /usr/local/lib/node_modules/npm
    printf '{\\n  "version": "9.9"\\n}\\n' >/usr/local/lib/node_modules/npm/package.json"""
    found = fact(read(software.UNPACKAGED, plant, tmp_path, shell))
    assert isinstance(found, Unpackaged)
    assert {"/opt: app", "/usr/local/bin/tool", "pip: a 1.2", "npm: npm 9.9"} <= set(found.programs)
    assert found.more is False


def test_a_list_without_an_end_is_no_answer() -> None:
    for reader in (software.parse_unpackaged, software.parse_backups, upkeep.parse_stale):
        with pytest.raises(ParseError):
            reader("program\t/opt\tx\n" if reader is software.parse_unpackaged else "")


# --- units and processes ---


@pytest.mark.real
@every_shell
def test_units_and_processes_of_this_machine_are_read(shell: str, tmp_path: Path) -> None:
    running = fact(read(units.PROCESSES, "true", tmp_path, shell))
    assert isinstance(running, Processes)
    assert running.running("unshare", "sh", "dash", "bash", "ash", "busybox")
    here = fact(read(units.UNITS, "true", tmp_path, shell))
    assert isinstance(here, Units)
    assert here.units


def test_a_unit_that_is_only_loaded_counts_by_its_state() -> None:
    found = fact(
        units.parse_units(
            "manager\tsystemd\tbooted\nfile\tssh.service\tenabled\nfile\tx.service\tstatic\n"
            "unit\tssh.service\tactive\nunit\trun-1.service\tactive\n"
        )
    )
    assert isinstance(found, Units)
    assert found.units == (
        Unit("run-1.service", "", "active"),
        Unit("ssh.service", "enabled", "active"),
        Unit("x.service", "static", "inactive"),
    )
    assert [unit.name for unit in found.starts("ssh", "x", "nothing")] == ["ssh.service"]


def test_where_systemd_does_not_run_nothing_is_called_inactive() -> None:
    found = fact(units.parse_units("manager\tsystemd\t\nfile\tssh.service\tdisabled\n"))
    assert isinstance(found, Units)
    assert found.units == (Unit("ssh.service", "disabled", ""),)


def test_openrc_and_old_init_scripts_are_understood() -> None:
    found = fact(
        units.parse_units("manager\topenrc\tbooted\nservice\tsshd\nservice\tntpd\nfile\tsshd\nunit\tsshd\n")
    )
    assert isinstance(found, Units)
    assert found.units == (
        Unit("ntpd.service", "disabled", "inactive"),
        Unit("sshd.service", "enabled", "active"),
    )
    assert units.parse_units("manager\tnone\t\n").gaps
