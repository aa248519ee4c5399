"""Which service, product and version speak in the first datagram of a UDP port. Pure."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping
from types import MappingProxyType

from checks.facts.network import OpenPort
from checks.fix import printable
from scanner.collect.network.ask.ber import BerError
from scanner.collect.network.ask.snmp_wire import read_answer
from scanner.collect.network.recognise import BANNER_LIMIT, VERSION_LIMIT, Recognised, server_product
from scanner.collect.network.udp_payloads import USUAL_UDP

Told = tuple[str, str, str]
"""Product, version and the words that people see; all may be empty."""
NOTHING_MORE: Told = ("", "", "")

_DNS_SERVERS: tuple[tuple[str, str], ...] = (
    (r"(9\.\d[\w.+~-]*)", "BIND"),
    (r"unbound ([\w.+-]+)", "Unbound"),
    (r"dnsmasq-([\w.+-]+)", "dnsmasq"),
    (r"PowerDNS (?:Authoritative Server|Recursor) ([\w.+-]+)", "PowerDNS"),
    (r"NSD ([\w.+-]+)", "NSD"),
    (r"Knot DNS ([\w.+-]+)", "Knot DNS"),
    (r"Microsoft DNS ([\w.+-]+)", "Microsoft DNS"),
)
_CPE: Mapping[str, str] = MappingProxyType(
    {
        "BIND": "isc:bind",
        "Unbound": "nlnetlabs:unbound",
        "dnsmasq": "thekelleys:dnsmasq",
        "NSD": "nlnetlabs:nsd",
        "Memcached": "memcached:memcached",
        "Net-SNMP": "net-snmp:net-snmp",
    }
)
_INFORMATIONAL = 5
_NET_SNMP = 8072
"""The number of Net-SNMP among the makers of SNMP engines."""


def identify_udp(port: int, answer: bytes) -> OpenPort:
    """The open UDP port, as far as this first answer names what speaks there."""
    name = USUAL_UDP.get(port, "")
    told = _READERS[name](answer[:65_535]) if name else None
    if told is None:
        note = "nothing that was recognised speaks there"
        return OpenPort(port, "udp", banner=_shown(answer[:BANNER_LIMIT]), note=note)
    product, version, words = told
    found = re.match(r"\d[\w.]*", version)
    clean = found[0] if found else ""
    maker = _CPE.get(product, "")
    return OpenPort(
        number=port,
        protocol="udp",
        service=name,
        product=product,
        version=version[:VERSION_LIMIT],
        cpe=(f"cpe:/a:{maker}:{clean}" if clean else f"cpe:/a:{maker}",) if maker else (),
        banner=words[:BANNER_LIMIT],
        identified_by="datagram",
    )


def dns_product(text: str) -> tuple[str, str]:
    """(product, version) in what a DNS server says of its version; empty where it tells nothing."""
    for pattern, product in _DNS_SERVERS:
        if found := re.match(pattern, text):
            return product, found[1][:VERSION_LIMIT]
    return "", ""


def dns_texts(answer: bytes) -> tuple[str, ...] | None:
    """The texts in a DNS response, made printable; None if it is no response of DNS."""
    import dns.exception
    import dns.message
    import dns.rdatatype

    try:
        message = dns.message.from_wire(answer, ignore_trailing=True, one_rr_per_rrset=True)
    except (dns.exception.DNSException, ValueError, struct.error, IndexError):
        return None
    if not message.flags & 0x8000:
        return None
    records = (r for rrset in message.answer if rrset.rdtype == dns.rdatatype.TXT for r in rrset)
    texts = (b"".join(record.strings) for record in records)
    return tuple(printable(t[:BANNER_LIMIT].decode("utf-8", "backslashreplace")) for t in texts)


def _dns(answer: bytes) -> Told | None:
    texts = dns_texts(answer)
    if texts is None:
        return None
    words = next((text for text in texts if text), "")
    return (*dns_product(words), words)


def _tftp(answer: bytes) -> Told | None:
    if len(answer) < 4 or answer[:2] not in (b"\0\x03", b"\0\x05", b"\0\x06"):
        return None
    if answer[:2] != b"\0\x05":
        return "", "", "hands out a file that nobody has"
    [code] = struct.unpack_from("!H", answer, 2)
    return "", "", f"error {code}: {_shown(answer[4:BANNER_LIMIT].partition(bytes(1))[0])}"


def _rpcbind(answer: bytes) -> Told | None:
    return NOTHING_MORE if len(answer) >= 12 and answer[4:8] == b"\0\0\0\x01" else None


def _ntp(answer: bytes) -> Told | None:
    if len(answer) < 48 or answer[0] & 7 not in (4, 5):
        return None
    return "", "", f"NTP version {answer[0] >> 3 & 7}, stratum {answer[1]}"


def _netbios(answer: bytes) -> Told | None:
    names = netbios_names(answer)
    return None if names is None else ("", "", ", ".join(names))


def netbios_names(answer: bytes) -> tuple[str, ...] | None:
    """The names in an answer to a status question, made printable; None if it is no such answer."""
    if len(answer) < 57 or not answer[2] & 0x80 or answer[46:48] != b"\0\x21":
        return None
    names = []
    for number in range(min(answer[56], 64)):
        entry = answer[57 + 18 * number : 57 + 18 * (number + 1)]
        if len(entry) < 18:
            break
        names.append(f"{_shown(entry[:15].rstrip(bytes(1) + b' '))}<{entry[15]:02x}>")
    return tuple(names)


def _snmp(answer: bytes) -> Told | None:
    try:
        told = read_answer(answer)
    except BerError:
        return None
    maker = int.from_bytes(told.engine[:4], "big") & 0x7FFF_FFFF if len(told.engine) >= 5 else 0
    return "Net-SNMP" if maker == _NET_SNMP else "", "", _shown(told.value[:BANNER_LIMIT])


def _cldap(answer: bytes) -> Told | None:
    is_search = re.match(rb"(?s)\x30(?:[\x00-\x7f]|[\x81-\x84].{1,4}?)\x02\x01\x07[\x64\x65]", answer[:16])
    return NOTHING_MORE if is_search else None


def _isakmp(answer: bytes) -> Told | None:
    if len(answer) < 28 or answer[17] not in (0x10, 0x20) or not 1 <= answer[18] <= 37:
        return None
    if answer[8:16] == bytes(8) and answer[18] != _INFORMATIONAL:
        # Our own question, sent back.
        return None
    return "", "", f"IKE version {answer[17] >> 4}"


def _ipmi(answer: bytes) -> Told | None:
    pong = len(answer) >= 28 and answer[:1] == b"\x06" and answer[3:4] == b"\x06" and answer[8:9] == b"\x40"
    return NOTHING_MORE if pong else None


def _ssdp(answer: bytes) -> Told | None:
    if not re.match(rb"(?:HTTP/1\.[01] 200|NOTIFY )", answer):
        return None
    header = re.search(rb"(?im)^SERVER:[ \t]{0,20}([^\r\n]{1,200})", answer[:8_192])
    words = _shown(header[1]) if header else ""
    last = words.rpartition(" ")[2]
    found = server_product(last) if last else Recognised()
    place = re.search(rb"(?im)^LOCATION:[ \t]{0,20}([^\r\n]{1,200})", answer[:8_192])
    told = f"{words}, described at {_shown(place[1])}" if place else words
    return found.product, found.version, told


def _ws_discovery(answer: bytes) -> Told | None:
    return NOTHING_MORE if b"ProbeMatches" in answer and b"<" in answer[:200] else None


def _mdns(answer: bytes) -> Told | None:
    return None if dns_texts(answer) is None else NOTHING_MORE


def _memcached(answer: bytes) -> Told | None:
    # The frame of one whole answer: its number, 0 of 1, and two bytes that are kept free.
    if answer[2:8] != b"\0\0\0\x01\0\0":
        return None
    found = re.match(rb"VERSION ([\w.+-]{1,30})\r\n", answer[8:])
    if found:
        return "Memcached", found[1].decode("ascii"), ""
    refused = re.match(rb"(?:ERROR|(?:CLIENT|SERVER)_ERROR [^\r\n]{1,200})\r\n", answer[8:])
    return ("Memcached", "", "") if refused else None


def _shown(raw: bytes) -> str:
    return printable(raw.decode("utf-8", "backslashreplace").strip())[:BANNER_LIMIT]


_READERS: Mapping[str, Callable[[bytes], Told | None]] = MappingProxyType(
    {
        "dns": _dns,
        "tftp": _tftp,
        "rpcbind": _rpcbind,
        "ntp": _ntp,
        "netbios-ns": _netbios,
        "snmp": _snmp,
        "cldap": _cldap,
        "isakmp": _isakmp,
        "ipmi": _ipmi,
        "ssdp": _ssdp,
        "ws-discovery": _ws_discovery,
        "mdns": _mdns,
        "memcached": _memcached,
    }
)
