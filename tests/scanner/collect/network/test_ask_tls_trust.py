"""The chain that a port presents, and the path to a root of the scanner's own machine."""

from __future__ import annotations

import datetime as dt
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from checks.facts.network import OpenPort
from checks.facts.network.tls import TlsCertificates, TlsChains, TlsTrusts
from checks.model import Outcome
from scanner.collect.collector import Collected
from scanner.collect.network.ask import tls, tls_certificate, tls_trust
from tests.checks.network.judging import judge, outcomes
from tests.lab.asking import AT, ask, only, reason
from tests.lab.parts import program
from tests.lab.services import Made, certificate, inside_tls, mute, openssl_server, serving

FACTS = (TlsCertificates, TlsChains, TlsTrusts)
NOW = dt.datetime.fromisoformat(AT)
DAY = dt.timedelta(days=1)


def probe(number: int, seconds: float = 4.0) -> Collected:
    return ask(tls.ask, OpenPort(number, "tcp", tls=True), *FACTS, seconds=seconds)


@dataclass(frozen=True)
class Signed:
    """A certificate and the key that belongs to it."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)


def sign(
    name: str,
    by: Signed | None,
    *extensions: x509.ExtensionType,
    authority: bool = True,
    begin: dt.datetime = NOW - 10 * DAY,
    end: dt.datetime = NOW + 80 * DAY,
) -> Signed:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
    )
    if authority:
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return Signed(builder.sign(by.key if by else key, hashes.SHA256()), key)


def names(*dns: str) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([x509.DNSName(one) for one in dns])


ROOT = sign("lab root", None)
MIDDLE = sign("lab middle", ROOT)
LEAF = sign("server", MIDDLE, names("*.lab.test", "lab.test"), authority=False)


def file_of(folder: Path, leaf: Signed, *others: Signed) -> Made:
    made = Made(folder / "chain.pem", folder / "chain.key")
    made.certificate.write_bytes(leaf.pem + b"".join(one.pem for one in others))
    made.key.write_bytes(
        leaf.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return made


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The machine's store holds the root of the lab and nothing else."""
    file = tmp_path / "roots.pem"
    file.write_bytes(ROOT.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    tls_trust.read_roots.cache_clear()
    yield file
    tls_trust.read_roots.cache_clear()


@pytest.mark.parametrize("middle", [True, False])
def test_a_chain_is_followed_to_the_store_of_this_machine(tmp_path: Path, store: Path, middle: bool) -> None:
    made = file_of(tmp_path, LEAF, *((MIDDLE,) if middle else ()))
    with serving(inside_tls(made, mute)) as number:
        found = probe(number)
    [trust] = only(found, TlsTrusts).services
    assert (trust.trusted, trust.store, trust.days, trust.self_signed) == (middle, str(store), 90, False)
    assert trust.reason == (
        "" if middle else "its issuer CN=lab middle is neither presented nor in this store"
    )
    [chain] = only(found, TlsChains).services
    assert [link.subject for link in chain.links] == (["CN=lab middle"] if middle else [])
    assert chain.ordered
    [one] = only(found, TlsCertificates).certificates
    assert one.fingerprint == trust.fingerprint
    assert one.curve == "secp256r1"


@pytest.mark.real
def test_openssl_comes_to_the_same_result(tmp_path: Path, store: Path) -> None:
    stranger = sign("other root", None)
    foreign = sign("server", stranger, names("lab.test"), authority=False)
    for leaf, others in ((LEAF, (MIDDLE,)), (LEAF, ()), (foreign, (stranger,)), (LEAF, (ROOT, MIDDLE))):
        made = file_of(tmp_path, leaf, *others)
        with openssl_server(made, "-cert_chain", str(made.certificate)) as number:
            [trust] = only(probe(number), TlsTrusts).services
            client = subprocess.run(
                [program("openssl"), "s_client", "-connect", f"127.0.0.1:{number}", "-CAfile", str(store),
                 "-attime", str(int(NOW.timestamp()))],
                input=b"", capture_output=True, timeout=20, check=False,
            )  # fmt: skip
        assert trust.trusted is (b"Verify return code: 0 (ok)" in client.stdout)


def distrust(chain: tuple[Signed, ...], store: Path) -> str:
    one = tls_certificate.read_certificate("tcp/1", chain[0].der)
    roots = tls_trust.read_roots(str(store))
    return tls_trust.distrust(one, tuple(c.der for c in chain), roots, NOW)


def test_why_there_is_no_path_is_told(store: Path) -> None:
    stranger = sign("other root", None)
    foreign = sign("server", stranger, names("lab.test"), authority=False)
    assert distrust((foreign, stranger), store) == "its root CN=other root is not in this store"
    own = sign("server", None, names("lab.test"), authority=False)
    assert distrust((own,), store) == "it is not in this store"
    nameless = sign("server", MIDDLE, authority=False)
    assert "subjectAltName" in distrust((nameless, MIDDLE), store)
    forged = sign("lab root", None)
    liar = sign("server", forged, names("lab.test"), authority=False)
    assert distrust((liar,), store)
    no_authority = sign("middle", ROOT, authority=False)
    below = sign("server", no_authority, names("lab.test"), authority=False)
    assert distrust((below, no_authority), store)
    odd = sign("server", MIDDLE, names("-bad-.\u0001"), authority=False)
    assert distrust((odd, MIDDLE), store).isprintable()


def test_the_age_of_the_certificate_itself_is_the_question_of_others(store: Path) -> None:
    gone = sign("server", MIDDLE, names("lab.test"), authority=False, end=NOW - DAY)
    early = sign("server", MIDDLE, names("lab.test"), authority=False, begin=NOW + DAY, end=NOW + 20 * DAY)
    assert distrust((gone, MIDDLE), store) == distrust((early, MIDDLE), store) == ""
    old = sign("old middle", ROOT, end=NOW - DAY)
    assert distrust((sign("server", old, names("lab.test"), authority=False), old), store)


def test_an_address_is_a_name_too(store: Path) -> None:
    for address in ("127.0.0.1", "2001:db8::1"):
        name = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))])
        assert distrust((sign("server", MIDDLE, name, authority=False), MIDDLE), store) == ""


