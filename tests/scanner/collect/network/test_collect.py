from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from time import monotonic

import pytest

from baselines.evaluate import evaluate
from baselines.load import library
from baselines.resolve import needs, resolve
from checks.catalogue import load
from checks.facts.network import NetworkCoverage, OpenPorts, PortAnswers
from checks.facts.network.logins import RedisLogins
from checks.facts.network.ssh import SshHostKeys
from checks.facts.network.web import HttpAnswers
from checks.facts.snapshot import Fact, Snapshot, decode, encode
from checks.model import AssetValue, Kind, Outcome, Target
from scanner.collect.collector import CollectError, Context, Failure
from scanner.collect.network.ask.every import SERVICE_FACTS
from scanner.collect.network.collect import NetworkAccess, collect
from scanner.collect.network.examine import BEFORE_THE_END
from scanner.collect.network.in_between import CONTROLS, SUSPICIOUS
from scanner.transport.sent import ProbeKind, Sent
from tests.lab.asking import gate, hasten
from tests.lab.network import Namespace, Wire, capture, syn_of
from tests.lab.parts import free_port
from tests.lab.services import (
    certificate,
    dripping,
    endless,
    http,
    inside_tls,
    mute,
    redis,
    saying,
    serving,
    sshd,
)

CATALOGUE = load()
DEMANDS = resolve(library()["network-exposure"], "internet-facing", CATALOGUE, library())
WANTED = needs(DEMANDS, Kind.NETWORK)
NOW = datetime.now(UTC)
Address = IPv4Address | IPv6Address
OWN = gate("10.95.0.0/29", "10.96.0.0/29")
DICTIONARY = b"220 dict.example.org dictd 1.12.1/rf on Linux 6.1 <auth.mime> <1.2.3@dict.example.org>\r\n"
"""A greeting of the Dictionary Server Protocol, which our own signatures do not know."""


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    hasten(monkeypatch)


def scan(
    addresses: list[str],
    ports: list[int],
    *,
    wanted: frozenset[type[Fact]] = WANTED,
    vantage: str = "inside",
    allowed: Callable[[Address], bool] = OWN,
    raw: bool = True,
    nmap: bool = False,
    seconds: float = 60,
    rate: int = 2000,
    own: tuple[str, ...] = (),
    log: list[Sent] | None = None,
    context: Context | None = None,
    network: str = "10.96.0.0/29",
) -> list[Snapshot]:
    target = Target(Kind.NETWORK, "lab", f"net:{network}", "dmz", AssetValue.IMPORTANT, "Network team")
    access = NetworkAccess(
        addresses=tuple(map(ip_address, addresses)),
        ports=tuple(ports),
        vantage=vantage,
        allowed=allowed,
        rate=rate,
        per_host=rate,
        use_raw=raw,
        use_nmap=nmap,
        total_seconds=seconds,
        own_identities=own,
        log=(log if log is not None else []).append,
    )
    return list(collect(target, wanted, access, context or Context()))


def fact(snapshot: Snapshot, kind: type[Fact]) -> Fact:
    found = snapshot.get(kind)
    assert found is not None, (kind, snapshot.gaps)
    return found


def coverage(snapshot: Snapshot) -> NetworkCoverage:
    found = snapshot.get(NetworkCoverage)
    assert isinstance(found, NetworkCoverage)
    return found


def open_ports(snapshot: Snapshot) -> OpenPorts:
    found = snapshot.get(OpenPorts)
    assert isinstance(found, OpenPorts)
    return found


