from __future__ import annotations

import random
import struct
from ipaddress import IPv4Address, IPv6Address, ip_address
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (
    ICMPv6DestUnreach,
    ICMPv6EchoReply,
    ICMPv6EchoRequest,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptSrcLLAddr,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
)
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet

from scanner.transport.packets_board import FIRST_SOURCE_PORT, Board, Cookie
from scanner.transport.packets_frames import EchoTemplate, SynTemplate, WhoHas
from scanner.transport.packets_hear import Hearer
from scanner.transport.packets_many import OUTGOING, SNAP
from scanner.transport.packets_read import Echoed, EchoReply, MacReply, PortReply, echoed, read
from scanner.transport.packets_swept import NOT_ASKED, SILENT
from scanner.transport.packets_wire import Phase, Ranges, pack, unpack
from scanner.transport.sent import ProbeKind

COOKIE = Cookie(b"0123456789abcdef")
OURS, THEIRS = "02:00:00:00:00:01", "02:00:00:00:00:02"
V4 = (IPv4Address("10.99.0.1"), IPv4Address("10.99.0.2"))
V6 = (IPv6Address("2001:db8::1"), IPv6Address("2001:db8::2"))
BOTH = pytest.mark.parametrize(("source", "target"), [V4, V6], ids=["ipv4", "ipv6"])
Address = IPv4Address | IPv6Address


def header(source: Address, target: Address) -> IP | IPv6:
    return (IP if source.version == 4 else IPv6)(src=str(source), dst=str(target))


def syn_frame(source: Address, target: Address, port: int = 443) -> bytes:
    source_port, sequence = COOKIE.syn(target.packed, port)
    template = SynTemplate(OURS, source.packed)
    frame, total = template.host(bytes.fromhex("020000000002"), target.packed, source_port)
    block = bytearray(frame)
    template.patch(block, [total + port], [sequence], port.to_bytes(2, "big"))
    return bytes(block)


@BOTH
def test_a_patched_frame_is_what_scapy_would_have_built(source: Address, target: Address) -> None:
    for port in (1, 22, 443, 65_535):
        source_port, sequence = COOKIE.syn(target.packed, port)
        whole = Ether(src=OURS, dst=THEIRS) / header(source, target)
        if source.version == 4:
            whole[IP].id, whole[IP].flags = 0, "DF"
        assert syn_frame(source, target, port) == bytes(
            whole
            / TCP(
                sport=source_port, dport=port, seq=sequence, window=1024, flags="S", options=[("MSS", 1460)]
            )
        )


@BOTH
def test_a_block_of_frames_is_patched_like_each_of_them(source: Address, target: Address) -> None:
    template = SynTemplate(OURS, source.packed)
    others = [target + n for n in range(40)]
    block, sums, numbers, ports = bytearray(), [], [], b""
    for port, other in enumerate(others, 7000):
        source_port, sequence = COOKIE.syn(other.packed, port)
        frame, total = template.host(bytes.fromhex("020000000002"), other.packed, source_port)
        block += frame
        sums.append(total + port)
        numbers.append(sequence)
        ports += port.to_bytes(2, "big")
    template.patch(block, sums, numbers, ports)
    assert block == b"".join(syn_frame(source, other, port) for port, other in enumerate(others, 7000))


@BOTH
def test_echoes_and_questions_for_macs_are_what_scapy_would_have_built(
    source: Address, target: Address
) -> None:
    echo = COOKIE.echo(target.packed)
    frame = EchoTemplate(OURS, source.packed).frame(bytes.fromhex("020000000002"), target.packed, echo)
    whole = Ether(src=OURS, dst=THEIRS) / header(source, target)
    ping: Packet
    asked: Packet
    if source.version == 4:
        whole[IP].id = 0
        ping = ICMP(type=8, id=echo[0], seq=echo[1]) / b"bartizan"
        asked = ARP(op=1, hwsrc=OURS, psrc=str(source), hwdst="00:00:00:00:00:00", pdst=str(target))
        question = bytes(Ether(src=OURS, dst="ff:ff:ff:ff:ff:ff") / asked) + bytes(18)
    else:
        whole[IPv6].hlim = 64
        ping = ICMPv6EchoRequest(id=echo[0], seq=echo[1], data=b"bartizan")
        group = IPv6(src=str(source), dst="ff02::1:ff00:2", hlim=255)
        asked = ICMPv6ND_NS(tgt=str(target)) / ICMPv6NDOptSrcLLAddr(lladdr=OURS)
        question = bytes(Ether(src=OURS, dst="33:33:ff:00:00:02") / group / asked)
    assert frame == bytes(whole / ping)
    assert WhoHas(OURS, source.packed).frame(target.packed) == question


