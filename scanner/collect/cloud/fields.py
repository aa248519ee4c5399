"""Values out of an answer of AWS: each is there in the right form, or the answer is not readable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from scanner.collect.collector import stamp

Raw = Mapping[str, Any]


class UnreadableError(ValueError):
    """A field that AWS always sends is missing or of another form."""


def text(raw: Raw, key: str, default: str | None = None) -> str:
    """A text; `default` is what AWS itself takes where the field is missing."""
    value: str = _typed(raw, key, str, default)
    return value


def flag(raw: Raw, key: str, default: bool | None = None) -> bool:
    """A yes or no; `default` as for `text`."""
    value: bool = _typed(raw, key, bool, default)
    return value


def number(raw: Raw, key: str, default: int | None = None) -> int:
    """A whole number; `default` as for `text`."""
    value: int = _typed(raw, key, int, default)
    return value


def group(raw: Raw, key: str) -> Raw:
    """A nested structure; empty where AWS leaves it out."""
    value: Raw = _typed(raw, key, Mapping, {})
    return value


def items(raw: Raw, key: str) -> Sequence[Raw]:
    """A list of structures that AWS always sends, also when it is empty."""
    value: Sequence[Raw] = _typed(raw, key, Sequence, None)
    return value


def some(raw: Raw, key: str) -> Sequence[Any]:
    """A list that AWS leaves out when it is empty."""
    value: Sequence[Any] = _typed(raw, key, Sequence, ())
    return value


def time_of(raw: Raw, key: str) -> str:
    """A time as RFC 3339 in UTC."""
    moment: datetime = _typed(raw, key, datetime, None)
    return stamp(moment)


def time_or_never(raw: Raw, key: str) -> str:
    """A time as RFC 3339 in UTC; empty where AWS leaves it out because it never was."""
    return time_of(raw, key) if raw.get(key) is not None else ""


def _typed(raw: Raw, key: str, kind: type, default: object) -> Any:
    value = raw.get(key)
    if value is None:
        value = default
    if value is None:
        raise UnreadableError(f"the answer does not hold {key}")
    if not isinstance(value, kind):
        raise UnreadableError(f"{key} of the answer has another form than AWS documents")
    return value
