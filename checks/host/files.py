"""Who may read and write the files that decide about a host."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from checks.check import Check, check, make_check
from checks.facts.host.files import FileMode, FileModes, OpenPaths
from checks.fix import Effort, Fix, Language, Snippet
from checks.model import Exploit, Impact, Severity
from checks.verdict import Verdict, Verdicts, expect, unknown


@dataclass(frozen=True, slots=True)
class Watched:
    """Files that one check judges: paths or patterns, the most open mode, and the owners it allows."""

    id: str
    title: str
    why: str
    paths: tuple[str, ...]
    mode: str
    severity: Severity
    owners: frozenset[str] = frozenset({"root"})
    groups: frozenset[str] = frozenset({"root"})


WATCHED: tuple[Watched, ...] = (
    Watched(
        "accounts",
        "Only root writes the account files",
        "Who may write the account files makes themselves root with one line.",
        ("/etc/passwd", "/etc/group", "/etc/passwd-", "/etc/group-"),
        "0644",
        Severity.HIGH,
    ),
    Watched(
        "password-hashes",
        "Only root reads the password hashes",
        "Password hashes that others can read are guessed at leisure on another machine.",
        ("/etc/shadow", "/etc/gshadow", "/etc/shadow-", "/etc/gshadow-"),
        "0640",
        Severity.CRITICAL,
        groups=frozenset({"root", "shadow"}),
    ),
    Watched(
        "ssh-configuration",
        "Only root reads and writes the SSH server's configuration",
        "A writable server configuration lets its writer log in as anybody.",
        ("/etc/ssh/sshd_config", "/etc/ssh/sshd_config.d/*.conf"),
        "0600",
        Severity.LOW,
    ),
    Watched(
        "ssh-host-keys",
        "The private SSH host keys are private",
        "With the host's private key an attacker in the path poses as the host and takes sessions over.",
        ("/etc/ssh/ssh_host_*_key",),
        "0640",
        Severity.HIGH,
        groups=frozenset({"root", "ssh_keys"}),
    ),
    Watched(
        "scheduled-jobs",
        "Only root reads and writes the system's scheduled jobs",
        "A writable job of root runs the writer's commands as root; a readable one may tell secrets.",
        ("/etc/crontab", "/etc/cron.d/*"),
        "0600",
        Severity.LOW,
    ),
    Watched(
        "sudo-rules",
        "Only root reads and writes the sudo rules",
        "Who may write a sudo rule is root; who may read them all sees which account to take.",
        ("/etc/sudoers", "/etc/sudoers.d/*"),
        "0440",
        Severity.HIGH,
    ),
    Watched(
        "boot-menu",
        "Only root reads and writes the boot menu's configuration",
        "The boot configuration may hold a password's hash, and writing it decides what the machine starts.",
        ("/boot/grub/grub.cfg", "/boot/grub2/grub.cfg", "/boot/grub2/user.cfg"),
        "0600",
        Severity.LOW,
    ),
)
"""What is watched; the collector looks at exactly these paths."""

_FIX = Fix(
    action="Give the system's key files their proper owners and modes",
    do="Set the mode of `@{on}` to @{mode} and its owner to @{owner}:@{group}.",
    verify="stat -c '%a %U:%G' @{on}   # @{mode} @{owner}:@{group}",
    effort=Effort(setup=0.25, each=0.05),
    undo="Set it back to what was seen: @{saw}.",
    snippets=(
        Snippet(
            Language.SHELL,
            "chown @{owner}:@{group} @{on} && chmod @{mode} @{on}",
            "chown @{owner_before}:@{group_before} @{on} && chmod @{mode_before} @{on}",
        ),
        Snippet(
            Language.ANSIBLE,
            "- name: Set owner and mode\n"
            "  ansible.builtin.file:\n"
            "    path: @{on}\n    owner: @{owner}\n    group: @{group}\n    mode: @{mode}\n    state: file",
        ),
    ),
    key="files:modes",
)


def _made(watched: Watched) -> Check[[FileModes]]:
    def judge(
        found: FileModes,
        *,
        mode: str = watched.mode,
        owners: frozenset[str] = watched.owners,
        groups: frozenset[str] = watched.groups,
    ) -> Verdicts:
        for file in _of(found, watched):
            yield _judged(file, int(mode, 8), owners, groups)
        for path in found.unread:
            if path in watched.paths or _any_matches(path, watched):
                yield unknown(path, f"{path} may not be looked at", needs=f"sudo: stat {path}")

    return make_check(
        judge,
        f"host.files.{watched.id}",
        title=watched.title,
        why=watched.why,
        severity=watched.severity,
        impact=Impact.SERIOUS if watched.severity.rank >= Severity.HIGH.rank else Impact.PARTIAL,
        exploit=Exploit.HARDENING,
        fix=_FIX,
    )


def _of(found: FileModes, watched: Watched) -> Iterator[FileMode]:
    return (file for file in found.files if _any_matches(file.path, watched))


def _any_matches(path: str, watched: Watched) -> bool:
    return any(_matches(path, pattern) for pattern in watched.paths)


def _matches(path: str, pattern: str) -> bool:
    # A star does not reach into folders below.
    return fnmatchcase(path, pattern) and path.count("/") == pattern.count("/")


def _judged(file: FileMode, limit: int, owners: frozenset[str], groups: frozenset[str]) -> Verdict:
    bits = int(file.mode, 8)
    kept = bits & limit
    owner = file.owner if file.owner in owners else min(owners, default="root")
    group = file.group if file.group in groups else ("root" if "root" in groups else min(groups))
    return expect(
        kept == bits and owner == file.owner and group == file.group,
        on=file.path,
        saw=f"{file.mode} {file.owner}:{file.group}",
        want=f"{limit:04o} or tighter, {' or '.join(sorted(owners))}:{' or '.join(sorted(groups))}",
        values={
            "mode": f"{kept:04o}",
            "owner": owner,
            "group": group,
            "mode_before": file.mode,
            "owner_before": file.owner,
            "group_before": file.group,
        },
    )


MODES = tuple(_made(watched) for watched in WATCHED)
"""One check for each row of the table."""


@check(
    "host.files.world-writable",
    title="No file is writable by everybody",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    fix=Fix(
        action="Take everybody's right to write away from files",
        do="Take the right to write from others on `@{on}`; give it to a group where a program needs it.",
        verify="stat -c %A @{on}   # the ninth character is -",
        effort=Effort(setup=0.5, each=0.1),
        undo="Give the right back: `chmod o+w`.",
        snippets=(Snippet(Language.SHELL, "chmod o-w -- @{on}", "chmod o+w -- @{on}"),),
    ),
)
def world_writable(found: OpenPaths) -> Verdicts:
    """Any account, also that of a hijacked service, changes such a file, and whoever runs or reads it."""
    files = [path for path in found.paths if not path.folder]
    for one in files:
        yield expect(False, on=one.path, saw="writable by everybody", want="not writable by others")
    if not files:
        yield expect(True, on="local filesystems", saw="no such file", want="no such file")


@check(
    "host.files.shared-folders",
    title="Shared folders have the sticky bit",
    severity=Severity.MEDIUM,
    impact=Impact.PARTIAL,
    fix=Fix(
        action="Set the sticky bit on shared folders",
        do="Set the sticky bit on `@{on}`, or take the right to write from others.",
        verify="stat -c %A @{on}   # ends with t",
        effort=Effort(setup=0.25, each=0.05),
        undo="Take the bit away: `chmod -t`.",
        snippets=(Snippet(Language.SHELL, "chmod +t -- @{on}", "chmod -t -- @{on}"),),
    ),
)
def shared_folders(found: OpenPaths) -> Verdicts:
    """Without the sticky bit everybody renames and replaces the files of everybody else in the folder."""
    folders = [path for path in found.paths if path.folder]
    for one in folders:
        yield expect(False, on=one.path, saw="writable by everybody, no sticky bit", want="sticky bit")
    if not folders:
        yield expect(True, on="local filesystems", saw="no such folder", want="no such folder")
