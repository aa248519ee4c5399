"""PR-1.0: in what order failures are to be closed, with every factor kept and explained."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from checks.model import Exploit, Exposure, Finding, Impact, Outcome, Points
from reports.clock import IMPACTS, clock, due, words
from reports.estate import Estate
from reports.exposure import REACH, Exposed, Surroundings, Worth
from reports.model import Band, Factor, Ranked, Score, Status

MODEL = "PR-1.0"
WEIGHTS = {"T": 0.30, "P": 0.30, "E": 0.25, "A": 0.15}
CONTROLS_CAP = 0.5
"""More than half of a risk is never taken away by compensating controls."""

IMPACT = IMPACTS
EXPLOIT = {
    Exploit.ACTIVE: 1.0,
    Exploit.NO_EXPLOIT_NEEDED: 0.9,
    Exploit.POC_AUTOMATABLE: 0.7,
    Exploit.POC: 0.5,
    Exploit.AUTOMATABLE: 0.35,
    Exploit.HARDENING: 0.15,
}
_BANDS = ((80.0, Band.CRITICAL), (60.0, Band.HIGH), (40.0, Band.MEDIUM), (20.0, Band.LOW))
_IMPACT_WORDS = {
    Impact.TOTAL: "total control",
    Impact.SERIOUS: "serious",
    Impact.PARTIAL: "partial",
    Impact.MINOR: "minor",
}
_EXPLOIT_WORDS = {
    Exploit.ACTIVE: "seen active",
    Exploit.NO_EXPLOIT_NEEDED: "no exploit needed",
    Exploit.POC_AUTOMATABLE: "public proof of concept, automatable",
    Exploit.POC: "public proof of concept",
    Exploit.AUTOMATABLE: "no known exploit, automatable",
    Exploit.HARDENING: "no exploit: hardening",
}
_FLAW_WORDS = {
    Exploit.ACTIVE: "known to be exploited",
    Exploit.AUTOMATABLE: "no public exploit known, automatable",
    Exploit.HARDENING: "no public exploit known",
}
_EPSS = ((0.5, 0.9), (0.1, 0.7), (0.01, 0.35))
"""From which EPSS on factor P is at least how much."""
_REACH_WORDS = {
    Exposure.INTERNET_OPEN: "internet, unauthenticated",
    Exposure.INTERNET_LIMITED: "internet, guarded",
    Exposure.OTHER_ZONE: "another zone",
    Exposure.SAME_ZONE: "same zone",
    Exposure.LOCAL: "local only",
    Exposure.UNREACHABLE: "proved unreachable",
    Exposure.UNKNOWN: "unknown, counted as 0.7",
}
# What a defender can change comes first: who reaches it, what stands before it, what it leads to. How
# bad a weakness is in itself is changed by mending it.
_STEPS: tuple[tuple[str, tuple[tuple[float, str], ...]], ...] = (
    ("E", tuple((v, _REACH_WORDS[e]) for e, v in REACH.items() if e is not Exposure.UNKNOWN)),
    ("C", ((0.15, "a control, claimed with evidence"), (0.30, "a control, verified by a check"))),
    ("A", ((0.8, "important"), (0.6, "standard value"), (0.4, "low value"))),
    ("P", tuple((v, _EXPLOIT_WORDS[e]) for e, v in EXPLOIT.items())),
    ("T", tuple((v, _IMPACT_WORDS[i]) for i, v in IMPACT.items())),
)


def risk(values: Mapping[str, float], control: float = 0.0) -> float:
    """R = 100 · T^.30 · P^.30 · E^.25 · A^.15 · (1 − C); `values` holds T, P, E and A in (0, 1]."""
    product = math.prod(math.pow(values[letter], power) for letter, power in WEIGHTS.items())
    return 100.0 * product * (1.0 - min(max(control, 0.0), CONTROLS_CAP))


def band(value: float) -> Band:
    """The band of a score."""
    return next((name for least, name in _BANDS if value >= least), Band.INFO)


def figure(value: float) -> str:
    """The score as people read it: a whole number, or cut to one decimal where rounding changes the band."""
    whole = round(value)
    return str(whole) if band(whole) is band(value) else f"{math.floor(value * 10) / 10:.1f}"


def weight(value: float) -> float:
    """Risk points of one finding, for planning: they double with every ten points of score."""
    return math.pow(2.0, (value - 50.0) / 10.0)


def roll_up(values: Iterable[float]) -> float:
    """The score of an asset: min(100, (Σ R^12)^(1/12)), never below its worst finding; 0 for none."""
    found = [value for value in values if value > 0]
    if not found:
        return 0.0
    worst = max(found)
    return min(100.0, worst * math.pow(math.fsum(math.pow(v / worst, 12) for v in found), 1 / 12))


def score(finding: Finding, exposed: Exposed, worth: Worth, control: float = 0.0) -> Score:
    """The score of a failure; `control` is factor C (0 none, 0.15 claimed, 0.30 verified, summed to 0.5)."""
    control = min(max(control, 0.0), CONTROLS_CAP)
    t, p, labels_of_weakness = _weakness(finding)
    values = {"T": t, "P": p, "E": REACH[exposed.exposure], "A": worth.value}
    labels = {
        **labels_of_weakness,
        "E": (_REACH_WORDS[exposed.exposure], exposed.because),
        "A": (worth.because, "the asset's value, or that of what it can reach"),
    }
    factors = tuple(
        Factor(letter, values[letter], *labels[letter], WEIGHTS[letter] * math.log(values[letter]))
        for letter in WEIGHTS
    )
    controls = "no compensating control" if control == 0 else f"compensating controls, {control:g}"
    factors += (Factor("C", control, controls, "only with evidence, owner and expiry", math.log1p(-control)),)
    value = risk(values, control)
    return Score(value, band(value), factors, MODEL, useful(values, control))


def _weakness(finding: Finding) -> tuple[float, float, dict[str, tuple[str, str]]]:
    """Factors T and P with their words: of the check, or of that known flaw which weighs most."""
    if not finding.points:
        return (
            IMPACT[finding.impact],
            EXPLOIT[finding.exploit],
            {
                "T": (_IMPACT_WORDS[finding.impact], "what an attacker has after using it, says the check"),
                "P": (_EXPLOIT_WORDS[finding.exploit], "how hard it is to use, says the check"),
            },
        )
    worst = max(finding.points, key=lambda one: (IMPACT[one.impact] * exploitability(one), one.cve))
    value = exploitability(worst)
    raised = value > EXPLOIT[worst.exploit]
    word = (
        f"EPSS {worst.epss:.3g}" if raised else _FLAW_WORDS.get(worst.exploit, _EXPLOIT_WORDS[worst.exploit])
    )
    because = f"{worst.cve}: {worst.said}"
    return IMPACT[worst.impact], value, {"T": (_IMPACT_WORDS[worst.impact], because), "P": (word, because)}


def exploitability(one: Points) -> float:
    """Factor P of a known flaw; its EPSS may only raise it."""
    raised = next((value for least, value in _EPSS if one.epss >= least), 0.0)
    return max(EXPLOIT[one.exploit], raised)


def useful(values: Mapping[str, float], control: float = 0.0) -> str:
    """The smallest change of one factor that moves the finding a band down, in words."""
    now = risk(values, control)
    if band(now) is Band.INFO:
        return "none: already in the lowest band"
    for letter, value, word in _smaller(values, control):
        after = risk(values, value) if letter == "C" else risk({**values, letter: value}, control)
        if band(after) is not band(now):
            before = control if letter == "C" else values[letter]
            return f"{letter} {_number(before)}→{_number(value)} ({word}) gives {figure(after)}"
    return "none: no single factor moves it a band"


def rank(
    findings: Iterable[Finding],
    estate: Estate,
    *,
    first_seen: Mapping[str, str],
    statuses: Mapping[str, Status],
    today: date,
    around: Surroundings | None = None,
) -> tuple[Ranked, ...]:
    """The findings in the order of work: failures by score, clock and id; then what is no failure.

    `first_seen` and `statuses` are by finding id; a finding that they do not name is new today.
    `around` are the surroundings of the estate, for who ranks the findings of one asset after the other.
    """
    around = around or Surroundings(estate)
    ranked = [
        _ranked(one, around, first_seen.get(one.id, today.isoformat())[:10], statuses.get(one.id, Status.NEW))
        for one in findings
    ]
    return tuple(sorted(ranked, key=order))


def _ranked(finding: Finding, around: Surroundings, first_seen: str, status: Status) -> Ranked:
    name = around.name(finding.asset)
    if finding.outcome is not Outcome.FAIL:
        return Ranked(finding, name, first_seen, status)
    exposed, worth = around.exposed(finding), around.worth(finding.asset)
    scored = score(finding, exposed, worth)
    timed = clock(finding, exposed, IMPACT[finding.impact])
    formula = "·".join(
        f"{f.letter}{_number(f.value)}^{WEIGHTS[f.letter]:.2f}".replace("^0.", "^.")
        if f.letter in WEIGHTS
        else f"(1−{_number(f.value)})"
        for f in scored.factors
    )
    parts = (
        f"R {figure(scored.value)} {scored.band} = 100·{formula}",
        f"clock {words(timed)}",
        f"E: {exposed.because}",
        f"A: {worth.because}",
        f"most useful change: {scored.useful}",
        f"model {MODEL}, {_feeds(finding)}",
    )
    return Ranked(
        finding=finding,
        asset_name=name,
        first_seen=first_seen,
        status=status,
        score=scored,
        clock=timed,
        due=due(first_seen, timed.days),
        line=" | ".join(parts),
    )


def _feeds(finding: Finding) -> str:
    """The feeds behind a score with their days; the catalogue and EPSS also where they are not there."""
    dated = {name: day for name, _, day in (feed.rpartition(" ") for feed in finding.feeds)}
    shown = {"KEV": "none", "EPSS": "none", **dated}
    return ", ".join(f"{name} {day}" for name, day in shown.items())


_AFTER_FAILURES = (Outcome.FAIL, Outcome.ERROR, Outcome.UNKNOWN, Outcome.PASS, Outcome.NOT_APPLICABLE)


def order(one: Ranked) -> tuple[int, float, float, str, str]:
    """The place of a finding among others: failures by score, clock and id; then what is no failure."""
    place = _AFTER_FAILURES.index(one.finding.outcome)
    if one.score is None or one.clock is None:
        return place, 0.0, 0.0, one.finding.check, one.finding.id
    days = math.inf if one.clock.days is None else one.clock.days
    return place, -one.score.value, days, one.finding.id, ""


def _smaller(values: Mapping[str, float], control: float) -> Iterator[tuple[str, float, str]]:
    for letter, steps in _STEPS:
        for value, word in steps:
            if value > control if letter == "C" else value < values[letter]:
                yield letter, value, word


def _number(value: float) -> str:
    """`1.0`, `0.35`; `0` for none."""
    if value == 0:
        return "0"
    text = f"{value:.2f}"
    return text[:-1] if text.endswith("0") else text
