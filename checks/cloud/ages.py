"""How long ago something was."""

from __future__ import annotations

from datetime import datetime


def days_since(moment: str, now: datetime) -> int | None:
    """Whole days since a time in RFC 3339; None for an empty one."""
    return (now - datetime.fromisoformat(moment)).days if moment else None


def days_until(moment: str, now: datetime) -> int | None:
    """Whole days until a time in RFC 3339, below 0 once it is over; None for an empty one."""
    return (datetime.fromisoformat(moment) - now).days if moment else None
