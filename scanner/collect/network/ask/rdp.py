"""Remote desktops (RDP): which security a server goes along with, from its first answer. Nobody logs in."""

from __future__ import annotations

import struct

from checks.facts.network.screens import RdpServer, RdpServers
from scanner.collect.network.ask.frames import Frames, speaks, told
from scanner.collect.network.ask.question import Asked, Question
from scanner.collect.network.talk import TalkError

STANDARD, TLS, CREDSSP = 0, 1, 2
_RESPONSE, _FAILURE = 2, 3
_FAILURES = {
    1: "TLS is required",
    2: "TLS is not allowed",
    3: "there is no certificate",
    5: "network-level authentication is required",
    6: "TLS with a login is required",
}
_SELECTED = {0: "standard RDP security", 1: "TLS", 2: "network-level authentication",
             8: "network-level authentication"}  # fmt: skip
_CHOICES = {STANDARD: (0,), TLS: (0, 1), TLS | CREDSSP: (0, 1, 2, 8)}
"""What a server may choose of what was offered: RDP's own security always, network-level in its two forms."""
_REFUSALS = {STANDARD: (1, 5, 6), TLS: (2, 3, 5, 6), TLS | CREDSSP: (2, 3, 6)}
"""The refusals that make sense for what was offered."""
_LENGTH_LIMIT = 512


def connection_request(protocols: int) -> bytes:
    """The first message of a client that knows these security protocols ([MS-RDPBCGR] 2.2.1.1)."""
    negotiation = struct.pack("<BBHI", 1, 0, 8, protocols)
    body = struct.pack("!BBHHB", 6 + len(negotiation), 0xE0, 0, 0, 0) + negotiation
    return struct.pack("!BBH", 3, 0, 4 + len(body)) + body


def read_confirm(body: bytes) -> tuple[bool, int]:
    """Whether the server goes along, and the protocol that it chose or the number of its refusal.

    Raises:
        TalkError: no confirmation of a connection.

    """
    if len(body) < 7 or body[1] & 0xF0 != 0xD0 or body[0] != len(body) - 1:
        raise TalkError("no connection was confirmed")
    if len(body) == 7:
        return True, STANDARD
    if len(body) != 15:
        raise TalkError("a confirmation of the wrong length")
    kind, _, length, value = struct.unpack_from("<BBHI", body, 7)
    if length != 8 or kind not in (_RESPONSE, _FAILURE):
        raise TalkError("a confirmation that decides nothing")
    return kind == _RESPONSE, value


async def _offer(asked: Asked, protocols: int) -> tuple[bool, int]:
    async with asked.line.talk(asked.address, asked.port.number) as talk:
        await talk.send(connection_request(protocols))
        frames = Frames(talk)
        version, _, length = struct.unpack("!BBH", await frames.exactly(4))
        if version != 3 or not 11 <= length <= _LENGTH_LIMIT:
            raise TalkError("no answer of RDP came back")
        going, value = read_confirm(await frames.exactly(length - 4))
    if going and value not in _CHOICES[protocols]:
        raise TalkError(f"the server chose the security protocol {value}, which was not offered")
    if not going and value not in _REFUSALS[protocols]:
        raise TalkError(f"a refusal with the number {value}, which decides nothing")
    return going, value


async def _look(asked: Asked) -> tuple[RdpServers, str]:
    """Three first messages on three connections: nothing but RDP's own security, TLS, and everything."""
    standard = await _offer(asked, STANDARD)
    tls = await _offer(asked, TLS)
    best = await _offer(asked, TLS | CREDSSP)
    server = RdpServer(
        port=asked.port.name,
        standard=(True, STANDARD) in (standard, tls, best),
        tls=tls == (True, TLS),
        network_level=best[0] and best[1] in (2, 8),
    )
    if not (server.standard or server.tls or server.network_level):
        raise TalkError(f"every security was refused: {_words(best)}")
    said = f"standard: {_words(standard)}; TLS: {_words(tls)}; everything: {_words(best)}"
    return RdpServers((server,)), said


def _words(answer: tuple[bool, int]) -> str:
    going, value = answer
    return f"goes along with {_SELECTED[value]}" if going else f"refused, {_FAILURES[value]}"


QUESTIONS = (
    Question(
        frozenset({RdpServers}),
        speaks(frozenset({"rdp", "ms-wbt-server"}), frozenset({3389})),
        told(RdpServers, "three RDP connection requests", _look),
        "the first message of RDP with each kind of security, left before a login",
    ),
)
