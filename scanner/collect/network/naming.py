"""One name for what speaks on a port: nmap's words where its signatures know it, else ours. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from checks.facts.network import OpenPort
from scanner.collect.network.recognise import Recognised, banner
from scanner.collect.network.service_probes import Named
from scanner.transport.nmap_xml import NmapPort

_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "ms-wbt-server": "rdp",
        "X11": "x11",
        "microsoft-ds": "smb",
        "netbios-ssn": "smb",
        "smbd": "smb",
        "https": "http",
        "http-proxy": "http",
        "domain": "dns",
        "exec": "rexec",
        "login": "rlogin",
        "shell": "rsh",
        "rshd": "rsh",
        "kerberos-sec": "kerberos",
        "cassandra-native": "cassandra",
        "winbox": "mikrotik",
        "routeros-api": "mikrotik-api",
        "svnserve": "svn",
        "ms-sql-s": "mssql",
        "oracle-tns": "oracle",
        "oracle-mts": "oracle",
        "nfs_acl": "nfs",
        "amqps": "amqp",
        "imaps": "imap",
        "pop3s": "pop3",
        "smtps": "smtp",
        "ldapssl": "ldap",
        "globalcatLDAP": "ldap",
    }
)
"""nmap's name of a service → the one that the checks use, where they differ."""
_OURS = frozenset({"elasticsearch", "mongodb"})
"""Services that speak HTTP and that we tell apart ourselves."""
_TOO_WIDE = frozenset({"ssl", "tcpwrapped", "unknown", "http-alt"})


def service_name(name: str) -> str:
    """The name that the checks use for nmap's name of a service; empty for one that says nothing."""
    plain = name.removeprefix("ssl/")
    return "" if plain in _TOO_WIDE else _NAMES.get(plain, plain)


def both(own: Recognised, theirs: Named | None, heard: bytes) -> Recognised:
    """What our own signatures and nmap's say of one reply together.

    What answers in HTTP is `http` whatever product speaks it, for it is asked like every web server.
    """
    if theirs is None:
        return own
    name = service_name(theirs.service)
    if own.service in _OURS:
        name = own.service
    elif heard.startswith(b"HTTP/"):
        name = "http"
    if theirs.soft and not theirs.product:
        return own if own.service else Recognised(name)
    version = theirs.version or (own.version if own.service == name and not theirs.product else "")
    return Recognised(name or own.service, theirs.product, version, theirs.cpe)


def open_port(
    number: int, found: Recognised, heard: bytes, by: str, *, tls: bool = False, protocol: str = "tcp"
) -> OpenPort:
    """The port as this reply names it."""
    return OpenPort(
        number=number,
        protocol=protocol,
        service=found.service,
        product=found.product,
        version=found.version,
        cpe=found.cpe,
        tls=tls,
        banner=banner(heard),
        identified_by=by if found.service or tls else "",
        note="" if found.service else "nothing that was recognised speaks there",
    )


def better(port: OpenPort, seen: NmapPort) -> OpenPort:
    """What we know with what nmap adds; a guess by the port's number is no knowledge."""
    name = service_name(seen.service)
    if not seen.probed or not name:
        return port
    return OpenPort(
        number=port.number,
        protocol=port.protocol,
        service=port.service or name,
        product=port.product or seen.product,
        version=port.version or seen.version,
        cpe=port.cpe or seen.cpe,
        tls=port.tls or seen.tunnel == "ssl",
        banner=port.banner,
        identified_by=port.identified_by or "nmap",
    )
