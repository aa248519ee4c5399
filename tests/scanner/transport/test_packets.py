from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from time import monotonic, sleep

import msgspec
import pytest

from scanner.transport import packets, packets_process
from scanner.transport.packets import PacketError, PacketSender, PacketSweep, Swept
from scanner.transport.packets_wire import Refused, Response
from scanner.transport.sent import ProbeKind, Sent
from tests.lab.network import Namespace, Wire, capture, syn_of

ROOT = Path(__file__).resolve().parents[3]
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
        log=log.extend if log is not None else None,
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
    assert swept.answers[TARGET] == Swept.of(open=(22, 8080), closed=(80,), silent=(25, 110))
    assert swept.answers[LOUD] == Swept.of(closed=PORTS)
    mute = swept.swept(MUTE)
    assert mute == Swept.of(silent=PORTS)
    assert not mute.answered
    assert MUTE not in swept.answers
    assert swept.answers[FAR] == Swept.of(open=(22,), closed=(80, 110, 8080), filtered=(25,))


@pytest.mark.real
def test_discovery_finds_who_ignores_ping_and_who_is_not_there(lab: Lab) -> None:
    asked = [TARGET, LOUD, MUTE, GONE, FAR, IPv4Address("10.98.0.1")]

    def work() -> tuple[dict[packets.Address, packets.Neighbour], int, bool]:
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
    assert monotonic() - began < 12
    assert not swept.whole
    found = swept.answers[TARGET]
    assert len(found.open + found.closed + found.silent + found.filtered) < 40


@pytest.mark.real
def test_a_wish_to_stop_ends_the_child_at_once(lab: Lab) -> None:
    stop = threading.Event()
    pids: list[int] = []

    def work() -> None:
        with sender(TARGET, rate=10, per_host=10, stop=stop) as one:
            pids.extend((one.pid, hearing(one.pid)))
            threading.Timer(0.3, stop_now).start()
            one.sweep([TARGET], tuple(range(1, 2000)))

    def stop_now() -> None:
        began.append(monotonic())
        stop.set()

    began: list[float] = []
    with pytest.raises(PacketError, match="stopped on request"):
        lab.scanner.inside(work)
    assert monotonic() - began[0] < 2
    assert not any(running(pid) for pid in pids)


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
    asked = {str(IPv4Address(f[38:42])) for f in frames if f[12:14] == b"\x08\x06"}
    assert str(LOUD) not in asked


@pytest.mark.real
def test_an_open_port_is_told_while_the_sweep_goes_on(lab: Lab) -> None:
    told: list[tuple[str, int, float]] = []
    began = monotonic()

    def work() -> float:
        with sender(TARGET, FAR, rate=200, per_host=100) as one:
            ports = (22, 80, *range(2000, 2120), 8080)
            one.sweep([TARGET, FAR], ports, lambda a, p: told.append((str(a), p, monotonic() - began)))
            return monotonic() - began

    end = lab.scanner.inside(work)
    assert [one[:2] for one in told] == [(str(TARGET), 22), (str(FAR), 22), (str(TARGET), 8080)]
    assert all(at < end - 1 for _, _, at in told[:2])


@pytest.mark.real
@pytest.mark.parametrize("victim", ["parent", "hearing"])
def test_nobody_goes_on_alone(lab: Lab, victim: str) -> None:
    """The scanner killed outright takes both processes with it; the one that hears takes the other."""
    code = (
        "import threading\n"
        "from ipaddress import ip_address\n"
        "from scanner.transport.packets import PacketSender\n"
        f"a = ip_address('{TARGET}')\n"
        "s = PacketSender([a], rate=50, per_host=50, seconds=60, cancelled=threading.Event())\n"
        "print(s.pid, flush=True)\n"
        "s.sweep([a], tuple(range(1, 3000)))\n"
    )
    start = [sys.executable, "-c", code]
    parent = lab.scanner.inside(
        lambda: subprocess.Popen(start, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    )
    assert parent.stdout
    assert parent.stderr
    with parent:
        pids = [int(parent.stdout.readline())]
        pids.append(hearing(pids[0]))
        sleep(0.3)
        os.kill(parent.pid if victim == "parent" else pids[1], signal.SIGKILL)
        until = monotonic() + 2
        while monotonic() < until and any(running(pid) for pid in pids):
            sleep(0.02)
        assert not any(running(pid) for pid in pids)
        if victim == "hearing":
            assert "the packet process stopped" in parent.stderr.read()


def running(pid: int) -> bool:
    """False also for a process that has ended and that nobody has asked about yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.real
def test_loopback_and_unroutable_addresses_lie_elsewhere(lab: Lab) -> None:
    here, nowhere = IPv4Address("127.0.0.1"), IPv4Address("192.0.2.1")

    def work() -> set[IPv4Address]:
        with sender(TARGET, SOURCE, here, nowhere) as one:
            assert one.interfaces == ("eth0",)
            return {a for a in (TARGET, SOURCE, here, nowhere) if one.elsewhere(a)}

    assert lab.scanner.inside(work) == {here, nowhere, SOURCE}


@pytest.mark.real
def test_the_child_gives_up_root_and_bounds_itself(lab: Lab) -> None:
    def work() -> list[tuple[str, str]]:
        with sender(TARGET) as one:
            return [
                (Path(f"/proc/{pid}/status").read_text(), Path(f"/proc/{pid}/limits").read_text())
                for pid in (one.pid, hearing(one.pid))
            ]

    for status, limits in lab.scanner.inside(work):
        fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        assert fields["Uid"].split() == ["65534"] * 4
        assert fields["Gid"].split() == ["65534"] * 4
        assert int(fields["CapEff"], 16) == 0
        assert int(fields["CapPrm"], 16) == 0
        bounds = {line[:26].strip(): line[26:].split()[:2] for line in limits.splitlines()}
        assert bounds["Max core file size"] == ["0", "0"]
        assert bounds["Max processes"] == ["0", "0"]
        assert bounds["Max address space"] == [str(1 << 30)] * 2


def hearing(pid: int) -> int:
    """The process that hears for the one that sends."""
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text())


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
    start = b'{"type":"start","addresses":[],"rate":1,"per_host":1,"seconds":5,"settle":1,"log":true}\n'
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

        def spawn(stderr: int, _heard: int) -> subprocess.Popen[bytes]:
            return subprocess.Popen(
                [sys.executable, "-c", script],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                start_new_session=True,
            )

        monkeypatch.setattr(packets_process, "spawn", spawn)


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
    assert dict(swept.answers) == {TARGET: Swept.of(open=(22,))}


def test_an_endless_line_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    Puppet([READY, b"x" * (5 * 1024 * 1024)], monkeypatch)
    with pytest.raises(PacketError, match="endless line"), sender(TARGET) as one:
        one.sweep([TARGET], (22,))
