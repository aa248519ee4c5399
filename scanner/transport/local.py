"""Runs a script on this machine, under the same limits as on a distant one."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from contextlib import suppress
from typing import IO

from scanner.collect.collector import CollectError, Context, Failure
from scanner.transport.result import STDERR_LIMIT, Errand, ScriptResult

_SHELL = "/bin/sh"
_TICK = 0.2
_BLOCK = 65_536
_ENVIRONMENT = ("HOME", "USER", "LOGNAME", "PATH", "TZ", "container")


def run_local(
    script: str, *, limit_bytes: int, context: Context, total_seconds: float = 120, shell: str = _SHELL
) -> ScriptResult:
    """Runs the script with `sh -s` on this machine and gives its whole output.

    Raises:
        CollectError: no shell, too much output, too slow, stopped on request, or ended by a signal.

    """
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    deadline = time.monotonic() + total_seconds
    try:
        process = subprocess.Popen(  # noqa: S603 - the script is ours, the shell is fixed
            [shell, "-s"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            cwd="/",
            start_new_session=True,
        )
    except OSError as error:
        raise CollectError(Failure.TOOL_MISSING, f"this machine: {shell}: {error.strerror}", shell) from None
    try:
        errand = Errand(script.encode(), limit_bytes, deadline, context)
        stdout, stderr = feed(process, errand, "this machine")
        status = process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise CollectError(Failure.TIMEOUT, f"this machine: no end after {total_seconds:.0f} s") from None
    finally:
        end(process)
    if status < 0:
        raise CollectError(Failure.TRUNCATED, f"this machine: the shell was ended by signal {-status}")
    return ScriptResult(stdout, stderr, status)


def feed(process: subprocess.Popen[bytes], errand: Errand, name: str) -> tuple[bytes, bytes]:
    """Feeds the script and reads both outputs at once, so that neither side waits for the other.

    Raises:
        CollectError: too much output, no end before the deadline, or stopped on request; `name` is whose.

    """
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    outputs: dict[IO[bytes], bytearray] = {process.stdout: bytearray(), process.stderr: bytearray()}
    left = memoryview(errand.script)
    with selectors.DefaultSelector() as ready:
        os.set_blocking(process.stdin.fileno(), False)
        ready.register(process.stdin, selectors.EVENT_WRITE)
        for stream in outputs:
            ready.register(stream, selectors.EVENT_READ)
        while ready.get_map():
            errand.context.check()
            if time.monotonic() > errand.deadline:
                raise CollectError(Failure.TIMEOUT, f"{name}: the script did not end in time")
            for key, _ in ready.select(_TICK):
                if key.fileobj is process.stdin:
                    left = left[_write(process.stdin.fileno(), left) :]
                    if not left:
                        ready.unregister(process.stdin)
                        process.stdin.close()
                    continue
                stream = process.stdout if key.fileobj is process.stdout else process.stderr
                block = os.read(stream.fileno(), _BLOCK)
                if not block:
                    ready.unregister(stream)
                elif stream is process.stdout or len(outputs[stream]) < STDERR_LIMIT:
                    outputs[stream] += block
            if len(outputs[process.stdout]) > errand.limit:
                raise CollectError(Failure.TOO_LARGE, f"{name}: more than {errand.limit:,} bytes of output")
    return bytes(outputs[process.stdout]), bytes(outputs[process.stderr][:STDERR_LIMIT])


def _write(stdin: int, data: memoryview) -> int:
    try:
        return os.write(stdin, data[:_BLOCK])
    except BlockingIOError:
        return 0
    except BrokenPipeError:
        return len(data)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ends what is left of the script: the shell is the leader of a session of its own."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(5)
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            stream.close()
