"""Which service, product and version speak in the first words of a port. Pure."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from checks.fix import printable

BANNER_LIMIT = 200
VERSION_LIMIT = 40


@dataclass(frozen=True, slots=True)
class Recognised:
    """What the words gave away; `service` is empty where they are nobody's that we know."""

    service: str = ""
    product: str = ""
    version: str = ""
    cpe: tuple[str, ...] = ()


NOBODY = Recognised()

_CPE: Mapping[str, str] = MappingProxyType(
    {
        "OpenSSH": "openbsd:openssh",
        "Dropbear sshd": "dropbear_ssh_project:dropbear_ssh",
        "nginx": "f5:nginx",
        "Apache httpd": "apache:http_server",
        "lighttpd": "lighttpd:lighttpd",
        "Microsoft IIS httpd": "microsoft:internet_information_services",
        "vsftpd": "vsftpd_project:vsftpd",
        "ProFTPD": "proftpd:proftpd",
        "Pure-FTPd": "pureftpd:pure-ftpd",
        "Postfix smtpd": "postfix:postfix",
        "Exim smtpd": "exim:exim",
        "Dovecot": "dovecot:dovecot",
        "MySQL": "oracle:mysql",
        "MariaDB": "mariadb:mariadb",
        "Redis": "redis:redis",
        "Memcached": "memcached:memcached",
        "Docker": "docker:docker",
        "Elasticsearch": "elastic:elasticsearch",
        "MongoDB": "mongodb:mongodb",
    }
)

_SERVERS: tuple[tuple[str, str], ...] = (
    (r"nginx(?:/([\w.+-]+))?", "nginx"),
    (r"openresty(?:/([\w.+-]+))?", "OpenResty"),
    (r"Apache(?:/([\d.]+))?(?: |$)", "Apache httpd"),
    (r"Apache-Coyote(?:/([\d.]+))?", "Apache Tomcat"),
    (r"lighttpd(?:/([\w.+-]+))?", "lighttpd"),
    (r"Microsoft-IIS(?:/([\d.]+))?", "Microsoft IIS httpd"),
    (r"Microsoft-HTTPAPI(?:/([\d.]+))?", "Microsoft HTTPAPI httpd"),
    (r"Caddy(?:/([\w.]+))?", "Caddy"),
    (r"Docker(?:/([\w.+-]+))?", "Docker"),
    (r"SimpleHTTP(?:/([\d.]+))?", "SimpleHTTPServer"),
    (r"Jetty\(([\w.]+)\)", "Jetty"),
    (r"CouchDB(?:/([\d.]+))?", "CouchDB"),
    (r"([A-Za-z][\w .+-]{1,38}?)(?:/|$| )", ""),
)


def recognise(heard: bytes) -> Recognised:
    """The service behind these first words, whether it spoke by itself or was asked over HTTP."""
    for pattern, read in _PATTERNS:
        found = pattern.match(heard)
        if found:
            return _with_cpe(read(found))
    return NOBODY


def banner(heard: bytes) -> str:
    """The first line with something on it, as people may see it: printable and short."""
    line = next((part for part in re.split(rb"[\r\n]+", heard[:4096]) if part.strip(b"\x00 \t")), b"")
    return printable(line.decode("utf-8", "backslashreplace"))[:BANNER_LIMIT]


def is_tls(heard: bytes) -> bool:
    """True for the start of a TLS record: a ServerHello or an alert."""
    return len(heard) >= 3 and heard[0] in (0x15, 0x16) and heard[1] == 3 and heard[2] <= 4


def server_product(header: str) -> Recognised:
    """Product and version of a `Server` header."""
    for pattern, product in _SERVERS:
        found = re.match(pattern, header)
        if found and product:
            return _with_cpe(Recognised("http", product, _word(found[1])))
        if found:
            rest = header[found.end(1) :]
            version = re.match(r"/([\w.+-]+)", rest)
            return Recognised("http", _word(found[1]), _word(version[1] if version else ""))
    return Recognised("http")


