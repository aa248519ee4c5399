from __future__ import annotations

import datetime as dt
import socket
import ssl
from pathlib import Path

import pytest

from checks.facts.network import OpenPort
from checks.facts.network.tls import TlsCertificates, TlsCiphers, TlsVersions
from scanner.collect.collector import Collected
from scanner.collect.network.ask import tls, tls_certificate
from scanner.collect.network.hello import VERSIONS
from tests.lab.asking import ask, only, reason
from tests.lab.services import (
    Made,
    answering,
    certificate,
    http,
    inside_tls,
    mute,
    openssl_server,
    resetting,
    serving,
    sha1_certificate,
)

EVERYTHING = "ALL:COMPLEMENTOFALL:@SECLEVEL=0"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return certificate(tmp_path_factory.mktemp("certificate"))


def probe(number: int, seconds: float = 4.0) -> Collected:
    port = OpenPort(number, "tcp", tls=True)
    return ask(tls.ask, port, TlsVersions, TlsCiphers, TlsCertificates, seconds=seconds)


@pytest.mark.real
@pytest.mark.parametrize(
    ("option", "name"),
    [("-tls1", "TLSv1.0"), ("-tls1_1", "TLSv1.1"), ("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")],
)
def test_a_server_of_one_version_is_found_to_speak_just_that(made: Made, option: str, name: str) -> None:
    # The OpenSSL of this machine does not offer TLS 1.0 by itself; the probe must not depend on it.
    ciphers = () if option == "-tls1_3" else ("-cipher", "DEFAULT:@SECLEVEL=0")
    with openssl_server(made, option, *ciphers) as number:
        [service] = only(probe(number), TlsVersions).services
    assert service.accepted == (name,)
    assert set(service.refused) == set(VERSIONS) - {name}


@pytest.mark.real
def test_a_modern_server_refuses_what_is_old(made: Made) -> None:
    with serving(inside_tls(made, http())) as number:
        found = probe(number)
    [service] = only(found, TlsVersions).services
    assert service.accepted == ("TLSv1.2", "TLSv1.3")
    assert service.refused == ("SSLv3", "TLSv1.0", "TLSv1.1")
    assert only(found, TlsCiphers).services[0].weak == ()
    assert found.gaps == ()


@pytest.mark.real
def test_a_server_that_only_speaks_1_3_has_no_weak_cipher_to_offer(made: Made) -> None:
    version = ssl.TLSVersion.TLSv1_3
    with serving(inside_tls(made, http(), minimum_version=version)) as number:
        found = probe(number)
    assert only(found, TlsVersions).services[0].accepted == ("TLSv1.3",)
    assert only(found, TlsCiphers).services[0].weak == ()


@pytest.mark.real
@pytest.mark.parametrize(
    ("cipher", "name"),
    [
        ("NULL-SHA256", "RSA NULL SHA256"),
        ("AECDH-AES128-SHA", "anonymous ECDH AES128"),
        ("ADH-AES256-SHA", "anonymous DH AES256"),
    ],
)
def test_a_broken_cipher_is_found(made: Made, cipher: str, name: str) -> None:
    with openssl_server(made, "-tls1_2", "-cipher", f"{cipher}:AES128-SHA:@SECLEVEL=0") as number:
        found = probe(number)
    assert only(found, TlsCiphers).services[0].weak == (name,)


@pytest.mark.real
def test_the_certificate_is_read_from_a_server_of_any_age(made: Made) -> None:
    with openssl_server(made, "-tls1", "-cipher", EVERYTHING) as number:
        [one] = only(probe(number), TlsCertificates).certificates
    assert (one.port, one.subject, one.names) == (f"tcp/{number}", "CN=server", ("127.0.0.1",))
    assert (one.key_type, one.key_bits, one.signature_hash, one.self_signed) == ("RSA", 2048, "sha256", True)
    assert one.not_after - one.not_before == dt.timedelta(days=120)
    assert one.not_after.tzinfo is not None


@pytest.mark.real
def test_certificates_are_told_apart(tmp_path: Path) -> None:
    many = ("a.example.org", "*.b.example.org", "10.0.0.5", "2001:db8::1")
    signed = certificate(tmp_path, "signed", names=many, bits=0, self_signed=False)
    gone = certificate(tmp_path, "gone", names=(), days=-1)
    one = tls_certificate.read_certificate("tcp/1", ssl.PEM_cert_to_DER_cert(signed.certificate.read_text()))
    assert (one.key_type, one.key_bits, one.self_signed, one.issuer) == ("EC", 256, False, "CN=lab CA")
    assert one.names == ("a.example.org", "*.b.example.org", "10.0.0.5", "2001:db8::1")
    with serving(inside_tls(gone, http())) as number:
        [old] = only(probe(number), TlsCertificates).certificates
    assert old.not_after < dt.datetime.now(dt.UTC)
    assert old.names == ()
    with serving(inside_tls(sha1_certificate(tmp_path), http())) as number:
        [weak] = only(probe(number), TlsCertificates).certificates
    assert weak.signature_hash == "sha1"


