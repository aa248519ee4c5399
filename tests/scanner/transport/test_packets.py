from __future__ import annotations

import contextlib
import os
import struct
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from time import monotonic

import msgspec
import pytest
from scapy.layers.inet import ICMP, IP, TCP
from scapy.layers.l2 import ARP, Ether

from scanner.transport import packets, packets_frames
from scanner.transport.packets import PacketError, PacketSender, PacketSweep, Swept
from scanner.transport.packets_wire import Refused, Response
from scanner.transport.sent import ProbeKind, Sent
from tests.lab.network import Namespace, Wire, capture, syn_of

ROOT = Path(__file__).resolve().parents[3]
COOKIE = packets_frames.Cookie(b"0123456789abcdef")
SOURCE, TARGET = IPv4Address("10.99.0.1"), IPv4Address("10.99.0.2")
LOUD, MUTE, GONE = (IPv4Address(f"10.99.0.{n}") for n in (3, 4, 9))
FAR = IPv4Address("10.98.0.2")


@dataclass(frozen=True)
class Lab:
    """A scanner, a host with an open, a dropped and closed ports, one that only refuses, one that drops
    everything, and a host behind a router."""

    scanner: Namespace


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with contextlib.ExitStack() as stack:
        near, far = Wire(stack), Wire(stack)
        scanner = near.host(f"{SOURCE}/24")
        target = near.host(f"{TARGET}/24")
        target.listen(stack, str(TARGET), 22)
        target.listen(stack, str(TARGET), 8080)
        target.drop(25, 110)
        near.host(f"{LOUD}/24")
        mute = near.host(f"{MUTE}/24")
        mute.drop(22, 25, 80, 110, 8080)
        router = near.host("10.99.0.254/24")
        far.join(router, "10.98.0.1/24")
        router.command("sysctl", "-qw", "net.ipv4.ip_forward=1")
        behind = far.host(f"{FAR}/24", gateway="10.98.0.1")
        behind.listen(stack, str(FAR), 22)
        behind.command("sysctl", "-qw", "net.ipv4.icmp_echo_ignore_all=1")
        router.command(
            "nft", "add table ip lab; add chain ip lab through { type filter hook forward priority 0; }"
        )
        router.command("nft", "add rule ip lab through tcp dport 25 reject with icmp type admin-prohibited")
        scanner.command("ip", "route", "add", "10.98.0.0/24", "via", "10.99.0.254")
        yield Lab(scanner)


PORTS = (22, 25, 80, 110, 8080)


@contextlib.contextmanager
def sender(
    *addresses: IPv4Address,
    rate: float = 500,
    per_host: float = 200,
    seconds: float = 30,
    stop: threading.Event | None = None,
    log: list[Sent] | None = None,
) -> Iterator[PacketSender]:
    with PacketSender(
        addresses,
        rate=rate,
        per_host=per_host,
        seconds=seconds,
        cancelled=stop or threading.Event(),
        log=(log if log is not None else []).append,
        settle=0.3,
    ) as one:
        yield one


@pytest.mark.real
def test_a_sweep_tells_open_closed_and_silent_apart(lab: Lab) -> None:
    def work() -> PacketSweep:
        with sender(TARGET, LOUD, MUTE, FAR) as one:
            return one.sweep([TARGET, LOUD, MUTE, FAR], PORTS)

    swept = lab.scanner.inside(work)
    assert swept.whole
    assert swept.answers[TARGET] == Swept(open=(22, 8080), closed=(80,), silent=(25, 110))
    assert swept.answers[LOUD] == Swept(closed=PORTS)
    assert swept.answers[MUTE] == Swept(silent=PORTS)
    assert not swept.answers[MUTE].answered
    assert swept.answers[FAR] == Swept(open=(22,), closed=(80, 110, 8080), filtered=(25,))


@pytest.mark.real
def test_discovery_finds_who_ignores_ping_and_who_is_not_there(lab: Lab) -> None:
    asked = [TARGET, LOUD, MUTE, GONE, FAR, IPv4Address("10.98.0.1")]

    def work() -> tuple[dict[IPv4Address, packets.Neighbour], int, bool]:
        with sender(*asked) as one:
            return one.discover(asked)

    found, _, whole = lab.scanner.inside(work)
    assert whole
    assert {a: n.how for a, n in found.items()} == {
        TARGET: "arp",
        LOUD: "arp",
        MUTE: "arp",
        IPv4Address("10.98.0.1"): "icmp-echo",
    }
    assert all(len(found[a].mac) == 17 for a in (TARGET, LOUD, MUTE))
    assert found[IPv4Address("10.98.0.1")].mac == ""


