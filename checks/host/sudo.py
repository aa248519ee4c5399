"""Who may become root through sudo, and whether they are asked for a password."""

from __future__ import annotations

import re

from checks.check import check
from checks.facts.host.sudoers import Sudoers
from checks.fix import Effort, Fix
from checks.host.sudo_edit import MANUAL, drop_in, edit
from checks.model import Impact, Severity
from checks.verdict import Verdicts, expect

_UNDO = "Put the line that stands above it as a comment back in its place, and check with `visudo -c`."


@check(
    "host.sudo.no-password",
    title="sudo asks for a password",
    severity=Severity.HIGH,
    impact=Impact.TOTAL,
    fix=Fix(
        action="Make sudo ask for a password",
        do="Take NOPASSWD out of the rule of @{who} in @{file} (`visudo -f`); see first that @{who} has a "
        "password. For a job that needs a command without one, name that command alone.",
        verify="sudo grep -n NOPASSWD @{file}   # no rule of the account",
        effort=Effort(setup=0.5, each=0.1),
        undo=_UNDO,
        snippets=edit("no-password", "/NOPASSWD/", r'gsub(/NOPASSWD[ \t]*:[ \t]*/, "")', who=True),
    ),
    refs=(MANUAL,),
)
def no_password(found: Sudoers, *, allowed: frozenset[str] = frozenset()) -> Verdicts:
    """Whoever gets such an account for a moment (an open screen, a stolen key) is root at once."""
    bad: dict[tuple[str, str], list[str]] = {}
    for rule in found.rules:
        if rule.no_password and not set(rule.who.split(",")) <= allowed:
            bad.setdefault((rule.who, rule.file), []).append(rule.grants)
    for (who, file), grants in bad.items():
        yield expect(
            False,
            on=f"{who} in {file}",
            saw="; ".join(grants),
            want="a password is asked for",
            values={"who": who, "file": file},
            # Named commands without a password are a smaller door than all of them.
            severity=Severity.MEDIUM if all(_named_only(one) for one in grants) else None,
            cite=who,
        )
    if not bad:
        yield expect(True, on="sudo rules", saw="no rule without a password", want="a password is asked for")


def _named_only(grants: str) -> bool:
    """Whether all that goes without a password are programs by their paths, not ALL and not an alias."""
    for part in re.split(r"\s:\s[^:=]+=", grants):
        free = False
        for one in re.sub(r"\([^)]*\)", " ", part).split(","):
            *tags, command = re.split(r"([A-Z_]+)\s*:", one)
            for tag in tags:
                free = tag == "NOPASSWD" if tag.endswith("PASSWD") else free
            if free and not command.strip().startswith(("/", "!", "sudoedit")):
                return False
    return True


@check(
    "host.sudo.authenticate",
    title="sudo's authentication is not switched off",
    severity=Severity.HIGH,
    impact=Impact.TOTAL,
    fix=Fix(
        action="Switch sudo's authentication back on",
        do="Take `@{setting}` out of the Defaults in @{file} with `visudo -f`.",
        verify="sudo grep -RnE '! *authenticate|exempt_group *=' /etc/sudoers /etc/sudoers.d   # nothing",
        effort=Effort(setup=0.25, each=0.05),
        undo=_UNDO,
        snippets=edit(
            "authenticate",
            r"/^[ \t]*Defaults/ && /![ \t]*authenticate|exempt_group/",
            r'gsub(/![ \t]*authenticate/, "authenticate"); gsub(/exempt_group[ \t]*=[^,]*/, "!exempt_group")',
        ),
    ),
    refs=(MANUAL,),
)
def authenticate(found: Sudoers) -> Verdicts:
    """With this default no rule asks for a password, whatever the rules themselves say."""
    bad = [
        one
        for one in found.defaults
        # Members of the exempt group are never asked.
        if one.setting == "!authenticate" or one.setting.startswith("exempt_group=")
    ]
    for one in bad:
        yield expect(
            False,
            on=f"Defaults{one.scope} in {one.file}",
            saw=one.setting,
            want="authenticate, and no exempt_group",
            values={"file": one.file, "setting": one.setting},
            cite=one.setting.partition("=")[0],
        )
    if not bad:
        yield expect(True, on="sudo defaults", saw="authenticate", want="authenticate")


@check(
    "host.sudo.pty",
    title="sudo runs commands in a terminal of their own",
    severity=Severity.LOW,
    fix=Fix(
        action="Run sudo's commands in a terminal of their own",
        do="Add `Defaults use_pty` to a file in /etc/sudoers.d.",
        verify="sudo grep -rn use_pty /etc/sudoers /etc/sudoers.d   # Defaults use_pty",
        effort=Effort(setup=0.25, each=0.05),
        undo="Delete the file.",
        snippets=drop_in(),
    ),
    refs=(MANUAL,),
)
def pty(found: Sudoers) -> Verdicts:
    """Without it a program run as root can type commands into the terminal of the user after it has ended."""
    # The last Defaults line wins, for each of those whom it is for.
    last = {one.scope: one.setting for one in found.values("use_pty")}
    by_itself = _has_pty(found.version)
    last.setdefault("", "use_pty" if by_itself else "not set")
    for scope, setting in last.items():
        on = f"Defaults{scope} use_pty" if scope else "use_pty"
        yield expect(
            setting == "use_pty",
            on=on,
            saw=setting,
            want="use_pty",
            values={
                "key": re.sub(r"\W+", "-", f"{scope}use-pty").strip("-")[:60],
                "line": f"Defaults{scope} use_pty",
            },
        )


def _has_pty(version: str) -> bool:
    """Whether sudo of that version does it without being told: since 1.9.14, and sudo-rs from the start."""
    numbers = [int(one) for one in version.split(".") if one.isdigit()]
    return bool(numbers) and (numbers[0] == 0 or numbers >= [1, 9, 14])
