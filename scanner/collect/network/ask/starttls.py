"""How a conversation in clear text becomes one inside TLS, protocol by protocol."""

from __future__ import annotations

import re
import struct
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from scanner.collect.network.recognise import rdp_request
from scanner.collect.network.talk import Talk, TalkError

_LINE_LIMIT = 8_192
_PACKET_LIMIT = 4_096
_CLIENT_SSL, _PROTOCOL_41, _SECURE_CONNECTION = 0x0800, 0x0200, 0x8000
_BLOCKED = b"\xff" + struct.pack("<H", 1129)
"""The error of MySQL for a client whose connection errors it no longer counts."""
_LAST_LINE = re.compile(rb"\d{3}(?: |\r?$)")

LDAP_START_TLS = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037"
"""The extended request of RFC 4511, 4.14.1, as message 1."""
POSTGRES_SSL_REQUEST = struct.pack("!II", 8, 80877103)


class NotOfferedError(Exception):
    """The server answered in order that it does not start TLS: it is no TLS service."""


async def start(talk: Talk, service: str) -> None:
    """Brings an open conversation to the point at which the client's hello is due.

    Raises:
        NotOfferedError: the server does not offer TLS.
        TalkError: its answer is none of this protocol, or it broke off.
        KeyError: there is no way into TLS for that service.

    """
    await UPGRADES[service](talk)


async def _smtp(talk: Talk) -> None:
    await _reply(talk, 220)
    await talk.send(b"EHLO bartizan.invalid\r\n")
    abilities = await _reply(talk, 250)
    if not re.search(rb"(?im)^250[ -]STARTTLS[ \t]*\r?$", abilities):
        raise NotOfferedError
    await talk.send(b"STARTTLS\r\n")
    await _reply(talk, 220)


async def _ftp(talk: Talk) -> None:
    await _reply(talk, 220)
    await talk.send(b"AUTH TLS\r\n")
    answer = await _lines(talk, _is_last)
    code = int(_last(answer)[:3])
    if code == 421:
        raise TalkError("the server was busy (421)")
    if code not in (234, 334):
        raise NotOfferedError


async def _imap(talk: Talk) -> None:
    await _lines(talk, lambda _: True)
    await talk.send(b"a1 STARTTLS\r\n")
    answer = await _lines(talk, lambda line: line.startswith(b"a1 "))
    if not _last(answer).upper().startswith(b"A1 OK"):
        raise NotOfferedError


async def _pop3(talk: Talk) -> None:
    greeting = await _lines(talk, lambda _: True)
    if not greeting.startswith(b"+OK"):
        raise TalkError("a greeting that is none of POP3")
    await talk.send(b"STLS\r\n")
    if not (await _lines(talk, lambda _: True)).startswith(b"+OK"):
        raise NotOfferedError


async def _ldap(talk: Talk) -> None:
    await talk.send(LDAP_START_TLS)
    answer = await talk.until(lambda data: len(data) >= 2 and len(data) >= _ber_end(data))
    # An extended response (0x78) begins with its result code, an ENUMERATED of one byte.
    found = re.match(rb"\x30(?:[\x00-\x7f]|\x81.|\x82..|\x84....)\x02\x01\x01\x78", answer, re.DOTALL)
    code = re.search(rb"\x0a\x01(.)", answer[found.end() :], re.DOTALL) if found else None
    if code is None:
        raise TalkError("the answer is no LDAP response")
    if code[1] in b"\x33\x34":
        raise TalkError(f"the directory was busy or unavailable (result {code[1][0]})")
    if code[1] != b"\x00":
        raise NotOfferedError


async def _postgresql(talk: Talk) -> None:
    await talk.send(POSTGRES_SSL_REQUEST)
    answer = await talk.exactly(1)
    if answer == b"N":
        raise NotOfferedError
    if answer != b"S":
        raise TalkError("the answer to a request for TLS is none of PostgreSQL")


