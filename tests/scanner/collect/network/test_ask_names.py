"""What a name server does for a stranger: real BIND and Unbound, and servers that lie."""

from __future__ import annotations

import contextlib
import re
import socket
import struct
from collections.abc import Callable, Iterator
from dataclasses import replace
from time import monotonic

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from checks.facts.network import OpenPort
from checks.facts.network.names import (
    DnsServer,
    DnsServers,
    DnsTransfer,
    DnsTransfers,
    MailDomain,
    MailDomains,
)
from checks.facts.snapshot import Fact
from scanner.collect.collector import Collected
from scanner.collect.network import udp
from scanner.collect.network.ask import dns as names
from scanner.collect.network.ask import dns_mail
from scanner.collect.network.ask.question import Asked
from tests.lab.asking import ask, only
from tests.lab.daemons import daemon
from tests.lab.parts import free_port
from tests.lab.services import Handler, serving
from tests.lab.udp import Reply, answering_udp, mute_udp, saying_udp

SERVERS, TRANSFERS = names.QUESTIONS
[MAIL] = dns_mail.QUESTIONS


@pytest.fixture(scope="module")
def bind_open() -> Iterator[int]:
    with daemon("bind-open") as one:
        yield one.udp[0]


@pytest.fixture(scope="module")
def bind_good() -> Iterator[int]:
    with daemon("bind-good") as one:
        yield one.udp[0]


@pytest.fixture(scope="module")
def unbound() -> Iterator[int]:
    with daemon("unbound-open") as one:
        yield one.udp[0]


def server(number: int) -> DnsServer:
    [one] = only(ask(SERVERS.ask, OpenPort(number, "udp", "dns")), DnsServers).servers
    return one


def transfers(number: int, *domains: str) -> Collected:
    async def with_domains(asked: Asked) -> Collected:
        return await TRANSFERS.ask(replace(asked, domains=domains))

    return ask(with_domains, OpenPort(number, "udp", "dns"), seconds=2.0)


def test_a_resolver_for_everybody_is_seen(bind_open: int, unbound: int) -> None:
    one = server(bind_open)
    assert one.recursion
    assert one.answer.startswith("recursion available")
    assert one.version.startswith("9.")
    other = server(unbound)
    assert (other.recursion, other.version[:8]) == (True, "unbound ")
    assert other.identity


def test_a_server_that_refuses_strangers_is_seen(bind_good: int) -> None:
    one = server(bind_good)
    assert (one.recursion, one.version, one.identity) == (False, "", "")
    assert one.answer == "recursion not available, refused"


def test_a_zone_that_is_given_is_counted(bind_open: int) -> None:
    fact = only(transfers(bind_open, "lab.test", "unknown.test"), DnsTransfers)
    assert fact.transfers == (DnsTransfer(f"tcp/{bind_open}", "lab.test", True, 6, "6 records"),)


def test_a_zone_that_is_refused_is_told_as_refused(bind_good: int) -> None:
    fact = only(transfers(bind_good, "www.lab.test"), DnsTransfers)
    assert fact.transfers == (DnsTransfer(f"tcp/{bind_good}", "lab.test", False, 0, "refused"),)


def test_without_a_known_zone_nothing_is_known(bind_good: int) -> None:
    assert "authority for no zone" in reason_at(transfers(bind_good), DnsTransfers)
    assert "authority for no zone" in reason_at(
        transfers(bind_good, "no domain at all", "ä.test"), DnsTransfers
    )


def mail(number: int, *domains: str) -> Collected:
    async def with_domains(asked: Asked) -> Collected:
        return await MAIL.ask(replace(asked, domains=domains))

    return ask(with_domains, OpenPort(number, "udp", "dns"))


def test_the_authority_of_a_domain_tells_its_records_of_mail(bind_good: int) -> None:
    [one] = only(mail(bind_good, "lab.test.", "unknown.test"), MailDomains).domains
    assert one == MailDomain(f"udp/{bind_good}", "lab.test", ("v=spf1 -all",), ())


def test_who_is_no_authority_has_nothing_to_say_about_mail(unbound: int) -> None:
    found = mail(unbound, "unknown.test")
    assert (found.facts, found.gaps) == ((), ())


def test_an_authority_that_falls_silent_leaves_mail_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(udp, "LOOPBACK_SECONDS", 0.1)
    with answering_udp(lambda q: authority(q) if b"\0\0\x06\0\x01" in q else ()) as number:
        assert "lab.test: no answer" in reason_at(mail(number, "lab.test"), MailDomains)


