from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.collect.network.recognise import (
    Recognised,
    banner,
    is_tls,
    recognise,
    says_use_tls,
    server_product,
)

MYSQL = b"J\x00\x00\x00\x0a8.0.36-0ubuntu0.22.04.1\x00\x08\x00\x00\x00abcdefgh\x00"
MARIADB = b"Y\x00\x00\x00\x0a5.5.5-10.11.6-MariaDB-0+deb12u1\x00\x1e\x00\x00\x00abcdefgh\x00"


@pytest.mark.parametrize(
    ("heard", "service", "product", "version"),
    [
        (b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n", "ssh", "OpenSSH", "9.2p1"),
        (b"SSH-2.0-dropbear_2022.83\r\n", "ssh", "Dropbear sshd", "2022.83"),
        (b"SSH-1.99-Cisco-1.25\n", "ssh", "Cisco", "1.25"),
        (b"welcome\r\nto this host\r\nSSH-2.0-OpenSSH_8.0\r\n", "ssh", "OpenSSH", "8.0"),
        (b"220 (vsFTPd 3.0.3)\r\n", "ftp", "vsftpd", "3.0.3"),
        (b"220 ProFTPD Server (Debian) [::ffff:10.0.0.1]\r\n", "ftp", "ProFTPD", ""),
        (b"220---------- Welcome to Pure-FTPd [privsep] ----------\r\n220 x\r\n", "ftp", "Pure-FTPd", ""),
        (b"220 mail.example.org ESMTP Postfix (Debian)\r\n", "smtp", "Postfix smtpd", ""),
        (b"220 mx ESMTP Exim 4.96 Mon\r\n", "smtp", "Exim smtpd", "4.96"),
        (b"220 mx.example.org ESMTP\r\n", "smtp", "", ""),
        (b"+OK Dovecot (Debian) ready.\r\n", "pop3", "Dovecot", ""),
        (b"* OK [CAPABILITY IMAP4rev1] Dovecot ready.\r\n", "imap", "Dovecot", ""),
        (b"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\n\r\n", "http", "nginx", "1.22.1"),
        (
            b"HTTP/1.1 403 Forbidden\r\nDate: x\r\nserver: Apache/2.4.57 (Debian)\r\n\r\n",
            "http",
            "Apache httpd",
            "2.4.57",
        ),
        (
            b"HTTP/1.0 200 OK\r\nServer: SimpleHTTP/0.6 Python/3.11.2\r\n\r\n",
            "http",
            "SimpleHTTPServer",
            "0.6",
        ),
        (b"HTTP/1.1 404 Not Found\r\nServer: Docker/24.0.5 (linux)\r\n\r\n", "http", "Docker", "24.0.5"),
        (b"HTTP/1.1 401 Unauthorized\r\n\r\n", "http", "", ""),
        (
            b'HTTP/1.1 200 OK\r\nX-elastic-product: Elasticsearch\r\n\r\n{"version" : {"number" : "8.11.1"}}',
            "elasticsearch",
            "Elasticsearch",
            "8.11.1",
        ),
        (
            b"HTTP/1.0 200 OK\r\n\r\nIt looks like you are trying to access MongoDB over HTTP.\r\n",
            "mongodb",
            "MongoDB",
            "",
        ),
        (b"+PONG\r\n", "redis", "Redis", ""),
        (b"-NOAUTH Authentication required.\r\n", "redis", "Redis", ""),
        (b"-DENIED Redis is running in protected mode\r\n", "redis", "Redis", ""),
        (b"ERROR\r\n", "memcached", "Memcached", ""),
        (MYSQL, "mysql", "MySQL", "8.0.36-0ubuntu0.22.04.1"),
        (MARIADB, "mysql", "MariaDB", "10.11.6"),
        (
            b"G\x00\x00\x00\xffj\x04Host '10.0.0.9' is not allowed to connect to this MariaDB server",
            "mysql",
            "MariaDB",
            "",
        ),
        (b"RFB 003.008\n", "vnc", "", ""),
        (b"\xff\xfd\x18\xff\xfd \xff\xfd#", "telnet", "", ""),
        (b"\r\nrouter login: ", "telnet", "", ""),
        (b"@RSYNCD: 31.0\n", "rsync", "rsync", ""),
        (b"\x00\x00\x00\x55\xffSMB\x72" + bytes(28), "smb", "", ""),
        (b"\x00\x00\x00\xcc\xfeSMB\x40\x00" + bytes(28), "smb", "", ""),
        (b"0\x0c\x02\x01\x07e\x07\n\x01\x00\x04\x00\x04\x00", "ldap", "", ""),
        (b"0\x84\x00\x00\x00\x10\x02\x01\x01a\x84", "ldap", "", ""),
        (
            b"\x00\x2a\x12\x34\x84\x05\x00\x01\x00\x00\x00\x00\x00\x00\x07version\x04bind\x00\x00\x10\x00\x03",
            "dns",
            "",
            "",
        ),
        (b"\x01\x00\x0b\x00\x00\x00S\x00", "x11", "", ""),
        (b"\x00\x16\x0b\x00\x00\x00\x06\x00No protocol", "x11", "", ""),
        (b"\x03\x00\x00\x13\x0e\xd0\x00\x00\x124\x00\x02\x00\x08\x00\x02\x00\x00\x00", "rdp", "", ""),
    ],
)
def test_first_words_are_recognised(heard: bytes, service: str, product: str, version: str) -> None:
    found = recognise(heard)
    assert (found.service, found.product, found.version) == (service, product, version)


@pytest.mark.parametrize(
    "heard", [b"", b"\x00" * 50, b"hello\r\n", b"220 \r\n", b"SSSSSSSS", b"\xff" * 9, b"HTTP/"]
)
def test_nobody_is_made_up(heard: bytes) -> None:
    assert recognise(heard) == Recognised()


def test_a_cpe_holds_no_more_than_name_and_version() -> None:
    assert recognise(b"SSH-2.0-OpenSSH_9.2p1\r\n").cpe == ("cpe:/a:openbsd:openssh:9.2p1",)
    assert server_product("nginx").cpe == ("cpe:/a:f5:nginx",)


def test_a_banner_is_printable_and_short() -> None:
    assert banner(b"\r\n\x00\r\nred \x1b[31m \xe2\x80\xae evil\r\nmore") == "red \\u001b[31m \\u202e evil"
    assert len(banner(b"x" * 100_000)) == 200
    assert banner(b"\xff\xfe") == "\\xff\\xfe"
    assert banner(b"") == ""


def test_a_complaint_about_plain_words_is_seen() -> None:
    assert says_use_tls(b"HTTP/1.1 400 Bad Request\r\n\r\nuse https")
    assert not says_use_tls(b"HTTP/1.1 200 OK\r\n\r\nhttps")


def test_the_start_of_tls_is_seen() -> None:
    assert is_tls(b"\x15\x03\x01\x00\x02\x02\x46")
    assert is_tls(b"\x16\x03\x03\x00\x7a")
    assert not is_tls(b"HTTP/1.1 400")
    assert not is_tls(b"\x15")


@given(st.binary(max_size=300))
def test_any_bytes_give_printable_words(heard: bytes) -> None:
    found = recognise(heard)
    assert all(text.isprintable() for text in (found.service, found.product, found.version, banner(heard)))


@pytest.mark.parametrize(
    "heard", [b"x" * 65_536, b"220 " + b"a " * 30_000, b"\n" * 65_536, b"HTTP/1.1 200 " + b"\r\n" * 30_000]
)
def test_long_words_take_no_long_time(heard: bytes) -> None:
    recognise(heard)
    banner(heard)


@pytest.mark.parametrize(
    ("low", "high", "version"), [(2, 4, "2-4"), (2, 2, "2"), (4, 2, ""), (0, 4, ""), (2, 2**32 - 1, "")]
)
def test_a_port_mapper_tells_its_versions(low: int, high: int, version: str) -> None:
    head = b"\x80\x00\x00\x20" + b"\x72\xfe\x1d\x13" + struct.pack("!IIIII", 1, 0, 0, 0, 2)
    found = recognise(head + struct.pack("!II", low, high))
    assert (found.service, found.version) == ("rpcbind", version)