@pytest.mark.real
def test_loopback_from_the_first_byte_to_the_findings(tmp_path: Path) -> None:
    made = certificate(tmp_path)
    closed = free_port()
    with redis(tmp_path) as store, serving(inside_tls(made, http(Server="nginx/1.2"))) as web:
        here, network = scan(
            ["127.0.0.1"],
            [store, web, closed],
            vantage="loopback",
            own=("machine-id:abc",),
            network="127.0.0.1",
        )
    assert (here.target.spec, here.target.name, here.target.parent) == (
        "net:127.0.0.1",
        "127.0.0.1",
        "net:127.0.0.1",
    )
    assert (here.target.zone, here.target.value, here.target.owner) == (
        "dmz",
        AssetValue.IMPORTANT,
        "Network team",
    )
    assert here.identities == ("machine-id:abc", "address:dmz/127.0.0.1")
    assert here.addresses == ("127.0.0.1",)
    ports = open_ports(here)
    assert (ports.vantage, ports.mode, ports.asked, ports.filtered) == ("loopback", "connect", 3, 0)
    assert {(p.number, p.service, p.tls) for p in ports.ports} == {
        (store, "redis", False),
        (web, "http", True),
    }
    findings = {(f.check, f.on): f for f in evaluate(DEMANDS, here, now=NOW)}
    failed = findings["network.databases.redis-login", f"tcp/{store}"]
    assert failed.outcome is Outcome.FAIL
    assert "+PONG" in failed.evidence[0].excerpt
    assert findings["network.tls.legacy-versions", f"tcp/{web}"].outcome is Outcome.PASS
    assert findings["network.tls.certificate-self-signed", f"tcp/{web}"].outcome is Outcome.FAIL
    assert not [f for f in findings.values() if f.outcome is Outcome.ERROR]
    assert decode(encode(here), CATALOGUE.facts) == here
    seen = coverage(network)
    assert (seen.addresses_asked, seen.addresses_live, seen.addresses_excluded, seen.ports_asked) == (
        1,
        1,
        0,
        3,
    )
    assert seen.limits == (
        "nmap was switched off; services that Bartizan does not recognise itself stay unidentified",
    )
    assert decode(encode(network), CATALOGUE.facts) == network


@pytest.mark.real
def test_no_check_is_left_without_an_answer_that_explains_itself() -> None:
    here, network = scan(["127.0.0.1"], [free_port()], vantage="loopback", network="127.0.0.1")
    # What several addresses have in common, and what is known beside them, is put together later.
    later = {d.check.id for d in DEMANDS if any(need.derived_from for need in d.check.needs)}
    for snapshot in (here, network):
        findings = evaluate(DEMANDS, snapshot, now=NOW)
        assert {f.check for f in findings} == {d.check.id for d in DEMANDS}
        for finding in findings:
            if finding.check in later:
                continue
            if finding.outcome is Outcome.UNKNOWN:
                assert "UDP was not asked" in finding.reason
                continue
            assert finding.outcome in (Outcome.PASS, Outcome.NOT_APPLICABLE, Outcome.FAIL)
            assert finding.reason or finding.saw
            assert "not collected" not in finding.reason
    assert [f.check for f in evaluate(DEMANDS, here, now=NOW) if f.outcome is Outcome.PASS] == [
        "network.coverage.middlebox"
    ]


def test_only_the_wanted_questions_are_asked(tmp_path: Path) -> None:
    first: list[bytes] = []
    page = http()

    def handle(connection: socket.socket) -> None:
        first.append(connection.recv(1, socket.MSG_PEEK))
        page(connection)

    with serving(handle) as number:
        here, _ = scan(["127.0.0.1"], [number], wanted=frozenset({RedisLogins, OpenPorts}))
    assert set(here.facts) == {"OpenPorts", "PortAnswers", "RedisLogins"}
    assert first == [b"", b"G"]  # the sweep's connection, and the request that identified it


def test_hostile_neighbours_do_not_spoil_each_other(tmp_path: Path) -> None:
    began = monotonic()
    with contextlib.ExitStack() as stack:
        numbers = [
            stack.enter_context(serving(s)) for s in (mute, endless, dripping, saying(b"\x1b[2J\xff\x00\n"))
        ]
        good = stack.enter_context(serving(http(Server="nginx")))
        here, _ = scan(["127.0.0.1"], [*numbers, good])
    assert monotonic() - began < 25
    assert {p.number: p.service for p in open_ports(here).ports}[good] == "http"
    assert len(open_ports(here).ports) == 5
    assert encode(here).decode().isprintable()
    answers = fact(here, HttpAnswers)
    assert isinstance(answers, HttpAnswers)
    assert [a.port for a in answers.answers] == [f"tcp/{good}"]


def test_a_port_that_dies_between_the_questions_is_a_gap_there() -> None:
    calls = 0

    def fading(connection: socket.socket) -> None:
        nonlocal calls
        calls += 1
        if calls <= 2:
            http(Server="nginx")(connection)

    with serving(fading) as number:
        here, _ = scan(["127.0.0.1"], [number])
    [gap] = [g for g in here.gaps if g.fact == "HttpAnswers"]
    assert gap.where == f"tcp/{number}"
    assert here.get(HttpAnswers) is None
    outcomes = {f.check: f.outcome for f in evaluate(DEMANDS, here, now=NOW)}
    assert outcomes["network.plaintext.web-login"] is Outcome.UNKNOWN


