"""Suites, options, groups and fallbacks: against openssl and nginx, and against servers made of bytes."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.facts.network import OpenPort
from checks.facts.network.tls import (
    TlsCiphers,
    TlsFallbacks,
    TlsGroups,
    TlsSettings,
    TlsSuites,
    TlsVersions,
)
from checks.facts.snapshot import Fact
from checks.model import Outcome
from scanner.collect.collector import Collected
from scanner.collect.network import hello
from scanner.collect.network.ask import ssh_kex, tls, tls_entrance, tls_suites
from tests.checks.network.judging import CATALOGUE, judge
from tests.lab.asking import ask, only, reason
from tests.lab.daemons import daemon
from tests.lab.parts import program
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
)

FACTS = (TlsVersions, TlsCiphers, TlsSuites, TlsSettings, TlsFallbacks, TlsGroups)
OLD = "DEFAULT:@SECLEVEL=0"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return certificate(tmp_path_factory.mktemp("certificate"))


def probe(number: int, service: str = "", seconds: float = 4.0) -> Collected:
    return ask(tls.ask, OpenPort(number, "tcp", service, tls=True), *FACTS, seconds=seconds)


OPENSSL_NAMES = {
    "ECDHE-RSA-AES256-GCM-SHA384": "ECDHE-RSA AES256 GCM",
    "ECDHE-RSA-AES128-GCM-SHA256": "ECDHE-RSA AES128 GCM",
    "ECDHE-RSA-CHACHA20-POLY1305": "ECDHE-RSA CHACHA20",
    "DHE-RSA-AES256-GCM-SHA384": "DHE-RSA AES256 GCM",
    "AES128-SHA": "RSA AES128 SHA",
    "AES256-SHA256": "RSA AES256 SHA256",
    "CAMELLIA128-SHA": "RSA CAMELLIA128 SHA",
}


@pytest.mark.real
@pytest.mark.parametrize(
    ("suites", "order"),
    [
        (("AES128-SHA", "ECDHE-RSA-AES128-GCM-SHA256", "AES256-SHA256"), "server"),
        (("ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305", "CAMELLIA128-SHA"), "client"),
    ],
)
def test_suites_and_order_are_those_that_the_server_was_given(
    made: Made, suites: tuple[str, ...], order: str
) -> None:
    ours = ("-serverpref",) if order == "server" else ()
    cipher = f"{':'.join(suites)}:@SECLEVEL=0"
    with openssl_server(made, "-tls1_2", "-cipher", cipher, *ours) as number:
        found = probe(number)
        taken = {name for name in OPENSSL_NAMES if _client_agrees(number, name)}
    [one] = only(found, TlsSuites).services
    assert (one.version, one.whole, one.order) == ("TLSv1.2", True, order)
    expected = [OPENSSL_NAMES[name] for name in suites]
    assert (list(one.suites) if order == "server" else sorted(one.suites)) == (
        expected if order == "server" else sorted(expected)
    )
    assert set(one.suites) == {OPENSSL_NAMES[name] for name in taken}
    assert one.fresh_keys
    assert one.newest == "TLSv1.2"


def _client_agrees(number: int, cipher: str, version: str = "-tls1_2") -> bool:
    client = subprocess.run(
        [program("openssl"), "s_client", "-connect", f"127.0.0.1:{number}", version, "-cipher",
         f"{cipher}:@SECLEVEL=0"],
        input=b"", capture_output=True, timeout=20, check=False,
    )  # fmt: skip
    return re.search(rb"New, \S+, Cipher is (?!\(NONE\))", client.stdout) is not None


@pytest.mark.real
def test_a_server_that_only_exchanges_keys_by_rsa_has_no_forward_secrecy(made: Made) -> None:
    with openssl_server(made, "-tls1_2", "-cipher", "kRSA+AES:@SECLEVEL=0") as number:
        found = probe(number)
    [one] = only(found, TlsSuites).services
    assert not one.fresh_keys
    assert {name.partition(" ")[0] for name in one.suites} == {"RSA"}
    assert only(found, TlsGroups).services[0].bits == 0


@pytest.mark.real
def test_a_server_of_1_3_only_needs_no_further_question(made: Made) -> None:
    with openssl_server(made, "-tls1_3") as number:
        found = probe(number)
    [suites] = only(found, TlsSuites).services
    assert (suites.fresh_keys, suites.newest) == (True, "TLSv1.3")
    assert only(found, TlsSettings).services[0].version == ""
    assert not [fact for fact in found.facts if isinstance(fact, TlsFallbacks)]
    assert found.gaps == ()


def pkcs3(prime: int) -> bytes:
    """A group with the generator 2 as OpenSSL reads it."""
    number = prime.to_bytes(prime.bit_length() // 8 + 1, "big")
    inner = b"\x02\x82" + len(number).to_bytes(2, "big") + number + b"\x02\x01\x02"
    return b"\x30\x82" + len(inner).to_bytes(2, "big") + inner


@pytest.mark.real
@pytest.mark.parametrize(("name", "bits"), [("group1", 1024), ("group14", 2048)])
def test_the_group_of_a_real_server_is_measured(made: Made, tmp_path: Path, name: str, bits: int) -> None:
    made_group = tmp_path / "dh.pem"
    made_group.write_text(
        ssl.DER_cert_to_PEM_cert(pkcs3(ssh_kex._primes()[name])).replace("CERTIFICATE", "DH PARAMETERS")
    )
    with openssl_server(made, "-tls1_2", "-cipher", "DHE:@SECLEVEL=0", "-dhparam", str(made_group)) as number:
        found = probe(number)
    assert only(found, TlsGroups).services[0].bits == bits


@pytest.mark.real
def test_options_of_openssl_are_read(made: Made) -> None:
    with openssl_server(made, "-cipher", OLD, "-min_protocol", "TLSv1") as number:
        found = probe(number)
    [versions] = only(found, TlsVersions).services
    assert versions.accepted == ("TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3")
    [one] = only(found, TlsSettings).services
    assert (one.version, one.renegotiation, one.compression) == ("TLSv1.2", True, False)
    assert (one.heartbeat, one.stapled, one.alpn) == (False, False, "")
    [fallback] = only(found, TlsFallbacks).services
    assert (fallback.version, fallback.guarded) == ("TLSv1.1", True)


@pytest.mark.real
def test_versions_are_those_that_the_client_of_openssl_gets(made: Made) -> None:
    options = {"-tls1": "TLSv1.0", "-tls1_1": "TLSv1.1", "-tls1_2": "TLSv1.2", "-tls1_3": "TLSv1.3"}
    for least in ("TLSv1", "TLSv1.1", "TLSv1.2"):
        with openssl_server(made, "-cipher", OLD, "-min_protocol", least) as number:
            [ours] = only(ask(tls.ask, OpenPort(number, "tcp", tls=True), TlsVersions), TlsVersions).services
            theirs = {name for option, name in options.items() if _client_agrees(number, "DEFAULT", option)}
        assert set(ours.accepted) == theirs


@pytest.mark.real
def test_nginx_tells_what_it_would_speak_inside() -> None:
    with daemon("nginx-good") as running:
        number = running.tcp[0]
        found = probe(number, "http")
    [one] = only(found, TlsSettings).services
    assert one.renegotiation
    assert one.alpn in {"h2", "http/1.1"}


@pytest.mark.real
def test_of_a_good_web_server_only_the_store_leaves_something_to_say() -> None:
    with daemon("nginx-good") as running:
        port = OpenPort(running.tcp[0], "tcp", "http", tls=True)
        found = ask(tls.ask, port, *tls.QUESTION.facts)
    assert found.gaps == ()
    fallen = {
        name
        for name in CATALOGUE.checks
        if name.startswith("network.tls") and name != "network.tls-settings.fallback-guard"
        for one in judge(name, *found.facts)
        if one.outcome in {Outcome.FAIL, Outcome.UNKNOWN}
    }
    # The authority of the lab is in no store.
    assert fallen == {"network.tls-trust.chain"}


# --- a server of TLS 1.2 made of bytes, with what no program here still does ---


def record(kind: int, content: bytes) -> bytes:
    return (
        bytes([0x16, 3, 3])
        + struct.pack("!H", len(content) + 4)
        + bytes([kind])
        + (len(content).to_bytes(3, "big") + content)
    )


def said(
    cipher: int, extensions: bytes = b"", compression: int = 0, version: int = 0x0303, more: bytes = b""
) -> bytes:
    body = struct.pack("!H", version) + b"r" * 32 + b"\x00" + struct.pack("!HB", cipher, compression)
    return record(2, body + struct.pack("!H", len(extensions)) + extensions) + more + record(14, b"")


def extension(number: int, content: bytes = b"") -> bytes:
    return struct.pack("!HH", number, len(content)) + content


def offered(said_by_client: bytes) -> tuple[int, tuple[int, ...], bool]:
    """(version, suites, whether 1.3 is meant) of a hello of ours."""
    [version] = struct.unpack_from("!H", said_by_client, 9)
    [size] = struct.unpack_from("!H", said_by_client, 44)
    return (
        version,
        struct.unpack_from(f"!{size // 2}H", said_by_client, 46),
        b"\x00\x2b\x00\x03\x02\x03\x04" in said_by_client,
    )


REFUSED = b"\x15\x03\x03\x00\x02\x02\x28"


def legacy(versions: tuple[int, ...], answer: Callable[[int, tuple[int, ...]], bytes]) -> Callable[..., None]:
    """A server that speaks these versions and answers each hello of them as told."""

    def reply(heard: bytes) -> bytes:
        version, suites, newest = offered(heard)
        return REFUSED if newest or version not in versions else answer(version, suites)

    return answering(reply)


def test_what_an_old_library_takes_up_is_read() -> None:
    extensions = extension(hello.HEARTBEAT, b"\x01") + extension(hello.STATUS)
    staple = record(22, b"\x01\x00\x00\x05" + b"12345")

    def answer(version: int, suites: tuple[int, ...]) -> bytes:
        if 0x002F not in suites:
            return REFUSED
        return said(0x002F, extensions, 1, version, staple)

    with serving(legacy((0x0301, 0x0302, 0x0303), answer)) as number:
        found = probe(number)
    [one] = only(found, TlsSettings).services
    assert (one.renegotiation, one.compression, one.heartbeat, one.stapled) == (False, True, True, True)
    [fallback] = only(found, TlsFallbacks).services
    assert (fallback.version, fallback.guarded) == ("TLSv1.1", False)
    [suites] = only(found, TlsSuites).services
    assert (suites.suites, suites.whole, suites.order) == (("RSA AES128 SHA",), True, "")
    assert not suites.fresh_keys


@pytest.mark.parametrize(
    ("server", "library"),
    [("Apache/2.2.15 (CentOS) OpenSSL/1.0.1e-fips PHP/5", "OpenSSL/1.0.1e-fips"), ("x", "")],
)
def test_where_heartbeats_are_taken_up_the_version_of_the_library_is_read(
    made: Made, server: str, library: str
) -> None:
    """A hello with heartbeats is answered from bytes, all others by a real handshake."""
    inner = inside_tls(made, http(Server=server))

    def handle(connection: socket.socket) -> None:
        heard = connection.recv(4096, socket.MSG_PEEK)
        if extension(hello.HEARTBEAT, b"\x02") in heard:
            connection.sendall(said(0xC02F, extension(hello.HEARTBEAT, b"\x01")))
            mute(connection)
        else:
            inner(connection)

    with serving(handle) as number:
        found = probe(number, "http")
    [one] = only(found, TlsSettings).services
    assert (one.heartbeat, one.library) == (True, library)
    [finding] = judge("network.tls-settings.heartbleed", only(found, TlsSettings))
    assert finding.outcome is (Outcome.FAIL if library else Outcome.UNKNOWN)


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        REFUSED[:-1] + b"\x50",
        b"\x16\x03\x03\x00\x05hello",
        said(0x002F, version=0x0302),
        said(0x002F)[:40],
        said(0x002F)[:-9] + b"\x17\x03\x03\x00\x01x",
    ],
)
def test_an_answer_that_decides_nothing_is_a_gap(bad: bytes) -> None:
    """The versions are told; every further question gets nonsense."""
    seen: set[int] = set()

    def answer(version: int, suites: tuple[int, ...]) -> bytes:
        if suites[:-1] == tls_suites.ALL and version not in seen:
            seen.add(version)
            return said(0x002F, version=version)
        return bad

    with serving(legacy((0x0302, 0x0303), answer)) as number:
        found = probe(number, seconds=0.5)
    assert only(found, TlsVersions).services[0].accepted == ("TLSv1.1", "TLSv1.2")
    kinds: list[type[Fact]] = [TlsCiphers, TlsSuites, TlsSettings, TlsGroups]
    if bad != said(0x002F, version=0x0302):
        # An older version is no answer to a newer hello, but to the one that fell back to it.
        kinds.append(TlsFallbacks)
    for kind in kinds:
        assert reason(found, kind)


@pytest.mark.parametrize("server", [mute, resetting(1), resetting(200), answering(lambda _: b"")])
def test_silence_decides_nothing(server: Callable[[socket.socket], None]) -> None:
    with serving(server) as number:
        found = probe(number, seconds=0.2)
    for kind in (TlsSuites, TlsSettings, TlsFallbacks, TlsGroups):
        assert reason(found, kind) == "no version of TLS was accepted"


def test_a_reset_of_the_newest_hello_leaves_the_newest_version_open() -> None:
    def handle(connection: socket.socket) -> None:
        _, _, newest = offered(connection.recv(4096, socket.MSG_PEEK))
        if newest:
            resetting(1)(connection)
        else:
            legacy((0x0303,), lambda version, _: said(0xC02F, version=version))(connection)

    with serving(handle) as number:
        found = probe(number)
    assert only(found, TlsSuites).services[0].newest == ""
    [finding] = judge("network.tls-settings.newest-version", only(found, TlsSuites))
    assert finding.outcome is Outcome.UNKNOWN


def test_a_server_that_picks_what_was_not_offered_does_not_keep_us() -> None:
    heard = []

    def answer(version: int, suites: tuple[int, ...]) -> bytes:
        heard.append(suites)
        return said(0xC02F, version=version)

    with serving(legacy((0x0303,), answer)) as number:
        found = probe(number)
    assert only(found, TlsSuites).services[0].suites == ("ECDHE-RSA AES128 GCM",)
    assert len(heard) <= 1 + tls_entrance.MOST_HANDSHAKES


def test_not_more_hellos_are_sent_than_promised() -> None:
    """A server that takes every suite there is: after twelve chosen hellos the list is left unfinished."""
    heard = []

    def answer(version: int, suites: tuple[int, ...]) -> bytes:
        heard.append(suites)
        prime = struct.pack("!H", 256) + b"\xff" * 256 + b"\x00\x01\x02\x00\x01\x03"
        return said(suites[0], version=version, more=record(12, prime))

    with serving(legacy((0x0303,), answer)) as number:
        found = probe(number)
    [one] = only(found, TlsSuites).services
    assert (one.whole, one.order) == (False, "client")
    # One of them found out the version, and a server of old times refuses the others at once.
    assert len(heard) == 1 + tls_entrance.MOST_HANDSHAKES
    assert only(found, TlsGroups).services[0].bits == 2048


def flooding(connection: socket.socket) -> None:
    """Warnings without an end: each is a whole record, none decides anything."""
    connection.recv(4096)
    while True:
        connection.sendall(b"\x15\x03\x03\x00\x02\x01\x70" * 500)


def test_a_flood_of_warnings_ends_at_the_limit() -> None:
    with serving(flooding) as number:
        found = ask(tls.ask, OpenPort(number, "tcp", tls=True), TlsVersions, seconds=2.0)
    assert only(found, TlsVersions).services[0].accepted == ()
    assert all("65,536 bytes" in gap.reason for gap in found.gaps)


def test_a_long_hello_is_filled_up_to_a_length_that_balancers_take() -> None:
    for version in hello.VERSIONS:
        for suites in ((), tls_suites.ALL, tuple(tls_suites.FRESH), tuple(hello.WEAK_CIPHERS)):
            for curious in (False, True):
                length = len(hello.client_hello(version, bytes(64), suites, curious=curious)) - 5
                assert version == "SSLv3" or not 256 <= length < 512


def test_no_hello_has_more_suites_than_old_servers_can_take() -> None:
    for suites in (tls_suites.ALL, tuple(tls_suites.SOUND), tuple(hello.WEAK_CIPHERS)):
        assert len(suites) + 2 <= 127
    # What is left out of the hello for all versions is nothing that a version before 1.2 could speak.
    left_out = {tls_suites.SOUND[number] for number in tls_suites.SOUND if number not in tls_suites.ALL}
    assert all(re.search("GCM|CCM8", name) for name in left_out)


def test_every_suite_has_one_name_and_no_weak_one_is_called_sound() -> None:
    assert len(set(tls_suites.SOUND.values())) == len(tls_suites.SOUND)
    assert not set(tls_suites.SOUND) & set(hello.WEAK_CIPHERS)
    assert tls_suites.suite_name(0x1301) == "AES128 GCM"
    assert tls_suites.suite_name(0xFEFE) == "suite 0xfefe"


@pytest.mark.real
def test_numbers_of_suites_are_those_of_openssl() -> None:
    """`openssl ciphers` knows both the number and the parts of each."""
    told = subprocess.run(
        [program("openssl"), "ciphers", "-V", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"],
        capture_output=True, text=True, check=True, timeout=20,
    ).stdout  # fmt: skip
    compared = 0
    for high, low, name in re.findall(r"0x(\w\w),0x(\w\w) - (\S+)", told):
        number = int(high + low, 16)
        if number in tls_suites.SOUND:
            assert _parts(name) == _parts(tls_suites.SOUND[number].replace(" ", "-")), name
            compared += 1
    assert compared >= 60


def _parts(name: str) -> set[str]:
    """What both ways of writing a suite say: OpenSSL leaves RSA and CBC out, and adds the hash of GCM."""
    name = re.sub(r"\bECDHE-ARIA", "ECDHE-RSA-ARIA", name.upper())
    name = re.sub(r"(AES|ARIA|CAMELLIA)-?(\d)", r"\1\2", name)
    aead = re.search(r"GCM|CCM|POLY1305|CHACHA20", name)
    words = set(re.split(r"[-_]", name)) - {"POLY1305", "RSA"}
    return {w for w in words if not (aead and w.startswith("SHA"))}


@given(st.binary(max_size=300))
def test_any_bytes_end_in_a_flight_or_the_error(data: bytes) -> None:
    for prefix in (b"", b"\x16\x03\x03\x01\x00", said(0x0033)[:-9] + b"\x16\x03\x03\x00\x40\x0c"):
        with contextlib.suppress(hello.NotTlsError):
            hello.read_flight(prefix + data)
