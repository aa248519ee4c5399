from __future__ import annotations

import io
import threading
import tracemalloc
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from time import monotonic

import pytest

from scanner.transport import nmap
from scanner.transport.nmap import Nmap, Profile
from scanner.transport.nmap_xml import NmapOutput, parse
from scanner.transport.sent import ProbeKind, Sent
from tests.lab.parts import LOOPBACK
from tests.lab.services import dripping, saying, serving, sshd

A, B, C = (IPv4Address(f"10.0.0.{n}") for n in (1, 2, 3))
HEAD = '<?xml version="1.0"?>\n<!DOCTYPE nmaprun>\n<nmaprun scanner="nmap" version="7.93">'
TAIL = '<runstats><finished time="1" exit="success"/><hosts up="1" down="0" total="1"/></runstats></nmaprun>'
RECORDINGS = Path(__file__).resolve().parents[2] / "recordings" / "network"


def host(address: str, *ports: str, kind: str = "ipv4") -> str:
    return f'<host><address addr="{address}" addrtype="{kind}"/><ports>{"".join(ports)}</ports></host>'


def port(number: str, inner: str = "", protocol: str = "tcp", state: str = "open") -> str:
    answer = f'<state state="{state}" reason="syn-ack"/>'
    return f'<port protocol="{protocol}" portid="{number}">{answer}{inner}</port>'


def read(text: str, *asked: IPv4Address | IPv6Address) -> NmapOutput:
    return parse(io.BytesIO(text.encode()), asked or (A, B, C))


SERVICE = (
    '<service name="ssh" product="OpenSSH" version="9.2p1" extrainfo="x" method="probed" conf="10">'
    "<cpe>cpe:/a:openbsd:openssh:9.2p1</cpe><cpe>cpe:/o:linux:linux_kernel</cpe></service>"
)


def test_a_whole_file_gives_all_hosts_and_all_cpes() -> None:
    output = read(HEAD + host("10.0.0.1", port("22", SERVICE), port("80")) + host("10.0.0.2") + TAIL)
    assert output.whole
    assert output.limits == ()
    [first, second] = output.hosts
    [ssh, web] = first.ports
    assert (ssh.number, ssh.service, ssh.product, ssh.version, ssh.confidence) == (
        22,
        "ssh",
        "OpenSSH",
        "9.2p1",
        10,
    )
    assert ssh.cpe == ("cpe:/a:openbsd:openssh:9.2p1", "cpe:/o:linux:linux_kernel")
    assert ssh.probed
    assert (web.number, web.service, web.probed) == (80, "", False)
    assert (second.address, second.ports) == (B, ())


def test_a_recording_of_a_real_run_is_read() -> None:
    output = parse((RECORDINGS / "nmap-7.93-sV.xml").open("rb"), [IPv4Address("127.0.0.1")])
    assert output.whole
    [one] = output.hosts
    assert [(p.service, p.product, p.version) for p in one.ports] == [
        ("redis", "Redis key-value store", ""),
        ("ssh", "OpenSSH", "9.2p1 Debian 2+deb12u10"),
    ]


def test_a_host_that_ran_out_of_time_is_no_answer() -> None:
    given_up = host("10.0.0.1").replace("<host>", '<host timedout="true">')
    output = read(HEAD + given_up + host("10.0.0.2", port("22")) + TAIL)
    assert [h.address for h in output.hosts] == [B]
    assert output.limits == ("nmap gave 10.0.0.1 up, which took longer than its share of the time",)


def test_an_entity_bomb_is_refused_as_a_whole() -> None:
    bomb = '<!DOCTYPE nmaprun [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    began = monotonic()
    output = read(f'<?xml version="1.0"?>{bomb}<nmaprun>{host("10.0.0.1")}<x>&b;</x></nmaprun>')
    assert monotonic() - began < 1
    assert output.hosts == ()
    assert output.limits == ("the XML of nmap defines entities; nothing of it was read",)


def test_an_external_entity_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("do not read")
    output = read(
        f'<!DOCTYPE nmaprun [<!ENTITY x SYSTEM "file://{secret}">]><nmaprun>{host("10.0.0.1")}&x;</nmaprun>'
    )
    assert output.hosts == ()
    assert not output.whole


def test_an_external_dtd_is_not_fetched() -> None:
    asked = threading.Event()
    with serving(lambda _: asked.set()) as number:
        dtd = f'<!DOCTYPE nmaprun SYSTEM "http://{LOOPBACK}:{number}/nmap.dtd">'
        output = read(f"{dtd}<nmaprun>{host('10.0.0.1')}{TAIL}")
    assert not asked.is_set()
    assert len(output.hosts) == 1


@pytest.mark.parametrize("cut", [1, 20, 60])
def test_a_cut_file_gives_its_complete_hosts(cut: int) -> None:
    text = HEAD + host("10.0.0.1", port("22")) + host("10.0.0.2", port("80"))
    output = read(text[:-cut])
    assert [h.address for h in output.hosts] == [A]
    assert not output.whole
    assert "ends early" in output.limits[0]