async def _mysql(talk: Talk) -> None:
    head = await talk.until(lambda data: len(data) >= 4 and len(data) >= 4 + _mysql_length(data))
    body = head[4 : 4 + _mysql_length(head)]
    if body[:3] == _BLOCKED:
        raise TalkError(
            "the server has shut this address out after too many connections that were left "
            "(max_connect_errors); FLUSH HOSTS lets it in again"
        )
    if body[:1] == b"\xff":
        raise TalkError("the server refuses this client before any question")
    version, mark, rest = body[1:].partition(b"\x00")
    if body[:1] != b"\x0a" or not mark or not version or len(rest) < 15:
        raise TalkError("a greeting that is none of MySQL")
    # Thread id (4), first part of the salt (8), a zero, then the lower half of the abilities.
    [abilities] = struct.unpack_from("<H", rest, 13)
    if not abilities & _CLIENT_SSL:
        raise NotOfferedError
    wanted = _CLIENT_SSL | _PROTOCOL_41 | _SECURE_CONNECTION
    request = struct.pack("<IIB23x", wanted, 1 << 24, 33)
    await talk.send(len(request).to_bytes(3, "little") + b"\x01" + request)


async def _rdp(talk: Talk) -> None:
    await talk.send(rdp_request())
    answer = await talk.until(lambda data: len(data) >= 4 and len(data) >= int.from_bytes(data[2:4], "big"))
    if answer[:2] != b"\x03\x00" or len(answer) < 11 or answer[5] != 0xD0:
        raise TalkError("the answer is no X.224 confirmation")
    # Without the negotiation's answer, or where it chose plain RDP (0), there is no TLS.
    if len(answer) < 19 or answer[11] != 2 or int.from_bytes(answer[15:19], "little") not in (1, 2, 8):
        raise NotOfferedError


UPGRADES: Mapping[str, Callable[[Talk], Awaitable[None]]] = MappingProxyType(
    {
        "ftp": _ftp,
        "imap": _imap,
        "ldap": _ldap,
        "mysql": _mysql,
        "pop3": _pop3,
        "postgresql": _postgresql,
        "rdp": _rdp,
        "smtp": _smtp,
    }
)
"""Service → what leads it into TLS."""


async def _reply(talk: Talk, wanted: int) -> bytes:
    answer = await _lines(talk, _is_last)
    code = int(_last(answer)[:3])
    if code != wanted:
        raise TalkError(f"the server answered with {code}")
    return answer


async def _lines(talk: Talk, is_last: Callable[[bytes], bool]) -> bytes:
    """Lines up to the first that ends the reply; several may come at once, or one in pieces."""
    data = b""
    while True:
        whole, mark, _ = data.rpartition(b"\n")
        for end in (found.end() for found in re.finditer(rb"\n", whole + mark)):
            if is_last(_last(data[:end])):
                return data[:end]
        if len(data) > _LINE_LIMIT:
            raise TalkError("a reply without an end")
        more = await talk.read()
        if not more:
            raise TalkError("the server closed the connection in the middle of its answer")
        data += more


def _last(answer: bytes) -> bytes:
    return answer.rstrip(b"\r\n").rpartition(b"\n")[2]


def _is_last(line: bytes) -> bool:
    return _LAST_LINE.match(line) is not None


def _ber_end(data: bytes) -> int:
    """Bytes of the BER value that begins here, as far as its length can be read; bounded."""
    size = data[1]
    if size < 0x80:
        return 2 + size
    octets = size - 0x80
    if not 1 <= octets <= 4:
        raise TalkError("the answer is no LDAP response")
    if len(data) < 2 + octets:
        return 2 + octets
    length = int.from_bytes(data[2 : 2 + octets], "big")
    if length > _PACKET_LIMIT:
        raise TalkError("an LDAP response that lies about its length")
    return 2 + octets + length


def _mysql_length(data: bytes) -> int:
    length = int.from_bytes(data[:3], "little")
    if not 1 <= length <= _PACKET_LIMIT:
        raise TalkError("a greeting that is none of MySQL")
    return length
