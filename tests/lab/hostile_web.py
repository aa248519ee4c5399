"""Hostile behaviours of web servers and of TLS."""

from __future__ import annotations

import datetime as dt
import functools
import gzip
import socket
import ssl
import struct
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.lab.hostile_words import (
    ALL_WORDS,
    MARKUP,
    Behaviour,
    Talk,
    drips,
    forever,
    hears,
    listens,
    resets,
    stays,
)


def page(*headers: bytes, body: bytes = b"", status: bytes = b"200 OK", length: bytes | None = None) -> bytes:
    """A page; a length that lies if it is given."""
    told = (b"Content-Length: %d" % len(body),) if length is None else (b"Content-Length: " + length,)
    return b"\r\n".join((b"HTTP/1.1 " + status, *headers, *told, b"", body))


def each(answer: bytes) -> Talk:
    """The same page for every request, and the end of the connection."""

    def talk(connection: socket.socket) -> None:
        if listens(connection):
            connection.sendall(answer)

    return talk


@functools.cache
def _bomb() -> bytes:
    """50 MB of zeros, twice compressed to the size of a letter."""
    return gzip.compress(bytes(50_000_000), 9)


def _bombs(encoding: bytes) -> Talk:
    def talk(connection: socket.socket) -> None:
        if listens(connection):
            body = _bomb()
            connection.sendall(page(b"Content-Encoding: " + encoding, body=body))

    return talk


def _loop(connection: socket.socket) -> None:
    host, port = connection.getsockname()[:2]
    if listens(connection):
        where = b"Location: http://%s:%d/again" % (host.encode(), port)
        connection.sendall(page(where, status=b"302 Found"))


_DEEP = b'{"a":' * 100_000
_CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

