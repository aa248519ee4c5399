"""Every host set beside the others."""

from __future__ import annotations

import time
import tracemalloc

import msgspec

from checks.facts.host.accounts import Account, Accounts
from checks.facts.host.fleet import FleetAccounts, FleetHostKeys, FleetKeys, FleetSudo
from checks.facts.host.ssh_keys import AuthorizedKey, AuthorizedKeys, HostKey, HostKeys
from checks.facts.host.sudoers import Sudoers
from checks.facts.snapshot import Fact, Gap, Snapshot
from checks.model import Kind, Target
from scanner.collect.host.sudoers import parse
from scanner.derive.derivation import derive
from scanner.derive.fleet import HostDigest, derivations, digest, fleet


def keys(*pairs: tuple[str, str]) -> AuthorizedKeys:
    found = [AuthorizedKey(who, f"/{who}", 1, f"SHA256:{key}", "ed25519", 256, key) for who, key in pairs]
    return AuthorizedKeys(tuple(found), (), (".ssh/authorized_keys",))


def people(**ids: int) -> Accounts:
    return Accounts(tuple(Account(name, uid, uid, "/", "/bin/sh") for name, uid in ids.items()), 1000)


def rules(*lines: str) -> Sudoers:
    [fact] = parse("\n".join(f"/etc/sudoers:{one}" for one in ("root ALL=(ALL) ALL", *lines))).facts
    assert isinstance(fact, Sudoers)
    return fact


def host_key(name: str) -> HostKeys:
    return HostKeys((HostKey("/etc/ssh/ssh_host_rsa_key", f"SHA256:{name}", "rsa", 3072),))


def host(name: str, *facts: Fact, machine: str = "", address: str = "", kind: Kind = Kind.HOST) -> Snapshot:
    names = (f"machine-id:{machine or name}", *([f"address:lab/{address}"] if address else []))
    return Snapshot(
        Target(kind, name, f"ssh://{name}"),
        "2026-11-23T12:00:00Z",
        names,
        facts={type(fact).__name__: fact for fact in facts},
    )


def digests(*snapshots: Snapshot) -> list[HostDigest]:
    return [one for one in map(digest, snapshots) if one]


def among(first: Snapshot, *others: Snapshot) -> Snapshot:
    return derive(first, derivations(fleet(digests(first, *others))))


def test_a_key_is_found_on_every_host_and_account_that_it_opens() -> None:
    seen = among(
        host("a", keys(("root", "k"), ("ann", "k"), ("ann", "own"))),
        host("b", keys(("deploy", "k"))),
        host("c", keys(("x", "other"))),
    ).facts["FleetKeys"]
    assert isinstance(seen, FleetKeys)
    assert seen.hosts == 3
    shared, own = seen.keys
    assert (shared.hosts, shared.names, shared.accounts_here) == (
        2,
        ("ann", "deploy", "root"),
        ("root", "ann"),
    )
    assert shared.places == ("a: root", "a: ann", "b: deploy")
    assert (own.hosts, own.names) == (1, ("ann",))


def test_a_host_whose_keys_were_not_read_is_not_counted() -> None:
    seen = among(host("a", keys(("ann", "k"))), host("b", people(ann=1000))).facts["FleetKeys"]
    assert isinstance(seen, FleetKeys)
    assert seen.hosts == 1


def test_a_shared_host_key_is_found_also_by_what_only_the_handshake_told() -> None:
    b = msgspec.structs.replace(
        host("b", people(ann=1)), identities=("machine-id:b", "ssh-host-key:SHA256:same")
    )
    seen = among(host("a", host_key("same")), b, host("c", host_key("own"))).facts["FleetHostKeys"]
    assert isinstance(seen, FleetHostKeys)
    assert [(one.fingerprint, one.others) for one in seen.shared] == [("SHA256:same", ("b",))]
    assert seen.hosts == 3


def test_one_machine_under_two_names_shares_nothing_with_itself_but_a_clone_does() -> None:
    twice = host("b", host_key("k"), machine="m", address="10.0.0.1")
    clone = host("c", host_key("k"), machine="m", address="10.0.0.2")
    first = host("a", host_key("k"), machine="m", address="10.0.0.1")
    for other, shared in ((twice, 0), (clone, 1)):
        seen = among(first, other).facts["FleetHostKeys"]
        assert isinstance(seen, FleetHostKeys)
        assert len(seen.shared) == shared


def test_ids_of_people_that_differ() -> None:
    seen = among(
        host("a", people(ann=1000, bob=1001, www=33)),
        host("b", people(ann=1001, bob=1001, www=48)),
        host("c", people(ann=1005)),
    ).facts["FleetAccounts"]
    assert isinstance(seen, FleetAccounts)
    assert [(one.name, one.uid, one.others, one.hosts) for one in seen.differing] == [
        ("ann", 1000, (1001, 1005), 2)
    ]


def test_who_is_root_without_a_password() -> None:
    seen = among(
        host(
            "a",
            rules("deploy ALL=(ALL) NOPASSWD: ALL", "scan ALL=(root) NOPASSWD: /bin/id", "eve ALL=(ALL) ALL"),
        ),
        host("b", rules("Defaults:deploy !authenticate", "deploy ALL=(ALL) ALL")),
        host("c", rules("Defaults !authenticate", "%wheel ALL=(ALL) ALL")),
    ).facts["FleetSudo"]
    assert isinstance(seen, FleetSudo)
    assert [(one.who, one.hosts, one.places) for one in seen.free] == [("deploy", 2, ("a", "b"))]
    assert seen.hosts == 3


def test_what_is_hidden_on_this_host_is_hidden_in_the_comparison() -> None:
    hidden = msgspec.structs.replace(
        host("a", keys(("ann", "k"))),
        gaps=(Gap("AuthorizedKeys", "closed", "/root", "sudo: x"), Gap("Sudoers", "needs root")),
    )
    seen = among(hidden, host("b", keys(("ann", "k"))))
    gaps = {(gap.fact, gap.where, gap.reason) for gap in seen.gaps if gap.fact.startswith("Fleet")}
    assert {("FleetKeys", "/root", "closed"), ("FleetSudo", "", "needs root")} <= gaps
    assert "FleetSudo" not in seen.facts


def test_the_evidence_names_the_places() -> None:
    seen = among(host("a", keys(("root", "k"))), host("b", keys(("deploy", "k"))))
    [source] = [one for one in seen.sources if one.fact == "FleetKeys"]
    assert source.excerpt == "SHA256:k\ta: root, b: deploy"
    assert source.how == "what 2 hosts of the scan tell, set beside each other"


def test_networks_and_silent_hosts_have_no_digest() -> None:
    assert digest(host("n", kind=Kind.NETWORK)) is None
    assert digest(host("s")) is None


def test_a_thousand_hosts_are_quick_and_small() -> None:
    estate = [
        host(
            f"h{at}",
            keys(*((f"u{key}", f"k{key if key < 10 else at * 100 + key}") for key in range(30))),
            people(**{f"u{key}": 1000 + key for key in range(30)}),
            rules("deploy ALL=(ALL) NOPASSWD: ALL"),
            host_key(f"h{at}"),
        )
        for at in range(1000)
    ]
    started = time.process_time()
    made = derivations(fleet(digests(*estate)))
    for one in estate:
        derive(one, made)
    assert time.process_time() - started < 2
    tracemalloc.start()
    index = fleet(digests(*estate))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert index.counts["keys"] == 1000
    assert held < 20_000_000
