"""Assets from views: what is one machine, what keeps its key, and who was seen to reach it."""

from __future__ import annotations

import itertools

import msgspec
import pytest

from checks.facts.snapshot import Gap, Snapshot, Source
from checks.model import AssetValue, Exploit, Exposure, Kind, Outcome, Surface
from reports.estate import Edge, Estate, merge, with_support
from reports.exposure import Exposed, Surroundings
from tests.reports.builder import company, finding, listening, seen, snapshot, system


def test_the_views_of_one_machine_are_one_asset() -> None:
    host = snapshot(
        "web",
        system("web-1.example"),
        identities=("machine-id:1", "ssh-host-key:SHA256:a", "address:dmz/10.0.0.1"),
        addresses=("10.0.0.1", "10.0.0.9"),
        owner="Web",
        value=AssetValue.IMPORTANT,
    )
    view = snapshot(
        "10.0.0.1",
        seen("10.0.0.1", "outside", 22),
        kind=Kind.NETWORK,
        spec="net:10.0.0.1",
        identities=("ssh-host-key:SHA256:a", "address:dmz/10.0.0.1"),
        zone="dmz",
    )
    estate = merge([view, host], {})
    [asset] = estate.assets
    assert asset.key == "machine-id:1"
    assert asset.name == "web-1.example"
    assert asset.kinds == (Kind.HOST, Kind.NETWORK)
    assert asset.addresses == ("10.0.0.1", "10.0.0.9")
    assert (asset.zone, asset.owner, asset.value) == ("dmz", "Web", AssetValue.IMPORTANT)
    assert asset.os == "Debian GNU/Linux 12 (bookworm)"
    assert asset.supported is None
    assert asset.identities[0] == "machine-id:1"
    assert estate.key(view) == estate.key(host) == "machine-id:1"


def test_two_machines_behind_one_address_stay_two() -> None:
    one = snapshot("a", identities=("machine-id:a", "address:in/10.0.0.1"))
    two = snapshot("b", identities=("machine-id:b", "address:in/10.0.0.1"))
    view = snapshot("10.0.0.1", kind=Kind.NETWORK, spec="net:10.0.0.1", identities=("address:in/10.0.0.1",))
    estate = merge([one, two, view], {})
    assert [asset.key for asset in estate.assets] == ["address:in/10.0.0.1", "machine-id:a", "machine-id:b"]


def test_cloned_machines_share_a_host_key_and_stay_two() -> None:
    one = snapshot("a", identities=("machine-id:a", "ssh-host-key:SHA256:k"))
    two = snapshot("b", identities=("machine-id:b", "ssh-host-key:SHA256:k"))
    estate = merge([one, two], {})
    assert len(estate.assets) == 2
    assert "ssh-host-key:SHA256:k" not in estate.keys


def test_an_address_joins_where_nothing_contradicts() -> None:
    host = snapshot("a", identities=("machine-id:a", "address:in/10.0.0.1"))
    view = snapshot("10.0.0.1", kind=Kind.NETWORK, spec="net:10.0.0.1", identities=("address:in/10.0.0.1",))
    assert len(merge([host, view], {}).assets) == 1
    other = snapshot("10.0.0.1", kind=Kind.NETWORK, spec="net:10.0.0.1", identities=("address:dmz/10.0.0.1",))
    assert len(merge([host, other], {}).assets) == 2


def test_an_asset_keeps_its_key_when_more_is_learnt() -> None:
    view = snapshot(
        "10.0.0.1",
        kind=Kind.NETWORK,
        spec="net:10.0.0.1",
        identities=("ssh-host-key:SHA256:k", "address:in/10.0.0.1"),
    )
    first = merge([view], {})
    assert first.assets[0].key == "ssh-host-key:SHA256:k"
    host = snapshot("a", identities=("machine-id:a", "ssh-host-key:SHA256:k"))
    second = merge([view, host], first.keys)
    assert [asset.key for asset in second.assets] == ["ssh-host-key:SHA256:k"]
    unreached = snapshot("a", identities=("target:ssh://a",))
    third = merge([unreached], second.keys)
    assert third.assets[0].key == "ssh-host-key:SHA256:k"