def test_a_wish_to_stop_is_heard_in_the_middle() -> None:
    context = Context()
    began = monotonic()
    with serving(mute) as number:
        threading.Timer(0.5, context.cancelled.set).start()
        with pytest.raises(CollectError) as stopped:
            scan(["127.0.0.1"], [number], context=context)
    assert stopped.value.failure is Failure.INTERRUPTED
    assert monotonic() - began < 3


@pytest.mark.real
@pytest.mark.parametrize("after", [0.02, 0.5, 1.5])
def test_a_stop_leaves_no_thread_and_no_process_behind_whenever_it_comes(after: float) -> None:
    """In the sweep, in the identification, and while nmap runs."""
    context = Context()
    asked: list[float] = []

    def stop() -> None:
        asked.append(monotonic())
        context.cancelled.set()

    with serving(mute) as silent, serving(saying(DICTIONARY)) as talking, serving(dripping) as slow:
        threading.Timer(after, stop).start()
        with pytest.raises(CollectError):
            scan(["127.0.0.1"], [silent, talking, slow], nmap=True, context=context)
        assert monotonic() - asked[0] < 1.5
    assert not [one.name for one in threading.enumerate() if one.name.startswith("bartizan")]
    assert children() == []


def children() -> list[str]:
    """The command lines of the processes of the scanner that this process started and that still run."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            command = (folder / "cmdline").read_text()
            if int(parent) == os.getpid() and ("service_probes_child" in command or "nmap" in command):
                found.append(command)
    return found


def test_progress_ends_at_the_whole() -> None:
    told: list[tuple[int, int]] = []
    scan(
        ["127.0.0.1"], [free_port()], context=Context(progress=lambda done, total: told.append((done, total)))
    )
    assert told[0] == (0, 1)
    assert told[-1] == (1, 1)


def test_the_end_of_the_time_leaves_gaps_and_not_passes() -> None:
    with serving(mute) as number:
        began = monotonic()
        here, network = scan(["127.0.0.1"], [number], seconds=0.8)
    assert monotonic() - began < 4
    [port] = open_ports(here).ports
    assert port.note
    assert coverage(network).addresses_live == 1
    outcomes = {(f.check, f.on): f.outcome for f in evaluate(DEMANDS, here, now=NOW)}
    for check in ("network.databases.redis-login", "network.ssh.ciphers", "network.tls.legacy-versions"):
        assert outcomes[check, port.name] is Outcome.UNKNOWN


def test_what_is_not_allowed_is_counted_and_left_alone() -> None:
    log: list[Sent] = []
    with serving(mute) as number:
        [network] = scan(["127.0.0.1", "::1"], [number], allowed=lambda _: False, log=log)
    seen = coverage(network)
    assert (seen.addresses_asked, seen.addresses_excluded, seen.packets_sent) == (0, 2, 0)
    assert log == []


def test_a_permission_that_ends_half_way_stops_what_follows(tmp_path: Path) -> None:
    log: list[Sent] = []
    with serving(http()) as number:
        here, _ = scan(
            ["127.0.0.1"],
            [number],
            allowed=lambda a: OWN(a) and not any(entry.kind is ProbeKind.TALK for entry in log),
            log=log,
        )
    assert [entry.kind for entry in log] == [ProbeKind.CONNECT, ProbeKind.TALK]
    [gap] = [g for g in here.gaps if g.fact == "HttpAnswers"]
    assert "outside the scope" in gap.reason


@pytest.mark.real
def test_nmaps_signatures_name_what_ours_do_not() -> None:
    with serving(saying(DICTIONARY)) as number:
        here, network = scan(["127.0.0.1"], [number], nmap=True, wanted=frozenset({OpenPorts}))
    [port] = open_ports(here).ports
    assert (port.service, port.product, port.identified_by) == ("dict", "dictd", "banner")
    assert coverage(network).limits == ()


@pytest.mark.real
def test_nmap_names_what_no_signature_of_ours_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanner.collect.network.course.open_book", lambda _: None)
    log: list[Sent] = []
    with serving(saying(DICTIONARY)) as number:
        asked = ["127.0.0.1", "127.0.0.2"]
        with serving(saying(DICTIONARY), number, "127.0.0.2"):
            *hosts, network = scan(asked, [number], nmap=True, wanted=frozenset({OpenPorts}), log=log)
    for host in hosts:
        [port] = open_ports(host).ports
        assert (port.service, port.product, port.identified_by) == ("dict", "dictd", "nmap")
    assert sorted(entry.destination for entry in log if entry.kind is ProbeKind.NMAP) == asked
    assert coverage(network).limits == ()


@pytest.mark.real
def test_a_port_that_holds_nmap_up_takes_no_other_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanner.collect.network.course.open_book", lambda _: None)
    monkeypatch.setattr("scanner.collect.network.naming_runs.GATHER_SECONDS", 2.0)
    monkeypatch.setattr("scanner.collect.network.naming_runs.RUN_SECONDS", 6.0)
    monkeypatch.setattr("scanner.transport.nmap._REPORT_SECONDS", 2.0)
    monkeypatch.setattr("scanner.collect.network.naming_runs.ALONE_SECONDS", 2.0)
    with serving(saying(DICTIONARY)) as number, serving(dripping, number, "127.0.0.2"):
        asked = ["127.0.0.1", "127.0.0.2"]
        *hosts, network = scan(asked, [number], nmap=True, wanted=frozenset({OpenPorts}))
    found = {host.target.name: port.service for host in hosts for port in open_ports(host).ports}
    assert found == {"127.0.0.1": "dict", "127.0.0.2": ""}
    [told] = coverage(network).limits
    assert told.startswith(f"127.0.0.2 tcp/{number}: ")
    assert told.endswith("what speaks there was not named")


def test_a_machine_without_raw_sockets_goes_on_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanner.transport.packets.available", lambda: "no raw sockets (for this test)")
    with contextlib.ExitStack() as stack:
        lab = lay(stack)
        here, network = lab.inside(lambda: scan(["10.96.0.2", "10.96.0.6"], [22, 25, 80]))
    assert here.target.name == "10.96.0.2"
    assert open_ports(here).mode == "connect"
    assert coverage(network).mode == "connect"
    assert any("no raw sockets (for this test)" in limit for limit in coverage(network).limits)


def lay(stack: contextlib.ExitStack) -> Namespace:
    """A scanner beside a web server with a closed and a dropped port, a host that drops everything, and a
    middlebox that accepts on every port."""
    wire = Wire(stack)
    scanner = wire.host("10.96.0.1/29")
    web = wire.host("10.96.0.2/29")
    page = http(Server="nginx/1.25.3")
    server = web.inside(lambda: socket.create_server(("10.96.0.2", 80)))
    stack.callback(server.close)

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = server.accept()
                with connection, contextlib.suppress(OSError):
                    page(connection)

    threading.Thread(target=serve, daemon=True).start()
    web.drop(25)
    hidden = wire.host("10.96.0.3/29")
    hidden.drop(22, 25, 80)
    box = wire.host("10.96.0.4/29")
    box.listen(stack, "10.96.0.4", 7)
    box.command("nft", "add table ip box; add chain ip box pre { type nat hook prerouting priority -100; }")
    box.command("nft", "add rule ip box pre tcp dport 1-65535 redirect to :7")
    return scanner


@pytest.fixture(scope="module")
def scanner() -> Iterator[Namespace]:
    with contextlib.ExitStack() as stack:
        yield lay(stack)


@pytest.mark.real
def test_a_network_is_swept_with_raw_packets(scanner: Namespace) -> None:
    log: list[Sent] = []
    asked = [f"10.96.0.{n}" for n in range(1, 7)]
    left_out = ("10.96.0.4", "10.96.0.5")

    def work() -> list[Snapshot]:
        return scan(asked, [22, 25, 80], allowed=lambda a: OWN(a) and str(a) not in left_out, log=log)

    with capture(scanner) as frames:
        *hosts, network = scanner.inside(work)
    hosts.sort(key=lambda host: host.target.spec)
    own, web, hidden = hosts
    assert [h.target.spec for h in hosts] == ["net:10.96.0.1", "net:10.96.0.2", "net:10.96.0.3"]
    assert all(h.target.parent == "net:10.96.0.0/29" for h in hosts)
    assert web.identities[0].startswith("mac:")
    assert web.identities[-1] == "address:dmz/10.96.0.2"
    ports = open_ports(web)
    assert (ports.mode, ports.asked, ports.filtered) == ("syn", 3, 1)
    assert [(p.number, p.product) for p in ports.ports] == [(80, "nginx")]
    answers = fact(web, PortAnswers)
    assert isinstance(answers, PortAnswers)
    assert answers.is_closed(22)
    assert answers.is_silent(25)
    assert open_ports(hidden).filtered == 3
    assert open_ports(own).mode == "connect"  # its own address is no neighbour
    outcomes = {(f.check, f.on): f.outcome for f in evaluate(DEMANDS, web, now=NOW)}
    assert outcomes["network.http.version-disclosure", "tcp/80"] is Outcome.FAIL
    seen = coverage(network)
    assert (seen.addresses_asked, seen.addresses_live, seen.addresses_excluded) == (4, 3, 2)
    assert seen.mode == "syn and connect"
    assert seen.packets_sent == len(log)
    touched = {str(IPv4Address(f[30:34])) for f in frames if f[12:14] == b"\x08\x00"}
    touched |= {str(IPv4Address(f[38:42])) for f in frames if f[12:14] == b"\x08\x06"}
    assert touched <= {"10.96.0.2", "10.96.0.3", "10.96.0.6", "10.96.0.1"}
    raw = [(e.destination, e.port) for e in log if e.kind is ProbeKind.SYN]
    later = [(e.destination, e.port) for e in log if e.kind is ProbeKind.TALK]
    assert sorted(syn for f in frames if (syn := syn_of(f))) == sorted(raw + later)


@pytest.mark.real
@pytest.mark.parametrize(
    ("ports", "words"),
    [
        (range(1000, 1202), "202 ports are open at once"),
        (range(1000, 1020), "all 20 ports asked are open"),
        (range(1000, 1012), "ports that nobody uses are open too"),
    ],
)
def test_a_middlebox_is_one_finding(scanner: Namespace, ports: range, words: str) -> None:
    log: list[Sent] = []
    box, _ = scanner.inside(lambda: scan(["10.96.0.4"], list(ports), log=log))
    talked = [e for e in log if e.kind is ProbeKind.TALK]
    assert len({e.port for e in talked}) <= BEFORE_THE_END + CONTROLS
    assert box.get(OpenPorts) is None
    wanted = {f.__name__ for f in SERVICE_FACTS & WANTED} | {"OpenPorts"}
    assert {g.fact for g in box.gaps if words in g.reason} == wanted
    answers = fact(box, PortAnswers)
    assert isinstance(answers, PortAnswers)
    assert words in answers.in_between
    findings = evaluate(DEMANDS, box, now=NOW)
    assert [f.check for f in findings if f.outcome is Outcome.FAIL] == ["network.coverage.middlebox"]
    assert not [f for f in findings if f.outcome is Outcome.PASS]


@pytest.mark.real
def test_many_open_ports_are_still_a_host() -> None:
    with contextlib.ExitStack() as stack:
        numbers = [stack.enter_context(serving(saying(b"SSH-2.0-x_1\r\n"))) for _ in range(SUSPICIOUS)]
        here, _ = scan(["127.0.0.1"], [*numbers, free_port()], wanted=frozenset({OpenPorts}))
    assert {port.service for port in open_ports(here).ports} == {"ssh"}
    assert len(open_ports(here).ports) == SUSPICIOUS


@pytest.mark.real
def test_time_that_ends_in_the_sweep_is_told(scanner: Namespace) -> None:
    web, network = scanner.inside(
        lambda: scan(
            ["10.96.0.2"], list(range(1, 2000)), rate=100, seconds=2.0, wanted=frozenset({OpenPorts})
        )
    )
    assert any("not asked" in gap.reason for gap in web.gaps if gap.fact == "OpenPorts")
    assert any("time was over" in limit for limit in coverage(network).limits)
    findings = [f for f in evaluate(DEMANDS, web, now=NOW) if f.check == "network.exposure.databases"]
    assert Outcome.UNKNOWN in {f.outcome for f in findings}


@pytest.mark.real
def test_nobody_there_is_told(scanner: Namespace) -> None:
    [network] = scanner.inside(lambda: scan(["10.96.0.6"], [22]))
    assert coverage(network).addresses_live == 0
    assert "no address answered" in coverage(network).limits


@pytest.mark.real
def test_a_proved_host_key_names_the_asset_beyond_loopback(tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        wire = Wire(stack)
        scanner, host = wire.host("10.95.0.1/29"), wire.host("10.95.0.2/29")
        number = host.inside(lambda: stack.enter_context(sshd(tmp_path, address="10.95.0.2")))
        found, _ = scanner.inside(lambda: scan(["10.95.0.2"], [number], network="10.95.0.0/29"))
    keys = fact(found, SshHostKeys)
    assert isinstance(keys, SshHostKeys)
    assert found.identities[0] == f"ssh-host-key:{keys.keys[0].fingerprint}"
    assert found.identities[1].startswith("mac:")
    assert found.identities[2] == "address:dmz/10.95.0.2"
