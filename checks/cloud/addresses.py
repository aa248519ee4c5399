"""How much of the internet a set of networks holds, however it is cut into pieces."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network, summarize_address_range

Spans = tuple[tuple[int, int], ...]
"""Address ranges as whole numbers, both ends inside, sorted and apart from each other."""

_PRIVATE4 = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/3",
)
"""What is never a sender on the internet (IANA's special-purpose registry, and multicast and beyond)."""
_PUBLIC6 = "2000::/3"


def spans(cidrs: Iterable[str], version: int) -> Spans:
    """The networks of one IP version as ranges; those of the other version are left out."""
    networks = [ip_network(cidr, strict=False) for cidr in cidrs]
    return _joined(
        (int(n.network_address), int(n.broadcast_address)) for n in networks if n.version == version
    )


def within(some: Spans, other: Spans) -> Spans:
    """What both hold."""
    return _joined((max(a, c), min(b, d)) for a, b in some for c, d in other if max(a, c) <= min(b, d))


def without(some: Spans, other: Spans) -> Spans:
    """What the first holds and the second does not."""
    left = list(some)
    for c, d in other:
        cut: list[tuple[int, int]] = []
        for a, b in left:
            if d < a or b < c:
                cut.append((a, b))
                continue
            if a < c:
                cut.append((a, c - 1))
            if d < b:
                cut.append((d + 1, b))
        left = cut
    return tuple(left)


def together(some: Spans, other: Spans) -> Spans:
    """What either holds."""
    return _joined((*some, *other))


ALL: Mapping[int, Spans] = {4: ((0, 2**32 - 1),), 6: ((0, 2**128 - 1),)}
"""Every address of a version."""


@dataclass(frozen=True, slots=True)
class Open:
    """Which part of the internet may come in, per IP version; empty texts for no wide part."""

    four: str = ""
    six: str = ""

    def __bool__(self) -> bool:
        """Whether any version is open."""
        return bool(self.four or self.six)

    @property
    def words(self) -> str:
        """`0.0.0.0/0 and ::/0`."""
        return " and ".join(part for part in (self.four, self.six) if part)


def opened(cidrs: Iterable[str], *, prefix4: int = 8, prefix6: int = 32) -> Open:
    """Whether these networks together let in more of the internet than one network of that prefix.

    An IPv4 /8 is the widest that AWS itself does not call public; private and reserved addresses do
    not count. Pieces are put together first: two halves are the whole.
    """
    known = list(cidrs)
    return opened_spans(spans(known, 4), spans(known, 6), prefix4=prefix4, prefix6=prefix6)


def opened_spans(four: Spans, six: Spans, *, prefix4: int = 8, prefix6: int = 32) -> Open:
    """The same for ranges."""
    wide4 = _size(within(four, _INTERNET[4])) > 2 ** (32 - prefix4)
    wide6 = _size(within(six, _INTERNET[6])) > 2 ** (128 - prefix6)
    return Open(_words(four, 4) if wide4 else "", _words(six, 6) if wide6 else "")


def _words(held: Spans, version: int) -> str:
    if not without(_INTERNET[version], held):
        return "0.0.0.0/0" if version == 4 else "::/0"
    kind = ip_address("0.0.0.0" if version == 4 else "::").__class__  # noqa: S104 - a type, not a bind
    networks = [str(n) for a, b in held for n in summarize_address_range(kind(a), kind(b))]
    if len(networks) <= 4:
        return ", ".join(networks)
    share = 100 * _size(within(held, _INTERNET[version])) / _size(_INTERNET[version])
    return f"{share:.1f} % of the IPv{version} internet in {len(networks)} networks"


def _size(held: Spans) -> int:
    return sum(b - a + 1 for a, b in held)


def _joined(pieces: Iterable[tuple[int, int]]) -> Spans:
    joined: list[tuple[int, int]] = []
    for a, b in sorted(pieces):
        if joined and a <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(b, joined[-1][1]))
        else:
            joined.append((a, b))
    return tuple(joined)


_INTERNET = {4: without(ALL[4], spans(_PRIVATE4, 4)), 6: spans([_PUBLIC6], 6)}