def test_long_records_come_by_one_datagram_and_in_parts_joined() -> None:
    def told(question: bytes) -> tuple[bytes, ...]:
        message = dns.message.make_response(dns.message.from_wire(question))
        message.flags |= dns.flags.AA
        name, kind = message.question[0].name, message.question[0].rdtype
        if kind == dns.rdatatype.TXT:
            texts = [
                '"v=spf1 mx " "-all"',
                f'"other {"x" * 240}"',
                f'"v=DMARC1; p=none; {"y" * 230}" "{"z" * 250}"',
                '"v=spf10 -all"',
            ]
            message.answer.append(dns.rrset.from_text(name, 60, "IN", "TXT", *texts))
            return (message.to_wire(),)
        return authority(question)

    with answering_udp(told) as number:
        [one] = only(mail(number, "lab.test"), MailDomains).domains
    assert one.spf == ("v=spf1 mx -all",)
    assert [len(record) for record in one.dmarc] == [498]


def reason_at(found: Collected, kind: type[Fact]) -> str:
    assert not found.facts
    [gap] = found.gaps
    assert (gap.fact, gap.where[:4]) == (kind.__name__, "udp/")
    assert gap.needs
    return gap.reason


def test_questions_apply_to_datagram_ports_only() -> None:
    assert SERVERS.applies(OpenPort(5300, "udp", "dns"))
    assert not SERVERS.applies(OpenPort(53, "tcp", "dns"))
    assert not TRANSFERS.applies(OpenPort(53, "udp", "ntp"))


def flags(value: int) -> Reply:
    """Answers every question by itself, with these flags."""
    return lambda q: (q[:2] + struct.pack("!H", 0x8000 | value) + q[4:],)


@pytest.mark.parametrize(
    ("value", "offered"),
    [
        (0x0080, True),
        (0x0083, True),
        (0x0082, True),
        (0x0085, False),
        (0x0003, False),
        (0x0000, False),
        (0x0005, False),
        (0x0009, False),
    ],
)
def test_recursion_needs_the_flag_and_no_refusal(value: int, offered: bool) -> None:
    with answering_udp(flags(value)) as number:
        assert server(number).recursion is offered


@pytest.mark.parametrize("value", [0x0081, 0x0001, 0x0002, 0x0004, 0x0084, 0x000B])
def test_a_failure_is_neither_recursion_nor_its_refusal(value: int) -> None:
    with answering_udp(flags(value)) as number:
        said = reason_at(ask(SERVERS.ask, OpenPort(number, "udp", "dns")), DnsServers)
    assert "neither an answer nor a refusal" in said


def test_a_server_that_tells_of_the_root_without_a_word_on_recursion_decides_nothing() -> None:
    def told(question: bytes) -> tuple[bytes, ...]:
        message = dns.message.make_response(dns.message.from_wire(question))
        if message.question[0].rdtype == dns.rdatatype.NS:
            message.answer.append(dns.rrset.from_text(".", 60, "IN", "NS", "a.root-servers.net."))
        return (message.to_wire(),)

    with answering_udp(told) as number:
        said = reason_at(ask(SERVERS.ask, OpenPort(number, "udp", "dns")), DnsServers)
    assert "whose authority it is not" in said


def test_an_answer_about_the_version_that_cannot_be_read_is_not_a_version_kept_back() -> None:
    def lies(question: bytes) -> tuple[bytes, ...]:
        return (question[:2] + b"\x80\0\0\1\xff\xff" + question[8:],)

    with answering_udp(lies) as number:
        said = reason_at(ask(SERVERS.ask, OpenPort(number, "udp", "dns")), DnsServers)
    assert "version.bind is no message of DNS" in said


def cut(question: bytes) -> tuple[bytes, ...]:
    """What a guard against forged senders says of everything: ask again over TCP."""
    return (question[:2] + b"\x82\0" + question[4:],)


def test_a_cut_answer_is_asked_for_again_over_tcp() -> None:
    def open_to_all(question: bytes) -> bytes:
        message = dns.message.make_response(dns.message.from_wire(question))
        message.flags |= dns.flags.RA
        if message.question[0].rdtype == dns.rdatatype.TXT:
            name = message.question[0].name
            message.answer.append(dns.rrset.from_text(name, 0, "CH", "TXT", "9.18.1"))
        wire = message.to_wire()
        return struct.pack("!H", len(wire)) + wire

    with serving(framed(open_to_all)) as number, answering_udp(cut, number):
        one = server(number)
    assert (one.recursion, one.version) == (True, "9.18.1")


