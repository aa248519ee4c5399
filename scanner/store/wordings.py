"""How a finding stands in the store: what it shares with others to the letter is kept once, by its digest.

A thousand hosts fail one check in the same words. Title, fix, rationale and thresholds are its wording,
score and clock its reckoning; who reads them back gets the same objects for all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from checks.model import Finding
from reports.model import Clock, Ranked, Score, Status
from scanner.store import tables as t

_SHARED = frozenset(
    {
        "check", "title", "kind", "severity", "want", "fix", "fix_key", "controls", "baseline", "profile",
        "impact", "exploit", "surface", "weakness", "confidence", "why", "cves", "points", "feeds",
    }
)  # fmt: skip


class _Reckoning(msgspec.Struct, frozen=True):
    """The two numbers of a failure with all that explains them."""

    score: Score | None = None
    clock: Clock | None = None
    line: str = ""


def _part(name: str, *, shared: bool) -> type[msgspec.Struct]:
    fields: list[Any] = []
    for field in msgspec.structs.fields(Finding):
        if (field.name in _SHARED) is shared:
            default = () if field.required else (field.default,)
            fields.append((field.name, field.type, *default))
    if not shared:
        fields += [("asset_name", str, ""), ("first_seen", str, ""), ("due", str, "")]
    return msgspec.defstruct(name, fields, frozen=True, omit_defaults=True, kw_only=True)


_AT_ONCE = 400
"""Parts that are read with one question: databases bound the values of one."""
_Wording = _part("_Wording", shared=True)
_Own = _part("_Own", shared=False)
_OF_FINDING = tuple(f for f in _Own.__struct_fields__ if f not in ("asset_name", "first_seen", "due"))


_REPEATED = ("target", "asset", "on", "saw", "reason", "needs", "asset_name", "first_seen", "due")


def wording_of(finding: Finding) -> msgspec.Struct:
    """What a finding may share with others."""
    return _Wording(**{name: getattr(finding, name) for name in _Wording.__struct_fields__})


class Packed(msgspec.Struct, frozen=True):
    """A finding taken apart: its own part, and the digests of what it shares (empty: no reckoning).

    `shared` are these parts themselves.
    """

    payload: bytes
    wording: str
    reckoning: str
    shared: Mapping[str, bytes]


class Writer:
    """Writes what findings share, each once, in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: set[str] = set()

    def write(self, findings: Iterable[Packed]) -> None:
        """Writes what these findings share and the store does not have yet."""
        for one in findings:
            for digest, data in one.shared.items():
                if digest not in self._known:
                    here = select(t.wordings.c.digest).where(t.wordings.c.digest == digest)
                    if self._connection.execute(here).scalar() is None:
                        self._connection.execute(t.wordings.insert(), {"digest": digest, "data": data})
                    self._known.add(digest)


def pack(one: Ranked) -> Packed:
    """The parts of a finding."""
    own = _Own(
        **{name: getattr(one.finding, name) for name in _OF_FINDING},
        asset_name=one.asset_name,
        first_seen=one.first_seen,
        due=one.due,
    )
    reckoned = one.score is not None or bool(one.line)
    shared = [wording_of(one.finding), *([_Reckoning(one.score, one.clock, one.line)] if reckoned else [])]
    written = [msgspec.json.encode(part, order="sorted") for part in shared]
    digests = [hashlib.blake2b(data, digest_size=16).hexdigest() for data in written]
    return Packed(
        msgspec.json.encode(own),
        digests[0],
        digests[1] if reckoned else "",
        dict(zip(digests, written, strict=True)),
    )


class Reader:
    """Puts findings together again; equal parts are the same objects."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._wordings: dict[str, Mapping[str, Any]] = {}
        self._reckonings: dict[str, _Reckoning] = {"": _Reckoning()}
        self._words: dict[str, str] = {}
        self._fetched: dict[str, bytes] = {}
        self._own = msgspec.json.Decoder(_Own)
        self._whole = msgspec.json.Decoder(Ranked)

    def unpack(self, payload: bytes, wording: str | None, reckoning: str | None, status: Status) -> Ranked:
        """The finding; one that was stored before wordings were has all of itself in its payload."""
        if wording is None:
            return msgspec.structs.replace(self._whole.decode(payload), status=status)
        own = msgspec.structs.asdict(self._own.decode(payload))
        for name in _REPEATED:
            # The same words stand in thousands of findings; one copy of each is enough.
            own[name] = self._words.setdefault(own[name], own[name])
        named = {name: own.pop(name) for name in ("asset_name", "first_seen", "due")}
        reckoned = self._reckoned(reckoning or "")
        return Ranked(
            finding=Finding(**own, **self._worded(wording)),
            status=status,
            score=reckoned.score,
            clock=reckoned.clock,
            line=reckoned.line,
            **named,
        )

    def _worded(self, digest: str) -> Mapping[str, Any]:
        if digest not in self._wordings:
            found = msgspec.json.decode(self._read(digest), type=_Wording)
            self._wordings[digest] = msgspec.structs.asdict(found)
        return self._wordings[digest]

    def _reckoned(self, digest: str) -> _Reckoning:
        if digest not in self._reckonings:
            self._reckonings[digest] = msgspec.json.decode(self._read(digest), type=_Reckoning)
        return self._reckonings[digest]

    def fetch(self, digests: Iterable[str | None]) -> None:
        """Reads what findings with these parts will need, in one question to the store."""
        known = self._wordings.keys() | self._reckonings.keys() | self._fetched.keys()
        missing = sorted({digest for digest in digests if digest} - known)
        for start in range(0, len(missing), _AT_ONCE):
            some = missing[start : start + _AT_ONCE]
            query = select(t.wordings.c.digest, t.wordings.c.data).where(t.wordings.c.digest.in_(some))
            self._fetched |= {digest: bytes(data) for digest, data in self._connection.execute(query)}

    def _read(self, digest: str) -> bytes:
        if digest in self._fetched:
            return self._fetched.pop(digest)
        query = select(t.wordings.c.data).where(t.wordings.c.digest == digest)
        return bytes(self._connection.execute(query).scalar_one())
