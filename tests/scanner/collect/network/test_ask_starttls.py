"""The way into TLS through the protocols that start in clear text: real servers, and hostile ones."""

from __future__ import annotations

import contextlib
import shutil
import socket
import struct
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from checks.facts.network import OpenPort
from checks.facts.network.tls import TlsCertificates, TlsCiphers, TlsGroups, TlsSuites, TlsTrusts, TlsVersions
from scanner.collect.collector import Collected
from scanner.collect.network.ask import starttls, tls
from tests.lab import daemons_files, daemons_stores
from tests.lab.asking import ask, only, reason
from tests.lab.daemons import Place, Running, daemon, folder, launch
from tests.lab.services import (
    Handler,
    Made,
    answering,
    certificate,
    dripping,
    endless,
    endless_lines,
    inside_tls,
    mute,
    resetting,
    saying,
    serving,
)

FACTS = (TlsVersions, TlsCiphers, TlsSuites, TlsGroups, TlsCertificates, TlsTrusts)


def probe(number: int, service: str, seconds: float = 4.0) -> Collected:
    return ask(tls.ask, OpenPort(number, "tcp", service), *FACTS, seconds=seconds)


@contextlib.contextmanager
def launched(name: str, prepare: Callable[[Place], object]) -> Iterator[Running]:
    with folder() as own:
        place = Place(own)
        running = launch(name, place, prepare(place))  # type: ignore[arg-type]
        try:
            running.wait()
            yield running
        finally:
            running.stop()


def made(place: Place, owner: str) -> Made:
    one = certificate(place.folder, names=("db.lab.test",), self_signed=False)
    for file in (one.certificate, one.key):
        shutil.chown(file, owner)
        file.chmod(0o600)
    return one


def slapd(place: Place) -> object:
    prepared = daemons_files.slapd(True, place)
    one = made(place, "root")
    config = place.folder / "slapd.conf"
    lines = f"TLSCertificateFile {one.certificate}\nTLSCertificateKeyFile {one.key}\n"
    head, mark, rest = config.read_text().partition("database ldif")
    config.write_text(head + lines + mark + rest)
    return prepared


def postgres(place: Place) -> object:
    prepared = daemons_stores.postgres("scram-sha-256", place)
    one = made(place, "postgres")
    options = ("ssl=on", f"ssl_cert_file={one.certificate}", f"ssl_key_file={one.key}")
    return replace(prepared, command=(*prepared.command, *(w for o in options for w in ("-c", o))))


def mariadb(place: Place) -> object:
    prepared = daemons_stores.mariadb(place)
    one = made(place, "mysql")
    return replace(
        prepared, command=(*prepared.command, f"--ssl-cert={one.certificate}", f"--ssl-key={one.key}")
    )


REAL: dict[str, tuple[str, Callable[[], contextlib.AbstractContextManager[Running]], int]] = {
    "postfix": ("smtp", lambda: daemon("postfix-good"), 0),
    "dovecot-imap": ("imap", lambda: daemon("dovecot-good"), 0),
    "dovecot-pop3": ("pop3", lambda: daemon("dovecot-good"), 1),
    "ftp": ("ftp", lambda: daemon("ftp-good"), 0),
    "slapd": ("ldap", lambda: launched("slapd", slapd), 0),
    "postgres": ("postgresql", lambda: launched("postgres", postgres), 0),
    "mariadb": ("mysql", lambda: launched("mariadb", mariadb), 0),
    "xrdp": ("rdp", lambda: daemon("xrdp-tls"), 0),
}


@pytest.mark.real
@pytest.mark.parametrize("name", REAL)
def test_a_real_server_is_asked_inside_its_own_protocol(name: str) -> None:
    service, start, index = REAL[name]
    with start() as running:
        found = probe(running.tcp[index], service)
    [versions] = only(found, TlsVersions).services
    assert {"TLSv1.2", "TLSv1.3"} <= set(versions.accepted)
    assert "SSLv3" not in versions.accepted
    assert versions.via == service
    [one] = only(found, TlsCertificates).certificates
    assert (one.via, len(one.key_fingerprint)) == (service, 64)
    [trust] = only(found, TlsTrusts).services
    assert (trust.trusted, "this store" in trust.reason) == (False, True)
    # Dovecot and slapd close where others send an alert, and take a good hello right after it.
    assert found.gaps == ()
    [evidence] = [one for one in found.sources if one.fact == "TlsVersions"]
    assert ("twice, while a good hello" in evidence.excerpt) is (service in {"imap", "pop3", "ldap"})
    for fact in (TlsCiphers, TlsSuites):
        assert all(one.via == service for f in found.facts if isinstance(f, fact) for one in f.services)


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "service", "index"),
    [
        ("postfix-relay", "smtp", 0),
        ("dovecot-plain", "imap", 0),
        ("slapd-good", "ldap", 0),
        ("xrdp-old", "rdp", 0),
    ],
)
def test_a_real_server_that_does_not_start_tls_is_no_tls_service(name: str, service: str, index: int) -> None:
    with daemon(name) as running:
        found = probe(running.tcp[index], service)
    assert found == Collected()


SMTP = {b"EHLO": b"250-mail\r\n250 STARTTLS\r\n", b"STAR": b"220 go\r\n"}
GREETING = b"220 mail\r\n"
MYSQL = b"\x0a8.0.1\x00" + b"\x01\x00\x00\x00" + b"s" * 8 + b"\x00"


def packet(body: bytes) -> bytes:
    return len(body).to_bytes(3, "little") + b"\x00" + body


def smtp(answers: dict[bytes, bytes]) -> Handler:
    return answering(lambda heard: answers.get(heard[:4], b""), GREETING)


