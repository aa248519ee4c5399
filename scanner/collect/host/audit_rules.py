"""Reads audit rules, as people write them and as auditctl lists them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from checks.facts.host.audit import AuditRule
from scanner.collect.host.probe import ParseError

_ALL_PERMISSIONS = "rwxa"
_NOBODY = frozenset({"4294967295", "unset", "-1"})
_FILTERS = ("exit", "entry", "task", "user", "exclude", "filesystem", "io_uring")
_ONE = frozenset("aAdwWpSFCk")
"""The options that take one argument and belong to a rule."""
_SPECIAL = {"path": "path", "dir": "path", "perm": "perm", "arch": "arch", "key": "key"}


def rule(line: str) -> AuditRule | None:
    """The rule on that line; None for a line that is none (a comment, or a setting such as `-b 8192`).

    Raises:
        ParseError: a line that begins like a rule and does not read like one.

    """
    if not line.startswith(("-a", "-A", "-w")):
        return None
    action, listed = "always", "exit"
    syscalls: set[str] = set()
    fields: set[str] = set()
    special: dict[str, str] = {}
    for option, value in _options(line):
        if option in "aA":
            action, listed = _list(value)
        elif option in "wp":
            special["path" if option == "w" else "perm"] = value
        elif option == "S":
            syscalls.update(part for part in value.split(",") if part and part != "all")
        elif option == "C":
            fields.add(_comparison(value))
        elif option == "F":
            name, sign, rest = _field(value)
            if sign == "=" and name in _SPECIAL:
                special[_SPECIAL[name]] = rest
            else:
                fields.add(f"{name}{sign}{'unset' if rest in _NOBODY else rest}")
    path = special.get("path", "")
    wanted = special.get("perm", _ALL_PERMISSIONS) if path else ""
    return AuditRule(
        action,
        listed,
        (path.rstrip("/") or "/") if path else "",
        "".join(one for one in _ALL_PERMISSIONS if one in wanted),
        tuple(sorted(syscalls)),
        special.get("arch", ""),
        tuple(sorted(fields)),
    )


def setting(line: str, option: str) -> str:
    """The value of a setting such as `-e 2` on its own line, or an empty text."""
    words = line.split()
    return words[1] if len(words) == 2 and words[0] == option else ""


def _options(line: str) -> Iterator[tuple[str, str]]:
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise ParseError(f"no audit rule: {line[:60]!r}: {error}") from None
    at = 0
    while at < len(words):
        word = words[at]
        if len(word) < 2 or word[0] != "-" or word[1] not in _ONE:
            raise ParseError(f"no audit rule: {line[:60]!r}")
        if len(word) > 2:
            yield word[1], word[2:]
            at += 1
        elif at + 1 < len(words):
            yield word[1], words[at + 1]
            at += 2
        else:
            raise ParseError(f"no audit rule: {line[:60]!r}")


def _list(value: str) -> tuple[str, str]:
    """Action and list, which may stand in either order."""
    parts = value.split(",")
    if len(parts) == 2:
        for action, listed in (parts, parts[::-1]):
            if action in ("always", "never", "possible") and listed in _FILTERS:
                return action, listed
    raise ParseError(f"no list of audit rules: {value[:40]!r}")


def _field(value: str) -> tuple[str, str, str]:
    for sign in ("!=", ">=", "<=", "&=", "=", ">", "<", "&"):
        name, found, rest = value.partition(sign)
        if found and name.isidentifier():
            return name, sign, rest
    raise ParseError(f"no field of an audit rule: {value[:40]!r}")


def _comparison(value: str) -> str:
    """A comparison of two fields, which auditctl may list in the other order."""
    name, sign, other = _field(value)
    return sign.join(sorted((name, other)))
