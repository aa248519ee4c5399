"""Databases and management interfaces that ask nobody who they are."""

from __future__ import annotations

import pytest

from checks.facts.network.logins import (
    DockerLogins,
    ElasticsearchLogins,
    KubeletLogins,
    Login,
    MemcachedLogins,
    MongoLogins,
    PostgresLogins,
    RedisLogins,
)
from checks.facts.network.screens import VncServer, VncServers
from checks.model import Exploit, Impact, Outcome, Severity, Weakness
from tests.checks.network.judging import CATALOGUE, hold_by, judge, outcomes

LOGINS = {
    "network.databases.redis-login": RedisLogins,
    "network.databases.memcached-login": MemcachedLogins,
    "network.databases.mongodb-login": MongoLogins,
    "network.databases.elasticsearch-login": ElasticsearchLogins,
    "network.databases.postgres-login": PostgresLogins,
    "network.management.docker-login": DockerLogins,
    "network.management.kubelet-login": KubeletLogins,
}
OPEN = Login("tcp/7000", needed=False, answer="served", version="7.0")
GUARDED = Login("tcp/7000", needed=True, answer="who are you")


@pytest.mark.parametrize("check", LOGINS)
def test_a_server_that_serves_a_stranger_fails(check: str) -> None:
    fact = LOGINS[check]
    hold_by(check, fact((OPEN,)), fact((GUARDED,)), "tcp/7000")


@pytest.mark.parametrize("check", LOGINS)
def test_each_server_is_judged_by_itself(check: str) -> None:
    fact = LOGINS[check]
    other = Login("tcp/7001", needed=True, answer="who are you")
    assert outcomes(judge(check, fact((OPEN, other)))) == {"tcp/7000": Outcome.FAIL, "tcp/7001": Outcome.PASS}
    assert outcomes(judge(check, fact(()))) == {"": Outcome.NOT_APPLICABLE}


@pytest.mark.parametrize("check", LOGINS)
def test_no_exploit_is_needed_and_the_class_is_abused_in_the_wild(check: str) -> None:
    one = CATALOGUE.checks[check]
    assert one.exploit is Exploit.NO_EXPLOIT_NEEDED
    assert one.weakness in (
        Weakness.WORLD_READABLE_STORE,
        Weakness.ADMIN_PORT_NO_PASSWORD,
        Weakness.UNAUTHENTICATED_MANAGEMENT,
    )
    assert one.severity.rank >= Severity.HIGH.rank
    assert one.impact in (Impact.TOTAL, Impact.SERIOUS)


def test_the_version_is_part_of_what_was_seen() -> None:
    [finding] = judge("network.databases.redis-login", RedisLogins((OPEN,)))
    assert finding.saw == "served (version 7.0)"
    assert finding.port == "tcp/7000"


def test_vnc_without_a_password_fails() -> None:
    hold_by(
        "network.management.vnc-login",
        VncServers((VncServer("tcp/5900", "3.8", (1, 2)),)),
        VncServers((VncServer("tcp/5900", "3.8", (2, 19)),)),
        "tcp/5900",
    )
