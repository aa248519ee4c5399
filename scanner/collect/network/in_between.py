"""Whether something in between answers for an address: a SYN proxy, a tarpit, a load balancer."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from scanner.collect.network.look import Looked
from scanner.collect.network.talk import Address, Line, TalkError
from scanner.transport.packets_swept import Swept

MIDDLEBOX_PORTS = 200
"""More open ports than a machine has services."""
SHORT_LIST = 20
"""From so many ports on, it is no chance that all of a list are open."""
SUSPICIOUS = 10
"""From so many open ports on, ports that nobody uses are tried as well."""
CONTROLS = 3
CONTROL_SECONDS = 2.0
SMALL_NETWORK = 16
"""In a smaller network, every machine may well offer the same service."""
_NOBODYS = range(50_000, 65_000)


@dataclass(frozen=True)
class Proxied:
    """Ports that are open on every address of a network, existing or not; `addresses` is how many."""

    ports: frozenset[int]
    addresses: int

    @property
    def limit(self) -> str:
        """The sentence for people; empty where there is no such port."""
        if not self.ports:
            return ""
        named = ", ".join(f"tcp/{port}" for port in sorted(self.ports)[:5])
        return (
            f"{named} {'is' if len(self.ports) == 1 else 'are'} open on all {self.addresses} addresses: "
            "a proxy in between answers for them"
        )


def proxied(looked: Looked, asked: Sequence[Address]) -> Proxied:
    """The ports that all addresses of a larger network answer."""
    far = [address for address in asked if not address.is_loopback]
    if len(far) < SMALL_NETWORK or any(address not in looked.live for address in far):
        return Proxied(frozenset(), len(far))
    common: set[int] | None = None
    for address in far:
        swept = looked.swept(address)
        ports = set(swept.open) if swept else set()
        common = ports if common is None else common & ports
        if not common:
            break
    return Proxied(frozenset(common or ()), len(far))


async def in_between(
    line: Line, address: Address, swept: Swept, listed: Collection[int], everywhere: Proxied
) -> str:
    """Why something seems to answer in place of that address; empty where nothing says so."""
    opened = swept.open
    if len(opened) > MIDDLEBOX_PORTS:
        return f"{len(opened)} ports are open at once: something in between answers for this address"
    if len(opened) == swept.asked >= SHORT_LIST:
        return f"all {len(opened)} ports asked are open: something in between answers for this address"
    if opened and everywhere.ports.issuperset(opened):
        return everywhere.limit
    if len(opened) < SUSPICIOUS:
        return ""
    known: Mapping[int, None] = dict.fromkeys(listed)
    numbers = random.sample([number for number in _NOBODYS if number not in known], CONTROLS)
    taken = await asyncio.gather(*(_accepts(line, address, number) for number in numbers))
    if all(taken):
        told = ", ".join(f"tcp/{number}" for number in sorted(numbers))
        return f"ports that nobody uses are open too ({told}): something in between answers for this address"
    return ""


async def _accepts(line: Line, address: Address, number: int) -> bool:
    try:
        async with line.first_words(address, number, CONTROL_SECONDS):
            return True
    except TalkError:
        return False
