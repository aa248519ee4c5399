"""The findings as rows: the first in the page itself, all of them packed for the big table."""

from __future__ import annotations

import base64
import zlib
from array import array
from collections.abc import Iterable, Iterator

import msgspec

from checks.model import Outcome
from reports.model import Ranked
from reports.plan import Action
from reports.risk import figure
from reports.views.words import GLYPHS, OUTCOME_WORDS, cut, visible

LISTED = (Outcome.FAIL, Outcome.ERROR, Outcome.UNKNOWN)
"""The outcomes that the table lists; passes are counted."""
TEXT = 4_000
"""Characters of one command or text that a page shows."""


class Row(msgspec.Struct, frozen=True):
    """One finding of the table."""

    band: str
    glyph: str
    risk: str
    outcome: str
    asset: str
    title: str
    on: str
    status: str
    due: str


def clip(text: str) -> str:
    """The text, cut where it is longer than a page can hold."""
    return text if len(text) <= TEXT else f"{text[:TEXT]}\n… cut at {TEXT:,} characters"


def row(one: Ranked) -> Row:
    """The row of one finding."""
    return Row(
        band=one.score.band.value if one.score else "open",
        glyph=GLYPHS[one.score.band] if one.score else "?",
        risk=figure(one.score.value) if one.score else "–",
        outcome=OUTCOME_WORDS[one.finding.outcome],
        asset=cut(one.asset_name, 80),
        title=cut(one.finding.title, 160),
        on=cut(" ".join(filter(None, [one.finding.on, one.finding.region])), 160),
        status=one.status.value if one.score else "",
        due=one.due or ("on upgrade" if one.score else ""),
    )


def packed_rows(found: Iterable[Ranked], actions: Iterable[Action]) -> str:
    """The rows by column, each column as a dictionary of its texts and the numbers of its rows."""
    owners = {one.finding.id: action.owner for action in actions for one in action.findings}
    names = ("band", "glyph", "risk", "outcome", "asset", "title", "on", "status", "due")
    words: dict[str, dict[str, int]] = {name: {} for name in (*names, "owner")}
    columns = {name: array("I") for name in words}
    scores = array("i")
    for one in found:
        shown = row(one)
        texts = {name: str(getattr(shown, name)) for name in names}
        texts["owner"] = cut(owners.get(one.finding.id, ""), 60)
        for name, text in texts.items():
            columns[name].append(words[name].setdefault(text, len(words[name])))
        scores.append(int(one.score.value * 10) if one.score else -1)
    parts = [b'{"words":', msgspec.json.encode({n: list(w) for n, w in words.items()}), b',"columns":{']
    for number, (name, column) in enumerate(columns.items()):
        parts += [b"," if number else b"", msgspec.json.encode(name), b":", _numbers(column)]
    return _island([*parts, b'},"scores":', _numbers(scores), b"}"])


def packed_details(found: Iterable[Ranked]) -> str:
    """The texts behind each row, in the order of the table: a text where it stands first, then its number."""
    return _island(_detail_pieces(found))


def _detail_pieces(found: Iterable[Ranked]) -> Iterator[bytes]:
    # Only a hash of each text is kept: the texts themselves go into the island as they are met, and those of
    # a thousand hosts never lie in memory together.
    numbers: dict[int, int] = {}
    encoder = msgspec.json.Encoder()

    yield b'{"rows":['
    for row_number, one in enumerate(found):
        cells = [
            (_cell(numbers, visible(name)), _cell(numbers, visible(clip(text))))
            for name, text in _texts_of(one)
            if text
        ]
        yield (b"," if row_number else b"") + encoder.encode(cells)
    yield b"]}"


def _cell(numbers: dict[int, int], text: str) -> str | int:
    key = hash(text)
    if key in numbers:
        return numbers[key]
    numbers[key] = len(numbers)
    return text


def _texts_of(one: Ranked) -> Iterator[tuple[str, str]]:
    finding = one.finding
    failed = finding.outcome is Outcome.FAIL
    yield "Finding", f"{finding.id} · {finding.check} · first seen {one.first_seen}"
    yield "Outcome", f"{OUTCOME_WORDS[finding.outcome]}, {finding.severity} by the baseline"
    yield "On", " ".join(filter(None, [one.asset_name, finding.on, finding.region]))
    yield "Saw", finding.saw
    yield "Want", finding.want
    yield "Reason", finding.reason
    yield "Would be answered with", finding.needs
    yield "Score", one.line
    yield "Clock", one.clock.because if one.clock else ""
    for e in finding.evidence:
        yield f"Evidence: {e.how} ({e.at})", e.excerpt or f"SHA-256 {e.digest}"
    yield "Do", finding.fix.do if failed else ""
    yield "Verify", finding.fix.verify if failed else ""
    yield "Undo", finding.fix.undo if failed else ""
    yield "Controls", "; ".join(f"{n} {', '.join(c)}" for n, c in sorted(finding.controls.items()))


def _numbers(column: array[int]) -> bytes:
    return b"[" + b",".join(b"%d" % number for number in column) + b"]"


def _island(pieces: Iterable[bytes | bytearray]) -> str:
    """The JSON text in these pieces, as gzip in base64; it never stands in memory as a whole."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    packed = bytearray()
    for piece in pieces:
        packed += packer.compress(piece)
    return base64.b64encode(packed + packer.flush()).decode("ascii")
