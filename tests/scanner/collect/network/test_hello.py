from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.collect.network.hello import (
    VERSIONS,
    WEAK_CIPHERS,
    Alert,
    NotTlsError,
    ServerHello,
    client_hello,
    read_answer,
)

RANDOM = bytes(range(64))


def server_hello(version: int, cipher: int, extensions: bytes = b"", session: bytes = b"") -> bytes:
    body = struct.pack("!H", version) + b"r" * 32 + bytes([len(session)]) + session
    body += struct.pack("!HBH", cipher, 0, len(extensions)) + extensions
    message = b"\x02" + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x03" + struct.pack("!H", len(message)) + message


def alert(number: int, level: int = 2) -> bytes:
    return b"\x15\x03\x01\x00\x02" + bytes([level, number])


@pytest.mark.parametrize("version", VERSIONS)
def test_a_hello_offers_its_version_and_nothing_newer(version: str) -> None:
    hello = client_hello(version, RANDOM)
    [length] = struct.unpack_from("!H", hello, 3)
    assert len(hello) == 5 + length
    assert struct.unpack_from("!H", hello, 9)[0] == min(VERSIONS[version], 0x0303)
    assert hello[11:43] == RANDOM[:32]
    assert (b"\x00\x2b\x00\x03\x02\x03\x04" in hello) is (version == "TLSv1.3")


def test_only_the_ciphers_that_are_asked_for_are_offered() -> None:
    hello = client_hello("TLSv1.2", RANDOM, tuple(WEAK_CIPHERS))
    [size] = struct.unpack_from("!H", hello, 44)
    offered = struct.unpack_from(f"!{size // 2}H", hello, 46)
    assert offered == (*WEAK_CIPHERS, 0x00FF)


@pytest.mark.parametrize(("name", "number"), [(n, v) for n, v in VERSIONS.items() if n != "TLSv1.3"])
def test_the_answer_names_version_and_cipher(name: str, number: int) -> None:
    assert read_answer(server_hello(number, 0xC02F, session=b"s" * 32)) == ServerHello(name, 0xC02F)


def test_the_version_of_tls_1_3_is_in_an_extension() -> None:
    extension = b"\x00\x33\x00\x02\x00\x1d\x00\x2b\x00\x02\x03\x04"
    assert read_answer(server_hello(0x0303, 0x1301, extension)) == ServerHello(
        "TLSv1.3", 0x1301, extensions=frozenset({51, 43})
    )


def test_an_alert_is_read_and_a_warning_is_not_an_answer() -> None:
    assert read_answer(alert(70)) == Alert(70)
    assert read_answer(alert(112, level=1)) is None
    assert read_answer(alert(112, level=1) + server_hello(0x0303, 0x2F)) == ServerHello("TLSv1.2", 0x2F)


def test_a_hello_in_pieces_is_put_together() -> None:
    whole = server_hello(0x0301, 0x2F)
    pieces = b"".join(b"\x16\x03\x01\x00\x01" + whole[n : n + 1] for n in range(5, len(whole)))
    assert read_answer(pieces) == ServerHello("TLSv1.0", 0x2F)
    for cut in range(len(whole)):
        assert read_answer(whole[:cut]) is None


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 400 Bad Request\r\n",
        b"\x16\x02\x00\x00\x05hello",
        b"\x16\x03\x01\xff\xff" + b"x" * 100,
        b"\x16\x03\x01\x00\x00\x00",
        b"\x15\x03\x01\x00\x03\x02\x46\x00",
        b"\x16\x03\x01\x00\x06\x0b\x00\x00\x02xx",
        b"\x16\x03\x01\x00\x06\x02\x00\x00\x02xx",
        server_hello(0x0303, 0x2F)[:43] + b"\xff" + server_hello(0x0303, 0x2F)[44:],
        server_hello(0x7F1C, 0x2F),
    ],
)
def test_what_is_no_tls_is_an_error(data: bytes) -> None:
    with pytest.raises(NotTlsError):
        read_answer(data)


@given(st.binary(max_size=200))
def test_any_bytes_end_in_an_answer_or_the_error(data: bytes) -> None:
    for prefix in (b"", b"\x16\x03\x01\x00\x40", b"\x16\x03\x03\x00\x30\x02\x00\x00\x2c\x03\x03"):
        with contextlib.suppress(NotTlsError):
            read_answer(prefix + data)


def test_a_request_to_say_hello_again_is_an_answer_in_1_3() -> None:
    """It has the form of a ServerHello whose random is fixed, and names another group."""
    random = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
    extensions = b"\x00\x2b\x00\x02\x03\x04" + b"\x00\x33\x00\x02\x00\x17"
    body = b"\x03\x03" + random + b"\x00\x13\x01\x00" + len(extensions).to_bytes(2, "big") + extensions
    message = b"\x02" + len(body).to_bytes(3, "big") + body
    answer = read_answer(b"\x16\x03\x03" + len(message).to_bytes(2, "big") + message)
    assert isinstance(answer, ServerHello)
    assert (answer.version, answer.cipher) == ("TLSv1.3", 0x1301)
