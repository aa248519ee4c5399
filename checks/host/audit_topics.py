"""What the audit system is asked to record, and which rules record it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from msgspec.structs import replace

from checks.facts.host.audit import AuditRule
from checks.model import Severity

OLD_CALLS = frozenset({"chmod", "chown", "lchown", "unlink", "rename", "open", "creat"})
"""System calls that processors younger than these calls do not have."""
YOUNG = ("aarch64", "riscv64", "loongarch64")
"""Kinds of processors that have only the newer calls, and only those of 64 bits."""


@dataclass(frozen=True, slots=True)
class Topic:
    """What one check asks the audit rules for.

    Each of `watched` is a group of paths of which one has to be watched for writing and changes of
    attributes. Each of `calls` is a system call that has to be recorded, with all of `fields` as its
    conditions. Instead of all that, one rule that watches a path of `instead` for execution is enough.
    """

    id: str
    title: str
    why: str
    watched: tuple[tuple[str, ...], ...] = ()
    calls: tuple[str, ...] = ()
    fields: tuple[frozenset[str], ...] = (frozenset(),)
    instead: tuple[str, ...] = ()
    severity: Severity = Severity.MEDIUM


_AS_ROOT = frozenset({"euid!=uid"})
TOPICS = (
    Topic(
        "identity",
        "Changes of the account files are recorded",
        "A new account or group that nobody ordered is how an intruder stays; the record says who made it.",
        (("/etc/passwd",), ("/etc/group",), ("/etc/shadow",), ("/etc/gshadow",)),
    ),
    Topic(
        "sudo-rules",
        "Changes of the sudo rules are recorded",
        "One line more in the sudo rules makes an account root; the record says who wrote it and when.",
        (("/etc/sudoers",), ("/etc/sudoers.d",)),
    ),
    Topic(
        "commands-as-root",
        "Commands that people run as another user are recorded",
        "With sudo and su many people act under one name; only the record tells afterwards who it was.",
        calls=("execve",),
        fields=(_AS_ROOT,),
        instead=("/usr/bin/sudo", "/bin/sudo"),
    ),
    Topic(
        "time",
        "Changes of the clock are recorded",
        "Who sets the clock back breaks the order of every log, and certificates come back to life.",
        (("/etc/localtime",),),
        ("adjtimex", "settimeofday", "clock_settime"),
    ),
    Topic(
        "modules",
        "Loading and unloading of kernel modules is recorded",
        "A module of the kernel can hide an intruder from everything else; its loading is the last trace.",
        calls=("init_module", "finit_module", "delete_module"),
    ),
    Topic(
        "mounts",
        "Mounts by people are recorded",
        "Copies of data leave by mounted devices and shares, and mounts lay one file over another.",
        calls=("mount",),
        severity=Severity.LOW,
    ),
    Topic(
        "deletions",
        "Deletions and renamings by people are recorded",
        "Who cleans up behind an attack deletes and renames files, and the record says which.",
        calls=("unlink", "unlinkat", "rename", "renameat"),
        severity=Severity.LOW,
    ),
    Topic(
        "logins",
        "Changes of the lists of logins and sessions are recorded",
        "The lists of logins are the first that an intruder edits; the record of that edit stays.",
        (("/var/log/wtmp",), ("/var/log/btmp",), ("/var/log/lastlog", "/var/run/faillock", "/run/faillock")),
    ),
    Topic(
        "network",
        "Changes of the host's names and addresses are recorded",
        "Another name or another entry in the hosts file leads traffic, and trust, to another machine.",
        (("/etc/hosts",),),
        ("sethostname", "setdomainname"),
        severity=Severity.LOW,
    ),
    Topic(
        "mandatory-access",
        "Changes of the mandatory access control are recorded",
        "Before a confined service breaks out, somebody loosens its profile; the record says who.",
        (("/etc/apparmor.d", "/etc/selinux"),),
    ),
    Topic(
        "permissions",
        "Changes of owners, modes and attributes by people are recorded",
        "One chmod opens a file for a moment and closes it again; afterwards only the record knows.",
        calls=(
            *("chmod", "fchmod", "fchmodat", "chown", "fchown", "fchownat", "lchown"),
            *("setxattr", "lsetxattr", "fsetxattr", "removexattr", "lremovexattr", "fremovexattr"),
        ),
    ),
    Topic(
        "refused-access",
        "Refused attempts to open files are recorded",
        "Somebody who looks around a host is refused often; a row of refusals is an early sign.",
        calls=("open", "openat", "creat", "truncate", "ftruncate"),
        fields=(frozenset({"exit=-EACCES"}), frozenset({"exit=-EPERM"})),
        severity=Severity.LOW,
    ),
)
"""The topics, one check each."""


def architectures(machine: str) -> tuple[str, ...]:
    """The kinds of system calls that programs on that machine can make, as audit rules name them."""
    if machine == "x86_64":
        return ("b64", "b32")
    return ("b32",) if machine in ("i386", "i586", "i686", "armv6l", "armv7l", "armv8l") else ("b64",)


def calls_of(topic: Topic, machine: str) -> tuple[str, ...]:
    """The system calls of the topic that this kind of machine has."""
    young = machine in YOUNG
    return tuple(call for call in topic.calls if not (young and call in OLD_CALLS))


def not_recorded(topic: Topic, rules: Iterable[AuditRule], machine: str) -> Iterator[str]:
    """What of the topic no rule records: paths, and system calls with their architecture."""
    kept = [rule for rule in rules if rule.filter in ("exit", "entry")]
    if any(_kept(kept, partial(_watches, path=path, permissions="x")) for path in topic.instead):
        return
    for group in topic.watched:
        if not any(_kept(kept, partial(_watches, path=path, permissions="wa")) for path in group):
            yield " or ".join(group)
    kinds = architectures(machine)
    # A rule without an architecture means the calls of the machine's own.
    full = [replace(rule, architecture=rule.architecture or kinds[0]) for rule in kept]
    for call in calls_of(topic, machine):
        for architecture in kinds:
            for fields in topic.fields:
                asked = partial(_records, call=call, architecture=architecture, fields=fields)
                if not _kept(full, asked):
                    yield " ".join((call, f"({architecture})", *sorted(fields)))


def _kept(rules: Iterable[AuditRule], meant: Callable[[AuditRule], bool]) -> bool:
    """Whether the first rule that means all of it records it: the kernel asks no further."""
    return next((rule.action == "always" for rule in rules if meant(rule)), False)


def _watches(rule: AuditRule, path: str, permissions: str) -> bool:
    above = rule.path == path or path.startswith(f"{rule.path.rstrip('/')}/")
    wanted = bool(rule.path) and above and set(permissions) <= set(rule.permissions)
    return wanted and not rule.syscalls and _whole(rule.fields)


def _records(rule: AuditRule, call: str, architecture: str, fields: frozenset[str]) -> bool:
    named = call in rule.syscalls or not rule.syscalls
    rest = {_plain(field) for field in rule.fields}
    return (
        not rule.path
        and rule.architecture == architecture
        and named
        and _whole(rest - fields)
        and fields <= rest | _always(rest)
    )


def _plain(field: str) -> str:
    # Root's commands under another login user, asked for in another way.
    return "euid!=uid" if field in ("euid=0", "euid=root") else field


def _always(fields: set[str]) -> frozenset[str]:
    """What a rule records because it does not ask: without a condition on the result, every result."""
    results = frozenset({"exit=-EACCES", "exit=-EPERM"})
    users = frozenset({"euid!=uid"})
    asks_result = any(field.startswith(("exit", "success")) for field in fields)
    asks_user = any(field.startswith(("euid", "uid")) for field in fields)
    return (frozenset() if asks_result else results) | (frozenset() if asks_user else users)


def _whole(fields: Iterable[str]) -> bool:
    """Whether conditions leave people in: those on the login's user only take the daemons out."""
    return all(field in ("auid!=unset", "auid>=1000", "auid>=500") for field in fields)
