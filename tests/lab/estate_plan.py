"""What is planted in the estate: on which host, what must be found there, and what must not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

NETWORK = "10.90.0.0/26"
SCANNER = "10.90.0.62"
NOBODY = "10.90.0.61"
"""An address at which nothing lives."""
SIX_NETWORK = "fd00:90::/64"
SIX_SCANNER = "fd00:90::62"
EVERY = tuple(range(1, 65_536))


@dataclass(frozen=True)
class Shows:
    """What one daemon shows: TCP ports with service and product, UDP ports, and what is judged of them.

    `fails` and `passes` are checks of the baseline `network-exposure` in its profile for servers.
    """

    ports: tuple[tuple[int, str, str], ...] = ()
    fails: frozenset[str] = frozenset()
    passes: frozenset[str] = frozenset()
    udp: tuple[int, ...] = ()


@dataclass(frozen=True)
class Planned:
    """One host. `silent` ports accept and say nothing, `says` ports say something, `late` ones after 1.5 s.

    `drops` are TCP ports that a filter drops; `every` is a middlebox that accepts on all ports; `six` are
    ports open over IPv6 alone; `clean` a host on which no check may fail.
    """

    number: int
    name: str
    daemons: tuple[str, ...] = ()
    silent: tuple[int, ...] = ()
    says: Mapping[int, bytes] = field(default_factory=dict)
    late: Mapping[int, bytes] = field(default_factory=dict)
    drops: tuple[int, ...] = ()
    every: bool = False
    six: tuple[int, ...] = ()
    clean: bool = False

    @property
    def address(self) -> str:
        """Its IPv4 address."""
        return f"10.90.0.{self.number}"

    @property
    def six_address(self) -> str:
        """Its IPv6 address, where it has one."""
        return f"fd00:90::{self.number}"

    @property
    def tcp(self) -> frozenset[int]:
        """The TCP ports that are open over IPv4, as far as they can be listed."""
        shown = {port for name in self.daemons for port, _, _ in SHOWS[name].ports}
        return frozenset(shown | set(self.silent) | set(self.says) | set(self.late)) - set(self.drops)

    @property
    def fails(self) -> frozenset[str]:
        """The checks that must fail there."""
        return frozenset(check for name in self.daemons for check in SHOWS[name].fails)

    @property
    def passes(self) -> frozenset[str]:
        """The checks that must pass there, for at least one port."""
        return frozenset(check for name in self.daemons for check in SHOWS[name].passes)


def _ids(topic: str, *names: str) -> frozenset[str]:
    return frozenset(f"network.{topic}.{name}" for name in names)


_SSH = (22, "ssh", "OpenSSH")
_SSH_CHECKS = _ids("ssh", "ciphers", "host-key-algorithms", "key-exchange", "macs", "protocol")
_TLS_CHECKS = _ids("tls", "legacy-versions", "weak-ciphers", "certificate-expired", "certificate-key")

_STORE = _ids("exposure", "databases")
_PLAIN_STORE = _STORE | _ids("databases", "tls")
_FILES = _ids("exposure", "network-files")
_LISTING = _ids("web-files", "directory-listing")

SHOWS: Mapping[str, Shows] = {
    "sshd-old": Shows(
        (_SSH,),
        _ids("ssh", "ciphers", "key-exchange", "macs", "host-key-algorithms", "password-auth"),
        _ids("ssh", "protocol"),
    ),
    "sshd-shared-key": Shows((_SSH,), _ids("fleet", "shared-host-key"), _SSH_CHECKS),
    "sshd-passwords": Shows((_SSH,), _ids("ssh", "password-auth"), _SSH_CHECKS),
    "sshd-good": Shows((_SSH,), passes=_SSH_CHECKS | _ids("ssh", "password-auth")),
    "dropbear": Shows(((22, "ssh", "Dropbear"),), _ids("ssh", "password-auth")),
    "telnetd": Shows(((23, "telnet", ""),), _ids("exposure", "telnet")),
    "vnc-open": Shows(((5900, "vnc", ""),), _ids("management", "vnc-login") | _ids("exposure", "vnc")),
    "vnc-good": Shows(((5900, "vnc", ""),), _ids("exposure", "vnc"), _ids("management", "vnc-login")),
    "x11-open": Shows(((6000, "x11", ""),), _ids("exposure", "x11") | _ids("screens", "x11-access")),
    "xrdp-old": Shows(((3389, "rdp", ""),), _ids("screens", "rdp-login", "rdp-tls")),
    "xrdp-tls": Shows(((3389, "rdp", ""),), _ids("screens", "rdp-login"), _ids("screens", "rdp-tls")),
    "nginx-plain": Shows(((80, "http", "nginx"),), passes=_LISTING),
    "nginx-login": Shows(((80, "http", "nginx"),), _ids("plaintext", "web-login")),
    "nginx-listing": Shows(((80, "http", "nginx"),), _LISTING | _ids("web-files", "version-control")),
    "nginx-redirect": Shows(((80, "http", "nginx"),)),
    "nginx-old-tls": Shows(
        ((443, "http", "nginx"),),
        _ids("tls", "legacy-versions", "weak-ciphers") | _ids("tls-settings", "forward-secrecy"),
        _ids("tls", "certificate-expired"),
    ),
    "nginx-expired": Shows(
        ((443, "http", "nginx"),), _ids("tls", "certificate-expired"), _ids("tls", "legacy-versions")
    ),
    "nginx-self-signed": Shows(
        ((443, "http", "nginx"),), _ids("tls", "certificate-key", "legacy-versions", "weak-ciphers")
    ),
    "nginx-good": Shows(
        ((80, "http", "nginx"), (443, "http", "nginx")),
        passes=_TLS_CHECKS | _LISTING | _ids("tls-settings", "forward-secrecy"),
    ),
    "lighttpd": Shows(((8080, "http", "lighttpd"),), _LISTING),
    "python-http": Shows(((8000, "http", ""),), _LISTING),
    "openssl-anonymous": Shows(((4443, "", ""),), _ids("tls", "weak-ciphers")),
    "ftp-anonymous": Shows(((21, "ftp", ""),), _ids("plaintext", "ftp-anonymous", "ftp-tls")),
    "ftp-cleartext": Shows(((21, "ftp", ""),), _ids("plaintext", "ftp-tls")),
    "ftp-good": Shows(((21, "ftp", ""),), passes=_ids("plaintext", "ftp-anonymous", "ftp-tls")),
    "rsync-open": Shows(((873, "rsync", ""),), _FILES | _ids("files", "rsync-modules")),
    "rsync-good": Shows(((873, "rsync", ""),), _FILES, _ids("files", "rsync-modules")),
    "tftpd": Shows(udp=(69,)),
    "samba-guest": Shows(((445, "smb", ""),), _ids("smb", "null-session", "signing", "version-1")),
    "samba-good": Shows(((445, "smb", ""),), passes=_ids("smb", "null-session", "signing", "version-1")),
    "slapd-anonymous": Shows(((389, "ldap", ""),), _ids("directory", "anonymous-search", "tls")),
    "slapd-good": Shows(
        ((389, "ldap", ""),), _ids("directory", "tls"), _ids("directory", "anonymous-search")
    ),
    "postfix-relay": Shows(((25, "smtp", "Postfix"),)),
    "postfix-good": Shows(((25, "smtp", "Postfix"),), passes=_ids("tls", "legacy-versions", "weak-ciphers")),
    "dovecot-plain": Shows(
        ((110, "pop3", "Dovecot"), (143, "imap", "Dovecot")), _ids("plaintext", "mail-login")
    ),
    "dovecot-good": Shows(
        ((110, "pop3", "Dovecot"), (143, "imap", "Dovecot")), passes=_ids("plaintext", "mail-login")
    ),
    "redis-open": Shows(((6379, "redis", "Redis"),), _PLAIN_STORE | _ids("databases", "redis-login")),
    "redis-good": Shows(((6379, "redis", "Redis"),), _PLAIN_STORE, _ids("databases", "redis-login")),
    "memcached": Shows(((11211, "memcached", "memcached"),), _STORE | _ids("databases", "memcached-login")),
    "memcached-udp": Shows(
        ((11211, "memcached", "memcached"),),
        _STORE | _ids("databases", "memcached-login") | _ids("datagrams", "memcached"),
        udp=(11211,),
    ),
    "postgres-trust": Shows(
        ((5432, "postgresql", "PostgreSQL"),), _PLAIN_STORE | _ids("databases", "postgres-login")
    ),
    "postgres-good": Shows(
        ((5432, "postgresql", "PostgreSQL"),), _PLAIN_STORE, _ids("databases", "postgres-login")
    ),
    "mariadb": Shows(((3306, "mysql", ""),), _STORE),
    "etcd": Shows(((2379, "", ""),), _ids("apis", "etcd-login") | _ids("exposure", "clusters")),
    "bind-open": Shows(((53, "dns", ""),), udp=(53,)),
    "bind-good": Shows(((53, "dns", ""),), udp=(53,)),
    "unbound-open": Shows(((53, "dns", ""),), udp=(53,)),
    "snmpd-public": Shows(fails=_ids("snmp", "default-community-read", "version"), udp=(161,)),
    "snmpd-good": Shows(passes=_ids("snmp", "default-community-read"), udp=(161,)),
    "chrony": Shows(passes=_ids("ntp", "monlist"), udp=(123,)),
    "rpcbind": Shows(((111, "", ""),), _FILES, udp=(111,)),
    "ipmi": Shows(
        fails=_ids("ipmi", "anonymous-login", "cipher-zero") | _ids("datagrams", "management-controllers"),
        udp=(623,),
    ),
}

_DICTIONARY = b"220 dict.lab.test dictd 1.12.1/rf on Linux 6.1 <auth.mime> <1.2.3@dict.lab.test>\r\n"

PLAN: tuple[Planned, ...] = (
    Planned(1, "web-clean", ("nginx-good", "sshd-good"), clean=True),
    Planned(2, "web-plain", ("nginx-plain", "sshd-old")),
    Planned(3, "web-old-tls", ("nginx-old-tls", "sshd-passwords")),
    Planned(4, "web-expired", ("nginx-expired",)),
    Planned(5, "web-self-signed", ("nginx-self-signed", "nginx-login")),
    Planned(6, "web-listing", ("nginx-listing",)),
    Planned(7, "web-elsewhere", ("nginx-redirect",)),
    Planned(8, "web-lighttpd", ("lighttpd",)),
    Planned(9, "web-python", ("python-http",)),
    Planned(10, "web-anonymous", ("openssl-anonymous",)),
    Planned(11, "shell-dropbear", ("dropbear",)),
    Planned(12, "shell-twin-1", ("sshd-shared-key",)),
    Planned(13, "shell-twin-2", ("sshd-shared-key",)),
    Planned(14, "shell-telnet", ("telnetd",)),
    Planned(15, "screen-open", ("vnc-open",)),
    Planned(16, "screen-locked", ("vnc-good",)),
    Planned(17, "screen-x11", ("x11-open",)),
    Planned(18, "screen-rdp", ("xrdp-old",)),
    Planned(19, "files-ftp", ("ftp-anonymous",)),
    Planned(20, "files-ftp-clean", ("ftp-good",), clean=True),
    Planned(21, "files-rsync", ("rsync-open",)),
    Planned(22, "files-rsync-locked", ("rsync-good",)),
    Planned(23, "files-smb", ("samba-guest",)),
    Planned(24, "files-smb-signed", ("samba-good",), clean=True),
    Planned(25, "names-ldap", ("slapd-anonymous",)),
    Planned(26, "names-ldap-locked", ("slapd-good",)),
    Planned(27, "mail-open", ("postfix-relay", "dovecot-plain")),
    Planned(28, "mail-clean", ("postfix-good", "dovecot-good"), clean=True),
    Planned(29, "store-redis", ("redis-open",)),
    Planned(30, "store-redis-locked", ("redis-good",)),
    Planned(31, "store-memcached", ("memcached-udp",)),
    Planned(32, "store-postgres", ("postgres-trust",)),
    Planned(33, "store-mariadb", ("mariadb",)),
    Planned(34, "store-etcd", ("etcd",)),
    Planned(35, "names-dns", ("bind-open",)),
    Planned(36, "names-dns-clean", ("bind-good",), clean=True),
    Planned(37, "devices-udp", ("snmpd-public", "tftpd", "chrony")),
    Planned(38, "devices-rpc", ("rpcbind", "ipmi")),
    Planned(39, "devices-snmp-locked", ("snmpd-good",), clean=True),
    Planned(40, "printer", silent=(515, 9100)),
    Planned(41, "controller", silent=(102, 502)),
    Planned(42, "silent", silent=(3000, 5000, 8088, 9999)),
    Planned(43, "middlebox", every=True),
    Planned(44, "two-families", ("sshd-good",), six=(8080,)),
    Planned(45, "slow-words", late={25: b"220 slow.lab.test ESMTP Postfix\r\n"}),
    Planned(46, "odd-words", says={7000: _DICTIONARY}),
    Planned(47, "filtered-web", ("nginx-good", "sshd-good"), drops=(80,), clean=True),
    Planned(48, "drops-some", drops=(22, 80, 443, 445, 3389, 8080), clean=True),
    Planned(49, "drops-all", drops=EVERY, clean=True),
    Planned(50, "drops-all", drops=EVERY, clean=True),
    *(Planned(number, "closed", clean=True) for number in range(51, 61)),
)
"""Sixty hosts: some with services, others closed, silent or dropping."""


def at(address: str) -> Planned:
    """The host with that IPv4 address."""
    [one] = [host for host in PLAN if host.address == address]
    return one
