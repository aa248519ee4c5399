"""A scan of five zones that does not exist, for the tests of the page of zones."""

from __future__ import annotations

from checks.model import Finding, Kind, Severity
from reports.matrix import Cell, CellState, Matrix
from tests.reports.builder import finding

ZONES = ("outside", "office", "servers", "management", "guests")
LEAK = "network.segmentation.leak"
_AT = ("2026-11-23T10:02:00Z", "2026-11-23T10:31:00Z")


def leaks(count: int = 3) -> tuple[Finding, ...]:
    """Leaks of the way from the guests to the servers."""
    return tuple(
        finding(
            check=LEAK,
            title="Zones let in only what the scope names",
            target=f"10.2.0.{n}",
            asset=f"mac:52:54:00:00:00:{n:02x}",
            kind=Kind.NETWORK,
            on="tcp/22",
            severity=Severity.CRITICAL,
            saw="open to guests: ssh",
            want="from guests only: nothing",
        )
        for n in range(1, count + 1)
    )


def matrix(found: tuple[Finding, ...] = (), zones: tuple[str, ...] = ZONES) -> Matrix:
    """Each state at least once: the office is well kept, the guests leak, nobody stood in management."""
    return Matrix(zones, tuple(_cell(a, b, found) for a in zones for b in zones if b != "outside"))


def _cell(source: str, zone: str, found: tuple[Finding, ...]) -> Cell:
    tried = {"addresses": 254, "live": 31, "ports": 152, "at": _AT}
    if source == zone:
        return Cell(source, zone, CellState.FREE, "everything")
    if source == "management":
        reason = "no scan from zone management"
        return Cell(source, zone, CellState.UNTESTED, "tcp/22, tcp/443", reason=reason)
    if (source, zone) == ("guests", "servers"):
        ids = tuple(one.id for one in found)
        return Cell(
            source, zone, CellState.LEAKS, "nothing", len(found), ("guests → servers udp/53",), (),
            254, 31, 152, _AT, "", ids,
        )  # fmt: skip
    if (source, zone) == ("office", "servers"):
        way = ("office → servers tcp/443",)
        return Cell(source, zone, CellState.BLOCKED, "tcp/443, udp/53", 0, way, **tried)  # type: ignore[arg-type]
    if (source, zone) == ("outside", "office"):
        reason = "the time was over before every port had been asked"
        return Cell(source, zone, CellState.UNTESTED, "nothing", reason=reason, **tried)  # type: ignore[arg-type]
    return Cell(source, zone, CellState.HOLDS, "tcp/443", **tried)  # type: ignore[arg-type]
