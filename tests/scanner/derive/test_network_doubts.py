"""What must not look proven: zones that were asked in part, and machines and ports that only seem new."""

from __future__ import annotations

import msgspec
import pytest

from checks.facts.network.datagrams import UdpAnswers
from checks.facts.snapshot import Snapshot
from checks.model import Outcome
from reports.matrix import CellState
from scanner.derive.network_digest import digest
from scanner.derive.network_drift import before
from scanner.derive.network_inventory import approved
from scanner.derive.network_matrix import matrix
from scanner.derive.network_segmentation import segmentation
from tests.scanner.derive.test_network_inventory import A_KEY, since
from tests.scanner.derive.test_network_segmentation import (
    BLOCKED,
    NO_ZONES,
    REQUIRED,
    SCOPE,
    TESTED,
    address,
    judged,
    network,
    record,
)

CARD = ("mac:02:00:00:00:00:01",)
SIX = SCOPE.replace("networks: [10.2.0.0/24]}\nreach", 'networks: [10.2.0.0/24, "fd00:2::/120"]}\nreach')
HALVES = SCOPE.replace("networks: [10.2.0.0/24]}\nreach", "networks: [10.2.0.0/24, 10.2.9.0/24]}\nreach")


def cell(*seen: Snapshot, scope: str = SCOPE) -> tuple[CellState, str]:
    """State and reason of office → servers."""
    made = matrix(segmentation(scope, map(digest, seen)), lambda one: one.address)
    assert made is not None
    one = made.cell("office", "servers")
    return one.state, one.reason


def between(seen: Snapshot) -> Snapshot:
    answers = msgspec.structs.replace(seen.facts["PortAnswers"], in_between="a proxy answers for it")
    return msgspec.structs.replace(seen, facts={**seen.facts, "PortAnswers": answers})


@pytest.mark.parametrize(
    ("seen", "scope", "words"),
    [
        (network("10.2.0.0/28", 0, asked=14), SCOPE, "239 of 254 addresses of the zone were not asked"),
        (network(asked=250), SCOPE, "4 of 254 addresses were left out"),
        (network(), SIX, "256 of 510 addresses of the zone were not asked, the first in fd00:2::/120"),
        (network(), HALVES, "254 of 508 addresses of the zone were not asked"),
        (network(tcp=((1, 442),)), SCOPE + "  - {from: outside, to: servers, ports: [8443]}\n", "tcp/8443"),
        (network(tcp=()), SCOPE + "  - {from: outside, to: servers, ports: [8443]}\n", "not recorded"),
    ],
    ids=["narrower", "excluded", "other family", "other network", "older than the policy", "old form"],
)
def test_a_zone_that_was_asked_in_part_is_not_known_to_hold(seen: Snapshot, scope: str, words: str) -> None:
    [tried] = [f for f in judged(TESTED, seen, scan=record(scope)) if f.on == "office → servers"]
    assert (tried.outcome, words in tried.reason) == (Outcome.UNKNOWN, True)
    state, reason = cell(seen, scope=scope)
    assert (state, words in reason) == (CellState.UNTESTED, True)


def test_a_zone_whose_parts_were_all_asked_holds() -> None:
    assert cell(network())[0] is CellState.HOLDS
    assert cell(network(), network("10.2.9.0/24"), scope=HALVES)[0] is CellState.HOLDS
    halves = (network("10.2.0.0/25", asked=126), network("10.2.0.128/25", asked=126))
    assert cell(*halves)[0] is CellState.HOLDS
    # A more specific entry takes its addresses, edges included, from the larger one.
    inner = (network(asked=254 - 64, live=0), network("10.2.0.64/26", asked=62))
    assert cell(*inner)[0] is CellState.HOLDS


def test_the_ports_that_may_pass_from_there_need_no_probe_to_hold() -> None:
    assert cell(network(tcp=((1, 442),)))[0] is CellState.HOLDS


