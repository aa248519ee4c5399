"""What each fragment of the script costs a host, so that the costliest can be mended."""

from __future__ import annotations

import resource
import secrets
import statistics
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass

from scanner.collect.host.collect import PROBES
from scanner.collect.host.probe import Probe
from scanner.collect.host.script import compose
from tests.lab.hosts import Host, lab

RUNS = 5
HEAVY_MS = 40
"""More than this one fragment should not cost, the walk over the filesystems excepted."""


@dataclass(frozen=True)
class Cost:
    """CPU and wall time in milliseconds, and the bytes that came back."""

    cpu: float
    wall: float
    size: int


def cost(host: Host, probes: Sequence[Probe], runs: int = RUNS) -> Cost:
    """The median cost of the script with these probes, in that host as root, all processes of it."""
    script = compose(probes, secrets.token_hex(16)).encode()
    seen = []
    for _ in range(runs + 1):
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run([*host.enter, "sh", "-s"], input=script, capture_output=True, check=True)
        wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        seen.append(Cost(cpu * 1000, wall * 1000, len(done.stdout)))
    counted = seen[1:]
    return Cost(
        statistics.median(one.cpu for one in counted),
        statistics.median(one.wall for one in counted),
        counted[-1].size,
    )


def main(release: str = "bookworm") -> None:
    """Prints the cost of each fragment, the costliest first, and of the whole script."""
    with lab() as net:
        host = net.host(release)
        empty = cost(host, ())
        rows = []
        for probe in PROBES:
            one = cost(host, (probe,))
            rows.append(
                (max(0.0, one.cpu - empty.cpu), max(0.0, one.wall - empty.wall), one.size, probe.topic)
            )
        whole = cost(host, PROBES)
    print(f"{'fragment on ' + release:<24} {'CPU ms':>8} {'wall ms':>8} {'bytes':>8}")
    for cpu, wall, size, topic in sorted(rows, reverse=True):
        print(f"{topic:<24} {cpu:8.1f} {wall:8.1f} {size:8d}{'  heavy' if cpu > HEAVY_MS else ''}")
    print(f"{'the script without any':<24} {empty.cpu:8.1f} {empty.wall:8.1f} {empty.size:8d}")
    print(f"{'the whole script':<24} {whole.cpu:8.1f} {whole.wall:8.1f} {whole.size:8d}")