def _ssh(found: re.Match[bytes]) -> Recognised:
    software = _text(found[1])
    for pattern, product in (
        (r"OpenSSH_([\w.]+)", "OpenSSH"),
        (r"dropbear_([\w.]+)", "Dropbear sshd"),
        (r"libssh[_-]([\w.]+)", "libssh"),
        (r"paramiko_([\w.]+)", "Paramiko"),
        (r"([A-Za-z][A-Za-z .]*)[_-]?([\d.]*)", ""),
    ):
        match = re.match(pattern, software)
        if match and product:
            return Recognised("ssh", product, _word(match[1]))
        if match:
            return Recognised("ssh", _word(match[1]), _word(match[2]))
    return Recognised("ssh")


def _two_twenty(found: re.Match[bytes]) -> Recognised:
    text = _text(found[0])
    for pattern, service, product in (
        (r"\(?vsFTPd ([\w.]+)", "ftp", "vsftpd"),
        (r"ProFTPD(?: (\d[\w.]*))?", "ftp", "ProFTPD"),
        (r"Pure-FTPd()", "ftp", "Pure-FTPd"),
        (r"FileZilla Server(?: version)? ?([\w.]*)", "ftp", "FileZilla ftpd"),
        (r"Microsoft FTP Service()", "ftp", "Microsoft ftpd"),
        (r"ESMTP Postfix()", "smtp", "Postfix smtpd"),
        (r"ESMTP Exim ([\w.]+)", "smtp", "Exim smtpd"),
        (r"ESMTP Sendmail ([\w.]+)", "smtp", "Sendmail"),
        (r"Microsoft ESMTP MAIL Service()", "smtp", "Microsoft ESMTP"),
    ):
        match = re.search(pattern, text)
        if match:
            return Recognised(service, product, _word(match[1]))
    if re.search(r"\bE?SMTP\b", text):
        return Recognised("smtp")
    return Recognised("ftp") if re.search(r"ftp", text, re.IGNORECASE) else NOBODY


def _http(found: re.Match[bytes]) -> Recognised:
    head = found.string[:16_384].partition(b"\r\n\r\n")[0]
    if b"looks like you are trying to access MongoDB over HTTP" in found.string[:16_384]:
        return Recognised("mongodb", "MongoDB")
    if re.search(rb"(?im)^X-elastic-product:", head) or b'"You Know, for Search"' in found.string[:16_384]:
        number = re.search(rb'"number"\s{0,4}:\s{0,4}"([\w.-]{1,30})"', found.string[:16_384])
        return Recognised("elasticsearch", "Elasticsearch", _text(number[1]) if number else "")
    header = re.search(rb"(?im)^Server:[ \t]*([^\r\n]+)", head)
    return server_product(_text(header[1])) if header else Recognised("http")


def _mysql(found: re.Match[bytes]) -> Recognised:
    version = _text(found[1])
    maria = re.search(r"(?:^5\.5\.5-)?(\d[\d.]*)-MariaDB", version)
    if maria:
        return Recognised("mysql", "MariaDB", _word(maria[1]))
    return Recognised("mysql", "MySQL", _word(version))


def _mysql_refusal(found: re.Match[bytes]) -> Recognised:
    return Recognised("mysql", "MariaDB" if b"MariaDB" in found[0] else "MySQL")


def _port_mapper(found: re.Match[bytes]) -> Recognised:
    """The versions that a port mapper speaks, from its answer to a call of one that does not exist."""
    low, high = struct.unpack("!II", found[1] + found[2])
    told = 0 < low <= high < 100
    return Recognised("rpcbind", version=(f"{low}-{high}" if high > low else str(low)) if told else "")


def _fixed(service: str, product: str = "") -> Callable[[re.Match[bytes]], Recognised]:
    return lambda _: Recognised(service, product)


def _mail(service: str) -> Callable[[re.Match[bytes]], Recognised]:
    return lambda found: Recognised(service, "Dovecot" if b"Dovecot" in found[0] else "")


