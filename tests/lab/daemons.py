"""Real services with good and bad configurations, in a network namespace or on loopback, several at once.

`DAEMONS` names them all; a name with the ending `-good` is the clean counterpart of the others of its kind:

    with daemon("redis-open") as redis:            # loopback, a free port
        redis.tcp[0]
    with daemon("redis-open", there, "10.99.0.2") as redis:    # in a namespace, on the usual port
        ...

Each daemon has a folder, configuration and process group of its own, and is gone after the block.
`docs(name)` says what is bad or good about one. They need the right to change users where the service does.
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

from tests.lab import (
    daemons_files,
    daemons_infrastructure,
    daemons_mail,
    daemons_shells,
    daemons_stores,
    daemons_web,
)
from tests.lab.daemons_place import Place, Prepared, Preparer
from tests.lab.network import Namespace
from tests.lab.parts import LOOPBACK, program

__all__ = ["DAEMONS", "Place", "Running", "daemon", "docs", "folder", "launch", "start", "stop_all"]

DAEMONS: Mapping[str, Preparer] = {
    **daemons_shells.DAEMONS,
    **daemons_web.DAEMONS,
    **daemons_files.DAEMONS,
    **daemons_mail.DAEMONS,
    **daemons_stores.DAEMONS,
    **daemons_infrastructure.DAEMONS,
}
"""Name → what prepares it. The documentation string of each says what it shows."""

_STOP_SECONDS = 3.0


@dataclass
class Running:
    """A daemon that was started: its ports (the first is the main one), its folder and its process."""

    name: str
    place: Place
    tcp: tuple[int, ...]
    udp: tuple[int, ...]
    process: subprocess.Popen[bytes]
    log: Path

    def wait(self, seconds: float = 15) -> None:
        """Returns once all its ports listen.

        Raises:
            AssertionError: it ended, or does not listen in that time; the end of its log is in there.

        """
        deadline = monotonic() + seconds
        missing: set[tuple[str, int]] = set()
        while monotonic() < deadline:
            missing = self._missing()
            if not missing:
                return
            assert self.process.poll() is None, f"{self.name} ended at once: {self.said()}"
            sleep(0.03)
        raise AssertionError(f"{self.name} does not listen on {sorted(missing)}: {self.said()}")

    def said(self) -> str:
        """The end of what it wrote."""
        return self.log.read_text(errors="replace")[-1500:]

    def stop(self) -> None:
        """Ends its whole process group; safe to call twice."""
        stop_all((self,), self.place.folder)

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to its process group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def ended(self, seconds: float) -> bool:
        """True once its first process is gone."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
        return self.process.poll() is not None

    def _missing(self) -> set[tuple[str, int]]:
        wanted = {("tcp", n) for n in self.tcp} | {("udp", n) for n in self.udp}
        return wanted - self.place.inside(listening)


def stop_all(daemons: Sequence[Running], folder: Path) -> None:
    """Ends all of them at once, with what left their groups: it names the folder in its command."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for one in daemons:
            one.signal(number)
        end = monotonic() + _STOP_SECONDS
        for one in daemons:
            one.ended(max(0.05, end - monotonic()))
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if str(folder).encode() in file.read_bytes():
                os.kill(int(file.parent.name), signal.SIGKILL)


def listening() -> set[tuple[str, int]]:
    """What listens in the namespace of this thread, from the kernel's own tables: nobody is disturbed."""
    found = set()
    for kind in ("tcp", "tcp6", "udp", "udp6"):
        with open(f"/proc/thread-self/net/{kind}", encoding="ascii") as table:
            next(table)
            for row in table:
                words = row.split()
                if kind.startswith("udp") or words[3] == "0A":
                    found.add((kind[:3], int(words[1].rpartition(":")[2], 16)))
    return found


def start(name: str, place: Place) -> Running:
    """Starts a daemon without waiting for it."""
    prepared = DAEMONS[name](place)
    return launch(name, place, prepared)


def launch(name: str, place: Place, prepared: Prepared) -> Running:
    """Starts what is prepared, in its place, without waiting for it."""
    log = place.folder / "said.log"

    def popen() -> subprocess.Popen[bytes]:
        with log.open("ab") as said:
            return subprocess.Popen(
                [program(prepared.command[0]), *prepared.command[1:]],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                cwd=place.folder,
                start_new_session=True,
                env={**os.environ, **prepared.environment},
            )

    return Running(name, place, prepared.tcp, prepared.udp, place.inside(popen), log)


@contextlib.contextmanager
def daemon(name: str, namespace: Namespace | None = None, address: str = LOOPBACK) -> Iterator[Running]:
    """One daemon by its name (see `DAEMONS`), listening; its folder is gone afterwards."""
    with folder() as own:
        running = start(name, Place(own, address, namespace))
        try:
            running.wait()
            yield running
        finally:
            running.stop()


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A folder in which servers that changed their user can read too."""
    own = Path(tempfile.mkdtemp(prefix="btz-d", dir="/tmp"))
    own.chmod(0o755)
    try:
        yield own
    finally:
        shutil.rmtree(own, ignore_errors=True)


def docs(name: str) -> str:
    """What one daemon shows, in a sentence."""
    preparer = DAEMONS[name]
    inner: object = preparer
    while isinstance(inner, functools.partial):
        inner = inner.func
    return (getattr(inner, "__doc__", "") or "").strip()
