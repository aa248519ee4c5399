"""SMTP: whether a server passes a stranger's mail on, and whether it tells who has a mailbox.

No mail is handed over: the conversation ends before DATA.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from checks.facts.network.mail import SmtpRelay, SmtpRelays, SmtpUser, SmtpUsers
from scanner.collect.network import web
from scanner.collect.network.ask.databases import shown_answer
from scanner.collect.network.ask.frames import Frames, conversation, leave, speaks, told
from scanner.collect.network.ask.question import Asked, Question
from scanner.collect.network.talk import Talk, TalkError

SENDER, NOBODY = b"bartizan@example.net", b""
RECIPIENT = b"bartizan@example.org"
EVERYWHERE, NOWHERE = b"postmaster", b"bartizan-no-such-name"
_LINES = 60
_OTHER_REASONS = re.compile(
    rb"(?i)\b(?:helo|ehlo|ptr|rdns|spf|dmarc|rbl|dnsbl|temporarily)\b|client host|block|blacklist|spam"
    rb"|reputation|nullmx|no mx|mx record|reverse|too many|greylist|graylist|unrout|lookup|no such domain"
    rb"|does not (?:exist|accept)"
)
"""Words of refusals that would have met any mail from here, or any to a domain that takes none."""
_FOR_STRANGERS = re.compile(
    rb"(?i)relay|rcpthosts|auth|log ?in|not (?:allowed|permitted|local|accepted)|prohibit|denied|5\.7\.\d"
    rb"|deliver mail for|invalid recipient|accepted domain"
)
"""Words of refusals for the recipient of a stranger."""


class _Smtp:
    """One conversation with a mail server."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._frames = Frames(talk)
        self.abilities = b""

    async def begin(self) -> None:
        """Greets, and starts TLS where the server offers it."""
        self._expect(await self._reply(), 220)
        self.abilities = self._expect(await self.said(b"EHLO bartizan.invalid"), 250)
        if re.search(rb"(?mi)^STARTTLS\b", self.abilities):
            self._expect(await self.said(b"STARTTLS"), 220)
            await self._talk.tls(web.client_context())
            self._frames = Frames(self._talk)
            self.abilities = self._expect(await self.said(b"EHLO bartizan.invalid"), 250)

    async def said(self, words: bytes) -> tuple[int, bytes]:
        """The code and the text of the answer to one command."""
        await self._talk.send(words + b"\r\n")
        return await self._reply()

    async def _reply(self) -> tuple[int, bytes]:
        lines: list[bytes] = []
        for _ in range(_LINES):
            line = await self._frames.line()
            if not re.match(rb"\d{3}(?:[ -]|$)", line):
                raise TalkError(f"no answer of SMTP: {shown_answer(line)}")
            lines.append(line[4:])
            if line[3:4] != b"-":
                if line[:3] == b"421":
                    raise TalkError(f"the server was busy: {shown_answer(line)}")
                return int(line[:3]), b"\n".join(lines)
        raise TalkError(f"an answer of more than {_LINES} lines")

    @staticmethod
    def _expect(reply: tuple[int, bytes], code: int) -> bytes:
        if reply[0] != code:
            raise TalkError(f"answered with {reply[0]} {shown_answer(reply[1])}")
        return reply[1]


@asynccontextmanager
async def _mail(asked: Asked) -> AsyncIterator[_Smtp]:
    async with conversation(asked) as talk:
        smtp = _Smtp(talk)
        await smtp.begin()
        yield smtp
        await leave(talk, b"RSET\r\nQUIT\r\n")


async def _look_relay(asked: Asked) -> tuple[SmtpRelays, str]:
    """A stranger's sender and a foreign recipient, taken back before any mail."""
    async with _mail(asked) as smtp:
        for sender in (SENDER, NOBODY):
            code, text = await smtp.said(b"MAIL FROM:<" + sender + b">")
            if _asks_for_login(code, text):
                relay = SmtpRelay(asked.port.name, accepted=False, answer=_answer("MAIL", code, text))
                break
            if code != 250:
                continue
            code, text = await smtp.said(b"RCPT TO:<" + RECIPIENT + b">")
            if code < 400 or b"sender" not in text.lower():
                relay = _relay(asked.port.name, code, text)
                break
            # A server may mind our sender, and say so only now; the empty one it has to take.
            await smtp.said(b"RSET")
        else:
            raise TalkError(f"no sender was taken: {code} {shown_answer(text)}")
    return SmtpRelays((relay,)), relay.answer


def _asks_for_login(code: int, text: bytes) -> bool:
    return code == 530 and b"starttls" not in text.lower()


def _relay(port: str, code: int, text: bytes) -> SmtpRelay:
    answer = _answer("RCPT", code, text)
    if code in (250, 251):
        return SmtpRelay(port, accepted=True, answer=answer)
    if code == 556 or re.match(rb"5\.1\.(?:2|10)\b", text):
        # The domain takes no mail, which says nothing about one that does.
        raise TalkError(f"refused for the recipient's domain: {answer}")
    if _OTHER_REASONS.search(text):
        raise TalkError(f"refused for another reason than the recipient: {answer}")
    for_good = 500 <= code < 560 and _FOR_STRANGERS.search(text)
    if for_good or (code == 454 and re.match(rb"4\.7\.1 .{0,200}relay", text, re.IGNORECASE)):
        return SmtpRelay(port, accepted=False, answer=answer)
    raise TalkError(f"an answer that decides nothing: {answer}")


def _answer(command: str, code: int, text: bytes) -> str:
    return f"{command}: {code} {shown_answer(text)}"


async def _look_users(asked: Asked) -> tuple[SmtpUsers, str]:
    """What VRFY and EXPN say about a name that every server has and one that no server has."""
    tells = False
    answers: list[str] = []
    async with _mail(asked) as smtp:
        for command in (b"VRFY", b"EXPN"):
            known, _ = await smtp.said(command + b" " + EVERYWHERE)
            made_up, _ = await smtp.said(command + b" " + NOWHERE)
            answers.append(f"{command.decode()}: {known} and {made_up}")
            if 400 <= known < 500 or 400 <= made_up < 500:
                raise TalkError(f"put off for later: {answers[-1]}")
            tells = tells or (known in (250, 251, 252) and known != made_up)
    said = f"{', '.join(answers)} for a name that exists and one that does not"
    return SmtpUsers((SmtpUser(asked.port.name, tells, said),)), said


_APPLIES = speaks(frozenset({"smtp"}), frozenset())

QUESTIONS = (
    Question(
        frozenset({SmtpRelays}),
        _APPLIES,
        told(SmtpRelays, "a sender and a recipient of foreign domains, and no mail,", _look_relay),
        "a sender and a recipient of foreign domains at SMTP servers, taken back before any mail",
    ),
    Question(
        frozenset({SmtpUsers}),
        _APPLIES,
        told(SmtpUsers, "VRFY and EXPN", _look_users),
        "VRFY and EXPN of two names at SMTP servers",
    ),
)
