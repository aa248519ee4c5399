"""What every login gets: the umask, the time-out of idle shells, and root's search path."""

from __future__ import annotations

import re
from collections.abc import Iterator

from checks.check import check
from checks.facts.host.files import FileMode
from checks.facts.host.login_rules import LoginDefs, PathEntry, RootPath, ShellStart
from checks.fix import Effort, Fix, Language, Snippet
from checks.model import Exploit, Impact, Severity
from checks.verdict import Verdict, Verdicts, expect, not_applicable, unknown

_DEFS = "/etc/login.defs"
_UMASK = "[uU][mM][aA][sS][kK][[:space:]=][[:space:]]*[\\\"']*"
_DROP_IN = "/etc/profile.d/zz-{}.sh"


def _edit(name: str, word: str, value: str, line: str) -> Snippet:
    """Sets `@{good}` where `@{file}` sets something (`@{there}`), else writes a line into a new file.

    `word` and `value` are what stands there, as sed reads it. The former line stays as a comment above.
    """
    return Snippet(
        Language.SHELL,
        "file=@{file}\nthere=@{there}\ngood=@{good}\n"
        'if [ -n "$there" ]; then\n'
        f'  sed -i "/^[[:space:]]*#/!{{/{word}{value}/{{h;s/^/#before {name}: /;p;g;'
        f's/\\({word}\\){value}/\\1$good/g}}}}" "$file"\n'
        f'else printf \'{line}\\n\' "$good" >>"$file" && chmod 644 "$file"; fi',
        "file=@{file}\nthere=@{there}\ngood=@{good}\n"
        'if [ -n "$there" ]; then\n'
        f"  sed -i '/^#before {name}: /{{N;s/^#before {name}: \\([^\\n]*\\)\\n.*$/\\1/}}' \"$file\"\n"
        f'else sed -i "/^$(printf \'{line}\' "$good")\\$/d" "$file" &&\n'
        '  { [ -s "$file" ] || rm -f "$file"; }; fi',
    )


@check(
    "host.login-rules.umask",
    title="New files are closed to others by default",
    severity=Severity.LOW,
    fix=Fix(
        action="Set the default umask to 027",
        do="Set the umask to @{good} in @{file}. Services that share files by group or with everybody need a "
        "look first: UMask= in their unit keeps the former one for them.",
        verify="su - root -c umask   # 0027",
        effort=Effort(setup=0.5, each=0.05),
        undo="Set the former value in the same file.",
        snippets=(_edit("umask", _UMASK, "[0-7ugo][0-7a-z,=]*", "umask %s"),),
        key="login-rules:umask",
    ),
)
def umask(defs: LoginDefs, shells: ShellStart, *, wanted: str = "027") -> Verdicts:
    """With an open umask every file that somebody makes in a hurry is readable by all accounts."""
    want = int(wanted, 8)
    drop_in = _DROP_IN.format("umask")
    set_here = [(one.file, one.value) for one in shells.umasks]
    set_here += [(one.file, one.value) for one in shells.pam_umask if one.value]
    by_pam = any(not one.value for one in shells.pam_umask)
    if "UMASK" in defs.settings and by_pam:
        set_here.append((_DEFS, defs.settings["UMASK"]))
    for file in dict.fromkeys(file for file, _ in set_here):
        values = [value for place, value in set_here if place == file]
        odd = [value for value in values if _mask(value) is None]
        if odd:
            yield unknown(file, f"the umask is given as {odd[0][:40]!r}, which was not understood")
            continue
        yield expect(
            all((_mask(value) or 0) & want == want for value in values),
            on=file,
            saw=", ".join(dict.fromkeys(values)),
            want=f"{wanted} or tighter",
            values={"file": file, "there": "yes", "good": wanted},
        )
    yield from _unread(shells)
    if not set_here and not shells.unread:
        yield expect(
            False,
            on="umask",
            saw="set nowhere: programs start with 022",
            want=f"{wanted} or tighter",
            values={"file": drop_in, "there": "", "good": wanted},
        )


def _mask(value: str) -> int | None:
    """The bits that a umask takes away; of the symbolic form `u=rwx,g=rx,o=` too."""
    if re.fullmatch(r"[0-7]{1,4}", value):
        return int(value, 8)
    given = 0
    for part in value.split(","):
        found = re.fullmatch(r"([ugo])=([rwx]*)", part)
        if found is None:
            return None
        bits = sum({"r": 4, "w": 2, "x": 1}[one] for one in set(found[2]))
        given |= bits << {"u": 6, "g": 3, "o": 0}[found[1]]
    return 0o777 & ~given


def _unread(shells: ShellStart) -> Iterator[Verdict]:
    for path in shells.unread:
        yield unknown(path, f"{path} may not be read", needs=f"sudo: cat {path}")


