from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest

from checks.facts.network import NetworkCoverage, OpenPorts
from checks.facts.network.link import LinkAddress
from checks.facts.network.logins import RedisLogins
from checks.facts.snapshot import Fact, Snapshot
from checks.model import AssetValue, Kind, Target
from scanner.collect.collector import Context
from scanner.collect.network.ask.every import SERVICE_FACTS
from scanner.collect.network.collect import NetworkAccess, collect
from scanner.collect.network.fragile import fragile_maker, fragile_words
from scanner.collect.network.ports import FRAGILE
from scanner.collect.network.talk import TalkError
from scanner.transport import mac_vendors
from scanner.transport.mac_vendors import MacVendors
from scanner.transport.sent import ProbeKind, Sent
from tests.lab.asking import gate, hasten, line
from tests.lab.network import Namespace, Wire
from tests.lab.services import answering, serving

OWN = "127.42.0.1"
"""For fixed ports: on the usual loopback address, another test or an outgoing connection may hold them."""
PRINTER_MAC = "00:21:b7:01:02:03"


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    hasten(monkeypatch)


class Counting:
    """A server that says something and counts what it hears."""

    def __init__(self, words: bytes = b"") -> None:
        self.words = words
        self.heard = b""
        self.connections = 0
        self._lock = threading.Lock()

    def __call__(self, connection: socket.socket) -> None:
        with self._lock:
            self.connections += 1
        if self.words:
            connection.sendall(self.words)
        while more := connection.recv(4096):
            with self._lock:
                self.heard += more


def scan(
    addresses: list[str],
    ports: list[int],
    *,
    fragile: tuple[str, ...] = (),
    wanted: frozenset[type[Fact]] = frozenset({OpenPorts, RedisLogins, LinkAddress}),
    raw: bool = True,
    nmap: bool = True,
    udp: tuple[int, ...] = (),
    log: list[Sent] | None = None,
) -> list[Snapshot]:
    target = Target(Kind.NETWORK, "lab", "net:10.97.0.0/29", "dmz", AssetValue.IMPORTANT, "Network team")
    access = NetworkAccess(
        addresses=tuple(map(ip_address, addresses)),
        ports=tuple(ports),
        vantage="inside",
        allowed=gate("10.97.0.0/29"),
        rate=2000,
        per_host=2000,
        use_raw=raw,
        use_nmap=nmap,
        udp_ports=udp,
        total_seconds=60,
        fragile=frozenset(map(ip_address, fragile)),
        log=(log if log is not None else []).append,
    )
    return list(collect(target, wanted, access, Context()))


def port_notes(snapshot: Snapshot) -> dict[int, str]:
    found = snapshot.get(OpenPorts)
    assert isinstance(found, OpenPorts)
    return {port.number: port.note for port in found.ports}


def test_a_device_that_the_scope_calls_fragile_gets_not_one_byte() -> None:
    log: list[Sent] = []
    silent, talking = Counting(), Counting(b"220 who knows\r\n")
    with serving(silent) as one, serving(talking) as other:
        here, network = scan(["127.0.0.1"], [one, other], fragile=("127.0.0.1",), log=log)
    assert (silent.heard, talking.heard) == (b"", b"")
    assert {entry.kind for entry in log} == {ProbeKind.CONNECT}
    reason = "the scope names it a fragile device"
    assert set(port_notes(here).values()) == {f"not asked: {reason}"}
    [gap] = [gap for gap in here.gaps if gap.fact == "RedisLogins"]
    assert reason in gap.reason
    assert here.get(RedisLogins) is None
    seen = network.get(NetworkCoverage)
    assert isinstance(seen, NetworkCoverage)
    assert "1 fragile devices were only connected to and asked nothing" in seen.limits


def test_a_device_that_says_that_it_is_a_printer_is_left_alone_from_then_on() -> None:
    log: list[Sent] = []
    greeting, silent = Counting(b"220 JD FTP Server Ready\r\n"), Counting()
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(serving(greeting))
        rest = [stack.enter_context(serving(silent)) for _ in range(3)]
        here, _ = scan(["127.0.0.1"], [first, *rest], log=log)
    assert greeting.heard == b""
    assert silent.heard == b"", "the greeting comes before the patience with silent ports is over"
    assert not [entry for entry in log if entry.kind is ProbeKind.NMAP]
    assert all("a printer, by its own words" in gap.reason for gap in here.gaps if gap.fact == "RedisLogins")
    assert [gap for gap in here.gaps if gap.fact == "RedisLogins"]


@pytest.mark.parametrize("number", sorted(FRAGILE))
def test_a_fragile_port_gets_not_one_byte_whatever_it_says(number: int) -> None:
    log: list[Sent] = []
    server = Counting(b"who knows\r\n")
    with serving(server, number, OWN):
        here, _ = scan([OWN], [number], log=log)
    assert server.heard == b""
    assert {entry.kind for entry in log} == {ProbeKind.CONNECT}
    assert "a byte can disturb" in port_notes(here)[number]


