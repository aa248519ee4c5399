"""Mounts and what may happen on them, judged."""

from __future__ import annotations

from typing import Any

import pytest

from checks.check import Check
from checks.facts.host.mounts import Mount, Mounts, TableLine
from checks.facts.host.packages import Package, Packages
from checks.facts.host.units import Unit, Units
from checks.host import filesystems
from checks.model import Finding, Outcome
from tests.checks.host.judging import checks_of, failing, judged, says_unknown

PLACES = {check.id.rpartition(".")[2]: check for check in filesystems.PLACES}
ROOT = Mount("/", "/dev/sda1", "ext4", "8:1", "/", ("rw", "relatime"))
SAFE = ("rw", "nosuid", "nodev", "noexec")


def mount(
    point: str, *options: str, source: str = "tmpfs", device: str = "0:30", kind: str = "tmpfs"
) -> Mount:
    return Mount(point, source, kind, device, "/", options or ("rw",))


def mounts(*more: Mount, table: tuple[TableLine, ...] = (), absent: tuple[str, ...] = ()) -> Mounts:
    return Mounts((ROOT, *more), table, absent)


def only(check: Check[Any], *facts: Any) -> Finding:
    [finding] = judged(check, *facts)
    return finding


@pytest.mark.parametrize("check", checks_of(filesystems), ids=lambda check: check.id)
def test_what_could_not_be_read_is_unknown(check: Check[Any]) -> None:
    says_unknown(check)


@pytest.mark.parametrize(
    ("place", "path"),
    [("tmp-options", "/tmp"), ("shm-options", "/dev/shm"), ("var-tmp-options", "/var/tmp")],
)
def test_folders_for_everybody(place: str, path: str) -> None:
    check = PLACES[place]
    assert failing(check, mounts(mount(path, *SAFE))) == []
    assert failing(check, mounts()) == [path]
    for missing in ("nosuid", "nodev", "noexec"):
        options = [word for word in SAFE if word != missing]
        finding = only(check, mounts(mount(path, *options)))
        assert finding.outcome is Outcome.FAIL
        assert finding.saw == f"without {missing}"
        assert f"add={missing}" in finding.fix.snippets[0].do
        assert f"back={missing[2:]}" in finding.fix.snippets[0].undo


def test_a_folder_has_the_options_of_the_mount_around_it() -> None:
    around = mounts(mount("/var", *SAFE, source="/dev/sda2", device="8:2", kind="ext4"))
    assert failing(PLACES["var-tmp-options"], around) == []
    finding = only(PLACES["tmp-options"], around)
    assert finding.saw == "without nodev, nosuid, noexec, as a part of /"
    assert 'opts: "bind,nodev,nosuid,noexec"' in finding.fix.snippets[1].do
    assert 'src: "/tmp"' in finding.fix.snippets[1].do


@pytest.mark.parametrize(("place", "path"), [("home-options", "/home"), ("var-options", "/var")])
def test_folders_that_need_no_mount_of_their_own(place: str, path: str) -> None:
    assert only(PLACES[place], mounts()).outcome is Outcome.NOT_APPLICABLE
    assert failing(PLACES[place], mounts(mount(path, "rw", "nosuid", "nodev"))) == []
    assert failing(PLACES[place], mounts(mount(path, "rw", "nosuid"))) == [path]
    [finding] = judged(PLACES[place], mounts(), separate_only=False)
    assert finding.outcome is Outcome.FAIL


def test_options_that_the_next_boot_takes_away_are_not_there() -> None:
    line = TableLine("/tmp", "tmpfs", ("defaults", "nosuid"))
    finding = only(PLACES["tmp-options"], mounts(mount("/tmp", *SAFE), table=(line,)))
    assert finding.outcome is Outcome.FAIL
    assert finding.saw == "without nodev, noexec, after the next boot"
    good = TableLine("/tmp", "tmpfs", ("nosuid", "nodev", "noexec"))
    assert failing(PLACES["tmp-options"], mounts(mount("/tmp", *SAFE), table=(good,))) == []


def test_what_is_not_there_has_no_options() -> None:
    for check in (PLACES["tmp-options"], filesystems.tmp_separate):
        assert only(check, mounts(absent=("/tmp",))).outcome is Outcome.NOT_APPLICABLE


def test_a_name_that_only_begins_alike_is_another_folder() -> None:
    assert failing(PLACES["tmp-options"], mounts(mount("/tm", *SAFE), mount("/tmp2", *SAFE))) == ["/tmp"]


@pytest.mark.parametrize(
    ("one", "outcome"),
    [
        (mount("/tmp"), Outcome.PASS),
        (mount("/tmp", source="/dev/sda3", device="8:3", kind="xfs"), Outcome.PASS),
        (Mount("/tmp", "/dev/sda1", "ext4", "8:1", "/tmp", ("rw",)), Outcome.FAIL),
        (mount("/tmpfs"), Outcome.FAIL),
    ],
)
def test_temporary_files_have_a_filesystem_of_their_own(one: Mount, outcome: Outcome) -> None:
    assert only(filesystems.tmp_separate, mounts(one)).outcome is outcome


def test_a_subvolume_shares_the_space_unless_a_quota_says_otherwise() -> None:
    root = Mount("/", "/dev/sda2", "btrfs", "0:31", "/@", ("rw",))
    tmp = Mount("/tmp", "/dev/sda2", "btrfs", "0:32", "/@tmp", ("rw",))
    finding = only(filesystems.tmp_separate, Mounts((root, tmp), ()))
    assert (finding.outcome, finding.needs) == (Outcome.UNKNOWN, "sudo: btrfs qgroup show /")


def test_logs_have_space_of_their_own() -> None:
    disk = {"kind": "xfs"}
    var = mount("/var", source="/dev/sda2", device="8:2", **disk)
    log = mount("/var/log", source="/dev/sda3", device="8:3", **disk)
    assert failing(filesystems.log_space, mounts()) == ["/var/log"]
    assert failing(filesystems.log_space, mounts(var)) == ["/var/log"]
    assert failing(filesystems.log_space, mounts(var, log)) == []
    again = mount("/var/log", source="/dev/sda2", device="8:2", **disk)
    assert failing(filesystems.log_space, mounts(var, again)) == ["/var/log"]


def test_the_audit_log_has_space_of_its_own_where_there_is_one() -> None:
    audit = Packages("dpkg", (Package("auditd", "1", "amd64", "audit", "1"),))
    none = Packages("dpkg", ())
    own = mounts(mount("/var/log/audit", source="/dev/sda3", device="8:3", kind="xfs"))
    assert failing(filesystems.audit_log_space, mounts(), audit) == ["/var/log/audit"]
    assert failing(filesystems.audit_log_space, own, audit) == []
    assert only(filesystems.audit_log_space, mounts(), none).outcome is Outcome.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("units", "bad"),
    [
        ((), []),
        ((Unit("autofs.service", "disabled", "inactive"),), []),
        ((Unit("autofs.service", "masked", ""),), []),
        ((Unit("autofs.service", "enabled", ""),), ["autofs.service"]),
        ((Unit("autofs.service", "disabled", "active"),), ["autofs.service"]),
    ],
)
def test_nothing_is_mounted_by_itself(units: tuple[Unit, ...], bad: list[str]) -> None:
    assert failing(filesystems.automount, Units("systemd", booted=True, units=units)) == bad
