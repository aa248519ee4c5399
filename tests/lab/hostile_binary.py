"""Hostile behaviours of binary protocols over TCP."""

from __future__ import annotations

import struct

from tests.lab.hostile_words import (
    ALL_WORDS,
    ESCAPES,
    MARKUP,
    Behaviour,
    always,
    forever,
    hears,
    resets,
    says,
)

_MYSQL = b"\x0a" + ESCAPES + MARKUP + b"\0" + bytes(40)
_DOC = struct.pack("<i", 0x7FFFFFFF) + b"\x02ok\0\xff\xff\xff\x7fabc"
_MONGO = struct.pack("<iiii", 0x7FFFFFFF, 1, 1, 2013) + bytes(5) + _DOC
_NESTED = b"".join(b"\x30\x84\x7f\xff\xff\xff" for _ in range(2000))
_POINTERS = bytes.fromhex("000080000001000100000000c00c00010001c00c00010001000000000004ffffffff")

BEHAVIOURS: tuple[Behaviour, ...] = (
    Behaviour("mysql: a packet of sixteen megabytes", 3306, talk=forever(b"\xff\xff\xff\0\x0a8.0\0", b"A")),
    Behaviour(
        "mysql: a greeting with escapes that is cut",
        3306,
        talk=says(len(_MYSQL).to_bytes(3, "little") + b"\0" + _MYSQL[:30]),
    ),
    Behaviour(
        "mysql: an error with markup",
        3306,
        talk=says(struct.pack("<I", len(MARKUP) + 3) + b"\xff\x15\x04" + MARKUP),
    ),
    Behaviour("postgres: a message of two gigabytes", 5432, talk=hears(b"N", b"R\x7f\xff\xff\xff\0\0\0\0")),
    Behaviour("postgres: a message of negative length", 5432, talk=hears(b"N", b"R\xff\xff\xff\xff\0\0\0\0")),
    Behaviour(
        "postgres: errors without an end", 5433, talk=forever(b"N", b"N\0\0\0\x0cSNOTICE\0\0", wait=True)
    ),
    Behaviour("postgres: TLS agreed to and garbage", 5432, talk=hears(b"S", ALL_WORDS * 99)),
    Behaviour("mongodb: a document of two gigabytes", 27017, talk=hears(_MONGO)),
    Behaviour(
        "mongodb: a document of negative length",
        27017,
        talk=hears(struct.pack("<iiii", -1, 1, 1, 2013) + bytes(9)),
    ),
    Behaviour("mongodb: bytes without an end", 27018, talk=forever(_MONGO[:20], b"\x02a\0", wait=True)),
    Behaviour(
        "vnc: 255 kinds of security", 5900, talk=says(b"RFB 003.008\n", b"\xff" + bytes(range(1, 256)))
    ),
    Behaviour(
        "vnc: a reason of four gigabytes",
        5900,
        talk=says(b"RFB 003.008\n", b"\0\xff\xff\xff\xff" + b"A" * 9999),
    ),
    Behaviour("vnc: a version with markup", 5901, talk=says(b"RFB " + MARKUP + b"\n")),
    Behaviour("vnc: stall after the version", 5900, talk=says(b"RFB 003.008\n")),
    Behaviour(
        "amqp: nonsense", 5672, talk=hears(b"AMQP\xff\xff\xff\xff" + b"\x01\0\0\xff\xff\xff\xff" + ALL_WORDS)
    ),
    Behaviour("mqtt: a length without an end", 1883, talk=hears(b"\x20" + b"\xff" * 4000)),
    Behaviour("ldap: a length of four gigabytes", 389, talk=hears(b"\x30\x84\xff\xff\xff\xff\x02\x01\x01")),
    Behaviour("ldap: a length without an end", 389, talk=hears(b"\x30\x80" * 9000)),
    Behaviour("ldap: sequences in sequences", 389, talk=hears(_NESTED)),
    Behaviour(
        "ldap: entries without an end",
        389,
        talk=forever(b"", b"\x30\x0c\x02\x01\x01\x64\x07\x04\x03abc\x30\x00", wait=True),
    ),
    Behaviour("smb: a message of sixteen megabytes", 445, talk=hears(b"\0\xff\xff\xff\xfeSMB" + bytes(60))),
    Behaviour("smb: offsets beyond the end", 445, talk=hears(b"\0\0\0\x80\xfeSMB" + b"\xff" * 124)),
    Behaviour("smb: reset after the first message", 445, talk=resets(1)),
    Behaviour("netbios: nonsense", 139, talk=hears(b"\x83\0\xff\xff" + ALL_WORDS)),
    Behaviour(
        "rdp: a length that lies", 3389, talk=hears(b"\x03\0\xff\xff\xff\xd0\0\0\0\0\0\x02\x1f\xff\xff")
    ),
    Behaviour("rdp: stall", 3389, talk=hears(b"")),
    Behaviour(
        "x11: a reason that lies about its length", 6000, talk=hears(b"\0\xff\x0b\0\0\0\xff\xff" + ESCAPES)
    ),
    Behaviour(
        "x11: a setup of 256 kB that does not come", 6000, talk=hears(b"\x01\0\x0b\0\0\0\xff\xff" + bytes(8))
    ),
    Behaviour(
        "dns: pointers in a loop, over TCP", 53, talk=hears(struct.pack("!H", len(_POINTERS)) + _POINTERS)
    ),
    Behaviour("dns: a length that lies, over TCP", 53, talk=hears(b"\xff\xff" + _POINTERS)),
    Behaviour("rpcbind: fragments without an end", 111, talk=forever(b"", b"\0\0\0\x04abcd", wait=True)),
    Behaviour("rpcbind: a fragment of two gigabytes", 111, talk=hears(b"\xff\xff\xff\xff" + bytes(24))),
    Behaviour(
        "nfs: a list without an end", 2049, talk=forever(b"\x80\xff\xff\xff", b"\0\0\0\x01", wait=True)
    ),
    Behaviour("zookeeper: nonsense", 2181, talk=always(b"\xff\xff\xff\xff" + ALL_WORDS)),
    Behaviour(
        "mssql: a token that lies about its length",
        1433,
        talk=hears(b"\x04\x01\xff\xff\0\0\x01\0" + b"\xff" * 60),
    ),
    Behaviour("java rmi: nonsense", 1099, talk=hears(b"N\xff\xff" + ALL_WORDS)),
    Behaviour("smart install: nonsense", 4786, talk=hears(b"\0\0\0\x04" + b"\xff" * 30)),
    Behaviour("kafka: a size of two gigabytes", 9092, talk=hears(b"\x7f\xff\xff\xff" + bytes(20))),
    Behaviour(
        "sip: headers without an end", 5060, talk=forever(b"SIP/2.0 200 OK\r\n", b"Via: x\r\n", wait=True)
    ),
)
