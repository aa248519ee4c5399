"""Passwords and keys that lie about: in histories, in files of programs, in what everybody reads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from checks.check import check
from checks.facts.host.secrets import ApplicationSecrets, CredentialFiles, Histories
from checks.fix import Effort, Fix, Language, Snippet
from checks.model import Confidence, Exploit, Impact, Severity
from checks.verdict import Verdict, Verdicts, expect, unknown

_NEEDS = "sudo: find and grep in the home folders"


@check(
    "host.secrets.history",
    title="No password stands in a command history",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    fix=Fix(
        action="Renew passwords that stand in command histories",
        do="Renew every password and token in `@{on}` (lines @{lines}) first: whoever read the file has "
        "them. Then take the lines out, and pass secrets by a file or by a prompt from now on. Which secrets "
        "they are and where else they are used, only a person can see.",
        verify="sed -n @{show} @{on}   # nothing that opens anything",
        effort=Effort(setup=0.5, each=0.5),
        undo="The lines need not come back; the renewed secrets stay.",
    ),
)
def history(found: Histories) -> Verdicts:
    """Histories are the first file that an intruder reads, and they go into every backup of the host."""
    by_file: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for line in found.lines:
        by_file[line.file].append((line.line, line.kind))
    for file, lines in by_file.items():
        numbers = [str(number) for number, _ in lines]
        kinds = sorted({kind for _, kind in lines})
        yield expect(
            False,
            on=file,
            saw=f"{len(lines)} lines: {', '.join(kinds)}",
            want="no secret",
            confidence=Confidence.LIKELY,
            values={"lines": ", ".join(numbers[:20]), "show": ";".join(f"{n}p" for n in numbers[:20])},
        )
    if found.more:
        yield unknown("further histories", f"only the first {len(found.lines)} lines with secrets were read")
    yield from _unsearched(found.unsearched)
    for file in found.files:
        if file not in by_file and not found.more:
            yield expect(True, on=file, saw="no secret was recognised", want="no secret")
    if not found.files and not found.unsearched:
        yield expect(True, on="histories", saw="no history in any home", want="no secret")


@check(
    "host.secrets.credential-modes",
    title="Files with passwords of programs are closed to others",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    fix=Fix(
        action="Close files with passwords of programs to others",
        do="Take all access to `@{on}` from group and others, and renew what stands in it: others could "
        "read it.",
        verify="stat -c %a @{on}   # 600",
        effort=Effort(setup=0.25, each=0.25),
        undo="Set the former mode: @{mode}.",
        snippets=(
            Snippet(Language.SHELL, "chmod go-rwx -- @{on}", "chmod @{mode} -- @{on}"),
            Snippet(
                Language.ANSIBLE,
                "- name: Close a file with passwords to others\n"
                "  ansible.builtin.file:\n    path: @{on}\n    mode: go-rwx\n    state: file",
            ),
        ),
        key="credential-modes",
    ),
)
def credential_modes(found: CredentialFiles) -> Verdicts:
    """Another account of the host reads the password there, and is in the database or the cloud with it."""
    for file in found.files:
        yield expect(
            not int(file.mode, 8) & 0o077,
            on=file.path,
            saw=f"{file.mode} {file.owner}:{file.group}",
            want="0600 or less",
            values={"mode": file.mode},
        )
    yield from _unopened(found)
    if not found.files and not found.unopened and not found.unsearched:
        yield expect(True, on="homes", saw="no such file with a secret", want="0600 or less")


@check(
    "host.secrets.credential-files",
    title="No password of a program lies in clear in a home",
    severity=Severity.LOW,
    impact=Impact.SERIOUS,
    fix=Fix(
        action="Move passwords of programs into a vault or a key ring",
        do="Take the password out of `@{on}`: use short-lived logins, a vault or the program's key ring. "
        "Which of them fits, and what stops working until then, only the owner of the program knows.",
        verify="test -e @{on} || echo gone   # gone",
        effort=Effort(setup=1, each=0.5),
        undo="Put the file back from the vault.",
    ),
)
def credential_files(found: CredentialFiles, *, allowed: frozenset[str] = frozenset()) -> Verdicts:
    """Whoever gets at the account, a backup or the disk has these passwords, and with them other systems."""
    bad = [file for file in found.files if file.path not in allowed]
    for file in bad:
        yield expect(False, on=file.path, saw="a secret in clear", want="no secret in clear")
    yield from _unopened(found)
    if not bad and not found.unopened and not found.unsearched:
        yield expect(True, on="homes", saw="no such file with a secret", want="no secret in clear")


def _unopened(found: CredentialFiles) -> Iterator[Verdict]:
    for file in found.unopened:
        yield unknown(file.path, f"what is in it could not be read (mode {file.mode})", needs=_NEEDS)
    yield from _unsearched(found.unsearched)


@check(
    "host.secrets.application-files",
    title="No secret of an application can be read by every account",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    fix=Fix(
        action="Close files with secrets of applications to others",
        do="Take read access to `@{on}` from others, and give it to the group of the application where that "
        "is another account than the file's owner; then renew what stands in it.",
        verify="stat -c %a @{on}   # the last digit is 0",
        effort=Effort(setup=0.5, each=0.25),
        undo="Set the former mode: @{mode}.",
        snippets=(
            Snippet(Language.SHELL, "chmod o-rwx -- @{on}", "chmod @{mode} -- @{on}"),
            Snippet(
                Language.ANSIBLE,
                "- name: Close a file with secrets to others\n"
                "  ansible.builtin.file:\n    path: @{on}\n    mode: o-rwx\n    state: file",
            ),
        ),
        key="application-secrets",
    ),
)
def application_files(found: ApplicationSecrets) -> Verdicts:
    """One hole in any service of the host, under any account, reads the database passwords of all others."""
    for file in found.files:
        yield expect(
            False,
            on=file.path,
            saw=f"a secret, {file.mode} {file.owner}:{file.group}",
            want="not readable by others",
            confidence=Confidence.LIKELY,
            values={"mode": file.mode},
        )
    if found.more:
        yield unknown("further files", f"only the first {len(found.files)} files were read")
    elif not found.files:
        saw = f"nothing found in {', '.join(found.folders)}" if found.folders else "no folder of applications"
        yield expect(True, on="application files", saw=saw, want="not readable by others")


def _unsearched(paths: tuple[str, ...]) -> Iterator[Verdict]:
    for path in paths:
        yield unknown(path, f"{path} may not be looked into", needs=_NEEDS)
