"""Data stores, judged by their configurations."""

from __future__ import annotations

from typing import Any

import pytest

from checks.check import Check
from checks.facts.host.databases import (
    HbaLine,
    MongoDb,
    MySql,
    PostgreSql,
    Redis,
    RedisServer,
    SearchEngine,
)
from checks.facts.host.packages import Package, Packages
from checks.host import databases, postgresql
from checks.model import Outcome, Severity
from tests.checks.host.judging import checks_of, failing, judged, says_unknown

HBA = "/etc/postgresql/15/main/pg_hba.conf"


@pytest.mark.parametrize("check", checks_of(databases, postgresql))
def test_what_could_not_be_read_is_unknown(check: Check[Any]) -> None:
    says_unknown(check)


@pytest.mark.parametrize(
    ("bind", "local_only", "fails"),
    [
        ("127.0.0.1", False, False),
        ("10.0.0.5", False, False),
        ("0.0.0.0", False, True),
        ("*", False, True),
        ("", False, True),
        ("", True, False),
    ],
)
def test_where_mysql_listens(bind: str, local_only: bool, fails: bool) -> None:
    found = MySql("/etc/my.cnf", bind, local_only, False)
    assert bool(failing(databases.mysql_address, found)) is fails


def test_a_server_that_may_listen_everywhere_passes() -> None:
    assert failing(databases.mysql_address, MySql("f", "::", False, False), allowed=frozenset({"::"})) == []


def test_logins_of_mysql() -> None:
    assert failing(databases.mysql_logins, MySql("f", "127.0.0.1", False, True)) == ["skip-grant-tables"]
    assert failing(databases.mysql_logins, MySql("f", "127.0.0.1", False, False)) == []


def access(*lines: tuple[str, str, str]) -> PostgreSql:
    return PostgreSql(
        tuple(HbaLine(HBA, kind, "all", "all", address, how) for kind, address, how in lines), ()
    )


@pytest.mark.parametrize(
    ("line", "severity"),
    [
        (("host", "0.0.0.0/0", "trust"), Severity.CRITICAL),
        (("host", "127.0.0.1/32", "trust"), Severity.HIGH),
        (("local", "", "trust"), Severity.HIGH),
        (("host", "0.0.0.0/0", "scram-sha-256"), None),
        (("local", "", "peer"), None),
    ],
)
def test_trust(line: tuple[str, str, str], severity: Severity | None) -> None:
    [finding] = judged(postgresql.trust, access(line))
    assert (finding.severity if finding.outcome is Outcome.FAIL else None) == severity


def test_weak_methods_of_postgresql() -> None:
    weak = access(("host", "0.0.0.0/0", "password"), ("host", "10.0.0.0/8", "md5"), ("local", "", "md5"))
    assert {one.saw: one.severity for one in judged(postgresql.cleartext, weak)} == {
        "password": Severity.MEDIUM,
        "md5": Severity.LOW,
    }
    assert failing(postgresql.cleartext, access(("host", "::1/128", "scram-sha-256"))) == []


@pytest.mark.parametrize("address", ["127.0.0.1/32", "::1/128", "127.0.0.1/255.255.255.255", "localhost"])
@pytest.mark.parametrize("method", ["md5", "ident"])
def test_what_stays_on_the_host_is_not_read_on_the_way(address: str, method: str) -> None:
    assert failing(postgresql.cleartext, access(("host", address, method))) == []


@pytest.mark.parametrize(
    ("value", "fails"), [("localhost", False), ("*", True), ("127.0.0.1, 0.0.0.0", True), ("", False)]
)
def test_where_postgresql_listens(value: str, fails: bool) -> None:
    found = PostgreSql((), (("/etc/postgresql/15/main/postgresql.conf", value),))
    assert bool(failing(postgresql.address, found)) is fails


@pytest.mark.parametrize(
    ("bind", "password", "protected", "fails"),
    [
        (("0.0.0.0",), False, False, True),
        ((), False, False, True),
        ((), False, True, False),
        (("0.0.0.0",), True, False, False),
        (("127.0.0.1", "::1"), False, False, False),
        (("0.0.0.0",), False, True, False),
    ],
)
def test_redis(bind: tuple[str, ...], password: bool, protected: bool, fails: bool) -> None:
    found = Redis((RedisServer("/etc/redis/redis.conf", bind, 6379, password, protected),))
    assert bool(failing(databases.redis_password, found, redis("5:7.0.15-1"))) is fails


def redis(version: str, name: str = "redis-server") -> Packages:
    return Packages("dpkg", (Package(name, version, "amd64", "redis", version),) if version else ())


@pytest.mark.parametrize(
    ("packages", "outcome"),
    [
        (redis("5:6.0.16-1+deb11u2"), Outcome.FAIL),
        (redis("6.2.7-1.el9", "redis"), Outcome.FAIL),
        (redis("7.2.4-r0", "redis"), Outcome.PASS),
        (redis("7.2.8-1", "valkey"), Outcome.PASS),
        (redis(""), Outcome.UNKNOWN),
    ],
)
def test_the_protected_mode_of_an_old_redis_ends_where_an_address_is_named(
    packages: Packages, outcome: Outcome
) -> None:
    found = Redis((RedisServer("/etc/redis.conf", ("0.0.0.0",), 6379, password=False, protected=True),))
    [finding] = judged(databases.redis_password, found, packages)
    assert finding.outcome is outcome


@pytest.mark.parametrize(
    ("bind", "logins", "severity"),
    [
        ("0.0.0.0", False, Severity.CRITICAL),
        ("127.0.0.1", False, Severity.MEDIUM),
        ("127.0.0.1,10.0.0.5", False, Severity.CRITICAL),
        ("0.0.0.0", True, None),
    ],
)
def test_mongodb(bind: str, logins: bool, severity: Severity | None) -> None:
    [finding] = judged(databases.mongodb_logins, MongoDb("/etc/mongod.conf", bind, logins))
    assert (finding.severity if finding.outcome is Outcome.FAIL else None) == severity


@pytest.mark.parametrize(
    ("hosts", "security", "version", "outcome"),
    [
        (("0.0.0.0",), "off", "8.11.0", Outcome.FAIL),
        (("0.0.0.0",), "", "7.17.1", Outcome.FAIL),
        (("0.0.0.0",), "", "8.11.0", Outcome.PASS),
        (("_site_",), "", "", Outcome.UNKNOWN),
        (("localhost",), "off", "7.17.1", Outcome.PASS),
        ((), "", "", Outcome.PASS),
    ],
)
def test_search_engines(hosts: tuple[str, ...], security: str, version: str, outcome: Outcome) -> None:
    found = SearchEngine("elasticsearch", "/etc/elasticsearch/elasticsearch.yml", hosts, security)
    own = (Package("elasticsearch", version, "amd64", "elasticsearch", version),) if version else ()
    [finding] = judged(databases.search_logins, found, Packages("dpkg", own))
    assert finding.outcome is outcome
