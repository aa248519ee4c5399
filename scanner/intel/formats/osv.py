"""OSV: records of flaws in one schema, for Debian, Ubuntu, AlmaLinux, Rocky Linux, Alpine and others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

import msgspec

from scanner.intel.draft import CVE, Advice, Draft, Place
from scanner.intel.formats.form import Form, begins, holds
from scanner.intel.formats.modules import module_of
from scanner.intel.releases import dist_of, release_of_osv
from scanner.intel.unpack import MOST_LINE, Source, lines, whole


class _Event(msgspec.Struct):
    introduced: str = ""
    fixed: str = ""


class _Range(msgspec.Struct):
    type: str = ""
    events: tuple[_Event, ...] = ()


class _Package(msgspec.Struct):
    ecosystem: str = ""
    name: str = ""


class _Affected(msgspec.Struct):
    package: _Package | None = None
    ranges: tuple[_Range, ...] | None = None


class _Record(msgspec.Struct):
    id: str
    affected: tuple[_Affected, ...] | None = None
    aliases: tuple[str, ...] | None = None
    related: tuple[str, ...] | None = None
    upstream: tuple[str, ...] | None = None
    published: str = ""
    modified: str = ""
    withdrawn: str = ""


class _Short(msgspec.Struct):
    id: str
    sev: str
    published: str
    eco: tuple[str, ...]
    cves: tuple[str, ...]
    fixed: dict[str, str]


_BY_SOURCE = frozenset({"debian", "ubuntu", "alpine", "opensuse-leap"})
_WITH_OPEN_FLAWS = frozenset({"debian", "ubuntu"})


def _records(source: Source, draft: Draft) -> None:
    """One record a document, or one a line."""
    decoder = msgspec.json.Decoder(_Record)
    ecosystems: set[str] = set()
    for name, stream in source.documents():
        if name.endswith((".json", ".jsonl", ".gz", ".bz2")) or name == source.label:
            for data in _documents(name, stream):
                ecosystems |= _record(decoder.decode(data), draft)
    draft.name = f"osv-{ecosystems.pop()}" if len(ecosystems) == 1 else "osv"


def _documents(name: str, stream: IO[bytes]) -> Iterator[bytes]:
    if ".jsonl" in name or ".ndjson" in name:
        yield from lines(stream)
    else:
        yield whole(stream, MOST_LINE)


def _record(one: _Record, draft: Draft) -> set[str]:
    """Puts one record into the draft; gives the distributions that it is about."""
    if one.withdrawn:
        return set()
    if one.modified:
        draft.dated(one.modified)
    named = (one.id, *(one.aliases or ()), *(one.upstream or ()), *(one.related or ()))
    cves = tuple(dict.fromkeys(found for text in named for found in CVE.findall(text)))
    seen: set[str] = set()
    module = module_of(_fixed(one.affected or ()))
    for affected in one.affected or ():
        package = affected.package or _Package()
        where = release_of_osv(package.ecosystem)
        if where is None:
            draft.skipped += 1
            continue
        seen.add(where[0])
        for since, fixed in _ranges(affected.ranges or ()):
            place = Place(*where, *_kind(where[0]))
            draft.advise(place, Advice(package.name, fixed, cves, one.id, "", one.published, since, module))
    return seen


def _fixed(affected: tuple[_Affected, ...]) -> dict[str, str]:
    """The fixed versions of a record by package."""
    return {
        one.package.name: fixed
        for one in affected
        if one.package
        for _, fixed in _ranges(one.ranges or ())
        if fixed
    }


def _kind(ecosystem: str) -> tuple[str, str]:
    by = "source" if ecosystem in _BY_SOURCE else "binary"
    return by, "state" if ecosystem in _WITH_OPEN_FLAWS else "fixes"


def _ranges(ranges: tuple[_Range, ...]) -> Iterator[tuple[str, str]]:
    """(first version with the flaw, first without) of each range; nothing for the beginning and no fix."""
    for one in ranges:
        if one.type not in ("ECOSYSTEM", ""):
            continue
        since = ""
        open_range = False
        for event in one.events:
            if event.introduced:
                since, open_range = ("" if event.introduced == "0" else event.introduced), True
            elif event.fixed:
                yield since, event.fixed
                open_range = False
        if open_range:
            yield since, ""


def _short(source: Source, draft: Draft) -> None:
    """AlmaLinux's advisories, one a line: the fixed versions of its binary packages."""
    draft.name = "osv-almalinux"
    decoder = msgspec.json.Decoder(_Short)
    for _, stream in source.documents():
        for line in lines(stream):
            one = decoder.decode(line)
            cves = tuple(cve for cve in one.cves if CVE.fullmatch(cve))
            module = module_of(one.fixed)
            for ecosystem in one.eco:
                where = release_of_osv(ecosystem)
                for package, fixed in one.fixed.items() if where else ():
                    # An advisory for several releases names the versions of only one of them.
                    if where and dist_of(fixed)[1] in ("", where[1]):
                        draft.advise(
                            Place(*where, "binary", "fixes"),
                            Advice(package, fixed, cves, one.id, one.sev, one.published, "", module),
                        )


FORMS = (
    Form(
        "AlmaLinux advisories (JSON lines)", begins(rb'\{\s*"id"\s*:\s*"AL[SBE]A-[^"]*"\s*,\s*"sev"'), _short
    ),
    Form(
        "OSV records",
        holds(
            rb'"id"\s*:\s*"[A-Za-z]', rb'"(?:modified|published)"\s*:', rb'"(?:affected|schema_version)"\s*:'
        ),
        _records,
    ),
)