@pytest.mark.parametrize(
    "text", ["", " ", "\0\0\0", "nmap: command not found", "<html></html>", "{}", "<nmaprun"]
)
def test_what_is_no_output_of_nmap_gives_nothing_and_says_so(text: str) -> None:
    output = read(text)
    assert output.hosts == ()
    assert not output.whole
    assert output.limits


def test_a_missing_end_mark_is_told() -> None:
    output = read(HEAD + host("10.0.0.1") + "</nmaprun>")
    assert len(output.hosts) == 1
    assert not output.whole
    assert output.limits == ("the XML of nmap has no end mark",)


def test_an_end_with_an_error_is_told() -> None:
    tail = '<runstats><finished exit="error" errormsg="no &#155;31mroute"/></runstats></nmaprun>'
    output = read(HEAD + tail)
    assert not output.whole
    assert "nmap stopped: no " in output.limits[0]
    assert output.limits[0].isprintable()


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ("<host><ports/></host>", "has no address"),
        (host("not an address"), "address that is none"),
        (host("10.0.0.1\n"), "address that is none"),
        ('<host><address addr="AA:BB" addrtype="mac"/></host>', "has no address"),
        (host("10.0.0.99", port("22")), "10.0.0.99, which was not asked"),
    ],
)
def test_a_bad_host_is_dropped_and_the_others_stay(bad: str, words: str) -> None:
    output = read(HEAD + bad + host("10.0.0.2", port("22")) + TAIL)
    assert [h.address for h in output.hosts] == [B]
    assert words in output.limits[0]


@pytest.mark.parametrize(
    "number", ["0", "65536", "-1", "+22", " 22", "2_2", "٢٢", "", "1e3", "99999999999999"]
)
def test_a_bad_port_is_dropped_and_the_others_stay(number: str) -> None:
    output = read(HEAD + host("10.0.0.1", port(number), port("80")) + TAIL)
    assert [p.number for p in output.hosts[0].ports] == [80]
    assert "was dropped" in output.limits[0]
    assert output.limits[0].isprintable()


def test_ports_of_other_protocols_or_without_a_state_are_dropped() -> None:
    text = host("10.0.0.1", port("1", protocol="evil"), '<port protocol="tcp" portid="2"/>', port("3"))
    assert [p.number for p in read(HEAD + text + TAIL).hosts[0].ports] == [3]


def test_a_host_that_comes_twice_keeps_what_both_saw() -> None:
    text = host("10.0.0.1", port("22", SERVICE)) + host("10.0.0.1", port("22"), port("80"))
    [one] = read(HEAD + text + TAIL).hosts
    assert [(p.number, p.service) for p in one.ports] == [(22, "ssh"), (80, "")]


def test_text_of_a_target_is_made_printable_and_short() -> None:
    service = (
        f'<service name="&#8238;evil" product="{"x" * 5000}" version="&#155;1" method="probed" conf="99"/>'
    )
    [one] = read(HEAD + host("10.0.0.1", port("22", service)) + TAIL).hosts
    [found] = one.ports
    assert found.service == "\\u202eevil"
    assert len(found.product) == 200
    assert found.version.isprintable()
    assert found.confidence == 0


def test_a_file_beyond_the_limit_is_cut() -> None:
    text = HEAD + "".join(host(str(A + n), port("22")) for n in range(1000)) + TAIL
    asked = [A + n for n in range(1000)]
    output = parse(io.BytesIO(text.encode()), asked, size_limit=20_000)
    assert 50 < len(output.hosts) < 300
    assert not output.whole
    assert any("larger than 20,000 bytes" in limit for limit in output.limits)


def test_a_deep_file_and_many_faults_are_bounded() -> None:
    assert read(HEAD + "<a>" * 100_000 + "</a>" * 100_000 + host("10.0.0.1") + TAIL).hosts
    output = read(HEAD + "<host/>" * 5_000 + TAIL)
    assert len(output.limits) <= 21
    assert "4980 more" in output.limits[-1]


def test_a_large_scan_takes_little_memory() -> None:
    one = host("10.0.0.9", *(port(str(n)) for n in range(1, 200)))
    text = (HEAD + one * 300 + TAIL).encode()
    assert len(text) > 4_500_000
    tracemalloc.start()
    parse(io.BytesIO(text), [A])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3_000_000


def installed() -> Nmap:
    found = nmap.find()
    assert found is not None, "nmap is not installed; it is a real part of this test"
    return found


@pytest.mark.real
def test_nmap_is_found_with_its_version() -> None:
    found = installed()
    assert found.version >= (7, 0)
    assert Path(found.path).is_absolute()
    assert nmap.available() == f"nmap {found.version[0]}.{found.version[1]} in {found.path}"


