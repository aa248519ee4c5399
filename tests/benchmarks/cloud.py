"""One account, three scanners: Bartizan, Prowler and ScoutSuite against the same emulator.

`python -m tests.benchmarks cloud` measures. It runs in a network namespace with nothing but loopback, so
that no peer can reach anything else. The peers come from PyPI into environments of their own, in the lab's
cache; `BENCH_CLOUD` names what to measure: `size` (2,000 resources), `growth` (2,000 to 10,000), `planted`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.lab.account_size import REGIONS, fill
from tests.lab.aws import Moto, running_moto
from tests.lab.hosts_roots import cache
from tests.lab.planted_account import Lab, Planted, plant_account

PEERS = {"prowler": ("prowler==5.46.0",), "scout": ("ScoutSuite==5.14.0", "setuptools<81")}
PEER_SECONDS = 1_800
_INSIDE = "BENCH_CLOUD_INSIDE"
_LAUNCH = """
import json, os, signal, sys
told, seconds, *command = sys.argv[1:]
pid = os.fork()
if not pid:
    os.execvpe(command[0], command, os.environ)
signal.signal(signal.SIGALRM, lambda *_: os.kill(pid, signal.SIGKILL))
signal.alarm(int(seconds))
_, status, used = os.wait4(pid, 0)
with open(told, "w") as file:
    json.dump([used.ru_utime + used.ru_stime, used.ru_maxrss / 1024], file)
sys.exit(os.waitstatus_to_exitcode(status))
"""
"""Runs a command and tells its processor seconds and its memory.

A process counts what its parent held when it began as its own: the parent has to be small.
"""


@dataclass(frozen=True)
class Cost:
    """One run: seconds, processor seconds, the largest process in MiB, calls, and what it printed."""

    wall: float
    cpu: float
    memory: float
    calls: int
    out: str


def main() -> None:
    """Prints what each costs and finds."""
    if _INSIDE not in os.environ:
        for name in PEERS:
            _environment(name)
        script = f"ip link set lo up && exec {sys.executable} -m tests.benchmarks cloud"
        subprocess.run(
            ["unshare", "--net", "sh", "-c", script], env={**os.environ, _INSIDE: "yes"}, check=True
        )
        return
    chosen = os.environ.get("BENCH_CLOUD", "size,growth,planted").split(",")
    parts: dict[str, Callable[[], None]] = {"size": size, "growth": growth, "planted": planted}
    for name in chosen:
        parts[name]()


def size() -> None:
    """About 2,000 resources in three regions: time, memory and calls of each."""
    with running_moto() as server:
        _peers_see_regions(server)
        made = fill(server.url, 10)
        print(f"an account of {made:,} resources and what comes with them, in {len(REGIONS)} regions")
        # The emulator loads a service on its first call, and whoever comes first would pay for all.
        bartizan(server)
        own = bartizan(server)
        _line("Bartizan, all checks", own)
        for name, run in (("ScoutSuite", scout), ("Prowler", prowler)):
            with TemporaryDirectory() as folder:
                peer = run(server, Path(folder), REGIONS)
            _line(name, peer)
            print(
                f"  against Bartizan: {peer.wall / own.wall:.1f} times the wall, "
                f"{peer.cpu / own.cpu:.1f} times the CPU, {peer.memory / own.memory:.1f} times the memory, "
                f"{peer.calls / own.calls:.1f} times the calls"
            )


def growth() -> None:
    """How the cost of Bartizan grows with the account."""
    for units in (10, 20, 50):
        with running_moto() as server:
            made = fill(server.url, units)
            bartizan(server)
            _line(f"Bartizan, {made:,} resources", bartizan(server))


def planted() -> None:
    """What each finds of the planted problems, and what it flags of their clean counterparts."""
    with running_moto() as server:
        _peers_see_regions(server)
        lab = plant_account(server.url)
        regions = tuple(sorted({one.region for one in lab.planted if one.region}))
        with TemporaryDirectory() as folder:
            own = bartizan(server, regions)
            rows = [json.loads(line) for line in own.out.splitlines()]
            failed = {(r["check"], r["on"], r["region"]) for r in rows if r["outcome"] == "fail"}
            wide = {(check, on) for check, on, _ in failed}
            _found("Bartizan", lab, lambda p: (p.check, p.on, p.region) in failed or (
                not p.region and (p.check, p.on) in wide
            ))  # fmt: skip
            _line("  its cost", own)
            for name, run, read in (
                ("ScoutSuite", scout, _scout_flags),
                ("Prowler", prowler, _prowler_flags),
            ):
                peer = run(server, Path(folder) / name, regions)
                flags = read(Path(folder) / name)
                known = "scout" if name == "ScoutSuite" else "prowler"
                _found(name, lab, partial(_flagged, known, flags))
                _line("  its cost", peer)


def bartizan(server: Moto, regions: Sequence[str] = REGIONS) -> Cost:
    """A whole scan with every check, as a person runs it; prints its findings."""
    program = str(Path(sys.executable).with_name("bartizan"))
    with TemporaryDirectory() as folder:
        env = {**_environ(server), "BARTIZAN_STORE": f"{folder}/b.db"}
        target = f"aws://default/{','.join(regions)}"
        config = Path(folder) / "config"
        keys = "aws_access_key_id = testing\naws_secret_access_key = testing\n"
        config.write_text(f"[default]\nregion = us-east-1\n{keys}")
        env["AWS_CONFIG_FILE"] = str(config)
        scan = [program, "scan", target, "--i-am-authorized", "--out", folder]
        cost = _measured([*scan, "--baseline", "aws-strict:level-2"], env, server, codes=(0, 1, 3))
        listed = [program, "findings", "--format", "jsonl"]
        out = subprocess.run(listed, env=env, capture_output=True, text=True, check=True).stdout
    return Cost(cost.wall, cost.cpu, cost.memory, cost.calls, out)


def prowler(server: Moto, folder: Path, regions: Sequence[str]) -> Cost:
    """Prowler with its defaults, in those regions, its findings as JSON."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [str(_environment("prowler") / "bin/prowler"), "aws", "-f", *regions, "-M", "json-ocsf"]
    command += ["-o", str(folder), "--no-banner", "--ignore-exit-code-3"]
    return _measured(command, {**_environ(server), "HOME": str(folder)}, server, codes=None)


