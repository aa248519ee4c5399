"""Reads the filter patterns of CloudWatch Logs for JSON, and says whether one lets every event through.

A pattern is a tree of comparisons joined by && and ||. Whether it matches an event is asked of the tree,
so that order, spacing, parentheses and additions do not matter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Event = Mapping[str, str | bool | None]
Test = Callable[[Event], bool]

_TOKEN = re.compile(
    r"""\s*(?:(?P<op>&&|\|\||\(|\)|!=|>=|<=|=|>|<)|(?P<text>"[^"]*"|'[^']*')|(?P<word>[^\s()=!<>&|"']+))"""
)
_DEEPEST = 40


class PatternError(ValueError):
    """The pattern is none for JSON, or is written in a way that is not understood."""


@dataclass(slots=True)
class _Reader:
    tokens: list[tuple[str, str]]
    at: int = 0
    deep: int = field(default=0)

    def peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def next(self) -> tuple[str, str]:
        if self.at >= len(self.tokens):
            raise PatternError("the pattern ends too early")
        self.at += 1
        return self.tokens[self.at - 1]

    def either(self) -> Test:
        tests = [self.both()]
        while self.peek() == "||":
            self.next()
            tests.append(self.both())
        return tests[0] if len(tests) == 1 else lambda event: any(test(event) for test in tests)

    def both(self) -> Test:
        tests = [self.one()]
        while self.peek() == "&&":
            self.next()
            tests.append(self.one())
        return tests[0] if len(tests) == 1 else lambda event: all(test(event) for test in tests)

    def one(self) -> Test:
        if self.peek() == "(":
            self.deep += 1
            if self.deep > _DEEPEST:
                raise PatternError("the pattern is nested too deeply")
            self.next()
            inner = self.either()
            if self.next()[1] != ")":
                raise PatternError("a parenthesis is not closed")
            self.deep -= 1
            return inner
        kind, key = self.next()
        if kind != "word" or not key.startswith("$."):
            raise PatternError(f"no field of the event: {key[:40]}")
        return self._comparison(key.removeprefix("$."))

    def _comparison(self, key: str) -> Test:
        _, operator = self.next()
        if operator.upper() in ("NOT", "EXISTS", "IS"):
            return self._special(key, operator.upper())
        kind, value = self.next()
        plain = value[1:-1] if kind == "text" else value
        if len(plain) > 1 and plain[0] == plain[-1] == "%":
            # A regular expression, which a hostile account could make endless.
            raise PatternError("regular expressions are not understood")
        if kind == "op":
            raise PatternError(f"no value: {value}")
        if operator == "=":
            return lambda event: _equal(event.get(key), plain)
        if operator == "!=":
            return lambda event: not _equal(event.get(key), plain)
        raise PatternError(f"{operator} is not understood")

    def _special(self, key: str, operator: str) -> Test:
        following = self.next()[1].upper() if operator != "EXISTS" else ""
        if operator == "NOT" and following == "EXISTS":
            return lambda event: not _there(event, key)
        if operator == "EXISTS":
            return lambda event: _there(event, key)
        if operator == "IS" and following in ("TRUE", "FALSE", "NULL"):
            wanted = {"TRUE": "true", "FALSE": "false"}.get(following)
            if wanted:
                return lambda event: _equal(event.get(key), wanted)
            # A field that is missing is none that is null.
            return lambda event: key in event and event[key] is None
        raise PatternError(f"{operator} {following} is not understood")


def read(pattern: str) -> Test:
    """The test that a pattern puts to an event, given as its fields by path (`userIdentity.type`).

    Raises:
        PatternError: not understood.

    """
    text = pattern.strip()
    if not (text.startswith("{") and text.endswith("}")) or len(text) > 4096:
        raise PatternError("no pattern for JSON")
    tokens: list[tuple[str, str]] = []
    at, inner = 0, text[1:-1].rstrip()
    while at < len(inner):
        found = _TOKEN.match(inner, at)
        if not found or found.end() == at:
            raise PatternError(f"not understood: {inner[at : at + 40]}")
        kind = found.lastgroup or ""
        tokens.append((kind, found[kind]))
        at = found.end()
    reader = _Reader(tokens)
    test = reader.either()
    if reader.at != len(tokens):
        raise PatternError("the pattern goes on after its end")
    return test


def _there(event: Event, key: str) -> bool:
    """Whether the event has the field, or fields within it."""
    return any(name == key or name.startswith((f"{key}.", f"{key}[")) for name in event)


def _equal(have: str | bool | None, wanted: str) -> bool:
    if have is None:
        return False
    text = ("true" if have else "false") if isinstance(have, bool) else have
    return _like(wanted, text)


def _like(pattern: str, text: str) -> bool:
    """Whether the pattern, in which `*` alone stands for any text, matches the whole text."""
    first, *rest = pattern.split("*")
    if not rest:
        return pattern == text
    *middle, last = rest
    if not (text.startswith(first) and text.endswith(last) and len(text) >= len(first) + len(last)):
        return False
    at, end = len(first), len(text) - len(last)
    for part in middle:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True
