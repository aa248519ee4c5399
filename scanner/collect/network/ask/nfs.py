"""NFS: what a mount service exports and to whom, by way of the port mapper. Nothing is mounted.

After RFC 5531 (RPC), RFC 1833 (port mapper) and RFC 1813 (mount service).
"""

from __future__ import annotations

import os
import re
import struct

from checks.facts.network.files import NfsExport, NfsServer, NfsServers
from checks.fix import printable
from scanner.collect.network.ask.frames import Frames, speaks, told
from scanner.collect.network.ask.question import Asked, Question
from scanner.collect.network.ports import FRAGILE
from scanner.collect.network.talk import Talk, TalkError

PORTMAP, NFS, MOUNT = 100_000, 100_003, 100_005
_GETPORT, _EXPORT, _TCP = 3, 5, 6
_MOUNT_VERSIONS = (3, 1)
MESSAGE_LIMIT = 60_000
EXPORTS = 300
CLIENTS = 60
_NAME_LIMIT = 255
_MANY = re.compile(r"(?i)[*?/@()\[]|everyone|^$")
"""Clients that are no single machine: wildcards, networks, netgroups, everybody."""
_PATH_LIMIT = 1_024
_FRAGMENTS = 64


class _Xdr:
    """Values of XDR one after the other, in bytes that may lie about them."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def number(self) -> int:
        """The next whole number."""
        return int.from_bytes(self._taken(4), "big")

    def text(self, limit: int) -> str:
        """The next string, as people may see it."""
        size = self.number()
        if size > limit:
            raise TalkError(f"a name of {size:,} bytes")
        return printable(self._taken(size + -size % 4)[:size].decode("utf-8", "backslashreplace"))

    def _taken(self, size: int) -> bytes:
        if size > len(self._data):
            raise TalkError("an answer of RPC that is cut")
        taken, self._data = self._data[:size], self._data[size:]
        return taken


async def _called(talk: Talk, program: int, version: int, procedure: int, *arguments: int) -> _Xdr | None:
    """The results of one call without credentials; None where the program or version is not there."""
    [number] = struct.unpack("!I", os.urandom(4))
    call = struct.pack("!10I", number, 0, 2, program, version, procedure, 0, 0, 0, 0)
    call += struct.pack(f"!{len(arguments)}I", *arguments)
    await talk.send(struct.pack("!I", 0x80000000 | len(call)) + call)
    reply = _Xdr(await _record(Frames(talk)))
    if reply.number() != number or reply.number() != 1:
        raise TalkError("no answer of RPC came back")
    if reply.number() != 0:
        raise TalkError("the call was denied")
    reply.number()
    reply.text(400)
    accepted = reply.number()
    if accepted in (1, 2):
        return None
    if accepted:
        raise TalkError(f"the call failed with the status {accepted}")
    return reply


async def _record(frames: Frames) -> bytes:
    """The fragments of one message, joined."""
    data = b""
    for _ in range(_FRAGMENTS):
        [mark] = struct.unpack("!I", await frames.exactly(4))
        size = mark & 0x7FFFFFFF
        if len(data) + size > MESSAGE_LIMIT:
            raise TalkError(f"an answer of RPC of more than {MESSAGE_LIMIT:,} bytes")
        data += await frames.exactly(size)
        if mark & 0x80000000:
            return data
    raise TalkError("an answer of RPC in too many parts")


async def _port_of(asked: Asked, program: int, version: int) -> int:
    """The TCP port of a program, by the port mapper; 0 where it is not registered."""
    async with asked.line.talk(asked.address, asked.port.number) as talk:
        reply = await _called(talk, PORTMAP, 2, _GETPORT, program, version, _TCP, 0)
    if reply is None:
        raise TalkError("the port mapper does not speak version 2")
    port = reply.number()
    if port > 65_535:
        raise TalkError(f"the port mapper names the port {port}")
    return port


async def _exports(asked: Asked, port: int, version: int) -> tuple[NfsExport, ...]:
    async with asked.line.talk(asked.address, port) as talk:
        reply = await _called(talk, MOUNT, version, _EXPORT)
    if reply is None:
        raise TalkError("the mount service is not where the port mapper says")
    found: list[NfsExport] = []
    while reply.number():
        path = reply.text(_PATH_LIMIT)
        clients: list[str] = []
        while reply.number():
            clients.append(reply.text(_NAME_LIMIT))
        # Single machines come last: who stands for many is kept whatever its place.
        kept = sorted(clients, key=lambda one: not _MANY.search(one))
        if len(kept) > CLIENTS and _MANY.search(kept[CLIENTS]):
            raise TalkError(f"an export to more than {CLIENTS} groups of clients")
        found.append(NfsExport(path, tuple(kept[:CLIENTS])))
        if len(found) > EXPORTS:
            raise TalkError(f"more than {EXPORTS} exports")
    return tuple(found)


async def _mount_service(asked: Asked) -> tuple[int, int]:
    """The port and the version of the mount service; zeros where neither it nor NFS is registered."""
    for version in _MOUNT_VERSIONS:
        port = await _port_of(asked, MOUNT, version)
        if port in FRAGILE:
            raise TalkError(f"the mount service is at port {port}, which is not asked: {FRAGILE[port]}")
        if port:
            return port, version
    if await _port_of(asked, NFS, 4) or await _port_of(asked, NFS, 3):
        raise TalkError("NFS is there without a mount service that would tell its exports")
    return 0, 0


async def _look(asked: Asked) -> tuple[NfsServers, str]:
    """Where the mount service is in one conversation, what it exports in another."""
    port, version = await _mount_service(asked)
    if not port:
        return NfsServers(()), "neither NFS nor its mount service is registered"
    exports = await _exports(asked, port, version)
    said = "; ".join(f"{one.path} to {', '.join(one.clients) or 'everybody'}" for one in exports)
    fact = NfsServers((NfsServer(asked.port.name, f"tcp/{port}", exports),))
    return fact, f"tcp/{port} exports {said or 'nothing'}"


QUESTIONS = (
    Question(
        frozenset({NfsServers}),
        speaks(frozenset({"rpcbind", "sunrpc"}), frozenset({111})),
        told(NfsServers, "a question for the mount service and its list of exports", _look),
        "the list of NFS exports from the mount service, by way of the port mapper",
    ),
)
