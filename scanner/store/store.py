"""Opens the store and keeps scans, their ledger, and the chain of snapshots."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, create_engine, event, func, select, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, NoSuchModuleError, SQLAlchemyError

from checks.facts.snapshot import Fact, Snapshot, decode, encode
from checks.model import Kind, Target
from scanner.store import tables as t
from scanner.store.opening import (
    BadStoreError,
    NoScanError,
    StoreError,
    alone,
    back_up,
    explain,
    parse_url,
    private_file,
    set_pragmas,
)
from scanner.store.record import JobRow, JobState, ScanRecord, ScanRow, ScanState

SCHEMA = "0003"
"""The newest migration; a store that says otherwise is upgraded, or refused if it is newer."""

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class ChainPlace:
    """Where a snapshot stands in the chain: scan, job, spec of the target, and when it was taken."""

    scan: int
    job: int
    spec: str
    moment: str


class Store:
    """One client's data. Open it with `Store.open`; one process writes at a time."""

    def __init__(self, engine: Engine, where: str) -> None:
        self.engine = engine
        self.where = where

    @classmethod
    def open(cls, url: str) -> Store:
        """The store at that SQLAlchemy URL or file path, made or upgraded where needed.

        Raises:
            StoreError: a password in the URL, no permission, a file that is no store, a newer schema.
        """
        where = parse_url(url)
        shown = where.render_as_string(hide_password=True)
        try:
            if where.get_backend_name() == "sqlite" and where.database:
                private_file(Path(where.database))
            engine = create_engine(where)
            event.listen(engine, "connect", set_pragmas)
            store = cls(engine, shown)
            store._upgrade(where)
        except ModuleNotFoundError as error:
            raise BadStoreError(f"{shown}: the driver {error.name} is not installed here") from error
        except NoSuchModuleError as error:
            raise BadStoreError(f"{shown}: there is no such kind of database") from error
        except (SQLAlchemyError, OSError) as error:
            raise StoreError(explain(shown, error)) from error
        return store

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction; what goes wrong inside the database is a `StoreError`."""
        try:
            with self.engine.begin() as connection:
                yield connection
        except DBAPIError as error:
            raise StoreError(explain(self.where, error)) from error

    # --- scans and their ledger ---

    def start_scan(self, record: ScanRecord, at: str, targets: Iterable[Target]) -> int:
        """The number of a new scan, with every target planned in its ledger."""
        with self.begin() as c:
            number = c.execute(
                t.scans.insert().returning(t.scans.c.id),
                {"started": at, "state": ScanState.RUNNING, "record": msgspec.json.encode(record)},
            ).scalar_one()
            rows = [
                {"scan_id": number, "kind": x.kind, "name": x.name, "spec": x.spec, "state": JobState.PLANNED}
                for x in targets
            ]
            if rows:
                c.execute(t.jobs.insert(), rows)
        return int(number)

    def set_scan(self, number: int, *, state: ScanState, at: str, record: ScanRecord | None = None) -> None:
        """Moves a scan on; `at` is when it finished."""
        values: dict[str, object] = {"state": state, "finished": at}
        if record is not None:
            values["record"] = msgspec.json.encode(record)
        with self.begin() as c:
            c.execute(t.scans.update().where(t.scans.c.id == number), values)

    def scan(self, number: int | None = None) -> ScanRow:
        """That scan, or the newest.

        Raises:
            NoScanError: there is none.
        """
        query = select(t.scans).order_by(t.scans.c.id.desc()).limit(1)
        if number is not None:
            query = query.where(t.scans.c.id == number)
        with self.begin() as c:
            row = c.execute(query).mappings().first()
        if row is None:
            what = "there is no scan yet" if number is None else f"there is no scan {number}"
            raise NoScanError(
                f"{what} in {self.where}; `bartizan scan` makes one, `bartizan scans list` lists them"
            )
        return _scan(row)

    def scans(self) -> list[ScanRow]:
        """All scans, oldest first."""
        with self.begin() as c:
            return [_scan(row) for row in c.execute(select(t.scans).order_by(t.scans.c.id)).mappings()]

    def last_with(self, specs: Collection[str]) -> int:
        """The newest complete scan that has seen one of these targets, or 0."""
        query = (
            select(t.scans.c.id)
            .join(t.jobs, t.jobs.c.scan_id == t.scans.c.id)
            .where(t.scans.c.state == ScanState.COMPLETE, t.jobs.c.state == JobState.DONE)
            .where(t.jobs.c.spec.in_(sorted(specs)))
            .order_by(t.scans.c.id.desc())
            .limit(1)
        )
        with self.begin() as c:
            return int(c.execute(query).scalar() or 0)

    def jobs(self, scan: int) -> list[JobRow]:
        """The ledger of a scan, in the order of planning."""
        query = select(t.jobs).where(t.jobs.c.scan_id == scan).order_by(t.jobs.c.id)
        with self.begin() as c:
            return [
                JobRow(
                    id=row["id"],
                    kind=Kind(row["kind"]),
                    name=row["name"],
                    spec=row["spec"],
                    state=JobState(row["state"]),
                    attempt=row["attempt"],
                    failure=row["failure"],
                    reason=row["reason"],
                )
                for row in c.execute(query).mappings()
            ]

    def dispatched(self, job: int, at: str) -> None:
        """Notes that work on a job has begun."""
        with self.begin() as c:
            c.execute(
                t.jobs.update()
                .where(t.jobs.c.id == job)
                .values(state=JobState.DISPATCHED, started=at, attempt=t.jobs.c.attempt + 1)
            )

    def finish_job(
        self,
        scan: int,
        job: int,
        state: JobState,
        at: str,
        *,
        snapshots: Iterable[Snapshot] = (),
        failure: str = "",
        reason: str = "",
    ) -> None:
        """Ends a job and chains its snapshots, all or nothing."""
        with self.begin() as c:
            head = self.head(c)
            for one in snapshots:
                place = ChainPlace(scan, job, one.target.spec, one.taken_at)
                head = append(c, place, encode(one), head)
            c.execute(
                t.jobs.update().where(t.jobs.c.id == job),
                {"state": state, "finished": at, "failure": failure, "reason": reason},
            )
            c.execute(t.scans.update().where(t.scans.c.id == scan), {"head": head})

    def cancel_open_jobs(self, scan: int, at: str, reason: str) -> None:
        """Ends all that never ran: cancelled, with the reason."""
        still_open = t.jobs.c.state.in_([JobState.PLANNED, JobState.DISPATCHED])
        with self.begin() as c:
            c.execute(
                t.jobs.update().where(t.jobs.c.scan_id == scan, still_open),
                {"state": JobState.CANCELLED, "finished": at, "reason": reason},
            )

    def reopen_jobs(self, scan: int) -> None:
        """Plans again what was cancelled, for a scan that goes on."""
        ended = t.jobs.c.state.in_([JobState.CANCELLED, JobState.DISPATCHED])
        with self.begin() as c:
            c.execute(
                t.jobs.update().where(t.jobs.c.scan_id == scan, ended),
                {"state": JobState.PLANNED, "finished": "", "reason": ""},
            )

    # --- snapshots ---

    def snapshots(
        self, scan: int, types: Mapping[str, type[Fact]], only: Collection[str] | None = None
    ) -> Iterator[Snapshot]:
        """The snapshots of a scan in the order of the chain, each checked against its digest.

        With `only`, each holds no more than what is about these facts.

        Raises:
            StoreError: a snapshot is not what was written.
        """
        for _, one in self.digested(scan, types, only):
            yield one

    def digested(
        self, scan: int, types: Mapping[str, type[Fact]], only: Collection[str] | None = None
    ) -> Iterator[tuple[str, Snapshot]]:
        """The same, each with its digest, by which `snapshot` finds it again."""
        query = (
            select(t.artefacts.c.digest, t.artefacts.c.data)
            .join(t.chain, t.chain.c.digest == t.artefacts.c.digest)
            .where(t.chain.c.scan_id == scan)
            .order_by(t.chain.c.id)
        )
        with self.begin() as c:
            for digest, data in c.execute(query):
                yield digest, decode(self._whole(digest, data), types, only)

    def snapshot(self, digest: str, types: Mapping[str, type[Fact]]) -> Snapshot:
        """The snapshot of that digest.

        Raises:
            StoreError: it is not there, or not what was written.
        """
        with self.begin() as c:
            data = c.execute(select(t.artefacts.c.data).where(t.artefacts.c.digest == digest)).scalar()
        if data is None:
            raise StoreError(f"{self.where}: snapshot {digest[:16]} is not there; restore the backup (*.bak)")
        return decode(self._whole(digest, data), types)

    def verify_chain(self) -> tuple[int, str]:
        """(links, head) of the whole chain, recomputed from the stored snapshots.

        Raises:
            StoreError: a link does not follow from the one before it.
        """
        head, links = GENESIS, 0
        query = select(t.chain, t.artefacts.c.data).join(t.artefacts).order_by(t.chain.c.id)
        with self.begin() as c:
            for row in c.execute(query).mappings():
                plain = self._inflated(row["digest"], row["data"])
                head = link_hash(head, row["meta"], hashlib.sha256(plain).hexdigest())
                links += 1
                if head != row["hash"]:
                    raise StoreError(
                        f"{self.where}: the chain breaks at link {links} (scan {row['scan_id']})"
                    )
        return links, head

    def _whole(self, digest: str, data: bytes) -> bytes:
        plain = self._inflated(digest, data)
        if hashlib.sha256(plain).hexdigest() != digest:
            raise StoreError(f"{self.where}: snapshot {digest[:16]} was changed after it was stored")
        return plain

    def _inflated(self, digest: str, data: bytes) -> bytes:
        try:
            return zlib.decompress(data)
        except zlib.error:
            message = f"{self.where}: snapshot {digest[:16]} is damaged; restore the backup (*.bak)"
            raise StoreError(message) from None

    @staticmethod
    def head(c: Connection) -> str:
        """The newest hash of the chain."""
        found = c.execute(select(t.chain.c.hash).order_by(t.chain.c.id.desc()).limit(1)).scalar()
        return found or GENESIS

    # --- opening ---

    def _version(self) -> tuple[str | None, bool]:
        """(the schema of the store, whether its tables are somebody else's)."""
        with self.engine.connect() as c:
            if self.engine.dialect.has_table(c, "alembic_version"):
                return c.execute(text("SELECT version_num FROM alembic_version")).scalar(), False
            return None, self.engine.dialect.has_table(c, "scans")

    def _upgrade(self, where: URL) -> None:
        if self._version()[0] == SCHEMA:
            return
        # Two processes may open a new store at once; the second finds it made when its turn comes.
        with alone(where):
            found, strange = self._version()
            if found == SCHEMA:
                return
            if strange:
                raise BadStoreError(f"{self.where}: this database holds other tables; name another store")
            if found is not None and found > SCHEMA:
                raise BadStoreError(
                    f"{self.where}: written by a newer Bartizan (schema {found}, this one knows {SCHEMA}); "
                    "upgrade Bartizan"
                )
            if found is not None and where.get_backend_name() == "sqlite" and where.database:
                back_up(Path(where.database), found)
            # Alembic is slow to import and only a store of another version needs it.
            from scanner.store.migrations.run import MigrationError, upgrade

            try:
                upgrade(self.engine)
            except MigrationError as error:
                raise StoreError(f"{self.where}: {error}") from error


def append(c: Connection, at: ChainPlace, plain: bytes, head: str) -> str:
    """Chains one encoded snapshot to that head; the new head."""
    digest = hashlib.sha256(plain).hexdigest()
    if c.execute(select(func.count()).where(t.artefacts.c.digest == digest)).scalar_one() == 0:
        c.execute(
            t.artefacts.insert(), {"digest": digest, "data": zlib.compress(plain, 6), "size": len(plain)}
        )
    meta = msgspec.json.encode({"scan": at.scan, "target": at.spec, "at": at.moment}, order="sorted").decode()
    link = link_hash(head, meta, digest)
    c.execute(
        t.chain.insert(), {"scan_id": at.scan, "job_id": at.job, "meta": meta, "digest": digest, "hash": link}
    )
    return link


def link_hash(before: str, meta: str, digest: str) -> str:
    """One link of the chain: SHA-256 over the link before, the length-prefixed meta, and the digest."""
    data = meta.encode()
    return hashlib.sha256(
        bytes.fromhex(before) + len(data).to_bytes(4, "big") + data + bytes.fromhex(digest)
    ).hexdigest()


def _scan(row: Mapping[Any, Any]) -> ScanRow:
    record = row["record"]
    assert isinstance(record, bytes)
    return ScanRow(
        number=int(str(row["id"])),
        started=str(row["started"]),
        finished=str(row["finished"] or ""),
        state=ScanState(str(row["state"])),
        head=str(row["head"] or ""),
        record=msgspec.json.decode(record, type=ScanRecord),
    )
