"""Remote desktops and X11 displays: real ones, and such as are made of bytes."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from checks.facts.network import OpenPort
from checks.facts.network.screens import RdpServers, X11Servers
from scanner.collect.collector import Collected
from scanner.collect.network.ask import rdp, x11
from tests.lab.asking import ask, only, reason
from tests.lab.daemons import daemon
from tests.lab.parts import free_port, program
from tests.lab.services import answering, running, serving


def desktop(number: int) -> Collected:
    return ask(rdp.QUESTIONS[0].ask, OpenPort(number, "tcp", "rdp"), RdpServers, seconds=0.8)


def display(number: int) -> Collected:
    return ask(x11.QUESTIONS[0].ask, OpenPort(number, "tcp", "x11"), X11Servers, seconds=0.8)


@pytest.mark.real
@pytest.mark.parametrize(("name", "standard", "tls"), [("xrdp-old", True, False), ("xrdp-tls", False, True)])
def test_a_real_desktop_without_a_login_first(name: str, standard: bool, tls: bool) -> None:
    with daemon(name) as one:
        [server] = only(desktop(one.tcp[0]), RdpServers).servers
    assert (server.standard, server.tls, server.network_level) == (standard, tls, False)


def confirm(kind: int, value: int, length: int = 8) -> bytes:
    body = struct.pack("!BBHHB", 14, 0xD0, 0, 0x1234, 0) + struct.pack("<BBHI", kind, 0, length, value)
    return struct.pack("!BBH", 3, 0, 4 + len(body)) + body


def desktop_of(answers: dict[int, bytes]) -> Callable[[bytes], bytes]:
    """A server that answers by the security protocols that the client knows."""
    return lambda heard: answers[int.from_bytes(heard[15:19], "little")]


PLAIN = struct.pack("!BBHBBHHB", 3, 0, 11, 6, 0xD0, 0, 0x1234, 0)


@pytest.mark.parametrize(
    ("answers", "seen"),
    [
        ({0: confirm(3, 5), 1: confirm(3, 5), 3: confirm(2, 2)}, (False, False, True)),
        ({0: confirm(3, 1), 1: confirm(2, 1), 3: confirm(2, 2)}, (False, True, True)),
        ({0: confirm(2, 0), 1: confirm(2, 1), 3: confirm(2, 8)}, (True, True, True)),
        ({0: PLAIN, 1: PLAIN, 3: PLAIN}, (True, False, False)),
        ({0: PLAIN, 1: confirm(3, 3), 3: confirm(3, 2)}, (True, False, False)),
    ],
)
def test_which_security_a_desktop_goes_along_with(
    answers: dict[int, bytes], seen: tuple[bool, bool, bool]
) -> None:
    with serving(answering(desktop_of(answers))) as number:
        [server] = only(desktop(number), RdpServers).servers
    assert (server.standard, server.tls, server.network_level) == seen


@pytest.mark.parametrize(
    "answer",
    [
        confirm(3, 5),
        confirm(3, 99),
        confirm(2, 77),
        confirm(2, 1, length=9),
        confirm(7, 1),
        b"\x03\x00\xff\xff" + bytes(40),
        b"\x03\x00\x00\x0b" + bytes(7),
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x03\x00",
    ],
)
def test_a_desktop_that_decides_nothing_is_a_gap(answer: bytes) -> None:
    with serving(answering(lambda _: answer)) as number:
        assert reason(desktop(number), RdpServers)


@pytest.mark.parametrize(
    "answers",
    [
        {0: confirm(3, 5), 1: confirm(2, 2), 3: confirm(2, 2)},
        {0: confirm(2, 1), 1: confirm(3, 5), 3: confirm(2, 2)},
        {0: confirm(3, 2), 1: confirm(3, 5), 3: confirm(2, 2)},
        {0: confirm(3, 5), 1: confirm(3, 1), 3: confirm(2, 2)},
    ],
)
def test_a_desktop_that_answers_what_was_not_asked_is_a_gap(answers: dict[int, bytes]) -> None:
    with serving(answering(desktop_of(answers))) as number:
        assert reason(desktop(number), RdpServers)


def test_a_desktop_that_falls_back_to_its_own_encryption_goes_along_with_it() -> None:
    with serving(answering(desktop_of({0: confirm(3, 5), 1: PLAIN, 3: confirm(2, 2)}))) as number:
        [server] = only(desktop(number), RdpServers).servers
    assert server.standard


@pytest.mark.real
@pytest.mark.parametrize("guarded", [False, True])
def test_a_real_display_with_and_without_a_key(tmp_path: Path, guarded: bool) -> None:
    number = free_port() - 6000
    keys = tmp_path / "keys"
    subprocess.run(
        [program("xauth"), "-f", str(keys), "add", f":{number}", ".", "0" * 32],
        check=True,
        capture_output=True,
    )
    guard = ("-auth", str(keys)) if guarded else ("-ac",)
    options = ("-screen", "0", "64x64x8", "-listen", "tcp", "-nolisten", "unix", *guard)
    with running("Xvfb", f":{number}", *options, port=6000 + number):
        [server] = only(display(6000 + number), X11Servers).servers
    assert server.open is not guarded
    assert server.answer.startswith("refused: Authorization required" if guarded else "the setup succeeded")


@pytest.mark.parametrize(
    ("answer", "opened"),
    [
        (struct.pack("<BBHHH", 1, 0, 11, 0, 8) + bytes(32), True),
        (struct.pack("<BBHHH", 0, 22, 11, 0, 6) + b"No protocol specified\n" + bytes(2), False),
        (struct.pack("<BBHHH", 2, 0, 0, 0, 1) + b"key?", False),
    ],
)
def test_answers_of_displays(answer: bytes, opened: bool) -> None:
    with serving(answering(lambda _: answer)) as number:
        [server] = only(display(number), X11Servers).servers
    assert server.open is opened


@pytest.mark.parametrize(
    "answer",
    [
        struct.pack("<BBHHH", 1, 0, 11, 0, 2) + bytes(8),
        struct.pack("<BBHHH", 1, 0, 12, 0, 8) + bytes(32),
        struct.pack("<BBHHH", 9, 0, 11, 0, 0),
        struct.pack("<BBHHH", 0, 3, 11, 0, 0xFFFF) + b"no!",
        struct.pack("<BBHHH", 0, 33, 11, 0, 9) + b"Maximum number of clients reached" + bytes(3),
        b"\x01",
    ],
)
def test_a_display_that_decides_nothing_is_a_gap(answer: bytes) -> None:
    with serving(answering(lambda _: answer)) as number:
        assert reason(display(number), X11Servers)
