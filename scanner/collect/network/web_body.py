"""The body of an HTTP answer: where it ends, and what is in it, whatever the server says about both."""

from __future__ import annotations

import asyncio
import contextlib
import re
import zlib
from dataclasses import dataclass

from scanner.collect.network.talk import Talk, TooMuchError

BODY_LIMIT = 1_048_576
"""Bytes of a body, as it came and as it is unpacked."""
BODY_SECONDS = 3.0
_LINE_LIMIT = 1_024
_GZIP_OR_ZLIB = 47
_RAW_DEFLATE = -15
_MEMBERS = 50


@dataclass(frozen=True, slots=True)
class Framing:
    """How the end of a body is known: by its length, by chunks, or (neither) by the end of the connection.

    An `odd` one came in a way that is not understood: nothing can be said of what is in it. An `unsure` one
    came with a length that is none: what is in it counts, what is missing does not.
    """

    length: int = -1
    chunked: bool = False
    odd: bool = False
    unsure: bool = False

    @property
    def delimited(self) -> bool:
        """True where the end of the body is not that of the connection."""
        return self.chunked or self.length >= 0


class _LiesError(Exception):
    """The framing contradicts itself."""


class _EndError(Exception):
    """The connection ended, or the limit was reached, before the body did."""


async def body_of(talk: Talk, data: bytearray, framing: Framing) -> tuple[bytes, bool]:
    """What came of the body, and whether that is all of it. `data` keeps what came beyond.

    Raises:
        TalkError: the connection broke.

    """
    body = bytearray()
    whole = False
    with contextlib.suppress(TimeoutError, _LiesError, _EndError):
        async with asyncio.timeout(BODY_SECONDS):
            if framing.chunked:
                await _chunks(talk, data, body)
                whole = True
            elif framing.length >= 0:
                await _sized(talk, data, body, framing.length)
                whole = True
            else:
                whole = await _rest(talk, data, body) and not framing.unsure
    return bytes(body[:BODY_LIMIT]), whole


async def _more(talk: Talk, data: bytearray) -> None:
    try:
        heard = await talk.read()
    except TooMuchError:
        heard = b""
    if not heard:
        raise _EndError
    data += heard


async def _sized(talk: Talk, data: bytearray, body: bytearray, size: int) -> None:
    """Moves that many bytes into the body, as they come."""
    while size > 0:
        if not data:
            await _more(talk, data)
        part = data[:size]
        del data[: len(part)]
        body += part
        size -= len(part)
        if len(body) > BODY_LIMIT:
            raise _EndError


async def _chunks(talk: Talk, data: bytearray, body: bytearray) -> None:
    while True:
        text = (await _line(talk, data)).split(b";")[0].strip()
        if not re.fullmatch(rb"[0-9a-fA-F]{1,8}", text):
            raise _LiesError
        size = int(text, 16)
        if size == 0:
            break
        await _sized(talk, data, body, size)
        if await _line(talk, data):
            raise _LiesError
    for _ in range(_LINE_LIMIT):
        if not await _line(talk, data):
            return
    raise _LiesError


async def _line(talk: Talk, data: bytearray) -> bytes:
    while (end := data.find(b"\r\n", 0, _LINE_LIMIT)) < 0:
        if len(data) >= _LINE_LIMIT:
            raise _LiesError
        await _more(talk, data)
    line = bytes(data[:end])
    del data[: end + 2]
    return line


async def _rest(talk: Talk, data: bytearray, body: bytearray) -> bool:
    """Everything until the server closes; true where it did so within the limit."""
    while len(body) <= BODY_LIMIT:
        body += data
        data.clear()
        try:
            heard = await talk.read()
        except TooMuchError:
            return False
        if not heard:
            return True
        data += heard
    return False


def unpacked(body: bytes, encoding: str) -> tuple[bytes, bool]:
    """The body without its compression, up to the limit, and whether that is all of it.

    Memory stays within the limit however far the body would unfold.
    """
    match encoding:
        case "" | "identity":
            return body, True
        case "gzip" | "x-gzip":
            return _inflated(body, _GZIP_OR_ZLIB)
        case "deflate":
            # The name stands for zlib; many servers send the bare stream.
            plain, whole = _inflated(body, _GZIP_OR_ZLIB)
            return (plain, whole) if plain or whole else _inflated(body, _RAW_DEFLATE)
        case _:
            return b"", not body


def _inflated(body: bytes, window: int) -> tuple[bytes, bool]:
    if not body:
        return b"", True
    plain = b""
    # A gzip file may be several in a row; what stands behind the last may only be padding.
    for _ in range(_MEMBERS):
        machine = zlib.decompressobj(window)
        try:
            plain += machine.decompress(body, BODY_LIMIT - len(plain))
        except zlib.error:
            return plain, False
        body = machine.unused_data
        if not machine.eof or len(plain) >= BODY_LIMIT:
            return plain, machine.eof and not body
        if not body.strip(b"\0"):
            return plain, True
    return plain, False
