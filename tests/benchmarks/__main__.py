"""Measures what the documentation claims: `make bench`. Whole processes, medians of several runs.

`python -m tests.benchmarks fragments` measures one part; see `PARTS` for the others.

Nothing here is a test: a slow machine must not fail one. The figures go to docs/benchmarks.md by hand.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks import audit, cloud, coverage, fragments, many, network, peers, sweep
from tests.benchmarks.stored import fill

RUNS = 5


def measure(name: str, goal: str, *command: str, env: dict[str, str] | None = None) -> None:
    """Prints the median, the least and the most wall time of a command."""
    seconds = []
    for _ in range(RUNS + 1):
        began = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True, env=env)
        seconds.append(time.perf_counter() - began)
    counted = seconds[1:]
    low, middle, high = min(counted), statistics.median(counted), max(counted)
    print(f"{name:<44} {middle:7.3f} s  ({low:.3f} to {high:.3f})   goal {goal}")


def processes() -> None:
    """Measures whole processes of Bartizan."""
    bartizan = str(Path(sys.executable).with_name("bartizan"))
    with tempfile.TemporaryDirectory() as folder:
        store = str(Path(folder) / "bench.db")
        fill(store, 10_000)
        env = {**os.environ, "BARTIZAN_STORE": store}
        measure("bartizan --help", "< 0.3 s", bartizan, "--help")
        measure("import of every package", "-", sys.executable, "-c", "import scanner.app, reports.report")
        for form in ("table", "jsonl", "json", "csv"):
            measure(f"10,000 findings as {form}", "< 1 s", bartizan, "findings", "--format", form, env=env)
        measure("report of 10,000 findings", "-", bartizan, "report", "--out", folder, env=env)
        size = sum(p.stat().st_size for p in Path(folder).glob("*.html"))
        print(f"{'its three pages':<44} {size / 1e6:7.3f} MB")
        scan = (bartizan, "scan", "local", "127.0.0.1", "--store", f"{folder}/scan.db", "--out", folder)
        measure("scan of this machine and its loopback", "< 90 s", *scan)


PARTS = {
    "processes": processes,
    "fragments": fragments.main,
    "audit": audit.main,
    "peers": peers.main,
    "coverage": coverage.main,
    "many": many.main,
    "cloud": cloud.main,
    "network": network.main,
    "sweep": sweep.main,
}


def main(names: list[str]) -> None:
    """Runs these parts, or all of them."""
    if unknown := sorted(set(names) - set(PARTS)):
        sys.exit(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    for name in names or PARTS:
        print(f"--- {name}", flush=True)
        PARTS[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