@pytest.mark.real
def test_the_log_equals_what_a_capture_saw(lab: Lab) -> None:
    log: list[Sent] = []
    asked = [TARGET, LOUD, MUTE, GONE]

    def work() -> int:
        with sender(*asked, log=log) as one:
            _, first, _ = one.discover(asked)
            return first + one.sweep(asked, PORTS).packets

    with capture(lab.scanner) as frames:
        sent = lab.scanner.inside(work)
    syns = Counter(syn for frame in frames if (syn := syn_of(frame)))
    asking = Counter(_asked(frame) for frame in frames if frame[12:14] == b"\x08\x06" and frame[21] == 1)
    assert Counter((e.destination, e.port) for e in log if e.kind is ProbeKind.SYN) == syns
    # The kernel may ask for a MAC of its own, to answer a SYN/ACK with its reset; we log only ours.
    arps = Counter(e.destination for e in log if e.kind is ProbeKind.ARP)
    assert arps <= asking
    assert sent == len(log) == sum(syns.values()) + sum(arps.values())
    assert {e.source for e in log} == {str(SOURCE)}
    assert sum(e.size for e in log if e.kind is ProbeKind.SYN) == sum(len(f) for f in frames if syn_of(f))


def _asked(frame: bytes) -> str:
    return str(IPv4Address(frame[38:42]))


@pytest.mark.real
def test_only_the_unanswered_are_asked_twice_and_port_by_port(lab: Lab) -> None:
    log: list[Sent] = []

    def work() -> None:
        with sender(TARGET, MUTE, log=log) as one:
            one.sweep([TARGET, MUTE], PORTS)

    lab.scanner.inside(work)
    syns = [(e.destination, e.port) for e in log if e.kind is ProbeKind.SYN]
    first, second = syns[:10], syns[10:]
    assert first == [(str(a), p) for p in PORTS for a in (TARGET, MUTE)]
    assert Counter(second) == Counter(
        [(str(TARGET), 25), (str(TARGET), 110), *((str(MUTE), p) for p in PORTS)]
    )


@pytest.mark.real
def test_the_rates_are_kept(lab: Lab) -> None:
    log: list[Sent] = []
    ports = tuple(range(1000, 1060))

    def work() -> None:
        with sender(TARGET, LOUD, rate=60, per_host=40, log=log) as one:
            one.sweep([TARGET, LOUD], ports)

    lab.scanner.inside(work)
    syns = [e for e in log if e.kind is ProbeKind.SYN]
    assert len(syns) == 120
    for host, rate in ((None, 60), (str(TARGET), 40)):
        times = [e.at for e in syns if host in (None, e.destination)]
        for start in times:
            inside = sum(1 for at in times if start <= at < start + 1)
            assert inside <= rate + max(1, rate * 0.05) + 1, host


@pytest.mark.real
def test_time_that_runs_out_leaves_ports_not_asked(lab: Lab) -> None:
    def work() -> PacketSweep:
        with sender(TARGET, rate=20, per_host=20, seconds=1.0) as one:
            return one.sweep([TARGET], tuple(range(1, 2000)))

    began = monotonic()
    swept = lab.scanner.inside(work)
    assert monotonic() - began < 6
    assert not swept.whole
    found = swept.answers[TARGET]
    assert len(found.open + found.closed + found.silent + found.filtered) < 40


@pytest.mark.real
def test_a_wish_to_stop_ends_the_child_at_once(lab: Lab) -> None:
    stop = threading.Event()
    pids: list[int] = []

    def work() -> None:
        with sender(TARGET, rate=10, per_host=10, stop=stop) as one:
            pids.append(one._process.pid)
            threading.Timer(0.3, stop.set).start()
            one.sweep([TARGET], tuple(range(1, 2000)))

    began = monotonic()
    with pytest.raises(PacketError, match="stopped on request"):
        lab.scanner.inside(work)
    assert monotonic() - began < 4
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


@pytest.mark.real
def test_nothing_is_sent_to_whom_the_first_line_did_not_name(lab: Lab) -> None:
    def work() -> PacketSweep:
        with sender(TARGET) as one:
            one.discover([LOUD])
            return one.sweep([TARGET, LOUD], (22,))

    with capture(lab.scanner) as frames:
        swept = lab.scanner.inside(work)
    assert set(swept.answers) == {TARGET}
    assert {syn[0] for frame in frames if (syn := syn_of(frame))} == {str(TARGET)}
    assert str(LOUD) not in {_asked(f) for f in frames if f[12:14] == b"\x08\x06"}