def test_a_new_machine_on_an_old_address_is_a_new_asset() -> None:
    old = merge([snapshot("a", identities=("machine-id:a", "address:in/10.0.0.1"))], {})
    new = snapshot("b", identities=("machine-id:b", "address:in/10.0.0.1"))
    assert merge([new], old.keys).assets[0].key == "machine-id:b"


def test_the_order_of_snapshots_does_not_matter() -> None:
    views = [
        snapshot("a", identities=("machine-id:a", "address:in/10.0.0.1")),
        snapshot("10.0.0.1", kind=Kind.NETWORK, spec="net:10.0.0.1", identities=("address:in/10.0.0.1",)),
        snapshot("b", identities=("machine-id:b", "address:in/10.0.0.2")),
        snapshot("c", identities=("machine-id:c", "address:in/10.0.0.2")),
    ]
    estates = {msgspec.json.encode(merge(order, {})) for order in itertools.permutations(views)}
    assert len(estates) == 1


def test_a_network_is_no_asset_but_its_coverage_is_kept() -> None:
    estate = company()
    [network] = estate.networks
    assert (network.network, network.asked, network.live, network.vantage) == (
        "10.0.0.0/24",
        256,
        4,
        "outside",
    )
    assert not any("10.0.0.0/24" in asset.name for asset in estate.assets)


def test_an_estate_survives_being_stored() -> None:
    estate = company()
    assert msgspec.json.decode(msgspec.json.encode(estate), type=Estate) == estate


def test_support_comes_from_the_answered_check_alone() -> None:
    answers = [
        finding(check="host.patch.os-supported", asset=f"machine-id:{name}", outcome=outcome)
        for name, outcome in (
            ("dmz-00", Outcome.PASS),
            ("servers-01", Outcome.FAIL),
            ("office-02", Outcome.UNKNOWN),
        )
    ]
    marked = {a.name: a.supported for a in with_support(company(), answers).assets}
    assert (marked["dmz-00"], marked["servers-01"], marked["office-02"]) == (True, False, None)


def _exposed(*views: Snapshot, exploit: Exploit = Exploit.NO_EXPLOIT_NEEDED, port: str = "tcp/22") -> Exposed:
    host = snapshot("web", identities=("machine-id:web", "address:dmz/10.0.0.1"), zone="dmz")
    joined = [
        msgspec.structs.replace(v, identities=(*v.identities, "address:dmz/10.0.0.1")) for v in (host, *views)
    ]
    estate = merge(joined, {})
    assert len(estate.assets) == 1
    return Surroundings(estate).exposed(finding(asset=estate.assets[0].key, port=port, exploit=exploit))


def _view(vantage: str, *ports: int, number: int = 1) -> Snapshot:
    return snapshot(
        f"v{number}",
        seen("10.0.0.1", vantage, *ports, mode="connect"),
        kind=Kind.NETWORK,
        spec=f"net:10.0.0.1#{number}",
        identities=("address:dmz/10.0.0.1",),
        sources=(Source("OpenPorts", "connect sweep", "2026-11-23T10:05:59Z"),),
    )


@pytest.mark.parametrize(
    ("vantage", "exploit", "exposure"),
    [
        ("outside", Exploit.NO_EXPLOIT_NEEDED, Exposure.INTERNET_OPEN),
        ("outside", Exploit.ACTIVE, Exposure.INTERNET_OPEN),
        ("outside", Exploit.HARDENING, Exposure.INTERNET_LIMITED),
        ("office", Exploit.NO_EXPLOIT_NEEDED, Exposure.OTHER_ZONE),
        ("dmz", Exploit.NO_EXPLOIT_NEEDED, Exposure.SAME_ZONE),
        ("inside", Exploit.NO_EXPLOIT_NEEDED, Exposure.SAME_ZONE),
    ],
)
def test_who_answered_says_who_reaches(vantage: str, exploit: Exploit, exposure: Exposure) -> None:
    one = _exposed(_view(vantage, 22), exploit=exploit)
    assert one.exposure is exposure
    assert one.because.startswith(f'tcp/22 answered a connect probe from "{vantage}" at 2026-11-23 10:05Z')


