"""Network interfaces and name servers."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.facts.host.interfaces import Interface, Interfaces, Resolvers
from checks.facts.snapshot import Absence, Fact, Gap
from scanner.collect.host.interfaces import PROBE, parse
from scanner.collect.host.probe import ParseError
from tests.lab.fragment import answer

ONE = "interfaces\ninterface\teth0\t0x1003\tethernet\t\n"
MAIN, RESOLVED = "/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"


def fact(text: str, kind: type[Fact]) -> Fact | Gap | Absence:
    seen = parse(text)
    everything: list[Fact | Gap | Absence] = [*seen.facts, *seen.gaps, *seen.absences]
    [one] = [
        each
        for each in everything
        if isinstance(each, kind) or (isinstance(each, Gap | Absence) and each.fact == kind.__name__)
    ]
    return one


def interfaces(text: str) -> dict[str, Interface]:
    found = fact(text, Interfaces)
    assert isinstance(found, Interfaces)
    return {one.name: one for one in found.interfaces}


def test_flags() -> None:
    found = interfaces(f"{ONE}interface\teth1\t0x1102\tethernet\t\ninterface\tlo\t0x9\tloopback\t\n")
    assert found["eth0"] == Interface("eth0", "ethernet", up=True, promiscuous=False, port=False)
    assert found["eth1"] == Interface("eth1", "ethernet", up=False, promiscuous=True, port=False)


def test_a_port_is_excused_only_by_what_listens_above_it() -> None:
    bond = "interface\teth1\t0x1103\tethernet\tbond0\ninterface\tbond0\t{}\tethernet\t\n"
    assert interfaces(ONE + bond.format("0x1103"))["eth1"].port
    assert not interfaces(ONE + bond.format("0x1003"))["eth1"].port
    assert interfaces(f"{ONE}interface\tveth1\t0x1103\tethernet\tbridge\n")["veth1"].port


def test_name_servers_behind_a_stub() -> None:
    stub = f"{ONE}names\t{MAIN}\nnames\t{RESOLVED}\nserver\t{MAIN}\t127.0.0.53\n"
    behind = f"{stub}server\t{RESOLVED}\t10.0.0.2\nserver\t{RESOLVED}\t10.0.0.2\n"
    assert fact(behind, Resolvers) == Resolvers(("10.0.0.2",), RESOLVED)
    assert fact(stub, Resolvers) == Resolvers(("127.0.0.53",), MAIN)
    both = behind + f"server\t{MAIN}\t9.9.9.9\n"
    assert fact(both, Resolvers) == Resolvers(("127.0.0.53", "9.9.9.9"), MAIN)


def test_what_is_not_there_and_what_is_closed() -> None:
    assert isinstance(fact(ONE, Resolvers), Absence)
    assert isinstance(fact(f"{ONE}unread\t{MAIN}\n", Resolvers), Gap)
    assert isinstance(fact(f"names\t{MAIN}\n", Interfaces), Gap)
    assert isinstance(fact("interfaces\n", Interfaces), Gap)


@pytest.mark.parametrize(
    "text", ["", "noise\n", f"{ONE}interface\teth1\tup\tethernet\t\n", f"{ONE}server\t{MAIN}\t1.1.1.1\n"]
)
def test_a_broken_answer_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        parse(text)


@pytest.mark.real
@pytest.mark.parametrize("shell", ["bash", "dash", "busybox"])
def test_planted_interfaces(tmp_path: Path, shell: str) -> None:
    plant = f"""
    mount -t tmpfs tmpfs /sys/class/net
    cd /sys/class/net
    make() {{ mkdir "$1"; echo "$2" >"$1/flags"; echo "$3" >"$1/type"; }}
    make lo 0x9 772; make eth0 0x1103 1; make wlan0 0x1003 1; make br0 0x1103 1; make tun0 0x1091 65534
    make bond0 0x1503 1; make eth1 0x1903 1; make vnet0 0x1103 1; make eth2 0x1103 1
    mkdir wlan0/wireless br0/bridge vnet0/brport eth1/bonding_slave ovs-system
    ln -s ../bond0 eth1/upper_bond0; ln -s ../eth2 ovs-system/lower_eth2
    echo bond0 >bonding_masters
    printf 'search x\\nnameserver 10.0.0.2\\nnameserver  fd00::1 # c\\n#nameserver 6.6.6.6\\n' \\
      >{tmp_path}/resolv
    mount --bind {tmp_path}/resolv {MAIN}
    """
    section = answer(PROBE, plant, tmp_path, shell)
    assert section.status == 0
    found = interfaces(section.text)
    assert {name: one.kind for name, one in found.items()} == {
        "lo": "loopback",
        "eth0": "ethernet",
        "eth1": "ethernet",
        "eth2": "ethernet",
        "bond0": "ethernet",
        "wlan0": "wireless",
        "br0": "bridge",
        "tun0": "tunnel",
        "vnet0": "ethernet",
    }
    assert {name for name, one in found.items() if one.port} == {"eth1", "eth2", "vnet0"}
    assert found["eth0"].promiscuous
    assert not found["wlan0"].promiscuous
    assert fact(section.text, Resolvers) == Resolvers(("10.0.0.2", "fd00::1"), MAIN)
