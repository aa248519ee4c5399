"""The feeds of this machine: one SQLite file, written by imports alone, and read while hosts are judged."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from scanner.intel.draft import Draft, Place
from scanner.intel.unpack import FeedError

FORMAT = 1
"""Version of the tables below."""
_BUSY_MILLISECONDS = 30_000
_TABLES = """
CREATE TABLE parts (id INTEGER PRIMARY KEY, name TEXT NOT NULL, form TEXT NOT NULL, origin TEXT NOT NULL,
  date TEXT NOT NULL, imported TEXT NOT NULL, count INTEGER NOT NULL, skipped INTEGER NOT NULL,
  sha256 TEXT NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL, modified TEXT NOT NULL);
CREATE TABLE places (id INTEGER PRIMARY KEY, part INTEGER NOT NULL, ecosystem TEXT NOT NULL,
  release TEXT NOT NULL, named_by TEXT NOT NULL, tells TEXT NOT NULL);
CREATE INDEX places_of ON places (ecosystem, release);
CREATE TABLE advice (place INTEGER NOT NULL, package TEXT NOT NULL, fixed TEXT NOT NULL, cves TEXT NOT NULL,
  advisory TEXT NOT NULL, severity TEXT NOT NULL, date TEXT NOT NULL, since TEXT NOT NULL,
  module TEXT NOT NULL);
CREATE INDEX advice_of ON advice (place, package);
CREATE TABLE kev (cve TEXT, part INTEGER, added TEXT NOT NULL, ransomware INTEGER NOT NULL,
  PRIMARY KEY (cve, part)) WITHOUT ROWID;
CREATE TABLE epss (cve TEXT, part INTEGER, score REAL NOT NULL, PRIMARY KEY (cve, part)) WITHOUT ROWID;
CREATE TABLE points (cve TEXT, part INTEGER, exploitation TEXT NOT NULL, automatable TEXT NOT NULL,
  impact TEXT NOT NULL, cvss REAL NOT NULL, effect TEXT NOT NULL, reach TEXT NOT NULL,
  PRIMARY KEY (cve, part)) WITHOUT ROWID;
CREATE TABLE cycles (product TEXT, part INTEGER, releases TEXT NOT NULL, PRIMARY KEY (product, part))
  WITHOUT ROWID;