_HTTP: tuple[Behaviour, ...] = (
    Behaviour("http: redirects to itself for ever", 80, talk=_loop),
    Behaviour(
        "http: redirects out of the scope",
        80,
        talk=each(page(b"Location: http://203.0.113.9/", status=b"301 Moved")),
    ),
    Behaviour(
        "http: redirects to a file", 80, talk=each(page(b"Location: file:///etc/passwd", status=b"302 X"))
    ),
    Behaviour(
        "http: redirects to a name of another network",
        80,
        talk=each(page(b"Location: https://169.254.169.254/latest", status=b"307 X")),
    ),
    Behaviour("http: a compression bomb", 80, talk=_bombs(b"gzip")),
    Behaviour("http: a bomb that says it is deflated", 8080, talk=_bombs(b"deflate, gzip")),
    Behaviour(
        "http: headers without an end", 80, talk=forever(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n", wait=True)
    ),
    Behaviour(
        "http: one header without an end", 80, talk=forever(b"HTTP/1.1 200 OK\r\nX: ", b"A", wait=True)
    ),
    Behaviour(
        "http: a body without an end", 80, talk=forever(b"HTTP/1.1 200 OK\r\n\r\n", b"<p>more", wait=True)
    ),
    Behaviour("http: a chunk of sixteen exabytes", 80, talk=hears(_CHUNKED + b"ffffffffffffffff\r\nabc")),
    Behaviour("http: chunks without an end", 80, talk=forever(_CHUNKED, b"1\r\na\r\n", wait=True)),
    Behaviour("http: chunks of negative size", 80, talk=each(_CHUNKED + b"-5\r\nabc\r\n0x10\r\n\r\n")),
    Behaviour("http: a length that is too long", 80, talk=hears(page(body=b"abc", length=b"999999999999"))),
    Behaviour("http: a length that is none", 80, talk=each(page(body=b"abc", length=b"-1"))),
    Behaviour("http: a status that is none", 80, talk=each(b"HTTP/9.9 ABC \xff\r\n\r\n")),
    Behaviour("http: goes on and on", 80, talk=forever(b"", b"HTTP/1.1 100 Continue\r\n\r\n", wait=True)),
    Behaviour(
        "http: markup everywhere",
        80,
        talk=each(
            page(
                b"Server: nginx/1.2.3 " + ALL_WORDS,
                b"X-Powered-By: " + MARKUP,
                b"WWW-Authenticate: " + MARKUP,
                body=b"<title>" + ALL_WORDS + b"</title><form><input type=password>",
            )
        ),
    ),
    Behaviour("http: the answer drips", 80, talk=drips(b"HTTP/1.1 200 OK\r\n")),
    Behaviour("http: reset in the middle", 80, talk=resets(1, b"")),
    Behaviour("docker: deep JSON", 2375, talk=each(page(b"Server: Docker/1", body=_DEEP))),
    Behaviour(
        "elasticsearch: markup and numbers without bound",
        9200,
        talk=each(
            page(
                b"Content-Type: application/json",
                body=b'{"version":{"number":"' + MARKUP + b'"},"n":' + b"9" * 5000 + b",",
            )
        ),
    ),
    Behaviour("etcd: JSON that ends early", 2379, talk=each(page(body=b'{"etcdserver":"3', length=b"900"))),
    Behaviour("kubelet: JSON without an end", 10255, talk=forever(_CHUNKED, b"5\r\n[[[[[\r\n", wait=True)),
    Behaviour("consul: not even JSON", 8500, talk=each(page(body=b"\xff\xfe{\x00"))),
)


def _certificate_files(words: str, names: int) -> tuple[Path, Path]:
    """A certificate of our own with these words in it and so many names."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, words)])
    end = dt.datetime.now(dt.UTC) + dt.timedelta(days=9)
    many = x509.SubjectAlternativeName([x509.DNSName(f"n{n}.{'x' * 40}.test") for n in range(names)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(end - dt.timedelta(days=30))
        .not_valid_after(end)
        .add_extension(many, critical=False)
        .sign(key, hashes.SHA256())
    )
    folder = Path(tempfile.mkdtemp(prefix="btz-"))
    first, second = folder / "c.pem", folder / "k.pem"
    first.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    second.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return first, second


@functools.cache
def _context(words: str, names: int) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    first, second = _certificate_files(words, names)
    context.load_cert_chain(first, second)
    for file in (first, second):
        file.unlink()
    first.parent.rmdir()
    return context


def _secured(words: str, names: int) -> Talk:
    """TLS with that certificate, and inside it silence."""

    def talk(connection: socket.socket) -> None:
        try:
            with _context(words, names).wrap_socket(connection, server_side=True) as secured:
                stays(secured)
        except ssl.SSLError:
            return

    return talk


def _record(kind: int, content: bytes, length: int | None = None) -> bytes:
    return struct.pack("!BHH", kind, 0x0303, len(content) if length is None else length) + content


def _message(kind: int, content: bytes, length: int | None = None) -> bytes:
    return bytes((kind,)) + (len(content) if length is None else length).to_bytes(3, "big") + content


def _hello(version: int = 0x0303, cipher: int = 0xC02F) -> bytes:
    return _message(2, struct.pack("!H", version) + bytes(32) + b"\0" + struct.pack("!H", cipher) + b"\0")


def _chain(content: bytes, length: int | None = None) -> bytes:
    inner = (len(content) if length is None else length).to_bytes(3, "big") + content
    return (len(inner)).to_bytes(3, "big") + inner


_GARBAGE_DER = b"\x30\x82\xff\xff" + b"\x30\x80" * 2000
_TLS: tuple[Behaviour, ...] = (
    Behaviour("tls: reset in the middle of the handshake", 443, talk=resets(1)),
    Behaviour("tls: stall after the client's hello", 443, talk=stays),
    Behaviour("tls: stall after the server's hello", 443, talk=hears(_record(22, _hello()))),
    Behaviour("tls: garbage", 443, talk=forever(b"", bytes(range(256)), wait=True)),
    Behaviour("tls: a record that lies about its length", 443, talk=hears(_record(22, _hello(), 0xFFFF))),
    Behaviour(
        "tls: a message of sixteen megabytes",
        443,
        talk=forever(b"", _record(22, _message(2, bytes(1000), 0xFFFFFF)), wait=True),
    ),
    Behaviour("tls: warnings without an end", 443, talk=forever(b"", _record(21, b"\x01\x5a"), wait=True)),
    Behaviour("tls: a version that does not exist", 443, talk=hears(_record(22, _hello(0x03FF)))),
    Behaviour("tls: a cipher that nobody offered", 8443, talk=hears(_record(22, _hello(0x0303, 0x0000)))),
    Behaviour(
        "tls: a malformed certificate",
        443,
        talk=hears(_record(22, _hello()) + _record(22, _message(11, _chain(_GARBAGE_DER)))),
    ),
    Behaviour(
        "tls: a certificate that lies about its length",
        443,
        talk=hears(_record(22, _hello()) + _record(22, _message(11, _chain(b"\x30\x03", 0xFFFFFF)))),
    ),
    Behaviour(
        "tls: no certificate at all",
        443,
        talk=hears(_record(22, _hello()) + _record(22, _message(11, b"\0\0\0"))),
    ),
    Behaviour(
        "tls: a certificate without an end",
        443,
        talk=forever(
            _record(22, _hello()) + _record(22, b"\x0b\xff\xff\xff"), _record(22, bytes(1000)), wait=True
        ),
    ),
    Behaviour("tls: a certificate of 60,000 bytes", 993, talk=_secured("huge", 1000)),
    Behaviour("tls: markup in the certificate", 995, talk=_secured("<script>alert(1)</script>", 1)),
    Behaviour("tls: the hello drips", 443, talk=drips(_record(22, _hello()))),
)

BEHAVIOURS: tuple[Behaviour, ...] = (*_HTTP, *_TLS)
