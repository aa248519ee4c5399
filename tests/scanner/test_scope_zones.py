"""Zones, ways between them, and the other keys of networks, as a scope file says them."""

from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from baselines.text import TextError
from scanner.scope import NetworkScope, Scope, check_files, plan, read_scope, template

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HEAD = """\
version: 1
organisation: A
authorisation: {by: x, reference: y, until: 2099-01-01}
"""
NETWORKS = """\
networks:
  - {name: servers, cidrs: [10.2.0.0/24], vantage: office, ports: [22]}
"""
ZONES = """\
zones:
  - {name: office, networks: [10.1.0.0/24]}
  - {name: servers, networks: [10.2.0.0/24]}
"""
WAY = ZONES + "reach:\n  - {from: office, to: servers, "
OPEN = NETWORKS.replace("vantage: office, ", "")
REACH = """\
reach:
  - {from: office, to: servers, ports: [443, "udp/53", "8000-8002"]}
  - {from: office, to: servers, ports: [443], required: true}
"""


def scope(text: str) -> Scope:
    return read_scope((HEAD + text).encode(), "scope.yaml")


def access(text: str, word: str = "net:servers") -> NetworkScope:
    [one] = plan(scope(text), [word], now=NOW).targets
    assert isinstance(one.access, NetworkScope)
    return one.access


def test_what_is_not_named_is_denied() -> None:
    policy = scope(NETWORKS + ZONES + REACH).policy
    asked = [("tcp", 443), ("udp", 53), ("tcp", 8001), ("udp", 443), ("tcp", 22)]
    assert [policy.allows("office", "servers", "10.2.0.5", *one) for one in asked] == [
        True, True, True, False, False,
    ]  # fmt: skip
    assert not policy.allows("servers", "office", "10.1.0.5", "tcp", 443)
    assert policy.allows("office", "office", "10.1.0.5", "tcp", 22)


def test_an_address_is_in_the_zone_whose_networks_hold_it() -> None:
    policy = scope(NETWORKS + ZONES).policy
    assert policy.zone_of(ip_address("10.1.0.9")) == "office"
    assert policy.zone_of(ip_network("10.2.0.0/28")) == "servers"
    assert policy.zone_of(ip_network("10.2.0.0/16")) == ""
    assert policy.zone_of(ip_address("fd00::1")) == ""


def test_the_plan_asks_also_what_the_ways_name_and_knows_the_zone_by_the_address() -> None:
    found = access(NETWORKS + ZONES + REACH)
    assert (found.ports, found.also, found.also_udp) == ((22,), (443, 8000, 8001, 8002), (53,))
    [one] = plan(scope(NETWORKS + ZONES + REACH), [], now=NOW).targets
    assert one.target.zone == "servers"
    everything = access(NETWORKS + ZONES + "reach:\n  - {from: office, to: servers, ports: all}\n")
    assert everything.also == everything.also_udp == ()


