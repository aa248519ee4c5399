"""What the rules of the packet filter let in, judged."""

from __future__ import annotations

from typing import Any

import pytest

from checks.check import Check
from checks.facts.host.firewall import Firewall, InputChain, PortRange, PortRule
from checks.facts.host.services import Listener, ListeningServices
from checks.host import firewall_rules
from checks.model import Outcome
from tests.checks.host.judging import checks_of, failing, judged, outcomes, says_unknown

PASS, FAIL, UNKNOWN, NONE = Outcome.PASS, Outcome.FAIL, Outcome.UNKNOWN, Outcome.NOT_APPLICABLE


def chain(
    *rules: tuple[int, str],
    family: str = "ip",
    rest: str = "refuse",
    limits: tuple[str, ...] = (),
    **more: Any,
) -> InputChain:
    """A chain that does so with these ports of TCP, and with all others what it does with the rest."""
    ports: list[PortRule] = []
    families = ("ip", "ip6") if family == "inet" else (family,)
    for one in families:
        start = 0
        for port, does in rules:
            ports.append(PortRule(one, "tcp", start, port - 1, rest))
            ports.append(
                PortRule(one, "tcp", port, port, does, limits if does == "limit" else (), named=True)
            )
            start = port + 1
        ports += [PortRule(one, "tcp", start, 65535, rest), PortRule(one, "udp", 0, 65535, rest)]
    policy = "drop" if rest == "refuse" else "accept"
    return InputChain("nft", family, "filter", "input", policy, len(rules), rest, ports=tuple(ports), **more)


def firewall(*chains: InputChain, ipv6: bool = False, sent_on: tuple[PortRange, ...] = ()) -> Firewall:
    return Firewall(("nft",), chains, ipv6, sent_on)


def listening(*ports: int, address: str = "*", program: str = "x") -> ListeningServices:
    return ListeningServices(tuple(Listener("tcp", address, port, program) for port in ports))


@pytest.mark.parametrize("check", checks_of(firewall_rules))
def test_what_could_not_be_read_is_unknown(check: Check[Any]) -> None:
    says_unknown(check)


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        (firewall(), FAIL),
        (firewall(chain()), PASS),
        (firewall(chain((80, "accept"))), PASS),
        (firewall(chain((80, "limit"), limits=("source",))), PASS),
        (firewall(chain((80, "unclear"))), UNKNOWN),
        (firewall(chain(rest="accept")), FAIL),
        (firewall(chain((80, "refuse"), rest="accept")), PASS),
        (firewall(chain(rest="accept"), chain((80, "accept"), rest="accept")), PASS),
        (firewall(chain(rest="accept"), chain()), PASS),
        (firewall(InputChain("nft", "ip", "filter", "input", "drop", 3, "refuse")), UNKNOWN),
        (firewall(chain((80, "accept")), sent_on=(PortRange("tcp", 80, 80),)), UNKNOWN),
        (firewall(chain((80, "accept")), sent_on=(PortRange("udp", 80, 80),)), PASS),
    ],
)
def test_a_rule_before_an_open_port(found: Firewall, outcome: Outcome) -> None:
    assert outcomes(judged(firewall_rules.open_ports, found, listening(80))) == {"tcp/80": outcome}


def test_a_filter_of_one_family_leaves_the_port_open_in_the_other() -> None:
    found = firewall(chain(), ipv6=True)
    assert failing(firewall_rules.open_ports, found, listening(80)) == ["tcp/80"]
    assert failing(firewall_rules.open_ports, found, listening(80, address="192.0.2.1")) == []
    assert failing(firewall_rules.open_ports, found, listening(80, address="2001:db8::1")) == ["tcp/80"]
    assert failing(firewall_rules.open_ports, firewall(chain(family="inet"), ipv6=True), listening(80)) == []


def test_loopback_needs_no_rule() -> None:
    assert failing(firewall_rules.open_ports, firewall(), listening(80, address="127.0.0.1")) == []


def test_a_rule_that_accepts_all() -> None:
    bad = chain(accepts_all="input: accept")
    name = "nft ip filter input"
    assert failing(firewall_rules.accept_all, firewall(bad)) == [name]
    assert failing(firewall_rules.accept_all, firewall(chain())) == []
    idle = InputChain("nft", "ip", "filter", "input", "accept", 1, "accept", False, "input: accept")
    assert failing(firewall_rules.accept_all, firewall(idle)) == []
    assert {one.outcome for one in judged(firewall_rules.accept_all, firewall())} == {NONE}


@pytest.mark.parametrize(
    ("chains", "found"),
    [
        ((chain(loopback=True, forged=True),), {"IPv4": PASS}),
        ((chain(loopback=True),), {"IPv4": FAIL}),
        ((chain(),), {"IPv4": FAIL}),
        ((chain(family="inet", loopback=True, forged=True),), {"IPv4": PASS, "IPv6": PASS}),
        ((chain(rest="accept"),), {"loopback": NONE}),
        ((), {"loopback": NONE}),
    ],
)
def test_loopback(chains: tuple[InputChain, ...], found: dict[str, Outcome]) -> None:
    assert outcomes(judged(firewall_rules.loopback, firewall(*chains, ipv6=True))) == found


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        (firewall(chain((22, "accept"))), FAIL),
        (firewall(), FAIL),
        (firewall(chain((22, "limit"), limits=("rate",))), PASS),
        (firewall(chain((22, "limit"), limits=("source",))), PASS),
        (firewall(chain()), PASS),
        (firewall(chain((22, "unclear"))), UNKNOWN),
    ],
)
def test_from_where_ssh_is_reached(found: Firewall, outcome: Outcome) -> None:
    ssh = listening(22, program="sshd")
    assert outcomes(judged(firewall_rules.ssh_sources, found, ssh)) == {"tcp/22": outcome}


def test_ssh_on_another_port_or_nowhere() -> None:
    found = firewall(chain((2222, "accept")))
    ssh = listening(2222, program="sshd")
    assert outcomes(judged(firewall_rules.ssh_sources, found, ssh)) == {"tcp/2222": FAIL}
    local = listening(22, address="127.0.0.1", program="sshd")
    assert outcomes(judged(firewall_rules.ssh_sources, found, local)) == {"SSH": NONE}
