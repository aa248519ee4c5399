"""An AWS endpoint on loopback that passes everything on to another one, except what it is told to break."""

from __future__ import annotations

import contextlib
import http.client
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tests.lab.aws import LOOPBACK
from tests.lab.aws_requests import Asked, asked, error, model

_HANG_SECONDS = 20.0


class Fault(StrEnum):
    """The ways in which an AWS endpoint does not answer."""

    DENIED = "denied"
    SCP = "scp"
    THROTTLED = "throttled"
    BROKEN = "broken"
    EXPIRED = "expired"
    SKEWED = "skewed"
    NOT_ENABLED = "not-enabled"
    NOT_SUBSCRIBED = "not-subscribed"
    TRUNCATED = "truncated"
    CUT = "cut"
    HANG = "hang"
    DRIP = "drip"
    SECOND_PAGE = "second-page"
    PAGES = "pages"
    ENDLESS = "endless"


_CODES = {
    Fault.DENIED: (403, "AccessDenied", "User is not authorized to perform this"),
    Fault.SCP: (403, "AccessDenied", "denied with an explicit deny in a service control policy"),
    Fault.THROTTLED: (400, "Throttling", "Rate exceeded"),
    Fault.BROKEN: (500, "InternalError", "Something is broken"),
    Fault.EXPIRED: (400, "ExpiredToken", "The security token included in the request is expired"),
    Fault.SKEWED: (403, "RequestTimeTooSkewed", "The difference is too large"),
    Fault.NOT_ENABLED: (401, "AuthFailure", "AWS was not able to validate the provided access credentials"),
    Fault.NOT_SUBSCRIBED: (400, "OptInRequired", "You are not subscribed to this service"),
}


@dataclass
class Faulty:
    """The endpoint: `faults` by (service, operation) or (service, operation, region), changed at any time.

    `rewrite` changes the body of an answer; `asked` keeps what came in.
    """

    url: str
    faults: dict[tuple[str, ...], Fault] = field(default_factory=dict)
    rewrite: dict[tuple[str, str], Callable[[bytes], bytes]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    def clear(self) -> None:
        """No faults, and nothing asked so far."""
        self.faults.clear()
        self.rewrite.clear()
        self.asked.clear()

    def count(self, operation: str) -> int:
        """How often that operation came in."""
        return sum(one.operation == operation for one in self.asked)


class _Server(ThreadingHTTPServer):
    """A collector opens many connections at once: of a short queue some would never be answered."""

    daemon_threads = True
    request_queue_size = 128


@contextlib.contextmanager
def faulty(upstream: str) -> Iterator[Faulty]:
    """A faulty endpoint before a healthy one."""
    target = urlsplit(upstream).netloc
    server = _Server((LOOPBACK, 0), BaseHTTPRequestHandler)
    endpoint = Faulty(f"http://{LOOPBACK}:{server.server_address[1]}")
    server.RequestHandlerClass = type("Bound", (_Handler,), {"endpoint": endpoint, "upstream": target})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield endpoint
    finally:
        endpoint.released.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    endpoint: Faulty
    upstream: str

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_GET  # noqa: N815 - the names are those of http.server
    do_PUT = do_GET  # noqa: N815
    do_HEAD = do_GET  # noqa: N815

    def log_message(self, *args: object) -> None:
        pass

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        what = asked(self.command, self.path, dict(self.headers.items()), body)
        self.endpoint.asked.append(what)
        key = (what.service, what.operation)
        fault = self.endpoint.faults.get((*key, what.region)) or self.endpoint.faults.get(key)
        if fault in _CODES:
            status, headers, answer = _error(what, fault)
            self._send(status, answer, headers=headers)
            return
        if fault is Fault.HANG:
            self.endpoint.released.wait(_HANG_SECONDS)
            self.close_connection = True
            return
        status, answer, headers = self._pass_on(body)
        if key in self.endpoint.rewrite:
            answer = self.endpoint.rewrite[key](answer)
        self._faulty(fault, status, answer, headers, body)

    def _faulty(
        self, fault: Fault | None, status: int, answer: bytes, headers: Mapping[str, str], body: bytes
    ) -> None:
        next_page = b"NextToken=" in body or b"Marker=" in body
        if fault is Fault.SECOND_PAGE and next_page:
            self._send(
                500, b"<Response><Errors><Error><Code>InternalError</Code></Error></Errors></Response>"
            )
        elif fault is Fault.SECOND_PAGE or (fault is Fault.PAGES and not next_page):
            self._send(status, _with_next(answer, empty=fault is Fault.PAGES))
        elif fault is Fault.ENDLESS:
            self._send(status, _with_next(answer, empty=False))
        elif fault is Fault.TRUNCATED:
            self._send(status, answer[: len(answer) // 2])
        elif fault is Fault.CUT:
            self._send(status, answer[: len(answer) // 2], length=len(answer))
            self.close_connection = True
        elif fault is Fault.DRIP:
            self._drip(answer)
        else:
            self._send(status, answer, headers=headers)

    def _pass_on(self, body: bytes) -> tuple[int, bytes, dict[str, str]]:
        connection = http.client.HTTPConnection(self.upstream, timeout=30)
        headers = {k: v for k, v in self.headers.items() if k.lower() not in ("connection", "expect")}
        connection.request(self.command, self.path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        kept = {k: v for k, v in answer.getheaders() if k.lower().startswith(("content-type", "x-amz"))}
        return answer.status, content, kept

    def _send(
        self, status: int, body: bytes, length: int | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {"Content-Type": "text/xml"}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def _drip(self, body: bytes) -> None:
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Length", str(len(body) + 10_000))
        self.end_headers()
        with contextlib.suppress(OSError):
            for _ in range(200):
                self.wfile.write(b" ")
                self.wfile.flush()
                if self.endpoint.released.wait(0.1):
                    return


def _error(what: Asked, fault: Fault) -> tuple[int, dict[str, str], bytes]:
    status, code, message = _CODES[fault]
    if fault is Fault.DENIED and what.service == "ec2":
        code = "UnauthorizedOperation"
    elif fault is Fault.DENIED and "json" in model(what.service).resolved_protocol:
        code, status = "AccessDeniedException", 400
    return error(what, status, code, message)


def _with_next(answer: bytes, *, empty: bool) -> bytes:
    """An EC2 answer that says that there is more; `empty` takes its items out first."""
    text = answer.decode()
    if empty:
        text = re.sub(r"<(\w+(?:Set|Info))>.*</\1>", r"<\1></\1>", text, count=1, flags=re.DOTALL)
    token = threading.get_ident()
    return re.sub(r"</(\w+Response)>\s*$", rf"<nextToken>more-{token}</nextToken></\1>", text).encode()
