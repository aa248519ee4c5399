"""X11: whether a display takes a client that shows no key. Nothing is drawn and nothing is read."""

from __future__ import annotations

import re
import struct

from checks.facts.network.screens import X11Server, X11Servers
from scanner.collect.network.ask.databases import shown_answer
from scanner.collect.network.ask.frames import Frames, speaks, told
from scanner.collect.network.ask.question import Asked, Question
from scanner.collect.network.talk import TalkError

PORTS = frozenset(range(6000, 6010))
_SETUP_WORDS = 8
_READ = 400
_SETUP = struct.pack("<BxHHHHxx", 0x6C, 11, 0, 0, 0)
_FAILED, _SUCCESS, _AUTHENTICATE = 0, 1, 2
_FOR_A_KEY = re.compile(r"(?i)auth|no protocol specified|not allowed|denied")
"""Words of refusals for want of a key; a display may also be full, or speak another version."""


async def _look(asked: Asked) -> tuple[X11Servers, str]:
    async with asked.line.talk(asked.address, asked.port.number) as talk:
        await talk.send(_SETUP)
        frames = Frames(talk)
        status, size, major, _, words = struct.unpack("<BBHHH", await frames.exactly(8))
        if status not in (_FAILED, _SUCCESS, _AUTHENTICATE) or (status != _AUTHENTICATE and major != 11):
            raise TalkError("no answer of X11 came back")
        if status == _SUCCESS and words < _SETUP_WORDS:
            raise TalkError("a setup of X11 that is too short to be one")
        # The beginning of a success says all; its rest describes the screens.
        body = await frames.exactly(min(words * 4, _READ))
    reason = shown_answer(body[: size or None]) if status == _FAILED else ""
    if status == _FAILED and not _FOR_A_KEY.search(reason):
        raise TalkError(f"refused for another reason than a missing key: {reason}")
    answer = {_SUCCESS: "the setup succeeded", _AUTHENTICATE: "further authentication is asked for"}.get(
        status, f"refused: {reason}"
    )
    fact = X11Servers((X11Server(asked.port.name, status == _SUCCESS, answer),))
    return fact, answer


QUESTIONS = (
    Question(
        frozenset({X11Servers}),
        speaks(frozenset({"x11"}), PORTS),
        told(X11Servers, "an X11 setup without a key", _look),
        "the setup message of X11 without a key, left before anything is shown",
    ),
)
