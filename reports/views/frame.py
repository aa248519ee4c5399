"""What every page shows of its scan: the line at the top, what was not assessed, the foot."""

from __future__ import annotations

from datetime import date

import msgspec

from checks.model import Outcome
from reports.estate import Estate
from reports.matrix import Matrix
from reports.model import Findings, Past, Ranked, ScanInfo
from reports.plan import Action, Plan, mandatory
from reports.risk import MODEL
from reports.views.words import counted, cut, day, listed

LIMITS = 2


class Tally(msgspec.Struct, frozen=True):
    """How the questions of a scan were answered."""

    failed: int
    passed: int
    unknown: int
    error: int
    not_applicable: int
    refused: int
    """Of the unknown ones, those that a permission or an access would answer."""

    @property
    def asked(self) -> int:
        """Questions that made sense: all but the not applicable ones."""
        return self.failed + self.passed + self.unknown + self.error

    @property
    def unanswered(self) -> int:
        """Questions without an answer: unknown or error."""
        return self.unknown + self.error


class Material(msgspec.Struct, frozen=True):
    """What the pages are made of: the scan, its findings in order, its actions and the plan for them.

    `past` are earlier scans, oldest first; `today` is the date that deadlines are held against.
    """

    info: ScanInfo
    findings: Findings
    """All findings, worst first; walked as often as a page needs, and never held as a whole."""
    failures: tuple[Ranked, ...]
    """Those that failed, without their evidence."""
    estate: Estate
    past: tuple[Past, ...]
    actions: tuple[Action, ...]
    plan: Plan
    today: date
    answers: Tally
    matrix: Matrix | None = None
    """What zones reach of each other, where the scope declares any."""

    @property
    def nothing_judged(self) -> bool:
        """Whether no question got an answer: then no figure of zero means anything."""
        return self.answers.asked == self.answers.unanswered

    @property
    def must(self) -> tuple[Action, ...]:
        """The actions that cannot wait."""
        return tuple(action for action in self.actions if mandatory(action, self.today))


class Frame(msgspec.Struct, frozen=True):
    """A scan in words, for the head and foot of a page. `not_assessed` is empty only if all was."""

    organisation: str
    scan: str
    date: str
    state: str
    not_assessed: tuple[str, ...]
    limits: str
    head: str
    model: str
    version: str
    baselines: str
    authorisation: str
    equation: str
    zones: bool = False
    """Whether there is a page of zones."""


def tally(findings: Findings) -> Tally:
    """The outcomes, counted."""
    counts = findings.counts()
    return Tally(
        failed=counts.get(Outcome.FAIL, 0),
        passed=counts.get(Outcome.PASS, 0),
        unknown=counts.get(Outcome.UNKNOWN, 0),
        error=counts.get(Outcome.ERROR, 0),
        not_applicable=counts.get(Outcome.NOT_APPLICABLE, 0),
        refused=sum(1 for one in findings.of((Outcome.UNKNOWN,)) if one.finding.needs),
    )


def frame(material: Material) -> Frame:
    """The frame of a scan."""
    info, answers = material.info, material.answers
    cover = info.coverage
    limits = [cut(limit, 120) for limit in info.limits[:LIMITS]]
    if len(info.limits) > LIMITS:
        limits.append(f"{counted(len(info.limits) - LIMITS, 'more limit')} on the page of the scan.")
    return Frame(
        organisation=cut(info.organisation, 60) or "No organisation named",
        scan=f"scan {info.number}",
        date=day(info.finished or info.started),
        state=info.state,
        not_assessed=_not_assessed(info, answers),
        limits=" ".join(limit if limit.endswith((".", "…")) else f"{limit}." for limit in limits),
        head=info.head,
        model=MODEL,
        version=info.version,
        baselines=listed(info.baselines, 4, 50) or "none",
        authorisation=cut(info.authorisation, 160) or "not stated",
        equation=(
            f"{cover.planned:,} planned = {cover.done:,} done + {cover.failed:,} failed "
            f"+ {cover.not_scanned:,} not scanned"
        ),
        zones=material.matrix is not None,
    )


def _not_assessed(info: ScanInfo, answers: Tally) -> tuple[str, ...]:
    cover, said = info.coverage, []
    missed = cover.planned - cover.done
    if missed:
        names = listed([one.target for one in cover.unreached], 3, 32)
        reached = f"{counted(missed, 'target')} of {cover.planned:,} not reached"
        said.append(f"{reached}: {names}" if names else reached)
    if answers.unknown:
        said.append(f"{answers.unknown:,} of {answers.asked:,} answers unknown")
    if answers.error:
        said.append(counted(answers.error, "check stopped with an error", "checks stopped with an error"))
    if info.state and info.state not in ("finished", "done", "complete", "completed", "closed"):
        said.append(f"the scan is {cut(info.state, 24)}")
    return tuple(said)