def test_the_internet_is_a_zone_that_needs_no_declaration() -> None:
    policy = scope(NETWORKS + ZONES + "reach:\n  - {from: outside, to: servers, ports: [443]}\n").policy
    assert policy.names == ("outside", "office", "servers")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("reach:\n  - {from: a, to: b, ports: [1]}\n", "4: reach: reach needs zones"),
        (
            ZONES + "reach:\n  - {from: ofice, to: servers, ports: [1]}\n",
            "8: reach.0.from: there is no zone ofice; did you mean office?",
        ),
        (
            ZONES + "reach:\n  - {from: office, to: server, ports: [1]}\n",
            "reach.0.to: there is no zone server; did you mean servers?",
        ),
        (ZONES + "reach:\n  - {from: outside, to: outside, ports: [1]}\n", "nobody's network"),
        (WAY + "ports: [0]}\n", "reach.0.ports: a port is a number from 1 to 65535"),
        (WAY + "ports: [65536]}\n", "from 1 to 65535"),
        (WAY + 'ports: ["80-22"]}\n', "runs backwards; write 22-80"),
        (WAY + "ports: [icmp/8]}\n", 'a port such as 443, "udp/53"'),
        (WAY + "ports: https}\n", "all, or a list such as"),
        (WAY + "ports: [true]}\n", "not True"),
        (WAY + 'ports: ["1-9"], required: true}\n', "named port by port"),
        (WAY + "ports: [], required: true}\n", "names the ports that must answer"),
        (ZONES + "reach:\n  - {from: office, to: servers}\n", "reach.0.ports: missing"),
        (WAY + "port: [1]}\n", "unknown key; did you mean ports?"),
        (WAY + 'ports: [1], hosts: ["10.9.0.1"]}\n', "10.9.0.1/32 is not in the zone servers"),
        (
            "zones:\n  - {name: a, networks: [10.1.0.0/24]}\n  - {name: b, networks: [10.1.0.128/25]}\n",
            "6: zones.1.networks.0: 10.1.0.128/25 overlaps 10.1.0.0/24 of a",
        ),
        ("zones:\n  - {name: a, networks: [10.1.0.0/24, 10.1.0.0/25]}\n", "which is here already"),
        ("zones:\n  - {name: a}\n  - {name: A}\n", "zones.1.name: A is already the name of zones.0"),
        ("zones:\n  - {name: outside}\n", "outside means something else"),
        ("zones:\n  - {name: a, networks: [10.1.0.1/24]}\n", "zones.0.networks.0: 10.1.0.1/24"),
        ("zones:\n  - {name: a, networks: [0.0.0.0/33]}\n", "zones.0.networks.0"),
        ("zones:\n  - {name: a b}\n", "zones.0.name: text of the form"),
        (NETWORKS.replace("vantage: office", "zone: dmz") + ZONES, "there is no zone dmz"),
        (
            NETWORKS.replace("vantage: office", "zone: office") + ZONES,
            "10.2.0.0/24 is not in the zone office",
        ),
        (NETWORKS.replace("10.2.0.0/24", "10.2.0.0/23") + ZONES, "reaches beyond servers"),
        (NETWORKS.replace("office", "ofice") + ZONES, "there is no vantage ofice; did you mean office?"),
        (
            "local: {zone: a}\nbaselines:\n  - {id: network-exposure, zones: [b]}\n",
            "baselines.0.zones.0: there is no zone b",
        ),
        (
            "local: {zone: a}\nbaselines:\n"
            "  - {id: x, profile: p, zones: [a]}\n  - {id: x, profile: q, zones: [a]}\n",
            "baselines.1.zones.0: a already has a profile of it in baselines.0",
        ),
        (OPEN.replace("ports: [22]", "udp: some"), "usual, none, or a list such as [53, 161]"),
        (OPEN.replace("ports: [22]", 'udp: ["1-300"]'), "300 UDP ports are more than 256"),
        (
            OPEN.replace("ports: [22]", "rate: {packets_per_second: 10, per_host: 20}"),
            "networks.0.rate.per_host: 20 is more than",
        ),
        ("local: {}\nfragile: [printer]\n", "fragile.0"),
        ("local: {}\ninventory: inventory.yaml\n", "a file is named as file:PATH"),
    ],
)
def test_a_mistake_is_one_line_with_its_place(text: str, message: str) -> None:
    with pytest.raises(TextError) as error:
        scope(text)
    assert message in str(error.value)
    assert str(error.value).startswith("scope.yaml:")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("words", "udp"),
    [
        ("ports: top", "usual"),
        ("ports: all", "usual"),
        ("ports: [22]", "none"),
        ("ports: [22], udp: usual", "usual"),
        ("udp: none", "none"),
        ("udp: [161, 53]", (53, 161)),
    ],
)
def test_udp_is_asked_where_nobody_named_a_list_of_ports(words: str, udp: object) -> None:
    assert access(f"networks:\n  - {{name: servers, cidrs: [10.2.0.0/24], {words}}}\n").udp == udp


