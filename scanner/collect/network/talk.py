"""A conversation with one port: one deadline, one cap on bytes, one gate that asks whether it may begin."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from time import monotonic, time
from typing import TypeVar

from scanner.transport.pace import Pace
from scanner.transport.sent import ProbeKind, Sent

Address = IPv4Address | IPv6Address
T = TypeVar("T")

CONVERSATION_SECONDS = 6.0
BYTE_LIMIT = 65_536
PER_HOST = 2
"""Conversations with one host at once: sshd's MaxStartups drops more."""
_CHUNK = 16_384


class TalkError(Exception):
    """The conversation gave no answer; the message says why, as a gap states it."""


class TooMuchError(TalkError):
    """More bytes than one conversation may bring."""


@dataclass(frozen=True)
class Line:
    """What all conversations of a collection share: permission, pace, log and the end of the time.

    `deadline` is in the time of `time.monotonic`. `allowed` is asked right before every connection.
    """

    allowed: Callable[[Address], bool]
    pace: Pace
    log: Callable[[Sent], None]
    deadline: float
    seconds: float = CONVERSATION_SECONDS
    limit: int = BYTE_LIMIT
    _turns: dict[Address, asyncio.Semaphore] = field(default_factory=dict)

    @contextlib.asynccontextmanager
    async def talk(self, address: Address, port: int) -> AsyncIterator[Talk]:
        """An open connection; closed at the end, whatever happens.

        Raises:
            TalkError: not allowed, no time left, refused, reset, silent beyond the deadline, too long.

        """
        turn = self._turns.setdefault(address, asyncio.Semaphore(PER_HOST))
        async with turn:
            await self._permit(address)
            left = min(self.seconds, self.deadline - monotonic())
            talk = Talk(socket.socket(_family(address), socket.SOCK_STREAM), self.limit)
            began = time()
            try:
                async with asyncio.timeout(left):
                    await talk.connect(address, port)
                    yield talk
            except TimeoutError:
                raise TalkError(f"no complete answer within {left:.0f} s") from None
            except OSError as error:
                raise TalkError(_words(error)) from None
            finally:
                talk.close()
                self.log(Sent(began, talk.source, str(address), port, ProbeKind.TALK, talk.sent))

    async def _permit(self, address: Address) -> None:
        if not address.is_loopback:
            # The scanner's own machine needs no protection from its own packets.
            while (pause := self.pace.take(address)) > 0:
                await asyncio.sleep(pause)
        if not self.allowed(address):
            raise TalkError("outside the scope by now; nothing was sent")
        if monotonic() >= self.deadline:
            raise TalkError("the time for the whole scan was over; nothing was sent")


class Talk:
    """The open connection: `send` and the ways to read. `tls` puts all that follows inside TLS."""

    def __init__(self, opened: socket.socket, limit: int) -> None:
        opened.setblocking(False)
        self._socket = opened
        self._left = limit
        self._tls: _Tls | None = None
        self.sent = 0
        self.received = 0
        self.source = ""

    async def connect(self, address: Address, port: int) -> None:
        """Opens the connection."""
        await asyncio.get_running_loop().sock_connect(self._socket, (str(address), port))
        self.source = str(self._socket.getsockname()[0])

    def close(self) -> None:
        """Closes the connection; safe to call twice."""
        self._socket.close()

    async def send(self, data: bytes) -> None:
        """Sends all of it."""
        await (self._raw_send(data) if self._tls is None else self._tls.send(data))

    async def read(self) -> bytes:
        """The next bytes, or nothing at the end of the stream.

        Raises:
            TalkError: more bytes than the limit.

        """
        return await (self._raw_read() if self._tls is None else self._tls.read())

    async def heard(self, seconds: float) -> bytes:
        """What comes within that time, up to the first pause of a quarter of a second; maybe nothing."""
        heard = b""
        pause = seconds
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds + 1.0):
                while True:
                    async with asyncio.timeout(pause):
                        data = await self.read()
                    if not data:
                        break
                    heard += data
                    pause = 0.25
        return heard

    async def exactly(self, size: int) -> bytes:
        """That many bytes; the limit holds also for lengths that the other side made up.

        Raises:
            TalkError: the stream ended before.

        """
        return (await self.until(lambda data: len(data) >= size))[:size]

    async def until(self, enough: Callable[[bytes], bool]) -> bytes:
        """All bytes up to the moment at which there are enough; what came beyond is in there too.

        Raises:
            TalkError: the stream ended before.

        """
        data = b""
        while not enough(data):
            more = await self.read()
            if not more:
                raise TalkError("the server closed the connection in the middle of its answer")
            data += more
        return data

    async def to_end(self, seconds: float) -> bytes:
        """All bytes until the server closes, the seconds are over, or the limit is reached."""
        data = b""
        with contextlib.suppress(TimeoutError, TooMuchError):
            async with asyncio.timeout(seconds):
                while more := await self.read():
                    data += more
        return data

    async def tls(self, context: ssl.SSLContext) -> ssl.SSLObject:
        """Shakes hands; from here on `send` and the reads are inside TLS.

        Raises:
            TalkError: the handshake failed, in the words of OpenSSL.

        """
        tls = _Tls(context, self._raw_send, self._raw_read)
        await tls.handshake()
        self._tls = tls
        return tls.object

    async def _raw_send(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self._socket, data)
        self.sent += len(data)

    async def _raw_read(self) -> bytes:
        if self._left <= 0:
            raise TooMuchError(f"more than {self.received:,} bytes without an end")
        data = await asyncio.get_running_loop().sock_recv(self._socket, min(_CHUNK, self._left))
        self._left -= len(data)
        self.received += len(data)
        return data


class _Tls:
    """TLS over two functions that move bytes, so that deadline, cap and log stay those of the talk."""

    def __init__(
        self,
        context: ssl.SSLContext,
        send: Callable[[bytes], Awaitable[None]],
        read: Callable[[], Awaitable[bytes]],
    ) -> None:
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._send, self._read = send, read
        self.object = context.wrap_bio(self._in, self._out, server_side=False)

    async def handshake(self) -> None:
        await self._drive(self.object.do_handshake)

    async def send(self, data: bytes) -> None:
        await self._drive(lambda: self.object.write(data))

    async def read(self) -> bytes:
        try:
            return await self._drive(lambda: self.object.read(_CHUNK))
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""

    async def _drive(self, step: Callable[[], T]) -> T:
        """Repeats one step of OpenSSL until it has the bytes that it needs."""
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                await self._flush()
                data = await self._read()
                if data:
                    self._in.write(data)
                else:
                    self._in.write_eof()
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                raise
            except ssl.SSLError as error:
                await self._flush()
                raise TalkError(f"TLS failed: {_tls_words(error)}") from None
            else:
                await self._flush()
                return result

    async def _flush(self) -> None:
        if self._out.pending:
            await self._send(self._out.read())


def _tls_words(error: ssl.SSLError) -> str:
    return (error.reason or "no reason given").replace("_", " ").lower()


def _words(error: OSError) -> str:
    match error:
        case ConnectionRefusedError():
            return "the connection was refused"
        case ConnectionResetError() | BrokenPipeError():
            return "the connection was reset"
        case ssl.SSLError():
            return "the server closed the connection in the middle of TLS"
        case _:
            return f"the connection failed: {error.strerror or type(error).__name__}"


def _family(address: Address) -> socket.AddressFamily:
    return socket.AF_INET if address.version == 4 else socket.AF_INET6
