"""nmap, found with python-nmap and run with arguments that nobody but us writes."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv6Address
from pathlib import Path
from time import monotonic, time
from types import MappingProxyType

import nmap

from checks.fix import printable
from scanner.transport.nmap_xml import Address, NmapHost, NmapOutput, parse
from scanner.transport.sent import ProbeKind, Sent

__all__ = ["Address", "Nmap", "NmapHost", "NmapOutput", "Profile", "available", "find"]

_KILL_AFTER = 2.0
_POLL = 0.05
_MOST_PORTS = 1_000
PROBES_PER_HOST = 2
_REPORT_SECONDS = 5.0
"""From the time of a run: a host that drips is given up at the end of a probe, and then all is written."""
_DATA = ("/usr/share/nmap", "/usr/local/share/nmap", "/opt/homebrew/share/nmap")
_SEARCH = ("nmap", "/usr/bin/nmap", "/usr/local/bin/nmap")


class Profile(StrEnum):
    """The ways in which nmap is run. A profile is a fixed list of arguments."""

    IDENTIFY = "identify"
    """Which product and version speak on ports that are known to be open."""


_ARGUMENTS: Mapping[Profile, tuple[str, ...]] = MappingProxyType(
    {
        # Connect scan, no name look-ups, no host discovery: the ports were seen open a moment ago.
        Profile.IDENTIFY: (
            "--unprivileged",
            "-sT",
            "-sV",
            "--version-intensity=2",
            "-Pn",
            "-n",
            "--max-retries=1",
            "--no-stylesheet",
        ),
    }
)


class _Finder(nmap.PortScanner):  # type: ignore[misc]
    """python-nmap's scanner, for what it knows of the installed nmap; its `scan` is never called."""

    @property
    def path(self) -> str:
        return str(self._nmap_path)


@dataclass(frozen=True, slots=True)
class Nmap:
    """An installed nmap: its program, its version, and the libraries it was built with."""

    path: str
    version: tuple[int, int]
    built_with: tuple[str, ...]

    def data(self, name: str) -> Path | None:
        """A data file of this nmap (`nmap-service-probes`), where its installation has it.

        Looked for where root installs it, never where a user or the environment points.
        """
        beside = Path(self.path).resolve().parent.parent / "share" / "nmap"
        places = (beside, *(Path(place) for place in _DATA))
        return next((place / name for place in places if (place / name).is_file()), None)

    def run(
        self,
        profile: Profile,
        addresses: Iterable[Address],
        ports: Iterable[int],
        *,
        seconds: float,
        cancelled: threading.Event,
        log: Callable[[Sent], None] = lambda _: None,
    ) -> NmapOutput:
        """What nmap says of these TCP ports of these addresses, within that many seconds.

        A run that is stopped, by its deadline or by `cancelled`, gives the hosts that were complete by
        then. `limits` names every address that was asked and did not answer.
        """
        asked = sorted(set(addresses), key=lambda a: (a.version, int(a)))
        numbers = sorted(set(ports))
        if not asked or not numbers or not all(1 <= n <= 65_535 for n in numbers):
            raise ValueError("nmap is run for at least one address and port")
        if any(isinstance(a, IPv6Address) and a.scope_id for a in asked):
            raise ValueError("an address with a zone is not given to nmap: the zone is free text")
        if len(numbers) > _MOST_PORTS or len({a.version for a in asked}) > 1:
            raise ValueError(f"one run takes up to {_MOST_PORTS} ports and one version of IP")
        with tempfile.TemporaryDirectory(prefix="bartizan-") as folder:
            file = Path(folder) / "nmap.xml"
            for address in asked:
                log(Sent(time(), "", str(address), 0, ProbeKind.NMAP, 0))
            command = self._command(profile, asked, numbers, file, seconds)
            stopped = _execute(command, seconds, cancelled)
            if not file.exists():
                return NmapOutput((), (stopped or "nmap wrote nothing",), whole=False)
            with file.open("rb") as stream:
                output = parse(stream, frozenset(asked))
        missing = [str(a) for a in asked if a not in {h.address for h in output.hosts}]
        limits = ((stopped,) if stopped else ()) + output.limits
        if missing:
            limits += (f"nmap gave no answer for {', '.join(missing[:5])}{' …' if missing[5:] else ''}",)
        return NmapOutput(output.hosts, limits, output.whole and not stopped)

    def _command(
        self, profile: Profile, asked: list[Address], numbers: list[int], file: Path, seconds: float
    ) -> tuple[str, ...]:
        # Two probes at a time for each host, because more make sshd and others drop connections.
        pace = ("--max-parallelism", str(PROBES_PER_HOST * len(asked)))
        # A host that takes all the time is left out by nmap itself, and the others are still reported.
        patience = ("--host-timeout", f"{max(1_000, int((seconds - _REPORT_SECONDS) * 1_000))}ms")
        ports = ",".join(str(int(n)) for n in numbers)
        family = ("-6",) if asked[0].version == 6 else ()
        # Only the text of address objects: nothing that a person or a target wrote gets here.
        targets = tuple(str(a) for a in asked)
        return (
            self.path,
            *_ARGUMENTS[profile],
            *pace,
            *patience,
            *family,
            "-p",
            ports,
            "-oX",
            str(file),
            *targets,
        )


def find() -> Nmap | None:
    """The nmap of this machine, looked for afresh; None if there is none."""
    try:
        finder = _Finder(_SEARCH)
    except nmap.PortScannerError:
        return None
    path = shutil.which(finder.path)
    if path is None:
        return None
    built = re.search(r"^Compiled with:(.*)$", finder.get_nmap_last_output(), re.MULTILINE)
    major, minor = finder.nmap_version()
    return Nmap(path, (int(major), int(minor)), tuple(built[1].split()) if built else ())


def available() -> str:
    """Which nmap this machine has (`nmap 7.93 in /usr/bin/nmap`), or an empty text if it has none."""
    found = find()
    return f"nmap {found.version[0]}.{found.version[1]} in {found.path}" if found else ""


def _execute(command: tuple[str, ...], seconds: float, cancelled: threading.Event) -> str:
    """Runs to the end; why it was stopped or failed, or an empty text."""
    deadline = monotonic() + seconds
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(  # noqa: S603 - `_command` is the only writer of these arguments
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "HOME": "/nonexistent"},
        )
        try:
            while process.poll() is None:
                if cancelled.wait(_POLL):
                    return "nmap was stopped on request"
                if monotonic() >= deadline:
                    return f"nmap was stopped after {seconds:.0f} s"
        finally:
            _end(process)
        if process.returncode == 0:
            return ""
        errors.seek(0)
        words = printable(errors.read(4096).decode("utf-8", "replace").strip().replace("\n", " "))
        return f"nmap ended with status {process.returncode}: {words[:300]}"


def _end(process: subprocess.Popen[bytes]) -> None:
    """Stops the process and all it started; by its own process group, so nothing else can be hit."""
    if process.poll() is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(_KILL_AFTER)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
