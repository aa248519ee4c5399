"""Owners, modes and special rights, judged."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from checks.check import Check
from checks.facts.host.files import (
    CapableFile,
    CapableFiles,
    FileMode,
    FileModes,
    KeyFile,
    KeyFiles,
    OpenPath,
    OpenPaths,
    PrivilegedFile,
    PrivilegedFiles,
    UnownedPath,
    UnownedPaths,
)
from checks.facts.snapshot import Gap
from checks.host import files
from checks.host.filesystem_walk import capabilities_of, is_shell_capable
from checks.host.watched_files import WATCHED
from checks.model import Finding, Outcome, Severity
from tests.checks.host.judging import checks_of, failing, judged, outcomes, says_unknown

FAMILIES = {check.id: check for check in files.MODES}
FOLDERS = {
    "/etc/cron.hourly",
    "/etc/sudoers.d",
    "/etc/ssl/private",
    "/root",
    "/etc/audit",
    "/var/log/audit",
}
CASES = [
    ("accounts", "/etc/passwd", "0644", "0664"),
    ("password-hashes", "/etc/shadow", "0640", "0644"),
    ("account-backups", "/etc/group-", "0600", "0646"),
    ("password-hash-backups", "/etc/gshadow-", "0640", "0660"),
    ("old-passwords", "/etc/security/opasswd", "0600", "0644"),
    ("shells", "/etc/shells", "0644", "0666"),
    ("root-home", "/root", "0700", "0755"),
    ("login-scripts", "/etc/profile.d/lang.sh", "0644", "0646"),
    ("ssh-configuration", "/etc/ssh/sshd_config.d/10-own.conf", "0600", "0644"),
    ("ssh-host-keys", "/etc/ssh/ssh_host_ed25519_key", "0600", "0604"),
    ("ssh-host-public-keys", "/etc/ssh/ssh_host_ed25519_key.pub", "0644", "0664"),
    ("sudo-rules", "/etc/sudoers.d/deploy", "0440", "0640"),
    ("sudo-folder", "/etc/sudoers.d", "0755", "0775"),
    ("scheduled-jobs", "/etc/cron.d/backup", "0600", "0622"),
    ("job-folders", "/etc/cron.hourly", "0700", "0755"),
    ("job-permissions", "/etc/cron.allow", "0640", "0644"),
    ("boot-menu", "/boot/grub/grub.cfg", "0400", "0444"),
    ("banners", "/etc/motd", "0644", "0666"),
    ("tls-key-folder", "/etc/ssl/private", "0710", "0711"),
    ("login-logs", "/var/log/auth.log.1", "0640", "0644"),
    ("failed-logins", "/var/log/btmp", "0660", "0664"),
    ("audit-logs", "/var/log/audit", "0750", "0755"),
    ("audit-configuration", "/etc/audit/rules.d/own.rules", "0640", "0644"),
    ("audit-tools", "/sbin/auditctl", "0755", "0775"),
]


def one(path: str, mode: str, owner: str = "root", group: str = "root") -> FileModes:
    kind = "directory" if path in FOLDERS else "regular file"
    return FileModes((FileMode(path, mode, owner, group, kind),), ())


def only(check: Check[Any], *facts: Any) -> Finding:
    [finding] = judged(check, *facts)
    return finding


@pytest.mark.parametrize("check", checks_of(files))
def test_what_could_not_be_read_is_unknown(check: Check[Any]) -> None:
    says_unknown(check)


@pytest.mark.parametrize(("name", "path", "good", "bad"), CASES)
def test_modes(name: str, path: str, good: str, bad: str) -> None:
    check = FAMILIES[f"host.files.{name}"]
    assert failing(check, one(path, good)) == []
    assert failing(check, one(path, bad)) == [path]
    assert failing(check, one(path, good, owner="bob")) == [path]
    assert failing(check, one(path, good, group="users")) == [path]
    assert outcomes(judged(check, FileModes((), (), (path,)))) == {path: Outcome.UNKNOWN}


def test_every_family_has_a_case_and_every_path_one_family() -> None:
    assert set(FAMILIES) == {f"host.files.{name}" for name, _, _, _ in CASES}
    paths = [path for watched in WATCHED for path in watched.paths]
    assert len(paths) == len(set(paths))


def test_tighter_modes_and_the_distributions_groups_pass() -> None:
    for name, found in [
        ("password-hashes", one("/etc/shadow", "0000")),
        ("password-hashes", one("/etc/shadow", "0640", group="shadow")),
        ("ssh-host-keys", one("/etc/ssh/ssh_host_rsa_key", "0640", group="ssh_keys")),
        ("root-home", one("/root", "0550")),
        ("login-logs", one("/var/log/syslog", "0640", "syslog", "adm")),
        ("tls-key-folder", one("/etc/ssl/private", "0710", group="ssl-cert")),
    ]:
        assert failing(FAMILIES[f"host.files.{name}"], found) == []


def test_a_special_bit_is_more_than_the_limit() -> None:
    assert failing(FAMILIES["host.files.accounts"], one("/etc/passwd", "4644")) == ["/etc/passwd"]


@pytest.mark.parametrize(
    ("found", "severity"),
    [
        (one("/etc/cron.hourly", "0755"), Severity.MEDIUM),
        (one("/etc/cron.hourly", "0775"), Severity.MEDIUM),
        (one("/etc/cron.hourly", "0775", group="staff"), Severity.CRITICAL),
        (one("/etc/cron.hourly", "0757"), Severity.CRITICAL),
        (one("/etc/cron.hourly", "0700", owner="bob"), Severity.CRITICAL),
    ],
)
def test_what_somebody_else_may_write_is_worse_than_what_they_may_read(
    found: FileModes, severity: Severity
) -> None:
    assert only(FAMILIES["host.files.job-folders"], found).severity is severity


def test_a_writable_folder_of_sudo_rules_is_critical() -> None:
    found = only(FAMILIES["host.files.sudo-folder"], one("/etc/sudoers.d", "0757"))
    assert found.severity is Severity.CRITICAL
    assert 'state: "directory"' in found.fix.snippets[1].do


def test_a_pattern_does_not_reach_into_folders() -> None:
    found = only(FAMILIES["host.files.sudo-rules"], one("/etc/sudoers.d/old/deploy", "0666"))
    assert found.outcome is Outcome.NOT_APPLICABLE


def test_the_fix_takes_away_and_never_gives() -> None:
    finding = only(FAMILIES["host.files.accounts"], one("/etc/passwd", "0466"))
    assert "chmod 0444" in finding.fix.snippets[0].do
    assert "chmod 0466" in finding.fix.snippets[0].undo


def test_a_file_that_may_not_be_looked_at_is_unknown_for_its_own_check_only() -> None:
    found = FileModes(one("/etc/passwd", "0644").files, (), ("/etc/sudoers.d/*",))
    assert outcomes(judged(FAMILIES["host.files.sudo-rules"], found)) == {"/etc/sudoers.d/*": Outcome.UNKNOWN}
    assert failing(FAMILIES["host.files.accounts"], found) == []


@pytest.mark.parametrize(("check", "folder"), [(files.world_writable, False), (files.shared_folders, True)])
def test_what_everybody_may_write_to(check: Check[Any], folder: bool) -> None:
    assert failing(check, OpenPaths((OpenPath("/srv/x", folder),), more=False)) == ["/srv/x"]
    assert failing(check, OpenPaths((OpenPath("/srv/x", not folder),), more=False)) == []


NOTHING = {
    "OpenPaths": OpenPaths((), more=False),
    "UnownedPaths": UnownedPaths((), more=False),
    "PrivilegedFiles": PrivilegedFiles((), "dpkg", more=False),
    "CapableFiles": CapableFiles((), ("/usr/bin",), more=False),
}


@pytest.mark.parametrize(
    "check",
    [
        *(files.world_writable, files.shared_folders, files.unowned, files.suid_unknown),
        *(files.suid_shell, files.capabilities),
    ],
)
def test_a_search_that_was_cut_never_passes_alone(check: Check[Any]) -> None:
    [fact] = check.needs
    found = judged(check, NOTHING[fact.__name__], gaps=[Gap(fact.__name__, "stopped after 15 s")])
    assert Outcome.UNKNOWN in {finding.outcome for finding in found}
    assert failing(check, NOTHING[fact.__name__]) == []


def unowned(*paths: UnownedPath) -> UnownedPaths:
    return UnownedPaths(paths, more=False)


def test_a_tree_without_an_owner_is_one_finding() -> None:
    found = unowned(
        UnownedPath("/home/gone/a", "1005", "1005", False, False),
        UnownedPath("/home/gone", "1005", "1005", False, False),
        UnownedPath("/home/gone/other", "1006", "users", False, True),
        UnownedPath("/home/gone-too", "1005", "1005", False, False),
    )
    findings = {one.on: one for one in judged(files.unowned, found)}
    assert set(findings) == {"/home/gone", "/home/gone/other", "/home/gone-too"}
    assert findings["/home/gone"].saw == "owner 1005, group 1005, and 1 below it"
    assert "chown -h root:users" in findings["/home/gone/other"].fix.snippets[0].do


def test_the_store_of_rootless_containers_has_owners_of_its_own() -> None:
    inside = "/home/a/.local/share/containers/storage/overlay/x/etc/passwd"
    assert failing(files.unowned, unowned(UnownedPath(inside, "100000", "100000", False, False))) == []
    found = PrivilegedFiles((PrivilegedFile(inside, "4755", "100000", "100000", False),), "rpm", more=False)
    assert failing(files.suid_unknown, found) == []
    found = PrivilegedFiles((PrivilegedFile(inside, "4755", "root", "root", False),), "rpm", more=False)
    assert failing(files.suid_unknown, found) == [inside]


def special(path: str, mode: str = "4755", owner: str = "root", packaged: bool = True) -> PrivilegedFiles:
    return PrivilegedFiles((PrivilegedFile(path, mode, owner, "root", packaged),), "dpkg", more=False)


def test_suid_programs_come_from_packages() -> None:
    assert failing(files.suid_unknown, special("/usr/bin/sudo")) == []
    strange = only(files.suid_unknown, special("/usr/local/bin/sudo", packaged=False))
    assert (strange.outcome, strange.severity) == (Outcome.FAIL, Severity.HIGH)
    odd = only(files.suid_unknown, special("/usr/bin/date"))
    assert (odd.outcome, odd.severity) == (Outcome.FAIL, Severity.MEDIUM)
    assert "chmod 4755" in odd.fix.snippets[0].undo


def test_without_a_package_database_nobody_knows_who_brought_a_program() -> None:
    found = PrivilegedFiles(special("/usr/bin/sudo").files, "", more=False)
    assert only(files.suid_unknown, found).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("path", "mode", "owner", "severity"),
    [
        ("/usr/bin/find", "4755", "root", Severity.CRITICAL),
        ("/usr/bin/python3.11", "4755", "root", Severity.CRITICAL),
        ("/usr/bin/vim.basic", "2755", "root", Severity.HIGH),
        ("/usr/bin/perl5.36-x", "4755", "root", None),
        ("/usr/bin/less", "4755", "games", Severity.HIGH),
        ("/usr/bin/su", "4755", "root", None),
    ],
)
def test_programs_that_start_others(path: str, mode: str, owner: str, severity: Severity | None) -> None:
    found = only(files.suid_shell, special(path, mode, owner))
    assert (found.severity if found.outcome is Outcome.FAIL else None) is severity


def test_names_with_versions() -> None:
    names = ["python3", "python3.11", "bash", "lua5.4", "awk"]
    assert all(is_shell_capable(f"/usr/bin/{name}") for name in names)
    assert not any(is_shell_capable(f"/usr/bin/{name}") for name in ["sudo", "pythonic", "x3", "3"])


@pytest.mark.parametrize(
    ("path", "text", "severity"),
    [
        ("/usr/bin/ping", "cap_net_raw=ep", None),
        ("/opt/web/server", "cap_net_bind_service+ep", None),
        ("/opt/web/server", "cap_net_raw=ep", Severity.MEDIUM),
        ("/opt/web/server", "cap_net_bind_service,cap_dac_override=ep", Severity.HIGH),
        ("/usr/bin/python3.11", "cap_setuid=ep", Severity.CRITICAL),
        ("/usr/bin/ping", "=ep", Severity.HIGH),
        ("/usr/bin/newuidmap", "cap_setuid=ep", None),
    ],
)
def test_capabilities(path: str, text: str, severity: Severity | None) -> None:
    found = only(files.capabilities, CapableFiles((CapableFile(path, text),), ("/usr",), more=False))
    assert (found.severity if found.outcome is Outcome.FAIL else None) is severity
    if severity:
        assert text.strip() in found.fix.snippets[0].undo


def test_names_of_capabilities() -> None:
    assert capabilities_of("cap_net_raw,cap_setuid=ep cap_chown+i") == {
        *("cap_net_raw", "cap_setuid", "cap_chown"),
    }
    assert capabilities_of("=ep") == {"all"}


@pytest.mark.parametrize(
    ("key", "outcome", "severity"),
    [
        (KeyFile("/etc/a.key", "0600", "root", "root", True), Outcome.PASS, None),
        (KeyFile("/etc/a.key", "0640", "root", "ssl-cert", True), Outcome.PASS, None),
        (KeyFile("/etc/a.key", "0640", "root", "www-data", True), Outcome.FAIL, Severity.MEDIUM),
        (KeyFile("/etc/a.key", "0644", "root", "root", True), Outcome.FAIL, Severity.HIGH),
        (KeyFile("/etc/x/a.key", "0644", "root", "root", True, "/etc/x"), Outcome.FAIL, Severity.LOW),
        (KeyFile("/etc/x/a.key", "0600", "root", "root", True, "/etc/x"), Outcome.PASS, None),
        (KeyFile("/etc/a.key", "0600", "root", "root", False), Outcome.PASS, None),
        (KeyFile("/etc/a.key", "0640", "root", "nginx", False), Outcome.UNKNOWN, None),
    ],
)
def test_private_keys(key: KeyFile, outcome: Outcome, severity: Severity | None) -> None:
    found = only(files.private_keys, KeyFiles((key,), more=False))
    assert found.outcome is outcome
    assert severity is None or found.severity is severity


def test_a_host_without_keys_has_nothing_to_judge() -> None:
    assert only(files.private_keys, KeyFiles((), more=False)).outcome is Outcome.NOT_APPLICABLE


# --- the fixes on real files ---


def _run(script: str) -> None:
    subprocess.run(["sh", "-e", "-c", script], check=True, capture_output=True)


@pytest.mark.real
def test_the_fix_of_a_mode_can_be_undone(tmp_path: Path) -> None:
    path = tmp_path / "it's mine.key"
    path.write_text("x")
    path.chmod(0o644)
    found = KeyFiles((KeyFile(str(path), "0644", "root", "root", True),), more=False)
    fix = only(files.private_keys, found).fix
    _run(fix.snippets[0].do)
    assert path.stat().st_mode & 0o7777 == 0o640
    _run(fix.snippets[0].undo)
    assert path.stat().st_mode & 0o7777 == 0o644


@pytest.mark.real
def test_a_tree_gets_its_numbers_back(tmp_path: Path) -> None:
    top = tmp_path / "gone"
    (top / "sub dir").mkdir(parents=True)
    (top / "sub dir" / "a\nb").write_text("x")
    (top / "kept").write_text("x")
    everything = [top, *top.rglob("*")]
    for path in everything:
        os.lchown(path, 4711, 4712)
    os.lchown(top / "kept", 0, 0)
    before = {path: (path.lstat().st_uid, path.lstat().st_gid) for path in everything}
    finding = only(files.unowned, unowned(UnownedPath(str(top), "4711", "4712", False, False)))
    snippet = finding.fix.snippets[0]
    _run(snippet.do)
    assert {(path.lstat().st_uid, path.lstat().st_gid) for path in everything} == {(0, 0)}
    _run(snippet.undo)
    assert {path: (path.lstat().st_uid, path.lstat().st_gid) for path in everything} == before
    assert not Path(f"/var/lib/unowned{str(top).replace('/', '-')}.list").exists()
