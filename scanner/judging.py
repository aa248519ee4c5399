"""Judges the stored snapshots of a scan, one asset after the other, and holds no more than one of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from tempfile import TemporaryFile

import msgspec

from baselines.evaluate import evaluate
from baselines.fits import misfits
from baselines.resolve import Demand
from checks.catalogue import Catalogue
from checks.facts.host.services import ListeningServices
from checks.facts.host.system import OperatingSystem
from checks.facts.network import NetworkCoverage, OpenPorts
from checks.facts.snapshot import Snapshot
from checks.model import Finding, Outcome
from reports.estate import Estate, merge
from reports.exposure import Surroundings
from reports.model import Ranked
from reports.risk import order, rank
from scanner.derive import fleet, vulnerabilities
from scanner.derive.derivation import derive
from scanner.intel.store import Feeds
from scanner.store import findings as intervals
from scanner.store.findings import Batch
from scanner.store.record import ScanRow
from scanner.store.store import Store

_OF_ESTATE = tuple(f.__name__ for f in (OperatingSystem, ListeningServices, NetworkCoverage, OpenPorts))
"""The facts that the estate is made of."""
_AT_FIRST = frozenset({*_OF_ESTATE, *(fact.__name__ for fact in fleet.SOURCES)})
"""What a first look at a snapshot reads: for the estate, and for what hosts have in common."""
_BEST_FIRST = (Outcome.FAIL, Outcome.PASS, Outcome.ERROR, Outcome.UNKNOWN, Outcome.NOT_APPLICABLE)
_LENGTH = 4


@dataclass(frozen=True, slots=True)
class Looked:
    """A first look at all snapshots of a scan: their assets, and which snapshots (by digest) show each.

    `misfits` says which baseline says nothing about which host, because it is made for other systems;
    `fleet` is what the hosts have in common.
    """

    estate: Estate
    of_asset: Mapping[str, tuple[str, ...]]
    misfits: tuple[str, ...]
    fleet: fleet.Fleet


@dataclass(frozen=True, slots=True)
class Judgement:
    """How a scan is judged: by which demands, as of which moment, by which feeds (None: there are none)."""

    store: Store
    scan: ScanRow
    catalogue: Catalogue
    demands: Sequence[Demand]
    now: datetime
    feeds: Feeds | None = None

    def look(self) -> Looked:
        """The assets of the scan. Of each snapshot only what this needs is read."""
        latest: dict[tuple[str, str], tuple[str, Snapshot, fleet.HostDigest | None]] = {}
        for digest, one in self.store.digested(self.scan.number, self.catalogue.facts, _AT_FIRST):
            # The last of each target: a scan that went on may have looked twice. An address that is
            # asked for by itself has the spec of its network, but a parent.
            latest[one.target.spec, one.target.parent] = digest, _slim(one), fleet.digest(one)
        snapshots = [one for _, one, _ in latest.values()]
        estate = merge(snapshots, intervals.known_identities(self.store))
        of_asset: dict[str, list[str]] = defaultdict(list)
        for digest, one, _ in latest.values():
            of_asset[estate.key(one)].append(digest)
        return Looked(
            estate,
            {key: tuple(found) for key, found in sorted(of_asset.items())},
            tuple(sentence for one in snapshots for sentence in misfits(self.demands, one)),
            fleet.fleet(host for *_, host in latest.values() if host is not None),
        )

    def batches(self, looked: Looked) -> Iterator[Batch]:
        """The findings of one asset after the other."""
        derivations = (*fleet.derivations(looked.fleet), *vulnerabilities.derivations(self.feeds))
        around = Surroundings(looked.estate)
        today = self.now.astimezone(UTC).date()
        # What snapshots show was there when they were taken: judging them later moves no deadline.
        taken = min(today.isoformat(), self.scan.finished[:10] or today.isoformat())
        for key, digests in looked.of_asset.items():
            views = (derive(self.store.snapshot(d, self.catalogue.facts), derivations) for d in digests)
            found = _best(
                one for view in views for one in evaluate(self.demands, view, now=self.now, asset=key)
            )
            lived = intervals.lives(self.store, found, self.scan.number, taken)
            ranked = rank(
                found,
                looked.estate,
                first_seen={i: life.first_seen for i, life in lived.items()},
                statuses={i: life.status for i, life in lived.items()},
                today=today,
                around=around,
            )
            yield Batch(ranked, lived)


def _slim(snapshot: Snapshot) -> Snapshot:
    """Only what the estate is made of: the rest of a thousand snapshots is read again when it is judged."""
    kept = {name: fact for name, fact in snapshot.facts.items() if name in _OF_ESTATE}
    gaps = tuple(gap for gap in snapshot.gaps if gap.fact in _OF_ESTATE)
    sources = tuple(one for one in snapshot.sources if one.fact == OpenPorts.__name__)
    return msgspec.structs.replace(snapshot, facts=kept, gaps=gaps, absences=(), sources=sources)


def _best(found: Iterable[Finding]) -> list[Finding]:
    """One answer per finding: where a machine was seen twice, evidence beats not knowing."""
    best: dict[str, Finding] = {}
    for one in found:
        other = best.get(one.id)
        if other is None or _BEST_FIRST.index(one.outcome) < _BEST_FIRST.index(other.outcome):
            best[one.id] = one
    return list(best.values())


class Spool:
    """Findings in a temporary file: written once, batch by batch, and read as often as one likes."""

    def __init__(self) -> None:
        self._file = TemporaryFile()  # noqa: SIM115 - it lives as long as the spool, and has no name
        self._batches: list[tuple[int, int]] = []
        self._counts: Counter[Outcome] = Counter()

    def add(self, batch: Batch) -> None:
        """Writes one batch to the end."""
        self._batches.append((self._file.seek(0, 2), len(batch.ranked)))
        for one in batch.ranked:
            self._counts[one.finding.outcome] += 1
            self._write(msgspec.msgpack.encode(one))
        self._write(msgspec.msgpack.encode(batch.lived))

    def batches(self) -> Iterator[Batch]:
        """The batches as they were written."""
        ranked = msgspec.msgpack.Decoder(Ranked)
        lived = msgspec.msgpack.Decoder(dict[str, intervals.Life])
        for start, count in self._batches:
            self._file.seek(start)
            found = tuple(ranked.decode(self._read()) for _ in range(count))
            yield Batch(found, lived.decode(self._read()))

    def __iter__(self) -> Iterator[Ranked]:
        """All findings, worst first."""
        decoder = msgspec.msgpack.Decoder(Ranked)
        places = []
        for start, count in self._batches:
            self._file.seek(start)
            for _ in range(count):
                at = self._file.tell()
                places.append((order(decoder.decode(self._read())), at))
        for _, at in sorted(places):
            self._file.seek(at)
            yield decoder.decode(self._read())

    def of(self, outcomes: Collection[Outcome]) -> Iterator[Ranked]:
        """Those of these outcomes, worst first."""
        return (one for one in self if one.finding.outcome in outcomes)

    def counts(self) -> Mapping[Outcome, int]:
        """How many there are of each outcome."""
        return self._counts

    def _write(self, data: bytes) -> None:
        self._file.write(len(data).to_bytes(_LENGTH, "big") + data)

    def _read(self) -> bytes:
        return self._file.read(int.from_bytes(self._file.read(_LENGTH), "big"))
