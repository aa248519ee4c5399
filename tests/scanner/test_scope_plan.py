"""Words held against a scope: what is planned, what is merged, what is refused, and the guard."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from ipaddress import IPv4Network, ip_address, ip_network
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.model import AssetValue, Kind
from scanner.addresses import Address, AddressSet
from scanner.scope import (
    AwsScope,
    Guard,
    HostScope,
    LocalScope,
    NetworkScope,
    Plan,
    Scope,
    ScopeError,
    plan,
    read_scope,
    resolve_host,
)
from scanner.scope.windows import Times, Window
from scanner.targets import TargetError

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

SCOPE: dict[str, Any] = {
    "version": 1,
    "organisation": "Example Ltd",
    "authorisation": {"by": "A. Admin", "reference": "order 17", "until": "2026-12-31"},
    "networks": [
        {
            "name": "office",
            "cidrs": ["10.0.0.0/24", "10.0.1.0/28"],
            "zone": "office",
            "owner": "IT",
            "ports": [22],
        },
        {"name": "servers", "cidrs": ["10.0.0.64/26"], "zone": "dmz", "value": "important"},
    ],
    "hosts": [
        {"name": "web-1", "address": "10.0.0.70", "user": "audit", "key": "file:audit"},
        {"name": "db-1", "address": "db-1.example", "port": 2222, "key": "agent:", "leads_to": ["10.9.9.9"]},
    ],
    "aws": [
        {
            "name": "prod",
            "profile": "prod",
            "account": "123456789012",
            "regions": ["eu-central-1", "eu-west-1"],
        },
        {"name": "test", "profile": "test"},
    ],
    "local": {"name": "scanner", "zone": "office"},
    "exclude": ["10.0.0.9", "10.0.1.0/28", "host.example", "64:ff9b::/120"],
}


def scope(**changes: Any) -> Scope:
    document = {key: value for key, value in {**SCOPE, **changes}.items() if value is not None}
    return read_scope(yaml.safe_dump(document).encode(), "scope.yaml", Path("/etc/bartizan/scope.yaml"))


def specs(made: Plan) -> list[str]:
    return [one.target.spec for one in made.targets]


def network(made: Plan, spec: str) -> NetworkScope:
    [access] = [one.access for one in made.targets if one.target.spec == spec]
    assert isinstance(access, NetworkScope)
    return access


# --- with a scope file ---


def test_no_words_mean_the_whole_scope() -> None:
    made = plan(scope(), [], now=NOW)
    assert specs(made) == [
        "local",
        "net:10.0.0.64/26",
        "net:10.0.0.0/24",
        "ssh://audit@10.0.0.70:22",
        "ssh://db-1.example:2222",
        "aws://prod/eu-central-1,eu-west-1",
        "aws://test",
    ]
    assert made.authorisation == "A. Admin (order 17), until 2026-12-31"
    assert "net:10.0.1.0/28 is left out: the scope excludes all of it" in made.notes
    assert "net:10.0.0.0/24: 1 excluded address is left out" in made.notes


def test_the_most_specific_entry_owns_an_address_and_each_is_planned_once() -> None:
    made = plan(scope(), [], now=NOW)
    outer, inner = network(made, "net:10.0.0.0/24"), network(made, "net:10.0.0.64/26")
    assert set(inner.addresses) == {ip_address(f"10.0.0.{n}") for n in range(65, 127)}
    expected = {ip_address(f"10.0.0.{n}") for n in (*range(1, 64), *range(128, 255)) if n != 9}
    assert set(outer.addresses) == expected
    assert (outer.excluded, inner.excluded) == (1, 0)
    assert (outer.ports, inner.ports) == ((22,), "top")
    [target] = [one.target for one in made.targets if one.target.spec == "net:10.0.0.64/26"]
    assert (target.name, target.zone, target.value) == ("servers", "dmz", AssetValue.IMPORTANT)


def test_a_word_inside_a_network_is_that_part_of_it() -> None:
    made = plan(scope(), ["10.0.0.0/25"], now=NOW)
    assert specs(made) == ["net:10.0.0.64/26", "net:10.0.0.0/25"]
    assert ip_address("10.0.0.128") not in network(made, "net:10.0.0.0/25").addresses
    [one] = plan(scope(), ["10.0.0.70"], now=NOW).targets
    assert (one.target.name, one.target.zone) == ("servers 10.0.0.70", "dmz")


def test_a_network_is_called_by_its_name() -> None:
    assert specs(plan(scope(), ["net:Servers"], now=NOW)) == ["net:10.0.0.64/26"]
    with pytest.raises(ScopeError, match=r"net:servrs: there is no network servrs; did you mean servers\?"):
        plan(scope(), ["net:servrs"], now=NOW)


def test_hosts_are_found_by_name_and_address_and_keep_the_login_of_the_scope() -> None:
    for word in ("ssh://web-1", "audit@web-1", "ssh://10.0.0.70", "audit@10.0.0.70:22"):
        [one] = plan(scope(), [word], now=NOW).targets
        assert one.access == HostScope("10.0.0.70", 22, "audit", key_files=(Path("/etc/bartizan/audit"),))
        assert (one.target.name, one.target.kind) == ("web-1", Kind.HOST)
    [one] = plan(scope(), ["me@db-1"], now=NOW).targets
    leads_to = (ip_network("10.9.9.9"),)
    assert one.access == HostScope("db-1.example", 2222, "me", use_agent=True, leads_to=leads_to)


def test_a_host_inside_a_network_of_the_scope_may_be_named() -> None:
    [one] = plan(scope(), ["me@10.0.0.5:2022"], now=NOW).targets
    assert one.access == HostScope("10.0.0.5", 2022, "me")
    assert (one.target.zone, one.target.owner) == ("office", "IT")


def test_accounts_are_found_by_name_profile_and_number() -> None:
    for word in ("aws://prod/eu-west-1", "aws://123456789012/eu-west-1"):
        [one] = plan(scope(), [word], now=NOW).targets
        assert one.access == AwsScope("prod", "123456789012", ("eu-west-1",))
    assert specs(plan(scope(), ["aws"], now=NOW)) == ["aws://prod/eu-central-1,eu-west-1", "aws://test"]


def test_one_account_named_twice_is_scanned_once_in_all_its_regions() -> None:
    made = plan(scope(), ["aws://prod/eu-west-1", "aws://123456789012/eu-central-1"], now=NOW)
    assert specs(made) == ["aws://prod/eu-central-1,eu-west-1"]
    assert made.notes == ("prod is named twice; it is scanned once",)
    made = plan(scope(), ["aws://test", "aws://test/eu-west-1"], now=NOW)
    assert specs(made) == ["aws://test"]


def test_repetitions_and_overlaps_are_merged_with_a_note() -> None:
    made = plan(
        scope(), ["10.0.0.5", "10.0.0.0/24", "net:servers", "audit@web-1", "ssh://10.0.0.70"], now=NOW
    )
    assert specs(made) == ["net:10.0.0.64/26", "net:10.0.0.0/24", "ssh://audit@10.0.0.70:22"]
    every = [a for one in made.targets if isinstance(one.access, NetworkScope) for a in one.access.addresses]
    assert len(every) == len(set(every))
    assert "net:10.0.0.5 lies in net:10.0.0.0/24; it is scanned once" in made.notes
    assert "web-1 is named twice; it is scanned once" in made.notes


def test_all_that_is_refused_is_told_at_once_and_nothing_is_planned() -> None:
    words = [
        "10.0.0.5",
        "10.0.2.0/24",
        "10.0.0.0/23",
        "10.0.0.9",
        "10.0.0.0",
        "10.0.0.255",
        "root@web-1",
        "audit@web-1:2222",
        "u@host.example",
        "u@10.0.0.9",
        "u@unknown.example",
        "u@192.0.2.1",
        "aws://prd",
        "aws://prod/us-east-1",
        "net:nosuch",
        "::ffff:10.0.0.9",
    ]
    with pytest.raises(ScopeError) as caught:
        plan(scope(), words, now=NOW)
    refused = dict(line.split(": ", 1) for line in caught.value.refused)
    assert str(caught.value).splitlines()[0].startswith(f"{len(refused)} targets are refused by ")
    assert refused == {
        "net:10.0.2.0/24": "it is not in the scope",
        "net:10.0.0.0/23": "only a part of it is in the scope",
        "ssh://root@web-1:22": "the scope logs in to web-1 as audit",
        "ssh://audit@web-1:2222": "the scope names it with port 22",
        "ssh://u@host.example:22": "the scope excludes it",
        "ssh://u@10.0.0.9:22": "the scope excludes it",
        "ssh://u@unknown.example:22": refused["ssh://u@unknown.example:22"],
        "ssh://u@192.0.2.1:22": "it is not in the scope",
        "aws://prd": "there is no AWS account prd; did you mean prod?",
        "aws://prod/us-east-1": "the scope names prod without us-east-1",
        "net:nosuch": "there is no network nosuch; there is office, servers",
    }
    assert "there is no host unknown.example" in refused["ssh://u@unknown.example:22"]


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("10.0.0.9", "the scope excludes all of it"),
        ("::ffff:10.0.0.9", "the scope excludes all of it"),
        ("10.0.1.4/31", "the scope excludes all of it"),
        ("10.0.0.0", "the name or the broadcast address"),
        ("10.0.0.255", "the name or the broadcast address"),
    ],
)
def test_single_addresses_that_are_refused(word: str, says: str) -> None:
    with pytest.raises(ScopeError, match=says):
        plan(scope(), [word], now=NOW)


def test_exclusions_win_over_hosts_too() -> None:
    changes: dict[str, Any] = {"exclude": ["10.0.0.70", "db-1"], "networks": None, "aws": None}
    made = plan(scope(**changes), [], now=NOW)
    assert specs(made) == ["local"]
    assert made.notes == (
        "web-1 is left out: the scope excludes its address",
        "db-1 is left out: the scope excludes it by name",
    )
    with pytest.raises(ScopeError, match="excludes its address"):
        plan(scope(**changes), ["ssh://web-1"], now=NOW)


def test_this_machine_is_in_the_scope_only_if_the_file_says_so() -> None:
    assert specs(plan(scope(), ["local", "127.0.0.1", "::1", "me@localhost"], now=NOW)) == [
        "local",
        "net:127.0.0.1",
        "net:::1",
        "ssh://me@localhost:22",
    ]
    assert network(plan(scope(), ["127.0.0.1"], now=NOW), "net:127.0.0.1").vantage == "loopback"
    with pytest.raises(ScopeError) as caught:
        plan(scope(local=None), ["local", "127.0.0.1", "me@localhost"], now=NOW)
    assert len(caught.value.refused) == 3


def test_the_flag_opens_nothing_that_the_scope_file_closes() -> None:
    with pytest.raises(ScopeError, match="not in the scope"):
        plan(scope(), ["10.7.0.1"], now=NOW, authorised=True, identity="me", public=True)


def test_more_addresses_than_allowed_are_refused_before_they_are_listed() -> None:
    wide = [{"name": "all", "cidrs": ["10.0.0.0/8"]}]
    with pytest.raises(ScopeError, match="16,777,213 addresses are more than the 65,536 allowed in one scan"):
        plan(scope(networks=wide, hosts=None, exclude=["10.0.0.9"]), [], now=NOW)
    with pytest.raises(TargetError, match=r"raise limits\.addresses"):
        plan(scope(networks=wide), ["10.0.0.0/8"], now=NOW)
    small = scope(limits={"addresses": 300})
    assert plan(small, ["10.0.0.0/24"], now=NOW).targets
    with pytest.raises(ScopeError, match="251 addresses are more than the 100 allowed"):
        plan(scope(limits={"addresses": 100}), [], now=NOW)


def test_an_authorisation_ends_with_its_last_day_in_utc() -> None:
    last = datetime(2026, 12, 31, 23, 59, tzinfo=UTC)
    assert plan(scope(), [], now=last).targets
    with pytest.raises(
        ScopeError, match=r"scope\.yaml:\d+: authorisation\.until: the authorisation ended on 2026-12-31"
    ):
        plan(scope(), [], now=last + timedelta(minutes=1))


def test_a_scope_that_leaves_nothing_is_told() -> None:
    empty: dict[str, Any] = {"networks": None, "hosts": None, "aws": None, "local": None, "exclude": None}
    with pytest.raises(ScopeError, match="add networks, hosts, aws or local"):
        plan(scope(**empty), [], now=NOW)
    empty |= {"networks": [{"name": "a", "cidrs": ["10.0.0.0/24"]}], "exclude": ["10.0.0.0/16"]}
    with pytest.raises(ScopeError, match="it excludes all that it names"):
        plan(scope(**empty), [], now=NOW)


def test_lists_of_words_come_from_files(tmp_path: Path) -> None:
    path = tmp_path / "targets.txt"
    path.write_text("10.0.0.5\nlocal # me\n")
    assert specs(plan(scope(), [f"@{path}"], now=NOW)) == ["net:10.0.0.5", "local"]
    path.write_text("10.0.0.5\n127.1\n")
    with pytest.raises(TargetError) as caught:
        plan(scope(), [f"@{path}", "a;id", f"@{tmp_path}", f"@{tmp_path}/none"], now=NOW)
    told = str(caught.value).splitlines()
    assert told[0].startswith(f"{path}:2: 127.1: ")
    assert told[1].startswith("a;id: ")
    assert "this is no file" in told[2]
    assert "No such file" in told[3]


def test_a_key_from_the_environment_is_a_path() -> None:
    hosts = [{"name": "a", "address": "10.0.0.5", "key": "env:AUDIT_KEY"}]
    [one] = plan(scope(hosts=hosts), ["ssh://a"], now=NOW, environ={"AUDIT_KEY": "/keys/a"}).targets
    assert isinstance(one.access, HostScope)
    assert one.access.key_files == (Path("/keys/a"),)
    with pytest.raises(ScopeError, match="AUDIT_KEY is not set"):
        plan(scope(hosts=hosts), ["ssh://a"], now=NOW, environ={})


# --- without one ---


@pytest.mark.parametrize(
    "word", ["local", "127.0.0.1", "127.0.0.0/28", "::1", "me@127.0.0.1", "me@[::1]", "me@localhost"]
)
def test_without_a_scope_file_this_machine_may_be_scanned(word: str) -> None:
    made = plan(Scope.empty(), [word], now=NOW)
    assert len(made.targets) == 1
    assert made.authorisation.startswith("this machine only")


@pytest.mark.parametrize(
    "word", ["10.0.0.5", "192.0.2.0/24", "me@10.0.0.5", "me@web-1", "aws", "aws://prod", "128.0.0.1"]
)
def test_without_a_scope_file_the_rest_needs_the_flag(word: str) -> None:
    with pytest.raises(ScopeError, match="--i-am-authorized"):
        plan(Scope.empty(), [word], now=NOW)


def test_with_the_flag_named_targets_are_allowed_and_the_name_is_kept() -> None:
    words = ["10.0.0.5", "me@web-1", "aws://prod/eu-west-1", "local"]
    made = plan(Scope.empty(), words, now=NOW, authorised=True, identity="eve\x1b[31m on host")
    assert specs(made) == ["net:10.0.0.5", "ssh://me@web-1:22", "aws://prod/eu-west-1", "local"]
    assert made.authorisation == "--i-am-authorized, said by eve\\u001b[31m on host"
    assert made.targets[3].access == LocalScope()
    assert made.guard.allows_address(ip_address("10.0.0.5"))
    assert not made.guard.allows_address(ip_address("10.0.0.6"))


def test_a_public_network_needs_more_than_the_flag() -> None:
    with pytest.raises(ScopeError, match="public: true"):
        plan(Scope.empty(), ["8.8.8.8"], now=NOW, authorised=True)
    assert plan(Scope.empty(), ["8.8.8.8"], now=NOW, authorised=True, public=True).targets


def test_names_and_no_words_need_a_scope_file() -> None:
    with pytest.raises(ScopeError, match="only in a scope file"):
        plan(Scope.empty(), ["net:office"], now=NOW, authorised=True)
    with pytest.raises(ScopeError, match="nothing to scan"):
        plan(Scope.empty(), [], now=NOW, authorised=True)


# --- the guard ---


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("10.0.0.1", True),
        ("10.0.0.70", True),
        ("10.0.0.9", False),
        ("::ffff:10.0.0.1", True),
        ("::ffff:10.0.0.9", False),
        ("64:ff9b::a00:9", False),
        ("2002:a00:9::1", False),
        ("10.0.0.0", False),
        ("10.0.0.255", False),
        ("10.0.1.1", False),
        ("10.0.2.1", False),
        ("10.9.9.9", True),
        ("127.0.0.1", True),
        ("127.255.0.1", True),
        ("169.254.169.254", False),
        ("224.0.0.1", False),
        ("8.8.8.8", False),
    ],
)
def test_the_guard_knows_every_address(address: str, allowed: bool) -> None:
    guard = plan(scope(), [], now=NOW).guard
    assert guard.allows_address(ip_address(address)) is allowed
    assert bool(guard.why_not(ip_address(address))) is not allowed


ADDRESSES = st.integers(0x09FFFFF0, 0x0A00004F).map(ip_address)
CIDRS = st.builds(
    lambda number, length: str(IPv4Network((number >> (32 - length) << (32 - length), length))),
    st.integers(0x0A000000, 0x0A00003F),
    st.integers(26, 32),
)


@given(st.sets(CIDRS, min_size=1, max_size=5), st.sets(CIDRS, max_size=5), st.lists(ADDRESSES, max_size=20))
@settings(deadline=None, max_examples=100, derandomize=True)
def test_what_is_planned_is_allowed_and_what_is_excluded_is_neither(
    inside: set[str], outside: set[str], asked: list[Address]
) -> None:
    entries = [{"name": f"n{i}", "cidrs": [cidr]} for i, cidr in enumerate(sorted(inside))]
    one = scope(networks=entries, exclude=sorted(outside), hosts=None, aws=None)
    made = plan(one, [], now=NOW)
    addresses = [a for t in made.targets if isinstance(t.access, NetworkScope) for a in t.access.addresses]
    excluded = {a for cidr in outside for a in ip_network(cidr)}
    named = {a for cidr in inside for a in ip_network(cidr)}
    assert len(addresses) == len(set(addresses))
    assert set(addresses) <= named - excluded
    assert all(made.guard.allows_address(a) for a in addresses)
    assert not any(made.guard.allows_address(a) for a in asked if a in excluded or a not in named)
    assert {a for a in named if made.guard.allows_address(a)} == set(addresses)


def test_a_name_is_resolved_once_and_every_answer_is_checked() -> None:
    guard = plan(scope(), [], now=NOW).guard
    asked: list[str] = []

    def answers(*addresses: str) -> Any:
        def resolver(name: str) -> tuple[str, ...]:
            asked.append(name)
            return addresses

        return resolver

    assert resolve_host("db-1.example", answers("10.9.9.9", "10.9.9.9"), guard) == (ip_address("10.9.9.9"),)
    assert asked == ["db-1.example"]
    assert resolve_host("a.example", answers("2001:db8::1", "10.0.0.5"), guard) == (ip_address("10.0.0.5"),)
    with pytest.raises(
        ScopeError, match=r'192\.0\.2\.7: it is not in the scope; .*leads_to: \["192\.0\.2\.7"\]'
    ):
        resolve_host("a.example", answers("192.0.2.7"), guard)
    with pytest.raises(ScopeError, match="excluded"):
        resolve_host("a.example", answers("10.0.0.5", "10.0.0.9"), guard)
    with pytest.raises(ScopeError, match="excluded"):
        resolve_host("HOST.example", answers("10.0.0.5"), guard)
    with pytest.raises(ScopeError, match="metadata"):
        resolve_host("a.example", answers("169.254.169.254"), guard)
    with pytest.raises(ScopeError, match="no address"):
        resolve_host("a.example", answers("fe80::1%eth0", "010.0.0.1", "rubbish"), guard)


def test_an_address_is_never_resolved() -> None:
    def never(name: str) -> list[str]:
        raise AssertionError(name)

    guard = plan(scope(), [], now=NOW).guard
    assert resolve_host("10.0.0.5", never, guard) == (ip_address("10.0.0.5"),)
    with pytest.raises(ScopeError, match=r"not in the scope$"):
        resolve_host("10.7.0.1", never, guard)


def test_a_name_that_a_person_answers_for_may_lead_anywhere_but_where_nothing_may() -> None:
    guard = plan(Scope.empty(), ["me@web-1"], now=NOW, authorised=True).guard
    assert resolve_host("web-1", lambda _: ["192.0.2.7"], guard) == (ip_address("192.0.2.7"),)
    assert not guard.allows_address(ip_address("192.0.2.7"))
    with pytest.raises(ScopeError, match="metadata"):
        resolve_host("web-1", lambda _: ["169.254.169.254"], guard)
    with pytest.raises(ScopeError, match="not in the scope"):
        resolve_host("web-2", lambda _: ["192.0.2.7"], guard)


def test_localhost_is_only_this_machine() -> None:
    guard = plan(Scope.empty(), ["me@localhost"], now=NOW).guard
    assert resolve_host("localhost", lambda _: ["::1", "127.0.0.1"], guard)
    with pytest.raises(ScopeError):
        resolve_host("localhost", lambda _: ["192.0.2.7"], guard)


def test_an_endless_resolver_is_cut() -> None:
    def endless(_name: str) -> Any:
        while True:
            yield "10.0.0.5"

    guard = Guard(allowed=AddressSet.of([ip_network("10.0.0.0/24")]))
    assert resolve_host("a", endless, guard) == (ip_address("10.0.0.5"),)


# --- time ---

BERLIN = ZoneInfo("Europe/Berlin")


def window(start: str, end: str, *days: str, zone: str = "UTC") -> Window:
    written: dict[str, Any] = {"from": start, "to": end, "time_zone": zone}
    return Window.model_validate(written | ({"days": list(days)} if days else {}))


NIGHT = Times((window("22:00", "06:00", "mon", zone="Europe/Berlin"),))


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        (datetime(2026, 11, 23, 21, 59, 59, tzinfo=BERLIN), False),
        (datetime(2026, 11, 23, 22, 0, tzinfo=BERLIN), True),
        (datetime(2026, 11, 24, 5, 59, tzinfo=BERLIN), True),
        (datetime(2026, 11, 24, 6, 0, tzinfo=BERLIN), False),
        (datetime(2026, 11, 24, 22, 0, tzinfo=BERLIN), False),
        (datetime(2026, 11, 23, 21, 0, tzinfo=UTC), True),
        (datetime(2026, 11, 23, 5, 0, tzinfo=BERLIN), False),
    ],
)
def test_a_window_over_midnight_belongs_to_the_day_on_which_it_begins(
    moment: datetime, is_open: bool
) -> None:
    assert NIGHT.open(moment) is is_open


def test_a_window_may_last_to_midnight_and_a_blackout_wins() -> None:
    times = Times((window("12:00", "24:00", "mon"),), (window("18:00", "19:00"),))
    day = datetime(2026, 11, 23, tzinfo=UTC)
    hours = [h for h in range(26) if times.open(day + timedelta(hours=h))]
    assert hours == [12, 13, 14, 15, 16, 17, 19, 20, 21, 22, 23]


def test_the_clocks_going_forward_open_a_window_that_begins_in_the_missing_hour() -> None:
    times = Times((window("02:30", "04:00", "sun", zone="Europe/Berlin"),))
    assert times.next_opening(datetime(2026, 3, 29, 0, 0, tzinfo=UTC)) == datetime(
        2026, 3, 29, 1, 0, tzinfo=UTC
    )


def test_the_clocks_going_back_open_it_for_both_hours() -> None:
    times = Times((window("02:00", "03:00", "sun", zone="Europe/Berlin"),))
    start = datetime(2026, 10, 25, 0, 0, tzinfo=UTC)
    assert [times.open(start + timedelta(minutes=30 * n)) for n in range(-1, 5)] == [
        False,
        True,
        True,
        True,
        True,
        False,
    ]


def test_a_moment_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        NIGHT.open(datetime(2026, 11, 23))  # noqa: DTZ001 - the mistake under test


def test_the_guard_tells_when_it_opens() -> None:
    guard = Guard(times=NIGHT, until=date(2026, 11, 30))
    assert not guard.allows_now(NOW)
    assert guard.next_opening(NOW) == "Mon 2026-11-23 22:00 Europe/Berlin"
    assert guard.next_opening(datetime(2026, 11, 23, 23, 0, tzinfo=UTC)) == ""
    assert guard.allows_now(datetime(2026, 11, 23, 23, 0, tzinfo=UTC))
    # The Monday window of the last day is the last one.
    assert guard.next_opening(datetime(2026, 11, 24, 12, 0, tzinfo=UTC)).startswith("Mon 2026-11-30")
    assert guard.next_opening(datetime(2026, 12, 1, 12, 0, tzinfo=UTC)).startswith(
        "never: the authorisation ends"
    )
    assert not guard.allows_now(datetime(2026, 12, 1, 0, 0, tzinfo=UTC))


def test_no_windows_mean_any_time() -> None:
    assert Guard().allows_now(NOW)
    assert Guard().next_opening(NOW) == ""


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)).map(lambda d: d.replace(tzinfo=UTC)),  # noqa: DTZ001
    st.integers(0, 1439),
    st.integers(1, 1440),
    st.sets(st.sampled_from(["mon", "wed", "sat", "sun"]), min_size=1),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia"]),
)
@settings(deadline=None, max_examples=60, derandomize=True)
def test_the_next_opening_is_the_first_open_minute(
    moment: datetime, start: int, end: int, days: set[str], zone: str
) -> None:
    if start == end:
        end = 1440
    one = window(f"{start // 60:02}:{start % 60:02}", f"{end // 60:02}:{end % 60:02}", *days, zone=zone)
    times = Times((one,))
    opening = times.next_opening(moment)
    assert opening is not None
    assert times.open(opening)
    if opening != moment:
        assert not times.open(opening - timedelta(minutes=1))
        assert opening > moment