def test_a_cut_answer_alone_decides_nothing() -> None:
    with answering_udp(cut, free_port()) as number:
        assert "refused" in reason_at(ask(SERVERS.ask, OpenPort(number, "udp", "dns")), DnsServers)
        assert "refused" in reason_at(transfers(number), DnsTransfers)
        assert "lab.test: " in reason_at(mail(number, "lab.test"), MailDomains)
    again = framed(lambda question: struct.pack("!H", len(question)) + cut(question)[0])
    with serving(again) as number, answering_udp(cut, number):
        assert "no whole answer" in reason_at(ask(SERVERS.ask, OpenPort(number, "udp", "dns")), DnsServers)


def test_an_authority_that_fails_leaves_its_domain_unknown() -> None:
    with answering_udp(flags(0x0402)) as number:
        assert "server failure" in reason_at(mail(number, "lab.test"), MailDomains)
        found = transfers(number, "lab.test")
    assert found.facts == ()
    assert ["server failure" in gap.reason for gap in found.gaps] == [True, True]


def other_number(q: bytes) -> tuple[bytes, ...]:
    return (bytes((q[0] ^ 1,)) + q[1:2] + b"\x80\x80" + q[4:],)


def other_words(q: bytes) -> tuple[bytes, ...]:
    return (q[:2] + b"\x80\x80" + q[4:12] + b"\x03xyz" + q[16:],)


