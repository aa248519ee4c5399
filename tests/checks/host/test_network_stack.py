"""How a host behaves on its networks, judged."""

from __future__ import annotations

from typing import Any

import pytest

from checks.check import Check
from checks.facts.host.firewall import Firewall, InputChain
from checks.facts.host.interfaces import Interface, Interfaces, Resolvers
from checks.facts.host.kernel import Sysctls
from checks.facts.host.platform import ContainerEngines
from checks.host import kernel, network_stack
from checks.model import Outcome, Severity
from tests.checks.host.judging import checks_of, failing, judged, says_unknown

GOOD = {setting.name: setting.good[-1] for setting in kernel.SETTINGS}
FAMILIES = {check.id: check for check in network_stack.FAMILIES}
BAD = [
    ("host.network-stack.gateway-redirects", "net.ipv4.conf.all.secure_redirects", "1"),
    ("host.network-stack.odd-packets", "net.ipv4.conf.default.log_martians", "0"),
    ("host.network-stack.bogus-errors", "net.ipv4.icmp_ignore_bogus_error_responses", "0"),
    ("host.network-stack.router-advertisements", "net.ipv6.conf.default.accept_ra", "1"),
    ("host.network-stack.router-advertisements", "net.ipv6.conf.all.accept_ra", "2"),
]
NONE = ContainerEngines((), ())
OFF = "net.ipv6.conf.all.disable_ipv6"


def running(**changes: str) -> Sysctls:
    return Sysctls({**GOOD, **changes}, ())


@pytest.mark.parametrize("check", checks_of(network_stack), ids=lambda check: check.id)
def test_what_could_not_be_read_is_unknown(check: Check[Any]) -> None:
    says_unknown(check)


@pytest.mark.parametrize(("check", "name", "value"), BAD)
def test_a_bad_value_fails(check: str, name: str, value: str) -> None:
    assert failing(FAMILIES[check], running(**{name: value})) == [name]


@pytest.mark.parametrize("check", FAMILIES)
def test_good_values_pass(check: str) -> None:
    assert failing(FAMILIES[check], running()) == []
    assert check in {one for one, _, _ in BAD}


def test_ipv6_that_is_off_needs_no_settings() -> None:
    check = FAMILIES["host.network-stack.router-advertisements"]
    bad = {"net.ipv6.conf.all.accept_ra": "1", OFF: "1"}
    off = judged(check, running(**bad, **{"net.ipv6.conf.default.disable_ipv6": "1"}))
    assert {finding.outcome for finding in off} == {Outcome.NOT_APPLICABLE}
    assert failing(check, running(**bad)) == ["net.ipv6.conf.all.accept_ra"]


@pytest.mark.parametrize("name", ["net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"])
def test_forwarding(name: str) -> None:
    assert failing(network_stack.forwarding, running(), NONE) == []
    assert failing(network_stack.forwarding, running(**{name: "1"}), NONE) == [name]


def test_forwarding_for_containers_weighs_less_and_can_be_undone() -> None:
    engines = ContainerEngines(("docker",), ())
    found = judged(network_stack.forwarding, running(**{"net.ipv4.ip_forward": "1"}), engines)
    [bad] = [one for one in found if one.outcome is Outcome.FAIL]
    assert bad.severity is Severity.INFO
    assert "docker forwards for its containers" in bad.saw
    assert "before=1" in bad.fix.snippets[0].undo
    assert "there are bridges" in bad.fix.snippets[0].do
    assert bad.fix_key == "sysctl:forwarding"


def chain(family: str, rest: str = "refuse") -> InputChain:
    return InputChain("nft", family, "filter", "input", "drop", 3, rest, refuses=rest == "refuse")


@pytest.mark.parametrize(
    ("chains", "address", "disabled", "outcome", "severity"),
    [
        (("inet",), True, "0", Outcome.PASS, Severity.MEDIUM),
        (("ip", "ip6"), True, "0", Outcome.PASS, Severity.MEDIUM),
        (("ip",), True, "0", Outcome.FAIL, Severity.MEDIUM),
        (("ip",), False, "0", Outcome.FAIL, Severity.LOW),
        (("ip",), False, "1", Outcome.PASS, Severity.MEDIUM),
        ((), True, "0", Outcome.NOT_APPLICABLE, Severity.MEDIUM),
        (("ip",), False, "", Outcome.UNKNOWN, Severity.MEDIUM),
    ],
)
def test_ipv6_is_filtered_or_off(
    chains: tuple[str, ...], address: bool, disabled: str, outcome: Outcome, severity: Severity
) -> None:
    found = Sysctls({OFF: disabled} if disabled else {}, (), () if disabled else (OFF,))
    firewall = Firewall(("nft",), tuple(chain(family) for family in chains), address)
    [finding] = judged(network_stack.ipv6, found, firewall)
    assert (finding.outcome, finding.severity) == (outcome, severity)


def test_a_kernel_without_ipv6_needs_no_filter_for_it() -> None:
    [finding] = judged(
        network_stack.ipv6, Sysctls({}, (OFF,)), Firewall(("nft",), (chain("ip"),), ipv6=False)
    )
    assert finding.outcome is Outcome.PASS


def test_rules_that_refuse_nothing_filter_nothing() -> None:
    firewall = Firewall(("nft",), (chain("ip"), chain("ip6", "accept")), ipv6=True)
    assert failing(network_stack.ipv6, running(**{OFF: "0"}), firewall) == ["IPv6"]


ETHERNET = Interface("eth0", "ethernet", up=True, promiscuous=False, port=False)


def interface(name: str, kind: str = "ethernet", **more: bool) -> Interface:
    return Interface(name, kind, **{"up": True, "promiscuous": False, "port": False, **more})


def test_wireless() -> None:
    up, down = interface("wlan0", "wireless"), interface("wlan1", "wireless", up=False)
    assert failing(network_stack.wireless, Interfaces((ETHERNET,))) == []
    assert failing(network_stack.wireless, Interfaces((ETHERNET, down))) == []
    assert failing(network_stack.wireless, Interfaces((ETHERNET, up, down))) == ["wlan0"]


def test_an_interface_that_listens_to_all() -> None:
    listening = interface("eth1", promiscuous=True)
    port = interface("veth1", promiscuous=True, port=True)
    found = Interfaces((ETHERNET, listening, port, interface("lo", "loopback", promiscuous=True)))
    assert failing(network_stack.promiscuous, found) == ["eth1"]
    assert failing(network_stack.promiscuous, found, sensors=frozenset({"eth1"})) == []


@pytest.mark.parametrize(
    ("address", "ok"),
    [
        ("10.0.0.2", True),
        ("192.168.1.1", True),
        ("127.0.0.1", True),
        ("100.64.0.1", True),
        ("fd00::1", True),
        ("fe80::1%eth0", True),
        ("9.9.9.9", True),
        ("185.220.101.1", False),
        ("2a00:1450:4001::1", False),
        ("nonsense", False),
    ],
)
def test_name_servers(address: str, ok: bool) -> None:
    found = Resolvers(("10.0.0.1", address), "/etc/resolv.conf")
    assert failing(network_stack.resolver, found) == ([] if ok else [address])


def test_name_servers_of_ones_own_can_be_named() -> None:
    found = Resolvers(("185.220.101.1", "9.9.9.9"), "/etc/resolv.conf")
    assert failing(network_stack.resolver, found, known=frozenset({"185.220.101.1"})) == ["9.9.9.9"]


def test_no_name_server_is_no_pass() -> None:
    [finding] = judged(network_stack.resolver, Resolvers((), "/etc/resolv.conf"))
    assert finding.outcome is Outcome.UNKNOWN
