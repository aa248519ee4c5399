"""Keys and families of one address, set beside all other addresses of the scan."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from checks.facts.network import OpenPort
from checks.facts.network.ssh import SshHostKey, SshHostKeys
from checks.facts.network.tls import Certificate, TlsCertificates
from checks.facts.snapshot import Gap, Snapshot
from checks.model import Finding, Outcome
from scanner.derive.network_digest import AddressDigest, digest
from scanner.derive.network_fleet import addresses, told_apart
from tests.checks.network.judging import filled
from tests.scanner.derive.test_network_segmentation import NO_ZONES, address, judged, record

HOST_KEY, TLS_KEY, BYPASS = (
    f"network.fleet.{n}" for n in ("shared-host-key", "shared-tls-key", "ipv6-bypass")
)
KEY = f"SHA256:{'a' * 43}"


def ssh(
    ip: str, mac: str = "", key: str = KEY, banner: str = "", parent: str = "net:10.2.0.0/24"
) -> Snapshot:
    fact = SshHostKeys((SshHostKey("tcp/22", "ssh-ed25519", 256, key),))
    seen = address(ip, "tcp/22 ssh", names=(f"mac:{mac}",) if mac else (), facts=(fact,), parent=parent)
    ports = seen.facts["OpenPorts"]
    one = msgspec.structs.replace(ports.ports[0], banner=banner)  # type: ignore[attr-defined]
    facts = {**seen.facts, "OpenPorts": msgspec.structs.replace(ports, ports=(one,))}
    return msgspec.structs.replace(seen, facts=facts)


def web(ip: str, mac: str, key: str = "k1") -> Snapshot:
    day = datetime(2026, 1, 1, tzinfo=UTC)
    one = Certificate("tcp/443", "CN=a", "CN=a", (), day, day, "rsa", 2048, "sha256", True, "f" * 64, key)
    return address(ip, "tcp/443 https", names=(f"mac:{mac}",), facts=(TlsCertificates(ip, (one,)),))


def found(check: str, seen: Snapshot, *others: Snapshot) -> dict[str, Finding]:
    answers = {f.on: f for f in judged(check, seen, *others, scan=record(NO_ZONES))}
    for one in answers.values():
        if one.outcome is Outcome.FAIL:
            filled(check, one)
    return answers


def test_one_host_key_on_two_cards_of_one_network_is_shared() -> None:
    [one] = found(
        HOST_KEY, ssh("10.2.0.5", "02:00:00:00:00:01"), ssh("10.2.0.6", "02:00:00:00:00:02")
    ).values()
    assert (one.on, one.outcome, one.saw) == (KEY, Outcome.FAIL, "also on 10.2.0.6")


def test_one_machine_with_two_addresses_shares_nothing() -> None:
    card = "02:00:00:00:00:01"
    [one] = found(HOST_KEY, ssh("10.2.0.5", card), ssh("10.2.0.6", card)).values()
    assert one.outcome is Outcome.PASS


def test_where_nothing_tells_machines_apart_nobody_knows() -> None:
    for other in (
        ssh("10.2.0.6"),
        ssh("10.9.0.6", "02:00:00:00:00:02", parent="net:10.9.0.0/24"),
    ):
        [one] = found(HOST_KEY, ssh("10.2.0.5", "02:00:00:00:00:01"), other).values()
        assert (one.outcome, "may be the same machine" in one.reason) == (Outcome.UNKNOWN, True)


def test_servers_of_different_versions_are_two_machines_anywhere() -> None:
    here = ssh("10.2.0.5", banner="SSH-2.0-OpenSSH_9.2")
    there = ssh("10.9.0.6", banner="SSH-2.0-OpenSSH_8.0", parent="net:10.9.0.0/24")
    assert [f.outcome for f in found(HOST_KEY, here, there).values()] == [Outcome.FAIL]


def test_the_virtual_card_of_routers_and_a_second_server_make_no_second_machine() -> None:
    own = ssh("10.2.0.5", "02:00:00:00:00:01", banner="SSH-2.0-OpenSSH_9.2")
    [one] = found(HOST_KEY, own, ssh("10.2.0.1", "00:00:5e:00:01:07")).values()
    assert one.outcome is Outcome.UNKNOWN
    there = ssh("10.9.0.6", banner="SSH-2.0-OpenSSH_9.2", parent="net:10.9.0.0/24")
    ports = there.facts["OpenPorts"]
    second = OpenPort(2222, "tcp", "ssh", banner="SSH-2.0-dropbear")
    both = msgspec.structs.replace(ports, ports=(*ports.ports, second))  # type: ignore[attr-defined]
    there = msgspec.structs.replace(there, facts={**there.facts, "OpenPorts": both})
    [one] = found(HOST_KEY, own, there).values()
    assert one.outcome is Outcome.UNKNOWN


def test_a_key_alone_in_the_scan_has_nothing_to_be_compared_with() -> None:
    [one] = found(HOST_KEY, ssh("10.2.0.5")).values()
    assert (one.outcome, "nothing to compare" in one.reason) == (Outcome.UNKNOWN, True)
    other = ssh("10.2.0.6", "02:00:00:00:00:02", key=f"SHA256:{'b' * 43}")
    assert [f.outcome for f in found(HOST_KEY, ssh("10.2.0.5"), other).values()] == [Outcome.PASS]
    gap = Gap("SshHostKeys", "the connection was reset", "tcp/22")
    assert [f.outcome for f in found(HOST_KEY, address(gaps=(gap,)), other).values()] == [Outcome.UNKNOWN]


def test_a_tls_key_on_two_machines_is_shared_and_an_old_snapshot_tells_none() -> None:
    here, there = web("10.2.0.5", "02:00:00:00:00:01"), web("10.2.0.6", "02:00:00:00:00:02")
    [one] = found(TLS_KEY, here, there).values()
    assert (one.on, one.outcome) == ("k1", Outcome.FAIL)
    [one] = found(TLS_KEY, here, web("10.2.0.6", "02:00:00:00:00:02", "k2")).values()
    assert one.outcome is Outcome.PASS


def test_a_key_that_two_machines_have_names_neither_of_them() -> None:
    here, there = ssh("10.2.0.5", "02:00:00:00:00:01"), ssh("10.2.0.6", "02:00:00:00:00:02")
    one, other = digest(here), digest(there)
    assert isinstance(one, AddressDigest)
    assert told_apart(one, addresses([one, other])) == {KEY}
    assert told_apart(one, addresses([one])) == frozenset()


def test_a_port_that_only_ipv6_lets_in_is_a_bypass() -> None:
    card = ("mac:02:00:00:00:00:01",)
    six = address("fd00::5", "tcp/22 ssh", "tcp/80 http", "tcp/9999 x", names=card, parent="net:fd00::/120")
    four = address("10.2.0.5", "tcp/80 http", names=card, closed=((22, 22),))
    answers = found(BYPASS, six, four)
    assert {on: one.outcome for on, one in answers.items()} == {
        "tcp/22": Outcome.FAIL,
        "tcp/80": Outcome.PASS,
        "tcp/9999": Outcome.UNKNOWN,
    }
    assert answers["tcp/22"].saw == "open; on 10.2.0.5 (the same machine by its MAC) shut"


def test_without_the_other_family_there_is_no_bypass_to_speak_of() -> None:
    six = address("fd00::5", "tcp/22 ssh", names=("mac:02:00:00:00:00:01",))
    for seen in (six, address("10.2.0.5", "tcp/22 ssh")):
        assert [f.outcome for f in found(BYPASS, seen).values()] == [Outcome.NOT_APPLICABLE]
