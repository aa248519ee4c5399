"""What a baseboard management controller offers before a login; no session is ever opened."""

from __future__ import annotations

import struct
from collections.abc import Callable

from checks.facts.network.controllers import (
    IpmiCipherSuites,
    IpmiController,
    IpmiControllers,
    IpmiSuites,
)
from checks.facts.snapshot import source
from scanner.collect.collector import Collected
from scanner.collect.network.ask.datagram import answer_to, speaks
from scanner.collect.network.ask.question import Asked, Question, undecided
from scanner.collect.network.talk import TalkError

CAPABILITIES, CIPHER_SUITES = 0x38, 0x54
THIS_CHANNEL = 0x0E
ADMINISTRATOR, OPERATOR, USER = 4, 3, 2
_WAYS = ((0, "none"), (1, "md2"), (2, "md5"), (4, "password"), (5, "oem"))
_FULL = 16
"""Bytes of the list of cipher suites in one answer; fewer end it."""
_MOST_PARTS = 64


def request(command: int, data: bytes) -> bytes:
    """A command to the controller itself, outside of any session."""
    head, body = bytes((0x20, 0x18)), bytes((0x81, 0, command)) + data
    message = head + _checksum(head) + body + _checksum(body)
    return b"\x06\0\xff\x07" + bytes(9) + bytes((len(message),)) + message


def read_response(data: bytes, command: int) -> bytes:
    """The data of the response to that command; its first byte is how it went, 0 for well.

    Raises:
        ValueError: it is no such response, or its checksums or lengths lie.

    """
    if len(data) < 21 or data[:1] != b"\x06" or data[3:5] != b"\x07\0":
        raise ValueError("no response of IPMI")
    message = data[14 : 14 + data[13]]
    if len(message) != data[13] or len(message) < 8 or message[5] != command or message[1] >> 2 != 7:
        raise ValueError("no response to this command")
    if _checksum(message[:2]) != message[2:3] or _checksum(message[3:-1]) != message[-1:]:
        raise ValueError("a checksum does not hold")
    return message[6:-1]


def suites(records: bytes) -> tuple[int, ...]:
    """The numbers of the cipher suites in these records."""
    found = []
    position = 0
    while position + 1 < len(records):
        kind = records[position]
        if kind in (0xC0, 0xC1):
            found.append(records[position + 1])
            position += 2 if kind == 0xC0 else 5
        else:
            position += 1
    return tuple(dict.fromkeys(found))


async def _ask(asked: Asked) -> Collected:
    try:
        controller = await _controller(asked)
    except TalkError as error:
        return undecided(IpmiControllers, asked, str(error))
    said = (
        f"{controller.port} IPMI {' and '.join(controller.versions)}; ways in: "
        f"{', '.join(controller.authentication) or 'none told'}; anonymous login "
        f"{'on' if controller.anonymous else 'off'}; users without a name "
        f"{'on' if controller.null_user else 'off'}"
    )
    how = f"Get Channel Authentication Capabilities at {asked.address} {asked.port.name}"
    evidence = source(IpmiControllers, how, asked.at, said, controller.port)
    return Collected((IpmiControllers((controller,)),), sources=(evidence,))


async def _controller(asked: Asked) -> IpmiController:
    """The ways in of all levels together: each answer tells those of the level that it was asked for."""
    ways = status = extended = 0
    for level in (ADMINISTRATOR, OPERATOR, USER):
        data = await _response(asked, CAPABILITIES, bytes((0x80 | THIS_CHANNEL, level)))
        if len(data) < 5:
            raise TalkError("an answer about its ways in that is too short")
        ways, status, extended = ways | data[2], status | data[3], extended | data[4]
    newer = bool(ways & 0x80) and bool(extended & 2)
    older = not newer or bool(extended & 1)
    return IpmiController(
        port=asked.port.name,
        versions=(("1.5",) if older else ()) + (("2.0",) if newer else ()),
        authentication=tuple(name for bit, name in _WAYS if ways >> bit & 1),
        anonymous=bool(status & 1),
        null_user=bool(status & 2),
    )


async def _ask_suites(asked: Asked) -> Collected:
    try:
        numbers = await _suites(asked)
    except TalkError as error:
        return undecided(IpmiCipherSuites, asked, str(error))
    said = f"{asked.port.name} lists the cipher suites {', '.join(map(str, numbers))}"
    how = f"Get Channel Cipher Suites at {asked.address} {asked.port.name}"
    evidence = source(IpmiCipherSuites, how, asked.at, said, asked.port.name)
    fact = IpmiCipherSuites((IpmiSuites(asked.port.name, numbers),))
    return Collected((fact,), sources=(evidence,))


async def _suites(asked: Asked) -> tuple[int, ...]:
    records = b""
    for part in range(_MOST_PARTS):
        data = await _response(asked, CIPHER_SUITES, bytes((THIS_CHANNEL, 0, 0x80 | part)))
        records += data[2:]
        if len(data) < 2 + _FULL:
            break
    else:
        raise TalkError("a list of cipher suites without an end")
    numbers = suites(records)
    if not numbers:
        raise TalkError("a list of cipher suites with none in it")
    return numbers


async def _response(asked: Asked, command: int, data: bytes) -> bytes:
    heard = await answer_to(asked, request(command, data), _to(command))
    response = read_response(heard, command)
    if response[:1] != b"\0":
        raise TalkError(f"the controller refused the question (code {response[0]:#04x})")
    return response


def _to(command: int) -> Callable[[bytes], bool]:
    def accept(data: bytes) -> bool:
        try:
            return bool(read_response(data, command))
        except ValueError:
            return False

    return accept


def _checksum(data: bytes) -> bytes:
    return struct.pack("B", -sum(data) & 0xFF)


QUESTIONS = (
    Question(
        frozenset({IpmiControllers}),
        speaks("ipmi"),
        _ask,
        "an IPMI question for the ways in to a management controller, without a login",
    ),
    Question(
        frozenset({IpmiCipherSuites}),
        speaks("ipmi"),
        _ask_suites,
        "an IPMI question for the cipher suites of a management controller, without a login",
    ),
)
