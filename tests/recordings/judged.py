"""The recordings of hosts, judged. `python -m tests.recordings.judged` writes the table of verdicts anew.

The table lies in `verdicts.yaml`: how many findings each recording has of every outcome, and which checks
fail on what. A test holds it against what is found now, so that a verdict that changes is seen in review.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime
from pathlib import Path

import yaml

from baselines.evaluate import evaluate
from baselines.load import library
from baselines.resolve import Demand, needs, resolve
from checks.catalogue import load
from checks.model import Finding, Kind, Outcome, Target
from scanner.collect.host.collect import parse_output
from tests.checks.host.judging import NOW

FOLDER = Path(__file__).parent / "host"
TABLE = Path(__file__).parent / "verdicts.yaml"
NAMES = tuple(sorted(file.stem for file in FOLDER.glob("*.txt")))
_CATALOGUE = load()
_LINE = 105
Table = dict[str, dict[str, dict[str, object]]]


def text(name: str) -> bytes:
    """The whole recording of that name."""
    return (FOLDER / f"{name}.txt").read_bytes()


def moment(name: str) -> datetime:
    """When it was made: those of the lab begin with it, the others are of the day of the tests."""
    found = re.match(rb"recorded (\S+)\n", text(name))
    return datetime.fromisoformat(found[1].decode()) if found else NOW


def demands(profile: str) -> tuple[Demand, ...]:
    """What the baseline for servers asks for."""
    return resolve(library()["linux-server"], profile, _CATALOGUE, library())


def findings(name: str, profile: str = "level-2", output: bytes | None = None) -> tuple[Finding, ...]:
    """The findings of a recording, or of what is given in its place."""
    wanted = demands(profile)
    at = moment(name)
    seen = parse_output(
        Target(Kind.HOST, name, f"ssh://{name}"),
        needs(wanted, Kind.HOST),
        text(name) if output is None else output,
        at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
    return evaluate(wanted, seen, now=at)


def table(name: str) -> dict[str, dict[str, object]]:
    """The verdicts of one recording, as they stand in the table."""
    found = findings(name)
    failing: dict[str, list[str]] = {}
    for one in found:
        if one.outcome is Outcome.FAIL:
            failing.setdefault(one.check.removeprefix("host."), []).append(one.on)
    counts = Counter(one.outcome.value for one in found)
    return {
        "outcomes": dict(sorted(counts.items())),
        "fails": {check: sorted(places) for check, places in sorted(failing.items())},
    }


def pinned() -> Table:
    """The table as it was written last."""
    kept: Table = yaml.safe_load(TABLE.read_text())
    return kept


if __name__ == "__main__":
    everything = {name: table(name) for name in NAMES}
    TABLE.write_text(yaml.safe_dump(everything, sort_keys=False, width=_LINE, default_flow_style=None))