_PATTERNS: tuple[tuple[re.Pattern[bytes], Callable[[re.Match[bytes]], Recognised]], ...] = (
    (re.compile(rb"(?:[^\r\n]{0,255}\r?\n){0,20}?SSH-\d\.\d+-([^\r\n]{1,200})"), _ssh),
    (re.compile(rb"HTTP/\d\.\d \d{3}"), _http),
    (re.compile(rb"220[ -][^\r\n]{0,400}"), _two_twenty),
    (re.compile(rb"\+OK[^\r\n]{0,200}"), _mail("pop3")),
    (re.compile(rb"\* OK[^\r\n]{0,400}"), _mail("imap")),
    (re.compile(rb"RFB \d{3}\.\d{3}\n"), _fixed("vnc")),
    (re.compile(rb"(?s)\x80\x00\x00\x20.{4}\x00{3}\x01\x00{15}\x02(.{4})(.{4})"), _port_mapper),
    (re.compile(rb"\xff[\xfb-\xfe][\x00-\x31]"), _fixed("telnet")),
    (re.compile(rb"(?s)[^\r\n]{0,200}[\r\n]{0,4}[^\r\n]{0,200}login: ?$"), _fixed("telnet")),
    (re.compile(rb"(?:\+PONG\r\n|-(?:ERR|NOAUTH|DENIED|NOPERM)[ \r])"), _fixed("redis", "Redis")),
    (re.compile(rb"ERROR\r\n"), _fixed("memcached", "Memcached")),
    (re.compile(rb"(?s)...\x00\x0a([\x20-\x7e]{3,60})\x00"), _mysql),
    (
        re.compile(rb"(?s)...\x00\xff[\x00-\xff]{2}[\x20-\x7e]{5,200}(?:MySQL|MariaDB)[\x20-\x7e]{0,80}"),
        _mysql_refusal,
    ),
    (re.compile(rb"@RSYNCD: "), _fixed("rsync", "rsync")),
    (re.compile(rb"\x03\x00\x00[\x0b-\x20][\x06-\x20]\xd0"), _fixed("rdp")),
    (re.compile(rb"AMQP[\x00-\xff]{4}"), _fixed("amqp")),
    (re.compile(rb"(?s)\x00...[\xfe\xff]SMB"), _fixed("smb")),
    (
        re.compile(rb"(?s)\x30(?:[\x00-\x7f]|\x81.|\x82..|\x84....)\x02\x01.[\x61\x64\x65\x73\x78]"),
        _fixed("ldap"),
    ),
    (re.compile(rb"(?s)....[\x80-\xff].{9}\x07version\x04bind\x00\x00\x10\x00\x03"), _fixed("dns")),
    (re.compile(rb"(?s)[\x00-\x02].\x0b\x00\x00\x00"), _fixed("x11")),
    (re.compile(rb"It looks like you are trying to access MongoDB over HTTP"), _fixed("mongodb", "MongoDB")),
)


def _with_cpe(found: Recognised) -> Recognised:
    name = _CPE.get(found.product)
    if not name:
        return found
    version = re.sub(r"[^\w.+-]", "", found.version)
    return Recognised(
        found.service,
        found.product,
        found.version,
        (f"cpe:/a:{name}:{version}" if version else f"cpe:/a:{name}",),
    )


def _text(raw: bytes) -> str:
    return printable(raw[:1024].decode("utf-8", "backslashreplace"))


def _word(text: str | None) -> str:
    return (text or "").strip()[:VERSION_LIMIT]


def postgres_answer(heard: bytes) -> bool:
    """True for the one byte with which PostgreSQL answers the question whether it speaks TLS."""
    return heard in (b"S", b"N")


def rdp_request() -> bytes:
    """A connection request of RDP (X.224) that offers TLS and network-level authentication."""
    negotiation = struct.pack("<BBHI", 1, 0, 8, 3)
    body = struct.pack("!BBHHB", 6 + len(negotiation), 0xE0, 0, 0, 0) + negotiation
    return struct.pack("!BBH", 3, 0, 4 + len(body)) + body


def says_use_tls(heard: bytes) -> bool:
    """True for the 400 with which a TLS port answers plain HTTP."""
    return heard[9:12] == b"400" and b"https" in heard[:4096].lower()
