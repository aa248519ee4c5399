"""IP addresses as targets: read strictly, sorted into kinds, and counted without listing them.

Only `ipaddress` reads an address here. The C library takes `010.0.0.1` for 8.0.0.1 and `127.1` for
127.0.0.1, so no text reaches it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
    summarize_address_range,
)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_PREFIX = re.compile(r"0|[1-9][0-9]{0,2}")
_LOOKS_LIKE_ADDRESS = re.compile(r"[0-9.]+|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*")
_NAT64 = IPv6Network("64:ff9b::/96")
_COMPATIBLE = IPv6Network("::/96")

LOOPBACK: tuple[Network, ...] = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))

# Written out, because `is_private` changes its mind between releases of Python.
_NOT_PUBLIC: tuple[Network, ...] = (
    *LOOPBACK,
    *(
        ip_network(n)
        for n in (
            "10.0.0.0/8",
            "100.64.0.0/10",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.2.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "2001:db8::/32",
            "fc00::/7",
        )
    ),
)

_NEVER: tuple[tuple[Network, str], ...] = tuple(
    (ip_network(network), reason)
    for network, reason in (
        ("0.0.0.0/8", "the unspecified network is nobody's address"),
        ("::/128", "the unspecified address is nobody's address"),
        ("224.0.0.0/4", "multicast addresses are many machines at once"),
        ("ff00::/8", "multicast addresses are many machines at once"),
        ("255.255.255.255/32", "the broadcast address is every machine at once"),
        ("240.0.0.0/4", "the range is reserved"),
        ("fe80::/10", "link-local addresses need a zone, which is not supported"),
        ("169.254.169.254/32", "it is the metadata service of a cloud, which hands out credentials"),
        ("fd00:ec2::254/128", "it is the metadata service of a cloud, which hands out credentials"),
    )
)


class AddressError(ValueError):
    """The text is no address or network; the message says what to write."""


def parse_address(text: str) -> Address:
    """The address; an IPv4 address inside `::ffff:0:0/96` is unwrapped.

    Raises:
        AddressError: anything else, with the mend.

    """
    if "%" in text:
        raise AddressError("IPv6 zones (%eth0) are not supported; write a global or unique-local address")
    try:
        return unwrap(ip_address(text))
    except ValueError:
        raise AddressError(_why_not(text)) from None


def parse_network(text: str) -> Network:
    """The network, or the network of one address; networks inside `::ffff:0:0/96` are unwrapped.

    Raises:
        AddressError: not an address with an optional prefix length, or host bits are set.

    """
    written, slash, prefix = text.partition("/")
    if "-" in written:
        raise AddressError(_range_hint(text))
    address = parse_address(written)
    if not slash:
        return ip_network(address)
    if not _PREFIX.fullmatch(prefix):
        raise AddressError(f"a prefix length is a number, as in {written}/24")
    mapped = isinstance(address, IPv4Address) and ":" in written
    length = int(prefix) - 96 if mapped else int(prefix)
    if not 0 <= length <= address.max_prefixlen:
        least, most = (96, 128) if mapped else (0, address.max_prefixlen)
        raise AddressError(f"the prefix length is {least} to {most}, not {prefix}")
    network = ip_network((address, length), strict=False)
    if network.network_address != address:
        raise AddressError(
            f"bits are set behind the prefix; write {network} for the network or {address} for the address"
        )
    return network


def literal(text: str) -> Address | None:
    """The address that a host is written as; None where it is a name."""
    try:
        return parse_address(text)
    except AddressError:
        return None


def unwrap(address: Address) -> Address:
    """The IPv4 address that an `::ffff:` address stands for, else the address itself."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def faces(address: Address) -> tuple[Address, ...]:
    """The address, unwrapped, and the IPv4 address to which a translator or tunnel would take it."""
    plain = unwrap(address)
    if isinstance(plain, IPv4Address):
        return (plain,)
    if plain.sixtofour is not None:
        return (plain, plain.sixtofour)
    if plain in _NAT64 or (plain in _COMPATIBLE and int(plain) > 0xFFFF):
        return (plain, IPv4Address(int(plain) & 0xFFFFFFFF))
    return (plain,)


def is_loopback(network: Network) -> bool:
    """Whether all of it is the machine that asks."""
    return any(_inside(network, own) for own in LOOPBACK)


def is_public(network: Network) -> bool:
    """Whether any of it may be reached over the internet."""
    return not any(_inside(network, own) for own in _NOT_PUBLIC)


def never(network: Network) -> str:
    """Why nothing in this network is a target, or an empty text."""
    return next((reason for other, reason in _NEVER if _inside(network, other)), "")


def never_address(address: Address) -> str:
    """Why this address is no target, or an empty text."""
    return never(ip_network(address)) if address in _NEVER_SET else ""


def count(network: Network) -> str:
    """How many addresses it has, in words that stay short."""
    free = network.max_prefixlen - network.prefixlen
    return f"2^{free}" if free > 32 else f"{network.num_addresses:,}"


