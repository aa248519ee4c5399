"""What a name server does for a stranger: ask others for it, copy whole zones to it, name its version."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

from checks.facts.network.names import DnsServer, DnsServers, DnsTransfer, DnsTransfers
from checks.facts.snapshot import source
from checks.fix import printable
from scanner.collect.collector import Collected
from scanner.collect.network.ask.datagram import answer_or_silence, answer_to, speaks
from scanner.collect.network.ask.question import Asked, Question, undecided
from scanner.collect.network.recognise_udp import dns_texts
from scanner.collect.network.talk import Talk, TalkError, TooMuchError
from scanner.collect.network.udp_payloads import AXFR, CH, NS, SOA, TXT, dns_question

if TYPE_CHECKING:
    import dns.message

MOST_RECORDS = 100
"""Records of a zone that are counted before its transfer is stopped."""
MOST_DOMAINS = 8
_LONGEST = 60_000
"""Bytes of one message that are read: below the limit of a conversation."""
_NAME = re.compile(r"(?=.{1,253}$)(?:[A-Za-z0-9_-]{1,63}\.){0,10}[A-Za-z0-9_-]{1,63}\.?")
_SHORTEST = 12
_RECURSION_AVAILABLE, _CUT, AUTHORITY, _RESPONSE = 0x0080, 0x0200, 0x0400, 0x8000
NO_ERROR, SERVER_FAILURE, NO_SUCH_NAME, NOT_IMPLEMENTED, REFUSED, NOT_AUTHORITATIVE = 0, 2, 3, 4, 5, 9
_NO = frozenset({NOT_IMPLEMENTED, REFUSED, NOT_AUTHORITATIVE})
"""The codes with which a server says no to a transfer; all others say that something else went wrong."""
_CODES = {0: "no error", 1: "format error", 2: "server failure", 3: "no such name", 4: "not implemented",
          5: "refused", 9: "not authoritative"}  # fmt: skip


async def _ask(asked: Asked) -> Collected:
    try:
        server = await _server(asked)
    except TalkError as error:
        return undecided(DnsServers, asked, str(error))
    told = f"version.bind {server.version or 'kept back'}, id.server {server.identity or 'kept back'}"
    said = (
        f"{server.port} recursion {'offered' if server.recursion else 'not offered'}: {server.answer}; {told}"
    )
    how = f"DNS questions for `. NS`, version.bind and id.server to {asked.address} {asked.port.name}"
    evidence = source(DnsServers, how, asked.at, said, server.port)
    return Collected((DnsServers((server,)),), sources=(evidence,))


async def _server(asked: Asked) -> DnsServer:
    version = await _text(asked, "version.bind")
    identity = await _text(asked, "id.server")
    # The root itself: a question that every resolver knows the answer to, and that reaches nobody else.
    flags, count = struct.unpack_from("!H2xH", await answer(asked, dns_question(".", NS, recurse=True)), 2)
    words = "recursion available" if flags & _RECURSION_AVAILABLE else "recursion not available"
    told = f"{words}, {_code(flags & 15)}"
    return DnsServer(asked.port.name, _recurses(flags, count, told), told, version, identity)


def _recurses(flags: int, records: int, told: str) -> bool:
    """Whether the reply about the root, with so many records in it, says that it asks others for us.

    Raises:
        TalkError: it says neither yes nor no.

    """
    code = flags & 15
    if flags & _RECURSION_AVAILABLE and code in (NO_ERROR, SERVER_FAILURE, NO_SUCH_NAME):
        return True
    if code == REFUSED:
        return False
    if flags & _RECURSION_AVAILABLE or code not in (NO_ERROR, NO_SUCH_NAME, NOT_AUTHORITATIVE):
        raise TalkError(f"neither an answer nor a refusal: {told}")
    if records and not flags & AUTHORITY:
        raise TalkError("it tells of the root, whose authority it is not, and says that it asks nobody")
    return False


async def answer(asked: Asked, question: bytes) -> bytes:
    """The whole response to that question; asked again over TCP where the datagram was cut short.

    Raises:
        TalkError: there was none.

    """
    return await _whole(asked, question, await answer_to(asked, question, replies_to(question)))


async def _whole(asked: Asked, question: bytes, heard: bytes) -> bytes:
    if not struct.unpack_from("!H", heard, 2)[0] & _CUT:
        return heard
    # What is cut short may come from a guard in front of the server, and tells nothing of the server.
    async with asked.line.talk(asked.address, asked.port.number) as talk:
        await talk.send(struct.pack("!H", len(question)) + question)
        heard = await _Stream(talk).raw()
    if not replies_to(question)(heard) or struct.unpack_from("!H", heard, 2)[0] & _CUT:
        raise TalkError("no whole answer, neither by datagram nor over TCP")
    return heard


async def _text(asked: Asked, name: str) -> str:
    question = dns_question(name, TXT, CH)
    heard = await answer_or_silence(asked, question, replies_to(question))
    if not heard:
        return ""
    texts = dns_texts(await _whole(asked, question, heard))
    if texts is None:
        raise TalkError(f"the answer about {name} is no message of DNS")
    return next((text for text in texts if text), "")


async def _ask_transfers(asked: Asked) -> Collected:
    """Copies of the zones that the server is the authority for, as far as their names are known."""
    found = Collected()
    transfers: dict[str, DnsTransfer] = {}
    for name in (asked.address.reverse_pointer, *own_domains(asked)):
        # One by one: what one zone hides says nothing of the others.
        try:
            zone = await zone_of(asked, name)
            if zone and zone not in transfers:
                transfers[zone] = await _transfer(asked, zone)
        except TalkError as error:
            found += undecided(DnsTransfers, asked, f"{name}: {error}")
    if not transfers and not found.gaps:
        reason = "it is the authority for no zone whose name is known here"
        found = undecided(DnsTransfers, asked, reason)
    if not transfers:
        return found
    given = tuple(transfers.values())
    said = "\n".join(f"{t.port} AXFR {t.zone} {t.answer}" for t in given)
    how = f"AXFR over TCP at {asked.address}, stopped after {MOST_RECORDS} records; only counted"
    evidence = source(DnsTransfers, how, asked.at, said, given[0].port)
    return Collected((DnsTransfers(given),), found.gaps, sources=(evidence,))


def own_domains(asked: Asked) -> tuple[str, ...]:
    """The domains that the owner of the network names as his own, as far as they can be asked for."""
    return tuple(name for name in asked.domains if _NAME.fullmatch(name))[:MOST_DOMAINS]


async def zone_of(asked: Asked, name: str) -> str:
    """The zone of that name, if the server is the authority for it; else nothing.

    Raises:
        TalkError: no answer, or one that only says that the server failed.

    """
    message = parsed(await answer(asked, dns_question(name, SOA)))
    if message is None:
        raise TalkError(f"the answer about {printable(name)} is no message of DNS")
    if message.rcode() == SERVER_FAILURE:
        # An authority whose zone did not load or ran out says this, and so may any other server.
        raise TalkError("server failure, where an authority names its zone")
    if not message.flags & AUTHORITY:
        return ""
    owners = (str(r.name) for r in (*message.answer, *message.authority) if int(r.rdtype) == SOA)
    zone = next(owners, "").rstrip(".").lower()
    wanted = name.rstrip(".").lower()
    # A resolver may claim to be the authority for a whole top level, to keep it from the outside.
    ours = wanted == zone or ("." in zone and wanted.endswith(f".{zone}"))
    return zone if ours and zone.isascii() else ""


async def _transfer(asked: Asked, zone: str) -> DnsTransfer:
    port = f"tcp/{asked.port.number}"
    question = dns_question(zone, AXFR)
    async with asked.line.talk(asked.address, asked.port.number) as talk:
        await talk.send(struct.pack("!H", len(question)) + question)
        count, code = await _counted(talk, question)
    if code in _NO:
        return DnsTransfer(port, printable(zone), given=False, records=0, answer=_code(code))
    if code:
        raise TalkError(f"an answer to AXFR that is neither a zone nor a refusal: {_code(code)}")
    if not count:
        raise TalkError("an answer to AXFR without a record and without a refusal")
    more = " or more" if count >= MOST_RECORDS else ""
    return DnsTransfer(port, printable(zone), given=True, records=count, answer=f"{count}{more} records")


async def _counted(talk: Talk, question: bytes) -> tuple[int, int]:
    """(records up to the limit or the end of what came of the zone, the code of a refusal)."""
    stream = _Stream(talk)
    count = starts = 0
    while count < MOST_RECORDS and starts < 2:
        try:
            message, whole = await stream.message()
        except TooMuchError:
            break
        except TalkError:
            # A copy that breaks off was given as far as it came; its first record alone is no copy.
            if count > 1:
                break
            raise
        if message.id != struct.unpack_from("!H", question)[0]:
            raise TalkError("an answer to another question than AXFR")
        kinds = [int(record.rdtype) for record in message.answer]
        if message.rcode() or not kinds:
            return count, 0 if count else int(message.rcode())
        if not count and kinds[0] != SOA:
            raise TalkError("an answer to AXFR that does not begin with the zone")
        starts += kinds.count(SOA)
        count += len(kinds)
        if not whole:
            break
    return min(count, MOST_RECORDS), 0


class _Stream:
    """DNS messages over TCP, one after the other."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._heard = b""

    async def message(self) -> tuple[dns.message.Message, bool]:
        """The next message, and whether it is whole: of a very long one only its beginning is read."""
        [size] = struct.unpack("!H", await self._exactly(2))
        whole = size <= _LONGEST
        message = parsed(await self._exactly(min(size, _LONGEST)), whole=whole)
        if message is None:
            raise TalkError("an answer to AXFR that is no message of DNS")
        return message, whole

    async def raw(self) -> bytes:
        """The bytes of the next message, of a very long one its beginning."""
        [size] = struct.unpack("!H", await self._exactly(2))
        return await self._exactly(min(size, _LONGEST))

    async def _exactly(self, size: int) -> bytes:
        while len(self._heard) < size:
            more = await self._talk.read()
            if not more:
                raise TalkError("the server closed the connection in the middle of its answer")
            self._heard += more
        taken, self._heard = self._heard[:size], self._heard[size:]
        return taken


