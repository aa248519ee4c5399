"""The clock: by when a failure is to be closed, after the sixteen rows of CISA's BOD 26-04."""

from __future__ import annotations

import math
from datetime import date, timedelta

from checks.model import Exploit, Exposure, Finding, Impact, Points, Weakness
from reports.exposure import Exposed
from reports.model import Clock

IMPACTS = {Impact.TOTAL: 1.0, Impact.SERIOUS: 0.8, Impact.PARTIAL: 0.5, Impact.MINOR: 0.2}
"""Factor T of the risk model."""

SOURCE = "BOD 26-04"
UPGRADE = None
"""Instead of days: with the next upgrade of the system."""

# (known exploited, publicly exposed, automatable, total impact): row, days, forensics first.
# Source: CISA BOD 26-04 (10 June 2026), as CERT/CC's SSVC decision table cisa_bod_26_04_1_0_0.
TABLE: dict[tuple[bool, bool, bool, bool], tuple[int, int | None, bool]] = {
    (False, False, False, False): (0, UPGRADE, False),
    (True, False, False, False): (1, 14, False),
    (False, True, False, False): (2, 60, False),
    (False, False, True, False): (3, 60, False),
    (False, False, False, True): (4, UPGRADE, False),
    (True, True, False, False): (5, 14, False),
    (True, False, True, False): (6, 14, False),
    (False, True, True, False): (7, 14, False),
    (True, False, False, True): (8, 14, False),
    (False, True, False, True): (9, 14, False),
    (False, False, True, True): (10, 60, False),
    (True, True, True, False): (11, 3, False),
    (True, True, False, True): (12, 3, True),
    (True, False, True, True): (13, 3, True),
    (False, True, True, True): (14, 3, False),
    (True, True, True, True): (15, 3, True),
}

INTERNET = frozenset({Exposure.INTERNET_OPEN, Exposure.INTERNET_LIMITED})
TOTAL_FROM = 0.8
"""The technical impact T from which it counts as total."""

_NO_HUMAN_STEP = frozenset(
    {Exploit.ACTIVE, Exploit.NO_EXPLOIT_NEEDED, Exploit.POC_AUTOMATABLE, Exploit.AUTOMATABLE}
)
_CLASSES = {
    Weakness.ADMIN_PORT_NO_PASSWORD: "administration port with a default or no password",
    Weakness.WORLD_READABLE_STORE: "data store that everybody can read",
    Weakness.UNAUTHENTICATED_MANAGEMENT: "management interface without authentication",
    Weakness.LEAKED_LONG_LIVED_KEY: "leaked long-lived key",
}
"""Classes of weakness that are known to be abused in the wild, for findings without a CVE."""


def clock(finding: Finding, exposed: Exposed, impact: float) -> Clock:
    """The row of the table for a failure; `impact` is its factor T.

    Where the failure is a number of known flaws, it is the tightest row of any of them.
    """
    if finding.points:
        clocks = [_of_flaw(one, exposed) for one in finding.points]
        return min(clocks, key=lambda c: (math.inf if c.days is None else c.days, not c.forensics, -c.row))
    exploited, exploited_because = _exploited(finding, exposed)
    public, public_because = _public(exposed)
    automatable = finding.exploit in _NO_HUMAN_STEP
    step = "no human step is needed" if automatable else "needs a human step"
    return _clock(
        (exploited, exploited_because), (public, public_because), (automatable, step), _total(impact)
    )


def _of_flaw(one: Points, exposed: Exposed) -> Clock:
    """The row of the table for one known flaw."""
    known = f"{one.cve}, KEV since {one.kev}" if one.kev else f"{one.cve} is not in the catalogue"
    if not one.kev and one.exploit is Exploit.ACTIVE:
        known = f"{one.cve}, seen exploited: {one.said}"
    step = "no human step is needed" if one.automatable else "not said to go without a human step"
    return _clock(
        (bool(one.kev) or one.exploit is Exploit.ACTIVE, known),
        _public(exposed),
        (one.automatable, f"{one.cve}: {step}"),
        _total(IMPACTS[one.impact]),
    )


def _clock(
    exploited: tuple[bool, str],
    public: tuple[bool, str],
    automatable: tuple[bool, str],
    total: tuple[bool, str],
) -> Clock:
    row, days, forensics = TABLE[exploited[0], public[0], automatable[0], total[0]]
    reasons = (
        _reason("exploited in the wild", *exploited),
        _reason("publicly exposed", *public),
        _reason("automatable", *automatable),
        _reason("total impact", *total),
    )
    return Clock(
        row=row,
        exploited=exploited[0],
        exposed=public[0],
        automatable=automatable[0],
        total=total[0],
        days=days,
        forensics=forensics,
        because="; ".join(reasons),
    )


def due(first_seen: str, days: int | None) -> str:
    """The date (`2026-11-26`) so many days after the first sight; empty where there is no deadline."""
    return "" if days is None else (date.fromisoformat(first_seen[:10]) + timedelta(days=days)).isoformat()


def words(one: Clock) -> str:
    """`3 d (BOD 26-04 row 14)`."""
    if one.days is None:
        return f"on upgrade ({SOURCE} row {one.row})"
    return f"{one.days} d{', evidence first' if one.forensics else ''} ({SOURCE} row {one.row})"


def _total(impact: float) -> tuple[bool, str]:
    total = impact >= TOTAL_FROM
    return total, f"T {impact:g} {'≥' if total else '<'} {TOTAL_FROM:g}"


def _reason(name: str, held: bool, because: str) -> str:
    # The reasons are joined with semicolons, and read apart at them again.
    return f"{name}: {'yes' if held else 'no'} ({because.replace(';', ',')})"


def _exploited(finding: Finding, exposed: Exposed) -> tuple[bool, str]:
    if finding.exploit is Exploit.ACTIVE:
        return True, "seen exploited"
    if finding.weakness is None:
        return False, "its class is not on the list of those abused in the wild"
    name = _CLASSES[finding.weakness]
    if finding.weakness is Weakness.ADMIN_PORT_NO_PASSWORD and exposed.exposure not in INTERNET:
        return False, f"{name}: abused in the wild only where the internet reaches it"
    return True, f"{name}: a class abused in the wild"


def _public(exposed: Exposed) -> tuple[bool, str]:
    if exposed.exposure is Exposure.UNKNOWN:
        return False, f"not evidenced: {exposed.because}"
    return exposed.exposure in INTERNET, exposed.because
