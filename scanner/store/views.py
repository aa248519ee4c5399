"""What another scanner saw, as one file: written here, verified there, and added to a scan.

The file begins with a line that names its form. Then come parts, each as four bytes of length and that much
zlib data: first the header, then for each snapshot its link in the chain and the snapshot itself. A header
says whose view it is, from where and under whose authority; there is no scope, no option and no secret in it.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar

import msgspec
from sqlalchemy import func, select

from checks.facts.network import LOOPBACK
from checks.facts.snapshot import Fact, Snapshot, decode
from checks.model import Kind
from scanner.derive.network_digest import vantage_of
from scanner.store import tables as t
from scanner.store.opening import BadStoreError
from scanner.store.record import JobRow, JobState, ScanRow, ScanState, ViewRecord
from scanner.store.store import GENESIS, Store, link_hash

T = TypeVar("T")
MAGIC = b"BARTIZAN VIEW 1\n"
_FAMILY = b"BARTIZAN VIEW "
_LENGTH = 4
MOST_PART = 16 * 1024 * 1024
"""Bytes of one snapshot, compressed or not: a whole /24 with every fact has a twentieth of it."""
MOST_BYTES = 4 * 1024 * 1024 * 1024
"""Bytes of all parts of a file once they are inflated."""
MOST_PARTS = 2_000_000
ADDED = "view:"
"""How the specs of jobs begin that came with a view."""


class ViewError(BadStoreError):
    """One line for a person: this file is no view, or not as it was written."""


class ViewJob(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One network that the other scanner was to look at, and what became of it."""

    name: str
    spec: str
    state: JobState
    failure: str
    reason: str


class _Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    scan: int
    organisation: str
    authorisation: str
    started: str
    finished: str
    version: str
    before: str
    head: str
    jobs: tuple[ViewJob, ...]
    links: int


