"""SMB: its dialects, its signing, and what it lets somebody without a name do. Nothing is listed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from checks.facts.network.smb import (
    SmbOne,
    SmbOneServers,
    SmbServer,
    SmbServers,
    SmbSession,
    SmbSessions,
)
from scanner.collect.collector import Collected
from scanner.collect.network.ask import smb_wire
from scanner.collect.network.ask.frames import Frames, concluded, speaks
from scanner.collect.network.ask.question import Asked, Question, undecided
from scanner.collect.network.ask.smb_wire import Message, Negotiated, SmbError
from scanner.collect.network.talk import Talk, TalkError

T = TypeVar("T")

NETBIOS_PORT = 139
_PATIENT_FRAMES = 4
_LEFT = "left without a word when only SMB 1 was offered, while SMB 2 was answered beside it and after it"


class _Line:
    """One connection that carries messages of SMB."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self.frames = Frames(talk)
        self._number = 0

    async def send(self, message: bytes) -> None:
        await self._talk.send(smb_wire.framed(message))

    async def netbios(self) -> None:
        """Begins a session of NetBIOS, which port 139 wants first."""
        await self._talk.send(smb_wire.netbios_request())
        answer = await self.frames.exactly(4)
        if answer[0] != 0x82:
            raise TalkError("NetBIOS gave no session")

    async def message(self) -> bytes:
        """The next message; signs of life in between are skipped."""
        for _ in range(_PATIENT_FRAMES):
            head = await self.frames.exactly(4)
            size = int.from_bytes(head[1:], "big")
            if head[0] == 0x85 and not size:
                continue
            if head[0] or not 32 <= size <= smb_wire.MESSAGE_LIMIT:
                raise TalkError("the answer is no SMB")
            return await self.frames.exactly(size)
        raise TalkError("only signs of life came back")

    async def negotiated(self) -> Negotiated:
        await self.send(smb_wire.negotiate(os.urandom(32)))
        return smb_wire.read_negotiated(smb_wire.read(await self.message()))

    async def asked(self, build: Callable[[int], bytes]) -> Message:
        """The final answer to the request that is built for the next number."""
        self._number += 1
        await self.send(build(self._number))
        for _ in range(_PATIENT_FRAMES):
            answer = smb_wire.read(await self.message())
            if answer.status != smb_wire.PENDING:
                return answer
        raise TalkError("the server answers nothing but that it is busy")


@dataclass(frozen=True, slots=True)
class _First:
    """What came back when SMB 1 was all that was offered; `left` where the server closed in order."""

    settled: Negotiated | None = None
    left: bool = False


async def _ask(asked: Asked) -> Collected:
    (modern, why_modern), (first, why_first) = await asyncio.gather(
        _tried(asked, _Line.negotiated), _tried(asked, _offered_smb1)
    )
    found = Collected()
    if SmbOneServers in asked.wanted:
        found += await _smb1(asked, first, why_first, modern)
    if SmbServers in asked.wanted:
        found += _server(asked, modern, first.settled if first else None, why_modern)
    if SmbSessions in asked.wanted and modern is None:
        found += undecided(SmbSessions, asked, why_modern)
    elif SmbSessions in asked.wanted:
        session, why = await _tried(asked, lambda line: _session(line, asked))
        if session is None:
            return found + undecided(SmbSessions, asked, why)
        said = ", ".join((session.answer, *session.told))
        found += concluded(SmbSessions((session,)), asked, "an SMB login without a name", said)
    return found


async def _tried(asked: Asked, step: Callable[[_Line], Awaitable[T]]) -> tuple[T | None, str]:
    """What one conversation gives, or why it gave nothing."""
    try:
        async with asked.line.talk(asked.address, asked.port.number) as talk:
            line = _Line(talk)
            if asked.port.number == NETBIOS_PORT:
                await line.netbios()
            return await step(line), ""
    except (TalkError, SmbError) as error:
        return None, str(error)


