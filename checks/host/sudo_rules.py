"""What the rules of sudo allow beyond what they seem to allow."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from checks.check import check
from checks.facts.host.sudoers import SudoCommand, Sudoers, SudoRule
from checks.fix import Effort, Fix
from checks.host.sudo_edit import MANUAL, edit
from checks.host.sudo_programs import BY_ARGUMENT, INTERPRETERS, SHELLS
from checks.model import Exploit, Impact, Severity
from checks.verdict import Verdicts, expect

_UNDO = "Put the former rule back with `visudo -f @{file}`."
_VERIFY = "sudo -l -U @{who}   # the commands that are needed, and no others"

_OPEN_FOLDERS = ("/tmp/", "/var/tmp/", "/dev/shm/", "/home/")  # noqa: S108 - names to refuse
_HARMLESS = frozenset({"stat", "ls", "id", "test", "true", "echo"})
_WILD = re.compile(r"(?<!\\)[*?\[]")


def _rules(found: Sudoers) -> Iterator[tuple[SudoRule, tuple[SudoCommand, ...]]]:
    """The rules for others than root, with the commands that they allow as root."""
    for rule in found.rules:
        if set(rule.users) - {"root", "#0"}:
            yield rule, tuple(one for one in rule.commands if one.as_root)


def _judged(found: Sudoers, bad: Iterable[tuple[SudoRule, str]], *, good: str, want: str) -> Verdicts:
    """One failure for each account and file, with all that is wrong there; a pass where nothing is."""
    wrong: dict[tuple[str, str], list[str]] = {}
    for rule, what in bad:
        wrong.setdefault((rule.who, rule.file), []).append(what)
    for (who, file), found_there in wrong.items():
        yield expect(
            False,
            on=f"{who} in {file}",
            saw="; ".join(dict.fromkeys(found_there)),
            want=want,
            values={"who": who, "file": file},
            cite=who,
        )
    if not wrong:
        yield expect(True, on="sudo rules", saw=f"{good} ({len(found.rules)} rules)", want=want)


@check(
    "host.sudo-rules.everything",
    title="Few accounts may run everything as root",
    severity=Severity.MEDIUM,
    impact=Impact.TOTAL,
    fix=Fix(
        action="Narrow the sudo rules that allow everything",
        do="Ask what @{who} needs as root, and name those commands in @{file} instead of ALL (`visudo -f`); "
        "or make those people members of the one group of administrators. Which work needs root is for "
        "people to say. Keep a root session open meanwhile.",
        verify=_VERIFY,
        effort=Effort(setup=1, each=0.5),
        undo=_UNDO,
    ),
    refs=(MANUAL,),
)
def everything(
    found: Sudoers, *, allowed: frozenset[str] = frozenset({"root", "#0", "%sudo", "%wheel", "%admin"})
) -> Verdicts:
    """Each of these accounts is root for whoever gets it; the fewer there are, the fewer must be guarded."""
    asks_root = any(one.setting in ("targetpw", "rootpw") for one in found.defaults if not one.scope)
    holders: dict[str, str] = {}
    for rule, commands in _rules(found):
        for user in rule.users if any(one.command == "ALL" for one in commands) else ():
            if not user.startswith("!"):
                holders.setdefault(user, rule.file)
    for user, file in holders.items():
        everybody = user == "ALL" and not asks_root
        if user not in allowed:
            yield expect(
                False,
                on=user,
                saw=f"ALL, in {file}" + (", for who knows the password of root" if asks_root else ""),
                want=f"ALL for {' or '.join(sorted(allowed))} only",
                values={"who": user, "file": file},
                severity=Severity.CRITICAL if everybody else None,
                cite=user,
            )
    if not set(holders) - allowed:
        yield expect(True, on="sudo rules", saw=f"ALL for {', '.join(holders) or 'root'}", want=allowed)


@check(
    "host.sudo-rules.shell-escape",
    title="sudo allows no program that opens a shell",
    severity=Severity.HIGH,
    impact=Impact.TOTAL,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    fix=Fix(
        action="Take programs that open a shell out of the sudo rules",
        do="Replace `@{saw}` of @{who} in @{file}: `sudoedit` for files that are edited, the whole command "
        "with all its arguments for the rest, or a script of root that does the one thing. What the work "
        "needs is for people to say.",
        verify=_VERIFY,
        effort=Effort(setup=1, each=0.5),
        undo=_UNDO,
    ),
    refs=(MANUAL,),
)
def shell_escape(
    found: Sudoers, *, always: frozenset[str] = SHELLS, by_argument: frozenset[str] = BY_ARGUMENT
) -> Verdicts:
    """An editor, a pager or find starts a shell on request: the rule for one program is a rule for all."""
    bad = [
        (rule, one.command)
        for rule, commands in _rules(found)
        for one in commands
        if _escapes(one.command, always, by_argument)
    ]
    yield from _judged(found, bad, good="none opens a shell", want="no program that opens a shell")


def _escapes(command: str, always: frozenset[str], by_argument: frozenset[str]) -> bool:
    path, _, arguments = command.partition(" ")
    if path == "sudoedit":
        # Without a file in the rule it edits every file, sudoers first.
        return not arguments
    if not path.startswith("/"):
        return False
    if path.endswith("/"):
        # All programs of a folder.
        return True
    name = path.rpartition("/")[2]
    # python3.11 is python3.
    names = {name, re.sub(r"(?<=\d)\.\d+$", "", name)}
    # Without arguments in the rule all arguments are allowed; with "" none is.
    free = not arguments or _WILD.search(arguments) is not None
    if names & INTERPRETERS and arguments.startswith("/") and not free:
        # The one script, which the caller does not choose.
        return False
    return bool(names & always) or (bool(names & by_argument) and free)


@check(
    "host.sudo-rules.wildcards",
    title="No sudo rule has a wildcard",
    severity=Severity.MEDIUM,
    impact=Impact.TOTAL,
    fix=Fix(
        action="Take wildcards out of the sudo rules",
        do="Write each command of @{who} in @{file} out in full, one for each case: `@{saw}`. Which cases "
        "there are is for people to say.",
        verify=_VERIFY,
        effort=Effort(setup=0.5, each=0.25),
        undo=_UNDO,
    ),
    refs=(MANUAL,),
)
def wildcards(found: Sudoers, *, harmless: frozenset[str] = _HARMLESS) -> Verdicts:
    """A star takes blanks, slashes and further options in: a rule for one log reads or writes every file."""
    bad = [
        (rule, one.command)
        for rule, commands in _rules(found)
        for one in commands
        if one.command.startswith(("/", "sudoedit "))
        and _WILD.search(one.command)
        and (
            one.command.split()[0].rpartition("/")[2] not in harmless or _WILD.search(one.command.split()[0])
        )
    ]
    yield from _judged(found, bad, good="no wildcard", want="commands in full")


@check(
    "host.sudo-rules.exclusions",
    title="No sudo rule allows all but something",
    severity=Severity.MEDIUM,
    impact=Impact.TOTAL,
    fix=Fix(
        action="Turn sudo rules with exclusions around",
        do="Name what @{who} may do in @{file} instead of what not: `@{saw}` keeps nobody out. What the work "
        "needs is for people to say.",
        verify=_VERIFY,
        effort=Effort(setup=0.5, each=0.25),
        undo=_UNDO,
    ),
    refs=(MANUAL,),
)
def exclusions(found: Sudoers) -> Verdicts:
    """A copy of the forbidden program under another name, or a shell, gets around every such rule."""
    bad = []
    for rule, commands in _rules(found):
        denied = [one.command for one in commands if one.command.startswith("!")]
        if denied and any(one.command == "ALL" for one in commands):
            bad.append((rule, f"ALL, {', '.join(denied)}"))
        bad += [(rule, f"({one.runas}) {one.command}") for one in rule.commands if "!" in one.runas]
    yield from _judged(found, bad, good="none", want="only what is allowed is named")


@check(
    "host.sudo-rules.open-places",
    title="Programs that sudo runs lie in folders of root",
    severity=Severity.HIGH,
    impact=Impact.TOTAL,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    fix=Fix(
        action="Move programs that sudo runs to folders of root",
        do="Read `@{saw}`, copy it to /usr/local/sbin with owner root and mode 0755, and name it there in "
        "the rule of @{who} in @{file}. Whether the program is what it should be is for people to see.",
        verify=_VERIFY,
        effort=Effort(setup=0.5, each=0.25),
        undo=_UNDO,
    ),
    refs=(MANUAL,),
)
def open_places(found: Sudoers, *, folders: tuple[str, ...] = _OPEN_FOLDERS) -> Verdicts:
    """Whoever owns the folder replaces the program, and sudo runs the new one as root."""
    bad = [
        (rule, one.command)
        for rule, commands in _rules(found)
        for one in commands
        if one.command.startswith(folders)
    ]
    yield from _judged(found, bad, good="none elsewhere", want="programs in folders of root")


@check(
    "host.sudo-rules.set-environment",
    title="No sudo rule lets the caller set the environment",
    severity=Severity.HIGH,
    impact=Impact.TOTAL,
    fix=Fix(
        action="Take SETENV out of the sudo rules",
        do="Take SETENV out of the rule of @{who} in @{file} (`visudo -f`); put the variables that the job "
        "needs into env_keep.",
        verify="sudo grep -n SETENV @{file}   # no rule of the account",
        effort=Effort(setup=0.5, each=0.1),
        undo="Put the line that stands above it as a comment back in its place, and check with `visudo -c`.",
        snippets=edit("setenv", "/SETENV/", r'gsub(/SETENV[ \t]*:[ \t]*/, "")', who=True),
    ),
    refs=(MANUAL,),
)
def set_environment(found: Sudoers) -> Verdicts:
    """With LD_PRELOAD set by the caller, the one command that is allowed runs the caller's code as root."""
    bad = [
        (rule, one.command)
        for rule, commands in _rules(found)
        for one in commands
        # Who may run everything needs no variable for it.
        if "SETENV" in one.tags and one.command != "ALL"
    ]
    yield from _judged(found, bad, good="none sets it", want="no SETENV")
