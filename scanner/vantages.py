"""One scan from several places: what other scanners saw is read, held against this one, and joined to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from checks.facts.snapshot import Fact
from checks.fix import printable
from scanner import app
from scanner.collect.collector import stamp
from scanner.derive.network_digest import vantage_of
from scanner.scope import NetworkScope, Plan
from scanner.store.adding import add, copy_scan
from scanner.store.record import ScanRow, ScanState
from scanner.store.store import Store
from scanner.store.views import View, read_view

_PLACES = frozenset({"NetworkCoverage", "OpenPorts", "PortAnswers"})
Places = frozenset[tuple[str, str]]
"""Targets, each with the vantage from which it was seen."""


def read(paths: Iterable[Path], types: Mapping[str, type[Fact]]) -> tuple[View, ...]:
    """The views in these files, each verified.

    Raises:
        ViewError: one is no view, or was changed.
        UsageError: two of them looked at the same from the same place.
    """
    found: list[View] = []
    for path in dict.fromkeys(paths):
        view = read_view(path, types)
        for other in found:
            _refuse(view, other.places, "another view")
        found.append(view)
    return tuple(found)


def planned(plan: Plan) -> Places:
    """What a plan is going to look at, and from where."""
    return frozenset(
        (one.target.spec, one.access.vantage) for one in plan.targets if isinstance(one.access, NetworkScope)
    )


def refuse_doubles(views: Iterable[View], places: Places, organisation: str) -> None:
    """Refuses a view of another organisation, or from the very place from which we look ourselves.

    Raises:
        UsageError: the first of these.
    """
    for view in views:
        _refuse(view, places, "this scan")
        theirs = view.record.organisation
        if theirs and organisation and theirs != organisation:
            raise app.UsageError(
                f"the view is of {printable(theirs)}, and this scan of {printable(organisation)}"
            )


def join(store: Store, scan: ScanRow, views: Sequence[View], types: Mapping[str, type[Fact]]) -> ScanRow:
    """The scan with these views. One that was judged stays as it was; the whole is a new scan then.

    Raises:
        UsageError: a view is of another organisation, or from a place of the scan.
    """
    own = frozenset(
        (one.target.spec, vantage_of(one)) for one in store.snapshots(scan.number, types, _PLACES)
    )
    refuse_doubles(views, own, scan.record.organisation)
    at = stamp(app.utc_now())
    number = scan.number
    if scan.state is not ScanState.COLLECTED:
        if scan.state is not ScanState.COMPLETE:
            raise app.UsageError(f"scan {number} is {scan.state}; a view is added to a whole scan")
        number = copy_scan(store, scan, at)
    for view in views:
        add(store, number, view, at)
    record = store.scan(number).record
    said = (_sentence(view) for view in views)
    record = msgspec.structs.replace(
        record,
        views=(*record.views, *(view.record for view in views)),
        limits=tuple(dict.fromkeys((*record.limits, *said))),
    )
    store.set_scan(number, state=ScanState.COLLECTED, at=at, record=record)
    return store.scan(number)


def _sentence(view: View) -> str:
    one = view.record
    return printable(
        f'from "{one.vantage}" scan {one.scan} of another scanner was added (authorised: '
        f"{one.authorisation}; {one.started} to {one.finished}; its chain head {one.head})"
    )


def _refuse(view: View, places: Places, what: str) -> None:
    for spec, vantage in sorted(view.places & places):
        raise app.UsageError(
            f'{what} looked at {spec} from "{vantage}", too; name the place of each scanner '
            "(vantage: in the scope)"
        )
