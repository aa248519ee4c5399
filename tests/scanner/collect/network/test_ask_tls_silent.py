"""Ports that close where others send an alert: when that is a refusal, and when nothing follows from it."""

from __future__ import annotations

import random
import socket
from collections.abc import Callable

import pytest

from checks.facts.network import OpenPort
from checks.facts.network.tls import (
    TlsCiphers,
    TlsFallbacks,
    TlsGroups,
    TlsSettings,
    TlsSuites,
    TlsVersions,
)
from checks.model import Outcome
from scanner.collect.collector import Collected
from scanner.collect.network.ask import tls
from tests.checks.network.judging import judge
from tests.lab.asking import ask, only, reason
from tests.lab.services import Handler, Made, certificate, inside_tls, mute, reset, resetting, serving

FACTS = (TlsVersions, TlsCiphers, TlsSuites, TlsSettings, TlsFallbacks, TlsGroups)
TWICE = "closed without an alert, twice, while a good hello was answered in between and after"
OLD = (b"\x03\x00", b"\x03\x01", b"\x03\x02")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return certificate(tmp_path_factory.mktemp("certificate"))


def probe(number: int, seconds: float = 2.0) -> Collected:
    return ask(tls.ask, OpenPort(number, "tcp", tls=True), *FACTS, seconds=seconds)


def whole(connection: socket.socket) -> bytes:
    """The hello of the client, read to its end, so that closing is no reset."""
    head = connection.recv(5, socket.MSG_WAITALL)
    return head + connection.recv(int.from_bytes(head[3:5], "big"), socket.MSG_WAITALL) if head else b""


def silent_about(inner: Handler, refused: Callable[[bytes], bool]) -> Handler:
    """Closes in order for the hellos that it refuses; the others shake hands."""

    def handle(connection: socket.socket) -> None:
        size = 5 + int.from_bytes(connection.recv(5, socket.MSG_PEEK | socket.MSG_WAITALL)[3:5], "big")
        if refused(connection.recv(size, socket.MSG_PEEK | socket.MSG_WAITALL)):
            whole(connection)
        else:
            inner(connection)

    return handle


def is_old(heard: bytes) -> bool:
    return heard[9:11] in OLD


def test_two_orderly_closes_between_good_hellos_are_a_refusal(made: Made) -> None:
    with serving(silent_about(inside_tls(made, mute), is_old)) as number:
        found = probe(number)
    [service] = only(found, TlsVersions).services
    assert service.refused == ("SSLv3", "TLSv1.0", "TLSv1.1")
    [evidence] = [one for one in found.sources if one.fact == "TlsVersions"]
    assert evidence.excerpt.count(TWICE) == 3
    [finding] = judge("network.tls.legacy-versions", only(found, TlsVersions))
    assert finding.outcome is Outcome.PASS


@pytest.mark.parametrize("times", [1, 2])
def test_one_close_that_does_not_come_again_is_none(made: Made, times: int) -> None:
    """A busy server: it closes once, and then the same hello is taken, or reset."""
    left = [1] * 3

    def handle(connection: socket.socket) -> None:
        heard = connection.recv(11, socket.MSG_PEEK | socket.MSG_WAITALL)
        if not is_old(heard):
            inside_tls(made, mute)(connection)
        elif left:
            left.pop()
            whole(connection)
        elif times == 1:
            reset(connection)
        else:
            whole(connection)
            connection.sendall(b"\x16\x03\x01")

    with serving(handle) as number:
        found = probe(number)
    assert only(found, TlsVersions).services[0].refused == ()
    [finding] = judge("network.tls.legacy-versions", only(found, TlsVersions))
    assert finding.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("allowed", [2, 3, 4, 5, 6, 7, 9, 12])
def test_a_limiter_that_closes_after_some_connections_refuses_nothing(made: Made, allowed: int) -> None:
    """It closes everything from then on, so the good hello fails as well."""
    inner, seen = inside_tls(made, mute), []

    def handle(connection: socket.socket) -> None:
        seen.append(1)
        if len(seen) > allowed:
            whole(connection)
        else:
            inner(connection)

    with serving(handle) as number:
        found = probe(number)
    assert TWICE not in "".join(one.excerpt for one in found.sources)
    if allowed < 5:
        [finding] = judge("network.tls.legacy-versions", only(found, TlsVersions))
        assert finding.outcome is Outcome.UNKNOWN