@pytest.fixture
def counted_datagrams() -> Iterator[list[bytes]]:
    """What comes by UDP to the fragile ports of loopback while the test lasts."""
    heard: list[bytes] = []

    def read(opened: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                heard.append(opened.recv(4096))

    with contextlib.ExitStack() as stack:
        for number in FRAGILE:
            opened = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            opened.bind((OWN, number))
            threading.Thread(target=read, args=(opened,), daemon=True).start()
        yield heard


@pytest.mark.real
def test_a_whole_scan_with_all_that_it_can_ask_sends_no_byte_to_a_fragile_port(
    counted_datagrams: list[bytes],
) -> None:
    """All facts, all questions, nmap and UDP; and a web server that redirects to a printer."""
    log: list[Sent] = []
    servers = {number: Counting(b"who knows\r\n") for number in FRAGILE}
    moved = f"HTTP/1.1 302 Found\r\nLocation: http://{OWN}:9100/\r\nContent-Length: 0\r\n\r\n".encode()
    with contextlib.ExitStack() as stack:
        for number, server in servers.items():
            stack.enter_context(serving(server, number, OWN))
        web = stack.enter_context(serving(answering(lambda _: moved), address=OWN))
        here, _ = scan(
            [OWN], [*FRAGILE, web], wanted=SERVICE_FACTS | {OpenPorts}, udp=tuple(FRAGILE), log=log
        )
    assert {number: server.heard for number, server in servers.items()} == dict.fromkeys(FRAGILE, b"")
    assert all(server.connections for server in servers.values())
    assert counted_datagrams == []
    assert {entry.port for entry in log if entry.kind is not ProbeKind.CONNECT} <= {web, 0}
    assert all("a byte can disturb" in port_notes(here)[number] for number in FRAGILE)


def test_not_even_a_question_gets_a_byte_to_a_fragile_port() -> None:
    """Whoever opens a conversation there by mistake can say nothing in it."""
    server = Counting()

    async def work() -> None:
        async with line().talk(ip_address(OWN), 9100) as talk:
            await talk.send(b"x")

    with serving(server, 9100, OWN), pytest.raises(TalkError, match="nothing more was sent"):
        asyncio.run(work())
    assert server.heard == b""


@pytest.fixture(scope="module")
def wired() -> Iterator[tuple[Namespace, Callable[[], Counting]]]:
    """A scanner, and beside it a device with the MAC of a maker of printers and a port that counts."""
    with contextlib.ExitStack() as stack:
        wire = Wire(stack)
        scanner, printer = wire.host("10.97.0.1/29"), wire.host("10.97.0.2/29")
        printer.command("ip", "link", "set", "eth0", "address", PRINTER_MAC)
        counting = Counting()

        def start() -> None:
            stack.enter_context(serving(counting, 80, "10.97.0.2"))

        printer.inside(start)
        yield scanner, lambda: counting


@pytest.mark.real
@pytest.mark.parametrize("raw", [True, False])
def test_a_maker_of_printers_is_known_by_the_mac(
    wired: tuple[Namespace, Callable[[], Counting]], monkeypatch: pytest.MonkeyPatch, raw: bool
) -> None:
    monkeypatch.setattr(
        "scanner.transport.mac_vendors.installed", lambda _: MacVendors({"0021B7": "Lexmark Lab"})
    )
    scanner, counting = wired
    host, _ = scanner.inside(lambda: scan(["10.97.0.2"], [80], raw=raw))
    assert counting().heard == b""
    assert "made by Lexmark Lab" in port_notes(host)[80]
    link = host.get(LinkAddress)
    assert link == LinkAddress("10.97.0.2", PRINTER_MAC, "Lexmark Lab", answered=True)
    assert host.identities[0] == f"mac:{PRINTER_MAC}"
    [gap] = [gap for gap in host.gaps if gap.fact == "RedisLogins"]
    assert "Lexmark Lab" in gap.reason


@pytest.mark.parametrize(
    ("heard", "fragile"),
    [
        (b"220 JD FTP Server Ready\r\n", True),
        (b"HTTP/1.1 200 OK\r\nServer: HP HTTP Server; HP LaserJet\r\n\r\n", True),
        (b'HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm="SIMATIC S7-1200"\r\n\r\n', True),
        (b"\xff\xfb\x01HP JetDirect\r\n", True),
        (b"HTTP/1.1 200 OK\r\nServer: nginx\r\n\r\n<p>We sell LaserJet printers</p>", False),
        (b"SSH-2.0-OpenSSH_9.2\r\n", False),
        (b"220 mail.printerexample.org ESMTP\r\n", False),
        (b"", False),
    ],
)
def test_a_greeting_says_what_it_is(heard: bytes, fragile: bool) -> None:
    assert bool(fragile_words(heard)) is fragile


@pytest.mark.parametrize(
    ("mac", "vendor", "fragile"),
    [
        ("00:11:22:33:44:55", "Siemens AG", True),
        ("00:11:22:33:44:55", "Seiko Epson", True),
        ("00:21:b7:33:44:55", "", True),
        ("00:11:22:33:44:55", "Intel Corporate", False),
        ("00:11:22:33:44:55", "", False),
    ],
)
def test_a_maker_is_known_by_name_and_without_a_list(mac: str, vendor: str, fragile: bool) -> None:
    assert bool(fragile_maker(mac, vendor)) is fragile


@pytest.mark.real
def test_the_makers_of_the_installed_nmap_are_read() -> None:
    from scanner.transport import nmap

    found = mac_vendors.installed(nmap.find())
    assert len(found) > 10_000
    assert "Lexmark" in found.of("00:21:B7:00:00:01")
    assert found.of("02:21:B7:00:00:01") == ""  # an address that a machine gave itself


def test_the_smallest_block_counts_and_nonsense_is_nobody(tmp_path: Path) -> None:
    file = tmp_path / "prefixes"
    file.write_bytes(b"# x\n001122 Big\n0011223 Small \x1b[1m\nzz\n001122334 Smallest\n")
    found = mac_vendors.read(file)
    assert found.of("00:11:22:99:00:00") == "Big"
    assert found.of("00:11:22:34:00:00") == "Small \\u001b[1m"
    assert found.of("00:11:22:33:4f:ff") == "Smallest"
    assert found.of("no mac") == ""
    assert len(mac_vendors.read(tmp_path / "none")) == 0
