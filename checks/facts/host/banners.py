"""What a host tells before and right after a login."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class Banner(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One banner file; its text stays on the host.

    `escapes` are the sequences that a login replaces with facts about the system, `words` the names of
    systems that stand in its text.
    """

    path: str
    empty: bool
    escapes: tuple[str, ...]
    words: tuple[str, ...]


class Banners(Fact, frozen=True, forbid_unknown_fields=True):
    """/etc/issue, /etc/issue.net and /etc/motd as far as they are there."""

    banners: tuple[Banner, ...]
    missing: tuple[str, ...]
    unread: tuple[str, ...] = ()
