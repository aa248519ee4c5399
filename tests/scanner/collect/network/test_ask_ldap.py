"""LDAP against a real slapd, and against servers that are made of bytes."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from checks.facts.network import OpenPort
from checks.facts.network.directory import Directories, Directory
from scanner.collect.collector import Collected
from scanner.collect.network.ask import ber, ldap
from tests.lab.asking import ask, only, reason
from tests.lab.parts import free_port, program
from tests.lab.services import answering, certificate, running, serving


def probe(number: int, *, tls: bool = False, seconds: float = 4.0) -> Collected:
    return ask(ldap.QUESTIONS[0].ask, OpenPort(number, "tcp", "ldap", tls=tls), Directories, seconds=seconds)


@contextmanager
def slapd(
    folder: Path, access: str, *settings: str, tls: bool = False, first: bool = False, data: str = ""
) -> Iterator[int]:
    """A directory with one entry; `first` is TLS from the first byte, `data` a setting of its data alone."""
    made = certificate(folder, bits=0)
    files = f"TLSCertificateFile {made.certificate}\nTLSCertificateKeyFile {made.key}\n" if tls else ""
    kept = folder / "data"
    kept.mkdir()
    config = folder / "slapd.conf"
    lines = "".join(f"{setting}\n" for setting in settings)
    config.write_text(
        f"include /etc/ldap/schema/core.schema\nmodulepath /usr/lib/ldap\nmoduleload back_ldif\n"
        f"pidfile {folder}/pid\n{files}{lines}database ldif\n"
        f'suffix "dc=lab,dc=test"\ndirectory {kept}\n{data}\n'
        f"access to * by * {access}\n"
    )
    entry = folder / "entry.ldif"
    entry.write_text(
        "dn: dc=lab,dc=test\nobjectClass: organization\nobjectClass: dcObject\no: lab\ndc: lab\n"
    )
    subprocess.run([program("slapadd"), "-f", str(config), "-l", str(entry)], check=True, capture_output=True)
    port = free_port()
    address = f"{'ldaps' if first else 'ldap'}://127.0.0.1:{port}/"
    with running("slapd", "-d", "0", "-f", str(config), "-h", address, port=port):
        yield port


def told(number: int, *, tls: bool = False) -> Directory:
    [server] = only(probe(number, tls=tls), Directories).servers
    return server


@pytest.mark.real
def test_a_real_directory_that_shows_its_entries(tmp_path: Path) -> None:
    with slapd(tmp_path, "read") as number:
        server = told(number)
    assert (server.bind, server.entries, server.context) == (True, True, "dc=lab,dc=test")
    assert (server.tls, server.starttls) == (False, False)


@pytest.mark.real
def test_a_real_directory_that_asks_for_a_login(tmp_path: Path) -> None:
    with slapd(tmp_path, "read", "disallow bind_anon", "require authc", tls=True) as number:
        server = told(number)
    assert (server.bind, server.entries, server.starttls) == (False, False, True)
    assert "refused" in server.answer


@pytest.mark.real
def test_a_real_directory_whose_rights_hide_everything(tmp_path: Path) -> None:
    with slapd(tmp_path, "none") as number:
        server = told(number)
    assert (server.bind, server.entries) == (True, False)


@pytest.mark.real
def test_a_real_directory_that_answers_only_inside_tls_is_asked_there(tmp_path: Path) -> None:
    with slapd(tmp_path, "read", "security tls=128", tls=True) as number:
        server = told(number)
    assert (server.entries, server.starttls) == (True, True)


@pytest.mark.real
def test_a_real_directory_with_tls_from_the_first_byte(tmp_path: Path) -> None:
    with slapd(tmp_path, "read", tls=True, first=True) as number:
        server = told(number, tls=True)
    assert (server.entries, server.tls) == (True, True)


def message(number: int, kind: int, *contents: bytes) -> bytes:
    return ber.tlv(0x30, ber.integer(number), ber.tlv(kind, *contents))


def result(number: int, kind: int, code: int) -> bytes:
    return message(number, kind, ber.integer(code, 0x0A), ber.text(""), ber.text(""))


ROOT = message(
    2,
    0x64,
    ber.text(""),
    ber.tlv(
        0x30, ber.tlv(0x30, ber.text("namingContexts"), ber.tlv(0x31, ber.text(""), ber.text("dc=corp")))
    ),
)


def directory(bind: int, root: bytes, search: bytes) -> Callable[[bytes], bytes]:
    """A server that has no StartTLS and answers the rest like this."""

    def reply(heard: bytes) -> bytes:
        kind, number = heard[5], heard[4]
        if kind == 0x77:
            return result(1, 0x78, 2)
        if kind == 0x60:
            return result(1, 0x61, bind)
        return root if number == 2 else search

    return reply


def contexts(*names: str) -> bytes:
    """The root of a directory with these naming contexts."""
    held = ber.tlv(0x31, *map(ber.text, names))
    root = message(2, 0x64, ber.text(""), ber.tlv(0x30, ber.tlv(0x30, ber.text("namingContexts"), held)))
    return root + result(2, 0x65, 0)


def test_a_later_naming_context_may_show_what_the_first_hides() -> None:
    def reply(heard: bytes) -> bytes:
        if b"dc=open" in heard:
            return message(heard[4], 0x64, ber.text("cn=x")) + result(heard[4], 0x65, 4)
        return directory(0, contexts("cn=config", "dc=open"), result(3, 0x65, 32))(heard)

    with serving(answering(reply)) as number:
        server = told(number)
    assert (server.entries, server.context) == (True, "dc=open")


def test_more_naming_contexts_than_are_searched_are_a_gap() -> None:
    def reply(heard: bytes) -> bytes:
        many = contexts(*(f"dc=a{n}" for n in range(ldap.CONTEXTS + 1)))
        return directory(0, many, result(heard[4], 0x65, 32))(heard)

    with serving(answering(reply)) as number:
        assert "naming contexts" in reason(probe(number, seconds=0.8), Directories)


@pytest.mark.real
def test_a_real_directory_whose_data_alone_is_only_inside_tls_is_asked_there(tmp_path: Path) -> None:
    with slapd(tmp_path, "read", tls=True, data="security tls=128") as number:
        server = told(number)
    assert (server.bind, server.entries, server.starttls) == (True, True, True)


@pytest.mark.parametrize(
    ("bind", "root", "search", "entries"),
    [
        (0, ROOT + result(2, 0x65, 0), result(3, 0x65, 1), False),
        (0, ROOT + result(2, 0x65, 0), message(3, 0x64, ber.text("cn=x")) + result(3, 0x65, 4), True),
        (48, ROOT + result(2, 0x65, 0), message(3, 0x64, ber.text("cn=x")) + result(3, 0x65, 0), True),
        (53, result(2, 0x65, 53), b"", False),
    ],
)
def test_what_a_directory_shows(bind: int, root: bytes, search: bytes, entries: bool) -> None:
    with serving(answering(directory(bind, root, search))) as number:
        server = told(number)
    assert (server.bind, server.entries) == (bind == 0, entries)


@pytest.mark.parametrize(
    ("bind", "root", "search"),
    [
        (0, result(2, 0x65, 0), b""),
        (80, ROOT + result(2, 0x65, 0), result(3, 0x65, 0)),
        (0, ROOT + result(2, 0x65, 0), result(3, 0x65, 51)),
        (0, ROOT + result(2, 0x65, 0), result(3, 0x65, 4)),
        (13, ROOT, b""),
        (0, ROOT + result(2, 0x65, 0), result(3, 0x65, 13)),
        (0, result(2, 0x65, 13), b""),
        (0, ROOT + result(2, 0x65, 0), message(3, 0x73, ber.text("ldap://b/")) + result(3, 0x65, 0)),
        (0, ROOT + result(2, 0x65, 0), result(3, 0x65, 10)),
        (0, message(2, 0x64, ber.text("")) + result(2, 0x65, 0), b""),
        (0, message(2, 0x64, ber.text("")) * 60, b""),
        (0, result(9, 0x65, 0), b""),
        (0, result(0, 0x78, 52), b""),
        (0, b"\x30\x84\xff\xff\xff\xff" + bytes(64), b""),
        (0, b"\x30\x80" + bytes(64), b""),
        (0, b"\x30\x03\x02\x01\x02", b""),
        (0, b"\x30\x05\x02\x01\x02\x65\x40", b""),
    ],
)
def test_answers_that_decide_nothing_are_gaps(bind: int, root: bytes, search: bytes) -> None:
    with serving(answering(directory(bind, root, search))) as number:
        assert reason(probe(number, seconds=0.8), Directories)


@pytest.mark.parametrize(("value", "size"), [(0, 3), (127, 3), (128, 4), (70_000, 5)])
def test_numbers_are_written_with_the_sign_in_mind(value: int, size: int) -> None:
    written = ber.integer(value)
    assert len(written) == size
    [(tag, content)] = ber.values(written)
    assert (tag, ber.number(content)) == (2, value)


def test_long_values_and_lengths_that_lie() -> None:
    [(_, content)] = ber.values(ber.tlv(0x04, b"x" * 300))
    assert content == b"x" * 300
    assert ber.size_of(b"\x30") == ber.size_of(b"\x30\x82\x01") == 0
    for bad in (b"\x04\x05abc", b"\x04\x80", b"\x04\x85aaaaa", b"\x04\x84\x7f\xff\xff\xff", b"\x04"):
        with pytest.raises(ber.BerError):
            list(ber.values(bad))
    with pytest.raises(ber.BerError):
        ber.number(b"")
