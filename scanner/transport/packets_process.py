"""The processes with the raw sockets as the parent sees them: lines in, lines out, an end by force."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import msgspec

from checks.fix import printable
from scanner.transport.packets_wire import LINE_LIMIT, Request, Response

_GLANCE = 0.1
"""Seconds between two looks at whether somebody wants to stop."""
_READ = 1 << 18


class PacketError(Exception):
    """The child could not start, stopped, or answered nonsense."""


class PacketProcess:
    """The running child: what it sends (its output) and what it hears (a pipe of its own) come as one.

    `seconds` is how long all of it may take; `cancelled` ends it at once.
    """

    def __init__(self, seconds: float, cancelled: threading.Event) -> None:
        self._cancelled = cancelled
        self._deadline = monotonic() + seconds
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self._heard, end = os.pipe()
        try:
            self._process = spawn(self._stderr.fileno(), end)
        except BaseException:
            os.close(self._heard)
            self._stderr.close()
            raise
        finally:
            os.close(end)
        assert self._process.stdout is not None
        self._output = self._process.stdout.fileno()
        self._buffers = {self._output: bytearray(), self._heard: bytearray()}
        self._waiting: deque[bytes] = deque()
        self._decoder = msgspec.json.Decoder(Response)

    @property
    def pid(self) -> int:
        """The number of the process that sends."""
        return self._process.pid

    def tell(self, request: Request) -> None:
        """Hands over one request.

        Raises:
            PacketError: the child is gone, or the request is too long.

        """
        line = msgspec.json.encode(request) + b"\n"
        if len(line) > LINE_LIMIT:
            raise PacketError("too many addresses for one request")
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line)
            self._process.stdin.flush()
        except OSError:
            raise PacketError(f"the packet process stopped: {self._complaint()}") from None

    def responses(self) -> Iterator[Response]:
        """What the child says, as it comes; what was heard comes before what was said after it.

        Raises:
            PacketError: stopped on request, no time left, the child is gone, or it speaks nonsense.

        """
        while True:
            while self._waiting:
                try:
                    response = self._decoder.decode(self._waiting.popleft())
                except msgspec.DecodeError as error:
                    raise PacketError(f"the packet process answered nonsense: {error}") from None
                yield response
            self._waiting.extend(self._lines())

    def close(self) -> None:
        """Ends the child: by closing its input, or by force if that does not do within a second."""
        with contextlib.suppress(OSError):
            if self._process.stdin:
                self._process.stdin.close()
        try:
            self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()
        os.close(self._heard)
        self._stderr.close()

    def _lines(self) -> list[bytes]:
        """The complete lines of one reading, of both pipes."""
        if self._cancelled.is_set():
            raise PacketError("stopped on request")
        if monotonic() > self._deadline:
            raise PacketError("the packet process did not end in time")
        ready, _, _ = select.select(list(self._buffers), [], [], _GLANCE)
        said = self._read(self._output) if self._output in ready else []
        # What was heard is read after and told before: the word that a request is done is the last about it.
        ready, _, _ = select.select([pipe for pipe in self._buffers if pipe == self._heard], [], [], 0)
        return [*(self._read(self._heard) if ready else []), *said]

    def _read(self, pipe: int) -> list[bytes]:
        data = os.read(pipe, _READ)
        if not data and pipe == self._output:
            raise PacketError(f"the packet process stopped: {self._complaint()}")
        if not data:
            del self._buffers[pipe]
            return []
        buffer = self._buffers[pipe]
        buffer += data
        *lines, rest = buffer.split(b"\n") if b"\n" in data else [buffer]
        if len(rest) > LINE_LIMIT:
            raise PacketError("the packet process sent an endless line")
        self._buffers[pipe] = rest
        return [bytes(line) for line in lines]

    def _complaint(self) -> str:
        self._stderr.seek(0)
        lines = self._stderr.read(65_536).decode("utf-8", "replace").strip().splitlines()
        return printable(lines[-1][:300]) if lines else "without a word"


def spawn(stderr: int, heard: int) -> subprocess.Popen[bytes]:
    """Starts the child; `heard` is the end of the pipe on which it tells what it hears."""
    root = str(Path(__file__).resolve().parents[2])
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-s", "-m", "scanner.transport.packets_child", str(heard)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        pass_fds=(heard,),
        cwd="/",
        env={"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": root, "HOME": "/nonexistent"},
        start_new_session=True,
    )