@pytest.mark.parametrize(
    "reply",
    [mute_udp, other_number, other_words, saying_udp(b"\xff" * 20_000), saying_udp(b"x"), lambda q: (q,)],
)
def test_what_is_no_answer_to_the_question_decides_nothing(
    reply: Reply, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(udp, "LOOPBACK_SECONDS", 0.1)
    with answering_udp(reply) as number:
        assert "no answer" in reason_at(ask(SERVERS.ask, OpenPort(number, "udp", "dns")), DnsServers)


def test_a_closed_port_decides_nothing() -> None:
    port = OpenPort(free_port(), "udp", "dns")
    assert "closed" in reason_at(ask(SERVERS.ask, port), DnsServers)


def test_a_flood_decides_nothing_and_ends() -> None:
    began = monotonic()
    with answering_udp(saying_udp(*[b"x" * 50] * 10_000)) as number:
        assert "datagrams came" in reason_at(ask(SERVERS.ask, OpenPort(number, "udp", "dns")), DnsServers)
    assert monotonic() - began < 4


def authority(question: bytes) -> tuple[bytes, ...]:
    """Says of every name that it is a zone of its own."""
    message = dns.message.make_response(dns.message.from_wire(question))
    message.flags |= dns.flags.AA
    name = message.question[0].name
    message.answer.append(dns.rrset.from_text(name, 60, "IN", "SOA", "ns. admin. 1 2 3 4 5"))
    return (message.to_wire(),)


def zone_of(count: int, *, end: bool = True, code: int = 0) -> Callable[[bytes], bytes]:
    """The transfer of a zone with so many records, in messages of 50."""

    def reply(question: bytes) -> bytes:
        asked = dns.message.from_wire(question)
        name = asked.question[0].name
        soa = dns.rrset.from_text(name, 60, "IN", "SOA", "ns. admin. 1 2 3 4 5")
        records = [soa] + [
            dns.rrset.from_text(f"h{n}.{name}", 60, "IN", "A", f"192.0.2.{n % 250}") for n in range(count)
        ] + ([soa] if end else [])  # fmt: skip
        stream = b""
        for start in range(0, len(records), 50):
            message = dns.message.make_response(asked)
            message.set_rcode(dns.rcode.Rcode(code))
            message.answer.extend(records[start : start + 50])
            wire = message.to_wire(max_size=65_535)
            stream += struct.pack("!H", len(wire)) + wire
        return stream

    return reply


def framed(reply: Callable[[bytes], bytes]) -> Handler:
    """A DNS server over TCP that answers the first question."""

    def handle(connection: socket.socket) -> None:
        heard = b""
        while len(heard) < 2 or len(heard) < 2 + struct.unpack_from("!H", heard)[0]:
            more = connection.recv(4096)
            if not more:
                return
            heard += more
        connection.sendall(reply(heard[2:]))
        while connection.recv(4096):
            pass

    return handle


@contextlib.contextmanager
def both(handler: Handler) -> Iterator[int]:
    """A server that is the authority for all, and this one over TCP, on one port."""
    with serving(handler) as number, answering_udp(authority, number):
        yield number


def transferred(handler: Handler) -> Collected:
    with both(handler) as number:
        return transfers(number)


def test_a_long_zone_is_stopped_after_a_hundred_records() -> None:
    began = monotonic()
    [one] = only(transferred(framed(zone_of(300))), DnsTransfers).transfers
    assert (one.given, one.records, one.answer) == (True, 100, "100 or more records")
    assert one.zone == "1.0.0.127.in-addr.arpa"
    assert monotonic() - began < 4


def test_one_message_of_a_whole_long_zone_is_enough_to_see_it_given() -> None:
    def huge(question: bytes) -> bytes:
        asked = dns.message.make_response(dns.message.from_wire(question))
        name = asked.question[0].name
        asked.answer.append(dns.rrset.from_text(name, 60, "IN", "SOA", "ns. admin. 1 2 3 4 5"))
        texts = [f'"{n:04d}{"x" * 200}"' for n in range(290)]
        asked.answer.append(dns.rrset.from_text(name, 60, "IN", "TXT", *texts))
        wire = asked.to_wire(max_size=65_535)
        assert len(wire) > 60_000
        return struct.pack("!H", len(wire)) + wire

    [one] = only(transferred(framed(huge)), DnsTransfers).transfers
    assert (one.given, one.records) == (True, 100)


@pytest.mark.parametrize("code", [4, 5, 9])
def test_a_refusal_in_its_code_is_a_refusal(code: int) -> None:
    [one] = only(transferred(framed(zone_of(-1, end=False, code=code))), DnsTransfers).transfers
    assert (one.given, one.records) == (False, 0)


@pytest.mark.parametrize("code", [1, 2, 3])
def test_another_code_is_no_refusal(code: int) -> None:
    said = reason_at(transferred(framed(zone_of(-1, end=False, code=code))), DnsTransfers)
    assert "neither a zone nor a refusal" in said


def test_a_copy_that_breaks_off_was_given() -> None:
    def broken(connection: socket.socket) -> None:
        heard = connection.recv(4096)
        connection.sendall(zone_of(20, end=False)(heard[2:]) + b"\x01")

    [one] = only(transferred(broken), DnsTransfers).transfers
    assert (one.given, one.records) == (True, 21)


def test_a_zone_that_decides_nothing_does_not_hide_the_next_one() -> None:
    def first_fails(question: bytes) -> bytes:
        if b"in-addr" in question:
            return zone_of(-1, end=False, code=2)(question)
        return zone_of(5)(question)

    with both(framed(first_fails)) as number:
        found = transfers(number, "lab.test")
    [one] = only(found, DnsTransfers).transfers
    assert (one.zone, one.given) == ("lab.test", True)
    [gap] = found.gaps
    assert (gap.fact, gap.where) == ("DnsTransfers", f"udp/{number}")


def message_of(*records: str) -> Callable[[bytes], bytes]:
    def reply(question: bytes) -> bytes:
        message = dns.message.make_response(dns.message.from_wire(question))
        name = message.question[0].name
        message.answer.extend(dns.rrset.from_text(name, 60, "IN", *r.split(" ", 1)) for r in records)
        wire = message.to_wire()
        return struct.pack("!H", len(wire)) + wire

    return reply


def renumbered(question: bytes) -> bytes:
    wire = bytearray(zone_of(3)(question))
    wire[2] ^= 0xFF
    return bytes(wire)


@pytest.mark.parametrize(
    ("handler", "words"),
    [
        (framed(message_of()), "without a record"),
        (framed(message_of("A 192.0.2.1")), "does not begin with the zone"),
        (framed(renumbered), "another question"),
        (framed(lambda _: b"\xff\xff" + b"\xff" * 70_000), "another question|no message of DNS"),
        (framed(lambda _: b"\x00\x00"), "no message of DNS"),
        (framed(lambda _: b"\x00\x10abc"), "no complete answer"),
        (lambda connection: connection.close(), "closed the connection|reset"),
    ],
)
def test_what_is_no_transfer_decides_nothing(handler: Handler, words: str) -> None:
    assert re.search(words, reason_at(transferred(handler), DnsTransfers))


def test_a_zone_whose_compression_runs_in_circles_is_read_in_bounds() -> None:
    def circles(question: bytes) -> bytes:
        wire = question[:2] + struct.pack("!5H", 0x8400, 0, 5_000, 0, 0)
        wire += b"\xc0\x0c\x00\x06\x00\x01\x00\x00\x00\x00\x00\x00" * 4_000
        return struct.pack("!H", len(wire)) + wire

    began = monotonic()
    assert "no message of DNS" in reason_at(transferred(framed(circles)), DnsTransfers)
    assert monotonic() - began < 4


def test_a_server_without_tcp_is_not_known_to_refuse() -> None:
    with answering_udp(authority, free_port()) as number:
        assert "refused" in reason_at(transfers(number), DnsTransfers)
