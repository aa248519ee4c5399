"""The head of an HTTP answer, within limits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from checks.fix import printable
from scanner.collect.network.talk import TalkError
from scanner.collect.network.web_body import Framing

HEADER_LIMIT = 100
NAME_LIMIT = 100
VALUE_LIMIT = 16_384
COOKIE_LIMIT = 50
_STATUS = re.compile(rb"HTTP/\d\.\d (\d{3})(?: [^\r\n]*)?")


@dataclass(frozen=True, slots=True)
class Head:
    """A status line and headers; the last four are what the headers say of body and connection."""

    status: int
    headers: Mapping[str, str]
    cookies: tuple[str, ...]
    lengths: frozenset[str]
    transfer: str
    encoding: str
    kept: bool

    def framing(self, method: str) -> Framing:
        """How the end of the body is known."""
        if method == "HEAD" or self.status in (204, 304):
            return Framing(length=0)
        if self.transfer:
            # What is packed on the way besides is not unpacked here, so nobody can say what it holds.
            odd = self.transfer not in ("chunked", "identity")
            return Framing(chunked=self.transfer == "chunked", odd=odd)
        lengths = [int(text) for text in self.lengths if re.fullmatch(r"[0-9]{1,15}", text)]
        if len(lengths) == len(self.lengths) == 1:
            return Framing(length=lengths[0])
        # Two lengths that differ, or one that is no number, are no length: what comes may be a part.
        return Framing(unsure=bool(self.lengths))


def read_head(head: bytes) -> Head:
    """What stands before a body, without its empty line.

    Raises:
        TalkError: it does not begin like an answer of HTTP.

    """
    first, _, rest = head.partition(b"\r\n")
    status = _STATUS.fullmatch(first)
    if not status:
        raise TalkError("no complete HTTP response came back")
    headers: dict[str, str] = {}
    cookies: list[str] = []
    told: dict[str, list[str]] = {}
    for number, line in enumerate(rest.split(b"\r\n")):
        name, _, value = line.decode("latin-1").partition(":")
        key, text = printable(name.strip().lower()[:NAME_LIMIT]), value.strip()
        if key in _FRAMING:
            told.setdefault(key, []).append(text.lower())
        if key == "set-cookie":
            cookies += [printable(text)] if len(cookies) < COOKIE_LIMIT else []
        elif number < HEADER_LIMIT:
            shown = printable(text[:VALUE_LIMIT])[:VALUE_LIMIT]
            headers[key] = f"{headers[key]}, {shown}"[:VALUE_LIMIT] if key in headers else shown
    old = first.startswith((b"HTTP/1.0", b"HTTP/0"))
    connection = ",".join(told.get("connection", ()))
    return Head(
        status=int(status[1]),
        headers=MappingProxyType(headers),
        cookies=tuple(cookies),
        lengths=frozenset(told.get("content-length", ())),
        transfer=",".join(told.get("transfer-encoding", ())),
        encoding=",".join(told.get("content-encoding", ())),
        kept="keep-alive" in connection if old else "close" not in connection,
    )


_FRAMING = frozenset({"content-length", "transfer-encoding", "content-encoding", "connection"})