def scout(server: Moto, folder: Path, regions: Sequence[str]) -> Cost:
    """ScoutSuite with its defaults, in those regions."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [str(_environment("scout") / "bin/scout"), "aws", "--regions", *regions]
    command += ["--report-dir", str(folder), "--no-browser", "-f"]
    return _measured(command, {**_environ(server), "HOME": str(folder)}, server, codes=None)


def _peers_see_regions(server: Moto) -> None:
    # The emulator ignores this filter, and ScoutSuite then believes that no region is enabled.
    Lab(server.url).answer("ec2", "DescribeRegions", {"Regions": []}, about="not-opted-in")


def _environ(server: Moto) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PYTHON", "BENCH_"))}
    return {**kept, **server.env}


def _measured(
    command: Sequence[str], env: dict[str, str], server: Moto, *, codes: Sequence[int] | None
) -> Cost:
    _lab(server, "forget")
    with TemporaryDirectory() as folder, (Path(folder) / "out").open("wb") as out:
        told = Path(folder) / "used"
        began = time.perf_counter()
        process = subprocess.run(
            [sys.executable, "-S", "-c", _LAUNCH, str(told), str(PEER_SECONDS), *command],
            env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=False,
        )  # fmt: skip
        wall = time.perf_counter() - began
        if wall > PEER_SECONDS:
            print(f"  {command[0]} was stopped after {wall:.0f} s")
        cpu, memory = json.loads(told.read_text("utf-8"))
        said = (Path(folder) / "out").read_text("utf-8", "replace")
    assert codes is None or process.returncode in codes, said
    return Cost(wall, cpu, memory, _calls(server), said)


def _calls(server: Moto) -> int:
    return sum(int(one[3]) for one in _lab(server, "asked"))


def _lab(server: Moto, what: str) -> Any:
    request = urllib.request.Request(f"{server.url}/lab-api/{what}", b"", method="POST")
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def _environment(name: str) -> Path:
    """The environment of a peer, made where it is missing."""
    place = cache() / f"peer-{name}"
    if not (place / "bin" / name).exists():
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
        subprocess.run([str(place / "bin/pip"), "install", "-q", *PEERS[name]], check=True)
    return place


def _found(name: str, lab: Lab, found: Callable[[Planted], bool]) -> None:
    bad = [one for one in lab.planted if one.bad]
    clean = [one for one in lab.planted if not one.bad]
    told, wrong = [one for one in bad if found(one)], [one for one in clean if found(one)]
    print(
        f"{name}: {len(told)} of {len(bad)} planted problems found ({len(told) / len(bad):.0%}), "
        f"{len(wrong)} of {len(clean)} clean counterparts flagged"
    )
    if name == "Bartizan":
        for one in (*(one for one in bad if one not in told), *wrong):
            print(f"  {'missed' if one.bad else 'flagged'}: {one.check} {one.region} {one.on} ({one.note})")


Flags = dict[str, list[str]]
"""What a peer flagged: by check, the texts about each thing."""


def _flagged(peer: str, flags: Flags, planted: Planted) -> bool:
    checks: tuple[str, ...] = getattr(planted, peer)
    return _named(planted, checks, flags)


def _named(planted: Planted, checks: Sequence[str], flags: Flags) -> bool:
    names = (*planted.names, planted.on)
    texts = [text for check in checks for text in flags.get(check, ())]
    return any(name in text for name in names for text in texts)


def _prowler_flags(folder: Path) -> Flags:
    flags: Flags = {}
    [written] = folder.glob("*.ocsf.json")
    for row in json.loads(written.read_text()):
        if row["status_code"] == "FAIL":
            about = json.dumps([row["resources"], row["status_detail"]])
            flags.setdefault(row["metadata"]["event_code"], []).append(about)
    return flags


def _scout_flags(folder: Path) -> Flags:
    flags: Flags = {}
    [written] = folder.glob("scoutsuite-results/scoutsuite_results_*.js")
    services = json.loads(written.read_text().partition("\n")[2])["services"]
    for service in services.values():
        for name, finding in (service.get("findings") or {}).items():
            for path in finding.get("items", ()):
                flags.setdefault(name, []).append(f"{path} {json.dumps(_at(services, path))}")
    return flags


def _at(services: Any, path: str) -> Any:
    """The thing that a path of ScoutSuite leads to: as deep as there is something with a name."""
    here, thing = services, None
    for part in path.split("."):
        if isinstance(here, dict) and part in here:
            here = here[part]
        elif isinstance(here, list) and part.isdigit() and int(part) < len(here):
            here = here[int(part)]
        else:
            break
        if isinstance(here, dict) and {"arn", "id", "name"} & {key.lower() for key in here}:
            thing = {k: v for k, v in here.items() if isinstance(v, str)}
    return thing


def _line(name: str, cost: Cost) -> None:
    print(
        f"{name:<36} {cost.wall:7.1f} s {cost.cpu:7.1f} CPU-s {cost.memory:7.0f} MiB {cost.calls:6,} calls",
        flush=True,
    )
