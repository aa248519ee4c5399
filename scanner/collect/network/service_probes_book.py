"""The service-probe file as a scan uses it: which probes fit a port, and what a reply says of a service."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from scanner.collect.network.service_probes import FILE, FILE_LIMIT, Probe, parse
from scanner.collect.network.service_probes_match import REPLY_LIMIT, USUAL_RARITY, Verdict
from scanner.collect.network.service_probes_wire import LINE_LIMIT, Compare, Compared
from scanner.transport.nmap import Nmap

FIRST_SECONDS = 30.0
"""The first answer waits for the process to read the file; on a busy machine that takes a while."""
COMPARE_SECONDS = 10.0
MOST_STARTS = 3
HELLO = "TLSSessionReq"
"""A hello that some servers answer in their own language; whether TLS speaks is asked by a hello of ours."""
_NEVER = frozenset({"NULL", "DistCCD", "LPDString", "SSLSessionReq", HELLO, "SSLv23SessionReq"})
"""Not sent: a job for a compiler, a line for a printer queue, and hellos, which we make ourselves."""


@dataclass(frozen=True)
class Book:
    """The probes of the file, without the signatures, which the process beside us reads."""

    path: Path
    probes: Mapping[tuple[str, str], Probe]

    def payload(self, name: str, otherwise: bytes) -> bytes:
        """What a TCP probe of that name sends, or what we send where the file has none."""
        found = self.probes.get(("tcp", name))
        return found.payload if found else otherwise

    def hints(self, number: int, *, tls: bool = False, protocol: str = "tcp") -> tuple[str, ...]:
        """The probes that the file names for this port, the most special first.

        `tls` is for what is asked inside TLS, where the usual ports of the plain service count too.
        """
        fitting = [
            probe
            for probe in self.probes.values()
            if probe.protocol == protocol
            and probe.name not in _NEVER
            and number in (probe.tls_ports | probe.ports if tls else probe.ports)
        ]
        return tuple(probe.name for probe in sorted(fitting, key=lambda probe: -probe.rarity))

    def may_send(self, name: str) -> bool:
        """True for a TCP probe of the file that is fit to be sent to a port that is not its own."""
        found = self.probes.get(("tcp", name))
        sent = name not in _NEVER or name == HELLO
        return found is not None and sent and found.rarity <= USUAL_RARITY


def open_book(program: Nmap | None) -> Book | None:
    """The service-probe file of that nmap; None where it has none that can be read."""
    path = program.data(FILE) if program else None
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            probes = parse(file.read(FILE_LIMIT))
    except OSError:
        return None
    for probe in probes.values():
        probe.lines.clear()
    return Book(path, probes) if probes else None


class Comparer:
    """Compares replies with the signatures of a book, in a process of its own; one for one event loop."""

    def __init__(self, book: Book, said: Callable[[str], None]) -> None:
        self.book = book
        self._said = said
        self._process: asyncio.subprocess.Process | None = None
        self._starts = 0
        self._stopped = False
        self._answered = False
        self._number = 0
        self._one_at_a_time = asyncio.Lock()

    async def start(self) -> None:
        """Starts the process ahead of the first reply: it takes a second to read the file."""
        async with self._one_at_a_time:
            await self._running()

    async def compare(self, probe: str, reply: bytes, protocol: str = "tcp") -> Verdict:
        """What the reply says; nothing where the process failed, which is said once."""
        if not reply:
            return Verdict()
        async with self._one_at_a_time:
            process = await self._running()
            if process is None:
                return Verdict()
            self._number += 1
            question = Compare(self._number, protocol, probe, reply[:REPLY_LIMIT])
            try:
                async with asyncio.timeout(COMPARE_SECONDS if self._answered else FIRST_SECONDS):
                    answer = await _asked(process, question)
                self._answered = True
            except (TimeoutError, OSError, ValueError, EOFError):
                await self._end()
                return Verdict()
        for line in answer.given_up:
            self._said(f"a signature of the service-probe file took too long and was left out: {line}")
        return Verdict(answer.named, answer.further, answer.given_up)

    async def stop(self) -> None:
        """Ends the process."""
        self._stopped = True
        await self._end()

    async def _running(self) -> asyncio.subprocess.Process | None:
        if self._process is not None:
            return self._process
        if self._stopped:
            return None
        if self._starts >= MOST_STARTS:
            self._said("replies could not be compared with the service-probe file; own signatures were used")
            return None
        self._starts += 1
        root = str(Path(__file__).resolve().parents[3])
        module = "scanner.collect.network.service_probes_child"
        try:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-s", "-m", module, str(self.book.path),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                cwd="/",
                env={"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": root, "HOME": "/nonexistent"},
                start_new_session=True,
                limit=LINE_LIMIT,
            )  # fmt: skip
        except OSError:
            self._process = None
        return self._process

    async def _end(self) -> None:
        process, self._process, self._answered = self._process, None, False
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _asked(process: asyncio.subprocess.Process, question: Compare) -> Compared:
    """The answer to this question; those to questions that nobody waits for any more are passed over."""
    if process.stdin is None or process.stdout is None:
        raise EOFError
    process.stdin.write(msgspec.json.encode(question) + b"\n")
    await process.stdin.drain()
    while line := await process.stdout.readline():
        answer = msgspec.json.decode(line, type=Compared)
        if answer.number == question.number:
            return answer
    raise EOFError
