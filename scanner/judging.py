"""Judges the stored snapshots of a scan, one asset after the other, and holds no more than one of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
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
from reports.matrix import Matrix
from reports.model import Ranked
from reports.risk import order, rank
from scanner.derive import fleet, network, network_digest, network_fleet, network_software, vulnerabilities
from scanner.derive.derivation import derive
from scanner.derive.network_matrix import matrix
from scanner.intel.store import Feeds
from scanner.store import findings as intervals
from scanner.store.findings import Batch
from scanner.store.record import ScanRow
from scanner.store.store import Store

_OF_ESTATE = tuple(f.__name__ for f in (OperatingSystem, ListeningServices, NetworkCoverage, OpenPorts))
"""The facts that the estate is made of."""
_AT_FIRST = frozenset({*_OF_ESTATE, *(fact.__name__ for fact in (*fleet.SOURCES, *network_digest.SOURCES))})
"""What a first look at a snapshot reads: for the estate, and for what hosts and addresses have in common."""
_BEST_FIRST = (Outcome.FAIL, Outcome.PASS, Outcome.ERROR, Outcome.UNKNOWN, Outcome.NOT_APPLICABLE)
_LENGTH = 4


@dataclass(frozen=True, slots=True)
class Looked:
    """A first look at all snapshots of a scan: their assets, and which snapshots (by digest) show each.

    `misfits` says which baseline says nothing about which host, because it is made for other systems;
    `fleet` is what the hosts have in common, `around` what addresses and networks are held against.
    """

    estate: Estate
    of_asset: Mapping[str, tuple[str, ...]]
    misfits: tuple[str, ...]
    fleet: fleet.Fleet
    around: network.Around
    matrix: Matrix | None = None
    """What zones reach of each other; None where the scope declares none."""


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
        latest = _latest(
            _look_at(digest, one)
            for digest, one in self.store.digested(self.scan.number, self.catalogue.facts, _AT_FIRST)
        )
        digests = [look.seen for look in latest]
        around = network.around(self.scan.record, digests, self._earlier())
        snapshots = [_told_apart(look, around.addresses) for look in latest]
        estate = merge(snapshots, intervals.known_identities(self.store))
        of_asset: dict[str, list[str]] = defaultdict(list)
        for look in latest:
            of_asset[estate.key(look.snapshot)].append(look.digest)
        return Looked(
            estate,
            {key: tuple(found) for key, found in sorted(of_asset.items())},
            tuple(sentence for one in snapshots for sentence in misfits(self.demands, one)),
            fleet.fleet(look.host for look in latest if look.host is not None),
            around,
            matrix(around.segmentation, _keys(estate, latest)),
        )

    def _earlier(self) -> Iterator[network_digest.AddressDigest | network_digest.CoverageDigest | None]:
        """What the scan that this one is compared with saw of networks; nothing where it is gone."""
        number = self.scan.record.compared_with
        if number and not self.scan.record.inventory_text:
            names = frozenset(fact.__name__ for fact in network_digest.SOURCES)
            for one in self.store.snapshots(number, self.catalogue.facts, names):
                yield network_digest.digest(one)

    def batches(self, looked: Looked) -> Iterator[Batch]:
        """The findings of one asset after the other."""
        derivations = (
            *fleet.derivations(looked.fleet),
            *vulnerabilities.derivations(self.feeds),
            *network.derivations(looked.around),
        )
        around = Surroundings(looked.estate)
        today = self.now.astimezone(UTC).date()
        # What snapshots show was there when they were taken: judging them later moves no deadline.
        taken = min(today.isoformat(), self.scan.finished[:10] or today.isoformat())
        for key, digests in looked.of_asset.items():
            whole = [self.store.snapshot(d, self.catalogue.facts) for d in digests]
            of_asset = (*derivations, network_software.derivation(whole))
            views = (derive(one, of_asset) for one in whole)
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


@dataclass(frozen=True, slots=True)
class _Look:
    """A first look at one snapshot: its digest, what the estate needs, and what it tells the others."""

    digest: str
    snapshot: Snapshot
    vantage: str
    host: fleet.HostDigest | None
    seen: network_digest.AddressDigest | network_digest.CoverageDigest | None


def _look_at(digest: str, seen: Snapshot) -> _Look:
    place = network_digest.vantage_of(seen)
    return _Look(digest, _slim(seen), place, fleet.digest(seen), network_digest.digest(seen))


def _told_apart(look: _Look, among: network_fleet.Addresses) -> Snapshot:
    """The snapshot without the names that two machines bear: a key of an image is no name of a machine."""
    if not isinstance(look.seen, network_digest.AddressDigest):
        return look.snapshot
    shared = {f"ssh-host-key:{key}" for key in network_fleet.told_apart(look.seen, among)}
    names = tuple(one for one in look.snapshot.identities if one not in shared)
    return msgspec.structs.replace(look.snapshot, identities=names or look.snapshot.identities)


def _keys(estate: Estate, looks: Iterable[_Look]) -> Callable[[network_digest.AddressDigest], str]:
    """Gives the key of the asset of an address."""
    keys = {
        (look.seen.spec, look.seen.vantage): estate.key(look.snapshot)
        for look in looks
        if isinstance(look.seen, network_digest.AddressDigest)
    }
    return lambda one: keys.get((one.spec, one.vantage), one.spec)


def _latest(looks: Iterable[_Look]) -> tuple[_Look, ...]:
    """The last look at each target from each place: a scan that went on may have looked twice.

    An address that is asked for by itself has the spec of its network, but a parent. A look that says not
    from where it was taken saw nothing, and counts where no other one saw the target.
    """
    latest: dict[tuple[str, str], dict[str, _Look]] = defaultdict(dict)
    for one in looks:
        latest[one.snapshot.target.spec, one.snapshot.target.parent][one.vantage] = one
    return tuple(one for by in latest.values() for vantage, one in by.items() if vantage or not any(by))


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