async def _offered_smb1(line: _Line) -> _First:
    await line.send(smb_wire.smb1_negotiate())
    if await line.frames.ended():
        return _First(left=True)
    return _First(smb_wire.read_smb1(await line.message()))


async def _smb1(asked: Asked, first: _First | None, why: str, modern: Negotiated | None) -> Collected:
    """Whether SMB 1 is spoken. Leaving without a word is told only beside two answers to SMB 2."""
    if first is None:
        return undecided(SmbOneServers, asked, why)
    name = asked.port.name
    if first.settled:
        one = SmbOne(name, spoken=True, answered=True, answer="SMB 1 (NT LM 0.12) was accepted")
    elif not first.left:
        one = SmbOne(name, spoken=False, answered=True, answer="SMB 1 (NT LM 0.12) was refused")
    else:
        again, why_not = await _tried(asked, _Line.negotiated) if modern else (None, "")
        if again is None:
            return undecided(SmbOneServers, asked, why_not or "it left without an answer to any version")
        one = SmbOne(name, spoken=False, answered=False, answer=_LEFT)
    return concluded(SmbOneServers((one,)), asked, "an SMB 1 negotiation", one.answer)


def _server(asked: Asked, modern: Negotiated | None, first: Negotiated | None, why: str) -> Collected:
    newest = modern or first
    if newest is None:
        return undecided(SmbServers, asked, why)
    answered = [one for one in (modern, first) if one]
    required = all(one.signing_required for one in answered)
    server = SmbServer(asked.port.name, newest.dialect, newest.signing_enabled, required, newest.guid)
    said = f"SMB {newest.dialect}, signing {'required' if required else 'not required'}"
    return concluded(SmbServers((server,)), asked, "an SMB negotiation", said)


async def _session(line: _Line, asked: Asked) -> SmbSession:
    """The end of a login with no name and no password; the connection is closed right after it."""
    await line.negotiated()
    challenge = await line.asked(lambda n: smb_wire.session_setup(smb_wire.hello_token(), n))
    told = smb_wire.told(challenge.body)
    if challenge.status in smb_wire.REFUSALS:
        return _refused(asked, challenge.status, told)
    if challenge.status != smb_wire.MORE_PROCESSING:
        raise TalkError(f"the login began with the status {challenge.status:#010x}")
    session = challenge.session
    token = smb_wire.anonymous_token()
    granted = await line.asked(lambda n: smb_wire.session_setup(token, n, session))
    if granted.status in smb_wire.REFUSALS:
        return _refused(asked, granted.status, told)
    # Samba marks a session of nobody with no flag at all.
    kind = "guest" if smb_wire.session_flags(granted) & 1 else "null"
    if granted.status != smb_wire.SUCCESS:
        raise TalkError(f"the login ended with the status {granted.status:#010x}")
    path = f"\\\\{asked.address}\\IPC$"
    tree = await line.asked(lambda n: smb_wire.tree_connect(path, n, session))
    if tree.status != smb_wire.SUCCESS and tree.status not in smb_wire.REFUSALS:
        raise TalkError(f"IPC$ was answered with the status {tree.status:#010x}")
    ipc = tree.status == smb_wire.SUCCESS
    answer = f"a {kind} session, IPC$ {'connected' if ipc else 'refused'}"
    return SmbSession(asked.port.name, kind, ipc, answer, told)


def _refused(asked: Asked, status: int, told: tuple[str, ...]) -> SmbSession:
    answer = f"refused: {smb_wire.REFUSALS[status]}"
    return SmbSession(asked.port.name, kind="", ipc=False, answer=answer, told=told)


QUESTIONS = (
    Question(
        frozenset({SmbServers, SmbOneServers, SmbSessions}),
        speaks(frozenset({"smb", "microsoft-ds", "netbios-ssn", "netbios"}), frozenset({139, 445})),
        _ask,
        "the negotiation of SMB 1, 2 and 3 and an SMB login without a name and a password",
    ),
)