def test_a_demand_for_a_stapled_status_is_read() -> None:
    demand = x509.TLSFeature([x509.TLSFeatureType.status_request])
    one = sign("server", MIDDLE, names("lab.test"), demand, authority=False)
    assert tls_certificate.read_certificate("tcp/1", one.der).must_staple
    assert not tls_certificate.read_certificate("tcp/1", LEAF.der).must_staple


def test_the_fingerprint_of_the_key_stays_when_the_certificate_is_renewed(tmp_path: Path) -> None:
    made = certificate(tmp_path)
    public = subprocess.run(
        [program("openssl"), "pkey", "-in", str(made.key), "-pubout", "-outform", "DER"],
        capture_output=True, check=True, timeout=20,
    ).stdout  # fmt: skip
    digest = hashes.Hash(hashes.SHA256())
    digest.update(public)
    der = x509.load_pem_x509_certificate(made.certificate.read_bytes()).public_bytes(
        serialization.Encoding.DER
    )
    one = tls_certificate.read_certificate("tcp/1", der)
    assert one.key_fingerprint == digest.finalize().hex()
    assert one.fingerprint != one.key_fingerprint


def test_a_machine_without_roots_does_not_know(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty, broken = tmp_path / "empty.pem", tmp_path / "broken.pem"
    empty.touch()
    broken.write_bytes(b"no certificate")
    for file in ("", str(empty), str(broken), str(tmp_path / "missing")):
        monkeypatch.setattr(tls_trust, "store_file", lambda named=file: named)
        with serving(inside_tls(file_of(tmp_path, LEAF, MIDDLE), mute)) as number:
            found = probe(number)
        assert only(found, TlsCertificates).certificates
        assert "no readable store" in reason(found, TlsTrusts)


def test_fifty_certificates_are_not_all_read(tmp_path: Path) -> None:
    chain = [sign("0", None)]
    for number in range(1, 50):
        chain.append(sign(str(number), chain[-1]))
    leaf = sign("server", chain[-1], names("lab.test"), authority=False)
    with serving(inside_tls(file_of(tmp_path, leaf, *reversed(chain)), mute)) as number:
        found = probe(number)
    assert only(found, TlsCertificates).certificates
    assert reason(found, TlsChains) == "51 certificates; not more than 30 are read"
    assert reason(found, TlsTrusts)


def test_a_chain_out_of_order_is_told_and_still_followed(tmp_path: Path) -> None:
    with serving(inside_tls(file_of(tmp_path, LEAF, ROOT, MIDDLE), mute)) as number:
        found = probe(number)
    [chain] = only(found, TlsChains).services
    assert ([link.subject for link in chain.links], chain.ordered) == (
        ["CN=lab root", "CN=lab middle"],
        False,
    )
    assert chain.links[0].self_signed
    assert only(found, TlsTrusts).services[0].trusted


def test_a_certificate_of_a_hundred_kilobytes_is_a_gap(tmp_path: Path) -> None:
    huge = sign("server", MIDDLE, names(*(f"{n:060}.lab.test" for n in range(1_400))), authority=False)
    assert len(huge.der) > 95_000
    with serving(inside_tls(file_of(tmp_path, huge), mute)) as number:
        found = probe(number)
    for kind in FACTS:
        assert reason(found, kind)


def test_a_link_that_cannot_be_read_hides_the_chain_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = tls_certificate.presented
    monkeypatch.setattr(tls_certificate, "presented", lambda inner: (*real(inner), b"\x30\x03\x02\x01\x05"))
    with serving(inside_tls(file_of(tmp_path, LEAF, MIDDLE), mute)) as number:
        found = probe(number)
    assert only(found, TlsCertificates).certificates
    for kind in (TlsChains, TlsTrusts):
        assert "cannot be read" in reason(found, kind)


def test_a_path_through_what_may_not_lead_there_is_none(store: Path) -> None:
    """Each of these chains is signed and in its time; one certificate of it was made for something else."""
    own = names("lab.test")
    no_authority = x509.BasicConstraints(ca=False, path_length=None)
    last_authority = sign("last", ROOT, x509.BasicConstraints(ca=True, path_length=0), authority=False)
    signs_nothing = x509.KeyUsage(True, *(False,) * 8)
    limited = x509.NameConstraints([x509.DNSName("ok.test")], None)
    for_clients = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    for_code = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING])
    one = sign("middle", ROOT, no_authority, authority=False)
    beyond = sign("beyond", last_authority)
    dumb = sign("dumb", ROOT, signs_nothing)
    bound = sign("bound", ROOT, limited)
    coder = sign("coder", ROOT, for_code)
    wrong = (
        (sign("server", one, own, authority=False), one),
        (sign("server", beyond, own, authority=False), beyond, last_authority),
        (sign("server", dumb, own, authority=False), dumb),
        (sign("server", bound, names("a.ok.test", "evil.test"), authority=False), bound),
        (sign("server", coder, own, authority=False), coder),
        (sign("server", MIDDLE, own, for_clients, authority=False), MIDDLE),
    )
    for chain in wrong:
        assert distrust(chain, store)
    assert (
        distrust(wrong[-1], store) == "a certificate of the path is not meant for servers (extendedKeyUsage)"
    )
    assert distrust((sign("server", bound, names("a.ok.test"), authority=False), bound), store) == ""


