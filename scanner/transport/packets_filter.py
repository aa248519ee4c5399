"""The filter in the kernel before the sockets of the sweep: what it drops costs nothing."""

from __future__ import annotations

import ctypes
import socket
import struct
from dataclasses import dataclass

from scanner.transport.packets_board import FIRST_SOURCE_PORT
from scanner.transport.packets_many import OUTGOING, SNAP

_ATTACH = 26
_WORD, _HALF, _BYTE, _HALF_X, _BYTE_X, _X_HEADER = 0x20, 0x28, 0x30, 0x48, 0x50, 0xB1
_EQUAL, _AT_LEAST, _ANY_BIT, _GIVE = 0x15, 0x35, 0x45, 0x06
_DIRECTION = 0xFFFFF004
"""Where the filter reads which way a frame goes."""


@dataclass(frozen=True, slots=True)
class _Step:
    """One instruction; a jump goes to the label `yes` or `no`, an empty one to what follows."""

    code: int
    value: int
    yes: str = ""
    no: str = ""
    label: str = ""


_PROGRAM = (
    _Step(_HALF, 12),
    _Step(_EQUAL, 0x0806, yes="take"),
    _Step(_EQUAL, 0x86DD, yes="ipv6"),
    _Step(_EQUAL, 0x0800, no="drop"),
    # IPv4: ICMP that comes in; TCP of our ports, first fragments only.
    _Step(_BYTE, 23),
    _Step(_EQUAL, 1, yes="comes"),
    _Step(_EQUAL, 6, no="drop"),
    _Step(_HALF, 20),
    _Step(_ANY_BIT, 0x1FFF, yes="drop"),
    _Step(_X_HEADER, 14),
    _Step(_WORD, _DIRECTION),
    _Step(_EQUAL, OUTGOING, yes="leaves"),
    _Step(_HALF_X, 16),
    _Step(_AT_LEAST, FIRST_SOURCE_PORT, yes="take", no="drop"),
    _Step(_HALF_X, 14, label="leaves"),
    _Step(_AT_LEAST, FIRST_SOURCE_PORT, no="drop"),
    _Step(_BYTE_X, 27),
    _Step(_ANY_BIT, 0x04, yes="take", no="drop"),
    # IPv6: the same, the kernel's words about MACs, and what hides behind further headers.
    _Step(_BYTE, 20, label="ipv6"),
    _Step(_EQUAL, 58, yes="icmp6"),
    _Step(_EQUAL, 6, yes="tcp6"),
    _Step(_EQUAL, 0, yes="comes"),
    _Step(_EQUAL, 43, yes="comes"),
    _Step(_EQUAL, 44, yes="comes"),
    _Step(_EQUAL, 60, yes="comes", no="drop"),
    _Step(_WORD, _DIRECTION, label="icmp6"),
    _Step(_EQUAL, OUTGOING, no="take"),
    _Step(_BYTE, 54),
    _Step(_EQUAL, 135, yes="take"),
    _Step(_EQUAL, 136, yes="take", no="drop"),
    _Step(_WORD, _DIRECTION, label="tcp6"),
    _Step(_EQUAL, OUTGOING, yes="leaves6"),
    _Step(_HALF, 56),
    _Step(_AT_LEAST, FIRST_SOURCE_PORT, yes="take", no="drop"),
    _Step(_HALF, 54, label="leaves6"),
    _Step(_AT_LEAST, FIRST_SOURCE_PORT, no="drop"),
    _Step(_BYTE, 67),
    _Step(_ANY_BIT, 0x04, yes="take", no="drop"),
    _Step(_WORD, _DIRECTION, label="comes"),
    _Step(_EQUAL, OUTGOING, yes="drop", no="take"),
    _Step(_GIVE, SNAP, label="take"),
    _Step(_GIVE, 0, label="drop"),
)


def attach(receiver: socket.socket) -> None:
    """From now on the socket hears what answers a sweep, and what the kernel sends because of one."""
    labels = {step.label: place for place, step in enumerate(_PROGRAM) if step.label}
    code = b""
    for place, step in enumerate(_PROGRAM):
        yes, no = (labels[name] - place - 1 if name else 0 for name in (step.yes, step.no))
        code += struct.pack("HBBI", step.code, yes, no, step.value)
    buffer = ctypes.create_string_buffer(code)
    program = struct.pack("HL", len(_PROGRAM), ctypes.addressof(buffer))
    receiver.setsockopt(socket.SOL_SOCKET, _ATTACH, program)
