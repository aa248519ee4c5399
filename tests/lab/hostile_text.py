"""Hostile behaviours of protocols in lines of text, and of ports that speak no protocol at all."""

from __future__ import annotations

import socket
import struct
from time import sleep

from tests.lab.hostile_words import (
    ALL_WORDS,
    ESCAPES,
    MARKUP,
    NULS,
    WRONG_UTF8,
    Behaviour,
    always,
    drips,
    forever,
    hears,
    listens,
    resets,
    says,
    stays,
)

_NAMES = b",".join(b"alg%d" % n for n in range(200))


def _list(text: bytes, length: int | None = None) -> bytes:
    return struct.pack("!I", len(text) if length is None else length) + text


def _kexinit(*lists: bytes) -> bytes:
    """A packet with the KEXINIT of these ten name-lists."""
    payload = b"\x14" + bytes(16) + b"".join(lists) + b"\0" * 5
    padding = 8 - (len(payload) + 5) % 8 + 8
    return struct.pack("!IB", len(payload) + padding + 1, padding) + payload + bytes(padding)


_BANNER = b"SSH-2.0-OpenSSH_9.2p1\r\n"
_ESCAPED = _list(ESCAPES + b"," + MARKUP)


def _packets(connection: socket.socket) -> None:
    """Packets that are allowed, and never the one that counts."""
    connection.sendall(_BANNER)
    ignore = struct.pack("!IB", 12, 6) + b"\x02\0\0\0\0" + bytes(6)
    while True:
        connection.sendall(ignore * 500)


def _late(connection: socket.socket) -> None:
    """First words only after eight seconds."""
    sleep(8)
    connection.sendall(b"SSH-2.0-late\r\n")
    stays(connection)


def _options(connection: socket.socket) -> None:
    """Options of telnet without an end, whatever is answered."""
    block = b"".join(b"\xff" + bytes((verb, option)) for verb in (253, 251) for option in range(255))
    block += b"\xff\xfa\x18" + b"A" * 300
    while True:
        connection.sendall(block)


def _tarpit(connection: socket.socket) -> None:
    """Reads nothing, says nothing."""
    sleep(15)


def _echo(connection: socket.socket) -> None:
    while data := listens(connection):
        connection.sendall(data)


_SSH: tuple[Behaviour, ...] = (
    Behaviour("ssh: endless lines before the banner", 22, talk=forever(b"", b"not yet\r\n")),
    Behaviour("ssh: one endless line before the banner", 22, talk=forever(b"", b"A")),
    Behaviour("ssh: banner after eight seconds", 22, talk=_late),
    Behaviour("ssh: banner drips", 22, talk=drips(b"SSH-2.0-OpenSSH_9.2p1")),
    Behaviour("ssh: markup and escapes in the banner", 22, talk=says(b"SSH-2.0-" + ALL_WORDS + b"\r\n")),
    Behaviour("ssh: reset after the banner", 22, talk=resets(1, _BANNER)),
    Behaviour("ssh: stall after the banner", 2222, talk=says(_BANNER)),
    Behaviour(
        "ssh: a packet of four gigabytes", 22, talk=forever(_BANNER + b"\xff\xff\xff\xff\x06", b"\x14")
    ),
    Behaviour("ssh: packets without an end", 22, talk=_packets),
    Behaviour(
        "ssh: KEXINIT with lying lengths",
        22,
        talk=says(_BANNER + _kexinit(*[_list(b"curve25519-sha256", 0xFFFFFFF0)] * 10)),
    ),
    Behaviour(
        "ssh: KEXINIT that is cut",
        22,
        talk=says(_BANNER + _kexinit(_list(b"curve25519-sha256"), _list(b"ssh-ed25519"))),
    ),
    Behaviour("ssh: escapes in the names of algorithms", 22, talk=says(_BANNER + _kexinit(*[_ESCAPED] * 10))),
    Behaviour("ssh: KEXINIT without an end", 22, talk=forever(_BANNER, _kexinit(*[_list(_NAMES)] * 10))),
    Behaviour("ssh: garbage after the banner", 22, talk=forever(_BANNER, bytes(range(256)))),
)

