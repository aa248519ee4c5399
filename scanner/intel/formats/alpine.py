"""Alpine: the security database of its branches."""

from __future__ import annotations

import re

import msgspec

from checks.versions import VersionError, apk_key
from scanner.intel.draft import CVE, Advice, Draft, Place
from scanner.intel.formats.form import Form, begins, holds
from scanner.intel.unpack import FeedError, Source, lines, whole

_REVISION = re.compile(r"[.-]r?(\d+)$")
_SLIP = re.compile(r"[.-]*(?:[.-]r?\d+)?$")


class _Package(msgspec.Struct):
    name: str
    secfixes: dict[str, tuple[str, ...] | None] | None = None


class _Entry(msgspec.Struct):
    pkg: _Package


class _Branch(msgspec.Struct):
    distroversion: str
    reponame: str
    packages: tuple[_Entry, ...] | None = None


def _branch(source: Source, draft: Draft) -> None:
    """One repository of one branch, as published; it has no date of its own."""
    for _, stream in source.documents():
        data = msgspec.json.decode(whole(stream), type=_Branch)
        if data.reponame not in ("main", "community"):
            raise FeedError(f"the repository {data.reponame[:40]!r} is not one of main and community")
        draft.name = f"alpine-secdb-{data.distroversion}-{data.reponame}"
        # A host does not say from which repository a package is: one alone tells only of some.
        place = Place("alpine", data.distroversion, "source", f"fixes:{data.reponame}")
        for entry in data.packages or ():
            for version, flaws in (entry.pkg.secfixes or {}).items():
                draft.advise(place, Advice(entry.pkg.name, _mended(version), _cves(flaws or ())))


def _all_branches(source: Source, draft: Draft) -> None:
    """`[branch, repository, package, version, [CVE]]` a line, of all branches."""
    draft.name = "alpine-secdb"
    decoder = msgspec.json.Decoder(tuple[str, str, str, str, tuple[str, ...]])
    for _, stream in source.documents():
        for line in lines(stream):
            branch, _, package, version, flaws = decoder.decode(line)
            place = Place("alpine", branch, "source", "fixes")
            draft.advise(place, Advice(package, _mended(version), _cves(flaws)))


def _cves(flaws: tuple[str, ...]) -> tuple[str, ...]:
    """The CVEs among texts such as `CVE-2019-1234 XSA-300` and `CVE-2020-1 (+ something)`."""
    return tuple(dict.fromkeys(found for text in flaws for found in CVE.findall(text)))


def _mended(version: str) -> str:
    """The version without slips of the pen that apk does not read (`4.8.0.-r1`, `10.2.26.r0`, `2.7-3`)."""
    try:
        apk_key(version)
    except VersionError:
        number, revision = _SLIP.sub("", version), _REVISION.search(version)
        return f"{number}-r{revision[1]}" if revision else number
    return version


FORMS = (
    Form("Alpine security database (JSON)", holds(rb'"(?:distroversion|reponame|apkurl)"\s*:'), _branch),
    Form(
        "Alpine security database (JSON lines)",
        begins(rb'\[\s*"(?:v\d+\.\d+|edge)"\s*,\s*"(?:main|community)"\s*,'),
        _all_branches,
    ),
)
