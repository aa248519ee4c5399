"""A real headless Chromium, driven over the DevTools protocol on a pipe: no port, no network."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import itertools
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

PROGRAM = "chromium"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
PATIENCE = 30.0
"""Seconds that one answer of the browser may take."""


class BrowserError(RuntimeError):
    """Chromium is missing, died, was silent too long, or refused a command."""


class Browser:
    """One Chromium process; `open` gives tabs. Use it as a context manager."""

    def __init__(self) -> None:
        program = shutil.which(PROGRAM)
        if program is None:
            raise BrowserError(f"{PROGRAM} is not installed")
        self._home = tempfile.TemporaryDirectory(prefix="bartizan-browser-", ignore_cleanup_errors=True)
        (ours_in, theirs_out), (theirs_in, ours_out) = os.pipe(), os.pipe()
        # The browser reads from descriptor 3 and writes to 4. High copies first: 3 and 4 may be ours.
        high = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 20) for fd in (theirs_in, theirs_out)]
        arguments = [program, *FLAGS, f"--user-data-dir={self._home.name}", "about:blank"]
        with open(Path(self._home.name) / "log", "wb") as log:
            self._pid = os.posix_spawn(
                program,
                arguments,
                {**os.environ, "HOME": self._home.name},
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, high[0], 3),
                    (os.POSIX_SPAWN_DUP2, high[1], 4),
                    (os.POSIX_SPAWN_DUP2, log.fileno(), 1),
                    (os.POSIX_SPAWN_DUP2, log.fileno(), 2),
                ],
                setpgroup=0,
            )
        for fd in (theirs_in, theirs_out, *high):
            os.close(fd)
        self._read, self._write = ours_in, ours_out
        self._buffer = b""
        self._numbers = itertools.count(1)
        self._events: dict[str, list[dict[str, Any]]] = {}

    def __enter__(self) -> Self:
        """The browser itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Ends this browser's own process group and removes its directory."""
        with contextlib.suppress(BrowserError, OSError):
            self.command("Browser.close")
        os.close(self._write)
        os.close(self._read)
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline and os.waitpid(self._pid, os.WNOHANG) == (0, 0):
            time.sleep(0.02)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._pid, 0)
        self._home.cleanup()

    def command(self, method: str, session: str = "", **params: object) -> dict[str, Any]:
        """The result of one DevTools command; events that come meanwhile are kept for their session."""
        number = next(self._numbers)
        message: dict[str, Any] = {"id": number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + PATIENCE
        while True:
            answer = self.receive(deadline, method)
            if answer.get("id") == number:
                if "error" in answer:
                    raise BrowserError(f"{method}: {answer['error']['message']}")
                result: dict[str, Any] = answer["result"]
                return result

    def receive(self, deadline: float, waiting_for: str) -> dict[str, Any]:
        """The next message of the browser."""
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._read], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise BrowserError(f"no answer to {waiting_for} in {PATIENCE:.0f} s")
            data = os.read(self._read, 1 << 20)
            if not data:
                raise BrowserError("Chromium has gone")
            self._buffer += data
        raw, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(raw)
        if "method" in message:
            self._events.setdefault(message.get("sessionId", ""), []).append(message)
        return message

    def events(self, session: str) -> list[dict[str, Any]]:
        """What has happened in a tab so far."""
        return self._events.setdefault(session, [])

    def open(self, file: Path, *, width: int = 1280, height: int = 900, scripts: bool = True) -> Tab:
        """A new tab that has loaded the file, in a viewport of that size."""
        target = self.command("Target.createTarget", url="about:blank")["targetId"]
        session = self.command("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        tab = Tab(self, session, target)
        for domain in ("Page", "Runtime", "Network", "Log", "Audits"):
            tab.command(f"{domain}.enable")
        tab.size(width, height)
        if not scripts:
            tab.command("Emulation.setScriptExecutionDisabled", value=True)
        self.events(session).clear()
        tab.command("Page.navigate", url=file.resolve().as_uri())
        tab.wait_for("Page.loadEventFired")
        return tab


class Tab:
    """One page in the browser."""

    def __init__(self, browser: Browser, session: str, target: str) -> None:
        self._browser, self._session, self._target = browser, session, target

    def command(self, method: str, **params: object) -> dict[str, Any]:
        """The result of a DevTools command in this tab."""
        return self._browser.command(method, self._session, **params)

    def wait_for(self, event: str) -> None:
        """Returns once the event has come."""
        deadline = time.monotonic() + PATIENCE
        while not any(e["method"] == event for e in self._browser.events(self._session)):
            self._browser.receive(deadline, event)

    def size(self, width: int, height: int) -> None:
        """Makes the viewport so many CSS pixels large; a narrow one is a telephone's."""
        self.command(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )

    def ask(self, expression: str) -> Any:
        """The value of a JavaScript expression, promises awaited."""
        answer = self.command(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in answer:
            raise BrowserError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def until(self, expression: str) -> None:
        """Returns once the expression is true."""
        deadline = time.monotonic() + PATIENCE
        while not self.ask(expression):
            if time.monotonic() > deadline:
                raise BrowserError(f"never true: {expression}")
            time.sleep(0.02)

    def press(self, key: str) -> None:
        """Presses and lets go a named key such as `ArrowDown`, `Enter` or `Tab`."""
        codes = {"Enter": 13, "Tab": 9, "ArrowDown": 40, "ArrowUp": 38, "End": 35, "Home": 36, "PageDown": 34}
        stroke: dict[str, object] = {"key": key, "code": key, "windowsVirtualKeyCode": codes[key]}
        if key == "Enter":
            stroke["text"] = "\r"
        self.command("Input.dispatchKeyEvent", type="keyDown", **stroke)
        self.command("Input.dispatchKeyEvent", type="keyUp", **stroke)

    def requests(self) -> list[str]:
        """The URLs of all requests so far, data URLs left out."""
        return [
            e["params"]["request"]["url"]
            for e in self._browser.events(self._session)
            if e["method"] == "Network.requestWillBeSent"
            and not e["params"]["request"]["url"].startswith("data:")
        ]

    def complaints(self) -> list[str]:
        """Errors, warnings, exceptions, violations of the policy and dialogs so far."""
        found = []
        for event in self._browser.events(self._session):
            params = event["params"]
            match event["method"]:
                case "Runtime.consoleAPICalled" if params["type"] in ("error", "warning", "assert"):
                    found.append(str(params["args"]))
                case "Runtime.exceptionThrown":
                    found.append(str(params["exceptionDetails"]))
                case "Log.entryAdded" if params["entry"]["level"] in ("error", "warning"):
                    found.append(params["entry"]["text"])
                case "Audits.issueAdded":
                    found.append(str(params["issue"]))
                case "Page.javascriptDialogOpening":
                    found.append(f"dialog: {params['message']}")
        return found

    def pdf(self, file: Path) -> int:
        """Prints to a file as the page's own style says; the number of pages, as pdfinfo counts them."""
        answer = self.command("Page.printToPDF", preferCSSPageSize=True, printBackground=True)
        file.write_bytes(base64.b64decode(answer["data"]))
        info = subprocess.run(["pdfinfo", file], capture_output=True, text=True, check=True, timeout=20)
        return next(int(line.split()[1]) for line in info.stdout.splitlines() if line.startswith("Pages:"))

    def screenshot(self, file: Path) -> None:
        """Writes the whole page as PNG."""
        answer = self.command("Page.captureScreenshot", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(answer["data"]))

    def close(self) -> None:
        """Closes the tab."""
        self._browser.command("Target.closeTarget", targetId=self._target)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all tests of a session; fails where there is no Chromium."""
    with Browser() as one:
        yield one
