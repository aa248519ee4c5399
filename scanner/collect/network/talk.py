"""A conversation with one port: one deadline, one cap on bytes, one gate that asks whether it may begin."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from time import monotonic, time

from scanner.collect.network.ports import FRAGILE
from scanner.collect.network.talk_error import TalkError, TooMuchError, words
from scanner.collect.network.talk_tls import Tls
from scanner.collect.network.talk_turn import Turn
from scanner.transport.pace import Pace
from scanner.transport.sent import ProbeKind, Sent

__all__ = ["Address", "Line", "Talk", "TalkError", "TooMuchError"]

Address = IPv4Address | IPv6Address

CONVERSATION_SECONDS = 6.0
BYTE_LIMIT = 65_536
PER_HOST = 2
"""Conversations with one host at once: sshd's MaxStartups drops more."""
WAITS_PER_HOST = 24
"""Ports of one host whose first words are waited for at once; while they are silent, nothing is exchanged."""
_CHUNK = 16_384


def sturdy(_: Address) -> str:
    """The answer of somebody who knows of no fragile device."""
    return ""


@dataclass(frozen=True)
class Line:
    """What all conversations of a collection share: permission, pace, log and the end of the time.

    `deadline` is in the time of `time.monotonic`. `allowed` is asked right before every connection.
    `fragile` says why nothing may be sent to an address, and is asked before every single sending.
    """

    allowed: Callable[[Address], bool]
    pace: Pace
    log: Callable[[Sent], None]
    deadline: float
    seconds: float = CONVERSATION_SECONDS
    limit: int = BYTE_LIMIT
    fragile: Callable[[Address], str] = sturdy
    _turns: dict[Address, asyncio.Semaphore] = field(default_factory=dict)
    _waits: dict[Address, asyncio.Semaphore] = field(default_factory=dict)
    _marked: dict[Address, str] = field(default_factory=dict)

    @contextlib.asynccontextmanager
    async def talk(self, address: Address, port: int) -> AsyncIterator[Talk]:
        """An open connection, one of at most `PER_HOST` to that address; closed at the end, whatever happens.

        Raises:
            TalkError: not allowed, no time left, refused, reset, silent beyond the deadline, too long.

        """
        async with self.a_turn(address), self._open(address, port, self.seconds) as talk:
            yield talk

    @contextlib.asynccontextmanager
    async def first_words(self, address: Address, port: int, seconds: float) -> AsyncIterator[Talk]:
        """An open connection that takes one of the turns of its address once it calls `Talk.turn`.

        For ports that may stay silent: waiting for their first words holds nobody up. Whoever opens it
        bounds how many are open at once.

        Raises:
            TalkError: as `talk`.

        """
        async with self._open(address, port, seconds) as talk:
            talk.held.waits_for(self.a_turn(address))
            yield talk

    def waits(self, address: Address) -> asyncio.Semaphore:
        """Of what everybody takes one who waits for the first words of a port of that address."""
        return self._waits.setdefault(address, asyncio.Semaphore(WAITS_PER_HOST))

    def why_fragile(self, address: Address) -> str:
        """Why nothing may be sent to that address; empty where it is as sturdy as others."""
        return self.fragile(address) or self._marked.get(address, "")

    def mark_fragile(self, address: Address, reason: str) -> None:
        """From here on, nothing more is sent to that address: its own words said what it is."""
        self._marked.setdefault(address, reason)

    def a_turn(self, address: Address) -> asyncio.Semaphore:
        """Of what everybody takes one who exchanges words with that address."""
        return self._turns.setdefault(address, asyncio.Semaphore(PER_HOST))

    @contextlib.asynccontextmanager
    async def _open(self, address: Address, port: int, seconds: float) -> AsyncIterator[Talk]:
        await self.permit(address)
        left = min(seconds, self.deadline - monotonic())
        opened = socket.socket(_family(address), socket.SOCK_STREAM)
        talk = Talk(opened, self.limit, lambda: FRAGILE.get(port, "") or self.why_fragile(address))
        began = time()
        try:
            async with asyncio.timeout(left) as clock:
                talk.held.timed(clock, self.deadline)
                await talk.connect(address, port)
                yield talk
        except TimeoutError:
            raise TalkError(f"no complete answer within {left:.0f} s") from None
        except OSError as error:
            raise TalkError(words(error)) from None
        finally:
            talk.close()
            self.log(Sent(began, talk.source, str(address), port, ProbeKind.TALK, talk.sent))

    async def permit(self, address: Address) -> None:
        """Waits for the turn of one packet to that address.

        Raises:
            TalkError: not allowed, a fragile device, or no time left; nothing may be sent.

        """
        self._refuse_fragile(address)
        if not address.is_loopback:
            # The scanner's own machine needs no protection from its own packets.
            while (pause := self.pace.take(address)) > 0:
                await asyncio.sleep(pause)
        if not self.allowed(address):
            raise TalkError("outside the scope by now; nothing was sent")
        if monotonic() >= self.deadline:
            raise TalkError("the time for the whole scan was over; nothing was sent")
        # Who waited for the pace may have missed what another conversation found out.
        self._refuse_fragile(address)

    def _refuse_fragile(self, address: Address) -> None:
        if reason := self.why_fragile(address):
            raise TalkError(f"nothing was sent: {reason}")


class Talk:
    """The open connection: `send` and the ways to read. `tls` puts all that follows inside TLS."""

    def __init__(self, opened: socket.socket, limit: int, fragile: Callable[[], str] = lambda: "") -> None:
        opened.setblocking(False)
        self._socket = opened
        self._fragile = fragile
        self.held = Turn()
        self._left = limit
        self._tls: Tls | None = None
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
        self.held.give_back()

    async def turn(self) -> None:
        """Takes a turn of the address, where the conversation began without; see `Turn`."""
        await self.held.take()

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

    async def first(self, seconds: float) -> bytes:
        """What comes within that time, like `heard`; whoever speaks takes a turn of its address.

        Words before a reset are words.
        """
        heard = b""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                heard = await self.read()
        if heard:
            await self.turn()
            with contextlib.suppress(ConnectionError, TimeoutError):
                async with asyncio.timeout(1.0):
                    while more := await self._soon():
                        heard += more
        return heard

    async def _soon(self) -> bytes:
        """The next bytes, unless there is a pause of a quarter of a second first."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.25):
                return await self.read()
        return b""

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
        tls = Tls(context, self._raw_send, self._raw_read)
        await tls.handshake()
        self._tls = tls
        return tls.object

    async def _raw_send(self, data: bytes) -> None:
        if reason := self._fragile():
            raise TalkError(f"nothing more was sent: {reason}")
        await asyncio.get_running_loop().sock_sendall(self._socket, data)
        self.sent += len(data)

    async def _raw_read(self) -> bytes:
        if self._left <= 0:
            raise TooMuchError(f"more than {self.received:,} bytes without an end")
        data = await asyncio.get_running_loop().sock_recv(self._socket, min(_CHUNK, self._left))
        self._left -= len(data)
        self.received += len(data)
        return data


def _family(address: Address) -> socket.AddressFamily:
    return socket.AF_INET if address.version == 4 else socket.AF_INET6
