"""LDAP: whether a directory shows entries to somebody without a name, and whether it starts TLS.

After RFC 4511. One entry at most is asked for, and none of its attributes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from checks.facts.network.directory import Directories, Directory
from checks.fix import printable
from scanner.collect.network import web
from scanner.collect.network.ask import ber
from scanner.collect.network.ask.ber import BerError
from scanner.collect.network.ask.frames import Frames, conversation, leave, speaks, told
from scanner.collect.network.ask.question import Asked, Question
from scanner.collect.network.talk import Talk, TalkError

SUCCESS, SIZE_LIMIT, REFERRAL, CONFIDENTIALITY, NO_SUCH_OBJECT = 0, 4, 10, 13, 32
REFUSALS = {
    1: "a bind is asked for first",
    8: "a stronger login is required",
    CONFIDENTIALITY: "TLS is required",
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
    server = await _seen(asked, starttls=starttls, upgrade=False)
    if server is None and starttls:
        server = await _seen(asked, starttls=starttls, upgrade=True)
    if server is None:
        raise TalkError("it shows what it has only inside TLS, and starts none")
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


async def _seen(asked: Asked, *, starttls: bool, upgrade: bool) -> Directory | None:
    """What the directory shows; None where it says that it answers only inside TLS."""
    async with conversation(asked) as talk:
        ldap = _Ldap(talk)
        if upgrade:
            await ldap.answers(ber.tlv(_EXTENDED, ber.text(_START_TLS, 0x80)), _EXTENDED_DONE)
            await talk.tls(web.client_context())
        bound = _code((await ldap.answers(_bind(), _BIND_DONE))[-1][1])
        if bound == CONFIDENTIALITY and not upgrade:
            return None
        if bound != SUCCESS and bound not in REFUSALS:
            raise TalkError(f"the bind ended with the result {bound}")
        root = await ldap.answers(_search("", 0, "namingContexts"), _SEARCH_DONE)
        context = _context(root)
        entries, answer = await _entries(ldap, context) if context else _nothing_to_search(root)
        await leave(talk, ber.tlv(0x30, ber.integer(ldap.number + 1), bytes((_UNBIND, 0))))
    shown = printable(context)[:_NAME_LIMIT]
    name = asked.port.name
    return Directory(name, bound == SUCCESS, entries, shown, asked.port.tls, starttls, answer)


async def _entries(ldap: _Ldap, context: str) -> tuple[bool, str]:
    """Whether one entry below the context is shown, and how the search ended."""
    found = await ldap.answers(_search(context, 2, "1.1"), _SEARCH_DONE)
    code = _code(found[-1][1])
    if any(kind == _ENTRY for kind, _ in found):
        return True, f"an entry below {printable(context)[:_NAME_LIMIT]} was shown"
    if code in REFUSALS:
        return False, f"the search was refused: {REFUSALS[code]}"
    if code in (SUCCESS, NO_SUCH_OBJECT):
        return False, "the search showed no entry"
    raise TalkError(f"the search ended with the result {code} and no entry")


def _nothing_to_search(root: list[tuple[int, bytes]]) -> tuple[bool, str]:
    """Only a refusal decides: a directory may keep its contexts to itself and answer who knows them."""
    code = _code(root[-1][1])
    if code not in REFUSALS:
        raise TalkError("it tells no naming context, so that there was nothing to search")
    return False, f"the look at its root was refused: {REFUSALS[code]}"


def _context(answers: list[tuple[int, bytes]]) -> str:
    """The first naming context in the root of the directory; empty where it tells none."""
    for kind, content in answers:
        if kind != _ENTRY:
            continue
        _, (_, attributes) = ber.two(content)
        for _, attribute in ber.values(attributes):
            (_, name), (_, held) = ber.two(attribute)
            if name.lower() == b"namingcontexts":
                # Some directories list the empty name first, which stands for all of them.
                named = (value for _, value in ber.values(held) if value)
                return next(named, b"").decode("utf-8", "replace")
    return ""


QUESTIONS = (
    Question(
        frozenset({Directories}),
        speaks(frozenset({"ldap", "ldaps", "ldapssl"}), frozenset({389, 636, 3268, 3269})),
        told(Directories, "an LDAP bind and search without a name", _look),
        "an LDAP bind and a search for one entry without a name and a password",
    ),
)