def test_an_issuer_of_the_same_name_is_no_self_signature(tmp_path: Path) -> None:
    forged = certificate(tmp_path, "lab CA", self_signed=False)
    one = tls_certificate.read_certificate("tcp/1", ssl.PEM_cert_to_DER_cert(forged.certificate.read_text()))
    assert one.subject == one.issuer
    assert not one.self_signed


@pytest.mark.parametrize("server", [resetting(1), resetting(200), mute, answering(lambda _: b"")])
def test_silence_and_resets_are_gaps_and_never_refusals(server: object) -> None:
    assert callable(server)
    with serving(server) as number:
        found = probe(number, seconds=0.3)
    assert reason(found, TlsCertificates)
    assert reason(found, TlsCiphers)
    [service] = only(found, TlsVersions).services
    assert (service.accepted, service.refused) == ((), ())
    assert {gap.where for gap in found.gaps if gap.fact == "TlsVersions"} == {f"tcp/{number}"}


def test_a_server_that_refuses_everything_may_refuse_us() -> None:
    with serving(answering(lambda _: b"\x15\x03\x01\x00\x02\x02\x28")) as number:
        found = probe(number)
    [service] = only(found, TlsVersions).services
    assert (service.accepted, service.refused) == ((), ())
    assert len([gap for gap in found.gaps if gap.fact == "TlsVersions"]) == 5


def test_a_reset_of_old_versions_beside_a_good_new_one_stays_open(made: Made) -> None:
    inner = inside_tls(made, http())

    def handle(connection: socket.socket) -> None:
        hello = connection.recv(5, socket.MSG_PEEK) + connection.recv(11, socket.MSG_PEEK)[9:11]
        if hello[5:7] in (b"\x03\x01", b"\x03\x02", b"\x03\x00"):
            resetting(1)(connection)
        else:
            inner(connection)

    with serving(handle) as number:
        found = probe(number)
    [service] = only(found, TlsVersions).services
    assert service.accepted == ("TLSv1.2", "TLSv1.3")
    assert service.refused == ()
    told = [gap.reason for gap in found.gaps if gap.fact == "TlsVersions"]
    assert len(told) == 3
    assert all("reset" in one for one in told)


def test_an_internal_error_that_passes_is_no_refusal(made: Made) -> None:
    inner = inside_tls(made, http())
    answers = [b"\x15\x03\x01\x00\x02\x02\x50"]

    def handle(connection: socket.socket) -> None:
        old = connection.recv(11, socket.MSG_PEEK)[9:11] == b"\x03\x01"
        if old and answers:
            connection.recv(4096)
            connection.sendall(answers.pop())
        else:
            (resetting(1) if old else inner)(connection)

    with serving(handle) as number:
        found = probe(number)
    assert answers == []
    [gap] = [g for g in found.gaps if g.fact == "TlsVersions"]
    assert gap.reason == "TLSv1.0: the connection was reset"


@pytest.mark.real
def test_openssl_at_its_usual_level_refuses_old_versions(made: Made) -> None:
    """It says so with an internal error, each time."""
    with openssl_server(made) as number:
        found = probe(number)
    [service] = only(found, TlsVersions).services
    assert service.accepted == ("TLSv1.2", "TLSv1.3")
    assert service.refused == ("SSLv3", "TLSv1.0", "TLSv1.1")
    assert not [gap for gap in found.gaps if gap.fact == "TlsVersions"]


def test_a_certificate_that_is_none_is_a_gap(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"parsing|error"):
        tls_certificate.read_certificate("tcp/1", b"\x30\x03\x02\x01\x05")
    real = tls_certificate.read_certificate
    monkeypatch.setattr(tls_certificate, "read_certificate", lambda port, der, via="": real(port, der[:-40]))
    with serving(inside_tls(made, http())) as number:
        found = ask(tls.ask, OpenPort(number, "tcp", tls=True), TlsCertificates)
    assert "cannot be read" in reason(found, TlsCertificates)
    assert reason(found, TlsCertificates).isprintable()


def test_only_what_is_wanted_is_asked(made: Made) -> None:
    seen: list[bytes] = []
    inner = inside_tls(made, http())

    def handle(connection: socket.socket) -> None:
        seen.append(connection.recv(1, socket.MSG_PEEK))
        inner(connection)

    with serving(handle) as number:
        ask(tls.ask, OpenPort(number, "tcp", tls=True), TlsCertificates)
    # The certificate, and whether there is another one for other clients.
    assert len(seen) == 2
