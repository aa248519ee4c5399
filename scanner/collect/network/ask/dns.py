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
_RECURSION_AVAILABLE, AUTHORITY, _RESPONSE = 0x0080, 0x0400, 0x8000
_REFUSED = 5
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
    question = dns_question(".", NS, recurse=True)
    answer = await answer_to(asked, question, replies_to(question))
    [flags] = struct.unpack_from("!H", answer, 2)
    code = flags & 15
    offered = bool(flags & _RECURSION_AVAILABLE) and code in (0, 2, 3)
    words = "recursion available" if flags & _RECURSION_AVAILABLE else "recursion not available"
    return DnsServer(asked.port.name, offered, f"{words}, {_code(code)}", version, identity)


async def _text(asked: Asked, name: str) -> str:
    question = dns_question(name, TXT, CH)
    answer = await answer_or_silence(asked, question, replies_to(question))
    return next((text for text in dns_texts(answer) or () if text), "") if answer else ""


async def _ask_transfers(asked: Asked) -> Collected:
    """Copies of the zones that the server is the authority for, as far as their names are known."""
    names = (asked.address.reverse_pointer, *own_domains(asked))
    found = Collected()
    transfers = []
    try:
        zones = [zone for name in names if (zone := await zone_of(asked, name))]
        for zone in dict.fromkeys(zones):
            transfers.append(await _transfer(asked, zone))
    except TalkError as error:
        found = undecided(DnsTransfers, asked, str(error))
    if not transfers and not found.gaps:
        reason = "it is the authority for no zone whose name is known here"
        found = undecided(DnsTransfers, asked, reason)
    if not transfers:
        return found
    said = "\n".join(f"{t.port} AXFR {t.zone} {t.answer}" for t in transfers)
    how = f"AXFR over TCP at {asked.address}, stopped after {MOST_RECORDS} records; only counted"
    evidence = source(DnsTransfers, how, asked.at, said, transfers[0].port)
    return Collected((DnsTransfers(tuple(transfers)),), found.gaps, sources=(evidence,))


def own_domains(asked: Asked) -> tuple[str, ...]:
    """The domains that the owner of the network names as his own, as far as they can be asked for."""
    return tuple(name for name in asked.domains if _NAME.fullmatch(name))[:MOST_DOMAINS]


async def zone_of(asked: Asked, name: str) -> str:
    """The zone of that name, if the server is the authority for it; else nothing.

    Raises:
        TalkError: no answer.

    """
    question = dns_question(name, SOA)
    message = parsed(await answer_to(asked, question, replies_to(question)))
    if message is None or not message.flags & AUTHORITY:
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
    if code:
        return DnsTransfer(port, printable(zone), given=False, records=0, answer=_code(code))
    if not count:
        raise TalkError("an answer to AXFR without a record and without a refusal")
    more = " or more" if count >= MOST_RECORDS else ""
    return DnsTransfer(port, printable(zone), given=True, records=count, answer=f"{count}{more} records")


async def _counted(talk: Talk, question: bytes) -> tuple[int, int]:
    """(records up to the limit or the end of the zone, the code of a refusal)."""
    stream = _Stream(talk)
    count = starts = 0
    while count < MOST_RECORDS and starts < 2:
        try:
            message, whole = await stream.message()
        except TooMuchError:
            break
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
