"""Imports feeds: tells their forms, reads them into one transaction, and keeps where they came from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from scanner.intel.draft import Draft, day
from scanner.intel.formats import (
    alpine,
    csaf,
    cycles,
    debian,
    exploits,
    osv,
    oval,
    points,
    updateinfo,
)
from scanner.intel.formats.form import Form
from scanner.intel.store import Feeds, Part
from scanner.intel.unpack import FeedError, Source

FORMS: tuple[Form, ...] = (
    *exploits.FORMS,
    *points.FORMS,
    *cycles.FORMS,
    *debian.FORMS,
    *alpine.FORMS,
    *csaf.FORMS,
    *osv.FORMS,
    *oval.FORMS,
    *updateinfo.FORMS,
)
"""All forms, those that are told most surely first."""


@dataclass(frozen=True, slots=True)
class Offered:
    """A file to import. `origin` is its URL or path; `date` the day that somebody states for its data.

    `fallback` is the day for data that has none of its own: that of the file on the publisher's server.
    """

    source: Source
    origin: str
    date: str = ""
    fallback: str = ""
    etag: str = ""
    modified: str = ""
    name: str = ""
    """The feed that it has to be; empty for any."""


def form_of(source: Source) -> Form:
    """The form of a file, by what is in it.

    Raises:
        FeedError: none of those that are read.

    """
    try:
        head = source.head()
    except FeedError as error:
        raise FeedError(f"{source.label}: {error}") from None
    found = next((form for form in FORMS if form.looks(head)), None)
    if found is None:
        raise FeedError(f"{source.label}: none of the forms that are read; docs/feeds.md lists them")
    return found


def import_all(feeds: Feeds, offered: Sequence[Offered], *, at: str) -> list[Part]:
    """Imports these files in one transaction; each feed among them takes the place of its former data.

    Files that are parts of one feed (a folder of records) become that feed together.

    Raises:
        FeedError: one of them cannot be read; then nothing at all was changed.

    """
    kept: list[Part] = []
    with feeds.transaction():
        for one in offered:
            kept.append(_import(feeds, one, at))
        for name in dict.fromkeys(part.name for part in kept):
            feeds.forget(name, but=[part.id for part in kept if part.name == name])
    return kept


def _import(feeds: Feeds, one: Offered, at: str) -> Part:
    source = one.source
    form = form_of(source)
    number, draft = feeds.draft()
    try:
        _read(form, source, draft, one.name)
        date = _date(one, draft, at)
    except FeedError as error:
        raise FeedError(f"{source.label}: {error}") from None
    part = Part(
        id=number,
        name=draft.name,
        form=form.title,
        origin=one.origin,
        date=date,
        imported=at,
        count=draft.count,
        skipped=draft.skipped,
        sha256=source.sha256,
        size=source.size,
        etag=one.etag,
        modified=one.modified,
    )
    feeds.keep(part)
    return part


def _read(form: Form, source: Source, draft: Draft, name: str) -> None:
    """Reads the file; a name says which feed it has to be."""
    try:
        form.read(source, draft)
        draft.close()
    except msgspec.MsgspecError as error:
        raise FeedError(f"not of the form `{form.title}`: {error}") from None
    except (UnicodeError, RecursionError, OverflowError) as error:
        raise FeedError(f"not of the form `{form.title}`: {type(error).__name__}") from None
    if name and draft.name != name:
        raise FeedError(f"it is the feed {draft.name} and not {name}")


def _date(one: Offered, draft: Draft, at: str) -> str:
    """How old the data is: what somebody states, else what the data says; never later than now."""
    date = (day(one.date) if one.date else "") or draft.date or draft.newest or one.fallback
    if not date:
        raise FeedError("the data has no date of its own; say of which day it is with --date 2026-11-20")
    if date > at[:10]:
        raise FeedError(f"it says that it is of {date}, which has not come yet")
    return date


def summary(parts: Iterable[Part]) -> list[tuple[str, str, int, int, int]]:
    """(feed, newest day, files, rows, rows that could not be used) of these parts, by feed."""
    names = dict.fromkeys(part.name for part in parts)
    found = []
    for name in sorted(names):
        own = [part for part in parts if part.name == name]
        found.append(
            (
                name,
                max(p.date for p in own),
                len(own),
                sum(p.count for p in own),
                sum(p.skipped for p in own),
            )
        )
    return found
