"""Known flaws in the words and the numbers of findings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta

from checks.facts.intel import EPSS_STEPS, Feed, Flaw, FlawedPackage, KernelFlaws, Vulnerabilities
from checks.model import Exploit, Exposure, Impact, Points, Severity

MOST_CVES = 1_000
"""Flaws that a finding names; it says how many there are in all."""

COMPLETE = frozenset({"state", "fixes"})
_IMPACTS = (Impact.MINOR, Impact.PARTIAL, Impact.SERIOUS, Impact.TOTAL)
_EXPLOITS = (Exploit.HARDENING, Exploit.AUTOMATABLE, Exploit.POC, Exploit.POC_AUTOMATABLE, Exploit.ACTIVE)
_BY_WORD = {
    "critical": Impact.TOTAL,
    "important": Impact.SERIOUS,
    "high": Impact.SERIOUS,
    "moderate": Impact.PARTIAL,
    "medium": Impact.PARTIAL,
    "low": Impact.MINOR,
    "negligible": Impact.MINOR,
}
_SEVERITY = {
    Impact.TOTAL: Severity.HIGH,
    Impact.SERIOUS: Severity.HIGH,
    Impact.PARTIAL: Severity.MEDIUM,
    Impact.MINOR: Severity.LOW,
}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+.:-]*")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+~:^_-]*")


def points_of(flaws: Iterable[Flaw]) -> tuple[Points, ...]:
    """The flaws that decide score and clock: all that no other one exceeds in everything, the worst first."""
    kept: list[Points] = []
    for one in map(_points, flaws):
        if not any(_exceeds(other, one) for other in kept):
            kept = [other for other in kept if not _exceeds(one, other)] + [one]
    return tuple(sorted(kept, key=lambda one: (*(-value for value in _values(one)), one.cve)))


def _points(flaw: Flaw) -> Points:
    return Points(
        cve=flaw.cve,
        impact=_impact(flaw),
        exploit=_exploit(flaw),
        # Of what nobody has judged yet the worse is taken, as the check would for all.
        automatable=flaw.automatable != "no",
        kev=flaw.kev,
        epss=flaw.epss,
        said=_said(flaw),
    )


def _impact(flaw: Flaw) -> Impact:
    """SSVC's word first, then the losses in the CVSS vector, its score, and the distribution's own word."""
    if flaw.impact:
        return Impact.TOTAL if flaw.impact == "total" else Impact.PARTIAL
    if flaw.effect:
        return Impact(flaw.effect)
    if flaw.cvss:
        return next(
            i for least, i in zip((9, 7, 4, 0), reversed(_IMPACTS), strict=True) if flaw.cvss >= least
        )
    return _BY_WORD.get(flaw.severity.lower(), Impact.SERIOUS)


def _exploit(flaw: Flaw) -> Exploit:
    if flaw.kev or flaw.exploitation == "active":
        return Exploit.ACTIVE
    automatable = flaw.automatable == "yes"
    if flaw.exploitation == "poc":
        return Exploit.POC_AUTOMATABLE if automatable else Exploit.POC
    # Judged, and neither used nor automatable; what is not judged counts as automatable.
    return Exploit.HARDENING if flaw.exploitation and not automatable else Exploit.AUTOMATABLE


def _said(flaw: Flaw) -> str:
    parts = []
    if flaw.kev:
        parts.append(f"in KEV since {flaw.kev}{', used for ransomware' if flaw.ransomware else ''}")
    if flaw.exploitation:
        automatable = {"yes": "automatable", "no": "not automatable"}.get(
            flaw.automatable, "automatable unknown"
        )
        parts.append(
            f"SSVC exploitation {flaw.exploitation}, {automatable}, impact {flaw.impact or 'unknown'}"
        )
    if flaw.cvss:
        parts.append(f"CVSS {flaw.cvss:g}")
    if flaw.epss:
        parts.append(f"EPSS {flaw.epss:.3g}")
    if flaw.severity:
        parts.append(f"the distribution calls it {flaw.severity.lower()}")
    return ", ".join(parts) or "no feed says more of it"


def _values(one: Points) -> tuple[float, ...]:
    steps = sum(one.epss >= least for least in EPSS_STEPS)
    return (
        bool(one.kev),
        _EXPLOITS.index(one.exploit),
        _IMPACTS.index(one.impact),
        one.automatable,
        steps,
    )


def _exceeds(one: Points, other: Points) -> bool:
    return all(a >= b for a, b in zip(_values(one), _values(other), strict=True))


def severity_of(flaws: Iterable[Flaw]) -> Severity:
    """Critical for what is known to be exploited; less than high only where the feeds say so of all."""
    known = tuple(flaws)
    if any(flaw.kev for flaw in known):
        return Severity.CRITICAL
    return max((_SEVERITY[_impact(flaw)] for flaw in known), key=lambda s: s.rank, default=Severity.HIGH)


def exposure_of(flaws: Iterable[Flaw]) -> tuple[Exposure | None, str]:
    """Local where every flaw is known to be used from the machine itself; else nothing is known from here."""
    known = tuple(flaws)
    if known and all(flaw.reach in ("local", "physical") for flaw in known):
        return Exposure.LOCAL, "by their CVSS vectors all of these flaws are used from the machine itself"
    return None, ""


def worst(flaws: tuple[Flaw, ...]) -> str:
    """`CVE-2024-1 (in KEV since 2024-03-01)`: the first of them, and why it is the first."""
    first = flaws[0]
    if first.kev:
        return f"{first.cve} (in KEV since {first.kev}{', ransomware' if first.ransomware else ''})"
    if first.exploitation in ("poc", "active"):
        return f"{first.cve} ({'public exploit' if first.exploitation == 'poc' else 'seen exploited'})"
    return f"{first.cve}{f' (CVSS {first.cvss:g})' if first.cvss else ''}"


def counted(number: int, noun: str = "known flaw") -> str:
    """`1 known flaw`, `2 known flaws`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def feeds_of(found: Vulnerabilities | KernelFlaws) -> tuple[str, ...]:
    """The feeds behind a fact, each with its day."""
    named = [("KEV", found.kev), ("EPSS", found.epss), ("SSVC", found.points)]
    return tuple(
        f"{name} {day}" for name, day in (*named, *((f.name, f.date) for f in found.advisories)) if day
    )


