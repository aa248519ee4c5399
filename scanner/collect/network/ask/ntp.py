"""What a time server answers besides the time: its variables and the list of its last clients."""

from __future__ import annotations

import struct

from checks.facts.network.time import NtpServer, NtpServers
from checks.facts.snapshot import source
from checks.fix import printable
from scanner.collect.collector import Collected
from scanner.collect.network.ask.datagram import answer_or_silence, answer_to, speaks
from scanner.collect.network.ask.question import Asked, Question, undecided
from scanner.collect.network.talk import TalkError
from scanner.collect.network.udp_payloads import ntp_client

VARIABLES_LIMIT = 200
_READ_VARIABLES = struct.pack("!BBHHHHH", 0x16, 2, 1, 0, 0, 0, 0)
"""Mode 6 of version 2: read the variables of the system."""
_MONLIST = struct.pack("!BBBB", 0x17, 0, 3, 42) + bytes(44)
"""Mode 7 of version 2: the list of the last clients."""

_OTHER_FORM = (1, 3)
"""Errors of mode 7: another implementation, another format."""
_KISSES = (b"DENY", b"RSTR", b"RATE", b"AUTH", b"CRYP", b"NKEY")
"""The words (kisses of death) with which a server refuses to tell the time."""


async def _ask(asked: Asked) -> Collected:
    try:
        server = await _server(asked)
    except TalkError as error:
        return undecided(NtpServers, asked, str(error))
    said = (
        f"{server.port} NTP version {server.version}, stratum {server.stratum}; variables: "
        f"{server.variables or ('told' if server.control else 'refused')}; "
        f"last clients: {'told' if server.monlist else 'refused'}"
    )
    how = f"NTP questions of modes 3, 6 and 7 to {asked.address} {asked.port.name}"
    evidence = source(NtpServers, how, asked.at, said, server.port)
    return Collected((NtpServers((server,)),), sources=(evidence,))


async def _server(asked: Asked) -> NtpServer:
    control = await answer_or_silence(asked, _READ_VARIABLES, _is_control)
    clients = await answer_or_silence(asked, _MONLIST, _is_private)
    # Silence is a no only from a server that still tells the time: so that is asked last.
    question = ntp_client()
    told = await answer_to(asked, question, lambda data: _is_time(data, question))
    if told[1] == 0 and told[12:16] in _KISSES:
        # Who is sent away hears nothing of what others hear.
        raise TalkError(f"it sent us away ({told[12:16].decode('ascii')}) instead of telling the time")
    return NtpServer(
        port=asked.port.name,
        version=told[0] >> 3 & 7,
        stratum=told[1],
        control=bool(control) and not control[1] & 0x40,
        monlist=_lists(clients),
        variables=_shown(control) if control and not control[1] & 0x40 else "",
    )


def _is_time(data: bytes, question: bytes) -> bool:
    # The time at which a client sent comes back: so this is the answer to that very question.
    return len(data) >= 48 and data[0] & 7 == 4 and data[24:32] == question[40:48]


def _is_control(data: bytes) -> bool:
    return len(data) >= 12 and data[0] & 7 == 6 and bool(data[1] & 0x80) and data[1] & 0x1F == 2


def _is_private(data: bytes) -> bool:
    return len(data) >= 8 and data[0] & 7 == 7 and bool(data[0] & 0x80)


def _lists(data: bytes) -> bool:
    """True where the answer has clients in it; a refusal or an empty list has none.

    Raises:
        TalkError: an error that says only that the question should have had another form.

    """
    if not data:
        return False
    [told] = struct.unpack_from("!H", data, 4)
    error, count = int(told) >> 12, int(told) & 0x0FFF
    if error in _OTHER_FORM:
        raise TalkError("it wants the question for its clients in another form, which was not tried")
    return error == 0 and count > 0


def _shown(control: bytes) -> str:
    [size] = struct.unpack_from("!H", control, 10)
    text = control[12 : 12 + min(size, VARIABLES_LIMIT)].decode("utf-8", "backslashreplace")
    return printable(" ".join(text.split()))[:VARIABLES_LIMIT]


QUESTIONS = (
    Question(
        frozenset({NtpServers}),
        speaks("ntp"),
        _ask,
        "NTP questions for the time, for the server's variables and for the list of its last clients",
    ),
)