@check(
    "host.login-rules.timeout",
    title="Idle shells end by themselves",
    severity=Severity.LOW,
    fix=Fix(
        action="End idle shells",
        do="Set TMOUT to @{good} seconds, read-only, in @{file}. Long jobs at a prompt belong into tmux or a "
        "unit, which it does not touch.",
        verify="grep -rh TMOUT /etc/profile /etc/profile.d   # TMOUT=900, readonly",
        effort=Effort(setup=0.25, each=0.05),
        undo="Set the former value in the same file.",
        snippets=(
            _edit("timeout", "TMOUT=[\\\"']*", "[0-9]*", "TMOUT=%s; readonly TMOUT; export TMOUT"),
            Snippet(
                Language.ANSIBLE,
                "- name: End idle shells\n"
                "  ansible.builtin.copy:\n"
                "    dest: /etc/profile.d/zz-timeout.sh\n"
                '    content: "TMOUT=900; readonly TMOUT; export TMOUT\\n"\n'
                '    mode: "0644"',
            ),
        ),
        key="login-rules:timeout",
    ),
)
def timeout(found: ShellStart, *, most: int = 900) -> Verdicts:
    """A root shell that somebody left open at lunch is open to whoever passes by the desk."""
    want, drop_in = f"{most} s or less, read-only", _DROP_IN.format("timeout")
    for file in dict.fromkeys(one.file for one in found.timeouts):
        given = [one.value for one in found.timeouts if one.file == file]
        seconds = [int(value) if value.isascii() and value.isdigit() else 0 for value in given]
        yield expect(
            all(0 < one <= most for one in seconds),
            on=file,
            saw=", ".join(f"TMOUT={value}" for value in given),
            want=want,
            values={"file": file, "there": "yes", "good": str(most)},
        )
    yield from _unread(found)
    if found.unread and not (found.timeouts and found.fixed):
        return
    yield expect(
        bool(found.timeouts) and found.fixed,
        on="TMOUT",
        saw=("read-only" if found.fixed else "can be changed") if found.timeouts else "set nowhere",
        want=want,
        values={"file": drop_in, "there": "", "good": str(most)},
    )


@check(
    "host.login-rules.root-path",
    title="Root's commands come only from folders that root alone writes",
    severity=Severity.HIGH,
    impact=Impact.TOTAL,
    exploit=Exploit.POC,
    fix=Fix(
        action="Clean root's search path",
        do="Take `@{folder}` out of the PATH in @{file}, or give the folder to root and close it to others. "
        "Which of both is right depends on what root runs from it, so a person decides.",
        verify="grep -n PATH @{file}   # without the folder",
        effort=Effort(setup=0.25, each=0.25),
        undo="Put the entry back.",
    ),
)
def root_path(found: RootPath) -> Verdicts:
    """Who writes into a folder of root's path waits there under the name of a common command."""
    folders = {one.path: one for one in found.folders}
    fine: dict[str, int] = {}
    for entry in found.entries:
        shown = entry.folder or "an empty entry"
        fault = _fault(entry, folders, found)
        values = {"folder": shown, "file": entry.file}
        on = f"{shown} in {entry.file}"
        if fault is None:
            reason = f"{shown} may not be looked at, or depends on another variable"
            yield unknown(on, reason, needs=f"sudo: stat {shown}" if entry.folder.startswith("/") else "")
        elif fault:
            yield expect(False, on=on, saw=fault, want="a folder of root alone", values=values, cite=shown)
        else:
            fine[entry.file] = fine.get(entry.file, 0) + 1
    for path in found.unread:
        yield unknown(path, f"{path} may not be read", needs=f"sudo: grep PATH {path}")
    for file, count in fine.items():
        yield expect(True, on=file, saw=f"{count} folders of root alone", want="folders of root alone")
    if not found.entries and not found.unread:
        yield not_applicable("PATH", "no file sets root's search path")


def _fault(entry: PathEntry, folders: dict[str, FileMode], found: RootPath) -> str | None:
    """What is wrong with one entry, empty if nothing is, None if that cannot be seen."""
    path = entry.folder.rstrip("/") or entry.folder
    if not path.startswith("/") and "$" not in path and "`" not in path:
        return "the folder one stands in" if path in ("", ".") else "a folder below the one one stands in"
    if "$" in path or "`" in path or path in found.unseen:
        return None
    step, last = path, True
    while True:
        if step in folders:
            if fault := _open(folders[step], last=last):
                return fault
            last = False
        elif step not in found.absent:
            return None
        if step == "/":
            return ""
        step = step.rpartition("/")[0] or "/"


def _open(folder: FileMode, *, last: bool) -> str:
    bits = int(folder.mode, 8)
    # A sticky folder keeps others from replacing what is in it, and lets them add what is missing.
    kept = bits & 0o1000 and not last
    if folder.owner != "root":
        return f"{folder.path} belongs to {folder.owner}"
    if bits & 0o002 and not kept:
        return f"everybody may write to {folder.path} ({folder.mode})"
    if bits & 0o020 and folder.group != "root":
        return f"the group {folder.group} may write to {folder.path} ({folder.mode})"
    return ""
