"""Which hosts a baseline is made for. One that does not fit says so, and never passes anything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from baselines.resolve import Demand
from checks.facts.host.system import OperatingSystem
from checks.facts.snapshot import Snapshot
from checks.model import Kind, Target

_NAMES = {
    "debian": "Debian",
    "ubuntu": "Ubuntu",
    "rhel": "RHEL",
    "almalinux": "AlmaLinux",
    "rocky": "Rocky Linux",
    "centos": "CentOS",
    "ol": "Oracle Linux",
    "amzn": "Amazon Linux",
    "sles": "SLES",
    "alpine": "Alpine",
}


def fitting(demands: Iterable[Demand], snapshot: Snapshot) -> Iterator[tuple[Demand, str]]:
    """What to judge a target by: each demand of its kind, and why it does not fit (empty: it fits).

    Where a check is demanded for this very system or zone and for any, the former counts. A demand for
    another system is given only where no other asks the same; one for other zones asks nothing here.
    """
    mine = list(_of_zone(demands, snapshot.target))
    if not any(demand.fits for demand in mine):
        yield from ((demand, "") for demand in mine)
        return
    found = snapshot.get(OperatingSystem)
    system = found if isinstance(found, OperatingSystem) else None
    by_check: dict[str, list[Demand]] = {}
    for demand in mine:
        by_check.setdefault(demand.check.id, []).append(demand)
    for alike in by_check.values():
        exact = [demand for demand in alike if demand.fits and system and fits(demand.fits, system)]
        general = [demand for demand in alike if not demand.fits]
        if exact or general:
            yield (exact or general)[0], ""
        else:
            yield alike[0], misfit(alike[0], system)


def _of_zone(demands: Iterable[Demand], target: Target) -> Iterator[Demand]:
    """The demands of the kind of a target and of its zone; those for this very zone before those for all."""
    mine = [one for one in demands if one.check.kind is target.kind]
    own = {one.check.id for one in mine if target.zone and target.zone in one.zones}
    for one in mine:
        if target.zone in one.zones if one.zones else one.check.id not in own:
            yield one


def fits(wanted: Mapping[str, tuple[str, ...]], system: OperatingSystem) -> bool:
    """Whether a system is among those: `{"rhel": ("9",)}` takes 9 and 9.4, `{"debian": ()}` any release."""
    if system.id not in wanted:
        return False
    versions = wanted[system.id]
    return not versions or any(system.version == v or system.version.startswith(f"{v}.") for v in versions)


def misfit(demand: Demand, system: OperatingSystem | None) -> str:
    """Why a demand does not fit a host, and what to do."""
    made = made_for(demand.fits)
    if system is None:
        return f"{demand.baseline} is made for {made}; which system this host runs is not known"
    return (
        f"{demand.baseline} is made for {made}, and this is {system.name}: nothing was judged by it; "
        "take linux-server or linux-minimal, which fit any Linux"
    )


def misfits(demands: Iterable[Demand], snapshot: Snapshot) -> tuple[str, ...]:
    """A sentence for each baseline that says nothing about this host because it does not fit.

    Also one for a target in whose zone nothing at all is demanded, of whatever kind it is.
    """
    demands = tuple(demands)
    target = snapshot.target
    if not any(_of_zone(demands, target)) and any(d.check.kind is target.kind for d in demands):
        where = f"zone {target.zone}" if target.zone else "no zone"
        subject = target.parent or target.name
        return (f"{subject}: in {where}, and the baselines are for others: nothing was judged",)
    if target.kind is not Kind.HOST:
        return ()
    reasons: dict[str, str] = {}
    for demand, reason in fitting(demands, snapshot):
        if reason:
            reasons.setdefault(demand.baseline, f"{snapshot.target.name}: {reason}")
    return tuple(reasons.values())


def made_for(wanted: Mapping[str, tuple[str, ...]]) -> str:
    """`Debian 12`, `RHEL 9 or AlmaLinux 9`."""
    return " or ".join(
        " ".join(filter(None, [_NAMES.get(system, system), "/".join(versions)]))
        for system, versions in wanted.items()
    )
