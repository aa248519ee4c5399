"""What a check says about one object, and the four ways of saying it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import msgspec

from checks.model import Confidence, Exposure, Outcome, Points, Severity

_NOTHING: Mapping[str, str] = MappingProxyType({})


class Verdict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One object, judged.

    `on` names the object and must be unique within one run of the check and one `where`; `where` is
    its region or other part of the target. `values` fills the places of the fix. `cite` is the text
    to look for in the fact's source when the deciding lines are quoted (default: `on`). `port` is
    `tcp/22` where the weakness is used through a port; `exposure` is given only where this very
    evidence says who can reach the object. `cves` are known flaws, `points` those of them that decide how
    much it presses, in the place of what the check says, and `feeds` what they were looked up in.
    """

    outcome: Outcome
    on: str
    saw: str = ""
    want: str = ""
    reason: str = ""
    needs: str = ""
    where: str = ""
    port: str = ""
    severity: Severity | None = None
    confidence: Confidence = Confidence.CONFIRMED
    exposure: Exposure | None = None
    exposure_evidence: str = ""
    values: Mapping[str, str] = _NOTHING
    cite: str = ""
    cves: tuple[str, ...] = ()
    points: tuple[Points, ...] = ()
    feeds: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """True only for a pass."""
        return self.outcome is Outcome.PASS


Verdicts = Iterable[Verdict]


def expect(
    held: bool,
    *,
    on: str,
    saw: object,
    want: object,
    where: str = "",
    port: str = "",
    severity: Severity | None = None,
    confidence: Confidence = Confidence.CONFIRMED,
    exposure: Exposure | None = None,
    exposure_evidence: str = "",
    values: Mapping[str, str] = _NOTHING,
    cite: str = "",
    cves: tuple[str, ...] = (),
    points: tuple[Points, ...] = (),
    feeds: tuple[str, ...] = (),
) -> Verdict:
    """A pass if the condition held, else a failure; `saw` and `want` are shown as people read them."""
    return Verdict(
        outcome=Outcome.PASS if held else Outcome.FAIL,
        on=on,
        saw=shown(saw),
        want=shown(want),
        where=where,
        port=port,
        severity=severity,
        confidence=confidence,
        exposure=exposure,
        exposure_evidence=exposure_evidence,
        values=values,
        cite=cite,
        cves=cves,
        points=points,
        feeds=feeds,
    )


def unknown(on: str, reason: str, *, needs: str = "", where: str = "", port: str = "") -> Verdict:
    """The object is there but what decides could not be read; `needs` would have allowed it."""
    return Verdict(outcome=Outcome.UNKNOWN, on=on, reason=reason, needs=needs, where=where, port=port)


def not_applicable(on: str, reason: str, *, where: str = "") -> Verdict:
    """The question makes no sense for this object, with the evidence of that as the reason."""
    return Verdict(outcome=Outcome.NOT_APPLICABLE, on=on, reason=reason, where=where)


def shown(value: object) -> str:
    """A value in the words of a report: yes and no, sorted sets, nothing as `none`."""
    match value:
        case bool():
            return "yes" if value else "no"
        case str():
            return value
        case None:
            return "none"
        case set() | frozenset():
            return ", ".join(sorted(shown(v) for v in value)) or "none"
        case tuple() | list():
            return ", ".join(shown(v) for v in value) or "none"
        case _:
            return str(value)