"""
_OF_PART = ("kev", "epss", "points", "cycles")


@dataclass(frozen=True, slots=True)
class Part:
    """One imported file. A feed is all parts of one name; `date` is how old its data is."""

    id: int
    name: str
    form: str
    origin: str
    date: str
    imported: str
    count: int
    skipped: int
    sha256: str
    size: int
    etag: str = ""
    modified: str = ""


@dataclass(frozen=True, slots=True)
class Covered:
    """A release for which a part has advisories."""

    id: int
    part: int
    place: Place


class Feeds:
    """The feeds in a file. Reading never writes; an import is one transaction."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self.connection = connection
        self.path = path

    @classmethod
    def open(cls, path: Path) -> Feeds:
        """The feeds in that file, which is made for its owner only where it is missing.

        Raises:
            FeedError: not writable, damaged, or of another version.

        """
        with _said(path):
            if not path.exists():
                path.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
                os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            connection = _connect(path, "rw")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            _create(connection)
            _check(path, connection)
            return cls(connection, path)

    @classmethod
    def open_to_read(cls, path: Path) -> Feeds | None:
        """The same without ever making or changing the file; None where there is none.

        Raises:
            FeedError: damaged, or of another version.

        """
        with _said(path):
            if not path.exists() or not path.stat().st_size:
                return None
            connection = _connect(path, "ro")
            _check(path, connection)
            return cls(connection, path)

    def close(self) -> None:
        """Ends the use of the file."""
        self.connection.close()

    # --- what is here ---

    def parts(self) -> list[Part]:
        """All imported files, by name and age."""
        query = "SELECT id, name, form, origin, date, imported, count, skipped, sha256, size, etag, modified "
        return [Part(*row) for row in self.connection.execute(query + "FROM parts ORDER BY name, date, id")]

    def covered(self, ecosystem: str) -> list[Covered]:
        """The releases of a distribution for which there are advisories."""
        query = (
            "SELECT id, part, ecosystem, release, named_by, tells FROM places WHERE ecosystem = ? ORDER BY id"
        )
        return [
            Covered(row[0], row[1], Place(*row[2:])) for row in self.connection.execute(query, (ecosystem,))
        ]

    def releases(self) -> dict[str, list[str]]:
        """The names of the releases that each feed covers, as `ecosystem release`."""
        query = (
            "SELECT DISTINCT parts.name, ecosystem, release FROM places JOIN parts ON parts.id = places.part "
            "ORDER BY 1, 2, 3"
        )
        found: dict[str, list[str]] = {}
        for name, ecosystem, release in self.connection.execute(query):
            found.setdefault(name, []).append(f"{ecosystem} {release}")
        return found

    # --- importing ---

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing: whatever goes wrong inside, the old data stays as it was."""
        try:
            self.connection.execute("BEGIN IMMEDIATE")
            yield
            self.connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._back()
            raise FeedError(f"{self.path}: {error}; nothing was changed") from None
        except BaseException:
            self._back()
            raise

    def draft(self) -> tuple[int, Draft]:
        """A new part, in the open transaction."""
        cursor = self.connection.execute(
            "INSERT INTO parts VALUES (NULL, '', '', '', '', '', 0, 0, '', 0, '', '')"
        )
        part = int(cursor.lastrowid or 0)
        return part, Draft(self.connection, part)

    def keep(self, part: Part) -> None:
        """Writes down what a draft has become."""
        self.connection.execute(
            "UPDATE parts SET name = ?, form = ?, origin = ?, date = ?, imported = ?, count = ?, "
            "skipped = ?, sha256 = ?, size = ?, etag = ?, modified = ? WHERE id = ?",
            (
                *(part.name, part.form, part.origin, part.date, part.imported, part.count, part.skipped),
                *(part.sha256, part.size, part.etag, part.modified, part.id),
            ),
        )

    def forget(self, name: str, but: Iterable[int] = ()) -> None:
        """Takes away the parts of that name, but for these."""
        kept = set(but)
        for part in [p.id for p in self.parts() if p.name == name and p.id not in kept]:
            self.connection.execute(
                "DELETE FROM advice WHERE place IN (SELECT id FROM places WHERE part = ?)", (part,)
            )
            for table in ("places", *_OF_PART):
                self.connection.execute(f"DELETE FROM {table} WHERE part = ?", (part,))  # noqa: S608 - our names
            self.connection.execute("DELETE FROM parts WHERE id = ?", (part,))

    def _back(self) -> None:
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")


def default_feeds() -> Path:
    """The file of the feeds in the platform's data directory of this user."""
    from platformdirs import user_data_path

    return user_data_path("bartizan") / "feeds.db"


@contextmanager
def _said(path: Path) -> Iterator[None]:
    """What is wrong with the file, in one line."""
    try:
        yield
    except sqlite3.Error as error:
        raise FeedError(f"{path}: {error}; name another file with --feeds, or delete this one") from None
    except OSError as error:
        raise FeedError(f"{path}: {error.strerror}; name another file with --feeds") from None


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    uri = f"file:{quote(str(path.absolute()))}?mode={mode}"
    # Judging may go over several threads; SQLite's own lock makes one connection safe for them.
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_MILLISECONDS}")
    return connection


def _create(connection: sqlite3.Connection) -> None:
    """Makes the tables of a new file; of two processes that do so at once, one finds them there."""
    if _version(connection):
        return
    connection.execute("BEGIN IMMEDIATE")
    if not _version(connection):
        for statement in _TABLES.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {FORMAT}")
    connection.execute("COMMIT")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _check(path: Path, connection: sqlite3.Connection) -> None:
    version = _version(connection)
    if version != FORMAT:
        raise FeedError(
            f"{path}: the feeds are in format {version}, this version reads {FORMAT}; delete the file and "
            "import them again"
        )
