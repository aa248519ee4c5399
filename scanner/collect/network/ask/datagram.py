"""What the questions to UDP services have in common."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from checks.facts.network import OpenPort
from scanner.collect.network.ask.question import Asked
from scanner.collect.network.udp import Accept, SilentError, anything, ask_udp


def speaks(*names: str) -> Callable[[OpenPort], bool]:
    """Whether a UDP port speaks one of these services."""
    return lambda port: port.protocol == "udp" and port.service in names


async def answer_to(asked: Asked, payload: bytes, accept: Accept = anything) -> bytes:
    """The accepted answer to this datagram.

    Raises:
        TalkError: there was none.

    """
    return await ask_udp(asked.line, asked.address, asked.port.number, payload, accept=accept)


async def answer_or_silence(asked: Asked, payload: bytes, accept: Accept = anything) -> bytes:
    """The same, but nothing where the port stays silent.

    Some protocols say no by silence. It only counts as a no where the same port answers another question
    right after; whoever asks makes sure of that.

    Raises:
        TalkError: the port is closed by now, or nothing could be sent.

    """
    with contextlib.suppress(SilentError):
        return await answer_to(asked, payload, accept)
    return b""
