"""Both kinds of addresses on real wires: what is found, and that the log is what a capture sees."""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from time import monotonic, sleep

import pytest

from scanner.transport.packets import Address, Neighbour, PacketSender, PacketSweep
from scanner.transport.packets_swept import Swept
from scanner.transport.sent import ProbeKind, Sent
from tests.lab.network import Namespace, Wire, capture

SOURCES = (IPv4Address("10.99.0.1"), IPv6Address("fd00:99::1"))
TARGETS: tuple[Address, ...] = (IPv4Address("10.99.0.2"), IPv6Address("fd00:99::2"))
MUTE = IPv6Address("fd00:99::4")
GONE = (IPv4Address("10.99.0.9"), IPv6Address("fd00:99::9"))
FAR: tuple[Address, ...] = (IPv4Address("10.98.0.2"), IPv6Address("fd00:98::2"))
PORTS = (22, 25, 80, 8080)


@dataclass(frozen=True)
class Lab:
    """A scanner, a target with open, dropped and closed ports, one that drops all, one behind a router."""

    scanner: Namespace
    target: Namespace
    mute: Namespace
    router: Namespace


def both(one: Namespace, address: str, interface: str = "eth0") -> None:
    one.command("ip", "address", "add", address, "dev", interface)


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with contextlib.ExitStack() as stack:
        near, far = Wire(stack), Wire(stack)
        scanner, target = near.host("10.99.0.1/24"), near.host("10.99.0.2/24")
        both(scanner, "fd00:99::1/64")
        both(target, "fd00:99::2/64")
        mute = near.host("fd00:99::4/64")
        router = near.host("10.99.0.254/24")
        both(router, "fd00:99::fe/64")
        far.join(router, "10.98.0.1/24")
        both(router, "fd00:98::1/64", "eth1")
        router.command("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        behind = far.host("10.98.0.2/24", gateway="10.98.0.1")
        both(behind, "fd00:98::2/64")
        behind.command("ip", "-6", "route", "add", "default", "via", "fd00:98::1")
        scanner.command("ip", "route", "add", "10.98.0.0/24", "via", "10.99.0.254")
        scanner.command("ip", "-6", "route", "add", "fd00:98::/64", "via", "fd00:99::fe")
        everybody = (scanner, target, mute, router, behind)
        until = monotonic() + 10
        while any(one.command("ip", "-6", "address", "show", "tentative") for one in everybody):
            assert monotonic() < until, "an address stays tentative"
            sleep(0.1)
        for one, addresses in ((target, TARGETS), (behind, FAR)):
            for address in addresses:
                one.listen(stack, str(address), 22)
        for one, ports in ((target, "25"), (mute, "1-65535")):
            one.command(
                "nft", "add table inet lab; add chain inet lab in { type filter hook input priority 0; }"
            )
            one.command("nft", f"add rule inet lab in tcp dport {ports} drop")
        router.command(
            "nft", "add table inet lab; add chain inet lab on { type filter hook forward priority 0; }"
        )
        router.command("nft", "add rule inet lab on tcp dport 25 reject with icmpx type admin-prohibited")
        yield Lab(scanner, target, mute, router)


def with_sender(
    lab: Lab,
    addresses: tuple[Address, ...],
    work: Callable[[PacketSender], PacketSweep],
    *,
    rate: float = 1000,
    log: list[Sent] | None = None,
) -> PacketSweep:
    def inside() -> PacketSweep:
        with PacketSender(
            addresses,
            rate=rate,
            per_host=rate,
            seconds=40,
            cancelled=threading.Event(),
            log=log.extend if log is not None else None,
            settle=0.3,
        ) as sender:
            return work(sender)

    return lab.scanner.inside(inside)


@pytest.mark.real
def test_ipv6_is_found_and_swept_as_ipv4_is(lab: Lab) -> None:
    asked = (*TARGETS, *FAR, *GONE, MUTE)
    found: dict[Address, Neighbour] = {}

    def work(sender: PacketSender) -> PacketSweep:
        found.update(sender.discover(asked)[0])
        return sender.sweep(asked, PORTS)

    swept = with_sender(lab, asked, work)
    assert {a: n.how for a, n in found.items()} == {
        TARGETS[0]: "arp",
        TARGETS[1]: "nd",
        MUTE: "nd",
        FAR[0]: "icmp-echo",
        FAR[1]: "icmp-echo",
    }
    assert found[TARGETS[0]].mac == found[TARGETS[1]].mac != ""
    for target, far in zip(TARGETS, FAR, strict=True):
        assert swept.swept(target) == Swept.of(open=[22], closed=[80, 8080], silent=[25])
        assert swept.swept(far) == Swept.of(open=[22], closed=[80, 8080], filtered=[25])
    assert swept.swept(MUTE) == Swept.of(silent=PORTS)
    assert [swept.swept(a) for a in GONE] == [None, None]


@pytest.mark.real
def test_link_local_and_own_addresses_are_left_to_others(lab: Lab) -> None:
    asked = (IPv6Address("fe80::2"), IPv6Address("::1"), SOURCES[1], TARGETS[1])

    def work(sender: PacketSender) -> PacketSweep:
        assert [sender.elsewhere(a) for a in asked] == [True, True, True, False]
        return sender.sweep(asked, (22,))

    assert set(with_sender(lab, asked, work).answers) == {TARGETS[1]}


def seen(frame: bytes) -> tuple[str, int, ProbeKind] | None:
    """(destination, port, kind) of a frame; None for what no sweep causes (groups, routers, duplicates)."""
    kind = frame[12:14]
    if kind == b"\x08\x06":
        return str(ip_address(frame[38:42])), 0, ProbeKind.ARP
    if kind not in (b"\x08\x00", b"\x86\xdd"):
        return None
    protocol, destination, content = (
        (frame[23], frame[30:34], frame[34:])
        if kind == b"\x08\x00"
        else (frame[20], frame[38:54], frame[54:])
    )
    to = str(ip_address(destination))
    if protocol == 6:
        word = {0x02: ProbeKind.SYN, 0x04: ProbeKind.RESET}.get(content[13])
        return (to, int.from_bytes(content[2:4], "big"), word or ProbeKind.TALK)
    if (protocol, content[0]) in ((1, 8), (58, 128)):
        return to, 0, ProbeKind.ECHO
    if protocol == 58 and content[0] in (135, 136):
        about = str(ip_address(content[8:24])) if content[0] == 135 else to
        return about, 0, ProbeKind.NEIGHBOUR
    # Group memberships and searches for routers are the kernel's own housekeeping.
    return None if protocol in (0, 58) else (to, protocol, ProbeKind.TALK)


@pytest.mark.real
def test_the_log_is_what_a_capture_saw_frame_by_frame(lab: Lab) -> None:
    """Also the resets with which the kernel refuses the answers, and the questions that it asks for them."""
    asked = (*TARGETS, *FAR, *GONE, MUTE)
    log: list[Sent] = []
    # What the kernels still want to ask from earlier tests would come in between.
    for machine in (lab.scanner, lab.target, lab.mute, lab.router):
        machine.command("ip", "neigh", "flush", "all")

    def work(sender: PacketSender) -> PacketSweep:
        first = sender.discover(asked)[1]
        swept = sender.sweep(asked, PORTS)
        assert first + swept.packets == len(log)
        return swept

    with capture(lab.scanner) as frames:
        with_sender(lab, asked, work, log=log)
    captured = Counter(one for frame in frames if (one := seen(frame)))
    assert Counter((e.destination, e.port, e.kind) for e in log) == captured
    resets = {key for key in captured if key[2] is ProbeKind.RESET}
    assert resets == {(str(a), 22, ProbeKind.RESET) for a in (*TARGETS, *FAR)}
    assert sum(e.size for e in log) == sum(len(frame) for frame in frames if seen(frame))
    assert {e.source for e in log} <= {str(source) for source in SOURCES}
    ours = [e for e in log if e.kind is ProbeKind.SYN]
    assert [e.at for e in ours] == sorted(e.at for e in ours)


@pytest.mark.real
def test_a_neighbour_that_shouts_nonsense_and_forgeries_changes_nothing(lab: Lab) -> None:
    """Resets and acceptances in the name of the target, bad lengths, noise: thousands during the sweep."""
    scanner = bytes.fromhex(
        lab.scanner.command("cat", "/sys/class/net/eth0/address").strip().replace(":", "")
    )
    chance = random.Random(3)
    stop = threading.Event()

    def frame() -> bytes:
        kind = chance.randrange(4)
        if kind == 0:
            tail = chance.choice((b"\x08\x00\x45", b"\x86\xdd\x60", b"\x08\x06\x00")) + chance.randbytes(90)
            return (scanner + bytes(6) + tail)[: chance.randrange(15, 100)]
        header = bytes.fromhex("45000028000000004006") + bytes(2) + TARGETS[0].packed + SOURCES[0].packed
        port, ours = chance.choice(PORTS), chance.randrange(61_440, 65_536)
        flags = chance.choice((0x12, 0x14, 0x04, 0xFF))
        segment = struct.pack("!HHIIBBHHH", port, ours, 1, chance.getrandbits(32), 0x50, flags, 0, 0, 0)
        whole = bytearray(scanner + bytes(6) + b"\x08\x00" + header + segment)
        if kind == 1:
            whole[14 + chance.randrange(20)] = chance.randrange(256)
        return bytes(whole)

    def shout() -> int:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as loud:
            loud.bind(("eth0", 0))
            count = 0
            while not stop.is_set():
                loud.send(frame())
                count += 1
            return count

    shouted: list[int] = []
    thread = threading.Thread(target=lambda: shouted.append(lab.mute.inside(shout)))
    thread.start()
    try:
        swept = with_sender(lab, TARGETS, lambda sender: sender.sweep(TARGETS, PORTS))
    finally:
        stop.set()
        thread.join()
    assert shouted[0] > 1000
    for target in TARGETS:
        assert swept.swept(target) == Swept.of(open=[22], closed=[80, 8080], silent=[25])


@pytest.mark.real
def test_loss_on_the_way_slows_the_sweep_down_and_no_port_is_called_closed_for_it(lab: Lab) -> None:
    """From the middle on, the router drops six of ten packets; the ports of its host are all closed."""
    ports = tuple(range(3000, 4400))
    chain = "add chain inet loss on { type filter hook forward priority 1; }"

    def lose() -> None:
        sleep(1.2)
        lab.router.command("nft", f"add table inet loss; {chain}")
        lab.router.command("nft", "add rule inet loss on ip daddr 10.98.0.2 numgen random mod 10 < 6 drop")

    thread = threading.Thread(target=lose)
    thread.start()
    try:
        swept = with_sender(lab, (FAR[0],), lambda s: s.sweep([FAR[0]], ports), rate=800)
    finally:
        thread.join()
        lab.router.command("nft", "delete table inet loss")
    assert 0 < swept.slowest < 800
    found = swept.answers[FAR[0]]
    assert set(found.closed) | set(found.silent) == set(ports)
    # Asking twice would leave more than a third of them silent.
    assert len(found.silent) < 350
