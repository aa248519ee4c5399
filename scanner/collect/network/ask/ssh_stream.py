"""What an SSH server sends, cut into its banner and its packets, before and after encryption begins."""

from __future__ import annotations

from checks.fix import printable
from scanner.collect.network.ask import ssh_wire as wire
from scanner.collect.network.ask.ssh_cipher import Direction
from scanner.collect.network.talk import Talk, TalkError

BANNER_LIMIT = 8_192
"""Bytes up to the end of the banner line: RFC 4253 lets a server write lines before it."""
WORDS_LIMIT = 80


class DroppedError(TalkError):
    """The connection ended before the banner, as it does where a server is busy or shuts strangers out."""


class Stream:
    """The two directions of a conversation; each counts its packets, as the encryption needs it.

    All methods raise `TalkError` where the connection ends, and `SshWireError` for what is no SSH.
    """

    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self._data = b""
        self._out: Direction | None = None
        self._in: Direction | None = None
        self.sent = 0
        self.received = 0

    def encrypt(self, out: Direction, back: Direction) -> None:
        """From here on all packets are sealed."""
        self._out, self._in = out, back

    async def banner(self) -> bytes:
        """The line that begins with `SSH-`, without its end."""
        said = b""
        while True:
            line, mark, rest = self._data.partition(b"\n")
            if mark and line.startswith(b"SSH-"):
                self._data = rest
                return line.removesuffix(b"\r")
            if mark:
                self._data, said = rest, line
                continue
            if len(self._data) > BANNER_LIMIT:
                raise TalkError("no SSH banner line within its bounds")
            if not (more := await self._talk.read()):
                words = printable((line or said).decode("utf-8", "backslashreplace").strip())[:WORDS_LIMIT]
                raise DroppedError(
                    f"the server closed the connection before its banner{f' ({words})' if words else ''}"
                )
            self._data += more

    async def send(self, *contents: bytes) -> None:
        """Sends each as one packet."""
        self.sent += len(contents)
        seal = self._out.seal if self._out else wire.packet
        await self._talk.send(b"".join(map(seal, contents)))

    async def payload(self) -> bytes:
        """The content of the next packet that decides something."""
        while True:
            content = await (self._sealed(self._in) if self._in else self._plain())
            self.received += 1
            if content[0] not in wire.TO_IGNORE:
                return content

    async def _plain(self) -> bytes:
        while not (size := wire.packet_length(self._data)) or len(self._data) < size:
            await self._more()
        content = wire.payload(self._data[:size])
        self._data = self._data[size:]
        return content

    async def _sealed(self, back: Direction) -> bytes:
        head = await self._take(back.head)
        return back.open(await self._take(back.rest(head)))

    async def _take(self, size: int) -> bytes:
        while len(self._data) < size:
            await self._more()
        taken, self._data = self._data[:size], self._data[size:]
        return taken

    async def _more(self) -> None:
        data = await self._talk.read()
        if not data:
            raise TalkError("the server closed the connection in the middle of its first messages")
        self._data += data
