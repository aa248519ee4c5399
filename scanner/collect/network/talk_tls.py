"""TLS over two functions that move bytes, so that deadline, cap and log stay those of the conversation."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from typing import TypeVar

from scanner.collect.network.talk_error import TalkError

T = TypeVar("T")
_CHUNK = 16_384


class Tls:
    """A client's side of TLS; `object` is that of OpenSSL."""

    def __init__(
        self,
        context: ssl.SSLContext,
        send: Callable[[bytes], Awaitable[None]],
        read: Callable[[], Awaitable[bytes]],
    ) -> None:
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._send, self._read = send, read
        self.object = context.wrap_bio(self._in, self._out, server_side=False)

    async def handshake(self) -> None:
        """Shakes hands."""
        await self._drive(self.object.do_handshake)

    async def send(self, data: bytes) -> None:
        """Sends all of it, inside TLS."""
        await self._drive(lambda: self.object.write(data))

    async def read(self) -> bytes:
        """The next bytes from inside, or nothing at the end of the stream."""
        try:
            return await self._drive(lambda: self.object.read(_CHUNK))
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""

    async def _drive(self, step: Callable[[], T]) -> T:
        """Repeats one step of OpenSSL until it has the bytes that it needs."""
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                await self._flush()
                data = await self._read()
                if data:
                    self._in.write(data)
                else:
                    self._in.write_eof()
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                raise
            except ssl.SSLError as error:
                await self._flush()
                raise TalkError(f"TLS failed: {_tls_words(error)}") from None
            else:
                await self._flush()
                return result

    async def _flush(self) -> None:
        if self._out.pending:
            await self._send(self._out.read())


def _tls_words(error: ssl.SSLError) -> str:
    return (error.reason or "no reason given").replace("_", " ").lower()
