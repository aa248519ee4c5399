"""What a network shows of its hosts: addresses, ports, and how each port answers."""

from __future__ import annotations

from datetime import datetime

import msgspec

from checks.facts.snapshot import Fact

OUTSIDE = "outside"
"""The vantage that stands for the internet."""
INSIDE = "inside"
"""The vantage of a scanner whose zone nobody named."""
LOOPBACK = "loopback"
"""The vantage of a scanner that asks its own machine."""


class OpenPort(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One open port: what speaks there, as far as it was identified.

    `protocol` is tcp or udp, `service` the IANA-style name (`ssh`, `http`, empty where unidentified),
    `tls` whether it speaks TLS first, `banner` its first words made printable. `note` says why it was
    not identified.
    """

    number: int
    protocol: str
    service: str = ""
    product: str = ""
    version: str = ""
    cpe: tuple[str, ...] = ()
    tls: bool = False
    banner: str = ""
    identified_by: str = ""
    note: str = ""

    @property
    def name(self) -> str:
        """`tcp/22`."""
        return f"{self.protocol}/{self.number}"


class OpenPorts(Fact, frozen=True, forbid_unknown_fields=True):
    """The open ports of one live address, and who looked from where.

    `vantage` is the name of the place of the scanner: `loopback` for the scanner's own machine, else
    the zone of the scanner (`inside` unless the scope says otherwise; `outside` is the internet).
    `asked` is how many ports were asked, `filtered` how many gave no answer. `mode` is `syn` or `connect`.
    """

    address: str
    vantage: str
    mode: str
    asked: int
    filtered: int
    ports: tuple[OpenPort, ...]


class NetworkCoverage(Fact, frozen=True, forbid_unknown_fields=True):
    """What was asked of a network and what answered: the snapshot of the network itself."""

    network: str
    vantage: str
    mode: str
    addresses_asked: int
    addresses_live: int
    addresses_excluded: int
    ports_asked: int
    packets_sent: int
    seconds: float
    limits: tuple[str, ...]


class PortRange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Ports from `first` to `last`, both included."""

    first: int
    last: int


class PortAnswers(Fact, frozen=True, forbid_unknown_fields=True):
    """How the TCP ports asked of one live address answered, whatever speaks there.

    `closed` answered with a reset; `silent` gave no answer to two tries or an answer that a filter sent;
    `open` is a number only, so that an address on which everything is open stays small.
    """

    vantage: str
    asked: int
    open: int
    closed: tuple[PortRange, ...]
    silent: tuple[PortRange, ...]

    def is_closed(self, port: int) -> bool:
        """True where the port was asked and a reset came back."""
        return any(r.first <= port <= r.last for r in self.closed)

    def is_silent(self, port: int) -> bool:
        """True where the port was asked and nothing came back, or a filter's refusal."""
        return any(r.first <= port <= r.last for r in self.silent)


class TlsVersionSupport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Versions (`SSLv3`, `TLSv1.0` … `TLSv1.3`) that one port accepted, and those it refused by an alert.

    A version in neither was not decided: the server reset, stalled or answered nonsense.
    """

    port: str
    accepted: tuple[str, ...]
    refused: tuple[str, ...]


class TlsVersions(Fact, frozen=True, forbid_unknown_fields=True):
    """Which versions of TLS each TLS port negotiates, from one hello per version."""

    services: tuple[TlsVersionSupport, ...]


class TlsCipherSupport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The weak cipher suites that one port picked when it was offered nothing else; empty if it refused."""

    port: str
    weak: tuple[str, ...]


class TlsCiphers(Fact, frozen=True, forbid_unknown_fields=True):
    """Whether a TLS port can be talked into a broken cipher suite (NULL, anonymous, export, RC4, DES)."""

    services: tuple[TlsCipherSupport, ...]


class Certificate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The certificate that one port presents to a client that names no host.

    `names` are the DNS names and addresses of its subjectAltName. `key_bits` is the size of the modulus
    or curve; `signature_hash` is empty for algorithms without one (Ed25519). `self_signed` is true only
    if its own key verifies its signature. `fingerprint` is the SHA-256 of the whole, in hex.
    """

    port: str
    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    key_type: str
    key_bits: int
    signature_hash: str
    self_signed: bool
    fingerprint: str


class TlsCertificates(Fact, frozen=True, forbid_unknown_fields=True):
    """The certificate of each TLS port of the address."""

    address: str
    certificates: tuple[Certificate, ...]


class SshOffer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one SSH server offers before anybody logs in: its banner and the lists of its KEXINIT.

    Ciphers and MACs join both directions. `strict` is whether it announces the strict key exchange.
    """

    port: str
    banner: str
    kex: tuple[str, ...]
    host_keys: tuple[str, ...]
    ciphers: tuple[str, ...]
    macs: tuple[str, ...]
    strict: bool


class SshOffers(Fact, frozen=True, forbid_unknown_fields=True):
    """The algorithms of each SSH server of the address."""

    servers: tuple[SshOffer, ...]


class SshHostKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A host key whose owner proved it by a signature; `fingerprint` as OpenSSH prints it (`SHA256:…`)."""

    port: str
    algorithm: str
    bits: int
    fingerprint: str


class SshHostKeys(Fact, frozen=True, forbid_unknown_fields=True):
    """The host keys of the SSH servers of the address; of one server its preferred key and its RSA key."""

    keys: tuple[SshHostKey, ...]


class HttpAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one port answers `GET /`.

    `server` and `powered_by` are the headers; `authenticate` the schemes of WWW-Authenticate in lower case;
    `hsts` the value of Strict-Transport-Security; `location` where it redirects, never followed;
    `password_form` whether the page asks for a password.
    """

    port: str
    tls: bool
    status: int
    server: str = ""
    powered_by: str = ""
    authenticate: tuple[str, ...] = ()
    hsts: str = ""
    location: str = ""
    title: str = ""
    password_form: bool = False


class HttpAnswers(Fact, frozen=True, forbid_unknown_fields=True):
    """The front page of each HTTP port of the address."""

    answers: tuple[HttpAnswer, ...]


class Login(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether one port serves a stranger: `needed` is false only where it answered a real request.

    `answer` is the deciding part of the reply, `version` what the server said of itself.
    """

    port: str
    needed: bool
    answer: str
    version: str = ""


class RedisLogins(Fact, frozen=True, forbid_unknown_fields=True):
    """Redis servers, and whether each answers PING without a login."""

    servers: tuple[Login, ...]


class MemcachedLogins(Fact, frozen=True, forbid_unknown_fields=True):
    """memcached servers, and whether each tells its version without a login."""

    servers: tuple[Login, ...]


class MongoLogins(Fact, frozen=True, forbid_unknown_fields=True):
    """MongoDB servers, and whether each lists its databases without a login."""

    servers: tuple[Login, ...]


class ElasticsearchLogins(Fact, frozen=True, forbid_unknown_fields=True):
    """Elasticsearch and OpenSearch nodes, and whether each lists its indices without a login."""

    servers: tuple[Login, ...]


class PostgresLogins(Fact, frozen=True, forbid_unknown_fields=True):
    """PostgreSQL servers, and whether each lets the user `postgres` in without a password."""

    servers: tuple[Login, ...]


class DockerLogins(Fact, frozen=True, forbid_unknown_fields=True):
    """Docker APIs, and whether each answers without a client certificate."""

    servers: tuple[Login, ...]


class KubeletLogins(Fact, frozen=True, forbid_unknown_fields=True):
    """Kubelets, and whether each lists its pods without a token."""

    servers: tuple[Login, ...]


class VncServer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One VNC server and the security types it offers, by number (1 is none, 2 a password)."""

    port: str
    protocol: str
    security_types: tuple[int, ...]


class VncServers(Fact, frozen=True, forbid_unknown_fields=True):
    """The VNC servers of the address."""

    servers: tuple[VncServer, ...]


class FtpServer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One FTP server: whether it starts TLS when asked, and whether it lets anybody in."""

    port: str
    tls: bool
    anonymous: bool


class FtpServers(Fact, frozen=True, forbid_unknown_fields=True):
    """The FTP servers of the address."""

    servers: tuple[FtpServer, ...]


class MailServer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One mail service: `smtp`, `pop3` or `imap`.

    `tls` is whether the whole conversation is inside TLS, `starttls` whether it offers to start it,
    `plain_login` whether it takes a password before that.
    """

    port: str
    protocol: str
    tls: bool
    starttls: bool
    plain_login: bool


class MailServers(Fact, frozen=True, forbid_unknown_fields=True):
    """The mail services of the address."""

    servers: tuple[MailServer, ...]
