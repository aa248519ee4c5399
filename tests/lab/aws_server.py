"""The emulator of AWS with what it lacks: answers that a lab puts in for calls that it does not serve.

`python -m tests.lab.aws_server PORT` serves on loopback. Beside AWS there are, for the lab alone:

* `POST /lab-api/answer` with `{service, operation, region, about, output}` or `{…, error}`: from then on
  that call is answered so. `region` and `about` (a text that the request must hold) narrow it down; later
  ones win.
* `GET /lab-api/asked`: how often each call came in, as `[[service, operation, region, number], …]`.
* `POST /lab-api/forget`: the counts begin anew.

In an output `{"$time": "2026-01-01T00:00:00Z"}` stands for a time and `{"$bytes": "<base64>"}` for bytes.
"""

from __future__ import annotations

import base64
import io
import json
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import run_simple

from tests.lab.aws_mended import mend
from tests.lab.aws_requests import Asked, asked, error, parameters

LOOPBACK = "127.0.0.1"
Start = Callable[..., Any]


@dataclass(frozen=True)
class Answer:
    """One answer that was put in."""

    region: str
    about: str
    output: Any
    error: tuple[int, str, str] | None


class Emulator:
    """The WSGI application: the answers that were put in first, then the emulator."""

    def __init__(self) -> None:
        self._emulator = DomainDispatcherApplication(create_backend_app)
        self._answers: dict[tuple[str, str], list[Answer]] = {}
        self._counts: Counter[tuple[str, str, str]] = Counter()
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        """One request."""
        path = str(environ.get("RAW_URI") or environ.get("REQUEST_URI") or environ["PATH_INFO"])
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        if path.startswith("/lab-api/"):
            return self._lab(path, body, start)
        environ["wsgi.input"] = io.BytesIO(body)
        headers = {
            name.removeprefix("HTTP_").replace("_", "-").lower(): str(value)
            for name, value in environ.items()
            if name.startswith("HTTP_")
        }
        what = asked(str(environ["REQUEST_METHOD"]), path, headers, body)
        with self._lock:
            self._counts[what.service, what.operation, what.region] += 1
            known = list(self._answers.get((what.service, what.operation), ()))
        text = parameters(path, headers, body) if known else ""
        for answer in reversed(known):
            if answer.region in ("", what.region) and answer.about in text:
                return _answered(what, answer, headers, body, start)
        found: Iterable[bytes] = self._emulator(environ, start)
        return found

    def _lab(self, path: str, body: bytes, start: Start) -> Iterable[bytes]:
        told: list[object] = []
        with self._lock:
            match path.rpartition("/")[2]:
                case "answer":
                    one = json.loads(body)
                    failed = tuple(one["error"]) if one.get("error") else None
                    answer = Answer(
                        one.get("region", ""), one.get("about", ""), _read(one.get("output")), failed
                    )
                    self._answers.setdefault((one["service"], one["operation"]), []).append(answer)
                case "asked":
                    told = [[*key, number] for key, number in sorted(self._counts.items())]
                case "forget":
                    self._counts.clear()
                case other:
                    start("404 Not Found", [])
                    return [other.encode()]
        start("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(told).encode()]


def _answered(
    what: Asked, answer: Answer, headers: Mapping[str, str], body: bytes, start: Start
) -> Iterable[bytes]:
    if answer.error:
        status, fields, content = error(what, *answer.error)
    else:
        model = get_service_model(what.service).operation_model(what.operation)
        serializer: Any = get_serializer_class(what.service, _protocol(model, headers, body))
        made = serializer(model).serialize(answer.output)
        status, fields = made["status_code"], dict(made["headers"])
        content = made["body"].encode() if isinstance(made["body"], str) else made["body"]
    start(f"{status} X", [(str(k), str(v)) for k, v in fields.items()])
    return [content]


def _protocol(model: Any, headers: Mapping[str, str], body: bytes) -> str:
    """The protocol of the request: an older client may speak another one than the newest."""
    own = str(model.service_model.resolved_protocol)
    if "x-amz-target" in headers:
        return "json"
    if b"Action=" in body:
        return "ec2" if own == "ec2" else "query"
    return own


def _read(value: Any) -> Any:
    match value:
        case {"$time": str(text)}:
            return datetime.fromisoformat(text)
        case {"$bytes": str(text)}:
            return base64.b64decode(text)
        case dict():
            return {key: _read(one) for key, one in value.items()}
        case list():
            return [_read(one) for one in value]
        case _:
            return value


def main() -> None:
    """Serves until it is stopped."""
    mend()
    run_simple(LOOPBACK, int(sys.argv[1]), Emulator(), threaded=True, request_handler=MotoRequestHandler)


if __name__ == "__main__":
    main()
