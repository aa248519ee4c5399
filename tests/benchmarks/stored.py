"""A store with many findings, made through the same functions that a scan uses."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import UTC, date, datetime
from itertools import groupby

from checks.fix import Disruption, Effort, FixText
from checks.model import (
    Confidence,
    Evidence,
    Exploit,
    Finding,
    Impact,
    Kind,
    Outcome,
    Severity,
    Surface,
    Target,
)
from reports.estate import Estate
from reports.model import Asset, Past, Ranked
from reports.risk import rank
from scanner.store import findings as intervals
from scanner.store.record import JobState, ScanRecord, ScanState
from scanner.store.store import Store

_OUTCOMES = (Outcome.FAIL, Outcome.FAIL, Outcome.PASS, Outcome.UNKNOWN)
_SEVERITIES = tuple(Severity)


def made_up(number: int) -> Finding:
    """The finding of that number: 100 checks over as many assets as it takes."""
    check, asset = number % 100, f"machine-id:{number // 100:032x}"
    outcome = _OUTCOMES[number % len(_OUTCOMES)]
    evidence = Evidence("sshd -T", "2026-11-20T10:00:00Z", "0" * 64, "permitrootlogin yes\nport 22")
    return Finding(
        id=f"{number:032x}",
        check=f"host.topic.check-{check}",
        title="The setting is as it should be, whatever it is",
        target=f"host-{number // 100}",
        kind=Kind.HOST,
        asset=asset,
        on=f"Setting{check}",
        region="",
        outcome=outcome,
        severity=_SEVERITIES[number % len(_SEVERITIES)],
        saw="yes",
        want="no",
        reason="needs root" if outcome is Outcome.UNKNOWN else "",
        needs="",
        evidence=(evidence,),
        fix=FixText(
            f"Set {check}", "Set it, then reload.", "true", "", Effort(0.25, 0.05), Disruption.RESTART
        ),
        fix_key=f"host.topic.check-{check}",
        controls={"cis-controls-8.1": ("4.1",)},
        baseline="linux-server",
        profile="level-1",
        impact=Impact.SERIOUS,
        exploit=Exploit.AUTOMATABLE,
        surface=Surface.LOCAL,
        weakness=None,
        confidence=Confidence.CONFIRMED,
    )


def fill(url: str, count: int) -> None:
    """Writes one judged scan with that many findings."""
    store = Store.open(url)
    found = [made_up(i) for i in range(count)]
    names = sorted({(f.asset, f.target) for f in found})
    targets = [Target(Kind.HOST, name, f"ssh://root@{name}:22") for _, name in names]
    at = datetime(2026, 11, 20, 10, tzinfo=UTC).isoformat().replace("+00:00", "Z")
    record = ScanRecord("Example Ltd", "measurement", (), {}, "", "", ("linux-server",), "0")
    number = store.start_scan(record, at, targets)
    for job in store.jobs(number):
        store.finish_job(number, job.id, JobState.DONE, at)
    assets = tuple(
        Asset(key, name, (Kind.HOST,), (key,), (), "", targets[0].value, "") for key, name in names
    )
    lived = intervals.lives(store, found, number, "2026-11-20")
    first = {i: life.first_seen for i, life in lived.items()}
    status = {i: life.status for i, life in lived.items()}
    estate = Estate(assets=assets)
    ranked = rank(found, estate, first_seen=first, statuses=status, today=date(2026, 11, 20))
    past = Past(number, at, 0.0, 0, 0)
    batches = [
        intervals.Batch(tuple(group), lived)
        for _, group in groupby(sorted(ranked, key=lambda r: r.finding.asset), key=lambda r: r.finding.asset)
    ]

    def counted(kept: Iterable[Ranked]) -> Past:
        deque(kept, maxlen=0)
        return past

    intervals.save(store, number, batches, assets=assets, known={}, past=counted)
    store.set_scan(number, state=ScanState.COMPLETE, at=at)
