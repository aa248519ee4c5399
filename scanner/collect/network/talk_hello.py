"""What comes back on a hello of TLS."""

from __future__ import annotations

import asyncio
import contextlib

from scanner.collect.network import hello
from scanner.collect.network.talk import Talk


async def answer_to_hello(talk: Talk, seconds: float) -> tuple[hello.ServerHello | hello.Alert | None, bytes]:
    """The decision of a server about the hello that was sent, None where it is no TLS; and all it said.

    Raises:
        TalkError: the conversation broke off.

    """
    data = b""
    with contextlib.suppress(TimeoutError, hello.NotTlsError):
        async with asyncio.timeout(seconds):
            while (decision := hello.read_answer(data)) is None:
                more = await talk.read()
                if not more:
                    break
                data += more
            return decision, data
    return None, data
