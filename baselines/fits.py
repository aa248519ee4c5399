"""Which hosts a baseline is made for. One that does not fit says so, and never passes anything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from baselines.resolve import Demand
from checks.facts.host.system import OperatingSystem
from checks.facts.snapshot import Snapshot
from checks.model import Kind

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

    Where a check is demanded for this very system and for any, the former counts. A demand that does
    not fit is given only where no other asks the same.
    """
    mine = [demand for demand in demands if demand.check.kind is snapshot.target.kind]
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
    """A sentence for each baseline that says nothing about this host because it does not fit."""
    if snapshot.target.kind is not Kind.HOST:
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
