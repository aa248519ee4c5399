"""What to do about a failure: in words, in hours, and as commands over the real resource."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from enum import StrEnum

import msgspec


class _Visible(dict[int, str]):
    """What stands for each character in a text for people; filled as characters are met."""

    def __missing__(self, code: int) -> str:
        shown = chr(code) if chr(code).isprintable() else f"\\u{code:04x}"
        if len(self) < _KEPT:
            self[code] = shown
        return shown


_KEPT = 4_096
_VISIBLE = _Visible()
_PLACEHOLDER = re.compile(r"@\{(\w+)\}")


class Disruption(StrEnum):
    """What the fix interrupts."""

    NONE = "none"
    RESTART = "restart"
    REBOOT = "reboot"
    OUTAGE = "outage"


class Language(StrEnum):
    """The language of a snippet; it decides how names that come from a target are quoted."""

    SHELL = "shell"
    ANSIBLE = "ansible"
    AWS_CLI = "aws-cli"
    TERRAFORM = "terraform"


class Effort(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Hours of work: once to set up, then per asset. `low` and `high` scale the likely figure."""

    setup: float
    each: float
    low: float = 0.6
    high: float = 2.0

    def hours(self, assets: int) -> tuple[float, float, float]:
        """(low, likely, high) hours for that many assets."""
        likely = self.setup + self.each * assets
        return likely * self.low, likely, likely * self.high


class Snippet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Commands that do the fix, with `@{on}`-style places for the finding's real names."""

    language: Language
    do: str
    undo: str = ""


class Fix(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The repair that a check proposes.

    All texts may hold places: `@{on}`, `@{region}`, `@{target}`, `@{saw}`, `@{want}` and whatever the
    verdict names in `values`. `verify` is a shell command with its expected answer as a comment.
    `key` names the change: findings whose rendered keys are equal are closed by one action. Without a
    key the check's id is used, so that one action covers all assets on which this check fails.
    `action` is the imperative title of that action; without it, `do` up to its first full stop.
    """

    do: str
    verify: str
    effort: Effort
    disruption: Disruption = Disruption.NONE
    undo: str = ""
    snippets: tuple[Snippet, ...] = ()
    action: str = ""
    key: str = ""


class FixText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A fix with its places filled from one finding."""

    action: str
    do: str
    verify: str
    undo: str
    effort: Effort
    disruption: Disruption
    snippets: tuple[Snippet, ...] = ()


def render_fix(fix: Fix, values: Mapping[str, str]) -> FixText:
    """The fix with every place filled from `values`, each quoted for the language it lands in.

    A place that `values` does not name stays visible as `<name>`: a pass needs no repair, and a
    contract test holds that every failure names all its places.
    """

    def shell(text: str) -> str:
        return fill(text, values, Language.SHELL)

    return FixText(
        action=fill(fix.action, values) if fix.action else _headline(fill(fix.do, values)),
        do=fill(fix.do, values),
        verify=shell(fix.verify),
        undo=fill(fix.undo, values),
        effort=fix.effort,
        disruption=fix.disruption,
        snippets=tuple(
            Snippet(s.language, fill(s.do, values, s.language), fill(s.undo, values, s.language))
            for s in fix.snippets
        ),
    )


def fix_key(fix: Fix, check_id: str, values: Mapping[str, str]) -> str:
    """The name of the change that closes the finding; equal for findings that one change closes."""
    return fill(fix.key, values) if fix.key else check_id


def fill(template: str, values: Mapping[str, str], language: Language | None = None) -> str:
    """The template with each `@{name}` replaced by its quoted value; `None` means prose."""

    def replaced(place: re.Match[str]) -> str:
        name = place[1]
        return quote(values[name], language) if name in values else f"<{name}>"

    return _PLACEHOLDER.sub(replaced, template)


def places(template: str) -> frozenset[str]:
    """The names that a template asks for."""
    return frozenset(_PLACEHOLDER.findall(template))


def quote(value: str, language: Language | None) -> str:
    """A name that comes from a target, made safe for the language that it lands in.

    Control characters never survive: no real name of a resource has them, and in a shell script or
    a playbook they are the way out of a comment or a line.
    """
    visible = printable(value)
    match language:
        case Language.SHELL | Language.AWS_CLI:
            return shlex.quote(visible)
        case Language.ANSIBLE:
            # Jinja looks inside YAML strings after YAML has undone its escapes; `!unsafe` keeps it out.
            return f"!unsafe {_in_quotes(visible)}" if "{" in visible else _in_quotes(visible)
        case Language.TERRAFORM:
            return _in_quotes(visible).replace("${", "$${").replace("%{", "%%{")
        case None:
            return visible


def printable(text: str) -> str:
    """The text with control, bidirectional and zero-width characters made visible."""
    return text if text.isprintable() else text.translate(_VISIBLE)


def _in_quotes(visible: str) -> str:
    # Not in ASCII: JSON writes 😀 as two escapes, which YAML and HCL read as two halves of nothing.
    return json.dumps(visible, ensure_ascii=False)


def _headline(text: str) -> str:
    first, _, _ = text.partition(". ")
    return first.rstrip(".")
