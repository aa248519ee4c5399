"""Debian: the security tracker, its list of advisories, and what the changelogs of packages name."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from scanner.intel.draft import CVE, Advice, Draft, Place
from scanner.intel.formats.form import Form, begins
from scanner.intel.unpack import Source, lines, whole


class _Status(msgspec.Struct):
    status: str = ""
    fixed_version: str = ""
    urgency: str = ""


class _Entry(msgspec.Struct):
    releases: dict[str, _Status] = msgspec.field(default_factory=dict)


class _Advisory(msgspec.Struct):
    id: str
    date: str
    source: str
    cves: tuple[str, ...]
    fixed: tuple[tuple[str, str, str], ...]


_LISTED = re.compile(r"\[(\d{1,2} [A-Z][a-z]{2} \d{4})\] (D[SL]A-\d{1,6}(?:-\d{1,3})?) (\S+)")
_FIXED = re.compile(r"\[([a-z]+)\] - (\S+) (\S+)")
_CVES = re.compile(r"\{([^}]*)\}")


def _tracker(source: Source, draft: Draft) -> None:
    """All flaws of all packages in all releases; it has no date of its own."""
    draft.name = "debian-tracker"
    inner = msgspec.json.Decoder(dict[str, _Entry])
    for _, stream in source.documents():
        # Package by package: the whole tracker as objects would take a gigabyte.
        for package, raw in msgspec.json.decode(whole(stream), type=dict[str, msgspec.Raw]).items():
            claims: dict[tuple[str, str], list[str]] = {}
            for cve, entry in inner.decode(raw).items():
                if CVE.fullmatch(cve):
                    for release, status in entry.releases.items():
                        if (fixed := _fixed(status)) is not None:
                            claims.setdefault((release, fixed), []).append(cve)
            for (release, fixed), cves in claims.items():
                draft.advise(Place("debian", release, "source", "state"), Advice(package, fixed, tuple(cves)))


def _fixed(status: _Status) -> str | None:
    """The version with the fix, nothing for an open flaw, None for what is no flaw of the release."""
    match status.status:
        case "resolved":
            return status.fixed_version or "0"
        case "open":
            # Marked so where the flaw cannot be used in what Debian ships.
            return None if status.urgency == "unimportant" else ""
        case _:
            return None


def _advisories(source: Source, draft: Draft) -> None:
    """One advisory a line, as JSON."""
    decoder = msgspec.json.Decoder(_Advisory)
    _advise(draft, (decoder.decode(line) for _, stream in source.documents() for line in lines(stream)))


def _list(source: Source, draft: Draft) -> None:
    """The tracker's own list: a headline, then lines that are set in."""
    _advise(draft, (one for _, stream in source.documents() for one in _listed(lines(stream))))


def _listed(text: Iterator[bytes]) -> Iterator[_Advisory]:
    current: _Advisory | None = None
    for raw in text:
        line = raw.decode("utf-8", "replace")
        if headline := _LISTED.match(line):
            if current:
                yield current
            current = _Advisory(headline[2], headline[1], headline[3], (), ())
        elif current and (fixed := _FIXED.match(line)):
            current.fixed += ((fixed[1], fixed[2], fixed[3]),)
        elif current and (cves := _CVES.match(line)):
            current.cves += tuple(cves[1].split())
    if current:
        yield current


def _advise(draft: Draft, advisories: Iterator[_Advisory]) -> None:
    kinds: set[str] = set()
    for one in advisories:
        kinds.add(one.id[:3].lower())
        for release, package, said in one.fixed:
            fixed = "0" if said == "<not-affected>" else said
            if not fixed.startswith("<"):
                place = Place("debian", release, "source", "fixes")
                cves = tuple(cve for cve in one.cves if CVE.fullmatch(cve))
                draft.advise(place, Advice(package, fixed, cves, one.id, date=one.date))
    draft.name = "debian-dla" if kinds == {"dla"} else "debian-dsa"


def _changelogs(source: Source, draft: Draft) -> None:
    """`[distribution, suite, source, binary, candidate, version, date, [CVE]]` a line."""
    draft.name = "changelogs"
    decoder = msgspec.json.Decoder(tuple[str, str, str, str, str, str, str, tuple[str, ...]])
    seen: set[tuple[str, str, str, str]] = set()
    for _, stream in source.documents():
        for line in lines(stream):
            ecosystem, release, package, _, _, version, date, named = decoder.decode(line)
            if (ecosystem, release, package, version) in seen:
                continue
            seen.add((ecosystem, release, package, version))
            cves = tuple(cve for cve in named if CVE.fullmatch(cve))
            place = Place(ecosystem, release, "source", "some")
            draft.advise(place, Advice(package, version, cves, date=date))


FORMS = (
    Form(
        "Debian security tracker (JSON)",
        begins(rb'\{\s*"[^"]+"\s*:\s*\{\s*"(?:CVE-\d|TEMP-)[^"]*"\s*:\s*\{'),
        _tracker,
    ),
    Form("Debian advisories (JSON lines)", begins(rb'\{\s*"id"\s*:\s*"D[SL]A-'), _advisories),
    Form("list of Debian advisories", begins(rb"\[\d{1,2} [A-Z][a-z]{2} \d{4}\] D[SL]A-\d"), _list),
    Form(
        "flaws named in changelogs (JSON lines)",
        begins(rb'\[\s*"(?:debian|ubuntu)"\s*,\s*"[a-z]+"\s*,'),
        _changelogs,
    ),
)