def test_a_network_may_have_a_rate_of_its_own_and_fragile_addresses() -> None:
    text = (
        "networks:\n  - {name: servers, cidrs: [10.2.0.0/24], rate: {packets_per_second: 20, per_host: 2}}\n"
        "  - {name: others, cidrs: [10.3.0.0/24]}\n"
        'fragile: ["10.2.0.9", "10.2.0.16/30", "10.9.0.0/16"]\n'
    )
    servers, others = access(text), access(text, "net:others")
    assert (servers.rate, servers.per_host) == (20, 2)
    assert (others.rate, others.per_host) == (500, 50)
    assert sorted(map(str, servers.fragile)) == [
        "10.2.0.16",
        "10.2.0.17",
        "10.2.0.18",
        "10.2.0.19",
        "10.2.0.9",
    ]
    assert others.fragile == frozenset()


def test_a_list_of_approved_machines_that_everybody_may_change_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "scope.yaml"
    file.write_text(HEAD + "local: {}\ninventory: file:inventory.yaml\n")
    found = read_scope(file.read_bytes(), str(file), file)
    with pytest.raises(TextError, match="no such file"):
        check_files(found)
    listed = tmp_path / "inventory.yaml"
    listed.write_text("version: 1\n")
    check_files(found)
    listed.chmod(0o666)
    with pytest.raises(TextError, match="everybody may change it"):
        check_files(found)


def test_the_template_shows_the_keys_and_reads_with_them() -> None:
    text = template()
    for key in ("zones:", "reach:", "inventory:", "fragile:", "udp:", "required: true"):
        assert key in text


# --- times ---

TIMED = """\
local: {zone: office}
windows:
  - {from: "22:00", to: "06:00"}
  - {from: "12:00", to: "13:00", zone: office}
blackouts:
  - {dates: [2026-12-24, 2027-01-06]}
  - {dates: [2026-11-24, 2026-11-24], from: "12:30", to: "13:00", zone: office}
"""


def at(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def test_a_zone_with_windows_of_its_own_has_no_others() -> None:
    guard = scope(TIMED).guard
    office, servers = guard.of_zone("office"), guard.of_zone("servers")
    assert (office.allows_now(at(23, 12)), office.allows_now(at(23, 23))) == (True, False)
    assert (servers.allows_now(at(23, 12)), servers.allows_now(at(23, 23))) == (False, True)
    assert guard.allows_now(at(23, 23))


def test_a_blackout_with_dates_holds_on_these_days_only() -> None:
    guard = scope(TIMED).guard
    assert guard.allows_now(at(23, 23, month=12))
    # What began the evening before goes on into the first day only where that day is open.
    assert not guard.allows_now(at(24, 1, month=12))
    assert not guard.allows_now(at(31, 23, month=12))
    assert guard.allows_now(datetime(2027, 1, 7, 1, tzinfo=UTC))
    office = guard.of_zone("office")
    assert (office.allows_now(at(24, 12, 15)), office.allows_now(at(24, 12, 45))) == (True, False)
    assert office.allows_now(at(25, 12, 45))
    assert guard.allows_now(at(24, 23))


def test_the_opening_after_a_long_blackout_is_found() -> None:
    assert scope(TIMED).guard.next_opening(at(24, 12, month=12)) == "Thu 2027-01-07 00:00 UTC"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("blackouts:\n  - {dates: [2027-01-06, 2026-12-24]}\n", "blackouts.0.dates: 2026-12-24 is before"),
        ("blackouts:\n  - {dates: [2026-12-24]}\n", "two days such as"),
        ("blackouts:\n  - {dates: [2026-12-24, 2026-02-30]}\n", "two days such as"),
        ("blackouts:\n  - {days: [mon]}\n", "from and to are missing"),
        (
            'windows:\n  - {from: "12:00", to: "13:00", zone: ofice}\n',
            "windows.0.zone: there is no zone ofice",
        ),
        (
            'blackouts:\n  - {from: "00:00", to: "24:00", zone: office}\n',
            "blackouts: zone office: they cover all time",
        ),
    ],
)
def test_times_that_make_no_sense_are_refused(text: str, message: str) -> None:
    with pytest.raises(TextError) as error:
        scope("local: {zone: office}\n" + text)
    assert message in str(error.value)