def parsed(data: bytes, *, whole: bool = True) -> dns.message.Message | None:
    """The response in these bytes, or None; of one that is not whole, the part that can be read."""
    import dns.exception
    import dns.message

    try:
        # One record each: joined into sets, a long zone would cost the square of its length.
        message = dns.message.from_wire(
            data, ignore_trailing=True, one_rr_per_rrset=True, continue_on_error=not whole
        )
    except (dns.exception.DNSException, ValueError, struct.error, IndexError):
        return None
    return message if message.flags & _RESPONSE else None


def replies_to(question: bytes) -> Callable[[bytes], bool]:
    """Whether a datagram is the response to that question: its number and its words come back."""

    def accept(data: bytes) -> bool:
        if len(data) < _SHORTEST or data[:2] != question[:2] or not data[2] & 0x80:
            return False
        # A refusal may leave the question out; what repeats it must repeat ours.
        end = question.index(b"\0", _SHORTEST) + 5
        return data[4:6] == b"\0\0" or data[_SHORTEST:end].lower() == question[_SHORTEST:end].lower()

    return accept


def _code(code: int) -> str:
    return _CODES.get(code, f"code {code}")


QUESTIONS = (
    Question(
        frozenset({DnsServers}),
        speaks("dns"),
        _ask,
        "DNS questions for the servers of the root and for the version of the server",
    ),
    Question(
        frozenset({DnsTransfers}),
        speaks("dns"),
        _ask_transfers,
        "DNS zone transfers of the server's own zones, over TCP; stopped early, counted and not kept",
    ),
)