def test_a_machine_without_nmap_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(nmap, "_SEARCH", (str(tmp_path / "nmap"),))
    assert nmap.find() is None
    assert nmap.available() == ""


@pytest.mark.real
def test_real_services_are_identified(tmp_path: Path) -> None:
    log: list[Sent] = []
    with sshd(tmp_path) as ssh:
        output = installed().run(
            Profile.IDENTIFY,
            [IPv4Address(LOOPBACK)],
            [ssh],
            seconds=60,
            cancelled=threading.Event(),
            log=log.append,
        )
    assert output.whole
    assert output.limits == ()
    found = {p.number: p for p in output.hosts[0].ports}
    assert (found[ssh].service, found[ssh].product) == ("ssh", "OpenSSH")
    assert [(entry.kind, entry.destination) for entry in log] == [(ProbeKind.NMAP, LOOPBACK)]


@pytest.mark.real
def test_a_run_that_takes_too_long_is_stopped_with_all_its_children() -> None:
    began = monotonic()
    with serving(dripping) as number:
        # Less than nmap gives a host at least, so that it is never nmap itself that ends first.
        output = installed().run(
            Profile.IDENTIFY, [IPv4Address(LOOPBACK)], [number], seconds=0.8, cancelled=threading.Event()
        )
    assert monotonic() - began < 6
    assert not output.whole
    assert output.limits[0] == "nmap was stopped after 1 s"
    assert f"nmap gave no answer for {LOOPBACK}" in output.limits


@pytest.mark.real
def test_a_wish_to_stop_is_heard() -> None:
    stop = threading.Event()
    timer = threading.Timer(0.5, stop.set)
    timer.start()
    began = monotonic()
    with serving(dripping) as number:
        output = installed().run(
            Profile.IDENTIFY, [IPv4Address(LOOPBACK)], [number], seconds=60, cancelled=stop
        )
    timer.join()
    assert monotonic() - began < 5
    assert output.limits[0] == "nmap was stopped on request"


@pytest.mark.parametrize(
    ("addresses", "ports"),
    [
        ([], [22]),
        (["10.0.0.1"], []),
        (["10.0.0.1"], [0]),
        (["10.0.0.1"], [65_536]),
        (["10.0.0.1", "::1"], [22]),
    ],
)
def test_nonsense_is_refused_before_anything_runs(addresses: list[str], ports: list[int]) -> None:
    with pytest.raises(ValueError, match=r"nmap is run|one run takes"):
        Nmap("/nonexistent", (7, 93), ()).run(
            Profile.IDENTIFY, map(ip_address, addresses), ports, seconds=1, cancelled=threading.Event()
        )


@pytest.mark.parametrize("zone", ["--script=x", "eth0", "-oN file"])
def test_the_free_text_of_a_zone_never_reaches_nmap(zone: str) -> None:
    with pytest.raises(ValueError, match="zone"):
        Nmap("/nonexistent", (7, 93), ()).run(
            Profile.IDENTIFY, [IPv6Address(f"fe80::1%{zone}")], [22], seconds=1, cancelled=threading.Event()
        )


def test_the_arguments_are_ours_alone(tmp_path: Path) -> None:
    asked: list[IPv4Address | IPv6Address] = [IPv4Address("10.0.0.1"), IPv4Address("10.0.0.2")]
    command = Nmap("/usr/bin/nmap", (7, 93), ())._command(
        Profile.IDENTIFY, asked, [22, 80], tmp_path / "x.xml", 18.0
    )
    assert command[-2:] == ("10.0.0.1", "10.0.0.2")
    assert command[command.index("-p") + 1] == "22,80"
    assert command[command.index("--max-parallelism") + 1] == "4"  # two for each host
    assert command[command.index("--host-timeout") + 1] == "13000ms"
    assert not any("script" in argument for argument in command)


@pytest.mark.real
def test_a_host_that_drips_takes_no_other_with_it() -> None:
    asked = [IPv4Address(LOOPBACK), IPv4Address("127.0.0.2")]
    with serving(saying(b"SSH-2.0-OpenSSH_9.2p1\r\n")) as number, serving(dripping, number, "127.0.0.2"):
        output = installed().run(Profile.IDENTIFY, asked, [number], seconds=11.0, cancelled=threading.Event())
    ports = {host.address: [port.product for port in host.ports] for host in output.hosts}
    assert ports == {asked[0]: ["OpenSSH"]}
    assert "nmap gave no answer for 127.0.0.2" in output.limits


@pytest.mark.real
def test_data_files_are_found_where_nmap_is_installed_and_nowhere_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("nmap-service-probes", "nmap-mac-prefixes"):
        found = installed().data(name)
        assert found is not None
        assert found.is_file()
    (tmp_path / ".nmap").mkdir()
    (tmp_path / ".nmap" / "lab-file").write_text("x")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NMAPDIR", str(tmp_path / ".nmap"))
    assert installed().data("lab-file") is None
