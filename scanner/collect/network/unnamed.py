"""Ports at which a topic is usual and where nobody could be named: unknown there, not absent. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType

from checks.facts.network import OpenPort
from checks.facts.snapshot import Fact, Gap
from scanner.collect.collector import Collected
from scanner.collect.network.ask.every import QUESTIONS
from scanner.collect.network.ports import TLS_FIRST, USUAL
from scanner.collect.network.udp_payloads import USUAL_UDP

_SPEAK: Mapping[str, str] = MappingProxyType(
    {
        "ftps": "ftp",
        "imaps": "imap",
        "pop3s": "pop3",
        "smtps": "smtp",
        "submission": "smtp",
        "ldaps": "ldap",
        "global-catalog": "ldap",
        "global-catalog-tls": "ldap",
        "redis-sentinel": "redis",
    }
)
"""The usual service of a port → what it speaks, where that has another name."""
_OF_THE_WEB = frozenset(
    {
        "https", "vnc-http", "winrm", "winrm-tls", "webmin", "glassfish", "weblogic", "weblogic-tls",
        "splunkd", "consul", "nessus", "websphere", "rabbitmq-http", "hdfs", "solr", "couchdb", "neo4j",
        "influxdb", "clickhouse", "elasticsearch", "docker", "docker-tls", "etcd", "vmware-appliance",
        "kubernetes", "proxmox", "kubelet", "kubelet-read-only", "kube-controller", "kube-scheduler",
        "kibana", "cwmp", "spark-http", "nomad-http", "vault-http", "alertmanager-http", "netdata-http",
    }
)  # fmt: skip
"""Usual services that answer over HTTP."""
_AMONG_THEMSELVES = frozenset({9300, 61616})
"""Ports of the usual services on which only their own members talk: no topic asks anything there."""


def unnamed(port: OpenPort, wanted: Collection[type[Fact]], cut: str = "") -> Collected:
    """Gaps for the topics that are usual at this open port and ask nothing there, for nobody was named.

    `cut` is why its identification did not come to its end: then any service may speak there.
    """
    if port.service:
        return Collected()
    if cut:
        asked = _asked(port)
        names = sorted(f.__name__ for f in _SPOKEN[port.protocol] - asked if f in wanted)
        return Collected(gaps=tuple(Gap(name, cut, port.name, "more time") for name in names))
    why = f"what speaks there was not identified: {port.note}" if port.note else "nobody was identified there"
    needs = f"a name for what speaks on {port.name}"
    names = sorted(fact.__name__ for fact in _unasked(port) if fact in wanted)
    return Collected(gaps=tuple(Gap(name, why, port.name, needs) for name in names))


def _unasked(port: OpenPort) -> frozenset[type[Fact]]:
    """The facts that would have been decided there, had the usual service been named."""
    return frozenset(fact for one in _usual(port) for fact in _asked(one)) - _asked(port)


def _asked(port: OpenPort) -> frozenset[type[Fact]]:
    return frozenset(fact for question in QUESTIONS if question.applies(port) for fact in question.facts)


def _usual(port: OpenPort) -> Iterator[OpenPort]:
    """The port as it would have been named, were its usual service there."""
    if port.protocol == "udp":
        name = USUAL_UDP.get(port.number, "")
    else:
        name = "" if port.number in _AMONG_THEMSELVES else USUAL.get(port.number, "")
    if not name:
        return
    tls = port.tls or (port.protocol == "tcp" and port.number in TLS_FIRST)
    for service in {name, _SPEAK.get(name, name), "http" if name in _OF_THE_WEB else name}:
        yield OpenPort(port.number, port.protocol, service=service, tls=tls)


_SPOKEN: Mapping[str, frozenset[type[Fact]]] = MappingProxyType(
    {
        protocol: frozenset(
            fact for number in table for one in _usual(OpenPort(number, protocol)) for fact in _asked(one)
        )
        for protocol, table in (("tcp", USUAL), ("udp", USUAL_UDP))
    }
)
"""The topics that speak this protocol at all."""
