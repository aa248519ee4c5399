"""Databases and their like: what fools a naive reading, what passes, and what cannot be known."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from checks.cloud import releases
from checks.cloud.doors import Store, walls
from checks.cloud.elasticache import authentication
from checks.cloud.rds import authority, encryption
from checks.cloud.rds_clusters import supported_release
from checks.cloud.rds_snapshots import cluster_sharing
from checks.cloud.rds_tls import required
from checks.cloud.ssm import managed, patches, session_logs
from checks.facts.cloud.ec2 import PrefixLists, SecurityGroups
from checks.facts.cloud.elasticache import CacheClusters, CacheGroup, CacheGroups, CacheUser, CacheUsers
from checks.facts.cloud.organization import KnownAccounts
from checks.facts.cloud.rds import RdsInstance, RdsInstances, TlsRule
from checks.facts.cloud.rds_clusters import RdsCluster, RdsClusterSettings
from checks.facts.cloud.rds_settings import RdsSetting, RdsSettings
from checks.facts.cloud.rds_snapshots import ClusterSnapshot, ClusterSnapshots
from checks.facts.cloud.ssm import (
    ManagedInstance,
    ManagedInstances,
    PatchState,
    PatchStates,
    SessionLog,
    SessionLogs,
)
from checks.model import Confidence, Exposure, Outcome, Severity
from checks.verdict import Verdict
from scanner.collect.cloud.ssm_names import of_a_secret
from tests.checks.cloud.examples.stores import (
    HERE,
    KNOWN,
    OFFICE,
    STRANGER,
    WORLD,
    A,
    Facts,
    R,
    fact,
    good,
    instance,
    network,
)

NOW = datetime(2026, 11, 23, tzinfo=UTC)
STORE = Store("arn:db", "db", R, "postgres", True, "vpc-1", ("subnet-1",), ("sg-1",), (5432,))


def judged(facts: Facts, store: Store = STORE, **more: Any) -> Verdict | None:
    return walls(*facts).judge(store, {}, **more)  # type: ignore[arg-type]


def changed(**fields: Any) -> Store:
    values = {name: getattr(STORE, name) for name in Store.__slots__}
    return Store(**{**values, **fields})


DOORS: list[tuple[str, Facts, Store, Outcome, str]] = [
    ("open to everybody", network(), STORE, Outcome.FAIL, "tcp/5432 is reached from 0.0.0.0/0"),
    ("no public address", network(), changed(public=False), Outcome.PASS, "no public address"),
    ("no way out", network(routed=False), STORE, Outcome.PASS, "none of its subnets has a route"),
    ("an office", network(OFFICE), STORE, Outcome.PASS, "do not let the whole internet in"),
    ("another port", network(port=443), STORE, Outcome.PASS, "do not let the whole internet in"),
    ("denied on the way", network(denied=True), STORE, Outcome.PASS, "do not let the whole internet in"),
    ("a list nobody read", network("", lists=("pl-1",)), STORE, Outcome.UNKNOWN, "pl-1"),
    ("a group of others", network(OFFICE), changed(groups=("sg-1", "sg-9")), Outcome.UNKNOWN, "sg-9"),
    ("no group is told", network(), changed(groups=()), Outcome.UNKNOWN, "its security groups"),
    ("being made", network(), changed(ports=()), Outcome.UNKNOWN, "not told yet"),
    (
        "in a strange network",
        network(),
        changed(vpc="vpc-9", subnets=("subnet-9",)),
        Outcome.UNKNOWN,
        "route",
    ),
    (
        "may move into the open",
        network(),
        changed(subnets=("subnet-0", "subnet-1")),
        Outcome.FAIL,
        "reached",
    ),
]


@pytest.mark.parametrize(("_", "facts", "store", "outcome", "words"), DOORS, ids=[one[0] for one in DOORS])
def test_all_walls_decide(_: str, facts: Facts, store: Store, outcome: Outcome, words: str) -> None:
    verdict = judged(facts, store)
    assert verdict is not None
    assert verdict.outcome is outcome
    assert words in f"{verdict.saw}{verdict.reason}"
    assert (verdict.exposure is Exposure.INTERNET_OPEN) is (outcome is Outcome.FAIL)


def test_a_region_that_was_not_read_gives_no_verdict_but_on_what_is_private() -> None:
    groups, *rest = network()
    assert isinstance(groups, SecurityGroups)
    unread = (msgspec.structs.replace(groups, regions=()), *rest)
    assert judged(unread) is None
    private = judged(unread, changed(public=False))
    assert private is not None
    assert private.ok


def test_an_address_that_an_office_reaches_is_graded_down() -> None:
    verdict = judged(network(OFFICE), limited=Severity.MEDIUM)
    assert verdict is not None
    assert (verdict.outcome, verdict.severity) == (Outcome.FAIL, Severity.MEDIUM)
    assert verdict.exposure is Exposure.INTERNET_LIMITED


def test_two_halves_by_a_list_are_the_whole() -> None:
    groups, lists, *rest = network("", lists=("pl-1",))
    assert isinstance(lists, PrefixLists)
    known = msgspec.json.decode(
        msgspec.json.encode(
            {
                "account": A,
                "regions": HERE,
                "lists": [{"id": "pl-1", "region": R, "cidrs": ["0.0.0.0/1", "128.0.0.0/1"]}],
            }
        ),
        type=PrefixLists,
    )
    verdict = judged((groups, known, *rest))
    assert verdict is not None
    assert verdict.outcome is Outcome.FAIL
    assert WORLD in verdict.saw


TLS = [
    ("postgres", "14.12", "", False),
    ("postgres", "15.4", "", True),
    ("postgres", "16.3", "0", False),
    ("postgres", "9.6.24", "1", True),
    ("aurora-postgresql", "16.4", "", False),
    ("aurora-postgresql", "17.4", "", True),
    ("mysql", "8.0.36", "", False),
    ("mysql", "8.4.3", "", False),
    ("mysql", "8.0.36", "ON", True),
    ("mariadb", "11.8.3", "", True),
    ("mariadb", "11.4.2", "", False),
    ("aurora-mysql", "8.0.mysql_aurora.3.08.0", "", False),
    ("sqlserver-se", "15.00", "", False),
    ("sqlserver-se", "15.00", "1", True),
    ("docdb", "5.0.0", "", True),
    ("docdb", "5.0.0", "disabled", False),
    ("docdb", "5.0.0", "tls1.3+", True),
    ("neptune", "1.3.2.0", "0", False),
]


@pytest.mark.parametrize(("engine", "version", "value", "held"), TLS)
def test_what_nobody_set_is_what_the_engine_does(engine: str, version: str, value: str, held: bool) -> None:
    rule = good(TlsRule, engine=engine, version=version, value=value)
    assert required(rule) is held


RELEASES = [
    ("OpenSearch", "2.9", "2025-11-07"),
    ("OpenSearch", "2.19", "2027-11-07"),
    ("Elasticsearch", "7.10", "2027-11-07"),
    ("Elasticsearch", "7.1", "2025-11-07"),
    ("aurora-mysql", "5.7.mysql_aurora.2.11.4", "2024-10-31"),
    ("neptune", "1.1.0.0", "2025-03-15"),
    ("neptune", "1.1.1.0", "2026-11-30"),
    ("kafka", "3.7.x.kraft", "2026-09-01"),
    ("redis", "7.1.0", ""),
    ("redis", "99.0", None),
    ("memcached", "1.6.22", None),
    ("RABBITMQ", "3.8.11", None),
]


@pytest.mark.parametrize(("engine", "version", "end"), RELEASES)
def test_the_longest_release_that_fits_decides(engine: str, version: str, end: str | None) -> None:
    assert releases.end_of(engine, version) == end


def test_the_last_day_of_support_is_a_day_of_support() -> None:
    def judged(at: datetime) -> Outcome:
        return releases.judged("arn:x", "kafka", "3.6", at, where="eu-west-1", values={}).outcome

    assert judged(datetime(2026, 6, 1, 23, tzinfo=UTC)) is Outcome.PASS
    assert judged(datetime(2026, 6, 2, tzinfo=UTC)) is Outcome.FAIL
    open_end = releases.judged("arn:x", "kafka", "3.9", NOW, where="", values={})
    assert (open_end.outcome, open_end.saw) == (Outcome.PASS, "kafka 3.9, supported, no end announced")


def test_a_release_that_is_not_known_does_not_pass() -> None:
    found = fact(RdsClusterSettings, good(RdsCluster, version="99.1"))
    assert isinstance(found, RdsClusterSettings)
    [verdict] = supported_release(found, now=NOW)
    assert verdict.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("rds-ca-2019", Outcome.FAIL),
        ("rds-ca-rsa2048-g1", Outcome.PASS),
        ("rds-ca-new-g9", Outcome.UNKNOWN),
        ("", Outcome.UNKNOWN),
    ],
)
def test_authorities(name: str, outcome: Outcome) -> None:
    found = fact(RdsSettings, good(RdsSetting, authority=name))
    assert isinstance(found, RdsSettings)
    [verdict] = authority(found, now=NOW)
    assert verdict.outcome is outcome


def test_storage_belongs_to_the_cluster() -> None:
    found = fact(RdsInstances, good(RdsInstance, encrypted=False, cluster="orders"))
    assert isinstance(found, RdsInstances)
    [verdict] = encryption(found)
    assert verdict.outcome is Outcome.NOT_APPLICABLE
    assert "orders" in verdict.reason


WHO: list[tuple[str, dict[str, Any], dict[str, Any], Outcome]] = [
    ("users with passwords", {}, {}, Outcome.PASS),
    ("a user without", {}, {"password": False}, Outcome.FAIL),
    ("a user without, who may not sign in", {}, {"password": False, "on": False}, Outcome.PASS),
    ("a user without, of another group", {}, {"password": False, "groups": ("x",)}, Outcome.PASS),
    ("a user without, in another region", {}, {"password": False, "region": "us-east-1"}, Outcome.PASS),
    ("a token", {"user_groups": (), "token": True}, {"password": False}, Outcome.PASS),
    ("nothing", {"user_groups": ()}, {}, Outcome.FAIL),
]


@pytest.mark.parametrize(("_", "group", "user", "outcome"), WHO, ids=[one[0] for one in WHO])
def test_who_may_use_a_cache(_: str, group: dict[str, Any], user: dict[str, Any], outcome: Outcome) -> None:
    groups, users = fact(CacheGroups, good(CacheGroup, **group)), fact(CacheUsers, good(CacheUser, **user))
    assert isinstance(groups, CacheGroups)
    assert isinstance(users, CacheUsers)
    [verdict] = authentication(groups, users, CacheClusters(A, HERE, ()))
    assert verdict.outcome is outcome


@pytest.mark.parametrize(
    ("shared", "trusted", "outcome", "severity"),
    [
        (("all",), (), Outcome.FAIL, None),
        ((STRANGER,), (), Outcome.FAIL, Severity.HIGH),
        ((STRANGER,), (STRANGER,), Outcome.PASS, None),
        (("222233334444",), (), Outcome.PASS, None),
        ((), (), Outcome.PASS, None),
    ],
)
def test_shares(
    shared: tuple[str, ...], trusted: tuple[str, ...], outcome: Outcome, severity: Severity | None
) -> None:
    found = fact(ClusterSnapshots, good(ClusterSnapshot, shared=shared))
    assert isinstance(found, ClusterSnapshots)
    [verdict] = cluster_sharing(found, KNOWN, trusted=frozenset(trusted))
    assert (verdict.outcome, verdict.severity) == (outcome, severity)


def test_a_stranger_may_be_of_the_organization_when_that_could_not_be_read() -> None:
    found = fact(ClusterSnapshots, good(ClusterSnapshot, shared=(STRANGER,)))
    assert isinstance(found, ClusterSnapshots)
    [verdict] = cluster_sharing(found, KnownAccounts(A, (A,), "", False))
    assert (verdict.outcome, verdict.confidence) == (Outcome.FAIL, Confidence.LIKELY)
    assert "could not be read" in verdict.saw


def machines(**changes: Any) -> ManagedInstances:
    found = fact(ManagedInstances, good(ManagedInstance, **changes))
    assert isinstance(found, ManagedInstances)
    return found


def states(*records: Any) -> PatchStates:
    found = fact(PatchStates, *records)
    assert isinstance(found, PatchStates)
    return found


def test_a_silent_agent_manages_nothing() -> None:
    [verdict] = managed(instance(), machines(online=False))
    assert not verdict.ok
    assert "silent, last heard of at 2026-11-22" in verdict.saw
    assert list(managed(instance(state="stopped"), machines())) == []
    assert list(managed(instance(), ManagedInstances(A, (), ()))) == []


@pytest.mark.parametrize(
    ("changes", "outcome", "severity", "words"),
    [
        ({}, Outcome.PASS, None, "no patch missing"),
        ({"missing": 2}, Outcome.FAIL, None, "2 missing"),
        ({"critical": 1, "missing": 1}, Outcome.FAIL, Severity.HIGH, "1 critical; 1 missing"),
        ({"waiting": 1}, Outcome.FAIL, None, "1 waiting for a restart"),
        ({"looked": "2026-09-01T00:00:00Z"}, Outcome.FAIL, None, "looked for 83 days ago"),
    ],
)
def test_patches(changes: dict[str, Any], outcome: Outcome, severity: Severity | None, words: str) -> None:
    [verdict] = patches(machines(), states(good(PatchState, **changes)), now=NOW)
    assert (verdict.outcome, verdict.severity, verdict.saw) == (outcome, severity, words)


def test_what_nobody_has_looked_at_is_not_patched_and_what_was_not_read_is_not_judged() -> None:
    [verdict] = patches(machines(), states(), now=NOW)
    assert not verdict.ok
    assert list(patches(machines(), PatchStates(A, (), ()), now=NOW)) == []


def test_sessions_are_recorded_where_there_are_machines() -> None:
    nowhere = SessionLogs(A, (SessionLog(R, "", "", ""),))
    [verdict] = session_logs(nowhere, machines())
    assert verdict.outcome is Outcome.FAIL
    [verdict] = session_logs(nowhere, ManagedInstances(A, HERE, ()))
    assert verdict.outcome is Outcome.NOT_APPLICABLE
    assert list(session_logs(nowhere, ManagedInstances(A, (), ()))) == []


NAMES = [
    ("/app/db/password", True),
    ("/app/password/prod", True),
    ("mysqlPassword", True),
    ("/prod/db_password_v2", True),
    ("GITHUB_TOKEN", True),
    ("/app/apiKey", True),
    ("/app/API_KEY", True),
    ("/app/password-policy", False),
    ("/app/token-lifetime", False),
    ("/app/secret-arn", False),
    ("/app/access_key_id", False),
    ("/app/kms-key", False),
    ("/zoo/monkey", False),
    ("/1/2", False),
]


@pytest.mark.parametrize(("name", "secret"), NAMES)
def test_the_last_word_of_a_name_says_what_it_is(name: str, secret: bool) -> None:
    assert of_a_secret(name) is secret
