"""What a host has installed, laid beside what its address shows."""

from __future__ import annotations

from checks.facts.host.packages import Package, Packages
from checks.facts.host.system import OperatingSystem
from checks.facts.network import OpenPort, OpenPorts
from checks.facts.network.software import NOBODY_LOOKED, InstalledSoftware
from checks.facts.snapshot import Fact, Gap, Snapshot
from checks.model import Kind, Outcome, Target
from scanner.derive.derivation import derive
from scanner.derive.network_software import derivation
from tests.checks.network.judging import judge

PORTS = OpenPorts("10.0.0.5", "inside", "syn", 100, 0, (
    OpenPort(22, "tcp", "ssh", "OpenSSH", "8.4p1", banner="SSH-2.0-OpenSSH_8.4p1 Debian-5+deb11u3"),
))  # fmt: skip


def view(kind: Kind, name: str, *facts: Fact, gaps: tuple[Gap, ...] = ()) -> Snapshot:
    return Snapshot(
        Target(kind, name, name),
        "2026-11-23T12:00:00Z",
        ("machine-id:1",),
        facts={type(fact).__name__: fact for fact in facts},
        gaps=gaps,
    )


def host(name: str = "web-1") -> Snapshot:
    system = OperatingSystem("debian", "11", "Debian GNU/Linux 11", (), "5.10", "amd64", name)
    package = Package("openssh-server", "1:8.4p1-5+deb11u3", "amd64", "openssh", "1:8.4p1-5+deb11u3")
    return view(Kind.HOST, name, system, Packages("dpkg", (package,)))


def seen(*others: Snapshot) -> InstalledSoftware:
    address = view(Kind.NETWORK, "10.0.0.5", PORTS)
    derived = derive(address, [derivation([address, *others])])
    fact = derived.get(InstalledSoftware)
    assert isinstance(fact, InstalledSoftware)
    assert any(one.fact == "InstalledSoftware" and one.excerpt for one in derived.sources)
    return fact


def test_the_packages_of_the_same_machine_are_beside_its_ports() -> None:
    fact = seen(host())
    assert (fact.host, [system.id for system in fact.systems]) == ("web-1", ["debian"])
    assert [package.name for package in fact.packages] == ["openssh-server"]
    [finding] = judge("network.versions.openssh", PORTS, fact)
    assert finding.outcome is Outcome.FAIL
    assert "web-1 has openssh-server 1:8.4p1-5+deb11u3 of Debian GNU/Linux 11" in finding.saw


def test_nobody_or_two_hosts_decide_nothing() -> None:
    assert seen() == NOBODY_LOOKED
    assert seen(host("a"), host("b")) == NOBODY_LOOKED
    assert seen(view(Kind.HOST, "c", gaps=(Gap("Packages", "refused"),))) == NOBODY_LOOKED


def test_a_host_gets_no_such_fact_and_ports_that_were_not_read_are_a_gap() -> None:
    one = derivation([host()])
    assert derive(host(), [one]).get(InstalledSoftware) is None
    blind = derive(view(Kind.NETWORK, "10.0.0.5", gaps=(Gap("OpenPorts", "no time"),)), [one])
    assert [gap.reason for gap in blind.gaps if gap.fact == "InstalledSoftware"] == ["no time"]