class _Link(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    meta: str
    digest: str
    hash: str
    job: int


@dataclass(frozen=True, slots=True)
class Seen:
    """One snapshot of a view: its job, its bytes, and its target, time and place.

    `packed` is `plain` (the bytes as they were written) compressed: what swells is never held as a whole.
    """

    job: int
    packed: bytes
    spec: str
    at: str
    vantage: str

    @property
    def plain(self) -> bytes:
        """The snapshot as it was written."""
        return zlib.decompress(self.packed)


@dataclass(frozen=True, slots=True)
class View:
    """A view that was read and verified. `places` are its networks, each with where it was seen from."""

    record: ViewRecord
    jobs: tuple[ViewJob, ...]
    snapshots: tuple[Seen, ...]
    places: frozenset[tuple[str, str]]


# --- write ---


def export(store: Store, scan: ScanRow, out: BinaryIO) -> int:
    """Writes what a scan saw of networks; how many snapshots that are.

    Raises:
        ViewError: the scan saw no network, or still runs.
    """
    if scan.state in (ScanState.RUNNING, ScanState.INTERRUPTED):
        raise ViewError(f"scan {scan.number} is {scan.state}; only a whole one can be exported")
    rows = [
        row for row in store.jobs(scan.number) if row.kind is Kind.NETWORK and not row.spec.startswith(ADDED)
    ]
    own = {row.id: number for number, row in enumerate(rows)}
    with store.begin() as c:
        ids = select(func.min(t.chain.c.id), func.max(t.chain.c.id)).where(t.chain.c.scan_id == scan.number)
        first, last = c.execute(ids).one()
        if not rows or first is None:
            raise ViewError(f"scan {scan.number} saw no network; a view is of networks")
        links = select(t.chain).where(t.chain.c.id.between(first, last)).order_by(t.chain.c.id)
        chain = c.execute(links).mappings().all()
        earlier = select(t.chain.c.hash).where(t.chain.c.id < first).order_by(t.chain.c.id.desc()).limit(1)
        before = c.execute(earlier).scalar() or GENESIS
    out.write(MAGIC)
    _put(out, zlib.compress(msgspec.json.encode(_header(scan, rows, before, len(chain)))))
    kept = 0
    for row in chain:
        job = own.get(row["job_id"], -1)
        _put(out, zlib.compress(msgspec.json.encode(_Link(row["meta"], row["digest"], row["hash"], job))))
        data = b""
        if job >= 0:
            with store.begin() as c:
                data = c.execute(
                    select(t.artefacts.c.data).where(t.artefacts.c.digest == row["digest"])
                ).scalar_one()
            kept += 1
        _put(out, data or zlib.compress(b""))
    return kept


def _header(scan: ScanRow, rows: Sequence[JobRow], before: str, links: int) -> _Header:
    record = scan.record
    return _Header(
        scan=scan.number,
        organisation=record.organisation,
        authorisation=record.authorisation,
        started=scan.started,
        finished=scan.finished,
        version=record.version,
        before=before,
        head=scan.head,
        jobs=tuple(ViewJob(r.name, r.spec, r.state, r.failure, r.reason) for r in rows),
        links=links,
    )


def _put(out: BinaryIO, data: bytes) -> None:
    out.write(len(data).to_bytes(_LENGTH, "big") + data)


# --- read ---


def read_view(path: Path, types: Mapping[str, type[Fact]]) -> View:
    """The view in this file, every snapshot held against its digest and its link.

    Raises:
        ViewError: it is no view, of another form, cut short, or changed after it was written.
    """
    whole = hashlib.sha256()
    try:
        with path.open("rb") as file:
            parts = _parts(file, path, whole)
            header = _decoded(next(parts, b""), _Header, path)
            seen = tuple(_snapshots(parts, header, types, path))
    except OSError as error:
        raise ViewError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    vantages = tuple(dict.fromkeys(one.vantage for one in seen if one.vantage))
    if not vantages:
        raise ViewError(f"{path}: it holds nothing that was seen of a network from anywhere")
    record = ViewRecord(
        vantage=", ".join(vantages),
        scan=header.scan,
        organisation=header.organisation,
        authorisation=header.authorisation,
        started=header.started,
        finished=header.finished,
        version=header.version,
        head=header.head,
        digest=whole.hexdigest(),
    )
    kept = tuple(one for one in seen if one.vantage != LOOPBACK)
    places = frozenset((one.spec, one.vantage) for one in kept if one.vantage)
    return View(record, header.jobs, kept, places)


def _parts(file: BinaryIO, path: Path, whole: hashlib._Hash) -> Iterator[bytes]:
    """The parts of the file, inflated; none may be larger than the limit."""
    magic = file.read(len(MAGIC))
    whole.update(magic)
    if magic != MAGIC:
        other = "of another form than this version reads" if magic.startswith(_FAMILY) else "no view"
        raise ViewError(f"{path}: this is {other}; `bartizan scans export` writes one")
    left = MOST_BYTES
    for _ in range(MOST_PARTS):
        size = file.read(_LENGTH)
        if not size:
            return
        data = file.read(min(int.from_bytes(size, "big"), MOST_PART + 1))
        whole.update(size + data)
        if len(size) < _LENGTH or len(data) != int.from_bytes(size, "big"):
            raise ViewError(f"{path}: it is cut short, or damaged")
        inflate = zlib.decompressobj()
        try:
            plain = inflate.decompress(data, MOST_PART)
        except zlib.error:
            raise ViewError(f"{path}: it is damaged") from None
        if not inflate.eof or inflate.unused_data:
            raise ViewError(f"{path}: it is damaged, or a part of it is larger than {MOST_PART:,} bytes")
        left -= len(plain)
        if left < 0:
            raise ViewError(f"{path}: it holds more than {MOST_BYTES:,} bytes")
        yield plain
    raise ViewError(f"{path}: it has more than {MOST_PARTS:,} parts")


def _decoded(data: bytes, kind: type[T], path: Path) -> T:
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.DecodeError:
        raise ViewError(f"{path}: it is damaged, or of another form than this version reads") from None


def _snapshots(
    parts: Iterator[bytes], header: _Header, types: Mapping[str, type[Fact]], path: Path
) -> Iterator[Seen]:
    count, head = 0, header.before
    for data in parts:
        link, plain = _decoded(data, _Link, path), next(parts, b"")
        count += 1
        if not _right(link, plain, head, len(header.jobs)):
            raise ViewError(f"{path}: snapshot {count} was changed after it was written")
        head = link.hash
        if link.job >= 0:
            seen = _decode(plain, types, path)
            if seen.target.kind is not Kind.NETWORK:
                raise ViewError(f"{path}: snapshot {count} is of {seen.target.kind}; a view is of networks")
            yield Seen(link.job, zlib.compress(plain, 1), seen.target.spec, seen.taken_at, vantage_of(seen))
    if count != header.links or head != header.head:
        raise ViewError(f"{path}: what it holds does not lead to its own chain head; it was changed")


def _right(link: _Link, plain: bytes, before: str, jobs: int) -> bool:
    """Whether a link follows from the one before it, and the snapshot is the one that it speaks of."""
    if (link.job < 0) != (plain == b"") or link.job >= jobs:
        return False
    digest = hashlib.sha256(plain).hexdigest() if plain else link.digest
    try:
        return digest == link.digest and link_hash(before, link.meta, digest) == link.hash
    except ValueError:
        return False


def _decode(plain: bytes, types: Mapping[str, type[Fact]], path: Path) -> Snapshot:
    try:
        return decode(plain, types)
    except (ValueError, msgspec.DecodeError):
        raise ViewError(f"{path}: its snapshots are of another form than this version reads") from None