_MAIL: tuple[Behaviour, ...] = (
    Behaviour(
        "smtp: greeting of many lines without an end", 25, talk=forever(b"220-x ESMTP\r\n", b"220-x\r\n")
    ),
    Behaviour(
        "smtp: EHLO answered without an end",
        25,
        talk=forever(b"220 mx ESMTP Postfix\r\n", b"250-SIZE 1\r\n", wait=False),
    ),
    Behaviour(
        "smtp: answers without an end after EHLO",
        587,
        talk=says(b"220 mx ESMTP Postfix\r\n", b"250-mx\r\n" + b"250-X\r\n" * 9000),
    ),
    Behaviour(
        "smtp: markup in the answers",
        25,
        talk=always(b"250-" + MARKUP + b"\r\n250 " + ESCAPES + b"\r\n", b"220 " + ALL_WORDS + b" ESMTP\r\n"),
    ),
    Behaviour(
        "smtp: STARTTLS agreed to and garbage",
        25,
        talk=says(
            b"220 mx ESMTP\r\n", b"250-mx\r\n250 STARTTLS\r\n", b"220 go\r\n", b"\x16\x03\x03\xff\xff" * 99
        ),
    ),
    Behaviour("pop3: CAPA without an end", 110, talk=forever(b"+OK ready\r\n", b"USER\r\n")),
    Behaviour("pop3: reset after the greeting", 110, talk=resets(1, b"+OK ready\r\n")),
    Behaviour(
        "imap: untagged lines without an end",
        143,
        talk=forever(b"* OK [CAPABILITY IMAP4rev1] ready\r\n", b"* CAPABILITY IMAP4rev1\r\n"),
    ),
    Behaviour(
        "imap: literal of four gigabytes",
        143,
        talk=says(b"* OK ready\r\n", b"* CAPABILITY {4294967295}\r\nabc"),
    ),
)

_FILES: tuple[Behaviour, ...] = (
    Behaviour("ftp: greeting of many lines without an end", 21, talk=forever(b"220-x\r\n", b"220-y\r\n")),
    Behaviour("ftp: greeting of one line without an end", 990, talk=forever(b"220 ", b"A")),
    Behaviour(
        "ftp: asks for a password for ever", 21, talk=always(b"331 " + ALL_WORDS + b"\r\n", b"220 FTP\r\n")
    ),
    Behaviour(
        "ftp: nonsense codes",
        21,
        talk=always(b"999 hm\r\n-1\r\n\xd9\xa2\xd9\xa3\xd9\xa0 x\r\n", b"220 FTP\r\n"),
    ),
    Behaviour(
        "rsync: modules without an end",
        873,
        talk=forever(b"@RSYNCD: 31.0\n", b"module\t" + MARKUP + b"\n", wait=True),
    ),
    Behaviour(
        "rsync: escapes in the names of modules",
        873,
        talk=says(b"@RSYNCD: 31.0\n", b"m" + ALL_WORDS + b"\tx\n"),
    ),
)

_STORES: tuple[Behaviour, ...] = (
    Behaviour("redis: a string of a gigabyte", 6379, talk=hears(b"$1073741824\r\nabc")),
    Behaviour(
        "redis: an array of a billion", 6379, talk=forever(b"*1000000000\r\n", b"$1\r\na\r\n", wait=True)
    ),
    Behaviour("redis: arrays in arrays", 6380, talk=hears(b"*1\r\n" * 20_000)),
    Behaviour("redis: errors with markup", 6379, talk=always(b"-ERR " + ALL_WORDS + b"\r\n")),
    Behaviour(
        "memcached: statistics without an end", 11211, talk=forever(b"ERROR\r\n", b"STAT x 1\r\n", wait=True)
    ),
    Behaviour("memcached: markup in the version", 11211, talk=always(b"ERROR " + ALL_WORDS + b"\r\n")),
)

BEHAVIOURS: tuple[Behaviour, ...] = (
    Behaviour("endless banner", 7001, talk=forever(b"", b"A")),
    Behaviour("slow drip", 7002, talk=drips(b"S", 0.1)),
    Behaviour("tarpit", 8000, talk=_tarpit, window=1),
    Behaviour("markup in the banner", 2323, talk=says(MARKUP + b"\r\n")),
    Behaviour("escapes in the banner", 9999, talk=says(ESCAPES + b"\r\n")),
    Behaviour("NULs in the banner", 5666, talk=says(NULS + b"\r\n")),
    Behaviour("invalid UTF-8 in the banner", 6667, talk=says(WRONG_UTF8 + b"\r\n")),
    Behaviour("reset at once", 5555, talk=resets()),
    Behaviour("echo", 8010, talk=_echo),
    Behaviour("telnet: options without an end", 23, talk=_options),
    Behaviour("telnet: markup in the banner", 23, talk=says(b"\xff\xfd\x18" + ALL_WORDS + b" login: ")),
    *_SSH,
    *_MAIL,
    *_FILES,
    *_STORES,
)
