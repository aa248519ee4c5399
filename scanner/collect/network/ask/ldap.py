"""LDAP: whether a directory shows entries to somebody without a name, and whether it starts TLS.

After RFC 4511. One entry at most of each naming context is asked for, and none of its attributes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from checks.facts.network.directory import Directories, Directory
from checks.fix import printable
from scanner.collect.network import web
from scanner.collect.network.ask import ber
from scanner.collect.network.ask.ber import BerError
from scanner.collect.network.ask.frames import Frames, conversation, leave, speaks, told
from scanner.collect.network.ask.question import Asked, Question
from scanner.collect.network.talk import Talk, TalkError

SUCCESS, STRONGER, CONFIDENTIALITY, NO_SUCH_OBJECT = 0, 8, 13, 32
REFUSALS = {
    1: "a bind is asked for first",
    STRONGER: "a stronger login is required",
    48: "no anonymous login",
    49: "invalid credentials",
    50: "insufficient rights",
    53: "unwilling",
}
_START_TLS = "1.3.6.1.4.1.1466.20037"
_BIND, _UNBIND, _SEARCH, _EXTENDED = 0x60, 0x42, 0x63, 0x77
_BIND_DONE, _ENTRY, _REFERENCE, _SEARCH_DONE, _EXTENDED_DONE = 0x61, 0x64, 0x73, 0x65, 0x78
_MESSAGES = 40
_NAME_LIMIT = 200
CONTEXTS = 5
"""Naming contexts that are searched at most."""


class _InsideTlsError(Exception):
    """The server says that it answers only inside TLS."""


@dataclass(slots=True)
class _Ldap:
    """One connection to a directory."""

    talk: Talk
    frames: Frames = field(init=False)
    number: int = 0

    def __post_init__(self) -> None:
        self.frames = Frames(self.talk)

    async def answers(self, request: bytes, last: int) -> list[tuple[int, bytes]]:
        """The answers to this request, the final one last."""
        self.number += 1
        await self.talk.send(ber.tlv(0x30, ber.integer(self.number), request))
        found: list[tuple[int, bytes]] = []
        while len(found) < _MESSAGES:
            number, kind, content = await self._message()
            if number == 0:
                raise TalkError("the server ends the conversation")
            if number != self.number:
                raise TalkError("an answer to a question that was not asked")
            found.append((kind, content))
            if kind == last:
                return found
        raise TalkError("more answers than were asked for")

    async def _message(self) -> tuple[int, int, bytes]:
        head = await self.frames.exactly(2)
        if head[0] != 0x30:
            raise TalkError("no message of LDAP came back")
        while not (size := ber.size_of(head)):
            head += await self.frames.exactly(1)
        whole = head + await self.frames.exactly(size - len(head))
        [(_, content)] = ber.values(whole)
        (tag, number), (kind, body) = ber.two(content)
        if tag != 0x02:
            raise TalkError("a message of LDAP without a number")
        return ber.number(number), kind, body


def _code(content: bytes) -> int:
    parts = list(ber.values(content))
    if not parts or parts[0][0] != 0x0A:
        raise BerError("an answer without a result")
    return ber.number(parts[0][1])


def _bind() -> bytes:
    return ber.tlv(_BIND, ber.integer(3), ber.text(""), ber.text("", 0x80))


def _search(base: str, scope: int, *attributes: str) -> bytes:
    wanted = ber.tlv(0x30, *(ber.text(name) for name in attributes))
    return ber.tlv(
        _SEARCH,
        ber.text(base),
        ber.integer(scope, 0x0A),
        ber.integer(0, 0x0A),
        ber.integer(1),
        ber.integer(3),
        b"\x01\x01\x00",
        ber.text("objectClass", 0x87),
        wanted,
    )


async def _look(asked: Asked) -> tuple[Directories, str]:
    starttls = False if asked.port.tls else await _starts_tls(asked)
    try:
        server = await _seen(asked, starttls=starttls, upgrade=False)
    except _InsideTlsError:
        if not starttls:
            raise TalkError("it shows what it has only inside TLS, and starts none") from None
        server = await _seen(asked, starttls=starttls, upgrade=True)
    said = (
        f"anonymous bind {'granted' if server.bind else 'refused'}; {server.answer}; "
        f"TLS: {'yes' if server.tls else 'offered' if server.starttls else 'no'}"
    )
    return Directories((server,)), said


async def _starts_tls(asked: Asked) -> bool:
    async with asked.line.talk(asked.address, asked.port.number) as talk:
        request = ber.tlv(_EXTENDED, ber.text(_START_TLS, 0x80))
        [(_, content)] = (await _Ldap(talk).answers(request, _EXTENDED_DONE))[-1:]
        return _code(content) == SUCCESS


async def _seen(asked: Asked, *, starttls: bool, upgrade: bool) -> Directory:
    """What the directory shows.

    Raises:
        _InsideTlsError: it says that it answers only there.

    """
    inside = asked.port.tls or upgrade

    def refused(code: int) -> bool:
        if not inside and (code == CONFIDENTIALITY or (code == STRONGER and starttls)):
            raise _InsideTlsError
        return code in REFUSALS

    async with conversation(asked) as talk:
        ldap = _Ldap(talk)
        if upgrade:
            await ldap.answers(ber.tlv(_EXTENDED, ber.text(_START_TLS, 0x80)), _EXTENDED_DONE)
            await talk.tls(web.client_context())
        bound = _code((await ldap.answers(_bind(), _BIND_DONE))[-1][1])
        if bound != SUCCESS and not refused(bound):
            raise TalkError(f"the bind ended with the result {bound}")
        root = await ldap.answers(_search("", 0, "namingContexts"), _SEARCH_DONE)
        contexts = _contexts(root)
        if contexts:
            context, entries, answer = await _searched(ldap, contexts, refused)
        else:
            context, entries, answer = "", False, _nothing_to_search(root, refused)
        await leave(talk, ber.tlv(0x30, ber.integer(ldap.number + 1), bytes((_UNBIND, 0))))
    shown = printable(context)[:_NAME_LIMIT]
    name = asked.port.name
    return Directory(name, bound == SUCCESS, entries, shown, asked.port.tls, starttls, answer)


_Refused = Callable[[int], bool]


async def _searched(ldap: _Ldap, contexts: list[str], refused: _Refused) -> tuple[str, bool, str]:
    """The first context below which an entry is shown (else the first of all), and how its search ended."""
    answers = []
    for context in contexts[:CONTEXTS]:
        shown, answer = await _entries(ldap, context, refused)
        if shown:
            return context, True, answer
        answers.append(answer)
    if len(contexts) > CONTEXTS:
        raise TalkError(f"no entry below {CONTEXTS} of its {len(contexts)} naming contexts")
    return contexts[0], False, answers[0]


async def _entries(ldap: _Ldap, context: str, refused: _Refused) -> tuple[bool, str]:
    """Whether one entry below the context is shown, and how the search ended."""
    found = await ldap.answers(_search(context, 2, "1.1"), _SEARCH_DONE)
    code = _code(found[-1][1])
    if any(kind == _ENTRY for kind, _ in found):
        return True, f"an entry below {printable(context)[:_NAME_LIMIT]} was shown"
    if refused(code):
        return False, f"the search was refused: {REFUSALS[code]}"
    if any(kind == _REFERENCE for kind, _ in found):
        raise TalkError("the search only pointed to other servers")
    if code in (SUCCESS, NO_SUCH_OBJECT):
        return False, "the search showed no entry"
    raise TalkError(f"the search ended with the result {code} and no entry")


def _nothing_to_search(root: list[tuple[int, bytes]], refused: _Refused) -> str:
    """Only a refusal decides: a directory may keep its contexts to itself and answer who knows them."""
    code = _code(root[-1][1])
    if not refused(code):
        raise TalkError("it tells no naming context, so that there was nothing to search")
    return f"the look at its root was refused: {REFUSALS[code]}"


def _contexts(answers: list[tuple[int, bytes]]) -> list[str]:
    """The naming contexts in the root of the directory."""
    for kind, content in answers:
        if kind != _ENTRY:
            continue
        _, (_, attributes) = ber.two(content)
        for _, attribute in ber.values(attributes):
            (_, name), (_, held) = ber.two(attribute)
            if name.lower() == b"namingcontexts":
                # Some directories list the empty name first, which stands for all of them.
                return [value.decode("utf-8", "replace") for _, value in ber.values(held) if value]
    return []


QUESTIONS = (
    Question(
        frozenset({Directories}),
        speaks(frozenset({"ldap", "ldaps", "ldapssl"}), frozenset({389, 636, 3268, 3269})),
        told(Directories, "an LDAP bind and search without a name", _look),
        "an LDAP bind and a search for one entry without a name and a password",
    ),
)