def reply(source: Address, target: Address, flags: str, *, port: int = 443, off: int = 1) -> bytes:
    source_port, sequence = COOKIE.syn(target.packed, port)
    tcp = TCP(sport=port, dport=source_port, flags=flags, ack=(sequence + off) & 0xFFFFFFFF)
    return bytes(Ether(src=THEIRS, dst=OURS) / header(target, source) / tcp)


@BOTH
@pytest.mark.parametrize(("flags", "state"), [("SA", "o"), ("RA", "c"), ("R", "c")])
def test_a_reply_with_our_cookie_counts(source: Address, target: Address, flags: str, state: str) -> None:
    assert read(reply(source, target, flags), COOKIE) == PortReply(target.packed, 443, state)


@BOTH
def test_a_reply_without_it_does_not(source: Address, target: Address) -> None:
    for frame in (
        reply(source, target, "SA", off=2),
        *(reply(source, target, flags) for flags in ("A", "S", "FA")),
    ):
        assert read(frame, COOKIE) is None
    assert read(reply(source, target, "SA"), Cookie(b"another key")) is None


def test_the_number_of_one_address_tells_nothing_about_another() -> None:
    """The words of the ports can be learnt by whoever answers; that of another address cannot."""
    ports = (22, 80, 443)
    numbers = {a: [COOKIE.syn(ip_address(a).packed, p)[1] for p in ports] for a in ("10.0.0.1", "10.0.0.2")}
    assert len({n for those in numbers.values() for n in those}) == 6
    assert all(
        FIRST_SOURCE_PORT <= COOKIE.syn(ip_address(a).packed, 22)[0] < 65_536 for a in ("10.0.0.1", "::1")
    )
    words = [COOKIE.host(ip_address("10.0.0.0").packed[:3] + bytes([n]))[1] for n in range(256)]
    assert len(set(words)) == 256
    assert {bin(one ^ other).count("1") for one, other in pairwise(words)} > {12, 16, 20}


def test_a_router_is_believed_about_our_own_probe_only() -> None:
    for (source, target), shell in ((V4, ICMP(type=3, code=13)), (V6, ICMPv6DestUnreach(code=1))):
        inner = (IP if source.version == 4 else IPv6)(syn_frame(source, target)[14:])
        outer = Ether() / header(target + 252, source) / shell
        assert read(bytes(outer / inner), COOKIE) == PortReply(target.packed, 443, "f")
        inner[TCP].seq += 1
        assert read(bytes(outer / inner), COOKIE) is None


def test_a_word_about_a_mac_is_read_and_a_question_is_not() -> None:
    answer = bytes(Ether() / ARP(op=2, hwsrc=THEIRS, psrc=str(V4[1])))
    assert read(answer, COOKIE) == MacReply(V4[1].packed, bytes.fromhex("020000000002"))
    assert read(bytes(Ether() / ARP(op=1, psrc=str(V4[1]))), COOKIE) is None
    told = ICMPv6ND_NA(tgt=str(V6[1])) / ICMPv6NDOptDstLLAddr(lladdr=THEIRS)
    assert read(bytes(Ether() / header(V6[1], V6[0]) / told), COOKIE) == MacReply(
        V6[1].packed, bytes.fromhex("020000000002")
    )
    bare = bytes(Ether() / header(V6[1], V6[0]) / ICMPv6ND_NA(tgt=str(V6[1])))
    assert read(bare, COOKIE) is None