@pytest.mark.real
def test_loopback_and_unroutable_addresses_lie_elsewhere(lab: Lab) -> None:
    here, nowhere = IPv4Address("127.0.0.1"), IPv4Address("192.0.2.1")

    def work() -> frozenset[IPv4Address]:
        with sender(TARGET, SOURCE, here, nowhere) as one:
            assert one.interfaces == ("eth0",)
            return one.elsewhere

    assert lab.scanner.inside(work) == {here, nowhere, SOURCE}


@pytest.mark.real
def test_the_child_gives_up_root_and_bounds_itself(lab: Lab) -> None:
    def work() -> tuple[str, str]:
        with sender(TARGET) as one:
            folder = Path(f"/proc/{one._process.pid}")
            return (folder / "status").read_text(), (folder / "limits").read_text()

    status, limits = lab.scanner.inside(work)
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert fields["Uid"].split() == ["65534"] * 4
    assert fields["Gid"].split() == ["65534"] * 4
    assert int(fields["CapEff"], 16) == 0
    assert int(fields["CapPrm"], 16) == 0
    bounds = {line[:26].strip(): line[26:].split()[:2] for line in limits.splitlines()}
    assert bounds["Max core file size"] == ["0", "0"]
    assert bounds["Max processes"] == ["0", "0"]
    assert bounds["Max address space"] == [str(1 << 30)] * 2


