"""The HTTP APIs that are asked for one harmless read without a login: data, no logic.

Where an API can be asked for a part of a list, it is asked for the smallest; nothing of the answer is kept
but its mark and its version. A read that needs a body goes to a server that has named itself alone.
"""

from __future__ import annotations

import re

from scanner.collect.network.ask.http_interfaces import Interface
from scanner.collect.network.web import Request


def _said(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.MULTILINE)


def _mark(pattern: bytes) -> re.Pattern[bytes]:
    return re.compile(pattern)


_JSON = (("Content-Type", "application/json"),)
_ONE_KEY = b'{"key":"AA==","range_end":"AA==","limit":"1","keys_only":true}'
_REFUSED_BY_ETCD = _mark(rb"etcdserver: (?:user name is empty|permission denied|invalid auth token)")

APIS = (
    Interface(
        "etcd", "etcd", _said(r'^product: etcd|^/version: .{0,40}"etcdserver"'),
        Request("/v3/kv/range", "POST", _JSON, _ONE_KEY),
        _mark(rb'\A\s{0,9}\{\s{0,9}"header"\s{0,4}:\s{0,4}\{\s{0,9}"cluster_id"'), "a range of its keys",
        asks=_REFUSED_BY_ETCD, ports=frozenset({2379, 4001}), first=Request("/version"),
        on_page=("etcdserver",),
    ),
    Interface(
        "etcd", "etcd", None, Request("/v2/keys/"),
        _mark(rb'"action"\s{0,4}:\s{0,4}"get"\s{0,4},\s{0,4}"node"'), "a list of its keys",
        ports=frozenset({2379, 4001}),
    ),
    Interface(
        "kubernetes", "Kubernetes", _said(r"^x-kubernetes-"),
        Request("/api/v1/namespaces?limit=1"), _mark(rb'"kind"\s{0,4}:\s{0,4}"NamespaceList"'),
        "a list of namespaces", ports=frozenset({6443, 16443}), maybe=frozenset({8001}),
        on_page=("system:anonymous", '"kind":"status"', '"kind": "status"'),
    ),
    Interface(
        "consul", "Consul", _said(r"^title: (?:.{0,60} - )?Consul(?: by HashiCorp)?$|^x-consul-"),
        Request("/v1/agent/self"),
        _mark(rb'"Datacenter"\s{0,4}:'), "its configuration",
        version=_mark(rb'"Version"\s{0,4}:\s{0,4}"([\w.+-]{1,30})"'), ports=frozenset({8500, 8501}),
    ),
    Interface(
        "prometheus", "Prometheus", _said(r"^title: Prometheus(?: Time Series.{0,60})?$"),
        Request("/api/v1/status/config"),
        _mark(rb'"yaml"\s{0,4}:'), "its configuration", maybe=frozenset({9090}),
    ),
    Interface(
        "couchdb", "CouchDB", _said(r"^server: CouchDB"),
        Request("/_all_dbs"), _mark(rb"\A\s{0,9}\["), "a list of databases", ports=frozenset({5984, 6984}),
        on_page=('"couchdb":"welcome"',), weak=True,
    ),
    Interface(
        "influxdb", "InfluxDB", _said(r"^x-influxdb-"), Request("/query?q=SHOW%20DATABASES"),
        _mark(rb'"results"\s{0,4}:\s{0,4}\['), "a list of databases",
        asks=_mark(rb"unable to parse authentication credentials|authorization failed"),
        ports=frozenset({8086}),
    ),
    Interface(
        "solr", "Solr", _said(r"^title: Solr Admin"), Request("/solr/admin/info/system?wt=json"),
        _mark(rb'"solr_home"|"solr-spec-version"'), "its settings",
        version=_mark(rb'"solr-spec-version"\s{0,4}:\s{0,4}"([\w.+-]{1,30})"'), ports=frozenset({8983}),
    ),
    Interface(
        "clickhouse", "ClickHouse", _said(r"^x-clickhouse-"), Request("/?query=SELECT%20version()"),
        _mark(rb"\A\d{1,3}\.\d{1,3}\.[\d.]{1,20}\s{0,2}\Z"), "the answer to a query",
        asks=_mark(rb"Code: (?:194|516)\b|REQUIRED_PASSWORD|AUTHENTICATION_FAILED"),
        version=_mark(rb"\A(\d{1,3}\.\d{1,3}\.[\d.]{1,20})"), ports=frozenset({8123}),
    ),
    Interface(
        "jupyter", "Jupyter", _said(r"^title: (?:Jupyter|JupyterLab|Home Page - Select)"),
        Request("/api/sessions"), _mark(rb"\A\s{0,9}\["), "a list of sessions", maybe=frozenset({8888}),
        on_page=("jupyter-config-data", "data-jupyter-api-token"), weak=True,
    ),
    Interface(
        "jenkins", "Jenkins", _said(r"^x-jenkins: ?[\w.]{0,20}"), Request("/script"),
        _mark(rb"Script Console|scriptText"), "the script console",
    ),
    Interface(
        "jenkins", "Jenkins", _said(r"^x-jenkins: ?[\w.]{0,20}"), Request("/api/json?tree=mode"),
        _mark(rb'"_class"\s{0,4}:\s{0,4}"hudson'), "its API",
    ),
    Interface(
        "yarn", "Hadoop YARN",
        _said(r"^landed: \S{1,80}/cluster\b|^title: (?:All|About) .{0,20}(?:Applications|Cluster)"),
        Request("/ws/v1/cluster/info"), _mark(rb'"clusterInfo"\s{0,4}:'), "the state of the cluster",
        version=_mark(rb'"resourceManagerVersion"\s{0,4}:\s{0,4}"([\w.+-]{1,30})"'), maybe=frozenset({8088}),
    ),
    Interface(
        "spark", "Spark", _said(r"^title: (?:Spark Master|Spark Worker)"), Request("/json/"),
        _mark(rb'"aliveworkers"|"masterurl"'), "the state of the cluster",
    ),
    Interface(
        "spark", "Spark", _said(r"^title: (?:History Server|Spark Jobs|.{0,60} - Spark Jobs)"),
        Request("/api/v1/applications?limit=1"), _mark(rb'\A\s{0,9}\['), "a list of applications",
        maybe=frozenset({4040, 18080}), weak=True,
    ),
    Interface(
        "minio", "MinIO", _said(r"^server: MinIO"), Request("/"),
        _mark(rb"<ListAllMyBucketsResult"), "a list of buckets", asks=_mark(rb"<Code>AccessDenied</Code>"),
    ),
    Interface(
        "docker-registry", "Docker registry", _said(r"^docker-distribution-api-version:"),
        Request("/v2/_catalog?n=1"), _mark(rb'\A\s{0,9}\{\s{0,9}"repositories"\s{0,4}:'), "a list of images",
        maybe=frozenset({5000, 5001}),
    ),
    Interface(
        "portainer", "Portainer", _said(r"^title: Portainer\b"), Request("/api/users/admin/check"),
        _mark(rb"No administrator account found"), "no administrator was set up yet",
        statuses=frozenset({404}), closed=frozenset({204}), maybe=frozenset({9000, 9443}),
    ),
    Interface(
        "nomad", "Nomad", _said(r"^title: (?:.{0,60} - )?Nomad$"), Request("/v1/agent/self"),
        _mark(rb'"member"\s{0,4}:|"ACL"\s{0,4}:\s{0,4}\{'), "its configuration",
        version=_mark(rb'"Version"\s{0,4}:\s{0,4}"([\w.+-]{1,30})"'), ports=frozenset({4646}),
    ),
    Interface(
        "netdata", "Netdata", _said(r"^title: (?:netdata|Netdata)|^server: Netdata"), Request("/api/v1/info"),
        _mark(rb'"mirrored_hosts"\s{0,4}:'), "what the machine does",
        version=_mark(rb'"version"\s{0,4}:\s{0,4}"([\w.+-]{1,30})"'), ports=frozenset({19999}),
    ),
)  # fmt: skip
"""Read by `http_interfaces`. Two rows of one name are two ways to the same API; the worse answer counts."""

TLS_PORTS = frozenset(port for api in APIS for port in api.ports)
"""Ports on which a server that insists on a client certificate is one of these APIs."""
