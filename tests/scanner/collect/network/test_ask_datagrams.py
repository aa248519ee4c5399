"""SNMP, NTP and IPMI: real servers, exact fakes for what no package has, and answers that lie."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

import pytest

from checks.facts.network import OpenPort
from checks.facts.network.controllers import IpmiCipherSuites, IpmiControllers
from checks.facts.network.snmp import SnmpServer, SnmpServers
from checks.facts.network.time import NtpServer, NtpServers
from checks.facts.snapshot import Fact
from scanner.collect.collector import Collected
from scanner.collect.network import udp
from scanner.collect.network.ask import ipmi, ntp, snmp
from scanner.collect.network.ask.ber import integer, tlv
from scanner.collect.network.ask.question import Question
from scanner.collect.network.ask.snmp_wire import SYS_DESCR
from tests.lab.asking import ask, only
from tests.lab.daemons import daemon
from tests.lab.parts import free_port
from tests.lab.udp import Reply, answering_udp, mute_udp, saying_udp

[SNMP] = snmp.QUESTIONS
[NTP] = ntp.QUESTIONS
CONTROLLERS, SUITES = ipmi.QUESTIONS
EVERY = [(SNMP, SnmpServers), (NTP, NtpServers), (CONTROLLERS, IpmiControllers), (SUITES, IpmiCipherSuites)]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(udp, "LOOPBACK_SECONDS", 0.1)


def asked(question: Question, number: int) -> Collected:
    [service] = [name for name in ("snmp", "ntp", "ipmi") if question.applies(OpenPort(number, "udp", name))]
    return ask(question.ask, OpenPort(number, "udp", service))


def gap(found: Collected, kind: type[Fact]) -> str:
    assert not found.facts
    [one] = found.gaps
    assert (one.fact, one.where[:4]) == (kind.__name__, "udp/")
    assert one.needs == f"an answer from {one.where}"
    return one.reason


@pytest.fixture(scope="module")
def public() -> Iterator[int]:
    with daemon("snmpd-public") as one:
        yield one.udp[0]


@pytest.fixture(scope="module")
def chrony() -> Iterator[int]:
    with daemon("chrony") as one:
        yield one.udp[0]


@pytest.fixture(scope="module")
def controller() -> Iterator[int]:
    with daemon("ipmi") as one:
        yield one.udp[0]


def agent(number: int) -> SnmpServer:
    [one] = only(asked(SNMP, number), SnmpServers).servers
    return one


def test_an_agent_with_the_community_public_tells_its_description(public: int) -> None:
    one = agent(public)
    assert (one.communities, one.refused) == (("public",), ("private",))
    assert one.versions == ("v1", "v2c", "v3")
    assert one.description.startswith("Linux ")


def test_an_agent_of_version_3_only_is_silent_to_communities() -> None:
    with daemon("snmpd-good") as running:
        one = agent(running.udp[0])
    assert (one.communities, one.refused, one.versions) == ((), ("public", "private"), ("v3",))


def agent_of(
    version: int, community: bytes, value: bytes = b"Old \x1b[1mswitch", error: int = 0, kind: int = 4
) -> Reply:
    """An agent that knows one version and one community, byte by byte."""

    def reply(data: bytes) -> tuple[bytes, ...]:
        head = integer(version) + tlv(4, community)
        if head not in data[:40]:
            return ()
        [start] = [n for n in range(len(data)) if data[n] == 0xA0 and n >= data.index(head) + len(head)][:1]
        request = data[start + 2 : start + 4 + data[start + 3]]
        binding = tlv(0x30, tlv(6, SYS_DESCR), tlv(kind, value))
        pdu = tlv(0xA2, request, integer(error), integer(0), tlv(0x30, binding))
        return (tlv(0x30, head, pdu),)

    return reply


@pytest.mark.parametrize(("community", "version", "name"), [(b"public", 0, "v1"), (b"private", 1, "v2c")])
def test_an_agent_of_one_old_version_is_known(community: bytes, version: int, name: str) -> None:
    with answering_udp(agent_of(version, community)) as number:
        one = agent(number)
    assert (one.communities, one.versions) == ((community.decode(),), (name,))
    assert one.description == "Old \\u001b[1mswitch"


def test_an_error_that_says_no_access_is_a_refusal() -> None:
    with answering_udp(agent_of(1, b"public", error=16)) as number:
        one = agent(number)
    assert (one.communities, one.refused, one.versions) == ((), ("public", "private"), ("v2c",))
    assert one.description == ""


@pytest.mark.parametrize(
    ("version", "error", "kind"), [(0, 2, 5), (1, 5, 4), (1, 0, 0x80), (1, 0, 0x81), (1, 0, 5)]
)
def test_an_answer_without_a_value_is_neither_told_nor_refused(version: int, error: int, kind: int) -> None:
    """noSuchName, or a value out of view: so a community is answered that is known and sees little."""
    with answering_udp(agent_of(version, b"public", b"" if kind != 4 else b"x", error, kind)) as number:
        one = agent(number)
    assert (one.communities, one.refused) == ((), ("private",))
    assert (one.versions, one.description) == (("v2c" if version else "v1",), "")


def test_an_agent_that_is_gone_afterwards_decides_nothing() -> None:
    """Its silence to `private` may be that of a machine that went away."""
    answers = agent_of(1, b"public")
    left = [1]

    def once(data: bytes) -> tuple[bytes, ...]:
        found = answers(data)
        return found if found and left and left.pop() else ()

    with answering_udp(once) as number:
        assert "no answer" in gap(asked(SNMP, number), SnmpServers)


def test_a_server_of_real_time_answers_neither_query(chrony: int) -> None:
    [one] = only(asked(NTP, chrony), NtpServers).servers
    assert one == NtpServer(f"udp/{chrony}", 4, 10, control=False, monlist=False)


def time_server(control: bytes = b"", private: bytes = b"") -> Reply:
    """A time server that answers modes 6 and 7 like this, byte by byte."""

    def reply(data: bytes) -> tuple[bytes, ...]:
        mode = data[0] & 7
        if mode == 3:
            return (b"\x24\x02\x06\xec" + bytes(20) + data[40:48] + bytes(16),)
        found = {6: control, 7: private}[mode]
        return (found,) if found else ()

    return reply


VARIABLES = b'version="ntpd 4.2.6p5@1.2349-o", processor="x86_64",\r\nsystem="Linux/3.2.0", leap=0'
CONTROL = struct.pack("!BBHHHHH", 0x16, 0x82, 1, 0x0615, 0, 0, len(VARIABLES)) + VARIABLES
NO_CONTROL = struct.pack("!BBHHHHH", 0x16, 0xC2, 1, 0x0100, 0, 0, 0)
CLIENTS = struct.pack("!BBBBHH", 0xD7, 0, 3, 42, 6, 72) + bytes(432)
NO_CLIENTS = struct.pack("!BBBBHH", 0x97, 0, 3, 42, 0x4000, 0)
EMPTY_CLIENTS = struct.pack("!BBBBHH", 0x97, 0, 3, 42, 0, 72)


@pytest.mark.parametrize(
    ("control", "private", "expected"),
    [
        (CONTROL, CLIENTS, (True, True)),
        (CONTROL, b"", (True, False)),
        (NO_CONTROL, NO_CLIENTS, (False, False)),
        (b"", EMPTY_CLIENTS, (False, False)),
        (b"\x16\x82", b"\xd7", (False, False)),
        (CONTROL[:12] + b"", CLIENTS[:8], (True, True)),
        (b"\xff" * 60_000, b"\xff" * 60_000, (False, False)),
    ],
)
def test_each_query_of_a_time_server_is_judged_by_its_own_answer(
    control: bytes, private: bytes, expected: tuple[bool, bool]
) -> None:
    with answering_udp(time_server(control, private)) as number:
        [one] = only(asked(NTP, number), NtpServers).servers
    assert (one.control, one.monlist) == expected
    assert (one.version, one.stratum) == (4, 2)
    if control == CONTROL:
        assert one.variables.startswith('version="ntpd 4.2.6p5@1.2349-o", processor="x86_64", system=')


def test_a_time_server_that_stops_telling_the_time_decides_nothing() -> None:
    def queries_only(data: bytes) -> tuple[bytes, ...]:
        return (CONTROL,) if data[0] & 7 == 6 else ()

    with answering_udp(queries_only) as number:
        assert "no answer" in gap(asked(NTP, number), NtpServers)


@pytest.mark.parametrize("error", [1, 3])
def test_a_list_of_clients_that_is_wanted_in_another_form_decides_nothing(error: int) -> None:
    private = struct.pack("!BBBBHH", 0x97, 0, 3, 42, error << 12, 0)
    with answering_udp(time_server(NO_CONTROL, private)) as number:
        assert "another form" in gap(asked(NTP, number), NtpServers)


@pytest.mark.parametrize("word", [b"RATE", b"DENY"])
def test_a_time_server_that_sends_us_away_decides_nothing(word: bytes) -> None:
    """Its silence to the queries is that of a server that speaks no more with us."""

    def away(data: bytes) -> tuple[bytes, ...]:
        return (
            (b"\xe4\0\x06\xec" + bytes(8) + word + bytes(8) + data[40:48] + bytes(16),)
            if data[0] & 7 == 3
            else ()
        )

    with answering_udp(away) as number:
        assert f"sent us away ({word.decode()})" in gap(asked(NTP, number), NtpServers)


def test_the_time_for_somebody_else_is_no_answer() -> None:
    with answering_udp(saying_udp(b"\x24\x02" + bytes(46))) as number:
        assert "no answer" in gap(asked(NTP, number), NtpServers)


def test_a_controller_tells_its_ways_in(controller: int) -> None:
    [one] = only(asked(CONTROLLERS, controller), IpmiControllers).controllers
    assert one.versions == ("1.5", "2.0")
    assert one.authentication == ("none", "md2", "md5", "password")
    assert (one.anonymous, one.null_user) == (False, True)


def test_a_controller_lists_its_cipher_suites(controller: int) -> None:
    [one] = only(asked(SUITES, controller), IpmiCipherSuites).controllers
    assert one.suites == tuple(range(15))


def board(status: int, ways: int, records: bytes = b"", lower: int = 0) -> Reply:
    """A controller, byte by byte: RMCP, a session header of zeros, and the message with both checksums."""

    def reply(data: bytes) -> tuple[bytes, ...]:
        command = data[19]
        if command == 0x38:
            # The ways in of the level that was asked for, the last byte of the question.
            offered = ways | (lower if data[21] & 15 < 4 else 0)
            body = bytes((0, 1, offered, status, 2, 0, 0, 0, 0))
        else:
            part = (data[22] & 0x3F) * 16
            body = b"\0\x01" + records[part : part + 16]
        head, rest = bytes((0x81, 0x1C)), bytes((0x20, 0, command)) + body
        message = head + _sum(head) + rest + _sum(rest)
        return (b"\x06\0\xff\x07" + bytes(9) + bytes((len(message),)) + message,)

    return reply


def _sum(data: bytes) -> bytes:
    return bytes((-sum(data) & 0xFF,))


def test_a_controller_that_asks_for_names_and_passwords_is_told_apart() -> None:
    records = b"\xc0\x03\x01\x41\x81" + b"\xc0\x11\x03\x44\x81" + b"\xc1\x80\x01\x02\x03\x01\x41\x81" * 2
    with answering_udp(board(0x04, 0x84, records)) as number:
        [one] = only(asked(CONTROLLERS, number), IpmiControllers).controllers
        [other] = only(asked(SUITES, number), IpmiCipherSuites).controllers
    assert (one.versions, one.authentication, one.anonymous, one.null_user) == (
        ("2.0",),
        ("md5",),
        False,
        False,
    )
    assert other.suites == (3, 17, 128)


def test_what_only_a_lower_level_offers_is_seen_too() -> None:
    """Sessions without authentication that are off for administrators may be on for users."""
    with answering_udp(board(0x04, 0x84, lower=0x01)) as number:
        [one] = only(asked(CONTROLLERS, number), IpmiControllers).controllers
    assert one.authentication == ("none", "md5")


def wrong_sum(data: bytes) -> tuple[bytes, ...]:
    [good] = board(0, 0x80)(data)
    return (good[:-1] + bytes((good[-1] ^ 1,)),)


def wrong_length(data: bytes) -> tuple[bytes, ...]:
    [good] = board(0, 0x80)(data)
    return (good[:13] + b"\xff" + good[14:],)


def refusing(data: bytes) -> tuple[bytes, ...]:
    head, rest = bytes((0x81, 0x1C)), bytes((0x20, 0, data[19], 0xC1))
    message = head + _sum(head) + rest + _sum(rest)
    return (b"\x06\0\xff\x07" + bytes(9) + bytes((len(message),)) + message,)


@pytest.mark.parametrize("question", [CONTROLLERS, SUITES])
@pytest.mark.parametrize(
    ("reply", "words"),
    [(wrong_sum, "no answer"), (wrong_length, "no answer"), (refusing, "refused the question")],
)
def test_a_controller_that_lies_or_refuses_decides_nothing(
    question: Question, reply: Reply, words: str
) -> None:
    kind = IpmiControllers if question is CONTROLLERS else IpmiCipherSuites
    with answering_udp(reply) as number:
        assert words in gap(asked(question, number), kind)


def test_an_endless_or_empty_list_of_suites_ends_and_decides_nothing() -> None:
    with answering_udp(board(0, 0x80, b"\xc0\x03\x01\x41" * 300)) as number:
        assert "without an end" in gap(asked(SUITES, number), IpmiCipherSuites)
    with answering_udp(board(0, 0x80)) as number:
        assert "none in it" in gap(asked(SUITES, number), IpmiCipherSuites)


FLOOD: Callable[[bytes], tuple[bytes, ...]] = saying_udp(*[b"x" * 40] * 1_000)


@pytest.mark.parametrize(("question", "kind"), EVERY)
@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (mute_udp, "no answer|not answer"),
        (saying_udp(b"\x30\x84\xff\xff\xff\xff"), "no answer|not answer"),
        (saying_udp(b"\x30\x80" * 20_000), "no answer|not answer"),
        (lambda data: (data,), "no answer|not answer"),
        (FLOOD, "datagrams came"),
    ],
)
def test_hostile_answers_decide_nothing(
    question: Question, kind: type[Fact], reply: Reply, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(udp, "LOOPBACK_SECONDS", 0.03)
    with answering_udp(reply) as number:
        said = gap(asked(question, number), kind)
    assert any(word in said for word in words.split("|")), said


@pytest.mark.parametrize(("question", "kind"), EVERY)
def test_a_closed_port_decides_nothing(question: Question, kind: type[Fact]) -> None:
    assert "closed" in gap(asked(question, free_port()), kind)
