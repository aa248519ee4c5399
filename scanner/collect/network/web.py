"""HTTP in bounds: one request and what may come back, or several over as few connections as will do.

Nothing here follows a redirect. A body is read to its end, unpacked, and cut at a limit; `Response.whole`
says whether all of it was seen.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from time import monotonic

from scanner import __version__
from scanner.collect.network.talk import Address, Line, Talk, TalkError
from scanner.collect.network.web_body import BODY_LIMIT, body_of, unpacked
from scanner.collect.network.web_head import Head, read_head

HEAD_LIMIT = 65_536
KEPT = 100_000
"""Bytes of a body that are kept where many answers are held at once."""
CLOSE_SECONDS = 1.5
LATE_SECONDS = 0.2
"""How long a used connection is listened to for words that nobody asked for, where it does not end."""
_INTERIM = 3
"""Answers of the kind "100 Continue" that may come before the real one."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: a path of this server, never a whole address; `headers` are sent besides the usual."""

    path: str = "/"
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    @property
    def words(self) -> str:
        """`GET /path`, as evidence names it."""
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class Response:
    """Status, headers by lower-case name (repeated ones joined by commas), and the body, unpacked.

    `cookies` are the values of Set-Cookie, which are in no other place. `whole` is false where the body was
    cut: too long, cut off, badly framed or badly packed. `reusable` is true where the connection may be
    used again.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    cookies: tuple[str, ...] = ()
    whole: bool = True
    reusable: bool = False


def request(address: Address, port: int, path: str = "/") -> bytes:
    """A GET of that path, after which the connection ends; the host is the address as it was scanned."""
    # Identification looks at the bytes as they come, so they must not come packed.
    return _bytes(address, port, Request(path), keep=False, packed=False)


async def get(talk: Talk, address: Address, port: int, path: str = "/") -> Response:
    """The response to a GET over an open connection, which is of no more use afterwards.

    Raises:
        TalkError: no HTTP came back, or the connection broke.

    """
    await talk.send(request(address, port, path))
    return await Reader(talk).response("GET")


async def exchange(
    line: Line,
    address: Address,
    port: int,
    *,
    tls: bool,
    requests: Sequence[Request],
    keep: int = KEPT,
) -> tuple[Response | TalkError, ...]:
    """One answer for each request, over one connection for as long as the server keeps it.

    Bodies are cut after `keep` bytes. Gives a `TalkError` in the place of an answer that did not come. A
    request that fails on a used connection is put again on a fresh one; after two fresh ones in a row that
    gave nothing, the rest is not asked. Where a server said more on a connection than it was asked, nobody
    knows which answer is whose: all of that connection are dropped, and each request has a connection of
    its own from there on.
    """
    # A page may be longer than a banner, so its own cap takes the place of that of other conversations.
    wide = replace(line, limit=max(line.limit, BODY_LIMIT + 2 * HEAD_LIMIT))
    ends = monotonic() + 3 * line.seconds
    answers: list[Response | TalkError] = []
    failed = 0
    conversation = Conversation(address, port, tuple(requests), keep)
    alone = replace(conversation, alone=True)
    while len(answers) < len(requests):
        if failed >= 2 or monotonic() >= ends:
            last = next((a for a in reversed(answers) if isinstance(a, TalkError)), None)
            why = f"not asked after: {last}" if last else "not asked: the answers before it took too long"
            answers.extend(TalkError(why) for _ in requests[len(answers) :])
            break
        before = len(answers)
        try:
            async with wide.talk(address, port) as talk:
                if tls:
                    await talk.tls(client_context())
                await conversation.go_on(talk, answers)
            failed = 0
        except MixedUpError:
            del answers[before:]
            conversation = alone
        except TalkError as error:
            if len(answers) == before:
                answers.append(error)
                failed += 1
    return tuple(answers)


class MixedUpError(TalkError):
    """A server said more on a kept connection than it was asked."""


async def get_each(talk: Talk, address: Address, port: int, *paths: str) -> tuple[Response, ...]:
    """The responses to GETs over one open connection: fewer where the server does not keep it.

    Raises:
        TalkError: no HTTP came back to the first, the connection broke, or more came than was asked for.

    """
    answers: list[Response | TalkError] = []
    try:
        await Conversation(address, port, tuple(map(Request, paths)), KEPT).go_on(talk, answers)
    except MixedUpError:
        raise
    except TalkError:
        if not answers:
            raise
    return tuple(answer for answer in answers if isinstance(answer, Response))


@dataclass(frozen=True, slots=True)
class Conversation:
    """Requests to one port, put one after the other; bodies are cut after `keep` bytes.

    Where each is `alone`, it has a connection of its own.
    """

    address: Address
    port: int
    requests: tuple[Request, ...]
    keep: int
    alone: bool = False

    async def go_on(self, talk: Talk, answers: list[Response | TalkError]) -> None:
        """Puts the requests that have no answer yet, and adds the answers, until the connection is used up.

        Raises:
            TalkError: no HTTP came back, or the connection broke.
            MixedUpError: more came than was asked for; the answers of this connection may be anybody's.

        """
        reader = Reader(talk)
        try:
            await self._go_on(reader, talk, answers)
        finally:
            await reader.leave()

    async def _go_on(self, reader: Reader, talk: Talk, answers: list[Response | TalkError]) -> None:
        used = last = False
        while len(answers) < len(self.requests):
            one = self.requests[len(answers)]
            last = self.alone or len(answers) + 1 == len(self.requests)
            if used and await reader.late(0.0):
                raise MixedUpError("more came back than was asked for")
            await talk.send(_bytes(self.address, self.port, one, keep=not last))
            response = await reader.response(one.method)
            whole = response.whole and len(response.body) <= self.keep
            answers.append(replace(response, body=response.body[: self.keep], whole=whole))
            if last or not response.reusable:
                break
            used = True
        # An answer too many, once taken for the next one, shifts all that follow: one is left at the end.
        # The server was asked to close after the last: its end is waited for, and comes at once as a rule.
        if used and await reader.late(CLOSE_SECONDS if last else LATE_SECONDS):
            raise MixedUpError("more came back than was asked for")


class Reader:
    """Reads responses from a conversation, one after the other."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._data = bytearray()
        self._ahead: asyncio.Task[bytes] | None = None

    async def response(self, method: str) -> Response:
        """The next response to a request of that method.

        Raises:
            TalkError: no HTTP came back, headers without an end, or the connection broke.

        """
        for _ in range(_INTERIM):
            head = await self._head()
            if not 100 <= head.status < 200:
                break
        else:
            raise TalkError("one interim answer after the other and no real one")
        framing = head.framing(method)
        body, ended = await body_of(self._talk, self._data, framing)
        plain, unfolded = (b"", False) if framing.odd else unpacked(body, head.encoding)
        return Response(
            status=head.status,
            headers=head.headers,
            body=plain,
            cookies=head.cookies,
            whole=ended and unfolded,
            # What came beyond its end is no answer to the next request.
            reusable=ended and framing.delimited and head.kept and not self._data,
        )

    async def late(self, seconds: float) -> bool:
        """Whether words come within that time that belong to no request."""
        if not self._data:
            # A read that is broken off may take its bytes along: it goes on, and the next one gets them.
            self._ahead = self._ahead or asyncio.ensure_future(self._talk.read())
            await asyncio.wait({self._ahead}, timeout=seconds)
            if self._ahead.done():
                with contextlib.suppress(TalkError, OSError):
                    self._data += await self._read()
        return bool(self._data)

    async def leave(self) -> None:
        """Ends a read that is under way; nothing is read after that."""
        if self._ahead:
            self._ahead.cancel()
            await asyncio.gather(self._ahead, return_exceptions=True)

    async def _read(self) -> bytes:
        ahead, self._ahead = self._ahead, None
        return await (ahead or self._talk.read())

    async def _head(self) -> Head:
        while (end := self._data.find(b"\r\n\r\n")) < 0:
            if len(self._data) > HEAD_LIMIT:
                raise TalkError(f"more than {HEAD_LIMIT:,} bytes of headers without an end")
            more = await self._read()
            if not more:
                raise TalkError(
                    "no complete HTTP response came back" if self._data else "no answer to an HTTP request"
                )
            self._data += more
            if not b"HTTP/".startswith(self._data[:5]) and not self._data.startswith(b"HTTP/"):
                raise TalkError("no complete HTTP response came back")
        head = bytes(self._data[:end])
        del self._data[: end + 4]
        return read_head(head)


def _bytes(address: Address, port: int, one: Request, *, keep: bool, packed: bool = True) -> bytes:
    host = f"[{address}]" if address.version == 6 else str(address)
    lines = [
        f"{one.method} {one.path} HTTP/1.1",
        f"Host: {host}:{port}",
        f"User-Agent: bartizan/{__version__}",
        "Accept: */*",
        f"Accept-Encoding: {'gzip, deflate' if packed else 'identity'}",
        f"Connection: {'keep-alive' if keep else 'close'}",
        *(f"{name}: {value}" for name, value in one.headers),
    ]
    if one.body:
        lines.append(f"Content-Length: {len(one.body)}")
    return "\r\n".join((*lines, "", "")).encode() + one.body


def client_context() -> ssl.SSLContext:
    """TLS as wide as this OpenSSL goes: it reads what a server presents and trusts nothing."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:COMPLEMENTOFALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.options |= getattr(ssl, "OP_LEGACY_SERVER_CONNECT", 0x4)
    return context