def test_names_that_are_unusual_do_not_break_the_path(store: Path) -> None:
    """Whether a name fits is the question of another check."""
    for name in ("my_host.lab.test", "intranet", "Intra.Lab.Test", "w*.lab.test", "10.0.0.1"):
        assert distrust((sign("server", MIDDLE, names(name), authority=False), MIDDLE), store) == ""


@pytest.mark.real
@pytest.mark.parametrize("newest", [True, False])
def test_a_short_key_does_not_hide_behind_that_for_modern_clients(tmp_path: Path, newest: bool) -> None:
    """A server with a good ECDSA certificate and a weak RSA one beside it for old clients."""
    weak = certificate(tmp_path, "weak", bits=1024)
    made = file_of(tmp_path, LEAF, MIDDLE)
    options = ("-dcert", str(weak.certificate), "-dkey", str(weak.key), "-cipher", "DEFAULT:@SECLEVEL=0")
    with openssl_server(made, *options, *(() if newest else ("-no_tls1_3",))) as number:
        found = ask(tls.ask, OpenPort(number, "tcp", tls=True), TlsCertificates)
    fact = only(found, TlsCertificates)
    assert [(one.key_type, one.key_bits) for one in fact.certificates] == [("EC", 256), ("RSA", 1024)]
    assert fact.usual() == fact.certificates[:1]
    port = f"tcp/{number}"
    assert outcomes(judge("network.tls.certificate-key", fact)) == {
        port: Outcome.PASS,
        f"{port} RSA": Outcome.FAIL,
    }


@pytest.mark.real
def test_where_there_is_no_other_certificate_the_evidence_says_so(tmp_path: Path) -> None:
    made = file_of(tmp_path, LEAF, MIDDLE)
    with openssl_server(made) as number:
        found = ask(tls.ask, OpenPort(number, "tcp", tls=True), TlsCertificates)
    [evidence] = found.sources
    assert len(only(found, TlsCertificates).certificates) == 1
    assert evidence.excerpt.endswith("another one with a key of the kind RSA: refused with alert 40")