@BOTH
def test_an_echo_counts_with_our_cookie_only(source: Address, target: Address) -> None:
    for off, expected in ((0, EchoReply(target.packed)), (1, None)):
        identifier, sequence = COOKIE.echo(target.packed)
        sequence = (sequence + off) & 0xFFFF
        ping: Packet = ICMPv6EchoReply(id=identifier, seq=sequence)
        if source.version == 4:
            ping = ICMP(type=0, id=identifier, seq=sequence)
        assert read(bytes(Ether() / header(target, source) / ping), COOKIE) == expected


def test_headers_before_the_segment_are_passed_over_and_fragments_are_not_put_together() -> None:
    source, target = V6
    segment = TCP(reply(source, target, "SA")[54:])
    outer = Ether() / header(target, source)
    several = IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt()
    assert read(bytes(outer / several / segment), COOKIE) == PortReply(target.packed, 443, "o")
    whole = IPv6ExtHdrFragment(offset=0, m=0)
    assert read(bytes(outer / whole / segment), COOKIE) == PortReply(target.packed, 443, "o")
    for piece in (IPv6ExtHdrFragment(offset=0, m=1), IPv6ExtHdrFragment(offset=3, m=0)):
        assert read(bytes(outer / piece / segment), COOKIE) is None
    endless = outer
    for _ in range(12):
        endless /= IPv6ExtHdrDestOpt()
    assert read(bytes(endless / segment), COOKIE) is None


def test_what_the_kernel_sends_because_of_a_sweep_is_told_from_everything_else() -> None:
    for source, target in (V4, V6):
        ours = TCP(sport=FIRST_SOURCE_PORT + 7, dport=22, flags="R")
        assert echoed(bytes(Ether() / header(source, target) / ours)) == Echoed(
            ProbeKind.RESET, source.packed, target.packed, 22
        )
        for other in (TCP(sport=40_000, dport=22, flags="R"), TCP(sport=65_000, dport=22, flags="S"), UDP()):
            assert echoed(bytes(Ether() / header(source, target) / other)) is None
    asked = ARP(op=1, psrc=str(V4[0]), pdst=str(V4[1]))
    assert echoed(bytes(Ether() / asked)) == Echoed(ProbeKind.ARP, V4[0].packed, V4[1].packed, 0)
    question = IPv6(src=str(V6[0]), dst="ff02::1:ff00:2") / ICMPv6ND_NS(tgt=str(V6[1]))
    assert echoed(bytes(Ether() / question)) == Echoed(ProbeKind.NEIGHBOUR, V6[0].packed, V6[1].packed, 0)


def good_frames() -> list[bytes]:
    frames = [syn_frame(*V4), syn_frame(*V6), bytes(Ether() / ARP(op=2)), bytes(Ether() / IPv6() / UDP())]
    for source, target in (V4, V6):
        frames += [reply(source, target, flags) for flags in ("SA", "RA")]
    frames.append(bytes(Ether() / header(*reversed(V4)) / ICMP(type=3) / IP(syn_frame(*V4)[14:])))
    frames.append(bytes(Ether() / header(*reversed(V6)) / ICMPv6DestUnreach() / IPv6(syn_frame(*V6)[14:])))
    frames.append(bytes(Ether() / header(*reversed(V6)) / IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / TCP()))
    return frames


GOOD = good_frames()


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_mutated_frames_are_survived(data: st.DataObject) -> None:
    frame = bytearray(data.draw(st.sampled_from(GOOD)))
    for _ in range(data.draw(st.integers(0, 6))):
        frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(frame[: data.draw(st.integers(0, len(frame)))])
    read(cut, COOKIE)
    echoed(cut)


def test_random_bytes_and_frames_that_end_early_are_survived() -> None:
    chance = random.Random(7)
    for number in range(20_000):
        kind = chance.choice((b"\x08\x00\x45", b"\x86\xdd\x60", b"\x08\x06\x00"))
        noise = bytes(12) + kind + chance.randbytes(number % 120)
        assert not isinstance(read(noise, COOKIE), PortReply | EchoReply)
        echoed(noise)
    for frame in GOOD:
        for length in range(len(frame)):
            read(frame[:length], COOKIE)
            echoed(frame[:length])
    assert read(reply(*V4, "SA")[:53], COOKIE) is None