def named_feeds(feeds: Iterable[Feed]) -> str:
    """`debian-tracker, changelogs`: without their days, which are in `feeds_of` and in the evidence.

    A feed that is newer and says the same changes nothing that was seen.
    """
    return ", ".join(feed.name for feed in feeds)


def doubt(
    release: str, feeds: tuple[Feed, ...], max_age_days: int, now: datetime, *, state: bool = False
) -> str:
    """Why "no flaw was found" would be no evidence; empty if it is. `state`: of flaws without a fix, too."""
    needed = frozenset({"state"}) if state else COMPLETE
    complete = [feed for feed in feeds if feed.tells in needed]
    if not complete:
        lack = "tells which flaws have no fix yet" if state else "tells of all its packages"
        return f"of the feeds for {release} ({named_feeds(feeds) or 'none'}) none {lack}"
    newest = max(complete, key=lambda feed: feed.date)
    if too_old(newest.date, max_age_days, now):
        age = f"older than {max_age_days} days"
        return f"the newest advisories for {release} are {newest.name} of {newest.date}, {age}"
    return ""


def fresh(feeds: Iterable[Feed], max_age_days: int, now: datetime) -> bool:
    """Whether every one of these feeds is young enough to say that something is in order."""
    return all(not too_old(feed.date, max_age_days, now) for feed in feeds)


def too_old(day: str, max_age_days: int, now: datetime) -> bool:
    """Whether data of that day is older than so many days."""
    return now.astimezone(UTC).date() - date.fromisoformat(day) > timedelta(days=max_age_days)


def places_of(one: FlawedPackage, release: str) -> Mapping[str, str]:
    """What the fix of a package has to name. A name that no package manager would accept gets no command."""
    pairs = [(n, v) for n, v in one.packages if _NAME.fullmatch(n) and _VERSION.fullmatch(v)]
    names = list(dict.fromkeys(name for name, _ in pairs)) or [one.source]
    return {
        "package": one.source,
        "first": names[0],
        "packages": ",".join(names),
        "former": ",".join(dict.fromkeys(f"{name}={version}" for name, version in pairs)),
        "release": release,
    }
