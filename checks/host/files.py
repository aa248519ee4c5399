"""Who may read and write the files that decide about a host."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from checks.check import Check, check, make_check
from checks.facts.host.files import (
    CapableFiles,
    FileMode,
    FileModes,
    KeyFile,
    KeyFiles,
    OpenPaths,
    PrivilegedFile,
    PrivilegedFiles,
    UnownedPaths,
)
from checks.host import file_fixes
from checks.host.filesystem_walk import (
    HARMLESS,
    KNOWN_PRIVILEGED,
    ROOT_EQUAL,
    is_shell_capable,
    topmost,
    unknown_capabilities,
)
from checks.host.watched_files import WATCHED, Watched
from checks.model import Confidence, Exploit, Impact, Severity
from checks.verdict import Verdict, Verdicts, expect, unknown

_EVERYWHERE = "local filesystems"
_SUID, _SGID = 0o4000, 0o2000
_ROOTLESS = "/.local/share/containers/storage/"


def _made(watched: Watched) -> Check[[FileModes]]:
    def judge(
        found: FileModes,
        *,
        mode: str = watched.mode,
        folder: str = watched.folder,
        owners: frozenset[str] = watched.owners,
        groups: frozenset[str] = watched.groups,
    ) -> Verdicts:
        for file in _of(found, watched):
            limit = folder if file.kind == "directory" else mode
            yield _judged(file, int(limit, 8), owners, groups, watched.writable)
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
        fix=file_fixes.MODES,
    )


def _of(found: FileModes, watched: Watched) -> Iterator[FileMode]:
    return (file for file in found.files if _any_matches(file.path, watched))


def _any_matches(path: str, watched: Watched) -> bool:
    return any(_matches(path, pattern) for pattern in watched.paths)


def _matches(path: str, pattern: str) -> bool:
    # A star does not reach into folders below.
    return fnmatchcase(path, pattern) and path.count("/") == pattern.count("/")


def _judged(
    file: FileMode, limit: int, owners: frozenset[str], groups: frozenset[str], writable: Severity
) -> Verdict:
    bits = int(file.mode, 8)
    kept = bits & limit
    owner = file.owner if file.owner in owners else min(owners, default="root")
    group = file.group if file.group in groups else ("root" if "root" in groups else min(groups))
    # What a group of root alone may do, nobody else can.
    others_write = 0o002 if file.group in groups else 0o022
    foreign = owner != file.owner or bool(bits & ~limit & others_write)
    return expect(
        kept == bits and owner == file.owner and group == file.group,
        on=file.path,
        saw=f"{file.mode} {file.owner}:{file.group}",
        want=f"{limit:04o} or tighter, {' or '.join(sorted(owners))}:{' or '.join(sorted(groups))}",
        severity=writable if foreign else None,
        values={
            "mode": f"{kept:04o}",
            "owner": owner,
            "group": group,
            "mode_before": file.mode,
            "owner_before": file.owner,
            "group_before": file.group,
            "state": "directory" if file.kind == "directory" else "file",
        },
    )


MODES = tuple(_made(watched) for watched in WATCHED)
"""One check for each row of the table."""


@check(
    "host.files.world-writable",
    title="No file is writable by everybody",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    fix=file_fixes.WORLD_WRITABLE,
)
def world_writable(found: OpenPaths) -> Verdicts:
    """Any account, also that of a hijacked service, changes such a file, and whoever runs or reads it."""
    files = [path for path in found.paths if not path.folder]
    for one in files:
        yield expect(False, on=one.path, saw="writable by everybody", want="not writable by others")
    if not files:
        yield expect(True, on=_EVERYWHERE, saw="no such file", want="no such file")


@check(
    "host.files.shared-folders",
    title="Shared folders have the sticky bit",
    severity=Severity.MEDIUM,
    impact=Impact.PARTIAL,
    fix=file_fixes.SHARED_FOLDERS,
)
def shared_folders(found: OpenPaths) -> Verdicts:
    """Without the sticky bit everybody renames and replaces the files of everybody else in the folder."""
    folders = [path for path in found.paths if path.folder]
    for one in folders:
        yield expect(False, on=one.path, saw="writable by everybody, no sticky bit", want="sticky bit")
    if not folders:
        yield expect(True, on=_EVERYWHERE, saw="no such folder", want="no such folder")


@check(
    "host.files.unowned",
    title="Every file has an owner and a group that exist",
    severity=Severity.MEDIUM,
    fix=file_fixes.UNOWNED,
)
def unowned(found: UnownedPaths) -> Verdicts:
    """The next account that gets the number of a deleted one inherits its files, with all they hold."""
    here = [path for path in found.paths if _ROOTLESS not in path.path]
    tops = list(topmost(here))
    for top, below in tops:
        rest = f", and {below} below it" if below else ""
        yield expect(
            False,
            on=top.path,
            saw=f"owner {top.owner}, group {top.group}{rest}",
            want="an owner and a group of the host",
            values={
                "owner": top.owner if top.owner_known else "root",
                "group": top.group if top.group_known else "root",
                "owner_before": top.owner,
                "group_before": top.group,
            },
        )
    if not tops:
        yield expect(True, on=_EVERYWHERE, saw="no such file", want="no such file")


@check(
    "host.files.suid-unknown",
    title="SUID and SGID programs come from packages",
    severity=Severity.HIGH,
    fix=file_fixes.SPECIAL_BITS,
)
def suid_unknown(found: PrivilegedFiles, *, known: frozenset[str] = KNOWN_PRIVILEGED) -> Verdicts:
    """A program with the rights of root that no package brought is the simplest back door there is."""
    if not found.manager and found.files:
        yield unknown(_EVERYWHERE, "the host has no package database that knows who brought a file")
        return
    here = [file for file in found.files if file.owner == "root" or _ROOTLESS not in file.path]
    strange = [file for file in here if not file.packaged or _name(file.path) not in known]
    for file in strange:
        saw = "packaged, but not known to need it" if file.packaged else "no package brought it"
        yield expect(
            False,
            on=file.path,
            saw=f"{_bits(file)}; {saw}",
            want="from a package, and known to need it",
            # A package that we do not know may well ship its program so.
            severity=Severity.MEDIUM if file.packaged else None,
            confidence=Confidence.POSSIBLE if file.packaged else Confidence.CONFIRMED,
            values=_special(file),
        )
    if not strange:
        saw = f"{len(here)} programs, all from packages and known"
        yield expect(True, on=_EVERYWHERE, saw=saw, want="from a package, and known to need it")


@check(
    "host.files.suid-shell",
    title="No program that starts others runs with the rights of its owner",
    severity=Severity.CRITICAL,
    fix=file_fixes.SPECIAL_BITS,
)
def suid_shell(found: PrivilegedFiles) -> Verdicts:
    """A shell, editor or copying tool with the SUID bit of root makes everybody root with one command."""
    bad = [file for file in found.files if is_shell_capable(file.path)]
    for file in bad:
        root = file.owner == "root" and int(file.mode, 8) & _SUID
        yield expect(
            False,
            on=file.path,
            saw=_bits(file),
            want="no SUID and no SGID bit",
            severity=None if root else Severity.HIGH,
            values=_special(file),
        )
    if not bad:
        yield expect(True, on=_EVERYWHERE, saw="no such program", want="no such program")


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _bits(file: PrivilegedFile) -> str:
    bits = int(file.mode, 8)
    kinds = [name for name, bit in (("SUID", _SUID), ("SGID", _SGID)) if bits & bit]
    return f"{file.mode} {file.owner}:{file.group} ({' and '.join(kinds)})"


def _special(file: PrivilegedFile) -> dict[str, str]:
    return {"owner": file.owner, "group": file.group, "mode_before": file.mode}


@check(
    "host.files.capabilities",
    title="Programs with file capabilities are known to need them",
    severity=Severity.MEDIUM,
    fix=file_fixes.CAPABILITIES,
)
def capabilities(found: CapableFiles, *, harmless: frozenset[str] = HARMLESS) -> Verdicts:
    """Some capabilities are root by another name, and no listing of SUID programs shows them."""
    strange = [
        (file, more)
        for file in found.files
        if (more := unknown_capabilities(file.path, file.capabilities, harmless))
    ]
    for file, more in strange:
        strong = bool(more & ROOT_EQUAL)
        severity = Severity.CRITICAL if is_shell_capable(file.path) else Severity.HIGH
        yield expect(
            False,
            on=file.path,
            saw=file.capabilities,
            want="no capability beyond what the program is known for",
            severity=severity if strong else None,
            values={"capabilities": file.capabilities},
        )
    if not strange:
        saw = f"{len(found.files)} programs, all known, below {' '.join(found.searched)}"
        yield expect(True, on="programs", saw=saw, want="all known")


@check(
    "host.files.private-keys",
    title="Only their owners read private keys",
    severity=Severity.HIGH,
    fix=file_fixes.PRIVATE_KEYS,
)
def private_keys(found: KeyFiles, *, groups: frozenset[str] = frozenset({"root", "ssl-cert"})) -> Verdicts:
    """Who reads the key of a certificate poses as the service and reads along what is sent to it."""
    for file in found.files:
        yield _key(file, groups)


def _key(file: KeyFile, groups: frozenset[str]) -> Verdict:
    bits = int(file.mode, 8)
    kept = bits & (0o640 if file.group in groups else 0o600)
    if not file.read and kept != bits:
        return unknown(file.path, "whether it holds a key may not be read", needs="root, or its group")
    severity = None if bits & 0o007 else Severity.MEDIUM
    return expect(
        kept == bits,
        on=file.path,
        saw=f"{file.mode} {file.owner}:{file.group}" + (f", below {file.closed}" if file.closed else ""),
        want=f"0600, or 0640 with the group {' or '.join(sorted(groups))}",
        # The folder is in the way of others, for as long as it is.
        severity=Severity.LOW if file.closed else severity,
        values={
            "mode": f"{kept:04o}",
            "group": file.group,
            "owner_before": file.owner,
            "group_before": file.group,
            "mode_before": file.mode,
        },
    )
