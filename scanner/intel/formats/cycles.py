"""Life cycles: until when the releases of systems and programs get fixes, from endoflife.date."""

from __future__ import annotations

import msgspec

from scanner.intel.draft import Draft, day
from scanner.intel.formats.form import Form, begins, holds
from scanner.intel.unpack import FeedError, Source, whole

PAST = "past"
"""In the place of a day: support has ended, and the data does not say when."""


class _Release(msgspec.Struct):
    releaseCycle: str  # noqa: N815 - the names of the data
    eol: bool | str | None = None
    eoes: bool | str | None = None
    latestReleaseDate: str | None = None  # noqa: N815


class _Product(msgspec.Struct):
    releases: tuple[_Release, ...] = ()


class _Latest(msgspec.Struct):
    date: str | None = None


class _ReleaseV1(msgspec.Struct):
    name: str
    isEol: bool | None = None  # noqa: N815
    eolFrom: str | None = None  # noqa: N815
    isEoes: bool | None = None  # noqa: N815
    eoesFrom: str | None = None  # noqa: N815
    latest: _Latest | None = None


class _ProductV1(msgspec.Struct):
    name: str
    releases: tuple[_ReleaseV1, ...] = ()


class _Answer(msgspec.Struct):
    result: tuple[_ProductV1, ...] | _ProductV1
    generated_at: str = ""
    last_modified: str = ""


def _snapshot(source: Source, draft: Draft) -> None:
    """`{product: {releases: [...]}}`; its day is that of the newest release in it."""
    draft.name = "endoflife"
    for _, stream in source.documents():
        for product, one in msgspec.json.decode(whole(stream), type=dict[str, _Product]).items():
            rows = [(r.releaseCycle, _end(r.eol), _end(r.eoes)) for r in one.releases]
            _lives(draft, product, rows)
            for release in one.releases:
                if release.latestReleaseDate:
                    draft.dated(release.latestReleaseDate)


def _answer(source: Source, draft: Draft) -> None:
    """An answer of the publisher's interface, version 1: all products in full, or one."""
    draft.name = "endoflife"
    for _, stream in source.documents():
        answer = msgspec.json.decode(whole(stream), type=_Answer)
        if answer.generated_at or answer.last_modified:
            draft.date = day(answer.generated_at or answer.last_modified)
        products = answer.result if isinstance(answer.result, tuple) else (answer.result,)
        for one in products:
            _lives(
                draft,
                one.name,
                [(r.name, _v1(r.eolFrom, r.isEol), _v1(r.eoesFrom, r.isEoes)) for r in one.releases],
            )


def _lives(draft: Draft, product: str, rows: list[tuple[str, str, str]]) -> None:
    if not product or len(product) > 100 or not product.isprintable():
        raise FeedError(f"{product[:40]!r} is no product")
    draft.lives(product, msgspec.json.encode(rows).decode())


def _end(value: bool | str | None) -> str:
    match value:
        case str():
            return day(value)
        case True:
            return PAST
        case _:
            return ""


def _v1(date: str | None, ended: bool | None) -> str:
    return day(date) if date else (PAST if ended else "")


FORMS = (
    Form(
        "life cycles (endoflife.date, version 1)", holds(rb'"schema_version"\s*:', rb'"result"\s*:'), _answer
    ),
    Form(
        "life cycles (JSON)",
        begins(rb'\{\s*"[^"]+"\s*:\s*\{\s*"title"\s*:\s*"[^"]*"\s*,\s*"category"\s*:'),
        _snapshot,
    ),
)
