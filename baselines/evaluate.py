"""The judgement: demands and a snapshot give findings. Pure; the time of judging is an argument."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import cache
from itertools import islice

from baselines.fits import fitting
from baselines.resolve import Demand
from checks.check import CLOCK_PARAMETER
from checks.facts.snapshot import Gap, Snapshot, Source
from checks.facts.untold import UntoldError
from checks.fix import Fix, FixText, fix_key, printable, render_fix
from checks.model import Evidence, Finding, Kind, Outcome
from checks.verdict import Verdict, unknown

ID_VERSION = "1"
QUOTED_LINES = 8
QUOTED_LINE_LENGTH = 300
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d{1,2}")
_NAMED = re.compile(r"[\w:./-]*[\d-][\w./-]{3,}")
"""What may be the name of a thing in the words of a verdict."""
_TOLD = 12
_TEXTS = ("on", "saw", "want", "reason", "needs", "where", "port", "exposure_evidence", "cite")
_WORST_FIRST = (Outcome.FAIL, Outcome.ERROR, Outcome.UNKNOWN, Outcome.PASS, Outcome.NOT_APPLICABLE)


def evaluate(
    demands: Iterable[Demand], snapshot: Snapshot, *, now: datetime, asset: str = ""
) -> tuple[Finding, ...]:
    """The findings about one target, sorted by check and object.

    Every demand of the target's kind gives at least one finding: what is not there is unknown, or
    not applicable where its absence was seen. A crash inside a check is an error of that check, and
    takes its passes with it. `asset` is the key of the asset (default: the strongest identity).
    """
    key = asset or next(iter(snapshot.identities), snapshot.target.spec)
    findings: dict[str, Finding] = {}
    quotes = _Quotes()
    for demand, misfit in fitting(demands, snapshot):
        verdicts = [unknown("", misfit)] if misfit else _verdicts(demand, snapshot, now)
        for verdict in verdicts:
            one = _finding(demand, verdict, snapshot, key, quotes)
            other = findings.get(one.id)
            # Two answers about one object: the worse one stands.
            if other is None or _badness(one) < _badness(other):
                findings[one.id] = one
    return tuple(sorted(findings.values(), key=lambda f: (f.check, f.region, f.on, f.id)))


def finding_id(asset: str, check: str, where: str, on: str) -> str:
    """The lasting id of a finding: 16 bytes of BLAKE2b over length-prefixed parts, in hex.

    Never over time, address, severity, wording or version.
    """
    digest = hashlib.blake2b(digest_size=16)
    for part in (ID_VERSION, asset, check, where, on):
        data = part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(4, "big") + data)
    return digest.hexdigest()


def _verdicts(demand: Demand, snapshot: Snapshot, now: datetime) -> Iterator[Verdict]:
    check = demand.check
    names = {fact.__name__ for fact in check.needs}
    gaps = [gap for gap in snapshot.gaps if gap.fact in names]
    missing = [fact.__name__ for fact in check.needs if fact.__name__ not in snapshot.facts]
    if missing:
        yield from _not_judged(missing, gaps, snapshot)
        return
    facts = [snapshot.facts[fact.__name__] for fact in check.needs]
    options = {**demand.options, CLOCK_PARAMETER: now} if check.wants_time else demand.options
    judged: list[Verdict] = []
    crash = untold = ""
    try:
        # One by one: what was yielded before a crash still counts, except as a pass.
        for verdict in check.run(*facts, **options):
            judged.append(_sound(verdict))
    except UntoldError as error:
        untold = str(error)
    except Exception as error:  # noqa: BLE001 - a crash in a check is an answer about that check
        crash = f"{type(error).__name__}: {error}"
    if untold or crash:
        yield from (v for v in judged if v.outcome is not Outcome.PASS)
    if untold:
        yield Verdict(Outcome.UNKNOWN, on="", reason=untold, needs="a new scan")
    elif crash:
        yield Verdict(Outcome.ERROR, on="", reason=f"the check stopped: {printable(crash)[:500]}")
    else:
        yield from judged
    yield from _of_gaps(gaps, snapshot.target.kind)
    if not (judged or untold or crash or gaps):
        absent = next((a.reason for a in snapshot.absences if a.fact in names), "")
        reason = absent or "nothing of the kind was found here"
        yield Verdict(Outcome.NOT_APPLICABLE, on="", reason=reason)


def _not_judged(missing: list[str], gaps: list[Gap], snapshot: Snapshot) -> Iterator[Verdict]:
    hidden = [gap for gap in gaps if gap.fact in missing]
    if hidden:
        yield from _of_gaps(hidden, snapshot.target.kind)
        return
    absences = {a.fact: a for a in snapshot.absences}
    unexplained = [name for name in missing if name not in absences]
    if unexplained:
        yield Verdict(Outcome.UNKNOWN, on="", reason=f"{', '.join(unexplained)}: not collected")
        return
    for name in missing:
        absence = absences[name]
        yield Verdict(Outcome.NOT_APPLICABLE, on="", where=absence.where, reason=absence.reason)


def _of_gaps(gaps: Iterable[Gap], kind: Kind) -> Iterator[Verdict]:
    """One unknown for each place: two reads that hide it are two reasons and two permissions."""
    places: dict[str, list[Gap]] = {}
    for gap in gaps:
        places.setdefault(gap.where, []).append(gap)
    for where, here in places.items():
        reason = "; ".join(dict.fromkeys(f"{gap.fact}: {gap.reason}" for gap in here))
        needs = ", ".join(dict.fromkeys(gap.needs for gap in here if gap.needs))
        # Only a cloud has regions, alone or before a resource (`eu-west-1/i-0a`); a host or a file may
        # look like one by chance.
        place, _, thing = where.partition("/")
        region = kind is Kind.AWS and _REGION.fullmatch(place) is not None
        on, part = (thing, place) if region else (where, "")
        yield Verdict(Outcome.UNKNOWN, on=on, where=part, reason=reason, needs=needs)


def _sound(verdict: object) -> Verdict:
    """The verdict, if it is one to the last field: a plug-in's check is not seen by our type checker.

    Raises:
        TypeError: it is not.

    """
    if not isinstance(verdict, Verdict):
        raise TypeError(f"it yielded {type(verdict).__name__}, not Verdict")
    wrong = [name for name in _TEXTS if not isinstance(getattr(verdict, name), str)]
    if wrong or not all(isinstance(v, str) for pair in verdict.values.items() for v in pair):
        raise TypeError(f"its verdict has no text in {', '.join(wrong) or 'values'}")
    if not all(isinstance(text, str) for text in (*verdict.cves, *verdict.feeds)):
        raise TypeError("its verdict names a flaw or a feed that is no text")
    return verdict


def _badness(finding: Finding) -> int:
    return _WORST_FIRST.index(finding.outcome)


def _finding(demand: Demand, verdict: Verdict, snapshot: Snapshot, asset: str, quotes: _Quotes) -> Finding:
    check, target = demand.check, snapshot.target
    values = {
        "on": verdict.on,
        "region": verdict.where,
        "target": target.name,
        "saw": verdict.saw,
        "want": verdict.want,
        "port": verdict.port.partition("/")[2],
        **verdict.values,
    }
    return Finding(
        id=finding_id(asset, check.id, verdict.where, verdict.on),
        check=check.id,
        title=check.title,
        target=target.name,
        kind=target.kind,
        asset=asset,
        on=verdict.on,
        region=verdict.where,
        outcome=verdict.outcome,
        severity=verdict.severity or demand.severity,
        saw=verdict.saw,
        want=verdict.want,
        reason=verdict.reason,
        needs=verdict.needs,
        evidence=_evidence(demand, verdict, snapshot, quotes),
        # Only a failure needs a repair, with its own names in it.
        fix=render_fix(check.fix, values) if verdict.outcome is Outcome.FAIL else _unfilled(check.fix),
        fix_key=fix_key(check.fix, check.id, values),
        controls=dict(demand.controls),
        baseline=demand.baseline,
        profile=demand.profile,
        impact=verdict.points[0].impact if verdict.points else check.impact,
        exploit=verdict.points[0].exploit if verdict.points else check.exploit,
        surface=check.surface,
        weakness=check.weakness,
        confidence=verdict.confidence,
        port=verdict.port,
        exposure=verdict.exposure,
        exposure_evidence=verdict.exposure_evidence,
        why=check.why,
        cves=verdict.cves,
        points=verdict.points,
        feeds=verdict.feeds,
    )


@cache
def _unfilled(fix: Fix) -> FixText:
    return render_fix(fix, {})


def _evidence(demand: Demand, verdict: Verdict, snapshot: Snapshot, quotes: _Quotes) -> tuple[Evidence, ...]:
    """The sources of the facts behind a verdict, with the lines that name what was judged."""
    names = [fact.__name__ for fact in demand.check.needs]
    sources = [s for s in snapshot.sources if s.fact in names]
    place = [s for s in sources if s.where and s.where in (verdict.where, verdict.on)]
    chosen = place or [s for s in sources if not s.where] or sources[:1]
    cite = verdict.cite or verdict.on
    told: tuple[str, ...] = ()
    if verdict.outcome is Outcome.FAIL:
        # What the verdict names is quoted in the answers that name it, and those come first.
        found = dict.fromkeys(_NAMED.findall(f"{verdict.exposure_evidence} {verdict.saw}"))
        told = tuple(f'"{one}"' for one in islice(found, _TOLD))
        chosen.sort(key=lambda one: not quotes.hold(one, (cite, *told)))
    return tuple(Evidence(s.how, s.at, s.digest, quotes.of(s, cite, told)) for s in chosen[:4])


class _Quotes:
    """The lines of the sources of one snapshot, taken apart once for all its verdicts."""

    def __init__(self) -> None:
        self._lines: dict[int, tuple[str, list[str], list[str]]] = {}

    def hold(self, source: Source, words: Iterable[str]) -> bool:
        """Whether a source holds one of these words."""
        whole, _, _ = self._apart(source)
        return any(word and word.lower() in whole for word in words)

    def of(self, source: Source, cite: str, told: Sequence[str] = ()) -> str:
        """The first lines of a source that hold what is cited, else what was told, else the first lines."""
        whole, lines, low = self._apart(source)
        deciding: list[str] = []
        for words in ((cite.lower(),), tuple(one.lower() for one in told)):
            if not deciding and any(word and word in whole for word in words):
                found = (
                    line
                    for line, lowered in zip(lines, low, strict=True)
                    if any(word in lowered for word in words)
                )
                deciding = list(islice(found, QUOTED_LINES))
        return "\n".join(printable(line)[:QUOTED_LINE_LENGTH] for line in deciding or lines[:QUOTED_LINES])

    def _apart(self, source: Source) -> tuple[str, list[str], list[str]]:
        if id(source) not in self._lines:
            lines = [line for line in source.excerpt.splitlines() if line.strip()]
            self._lines[id(source)] = source.excerpt.lower(), lines, [line.lower() for line in lines]
        return self._lines[id(source)]