class Slots:
    """What `Inlet` gives, from frames that we choose."""

    def __init__(self) -> None:
        self.buffer = bytearray(256 * SNAP)
        self.waiting: list[tuple[bytes, int]] = []

    def receive(self) -> tuple[bytes, list[int]]:
        for place, (frame, _) in enumerate(self.waiting):
            self.buffer[place * SNAP : place * SNAP + len(frame)] = frame
        kinds, lengths = bytes(kind for _, kind in self.waiting), [len(frame) for frame, _ in self.waiting]
        self.waiting = []
        return kinds, lengths


def heard(board: Board, frames: list[tuple[bytes, int]]) -> None:
    """What the hearing process makes of these frames, hosts being the two targets."""
    hearer = Hearer(board, COOKIE, 2, keeps_log=False)
    hosts = [V4[1].packed, V6[1].packed]
    hearer.begin(Phase(pack(hosts), (), (22, 443)))
    slots = Slots()
    for start in range(0, len(frames), 256):
        slots.waiting = frames[start : start + 256]
        hearer.hear(slots)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def board() -> Board:
    return Board()


def asked(board: Board) -> None:
    board.begin([V4[1].packed, V6[1].packed], (22, 443), COOKIE)
    for place in (0, 1):
        board.ask(place, range(2))


def test_the_quick_way_reads_what_the_careful_way_reads(board: Board) -> None:
    asked(board)
    heard(board, [(reply(*V4, "RA"), 0), (reply(*V6, "RA"), 0), (reply(*V4, "RA", port=22, off=5), 0)])
    assert board.column(0) == b"sc"
    assert board.column(1) == b"sc"
    asked(board)
    heard(board, [(frame[:53], 0) for frame in (reply(*V4, "SA"), reply(*V6, "SA"))])
    assert board.column(0) == board.column(1) == b"ss"


def test_noise_at_the_hearing_process_changes_nothing(board: Board) -> None:
    asked(board)
    chance = random.Random(11)
    frames = []
    for _ in range(20_000):
        frame = bytearray(chance.choice(GOOD))
        if frame[12:14] == b"\x08\x06":
            continue
        for _ in range(3):
            frame[chance.randrange(len(frame))] ^= 1 << chance.randrange(8)
        # The number is what a stranger has to guess: here it is always wrong.
        start = 34 if frame[12:14] == b"\x08\x00" else 54
        frame[start + 8 : start + 12] = struct.pack("!I", chance.getrandbits(32))
        frames.append((bytes(frame[: chance.randrange(14, len(frame) + 1)]), chance.choice((0, 3, OUTGOING))))
    heard(board, frames)
    assert set(board.column(0) + board.column(1)) <= {ord(SILENT), ord("f")}


def test_an_answer_to_what_was_not_asked_does_not_count(board: Board) -> None:
    board.begin([V4[1].packed, V6[1].packed], (22, 443), COOKIE)
    heard(board, [(reply(*V4, "SA"), 0), (reply(*V6, "RA"), 0)])
    assert set(board.column(0) + board.column(1)) == {ord(NOT_ASKED)}


def test_a_refusal_on_the_way_does_not_undo_an_answer(board: Board) -> None:
    asked(board)
    refusal = bytes(Ether() / header(*reversed(V4)) / ICMP(type=3) / IP(syn_frame(*V4)[14:]))
    heard(board, [(refusal, 0)])
    assert board.column(0) == b"sf"
    heard(board, [(reply(*V4, "RA"), 0), (refusal, 0)])
    assert board.column(0) == b"sc"


@given(st.lists(st.integers(0, 300), unique=True), st.sampled_from(["10.0.0.0", "2001:db8::"]))
def test_ranges_keep_addresses_and_their_order(numbers: list[int], base: str) -> None:
    addresses = [(ip_address(base) + number).packed for number in numbers]
    packed = pack(addresses)
    assert list(unpack(packed)) == addresses
    ranges = Ranges(packed)
    assert ranges.count == len(addresses)
    for number in range(301):
        assert ((ip_address(base) + number).packed in ranges) is (number in numbers)
