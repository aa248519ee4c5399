"""The way to the point of a port at which TLS begins, and what it says to a hello."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from scanner.collect.network import hello
from scanner.collect.network.ask import starttls
from scanner.collect.network.ask.question import Asked
from scanner.collect.network.talk import Talk, TalkError


@dataclass(frozen=True, slots=True)
class Closed:
    """The server ended the stream in order, without a byte in answer; that alone decides nothing."""


@dataclass(frozen=True, slots=True)
class Silent:
    """It did so twice, and took a good hello each time right after it: that is how it refuses."""


Answer = hello.ServerHello | hello.Alert | Closed | Silent
T = TypeVar("T")

MOST_HANDSHAKES = 12
"""Hellos to one port beyond those that find out its versions."""
_FEW = {"mysql": 4}
"""MySQL counts handshakes that were left, and shuts a client out after a hundred of them."""


@dataclass(frozen=True, slots=True)
class Good:
    """A hello that this port took: its version and suites."""

    version: str
    ciphers: tuple[int, ...]


@dataclass
class Entrance:
    """One port that speaks TLS at once or after a request for it.

    `opened` is whether it was ever led to TLS, `closed` why the first try to lead it there failed: then
    it is not tried again. `good` is a hello that was taken; `steady` is false once the port closed where
    it had answered before: then nothing follows from a connection that it closes.
    """

    asked: Asked
    opened: bool = False
    closed: str = ""
    spent: int = 0
    good: Good | None = None
    steady: bool = True

    @property
    def via(self) -> str:
        """The protocol that leads into TLS, empty where TLS comes first."""
        return "" if self.asked.port.tls else self.asked.port.service

    @property
    def sparing(self) -> bool:
        """Whether the server counts what is begun and left, so that only what matters most is asked."""
        return self.via in _FEW

    @property
    def left(self) -> int:
        """Hellos that may still be sent."""
        return _FEW.get(self.via, MOST_HANDSHAKES) - self.spent

    @contextlib.asynccontextmanager
    async def talk(self) -> AsyncIterator[Talk]:
        """A conversation in which the client's hello is due.

        Raises:
            TalkError: as for `Line.talk`, or the server did not start TLS this time.
            NotOfferedError: it does not start TLS at all.

        """
        if self.closed:
            raise TalkError(self.closed)
        try:
            async with self.asked.line.talk(self.asked.address, self.asked.port.number) as talk:
                if self.via:
                    await self._lead(talk)
                self.opened = True
                yield talk
        except TalkError as error:
            if self.via and not self.opened:
                self.closed = str(error)
            raise

    async def _lead(self, talk: Talk) -> None:
        try:
            await starttls.start(talk, self.via)
        except starttls.NotOfferedError:
            if not self.opened:
                raise
            raise TalkError("the server did not start TLS, as it had done before") from None

    async def say(self, said: bytes, read: Callable[[bytes], T | None]) -> T | Closed | str:
        """What the server makes of these bytes, or the reason for which that is not known."""
        data = b""
        try:
            async with self.talk() as talk:
                await talk.send(said)
                while (answer := read(data)) is None:
                    more = await talk.read()
                    if not more:
                        return "the server broke off in the middle of its answer" if data else Closed()
                    data += more
                return answer
        except (TalkError, hello.NotTlsError) as error:
            return str(error)

    async def takes(self) -> bool:
        """Whether the good hello is taken still; where it is not, the port is not steady."""
        if self.good is None:
            return False
        said = hello.client_hello(self.good.version, os.urandom(64), self.good.ciphers)
        answer = await self.say(said, hello.read_answer)
        taken = isinstance(answer, hello.ServerHello) and answer.version == self.good.version
        self.steady = self.steady and taken
        return taken

    async def sure(
        self, answer: T | Closed | str, again: Callable[[], Awaitable[object]]
    ) -> T | Answer | str:
        """The answer, or `Silent` where the port closed and does so again, between two good hellos."""
        if not isinstance(answer, Closed) or self.sparing or not self.steady:
            return answer
        if not await self.takes():
            return answer
        self.steady = isinstance(await again(), Closed)
        if self.steady and await self.takes():
            return Silent()
        return answer

    async def offer(self, version: str, ciphers: tuple[int, ...], *, once: bool = False) -> Answer | str:
        """What the server makes of a hello with these suites; it counts, but not what makes it sure.

        `once` is for a question whose answer may stay open.
        """
        self.spent += 1

        async def say() -> Answer | str:
            said = hello.client_hello(version, os.urandom(64), ciphers)
            return self.sound(version, ciphers, await self.say(said, hello.read_answer))

        answer = await say()
        return answer if once else await self.sure(answer, say)

    async def flight(
        self, version: str, ciphers: tuple[int, ...], *, curious: bool = False, alpn: bool = False
    ) -> hello.Flight | Answer | str:
        """All that the server says to it before our next word; for TLS 1.2 and older. It counts as above."""
        self.spent += 1

        async def say() -> hello.Flight | Answer | str:
            said = hello.client_hello(version, os.urandom(64), ciphers, curious=curious, alpn=alpn)
            return self.sound(version, ciphers, await self.say(said, hello.read_flight))

        return await self.sure(await say(), say)

    @staticmethod
    def sound(version: str, ciphers: tuple[int, ...], answer: T | str) -> T | str:
        """The answer, if it keeps to what was offered; else in words how it does not."""
        chosen = answer.hello if isinstance(answer, hello.Flight) else answer
        if not isinstance(chosen, hello.ServerHello):
            return answer
        if chosen.version != version:
            return f"answered with {chosen.version}"
        if chosen.cipher not in ciphers:
            return f"answered with the suite {chosen.cipher:#06x}, which was not offered"
        return answer


def in_words(answer: Answer | hello.Flight | str, version: str) -> str:
    """What became of a hello of that version, for a gap or an excerpt."""
    match answer:
        case hello.Alert(number):
            return f"refused with alert {number}"
        case hello.ServerHello(chosen):
            return "accepted" if chosen == version else f"answered with {chosen}"
        case hello.Flight():
            return "accepted"
        case Closed():
            return "the server closed the connection without an alert"
        case Silent():
            return "closed without an alert, twice, while a good hello was answered in between and after"
        case _:
            return str(answer)


def is_refusal(answer: object) -> bool:
    """Whether the server said no to what was offered, by an alert that decides or by closing surely."""
    return isinstance(answer, Silent) or (isinstance(answer, hello.Alert) and answer.number in hello.REFUSALS)
