"""What speaks on an open port, in at most five short conversations and without guessing."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from checks.facts.network import OpenPort
from scanner.collect.network import hello, web
from scanner.collect.network.ports import BINARY_FIRST, FRAGILE, SPEAKS_FIRST, TEXT_FIRST, TLS_FIRST
from scanner.collect.network.recognise import (
    NOBODY,
    Recognised,
    banner,
    is_tls,
    postgres_answer,
    rdp_request,
    recognise,
)
from scanner.collect.network.talk import Address, Line, Talk, TalkError

PATIENCE = 2.0
"""Seconds for the first words of a port on which servers usually speak first."""
SHORT_PATIENCE = 0.5
ANSWER_SECONDS = 2.0
HINT_SECONDS = 1.0
TEXT_REQUEST = b"PING\r\n"
"""A line that Redis answers by its own rules and memcached as an error; neither answers HTTP."""
SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
"""The question of a PostgreSQL client whether the server speaks TLS."""
RDP_PORT = 3389
_WRONG_PROTOCOL = 400


@dataclass(frozen=True, slots=True)
class Identified:
    """An open port as it was identified; `spoke` is whether it said anything at all."""

    port: OpenPort
    spoke: bool

    @property
    def for_nmap(self) -> bool:
        """True where it spoke and we do not know who it was: worth asking nmap.

        Not for web servers that name no product: their headers were read already, and nmap takes long
        to find out as little.
        """
        known = bool(self.port.service) and (bool(self.port.product) or self.port.service == "http")
        return self.spoke and not self.port.tls and not known


async def identify(line: Line, address: Address, number: int) -> Identified:
    """What speaks on this open TCP port. Never raises; a port that stays silent is an answer too."""
    if number in FRAGILE:
        note = f"not asked: usually {FRAGILE[number]}, which a byte can disturb"
        return Identified(OpenPort(number, "tcp", note=note), spoke=False)
    best: Identified | None = None
    reasons: list[str] = []
    for step in _steps(number):
        try:
            found = await step(line, address, number)
        except TalkError as error:
            reasons.append(str(error))
            continue
        if found and found.port.service:
            return found
        best = best or found
    if best:
        return best
    reason = reasons[-1] if reasons else "it accepts a connection and says nothing"
    return Identified(OpenPort(number, "tcp", note=reason), spoke=False)


Step = Callable[[Line, Address, int], Awaitable[Identified | None]]


def _steps(number: int) -> tuple[Step, ...]:
    """The conversations in the order in which this port is likely to answer."""
    usual: tuple[Step, ...] = (_plain, _inside_tls, _text, _binary)
    if number in TLS_FIRST:
        first: Step = _inside_tls
    elif number in TEXT_FIRST:
        first = _text
    elif number in BINARY_FIRST:
        first = _binary
    else:
        first = _plain
    return (first, *(step for step in usual if step is not first))


async def _plain(line: Line, address: Address, number: int) -> Identified | None:
    """The first words by itself, else those after an HTTP request."""
    patience = PATIENCE if number in SPEAKS_FIRST else SHORT_PATIENCE
    async with line.talk(address, number) as talk:
        heard = await talk.heard(patience)
        if not heard:
            await talk.send(web.request(address, number))
            heard = await talk.heard(ANSWER_SECONDS)
    if not heard or is_tls(heard):
        return None
    found = recognise(heard)
    if found.service == "http" and _says_use_tls(heard):
        return None
    return _identified(number, found, heard, "banner" if found is not NOBODY else "")


async def _inside_tls(line: Line, address: Address, number: int) -> Identified | None:
    """Whether it speaks TLS, and what speaks inside."""
    async with line.talk(address, number) as talk:
        await talk.send(hello.client_hello("TLSv1.2", os.urandom(64)))
        decision = await _decision(talk)
    if decision is None:
        return None
    try:
        async with line.talk(address, number) as talk:
            await talk.tls(web.client_context())
            heard = await talk.heard(PATIENCE if number in SPEAKS_FIRST else SHORT_PATIENCE)
            if not heard:
                await talk.send(web.request(address, number))
                heard = await talk.heard(ANSWER_SECONDS)
    except TalkError as error:
        # It does speak TLS; only what is inside stays unknown.
        port = OpenPort(number, "tcp", tls=True, identified_by="tls", note=str(error))
        return Identified(port, spoke=True)
    return _identified(number, recognise(heard), heard, "tls", tls=True)


async def _decision(talk: Talk) -> hello.ServerHello | hello.Alert | None:
    """The answer to a hello; None where it is no TLS."""
    data = b""
    with contextlib.suppress(TimeoutError, hello.NotTlsError):
        async with asyncio.timeout(ANSWER_SECONDS):
            while (decision := hello.read_answer(data)) is None:
                more = await talk.read()
                if not more:
                    return None
                data += more
            return decision
    return None


async def _text(line: Line, address: Address, number: int) -> Identified | None:
    """Servers of text commands that close on HTTP."""
    async with line.talk(address, number) as talk:
        await talk.send(TEXT_REQUEST)
        heard = await talk.heard(HINT_SECONDS)
    return _identified(number, recognise(heard), heard, "command") if heard else None


async def _binary(line: Line, address: Address, number: int) -> Identified | None:
    """Protocols in which the client must speak first, and in its own language."""
    question = rdp_request() if number == RDP_PORT else SSL_REQUEST
    async with line.talk(address, number) as talk:
        await talk.send(question)
        heard = await talk.heard(HINT_SECONDS)
    if number != RDP_PORT and postgres_answer(heard):
        return _identified(number, Recognised("postgresql", "PostgreSQL"), b"", "postgresql")
    return _identified(number, recognise(heard), heard, "command") if heard else None


def _identified(number: int, found: Recognised, heard: bytes, by: str, *, tls: bool = False) -> Identified:
    port = OpenPort(
        number=number,
        protocol="tcp",
        service=found.service,
        product=found.product,
        version=found.version,
        cpe=found.cpe,
        tls=tls,
        banner=banner(heard),
        identified_by=by if found.service or tls else "",
        note="" if found.service else "nothing that was recognised speaks there",
    )
    return Identified(port, spoke=bool(heard) or bool(found.service))


def _says_use_tls(heard: bytes) -> bool:
    """True for the 400 with which a TLS port answers plain HTTP."""
    status = heard[9:12]
    return status == str(_WRONG_PROTOCOL).encode() and b"https" in heard.lower()
