"""Ways that are not what they seem: a link without IPv6, and a router that keeps silent."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv6Address

import pytest

from scanner.transport.packets import Address, PacketSender, PacketSweep
from scanner.transport.packets_swept import Swept
from tests.lab.network import Namespace, Wire

pytestmark = pytest.mark.real

HERE, SIX = IPv4Address("10.88.0.2"), IPv6Address("fd00:88::2")
FAR = (IPv4Address("10.98.0.5"), IPv4Address("10.98.0.6"))


@pytest.fixture(scope="module")
def scanner() -> Iterator[Namespace]:
    with contextlib.ExitStack() as stack:
        wire = Wire(stack)
        one, target = wire.host("10.88.0.1/29"), wire.host(f"{HERE}/29")
        one.command("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1")
        one.command("ip", "route", "add", "10.98.0.0/24", "via", "10.88.0.6")
        target.listen(stack, str(HERE), 22)
        yield one


def sent(
    scanner: Namespace, asked: tuple[Address, ...], work: Callable[[PacketSender], PacketSweep]
) -> PacketSweep:
    def inside() -> PacketSweep:
        with PacketSender(
            asked, rate=1000, per_host=1000, seconds=30, cancelled=threading.Event(), settle=0.3
        ) as sender:
            return work(sender)

    return scanner.inside(inside)


@pytest.mark.parametrize("asked", [(HERE, SIX), (SIX, HERE)], ids=["4 first", "6 first"])
def test_without_ipv6_on_the_link_ipv4_is_swept_and_ipv6_left_to_others(
    scanner: Namespace, asked: tuple[Address, ...]
) -> None:
    def work(sender: PacketSender) -> PacketSweep:
        assert [sender.elsewhere(a) for a in (HERE, SIX)] == [False, True]
        assert set(sender.discover(asked)[0]) == {HERE}
        return sender.sweep(asked, (22, 80))

    swept = sent(scanner, asked, work)
    assert dict(swept.answers) == {HERE: Swept.of(open=[22], closed=[80])}
    assert swept.whole


def test_behind_a_router_that_keeps_silent_nothing_was_asked(scanner: Namespace) -> None:
    swept = sent(scanner, (HERE, *FAR), lambda sender: sender.sweep((HERE, *FAR), (22,)))
    assert set(swept.answers) == {HERE}
    assert not swept.whole
    alone = sent(scanner, FAR, lambda sender: sender.sweep(FAR, (22,)))
    assert not alone.whole
    gone = sent(
        scanner, (IPv4Address("10.88.0.4"),), lambda sender: sender.sweep((IPv4Address("10.88.0.4"),), (22,))
    )
    assert gone.whole, "nobody has that address on our own link: that was asked"