def test_the_widest_view_counts() -> None:
    assert _exposed(_view("dmz", 22), _view("outside", 22, number=2)).exposure is Exposure.INTERNET_OPEN


def test_a_port_that_no_view_shows_is_unknown_and_not_safe() -> None:
    one = _exposed(_view("outside", 443))
    assert one.exposure is Exposure.UNKNOWN
    assert '"outside"' in one.because
    assert _exposed().exposure is Exposure.UNKNOWN
    assert "no network view" in _exposed().because
    assert _exposed(_view("outside", 22), port="").exposure is Exposure.UNKNOWN


def test_loopback_alone_is_settled_by_the_hosts_own_sockets() -> None:
    assert _exposed(_view("loopback", 22)).exposure is Exposure.UNKNOWN
    local = snapshot("own", listening((22, "127.0.0.1"), (22, "::1")), identities=("machine-id:web",))
    one = _exposed(_view("loopback", 22), local)
    assert one.exposure is Exposure.LOCAL
    assert one.because == "tcp/22 listens on 127.0.0.1, ::1 only, says the host itself"
    everywhere = snapshot("own", listening((22, "127.0.0.1"), (22, "*")), identities=("machine-id:web",))
    assert _exposed(_view("loopback", 22), everywhere).exposure is Exposure.UNKNOWN
    assert _exposed(_view("outside", 22), local).exposure is Exposure.INTERNET_OPEN


def test_a_list_of_sockets_with_a_gap_settles_nothing() -> None:
    local = snapshot("own", listening((22, "127.0.0.1")), identities=("machine-id:web",))
    partial = msgspec.structs.replace(local, gaps=(Gap("ListeningServices", "cut"),))
    assert _exposed(_view("loopback", 22), partial).exposure is Exposure.UNKNOWN


def test_the_checks_own_evidence_wins() -> None:
    around = Surroundings(company())
    stated = finding(exposure=Exposure.UNREACHABLE, exposure_evidence="the group has no rule")
    assert around.exposed(stated) == Exposed(Exposure.UNREACHABLE, "the group has no rule")
    assert around.exposed(finding(surface=Surface.LOCAL)).exposure is Exposure.LOCAL
    assert around.exposed(finding(surface=Surface.CONTROL_PLANE)).exposure is Exposure.INTERNET_LIMITED
    assert around.exposed(finding(surface=Surface.DATA)).exposure is Exposure.UNKNOWN


def test_the_blast_radius_fades_with_every_hop() -> None:
    views = [
        snapshot("a", value=AssetValue.LOW),
        snapshot("b", value=AssetValue.LOW),
        snapshot("c", value=AssetValue.CROWN_JEWEL),
    ]
    path = [Edge("machine-id:a", "machine-id:b", "seen"), Edge("machine-id:b", "machine-id:c", "seen")]
    around = Surroundings(merge(views, {}, [*path, Edge("machine-id:c", "machine-id:a", "a circle")]))
    assert around.worth("machine-id:a").value == pytest.approx(0.85**2)
    assert around.worth("machine-id:a").because == "c, crown jewel, in 2 hops"
    assert around.worth("machine-id:b").because == "c, crown jewel, in 1 hop"
    assert around.worth("machine-id:c").value == 1.0
    alone = Surroundings(merge(views, {}))
    assert alone.worth("machine-id:a").value == 0.4
    assert alone.worth("nobody").value == 0.6
