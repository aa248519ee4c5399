"""SMB against a real Samba, and against servers that are made of bytes."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator

import pytest

from checks.facts.network import OpenPort
from checks.facts.network.smb import SmbOneServers, SmbServers, SmbSessions
from scanner.collect.collector import Collected
from scanner.collect.network.ask import smb, smb_wire
from tests.lab.asking import ask, only, reason
from tests.lab.daemons import daemon
from tests.lab.services import answering, reset, resetting, serving

FACTS = (SmbServers, SmbOneServers, SmbSessions)


def probe(number: int, *wanted: type, seconds: float = 4.0) -> Collected:
    return ask(smb.QUESTIONS[0].ask, OpenPort(number, "tcp", "smb"), *(wanted or FACTS), seconds=seconds)


@pytest.fixture(scope="module")
def open_samba() -> Iterator[int]:
    with daemon("samba-guest") as running:
        yield running.tcp[0]


@pytest.fixture(scope="module")
def closed_samba() -> Iterator[int]:
    with daemon("samba-good") as running:
        yield running.tcp[0]


@pytest.mark.real
def test_a_server_that_lets_everything_through(open_samba: int) -> None:
    found = probe(open_samba)
    [one] = only(found, SmbOneServers).servers
    assert (one.spoken, one.answered) == (True, True)
    [server] = only(found, SmbServers).servers
    assert (server.port, server.dialect, server.signing_required) == (f"tcp/{open_samba}", "3.1.1", False)
    assert len(server.guid) == 36
    [session] = only(found, SmbSessions).servers
    assert (session.kind, session.ipc) == ("null", True)
    assert any(word.startswith("computer ") for word in session.told)
    assert any(word.startswith("version ") for word in session.told)


@pytest.mark.real
def test_a_server_that_is_closed(closed_samba: int) -> None:
    found = probe(closed_samba)
    [one] = only(found, SmbOneServers).servers
    assert (one.spoken, one.answered) == (False, True)
    [server] = only(found, SmbServers).servers
    assert (server.dialect, server.signing_required) == ("3.1.1", True)
    [session] = only(found, SmbSessions).servers
    assert not session.ipc
    assert "refused" in session.answer


@pytest.mark.real
def test_only_what_is_wanted_is_kept(closed_samba: int) -> None:
    found = probe(closed_samba, SmbServers)
    assert [type(fact) for fact in found.facts] == [SmbServers]


def smb2(command: int, status: int, body: bytes, session: int = 7) -> bytes:
    head = b"\xfeSMB" + struct.pack("<HHIHHIIQIIQ16s", 64, 0, status, command, 1, 1, 0, 0, 0, 3, session, b"")
    return smb_wire.framed(head + body)


def negotiated(dialect: int = 0x0302, mode: int = 1) -> bytes:
    return smb2(0, 0, struct.pack("<HHHH", 65, mode, dialect, 0) + bytes(range(16)) + bytes(48))


def windows(setup: bytes = b"", tree: int = 0, flags: int = 2) -> Callable[[bytes], bytes]:
    """A server that leaves when only SMB 1 is offered and answers the rest, as Windows does."""
    told = b"NTLMSSP\x00\x02\x00\x00\x00" + struct.pack("<HHIIQQHHIBBHI", 0, 0, 56, 0x02000000, 0, 0, 22, 22,
                                                          56, 10, 0, 20348, 0x0F000000)  # fmt: skip
    name = "FILES".encode("utf-16-le")
    told += struct.pack("<HH", 1, len(name)) + name + struct.pack("<HH", 0, 0) + bytes(4)

    def reply(heard: bytes) -> bytes:
        message = heard[4:]
        if message.startswith(b"\xffSMB"):
            return b""
        command = message[12]
        number = struct.unpack_from("<Q", message, 24)[0]
        if command == 0:
            return negotiated(mode=3)
        if command == 1 and number == 1:
            return smb2(1, 0x103, bytes(8)) + smb2(1, 0xC0000016, struct.pack("<HHHH", 9, 0, 72, 90) + told)
        if command == 1:
            return setup or smb2(1, 0, struct.pack("<HHHH", 9, flags, 0, 0))
        return smb2(3, tree, bytes(16))

    return reply


def test_a_server_without_smb_1_that_leaves_without_a_word_is_not_taken_for_evidence() -> None:
    with serving(answering(windows())) as number:
        found = probe(number)
    [one] = only(found, SmbOneServers).servers
    assert (one.spoken, one.answered) == (False, False)
    assert "SMB 2 was answered" in one.answer
    [server] = only(found, SmbServers).servers
    assert (server.dialect, server.signing_required) == ("3.0.2", True)
    [session] = only(found, SmbSessions).servers
    assert (session.kind, session.ipc) == ("null", True)
    assert session.told == ("computer FILES", "version 10.0.20348")


@pytest.mark.parametrize(
    ("setup", "tree", "flags", "kind", "ipc"),
    [
        (b"", 0, 1, "guest", True),
        (b"", 0xC0000022, 2, "null", False),
        (smb2(1, 0xC000006D, bytes(8)), 0, 0, "", False),
    ],
)
def test_sessions_without_a_name(setup: bytes, tree: int, flags: int, kind: str, ipc: bool) -> None:
    with serving(answering(windows(setup, tree, flags))) as number:
        [session] = only(probe(number, SmbSessions), SmbSessions).servers
    assert (session.kind, session.ipc) == (kind, ipc)


@pytest.mark.parametrize(
    "setup",
    [
        smb2(1, 0xC00000BB, bytes(8)),
        smb2(1, 0xC000005E, bytes(8)),
        smb2(1, 0x103, bytes(8)) * 5,
        b"\x00\x00\x00\x05abcde",
    ],
)
def test_an_end_of_the_login_that_decides_nothing_is_a_gap(setup: bytes) -> None:
    with serving(answering(windows(setup))) as number:
        assert reason(probe(number, SmbSessions), SmbSessions)


def test_a_reset_when_smb_1_is_offered_is_a_gap() -> None:
    answer = windows()

    def handle(connection: socket.socket) -> None:
        while heard := connection.recv(4096):
            if heard[4:].startswith(b"\xffSMB"):
                reset(connection)
                return
            connection.sendall(answer(heard))

    with serving(handle) as number:
        found = probe(number, SmbOneServers)
    assert "reset" in reason(found, SmbOneServers)


def smb1(words: bytes) -> bytes:
    head = b"\xffSMB\x72" + bytes(27)
    return smb_wire.framed(head + bytes((len(words) // 2,)) + words + bytes(2))


def test_a_server_that_speaks_nothing_but_smb_1() -> None:
    words = struct.pack("<HB", 0, 0x03) + bytes(31)

    def reply(heard: bytes) -> bytes:
        return smb1(words) if heard[4:].startswith(b"\xffSMB") else b""

    with serving(answering(reply)) as number:
        found = probe(number)
    [one] = only(found, SmbOneServers).servers
    assert one.spoken
    [server] = only(found, SmbServers).servers
    assert (server.dialect, server.signing_enabled, server.signing_required) == ("1.0", False, False)
    assert reason(found, SmbSessions)


def test_signing_counts_only_where_every_version_requires_it() -> None:
    words = struct.pack("<HB", 0, 0x07) + bytes(31)

    def reply(heard: bytes) -> bytes:
        return smb1(words) if heard[4:].startswith(b"\xffSMB") else windows()(heard)

    with serving(answering(reply)) as number:
        [server] = only(probe(number, SmbServers), SmbServers).servers
    assert (server.dialect, server.signing_enabled, server.signing_required) == ("3.0.2", True, False)


LIES = (
    smb2(0, 0, bytes(10)),
    negotiated(dialect=0x0999),
    b"\x00\xff\xff\xff" + bytes(64),
    b"\x85\x00\x00\x00" * 9,
    b"\x00\x00\x00\x40" + bytes(64),
    smb1(struct.pack("<H", 5)),
)


@pytest.mark.parametrize("lie", LIES)
def test_answers_that_lie_are_gaps(lie: bytes) -> None:
    with serving(answering(lambda _: lie)) as number:
        found = probe(number, seconds=0.6)
    for fact in (SmbServers, SmbSessions):
        assert reason(found, fact)
    assert not [one for fact in found.facts if isinstance(fact, SmbOneServers) for one in fact.servers]


def test_port_139_begins_with_a_session_of_netbios(monkeypatch: pytest.MonkeyPatch) -> None:
    first: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        first.append(connection.recv(4096))
        connection.sendall(b"\x82\x00\x00\x00")
        answering(windows())(connection)

    with serving(handle) as number:
        monkeypatch.setattr(smb, "NETBIOS_PORT", number)
        assert len(only(probe(number, SmbServers), SmbServers).servers) == 1
    assert {len(one) for one in first} == {72}
    with serving(resetting(1)) as number:
        monkeypatch.setattr(smb, "NETBIOS_PORT", number)
        assert "reset" in reason(probe(number, SmbServers), SmbServers)