@pytest.mark.parametrize(
    ("service", "server"),
    [
        ("smtp", smtp({b"EHLO": b"250-mail\r\n250-XSTARTTLS\r\n250 AUTH PLAIN STARTTLS\r\n"})),
        ("ftp", answering(lambda _: b"502 what\r\n", b"220-long\r\n220 hello\r\n")),
        ("imap", answering(lambda _: b"* OK noise\r\na1 BAD what\r\n", b"* OK hello\r\n")),
        ("pop3", answering(lambda _: b"-ERR what\r\n", b"+OK hello\r\n")),
        ("ldap", answering(lambda _: b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x02\x04\x00\x04\x00")),
        ("postgresql", answering(lambda _: b"N")),
        ("mysql", saying(packet(MYSQL + b"\xff\xf7\x08\x02\x00"))),
        ("rdp", answering(lambda _: b"\x03\x00\x00\x0b\x06\xd0\x00\x00\x12\x34\x00")),
        (
            "rdp",
            answering(lambda _: b"\x03\x00\x00\x13\x0e\xd0\x00\x00\x12\x34\x00\x03\x00\x08\x00\x02\0\0\0"),
        ),
    ],
)
def test_a_refusal_in_the_words_of_the_protocol_is_no_gap(service: str, server: Handler) -> None:
    with serving(server) as number:
        assert probe(number, service, seconds=1.0) == Collected()


@pytest.mark.parametrize(
    ("service", "server"),
    [
        ("smtp", saying(b"554 go away\r\n")),
        ("smtp", smtp({b"EHLO": b"500 what\r\n"})),
        ("smtp", smtp(SMTP | {b"STAR": b"454 not now\r\n"})),
        ("smtp", smtp(SMTP | {b"STAR": b"220 go\r\n and then no TLS at all, but words"})),
        ("ftp", answering(lambda _: b"421 busy\r\n", GREETING)),
        ("imap", saying(b"* OK hello\r\n")),
        ("pop3", saying(b"-ERR busy\r\n")),
        ("ldap", answering(lambda _: b"\x30\x84\xff\xff\xff\xff\x02\x01\x01\x78")),
        ("ldap", answering(lambda _: b"\x30\x89" + b"x" * 40)),
        ("ldap", answering(lambda _: b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00")),
        ("ldap", answering(lambda _: b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x34\x04\x00\x04\x00")),
        ("postgresql", answering(lambda _: b"E")),
        ("mysql", saying(packet(b"\xff\x6a\x04Host is blocked"))),
        ("mysql", saying(packet(b"\x0a8.0\x00"))),
        ("mysql", saying(b"\xff\xff\xff\x00" + b"x" * 100)),
        ("rdp", answering(lambda _: b"\x03\x00\x00\x0b\x06\xf0\x00\x00\x12\x34\x00")),
        *(
            (service, server)
            for service in starttls.UPGRADES
            for server in (mute, dripping, endless, endless_lines, resetting(1), resetting(40))
        ),
    ],
)
def test_nonsense_on_the_way_is_a_gap_in_every_fact(service: str, server: Handler) -> None:
    with serving(server) as number:
        found = probe(number, service, seconds=0.1)
    for kind in (TlsCertificates, TlsTrusts, TlsCiphers, TlsSuites):
        assert reason(found, kind)
    assert {gap.where for gap in found.gaps} == {f"tcp/{number}"}


def test_a_port_that_is_not_led_to_tls_is_tried_once() -> None:
    tried = []

    def handle(connection: socket.socket) -> None:
        tried.append(connection)
        mute(connection)

    with serving(handle) as number:
        found = probe(number, "ldap", seconds=0.3)
    assert len(tried) == 1
    assert {gap.reason.rpartition(": ")[2] for gap in found.gaps if "accepted" not in gap.reason} == {
        "no complete answer within 0 s"
    }


def test_what_was_offered_once_and_then_no_more_is_a_gap(tmp_path: Path) -> None:
    inner = inside_tls(certificate(tmp_path), mute)
    answers = [b"S"]

    def handle(connection: socket.socket) -> None:
        connection.recv(8)
        said = answers.pop() if answers else b"N"
        connection.sendall(said)
        if said == b"S":
            inner(connection)

    with serving(handle) as number:
        found = probe(number, "postgresql", seconds=1.0)
    assert only(found, TlsCertificates).certificates
    assert "as it had done before" in reason(found, TlsCiphers)


def test_the_request_of_ldap_is_well_formed() -> None:
    size = starttls.LDAP_START_TLS[1]
    assert len(starttls.LDAP_START_TLS) == size + 2
    assert starttls.LDAP_START_TLS.endswith(b"\x80\x161.3.6.1.4.1.1466.20037")


def test_a_database_that_shut_us_out_says_how_it_lets_us_in_again() -> None:
    blocked = packet(b"\xff\x69\x04Host '10.0.0.1' is blocked because of many connection errors")
    with serving(saying(blocked)) as number:
        found = probe(number, "mysql", seconds=1.0)
    for kind in (TlsCertificates, TlsCiphers):
        assert "FLUSH HOSTS" in reason(found, kind)


def test_mysql_is_asked_less_because_it_counts(tmp_path: Path) -> None:
    """After a hundred handshakes that were left it shuts the scanner's address out."""
    heard = []
    inner = inside_tls(certificate(tmp_path), mute)

    def handle(connection: socket.socket) -> None:
        connection.sendall(packet(MYSQL + struct.pack("<HBH", 0xFFFF, 8, 2)))
        heard.append(connection.recv(36))
        inner(connection)

    with serving(handle) as number:
        found = probe(number, "mysql")
    assert only(found, TlsVersions).services[0].accepted == ("TLSv1.2", "TLSv1.3")
    assert {one[3] for one in heard} == {1}
    assert len(heard) <= 1 + 8 + 4