def test_without_the_privilege_nothing_starts() -> None:
    code = (
        "from scanner.transport import packets\n"
        "import os; os.setgid(65534); os.setuid(65534)\n"
        "print(packets.available())"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("no raw sockets (Operation not permitted); CAP_NET_RAW gives them")


def test_the_parent_never_loads_scapy() -> None:
    code = (
        "import sys\n"
        "import scanner.transport.packets, scanner.collect.network.collect\n"
        "print([m for m in sys.modules if m.split('.')[0] == 'scapy'])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def child(lines: bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "scanner.transport.packets_child"],
        input=lines,
        cwd=ROOT,
        capture_output=True,
        timeout=20,
        check=False,
    )


@pytest.mark.parametrize("lines", [b"", b"\n", b"{}\n", b"not json\n", b'{"type":"sweep"}\n', b"\xff\xfe\n"])
def test_a_child_that_is_told_nonsense_sends_nothing_and_ends(lines: bytes) -> None:
    done = child(lines)
    assert done.returncode != 0
    assert done.stdout == b""


def test_a_child_takes_one_start_only() -> None:
    start = b'{"type":"start","addresses":[],"rate":1,"per_host":1,"seconds":5,"settle":1}\n'
    done = child(start + start)
    answers = [msgspec.json.decode(line, type=Response) for line in done.stdout.splitlines()]
    assert answers[-1] == Refused("already started")


class Puppet:
    """A child whose lines we write ourselves, to see what the parent believes."""

    def __init__(self, lines: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
        script = "import sys,time\nsys.stdin.readline()\n"
        script += "".join(
            f"sys.stdout.buffer.write({line[:200]!r} * {max(1, len(line) // 200)}); sys.stdout.flush()\n"
            for line in lines
        )
        script += "sys.stdin.readline(); sys.stderr.write('\\x1b[31mgone\\n')\n"

        def spawn(stderr: int) -> subprocess.Popen[bytes]:
            return subprocess.Popen(
                [sys.executable, "-c", script],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                start_new_session=True,
            )

        monkeypatch.setattr(packets, "_spawn", spawn)


READY = b'{"type":"ready","interfaces":["eth0"],"elsewhere":[]}\n'
DONE = b'{"type":"done","sent":1,"seconds":0.1,"whole":true}\n'


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([b"garbage\n"], "nonsense"),
        ([b'{"type":"rm -rf"}\n'], "nonsense"),
        ([b'{"type":"refused","reason":"no \\u001b[0m"}\n'], r"no \\u001b\[0m"),
        ([DONE], "out of turn"),
        ([READY, b'{"type":"answers","address":"10.99.0.2","states":"oo"}\n'], "wrong form"),
        ([READY, b'{"type":"answers","address":"10.99.0.2","states":"!"}\n'], "wrong form"),
        ([READY, b'{"type":"refused","reason":"too many"}\n'], "too many"),
        ([READY], r"stopped: \\u001b\[31mgone"),
    ],
)
def test_a_child_is_not_believed(lines: list[bytes], words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Puppet(lines, monkeypatch)
    with pytest.raises(PacketError, match=words), sender(TARGET) as one:
        one.sweep([TARGET], (22,))


def test_answers_about_others_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    other = b'{"type":"answers","address":"10.99.0.77","states":"o"}\n'
    own = b'{"type":"answers","address":"10.99.0.2","states":"o"}\n'
    Puppet([READY, other, own, DONE], monkeypatch)
    with sender(TARGET) as one:
        swept = one.sweep([TARGET], (22,))
    assert dict(swept.answers) == {TARGET: Swept(open=(22,))}


def test_an_endless_line_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    Puppet([READY, b"x" * (5 * 1024 * 1024)], monkeypatch)
    with pytest.raises(PacketError, match="endless line"), sender(TARGET) as one:
        one.sweep([TARGET], (22,))


def syn_frame(port: int = 443) -> bytes:
    source_port, sequence = COOKIE.syn(TARGET.packed, port)
    template = packets_frames.SynTemplate("02:00:00:00:00:01", str(SOURCE))
    mac = bytes.fromhex("020000000002")
    return template.frame(mac, TARGET.packed, 4711, (source_port, port, sequence))


def test_a_patched_frame_is_what_scapy_would_have_built() -> None:
    frame = syn_frame()
    source_port, sequence = COOKIE.syn(TARGET.packed, 443)
    tcp = TCP(sport=source_port, dport=443, seq=sequence, flags="S", window=1024, options=[("MSS", 1460)])
    whole = (
        Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
        / IP(src=str(SOURCE), dst=str(TARGET), id=4711, flags="DF")
        / tcp
    )
    assert frame == bytes(whole)


def reply(flags: str, *, port: int = 443, off: int = 1, source: IPv4Address = TARGET) -> bytes:
    source_port, sequence = COOKIE.syn(source.packed, port)
    tcp = TCP(sport=port, dport=source_port, flags=flags, ack=(sequence + off) & 0xFFFFFFFF)
    return bytes(
        Ether(src="02:00:00:00:00:02", dst="02:00:00:00:00:01") / IP(src=str(source), dst=str(SOURCE)) / tcp
    )


@pytest.mark.parametrize(("flags", "state"), [("SA", "o"), ("RA", "c"), ("R", "c")])
def test_a_reply_with_our_cookie_counts(flags: str, state: str) -> None:
    assert packets_frames.read(reply(flags), COOKIE) == packets_frames.PortReply(TARGET.packed, 443, state)


@pytest.mark.parametrize("frame", [reply("SA", off=2), reply("A"), reply("S"), reply("FA")])
def test_a_reply_without_it_does_not(frame: bytes) -> None:
    assert packets_frames.read(frame, COOKIE) is None


def test_a_forged_reply_of_another_key_does_not_count() -> None:
    assert packets_frames.read(reply("SA"), packets_frames.Cookie(b"another key")) is None


def test_a_router_is_believed_about_our_own_probe_only() -> None:
    inner = IP(syn_frame()[14:])
    frame = bytes(Ether() / IP(src="10.99.0.254", dst=str(SOURCE)) / ICMP(type=3, code=13) / inner)
    assert packets_frames.read(frame, COOKIE) == packets_frames.PortReply(TARGET.packed, 443, "f")
    inner[TCP].seq += 1
    forged = bytes(Ether() / IP(src="10.99.0.254", dst=str(SOURCE)) / ICMP(type=3, code=13) / inner)
    assert packets_frames.read(forged, COOKIE) is None


def test_an_arp_reply_is_read_and_a_question_is_not() -> None:
    answer = bytes(Ether() / ARP(op=2, hwsrc="02:00:00:00:00:02", psrc=str(TARGET)))
    assert packets_frames.read(answer, COOKIE) == packets_frames.ArpReply(
        TARGET.packed, bytes.fromhex("020000000002")
    )
    assert packets_frames.read(bytes(Ether() / ARP(op=1, psrc=str(TARGET))), COOKIE) is None


@pytest.mark.parametrize("length", [0, 13, 14, 20, 33, 34, 41, 45, 53])
def test_a_frame_that_ends_early_is_nothing(length: int) -> None:
    for frame in (reply("SA"), bytes(Ether() / IP(dst=str(SOURCE)) / ICMP(type=3)), syn_frame()):
        packets_frames.read(frame[:length], COOKIE)
    assert packets_frames.read(reply("SA")[:length], COOKIE) is None


def test_lying_lengths_and_random_bytes_are_survived() -> None:
    good = reply("SA")
    for value in range(256):
        for place in (14, 20, 21, 23, 46):
            frame = bytearray(good)
            frame[place] = value
            packets_frames.read(bytes(frame), COOKIE)
    for seed in range(2000):
        noise = struct.pack("!Q", seed * 0x9E3779B97F4A7C15 & (1 << 64) - 1) * 8
        packets_frames.read(noise[: seed % 64], COOKIE)
