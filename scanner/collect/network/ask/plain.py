"""File transfer and mail: whether they start TLS, and what they take before it."""

from __future__ import annotations

import re

from checks.facts.network.files import FtpServer, FtpServers
from checks.facts.network.mail import MailServer, MailServers
from checks.facts.snapshot import source
from scanner.collect.collector import Collected
from scanner.collect.network import web
from scanner.collect.network.ask.databases import service, shown_answer
from scanner.collect.network.ask.question import Asked, Question, undecided
from scanner.collect.network.talk import Talk, TalkError

_LET_IN = 230
_WRONG_PASSWORD = -530
"""Refused after the password, so not for the lack of TLS."""
_NEEDS_ACCOUNT = 332
_FULL = re.compile(rb"(?i)too many|maximum|limit")
"""Words of refusals that would have met anybody just then."""
_LAST_LINE = re.compile(rb"(?m)^\d{3}(?: [^\r\n]*)?\r?$")


async def _ask_ftp(asked: Asked) -> Collected:
    """AUTH TLS in one conversation, the customary anonymous login in another; nothing is listed."""
    try:
        tls = asked.port.tls or await _starts_tls(asked)
        code = await _anonymous(asked, upgrade=False)
        if tls and not asked.port.tls and code not in (_LET_IN, _WRONG_PASSWORD):
            # A server that takes logins inside TLS only refuses the plain one whoever asks.
            code = await _anonymous(asked, upgrade=True)
    except TalkError as error:
        return undecided(FtpServers, asked, str(error))
    if code not in (_LET_IN, _WRONG_PASSWORD, _NEEDS_ACCOUNT) and not 500 <= code < 560:
        reason = f"the anonymous login ended with the code {code}, which decides nothing"
        return undecided(FtpServers, asked, reason)
    anonymous = code == _LET_IN
    said = (
        f"{asked.port.name} starts TLS: {'yes' if tls else 'no'}; "
        f"lets anonymous in: {'yes' if anonymous else 'no'}"
    )
    how = f"AUTH TLS and USER anonymous to {asked.address} {asked.port.name}"
    fact = FtpServers((FtpServer(asked.port.name, tls, anonymous),))
    return Collected((fact,), sources=(source(FtpServers, how, asked.at, said, asked.port.name),))


async def _starts_tls(asked: Asked) -> bool:
    async with asked.line.talk(asked.address, asked.port.number) as talk:
        await _greeted(talk)
        code = await _command(talk, b"AUTH TLS")
    if code == 421:
        raise TalkError("the server was busy (421)")
    if code not in (234, 334) and not 500 <= code < 560:
        raise TalkError(f"AUTH TLS was answered with {code}, which decides nothing")
    return code in (234, 334)


async def _anonymous(asked: Asked, *, upgrade: bool) -> int:
    """The code that ends the anonymous login, `upgrade` by AUTH TLS first."""
    async with asked.line.talk(asked.address, asked.port.number) as talk:
        if asked.port.tls:
            await talk.tls(web.client_context())
        await _greeted(talk)
        if upgrade and await _command(talk, b"AUTH TLS") in (234, 334):
            await talk.tls(web.client_context())
        code = await _command(talk, b"USER anonymous")
        if code == 331:
            code = await _command(talk, b"PASS anonymous@")
            code = _WRONG_PASSWORD if code == 530 else code
    if code == 421:
        raise TalkError("the server was busy (421)")
    return code


async def _greeted(talk: Talk) -> None:
    code = _code(await talk.until(_complete))
    if code != 220:
        raise TalkError(f"a greeting with the code {code}")


async def _command(talk: Talk, words: bytes) -> int:
    await talk.send(words + b"\r\n")
    answer = await talk.until(_complete)
    code = _code(answer)
    if code == 530 and _FULL.search(answer):
        raise TalkError(f"the server was busy: {shown_answer(answer)}")
    return code


def _complete(data: bytes) -> bool:
    return data.endswith(b"\n") and bool(_LAST_LINE.search(data.rstrip(b"\r\n").rpartition(b"\n")[2]))


def _code(reply: bytes) -> int:
    last = reply.rstrip(b"\r\n").rpartition(b"\n")[2]
    return int(last[:3])


async def _ask_mail(asked: Asked) -> Collected:
    """What the server can do before TLS; nobody logs in and no mail is handed over."""
    protocol, name = asked.port.service, asked.port.name
    if asked.port.tls:
        server = MailServer(name, protocol, tls=True, starttls=False, plain_login=False)
        said = f"{name} {protocol} inside TLS from the first byte"
    else:
        try:
            async with asked.line.talk(asked.address, asked.port.number) as talk:
                answer = await _ABILITIES[protocol](talk)
            server = _read_abilities(name, protocol, answer)
        except TalkError as error:
            return undecided(MailServers, asked, str(error))
        abilities = shown_answer(answer.replace(b"\r\n", b" "))
        said = f"{name} {protocol}: {abilities}"
    how = f"the abilities of the mail service {asked.address} {name}"
    evidence = source(MailServers, how, asked.at, said, name)
    return Collected((MailServers((server,)),), sources=(evidence,))


async def _smtp(talk: Talk) -> bytes:
    await _greeted(talk)
    await talk.send(b"EHLO bartizan.invalid\r\n")
    answer = await talk.until(_complete)
    if _code(answer) != 250:
        raise TalkError(f"EHLO was answered with {_code(answer)}")
    return answer


async def _pop3(talk: Talk) -> bytes:
    await talk.until(lambda data: b"\n" in data)
    await talk.send(b"CAPA\r\n")
    answer = await talk.until(lambda data: data.endswith(b"\r\n.\r\n") or data.startswith(b"-ERR"))
    if answer.startswith(b"-ERR"):
        raise TalkError("the server does not tell its abilities (CAPA)")
    return answer


async def _imap(talk: Talk) -> bytes:
    await talk.until(lambda data: b"\n" in data)
    await talk.send(b"a1 CAPABILITY\r\n")
    answer = await talk.until(lambda data: re.search(rb"(?m)^a1 [^\n]*\n", data) is not None)
    if not re.search(rb"(?m)^\* CAPABILITY ", answer):
        raise TalkError("the server does not tell its abilities (CAPABILITY)")
    return answer


_ABILITIES = {"smtp": _smtp, "pop3": _pop3, "imap": _imap}


def _read_abilities(port: str, protocol: str, answer: bytes) -> MailServer:
    words = answer.upper()
    match protocol:
        case "smtp":
            starttls = re.search(rb"(?m)^250[ -]STARTTLS\b", words) is not None
            plain = re.search(rb"(?m)^250[ -]AUTH[ =][^\r\n]*\b(?:PLAIN|LOGIN)\b", words) is not None
        case "pop3":
            starttls = re.search(rb"(?m)^STLS\b", words) is not None
            plain = re.search(rb"(?m)^(?:USER\b|SASL [^\r\n]*\b(?:PLAIN|LOGIN)\b)", words) is not None
        case _:
            starttls = re.search(rb"\bSTARTTLS\b", words) is not None
            plain = b"LOGINDISABLED" not in words
    return MailServer(port, protocol, tls=False, starttls=starttls, plain_login=plain)


QUESTIONS = (
    Question(
        frozenset({FtpServers}),
        service("ftp"),
        _ask_ftp,
        "AUTH TLS and the customary anonymous login at FTP servers",
    ),
    Question(
        frozenset({MailServers}),
        service("smtp", "pop3", "imap"),
        _ask_mail,
        "the list of abilities of mail servers",
    ),
)