def text_of(network: Network) -> str:
    """`10.0.0.0/24`, and `10.0.0.5` for a single address."""
    return str(network) if network.prefixlen < network.max_prefixlen else str(network.network_address)


@dataclass(frozen=True, slots=True)
class AddressSet:
    """Any number of addresses as sorted, disjoint ranges of (IP version, first, last)."""

    ranges: tuple[tuple[int, int, int], ...] = ()

    @classmethod
    def of(cls, networks: Iterable[Network]) -> AddressSet:
        """All addresses of these networks."""
        return cls(_joined((n.version, int(n[0]), int(n[-1])) for n in networks))

    @classmethod
    def machines(cls, network: Network) -> AddressSet:
        """The addresses that can be machines: an IPv4 subnet's first and last are its name and broadcast."""
        edge = 1 if network.version == 4 and network.prefixlen < 31 else 0
        return cls(((network.version, int(network[0]) + edge, int(network[-1]) - edge),))

    @classmethod
    def owned(cls, networks: Iterable[Network]) -> AddressSet:
        """The machines of all of these; inside two of them the smaller network says what its edges are."""
        found, taken = cls(), cls()
        for network in sorted(set(networks), key=lambda n: -n.prefixlen):
            found |= cls.machines(network) - taken
            taken |= cls.of([network])
        return found

    @property
    def size(self) -> int:
        """How many addresses there are."""
        return sum(last - first + 1 for _, first, last in self.ranges)

    def __contains__(self, address: Address) -> bool:
        place = (address.version, int(address))
        at = bisect_right(self.ranges, (*place, 1 << 129)) - 1
        return at >= 0 and self.ranges[at][0] == place[0] and self.ranges[at][2] >= place[1]

    def __iter__(self) -> Iterator[Address]:
        for version, first, last in self.ranges:
            make = IPv4Address if version == 4 else IPv6Address
            yield from (make(number) for number in range(first, last + 1))

    def __or__(self, other: AddressSet) -> AddressSet:
        return AddressSet(_joined((*self.ranges, *other.ranges)))

    def __sub__(self, other: AddressSet) -> AddressSet:
        left: list[tuple[int, int, int]] = []
        for version, first, last in self.ranges:
            start = first
            for _, cut_first, cut_last in other._touching(version, first, last):
                if cut_first > start:
                    left.append((version, start, cut_first - 1))
                start = max(start, cut_last + 1)
            if start <= last:
                left.append((version, start, last))
        return AddressSet(tuple(left))

    def __and__(self, other: AddressSet) -> AddressSet:
        return self - (self - other)

    def networks(self) -> Iterator[Network]:
        """The same addresses as the fewest networks."""
        for version, first, last in self.ranges:
            if version == 4:
                yield from summarize_address_range(IPv4Address(first), IPv4Address(last))
            else:
                yield from summarize_address_range(IPv6Address(first), IPv6Address(last))

    def _touching(self, version: int, first: int, last: int) -> Iterator[tuple[int, int, int]]:
        at = max(bisect_right(self.ranges, (version, first, 1 << 129)) - 1, 0)
        for one in self.ranges[at:]:
            if one[:2] > (version, last):
                return
            if one[0] == version and one[2] >= first:
                yield one


def _joined(ranges: Iterable[tuple[int, int, int]]) -> tuple[tuple[int, int, int], ...]:
    joined: list[tuple[int, int, int]] = []
    for version, first, last in sorted(ranges):
        if joined and joined[-1][0] == version and joined[-1][2] >= first - 1:
            joined[-1] = (version, joined[-1][1], max(joined[-1][2], last))
        else:
            joined.append((version, first, last))
    return tuple(joined)


def _inside(inner: Network, outer: Network) -> bool:
    return (
        inner.version == outer.version and int(inner[0]) >= int(outer[0]) and int(inner[-1]) <= int(outer[-1])
    )


def _why_not(text: str) -> str:
    if not text:
        return "an address is missing"
    if not _LOOKS_LIKE_ADDRESS.fullmatch(text):
        return "it is no IP address"
    if ":" in text:
        return "it is no IPv6 address; one looks like 2001:db8::1"
    parts = text.split(".")
    if len(parts) != 4:
        return "an IPv4 address has four numbers, as in 10.0.0.5"
    if any(len(part) > 1 and part.startswith("0") for part in parts):
        return "a leading zero can be read as octal; write the numbers without it"
    return "each number of an IPv4 address is 0 to 255"


def _range_hint(text: str) -> str:
    first, _, last = text.partition("-")
    try:
        low, high = parse_address(first), parse_address(last if ":" in last or "." in last else "")
        found = (
            list(AddressSet(((low.version, int(low), int(high)),)).networks())
            if low.version == high.version
            else []
        )
    except ValueError:
        found = []
    if not 0 < len(found) <= 4:
        return "ranges are not read; write a network, as in 10.0.0.0/28"
    return f"ranges are not read; write {' '.join(text_of(n) for n in found)}"


# Asked for every single address that is scanned: a search, where `never` walks a list.
_NEVER_SET = AddressSet.of(network for network, _ in _NEVER)
