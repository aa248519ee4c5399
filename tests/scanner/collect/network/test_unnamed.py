"""What the checks say of a port at which a topic is usual and where nobody could be named."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from baselines.evaluate import evaluate
from baselines.load import library
from baselines.resolve import needs, resolve
from checks.catalogue import load
from checks.facts.network import OpenPort
from checks.facts.snapshot import Absence, Snapshot
from checks.model import Kind, Outcome, Target
from scanner.collect.network.ask.every import QUESTIONS, SERVICE_FACTS
from scanner.collect.network.ports import FRAGILE, USUAL
from scanner.collect.network.udp_payloads import USUAL_UDP
from scanner.collect.network.unnamed import unnamed
from tests.checks.network.judging import empty, open_ports

CATALOGUE = load()
DEMANDS = resolve(library()["network-exposure"], "internet-facing", CATALOGUE, library())
WANTED = needs(DEMANDS, Kind.NETWORK)
REASON = "it accepts a connection and says nothing"
TOPICS = [
    (6379, "network.databases.redis-login"),
    (11211, "network.databases.memcached-login"),
    (27017, "network.databases.mongodb-login"),
    (9200, "network.databases.elasticsearch-login"),
    (5432, "network.databases.postgres-login"),
    (2375, "network.management.docker-login"),
    (10250, "network.management.kubelet-login"),
    (5985, "network.management.winrm-http"),
    (5900, "network.management.vnc-login"),
    (21, "network.plaintext.ftp-anonymous"),
    (110, "network.plaintext.mail-login"),
    (143, "network.plaintext.mail-login"),
    (25, "network.mail.open-relay"),
    (587, "network.mail.user-names"),
    (22, "network.ssh.ciphers"),
    (2222, "network.ssh.protocol"),
    (80, "network.http.default-page"),
    (443, "network.tls.legacy-versions"),
    (993, "network.tls.weak-ciphers"),
    (443, "network.web-files.secret-files"),
    (8500, "network.apis.consul-login"),
    (2379, "network.apis.etcd-login"),
]


def findings(port: OpenPort) -> dict[tuple[str, str], tuple[Outcome, str]]:
    """(check, place) → outcome and reason, where this one port is all there is."""
    facts = {kind.__name__: empty(kind) for kind in SERVICE_FACTS & WANTED}
    gaps = unnamed(port, WANTED).gaps
    facts = {name: fact for name, fact in facts.items() if name not in {gap.fact for gap in gaps}}
    facts["OpenPorts"] = open_ports(port)
    snapshot = Snapshot(
        Target(Kind.NETWORK, "10.0.0.5", "net:10.0.0.5"),
        "2026-11-23T12:00:00Z",
        ("address:inside/10.0.0.5",),
        facts=facts,
        gaps=gaps,
        absences=(Absence("NetworkCoverage", "one address"),),
    )
    found = evaluate(DEMANDS, snapshot, now=datetime(2026, 11, 23, 12, tzinfo=UTC))
    return {(f.check, f.on): (f.outcome, f.reason) for f in found}


@pytest.mark.parametrize(("number", "check"), TOPICS)
def test_the_usual_port_of_a_topic_without_a_name_is_unknown_with_the_reason(number: int, check: str) -> None:
    outcome, reason = findings(OpenPort(number, "tcp", note=REASON))[check, f"tcp/{number}"]
    assert outcome is Outcome.UNKNOWN
    assert REASON in reason


def test_no_topic_is_silent_at_any_of_its_usual_ports() -> None:
    """Each question either is put there without a name, or leaves a gap for each of its facts."""
    ports = [OpenPort(n, "tcp", note=REASON) for n in USUAL if n not in FRAGILE]
    ports += [OpenPort(n, "udp", note=REASON) for n in USUAL_UDP]
    met = set()
    for port in ports:
        gaps = {gap.fact for gap in unnamed(port, SERVICE_FACTS).gaps}
        asked = {f.__name__ for q in QUESTIONS if q.applies(port) for f in q.facts}
        assert not gaps & asked, "what is asked there leaves its own gap"
        met |= gaps | asked
    assert met == {kind.__name__ for kind in SERVICE_FACTS}


def test_a_named_port_and_one_that_no_topic_uses_leave_no_gap() -> None:
    assert not unnamed(OpenPort(6379, "tcp", service="ssh"), SERVICE_FACTS).gaps
    assert not unnamed(OpenPort(40_001, "tcp", note=REASON), SERVICE_FACTS).gaps
    assert not unnamed(OpenPort(9300, "tcp", note=REASON), SERVICE_FACTS).gaps


def test_an_identification_that_was_cut_off_leaves_every_topic_open() -> None:
    """On any port there may be any service; topics that speak only UDP are not among them."""
    gaps = {
        gap.fact: gap for gap in unnamed(OpenPort(40_001, "tcp"), SERVICE_FACTS, "the time was over").gaps
    }
    assert {"RedisLogins", "SshOffers", "HttpAnswers", "TlsCiphers", "SmbServers"} <= gaps.keys()
    assert not {"SnmpServers", "NtpServers", "IpmiControllers"} & gaps.keys()
    assert {(gap.where, gap.reason) for gap in gaps.values()} == {("tcp/40001", "the time was over")}
    assert not unnamed(OpenPort(40_001, "tcp", service="ssh"), SERVICE_FACTS, "the time was over").gaps


def test_what_hides_inside_tls_is_unknown_for_the_web() -> None:
    found = findings(OpenPort(443, "tcp", tls=True, note=REASON))
    assert found["network.http.hsts", "tcp/443"][0] is Outcome.UNKNOWN


def test_an_answer_by_udp_that_is_no_answer_of_the_topic_is_unknown() -> None:
    gaps = {gap.fact: gap for gap in unnamed(OpenPort(161, "udp", note=REASON), SERVICE_FACTS).gaps}
    assert gaps["SnmpServers"].where == "udp/161"