def test_the_proxy_in_front_is_neither_a_leak_of_the_matrix_nor_a_way_that_works() -> None:
    leaky = between(address("10.2.0.5", "tcp/22 ssh", "tcp/443 https"))
    assert cell(network(), leaky)[0] is CellState.UNTESTED
    [one] = judged(BLOCKED, network(), leaky, scan=record(REQUIRED))
    assert one.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (network("10.2.0.0/28", 0, asked=14), "were not asked"),
        (network(asked=250), "were left out"),
        (network(tcp=((1, 442),)), "tcp/443"),
        (network(tcp=()), "not recorded"),
    ],
)
def test_a_required_port_that_was_not_asked_everywhere_is_not_blocked(seen: Snapshot, words: str) -> None:
    [one] = judged(BLOCKED, seen, scan=record(REQUIRED))
    assert (one.outcome, words in one.reason) == (Outcome.UNKNOWN, True)


# --- the scan before ---


def test_one_machine_with_two_addresses_has_no_new_port_at_either() -> None:
    then = (
        address("10.2.0.5", "tcp/22 ssh", names=CARD, closed=((443, 443),)),
        address("10.2.0.6", "tcp/443 https", names=CARD, closed=((22, 22),)),
    )
    for order in (then, then[::-1]):
        for now in then:
            assert [f.outcome for f in since(now, *order, network()).values()] == [Outcome.PASS]
        moved = address("10.2.0.7", "tcp/22 ssh", "tcp/443 https", names=CARD)
        assert {f.outcome for f in since(moved, *order, network()).values()} == {Outcome.PASS}


@pytest.mark.parametrize(
    ("then", "port"),
    [
        (network(tcp=((1, 1_000),)), "tcp/8080 http"),
        (network(), "udp/161 snmp"),
    ],
    ids=["fewer ports", "udp"],
)
def test_a_new_machine_has_no_new_port_that_was_not_asked_then(then: Snapshot, port: str) -> None:
    [one] = since(address("10.2.0.5", port), then).values()
    assert (one.outcome, "did not ask it" in one.reason) == (Outcome.UNKNOWN, True)


def test_a_machine_that_was_excluded_then_is_not_new() -> None:
    for then in (network(asked=250), network(excluded=4)):
        [one] = since(address("10.2.0.5", "tcp/22 ssh"), then).values()
        assert (one.outcome, "did not ask all" in one.reason) == (Outcome.UNKNOWN, True)


def test_a_datagram_port_that_kept_silent_then_was_not_shut() -> None:
    silent = UdpAnswers("office", (123, 161), (), (123,), (161,))
    then = address("10.2.0.5", "tcp/22 ssh", facts=(silent,))
    now = address("10.2.0.5", "udp/161 snmp", "udp/123 ntp")
    found = {on: f.outcome for on, f in since(now, then, network()).items()}
    assert found == {"udp/161": Outcome.UNKNOWN, "udp/123": Outcome.FAIL}


def test_what_a_proxy_answered_then_says_nothing_of_now() -> None:
    then = between(address("10.2.0.5", "tcp/443 https"))
    assert before(3, [digest(then)]).number == 3
    [one] = since(address("10.2.0.5", "tcp/22 ssh"), then, network()).values()
    assert (one.outcome, "could not be read" in one.reason) == (Outcome.UNKNOWN, True)


# --- the list ---

CLONES = f"""\
version: 1
hosts:
  - {{name: a, addresses: ["10.2.0.5"], ports: [{{port: tcp/22, host_keys: ["{A_KEY}"]}}]}}
  - {{name: b, addresses: ["10.2.0.6"], ports: [{{port: tcp/22, host_keys: ["{A_KEY}"]}}]}}
"""


def test_machines_with_one_host_key_are_told_apart_by_their_addresses() -> None:
    held = approved(CLONES, NO_ZONES, ())
    for ip, name in (("10.2.0.5", "a"), ("10.2.0.6", "b")):
        host, known_by = held.find(ip, "", [A_KEY])
        assert (host and host.name, known_by) == (name, "ssh-host-key")
    assert held.find("10.2.0.7", "", [A_KEY])[1] == "ssh-host-key"
