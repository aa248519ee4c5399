"""A policy document as IAM and the resource policies of AWS write it, read into words."""

from __future__ import annotations

import msgspec


class Condition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One test of a statement: `StringEquals`, `aws:PrincipalOrgID`, the values of which one must match."""

    operator: str
    key: str
    values: tuple[str, ...]


class Statement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One statement. `allow` is False for a Deny.

    A principal is `*` for everybody (also where it was written as `{"AWS": "*"}`), else its kind and
    name: `AWS:arn:…`, `Service:…`, `Federated:…`, `CanonicalUser:…`.
    """

    allow: bool
    sid: str = ""
    principals: tuple[str, ...] = ()
    not_principals: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    not_resources: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All statements of one document; none where the resource has no policy."""

    statements: tuple[Statement, ...] = ()


def matches(pattern: str, text: str) -> bool:
    """Whether an IAM pattern (`*` any text, `?` one character) matches the whole text.

    Takes time in proportion to both lengths, also for patterns made to be slow. A text that holds
    wildcards itself is matched letter by letter, so that a match means that the pattern covers it.
    """
    at = read = 0
    star = -1
    resume = 0
    while read < len(text):
        if at < len(pattern) and pattern[at] == "*":
            star, resume = at, read
            at += 1
        elif at < len(pattern) and (pattern[at] == text[read] or (pattern[at] == "?" and text[read] != "*")):
            at, read = at + 1, read + 1
        elif star >= 0:
            resume += 1
            at, read = star + 1, resume
        else:
            return False
    return all(letter == "*" for letter in pattern[at:])
