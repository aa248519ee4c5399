"""What conversations in binary protocols share: exact reads, and how their ends become facts or gaps."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from checks.facts.network import OpenPort
from checks.facts.snapshot import Fact, source
from scanner.collect.collector import Collected
from scanner.collect.network import web
from scanner.collect.network.ask.ber import BerError
from scanner.collect.network.ask.question import Asked, undecided
from scanner.collect.network.talk import Talk, TalkError

CLOSED = "the server closed the connection in the middle of its answer"
_LEAVING_SECONDS = 1.0


class Frames:
    """Exact reads from a conversation; what came beyond stays for the next read."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._rest = b""

    async def exactly(self, size: int) -> bytes:
        """That many bytes.

        Raises:
            TalkError: the stream ended before, or was longer than a conversation may be.

        """
        while len(self._rest) < size:
            more = await self._talk.read()
            if not more:
                raise TalkError(CLOSED)
            self._rest += more
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken

    async def line(self, limit: int = 4_096) -> bytes:
        r"""The next line without its end.

        Raises:
            TalkError: the stream ended before, or the line is longer than the limit.

        """
        while b"\n" not in self._rest:
            if len(self._rest) > limit:
                raise TalkError(f"a line of more than {limit:,} bytes")
            more = await self._talk.read()
            if not more:
                raise TalkError(CLOSED)
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\n")
        return line.rstrip(b"\r")

    async def ended(self) -> bool:
        """True where the other side closes in order instead of saying anything."""
        if self._rest:
            return False
        self._rest = await self._talk.read()
        return not self._rest


def speaks(names: frozenset[str], ports: frozenset[int]) -> Callable[[OpenPort], bool]:
    """Whether a port speaks one of these services, or is where they usually are and nobody named it."""
    return lambda port: (
        port.protocol == "tcp" and (port.service in names or (not port.service and port.number in ports))
    )


@contextlib.asynccontextmanager
async def conversation(asked: Asked) -> AsyncIterator[Talk]:
    """A conversation with the port, inside TLS where the port speaks that first."""
    async with asked.line.talk(asked.address, asked.port.number) as talk:
        if asked.port.tls:
            await talk.tls(web.client_context())
        yield talk


async def leave(talk: Talk, words: bytes) -> None:
    """Says goodbye where that is still possible; what was heard before counts all the same."""
    with contextlib.suppress(TalkError, OSError, TimeoutError):
        async with asyncio.timeout(_LEAVING_SECONDS):
            await talk.send(words)


def told(
    fact: type[Fact], how: str, look: Callable[[Asked], Awaitable[tuple[Fact, str]]]
) -> Callable[[Asked], Awaitable[Collected]]:
    """The probe that takes a fact and what decided it from `look`, or the reason why it has none."""

    async def ask(asked: Asked) -> Collected:
        try:
            made, said = await look(asked)
        except (TalkError, BerError) as error:
            return undecided(fact, asked, str(error))
        return concluded(made, asked, how, said)

    return ask


def concluded(fact: Fact, asked: Asked, how: str, said: str) -> Collected:
    """The fact with its evidence."""
    where = asked.port.name
    asking = f"{how} to {asked.address} {where}"
    return Collected((fact,), sources=(source(type(fact), asking, asked.at, f"{where}: {said}", where),))
