"""Feeds for tests: small slices of the real ones, and synthetic ones that cover a whole release."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from scanner.intel.importing import Offered, import_all
from scanner.intel.store import Feeds, Part
from scanner.intel.unpack import Source

FOLDER = Path(__file__).parents[2] / "data" / "feeds"
AT = "2026-11-25T10:00:00Z"


def bring(feeds: Feeds, *names: str, date: str = "", at: str = AT) -> list[Part]:
    """Imports files of the folder in one go."""
    return import_all(feeds, [Offered(Source(FOLDER / name), name, date) for name in names], at=at)


def bring_file(feeds: Feeds, path: Path, date: str = "") -> list[Part]:
    """Imports one file from anywhere."""
    return import_all(feeds, [Offered(Source(path), str(path), date)], at=AT)


def tracker(path: Path, claims: Iterable[tuple[str, str, str]], release: str = "bookworm") -> Path:
    """A tracker that tells of (package, flaw, fixed version or nothing), and of many others that are fine."""
    told: dict[str, dict[str, object]] = {}
    filler = [(f"filler{number}", "CVE-2020-1000", "0") for number in range(60)]
    for package, cve, fixed in (*claims, *filler):
        status = {"status": "resolved", "fixed_version": fixed} if fixed else {"status": "open"}
        told.setdefault(package, {})[cve] = {"releases": {release: {**status, "urgency": "low"}}}
    path.write_bytes(msgspec.json.encode(told))
    return path
