"""Certificates of services, read from answers and from real hosts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from checks.facts.host.certificates import AddedAuthorities, Certificate, Certificates
from scanner.collect.collector import Collected
from scanner.collect.host import certificates
from scanner.collect.host.probe import ParseError
from tests.lab.hosts import Host, Lab, lab

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | dsa.DSAPrivateKey
CA = ec.generate_private_key(ec.SECP256R1())


def signed(name: str, key: Key, *, issuer: str = "CN=Example CA") -> str:
    by = key if issuer == name else CA
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name.removeprefix("CN="))]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer.removeprefix("CN="))]))
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2027, 1, 1, tzinfo=UTC))
        .sign(by, None if isinstance(by, ed25519.Ed25519PrivateKey) else hashes.SHA256())
    )
    return made.public_bytes(Encoding.PEM).decode()


EC_KEY = ec.generate_private_key(ec.SECP256R1())
PEM = signed("CN=shop.example", EC_KEY)
OTHER = signed("CN=other.example", ec.generate_private_key(ec.SECP384R1()))
ROOT = signed("CN=Example CA", CA)


def told(kind: str, path: str, pem: str) -> str:
    body = "".join(f"={line}\n" for line in pem.splitlines() if "-----" not in line)
    return f"{kind}\t{path}\n{body}whole\n"


def services(seen: Collected) -> tuple[Certificate, ...]:
    found = seen.facts[0]
    assert isinstance(found, Certificates)
    return found.certificates


@pytest.mark.parametrize(
    ("key", "name", "bits", "digest"),
    [
        (rsa.generate_private_key(65537, 1024), "RSA", 1024, "sha256"),
        (ec.generate_private_key(ec.SECP256R1()), "EC", 256, "sha256"),
        (dsa.generate_private_key(1024), "DSA", 1024, "sha256"),
        (ed25519.Ed25519PrivateKey.generate(), "Ed25519", 256, ""),
    ],
    ids=["rsa", "ec", "dsa", "ed25519"],
)
def test_what_a_certificate_says(key: Key, name: str, bits: int, digest: str) -> None:
    pem = signed("CN=x", key, issuer="CN=x")
    [found] = services(certificates.parse(f"used\t/a.pem\t/c\n{told('certificate', '/a.pem', pem)}ended\n"))
    assert (found.key, found.bits, found.digest, found.self_signed) == (name, bits, digest, True)
    assert (found.begins, found.ends) == ("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z")
    assert (found.subject, found.used_by, len(found.fingerprint)) == ("CN=x", ("/c",), 64)


def test_a_certificate_that_lies_there_twice_counts_once() -> None:
    seen = certificates.parse(
        f"used\t/full.pem\t/a\nused\t/full.pem\t/b\n{told('certificate', '/full.pem', PEM)}"
        f"{told('certificate', '/cert.pem', PEM)}{told('certificate', '/lying.pem', OTHER)}ended\n"
    )
    assert [(one.path, one.used_by) for one in services(seen)] == [
        ("/full.pem", ("/a", "/b")),
        ("/lying.pem", ()),
    ]


def test_what_is_no_certificate_is_a_gap_of_its_own() -> None:
    garbage = told("certificate", "/garbage.pem", "AAAA\n")
    seen = certificates.parse(
        "used\t/der.crt\t/c\nused\t/garbage.pem\t/c\nused\t$\t/etc/nginx/nginx.conf\n"
        f"gone\tCertificates\t/gone.pem\nused\t/gone.pem\t/c\n{garbage}"
        f"{told('certificate', '/a.pem', PEM)}ended\n"
    )
    assert len(services(seen)) == 1
    assert {gap.where for gap in seen.gaps} == {
        *("/der.crt", "/garbage.pem", "/gone.pem", "/etc/nginx/nginx.conf"),
    }


@pytest.mark.parametrize(
    "text",
    [
        "",
        told("certificate", "/a", PEM),
        "certificate\t/a\n=AAAA\ncertificate\t/b\nended\n",
        "whole\nended\n",
        "=AAAA\nended\n",
        "noise\nended\n",
        "unread\tSshd\t/x\nended\n",
    ],
)
def test_a_broken_answer_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        certificates.parse(text)


# --- real hosts ---

_SECRET = EC_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
PLANT = f"""
mkdir -p /etc/nginx/sites-enabled /etc/haproxy/certs /etc/postfix /etc/dovecot/conf.d /etc/ssl/certs \
  /usr/local/share/ca-certificates /etc/ssl/own
