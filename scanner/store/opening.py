"""Opening a database safely: which URLs, whose files, which settings, and what to say when it fails."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

BUSY_MILLISECONDS = 30_000


class StoreError(Exception):
    """One line for a person: what is wrong with the store and what to do."""


class BadStoreError(StoreError):
    """This is no store to work with, whatever is done: the person has to name another."""


class NoScanError(StoreError):
    """The store has no such scan."""


def parse_url(url: str) -> URL:
    """The URL, or the SQLite URL of a file path.

    Raises:
        StoreError: no URL, or one that carries a password.
    """
    try:
        where = make_url(url if "://" in url else f"sqlite:///{Path(url).expanduser()}")
    except ArgumentError:
        raise BadStoreError(
            "--store takes a file path or a database URL such as postgresql+psycopg://host/name"
        ) from None
    if where.password or "password" in where.query:
        shown = where.difference_update_query(["password"]).render_as_string(hide_password=True)
        raise BadStoreError(
            f"{shown}: no password in the URL; use a password file (~/.pgpass) or a service file"
        )
    return where


def private_file(path: Path) -> None:
    """Makes the file and its folder for their owner only: evidence is not for everybody.

    Raises:
        StoreError: the file is there and may not be written.
    """
    if not path.parent.exists():
        path.parent.mkdir(parents=True, mode=0o700)
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    elif not os.access(path, os.W_OK):
        raise BadStoreError(f"{path}: the store is read-only for this user; name another with --store")


def set_pragmas(connection: object, _record: object) -> None:
    """SQLite's settings for a new connection: wait for locks, write-ahead log, foreign keys."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")


def back_up(path: Path, version: str) -> None:
    """Copies a SQLite store beside itself, also while it is in use; `version` is its schema."""
    copy = path.with_name(f"{path.name}.before-{version}.bak")
    with sqlite3.connect(path) as source, sqlite3.connect(copy) as target:
        source.backup(target)
    copy.chmod(0o600)


@contextmanager
def alone(where: URL) -> Iterator[None]:
    """Waits until no other process on this machine upgrades the same SQLite store.

    The lock has a file of its own: closing the database file would drop SQLite's own locks on it.
    """
    if where.get_backend_name() != "sqlite" or not where.database or where.database == ":memory:":
        yield
        return
    path = Path(where.database)
    lock = path.with_name(f".{path.name}.upgrade")
    descriptor = os.open(lock, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
        lock.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def explain(where: str, error: Exception) -> str:
    """One line on a database error and its mend."""
    message = str(getattr(error, "orig", None) or error).partition("\n")[0]
    if "malformed" in message or "not a database" in message:
        return f"{where}: the store is damaged ({message}); nothing was written. Restore the backup (*.bak)"
    if "locked" in message:
        return f"{where}: another process holds the store ({message}); try again when it is done"
    return f"{where}: {message}"
