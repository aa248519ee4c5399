"""What speaks on an open port, in a few short conversations, without guessing and without waiting long."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from time import monotonic

from checks.facts.network import OpenPort
from scanner.collect.network import hello, web
from scanner.collect.network.fragile import fragile_words
from scanner.collect.network.identified import Identified, heard_by, left_alone, rank
from scanner.collect.network.naming import both, open_port
from scanner.collect.network.openings import (
    FOR_WEB,
    GET,
    INSIDE,
    LDAP,
    MORE,
    OPENINGS,
    POSTGRES,
    USUAL_AT,
    WAITING,
)
from scanner.collect.network.ports import FRAGILE, SPEAKS_FIRST, TLS_FIRST, USUAL
from scanner.collect.network.recognise import (
    NOBODY,
    Recognised,
    is_tls,
    postgres_answer,
    recognise,
    says_use_tls,
)
from scanner.collect.network.service_probes_book import HELLO, Comparer
from scanner.collect.network.talk import Address, Line, Talk, TalkError
from scanner.collect.network.talk_hello import answer_to_hello

__all__ = ["Identified", "identify"]

PATIENCE = 5.5
"""Seconds for the first words of a port on which servers usually speak first; some mail servers wait five."""
SHORT_PATIENCE = 0.5
LATE_SECONDS = 4.0
"""For first words that come late, on a connection on which nothing is said, beside the last questions."""
ANSWER_SECONDS = 1.5
HINT_SECONDS = 1.2
SILENT_SECONDS = 6.0
"""For all conversations with a port that says nothing."""
SPOKEN_SECONDS = 15.0
"""For all conversations with a port that says something."""
MOST_FURTHER = 4
"""Further questions to a port whose service is known and whose product is not, and to one of its own kind."""
SIDE_BY_SIDE = 4


async def identify(line: Line, address: Address, number: int, comparer: Comparer | None = None) -> Identified:
    """What speaks on this open TCP port. Never raises; a port that stays silent is an answer too.

    `comparer` compares the replies with the signatures of an installed nmap; without it, only ours count.
    """
    if number in FRAGILE:
        return left_alone(number, f"usually {FRAGILE[number]}, which a byte can disturb")
    if reason := line.why_fragile(address):
        return left_alone(number, reason)
    async with line.waits(address):
        return await _Port(line, address, number, comparer).identified()


Step = Callable[[], Awaitable[Identified | None]]


class _Port:
    """The identification of one port, under way."""

    def __init__(self, line: Line, address: Address, number: int, comparer: Comparer | None) -> None:
        self._line, self._address, self._number, self._comparer = line, address, number, comparer
        self._began = monotonic()
        self._waited = 0.0
        self._best: Identified | None = None
        self._further: list[str] = []
        self._asked: set[str] = set()
        self._reasons: list[str] = []
        self._spoke = self._greeted = False
        self._patience = PATIENCE if number in SPEAKS_FIRST else SHORT_PATIENCE

    async def identified(self) -> Identified:
        for step in self._steps():
            if self._left <= 0 or self._known:
                break
            await self._tried(step)
        for name in self._more():
            if self._left <= 0 or (self._best and self._best.sure):
                break
            await self._tried(partial(self._put, name))
        if self._best:
            return self._best
        if reason := self._line.why_fragile(self._address):
            return left_alone(self._number, reason)
        note = self._reasons[-1] if self._reasons else "it accepts a connection and says nothing"
        return Identified(OpenPort(self._number, "tcp", note=note), spoke=False)

    @property
    def _known(self) -> bool:
        return self._best is not None and bool(self._best.port.service)

    @property
    def _left(self) -> float:
        seconds = SPOKEN_SECONDS if self._spoke else SILENT_SECONDS + self._patience - SHORT_PATIENCE
        return self._began + seconds + self._waited - monotonic()

    async def _tried(self, step: Step) -> None:
        try:
            found = await step()
        except TalkError as error:
            self._reasons.append(str(error))
            return
        if found and (self._best is None or rank(found) > rank(self._best)):
            self._best = found

    def _steps(self) -> Iterator[Step]:
        """The conversations in the order in which this port is likely to answer."""
        number = self._number
        usual: tuple[Step, ...] = (self._plain, self._inside_tls)
        if number in TLS_FIRST:
            usual = (self._inside_tls, self._plain)
        own = USUAL_AT.get(number, "")
        if self._comparer is None and own and number not in TLS_FIRST:
            usual = (partial(self._put, own), *usual)
        for step in usual:
            if not (step == self._inside_tls and self._greeted):
                yield step
        for name in self._special()[:MOST_FURTHER]:
            yield partial(self._put, name)
        if self._greeted:
            return
        yield partial(self._put, GET)
        yield self._last_questions

    def _more(self) -> Iterator[str]:
        """What may name the product where the service is known."""
        count = 0
        while self._further and count < MOST_FURTHER:
            name = self._further.pop(0)
            if name not in self._asked:
                count += 1
                yield name
        self._further.clear()

    def _special(self) -> tuple[str, ...]:
        """The probes that are made for this port."""
        if self._comparer is None:
            return ()
        return tuple(name for name in self._comparer.book.hints(self._number) if name not in FOR_WEB)

    def _payload(self, name: str) -> bytes:
        own = OPENINGS.get(name)
        if own is not None:
            return own
        usual = web.request(self._address, self._number)
        return self._comparer.book.payload(name, usual) if self._comparer else usual

    async def _heard(self, talk: Talk, name: str, patience: float, wait: float) -> tuple[str, bytes]:
        """The first words, or else those after that question; which of the two, and what was heard."""
        heard = await talk.first(patience)
        said = "NULL"
        self._greeted = self._greeted or bool(heard)
        if not heard:
            self._asked.add(name)
            await talk.send(self._payload(name))
            heard, said = await talk.first(wait), name
        self._waited += talk.held.waited
        return said, heard

    def _talk(self) -> contextlib.AbstractAsyncContextManager[Talk]:
        seconds = max(0.1, min(self._line.seconds + self._patience, self._left))
        return self._line.first_words(self._address, self._number, seconds)

    async def _plain(self) -> Identified | None:
        """The first words by itself, else those after the question that fits the port best."""
        special = () if "http" in USUAL.get(self._number, "") else self._special()
        name = special[0] if special else GET
        async with self._talk() as talk:
            said, heard = await self._heard(talk, name, self._patience, ANSWER_SECONDS)
        return await self._weighed(said, heard) if heard else None

    async def _put(self, name: str) -> Identified | None:
        """What comes back on one question; nothing if it was put before."""
        if name in self._asked:
            return None
        self._asked.add(name)
        async with self._talk() as talk:
            await talk.send(self._payload(name))
            heard = await talk.first(ANSWER_SECONDS if name == GET else HINT_SECONDS)
            self._waited += talk.held.waited
        if name == POSTGRES and postgres_answer(heard):
            return self._identified(Recognised("postgresql", "PostgreSQL"), b"", "postgresql")
        return await self._weighed(name, heard) if heard else None

    async def _last_questions(self) -> Identified | None:
        """The questions to servers that wait for their own language, and meanwhile an ear for late words."""
        names = WAITING if self._comparer else tuple(OPENINGS)
        late = asyncio.ensure_future(self._late_words())
        try:
            for start in range(0, len(names), SIDE_BY_SIDE):
                if late.done() or self._left <= 0 or self._known:
                    break
                await self._tried(partial(self._side_by_side, names[start : start + SIDE_BY_SIDE]))
            return None if self._known else await late
        finally:
            late.cancel()
            await asyncio.gather(late, return_exceptions=True)

    async def _late_words(self) -> Identified | None:
        """What it says by itself to somebody who says nothing: first words may take seconds."""
        seconds = min(LATE_SECONDS, max(0.0, self._left) + 1.0)
        async with self._line.first_words(self._address, self._number, seconds + 1.5) as talk:
            heard = await talk.first(seconds)
            self._waited += talk.held.waited
        return await self._weighed("NULL", heard) if heard else None

    async def _side_by_side(self, names: tuple[str, ...]) -> Identified | None:
        """The same for several at once: all of them are silence where they do not fit."""
        book = self._comparer.book if self._comparer else None
        fit = [name for name in names if name in OPENINGS or (book and book.may_send(name))]
        answers = await asyncio.gather(*(self._put(name) for name in fit), return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException) and not isinstance(answer, TalkError):
                raise answer
        found = [answer for answer in answers if isinstance(answer, Identified)]
        return max(found, key=rank, default=None)

    async def _inside_tls(self) -> Identified | None:
        """Whether it speaks TLS, and what speaks inside."""
        async with self._talk() as talk:
            await talk.send(hello.client_hello("TLSv1.2", os.urandom(64)))
            decision, heard = await answer_to_hello(talk, ANSWER_SECONDS)
            self._waited += talk.held.waited
        if decision is None:
            # Late first words count. A web server only complains of the hello, and is asked for more.
            late = recognise(heard).service not in ("", "http") and not is_tls(heard)
            return await self._weighed("NULL", heard) if late else None
        self._asked.clear()
        self._spoke = True
        hints = self._comparer.book.hints(self._number, tls=True) if self._comparer else ()
        special = [name for name in hints if name not in FOR_WEB][:MOST_FURTHER]
        names = [GET, *special] if self._number in TLS_FIRST and special[:1] != ["LDAPSearchReq"] else []
        names = names or [*special, GET]
        names += [name for name in ((*INSIDE, LDAP) if self._comparer else (LDAP,)) if name not in names]
        found: Identified | None = None
        for name in names:
            try:
                found = await self._one_inside(name)
            except TalkError as error:
                # It does speak TLS; only what is inside stays unknown.
                port = OpenPort(self._number, "tcp", tls=True, identified_by="tls", note=str(error))
                found = found or Identified(port, spoke=True)
                break
            if found.port.service or self._left <= 0:
                break
        self._further.clear()
        return found

    async def _one_inside(self, name: str) -> Identified:
        async with self._talk() as talk:
            await talk.turn()
            await talk.tls(web.client_context())
            said, heard = await self._heard(talk, name, self._patience, ANSWER_SECONDS)
        return await self._weighed(said, heard, tls=True)

    async def _weighed(self, name: str, heard: bytes, *, tls: bool = False) -> Identified:
        """What these words name, by our signatures and by nmap's."""
        self._spoke = self._spoke or bool(heard)
        if is_tls(heard) and not tls:
            # What speaks inside TLS is found out by a hello, not by its complaint about other words.
            return self._identified(NOBODY, heard, "")
        if reason := fragile_words(heard):
            self._line.mark_fragile(self._address, reason)
        found, sure = recognise(heard), False
        if self._comparer and name not in OPENINGS:
            asked = monotonic()
            verdict = await self._comparer.compare(name, heard)
            # What our own machine takes for it is not taken from the port.
            self._waited += monotonic() - asked
            sure = verdict.named is not None and not (verdict.named.soft and not verdict.named.product)
            found = both(found, verdict.named, heard)
            if found.service and not sure:
                further = (*MORE.get(found.service, ()), *(n for n in verdict.further if n != HELLO))
                self._further = [n for n in further if self._comparer.book.may_send(n)]
        if found.service == "http" and not tls and says_use_tls(heard):
            found, sure = NOBODY, False
        return self._identified(found, heard, heard_by(name, tls=tls), tls=tls, sure=sure)

    def _identified(
        self, found: Recognised, heard: bytes, by: str, *, tls: bool = False, sure: bool = False
    ) -> Identified:
        port = open_port(self._number, found, heard, by, tls=tls)
        return Identified(port, bool(heard) or bool(found.service), self._comparer is not None, sure)
