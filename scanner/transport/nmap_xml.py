"""nmap's XML, read as a stream and without trust: what a cut or hostile file still holds, and no more."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import BinaryIO
from xml.etree.ElementTree import Element, ParseError

import defusedxml.ElementTree
from defusedxml import DefusedXmlException

from checks.fix import printable

Address = IPv4Address | IPv6Address

SIZE_LIMIT = 64 * 1024 * 1024
TEXT_LIMIT = 200
"""Characters kept of one attribute."""
CPE_LIMIT = 8
LIMIT_SENTENCES = 20


@dataclass(frozen=True, slots=True)
class NmapPort:
    """One port as nmap saw it; `confidence` from 0 to 10, `tunnel` is `ssl` or empty."""

    protocol: str
    number: int
    state: str
    reason: str
    service: str = ""
    product: str = ""
    version: str = ""
    extra: str = ""
    tunnel: str = ""
    confidence: int = 0
    probed: bool = False
    cpe: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NmapHost:
    """One host that answered, with the MAC and vendor where nmap saw them."""

    address: Address
    mac: str = ""
    vendor: str = ""
    ports: tuple[NmapPort, ...] = ()


@dataclass(frozen=True, slots=True)
class NmapOutput:
    """What a run of nmap gave: `limits` says what was dropped or missing, `whole` if the end was there."""

    hosts: tuple[NmapHost, ...]
    limits: tuple[str, ...]
    whole: bool


@dataclass(slots=True)
class _Reading:
    """What one pass over a file has found so far."""

    asked: Collection[Address]
    hosts: dict[Address, NmapHost] = field(default_factory=dict)
    limits: list[str] = field(default_factory=list)
    dropped: int = 0

    def limit(self, sentence: str) -> None:
        if len(self.limits) < LIMIT_SENTENCES:
            self.limits.append(sentence)
        else:
            self.dropped += 1


class _Bounded:
    """A file that ends at a limit; `exceeded` says whether it would have gone on."""

    def __init__(self, stream: BinaryIO, limit: int) -> None:
        self._stream = stream
        self._left = limit
        self.exceeded = False

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(min(size if size >= 0 else 65_536, self._left + 1))
        if len(data) > self._left:
            self.exceeded = True
            data = data[: self._left]
        self._left -= len(data)
        return data


def parse(stream: BinaryIO, asked: Collection[Address], size_limit: int = SIZE_LIMIT) -> NmapOutput:
    """The complete hosts of this XML that were asked; never raises for what the file holds.

    Entities are refused as a whole file: what came before them is not believed either.
    """
    reading = _Reading(asked)
    bounded = _Bounded(stream, size_limit)
    whole = False
    try:
        for element in _closed_elements(bounded):
            if element.tag == "host":
                _host(element, reading)
                element.clear()
            elif element.tag == "finished":
                whole = element.get("exit", "success") == "success"
                if not whole:
                    reading.limit(f"nmap stopped: {_text(element, 'errormsg') or 'without a reason'}")
    except DefusedXmlException:
        return NmapOutput((), ("the XML of nmap defines entities; nothing of it was read",), whole=False)
    except (ParseError, ValueError, LookupError) as error:
        reading.limit(f"the XML of nmap ends early ({printable(str(error))[:TEXT_LIMIT]})")
        whole = False
    if bounded.exceeded:
        reading.limit(f"the XML of nmap is larger than {size_limit:,} bytes; the rest was not read")
        whole = False
    elif not whole and not reading.limits:
        reading.limit("the XML of nmap has no end mark")
    if reading.dropped:
        reading.limits.append(f"{reading.dropped} more entries of the XML of nmap were dropped")
    return NmapOutput(tuple(reading.hosts.values()), tuple(reading.limits), whole)


def _closed_elements(stream: _Bounded) -> Iterator[Element]:
    """Each direct child of the root and each end mark, once it is complete; the tree never grows."""
    root: Element | None = None
    depth = 0
    for event, element in defusedxml.ElementTree.iterparse(stream, events=("start", "end")):
        if event == "start":
            depth += 1
            if root is None:
                root = element
                if element.tag != "nmaprun":
                    raise ValueError("not an output of nmap")
            continue
        depth -= 1
        if depth == 1 or element.tag == "finished":
            yield element
        if depth == 1 and root is not None:
            root.clear()


def _host(element: Element, reading: _Reading) -> None:
    address, mac, vendor = None, "", ""
    for one in element.findall("address"):
        if one.get("addrtype") == "mac":
            mac, vendor = _text(one, "addr"), _text(one, "vendor")
        elif address is None:
            try:
                address = ip_address(one.get("addr", ""))
            except ValueError:
                reading.limit("a host of nmap has an address that is none; it was dropped")
                return
    if address is None:
        reading.limit("a host of nmap has no address; it was dropped")
    elif address not in reading.asked:
        reading.limit(f"nmap reported {address}, which was not asked; it was dropped")
    elif element.get("timedout") == "true":
        # nmap writes such a host without its ports: read as an answer, they would look closed.
        reading.limit(f"nmap gave {address} up, which took longer than its share of the time")
    else:
        ports = tuple(port for one in element.iterfind("ports/port") if (port := _port(one, reading)))
        earlier = reading.hosts.get(address)
        if earlier is not None:
            # The same host twice: neither report may overwrite what only the other one saw.
            known = {(p.protocol, p.number) for p in earlier.ports}
            ports = earlier.ports + tuple(p for p in ports if (p.protocol, p.number) not in known)
            mac, vendor = earlier.mac or mac, earlier.vendor or vendor
        reading.hosts[address] = NmapHost(address, mac, vendor, ports)


def _port(element: Element, reading: _Reading) -> NmapPort | None:
    text, protocol = element.get("portid", ""), element.get("protocol", "")
    state = element.find("state")
    # isdecimal and isascii: int() also takes spaces, signs, underscores and other scripts' digits.
    valid = text.isascii() and text.isdecimal() and len(text) <= 5 and 1 <= int(text) <= 65_535
    if not valid or protocol not in ("tcp", "udp", "sctp") or state is None:
        reading.limit(f"nmap reported the port {printable(text)[:20] or 'without a number'}; it was dropped")
        return None
    service = element.find("service")
    plain = NmapPort(protocol, int(text), _text(state, "state"), _text(state, "reason"))
    if service is None:
        return plain
    confidence = service.get("conf", "0")
    return NmapPort(
        protocol=plain.protocol,
        number=plain.number,
        state=plain.state,
        reason=plain.reason,
        service=_text(service, "name"),
        product=_text(service, "product"),
        version=_text(service, "version"),
        extra=_text(service, "extrainfo"),
        tunnel=_text(service, "tunnel"),
        confidence=int(confidence) if confidence in {str(n) for n in range(11)} else 0,
        probed=service.get("method") == "probed",
        cpe=tuple(printable(c.text or "")[:TEXT_LIMIT] for c in service.findall("cpe")[:CPE_LIMIT]),
    )


def _text(element: Element, name: str) -> str:
    return printable(element.get(name, ""))[:TEXT_LIMIT]