def test_a_server_that_closes_at_random_is_not_believed(made: Made) -> None:
    """Of many runs with a port that speaks everything, none may tell that an old version is refused."""
    inner = inside_tls(made, mute)
    believed = 0
    for seed in range(15):
        dice = random.Random(seed)

        def handle(connection: socket.socket, dice: random.Random = dice) -> None:
            heard = connection.recv(11, socket.MSG_PEEK | socket.MSG_WAITALL)
            if dice.random() < 0.5:
                whole(connection)
            elif is_old(heard):
                whole(connection)
                connection.sendall(
                    b"\x16\x03\x01\x00\x2a\x02\x00\x00\x26" + heard[9:11] + bytes(33) + b"\x00\x2f\x00"
                )
            else:
                inner(connection)

        with serving(handle) as number:
            found = ask(tls.ask, OpenPort(number, "tcp", tls=True), TlsVersions, seconds=2.0)
        [finding] = judge("network.tls.legacy-versions", only(found, TlsVersions), gaps=found.gaps)
        believed += finding.outcome is Outcome.PASS
    assert believed == 0


def test_a_close_in_the_middle_of_an_answer_is_no_refusal(made: Made) -> None:
    inner = inside_tls(made, mute)

    def handle(connection: socket.socket) -> None:
        if is_old(connection.recv(11, socket.MSG_PEEK | socket.MSG_WAITALL)):
            whole(connection)
            connection.sendall(b"\x15\x03\x01\x00\x02\x01\x00")
        else:
            inner(connection)

    with serving(handle) as number:
        found = probe(number)
    assert only(found, TlsVersions).services[0].refused == ()
    told = [gap.reason for gap in found.gaps if gap.fact == "TlsVersions"]
    assert all("broke off in the middle" in one for one in told)
    assert len(told) == 3


def test_weak_suites_and_groups_may_be_refused_silently(made: Made) -> None:
    """What is asked beyond the versions is made sure in the same way."""

    def few(heard: bytes) -> bool:
        length = int.from_bytes(heard[44:46], "big")
        return is_old(heard) or not {b"\xc0\x2f", b"\x13\x01"} & {
            heard[place : place + 2] for place in range(46, 46 + length, 2)
        }

    with serving(silent_about(inside_tls(made, mute), few)) as number:
        found = probe(number)
    assert only(found, TlsCiphers).services[0].weak == ()
    assert only(found, TlsGroups).services[0].bits == 0
    [evidence] = [one for one in found.sources if one.fact == "TlsCiphers"]
    assert TWICE in evidence.excerpt


def test_a_port_of_1_3_whose_older_versions_stay_open_has_not_refused_their_flaws(made: Made) -> None:
    """The newest version is taken, and all others are reset: that is not a port of 1.3 only."""
    inner = inside_tls(made, mute)

    def handle(connection: socket.socket) -> None:
        heard = connection.recv(600, socket.MSG_PEEK)
        (inner if b"\x00\x2b\x00\x03\x02\x03\x04" in heard else resetting(1))(connection)

    with serving(handle) as number:
        found = probe(number)
    assert only(found, TlsVersions).services[0].accepted == ("TLSv1.3",)
    for kind in (TlsCiphers, TlsSuites, TlsSettings, TlsGroups):
        assert "reset" in reason(found, kind)


def test_an_answer_in_a_newer_version_than_was_offered_is_no_refusal(made: Made) -> None:
    inner = inside_tls(made, mute)

    def handle(connection: socket.socket) -> None:
        if is_old(connection.recv(11, socket.MSG_PEEK | socket.MSG_WAITALL)):
            whole(connection)
            connection.sendall(b"\x16\x03\x03\x00\x2a\x02\x00\x00\x26\x03\x03" + bytes(33) + b"\x00\x2f\x00")
        else:
            inner(connection)

    with serving(handle) as number:
        found = probe(number)
    assert only(found, TlsVersions).services[0].refused == ()