cat >"/etc/ssl/own/shop.pem" <<'END'
{PEM}{OTHER}END
cat >/etc/haproxy/certs/site.pem <<'END'
{_SECRET}{OTHER}END
cat >/usr/local/share/ca-certificates/own.crt <<'END'
{ROOT}{OTHER}END
cat >/etc/nginx/sites-enabled/shop <<'END'
server {{
  # ssl_certificate /etc/ssl/own/commented.pem;
  ssl_certificate     "/etc/ssl/own/shop.pem";
  ssl_certificate_key /etc/ssl/own/shop.key;
}}
server {{ ssl_protocols TLSv1.3; ssl_certificate own/near.pem; }}
server {{
  ssl_certificate own/near.pem;
}}
END
mkdir /etc/nginx/own; cp /etc/ssl/own/shop.pem /etc/nginx/own/near.pem
printf 'frontend x\\n  bind *:443 ssl crt /etc/haproxy/certs alpn h2 crt /etc/ssl/own/shop.pem\\n' \
  >/etc/haproxy/haproxy.cfg
printf 'smtpd_tls_cert_file = /etc/ssl/own/gone.pem\\nsmtpd_tls_key_file=/x\\n' >/etc/postfix/main.cf
printf 'ssl_cert = </etc/ssl/own/shop.pem\\n' >/etc/dovecot/conf.d/10-ssl.conf
"""


@pytest.fixture(scope="module")
def net() -> Iterator[Lab]:
    with lab() as started:
        yield started


@pytest.fixture(scope="module", params=["bookworm", "busybox"])
def host(request: pytest.FixtureRequest, net: Lab) -> Host:
    return net.host(request.param, plant=PLANT)


@pytest.mark.real
def test_the_certificates_that_configurations_name(host: Host) -> None:
    seen = host.look(frozenset({Certificates}))
    found = seen.get(Certificates)
    assert isinstance(found, Certificates)
    assert {one.path: (one.subject, set(one.used_by)) for one in found.certificates} == {
        "/etc/ssl/own/shop.pem": (
            "CN=shop.example",
            {
                *("/etc/nginx/sites-enabled/shop", "/etc/haproxy/haproxy.cfg"),
                "/etc/dovecot/conf.d/10-ssl.conf",
            },
        ),
        "/etc/haproxy/certs/site.pem": ("CN=other.example", {"/etc/haproxy/haproxy.cfg"}),
        "/etc/nginx/own/near.pem": ("CN=shop.example", {"/etc/nginx/sites-enabled/shop"}),
    }
    assert [gap.where for gap in seen.gaps] == ["/etc/ssl/own/gone.pem"]
    secret = _SECRET.splitlines()[1]
    assert all(secret not in source.excerpt for source in seen.sources)


@pytest.mark.real
def test_added_authorities_are_all_read(host: Host) -> None:
    found = host.look(frozenset({AddedAuthorities})).get(AddedAuthorities)
    assert isinstance(found, AddedAuthorities)
    assert [one.subject for one in found.certificates] == ["CN=Example CA", "CN=other.example"]


@pytest.mark.real
def test_a_plain_login_says_which_certificate_it_may_not_read(net: Lab) -> None:
    plant = f"{PLANT}chmod 700 /etc/ssl/own"
    seen = net.host("bookworm", plant=plant, login="plain").scan(frozenset({Certificates}))
    assert {"/etc/ssl/own/shop.pem", "/etc/ssl/own/gone.pem"} == {gap.where for gap in seen.gaps}
