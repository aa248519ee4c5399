"""Many frames per system call: `sendmmsg` and `recvmmsg`, for which Python has no words of its own."""

from __future__ import annotations

import ctypes
import errno
import os
import select
import socket

SEND_BATCH = 256
RECEIVE_BATCH = 256
SNAP = 256
"""Bytes that are read of each frame; the headers that matter lie in them."""
OUTGOING = 4
"""The kind of frames that leave this machine (`PACKET_OUTGOING`)."""
_SEND_TRIES = 200
_LARGEST = 128
_LIBC = ctypes.CDLL(None, use_errno=True)


class _Piece(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class _From(ctypes.Structure):
    """`sockaddr_ll`."""

    _fields_ = (
        ("family", ctypes.c_ushort),
        ("protocol", ctypes.c_ushort),
        ("interface", ctypes.c_int),
        ("hardware", ctypes.c_ushort),
        ("kind", ctypes.c_ubyte),
        ("halen", ctypes.c_ubyte),
        ("address", ctypes.c_ubyte * 8),
    )


class _Message(ctypes.Structure):
    """`mmsghdr`: a `msghdr` and the length that was read."""

    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint),
        ("pieces", ctypes.c_void_p),
        ("piece_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
        ("gap", ctypes.c_uint),
        ("length", ctypes.c_uint),
    )


class Outlet:
    """Sends batches of frames of one size through a socket."""

    def __init__(self, sender: socket.socket) -> None:
        self._socket = sender
        self._buffer = bytearray(SEND_BATCH * _LARGEST)
        self._base = ctypes.addressof((ctypes.c_char * len(self._buffer)).from_buffer(self._buffer))
        self._ready: dict[int, tuple[object, ctypes.Array[_Message]]] = {}

    def send(self, block: bytes | bytearray, size: int) -> None:
        """All frames of the block, in order: at most `SEND_BATCH`, each of `size` bytes.

        Raises:
            OSError: the interface does not take them.

        """
        self._buffer[: len(block)] = block
        messages = self._messages(size)
        sent, count = 0, len(block) // size
        step = ctypes.sizeof(_Message)
        tries = 0
        while sent < count:
            at = ctypes.byref(messages, sent * step)
            done = _LIBC.sendmmsg(self._socket.fileno(), at, count - sent, socket.MSG_DONTWAIT)
            if done > 0:
                sent += done
                continue
            code, tries = ctypes.get_errno(), tries + 1
            # A full transmit queue is no reason to lose a packet; anything else is an end.
            if code not in (errno.ENOBUFS, errno.EAGAIN, errno.EINTR) or tries > _SEND_TRIES:
                raise OSError(code, os.strerror(code))
            select.select([], [], [], 0.001 * min(tries, 10))

    def _messages(self, size: int) -> ctypes.Array[_Message]:
        if size not in self._ready:
            pieces = (_Piece * SEND_BATCH)(*(_Piece(self._base + n * size, size) for n in range(SEND_BATCH)))
            first, step = ctypes.addressof(pieces), ctypes.sizeof(_Piece)
            messages = (_Message * SEND_BATCH)()
            for number, message in enumerate(messages):
                message.pieces, message.piece_count = first + number * step, 1
            self._ready[size] = (pieces, messages)
        return self._ready[size][1]


class Inlet:
    """Reads batches of frames from a socket into `buffer`, one slot of `SNAP` bytes for each frame."""

    def __init__(self, receiver: socket.socket) -> None:
        self._socket = receiver
        self.buffer = bytearray(RECEIVE_BATCH * SNAP)
        base = ctypes.addressof((ctypes.c_char * len(self.buffer)).from_buffer(self.buffer))
        self._pieces = (_Piece * RECEIVE_BATCH)(
            *(_Piece(base + n * SNAP, SNAP) for n in range(RECEIVE_BATCH))
        )
        self._names = (_From * RECEIVE_BATCH)()
        self._messages = (_Message * RECEIVE_BATCH)()
        name, piece = ctypes.addressof(self._names), ctypes.addressof(self._pieces)
        for number, message in enumerate(self._messages):
            message.name = name + number * ctypes.sizeof(_From)
            message.name_length = ctypes.sizeof(_From)
            message.pieces, message.piece_count = piece + number * ctypes.sizeof(_Piece), 1
        # Plain views of the fields that matter: reading a field of a structure costs ten times as much.
        self._lengths = memoryview(self._messages).cast("B").cast("I")
        self._kinds = memoryview(self._names).cast("B")

    def receive(self) -> tuple[bytes, list[int]]:
        """(kinds, lengths) of the frames that waited, in their order; both are empty where none did."""
        count = _LIBC.recvmmsg(
            self._socket.fileno(), ctypes.byref(self._messages), RECEIVE_BATCH, socket.MSG_DONTWAIT, None
        )
        if count <= 0:
            return b"", []
        kinds = self._kinds[_From.kind.offset : count * ctypes.sizeof(_From) : ctypes.sizeof(_From)]
        step = ctypes.sizeof(_Message) // 4
        lengths = self._lengths[_Message.length.offset // 4 : count * step : step]
        return kinds.tobytes(), lengths.tolist()
