"""The pages of administration that are recognised, and the read that tells whether they are open: data."""

from __future__ import annotations

import re

from scanner.collect.network.ask.http_interfaces import Interface
from scanner.collect.network.web import Request


def _known(
    product: str,
    pattern: str,
    path: str = "",
    serves: bytes = b"",
    what: str = "",
    *,
    asks: bytes = b"",
    on_page: tuple[str, ...] = (),
    anywhere: bool = False,
) -> Interface:
    """A page that is known by this pattern, and what it gives at that path to whoever may use it."""
    return Interface(
        name=product.lower().replace(" ", "-"),
        product=product,
        known_by=re.compile(pattern, re.IGNORECASE | re.MULTILINE),
        read=Request(path) if path else None,
        serves=re.compile(serves) if serves else None,
        what=what,
        asks=re.compile(asks) if asks else None,
        on_page=on_page,
        anywhere=anywhere,
    )


CONSOLES = (
    # Observation and pipelines
    _known("Grafana", r"^title: Grafana$", "/api/org",
           rb'\A\s{0,9}\{\s{0,9}"id"\s{0,4}:\s{0,4}\d+\s{0,4},\s{0,9}"name"', "its organisation",
           on_page=("grafanabootdata",)),
    _known("Kibana", r"^kbn-(?:name|version|license-sig): ?\S{0,60}|^title: Kibana", "/api/status",
           rb'"overall"\s{0,4}:\s{0,4}\{', "its state and plug-ins"),
    _known("Alertmanager", r"^title: Alertmanager", "/api/v2/status",
           rb'"cluster"\s{0,4}:', "its configuration"),
    _known("cAdvisor", r"^title: cAdvisor", "/api/v1.3/machine", rb'"num_cores"\s{0,4}:', "its machine"),
    _known("Airflow", r"^title: (?:Airflow|Sign In - Airflow|DAGs - Airflow)", "/api/v1/dags?limit=1",
           rb'"dags"\s{0,4}:\s{0,4}\[', "a list of workflows"),
    _known("Flink", r"^title: Apache Flink", "/overview",
           rb'"taskmanagers"\s{0,4}:', "the state of the cluster"),
    _known("Node-RED", r"^title: Node-RED", "/settings", rb'"httpNodeRoot"\s{0,4}:', "its settings"),
    _known("Zabbix", r"^title: (?:.{0,60}: )?Zabbix$"),
    # Asked as APIs; here it is their presence that counts
    _known("Jenkins", r"^x-jenkins: ?[\w.]{0,20}"),
    _known("Portainer", r"^title: Portainer\b"),
    _known("Consul", r"^title: (?:.{0,60} - )?Consul(?: by HashiCorp)?$"),
    _known("Nomad", r"^title: (?:.{0,60} - )?Nomad$"),
    _known("Prometheus", r"^title: Prometheus(?: Time Series.{0,60})?$"),
    _known("Solr", r"^title: Solr Admin"),
    _known("MinIO console", r"^title: MinIO (?:Console|Browser)"),
    # Messages, traffic, secrets
    _known("RabbitMQ", r"^title: RabbitMQ Management", "/api/overview",
           rb'"rabbitmq_version"\s{0,4}:', "its state"),
    _known("Traefik", r"^title: Traefik\b", "/api/overview", rb'"routers"\s{0,4}:', "its routes"),
    _known("HAProxy statistics", r"^title: Statistics Report for HAProxy", "/",
           rb"Statistics Report for HAProxy", "its statistics", anywhere=True),
    _known("Vault", r"^title: Vault$|^x-vault-", "/v1/sys/seal-status",
           rb'"initialized"\s{0,4}:\s{0,4}false', "it was not set up yet", asks=rb'"sealed"\s{0,4}:'),
    # Databases
    _known("phpMyAdmin", r"^title: .{0,80}phpMyAdmin", "/", rb"id=\"?(?:serverinfo|pma_navigation)",
           "its databases", asks=rb"name=\"pma_password\""),
    _known("Adminer", r"^title: .{0,60}Adminer(?: [\d.]{1,9})?$"),
    _known("pgAdmin", r"^title: pgAdmin 4"),
    _known("Mongo Express", r"^title: .{0,40}Mongo Express", "/", rb"Mongo Express</title>", "its databases"),
    _known("Redis Commander", r"^title: Redis Commander", "/", rb"<title>Redis Commander", "its databases"),
    # Clusters, hypervisors, servers
    _known("Kubernetes Dashboard", r"^title: Kubernetes Dashboard"),
    _known("Argo CD", r"^title: Argo CD"),
    _known("Rancher", r"^title: Rancher$|^x-rancher-version: ?\S{0,30}"),
    _known("VMware ESXi", r"^title: .{0,9}ID_EESX_Welcome|^title: .{0,20}VMware ESXi"),
    _known("VMware vCenter",
           r"^title: (?:.{0,9}ID_VC_Welcome|.{0,20}(?:vSphere|VMware (?:vCenter|Appliance)))"),
    _known("Proxmox", r"^title: .{0,60}Proxmox|^server: pve-api-daemon", "/api2/json/version",
           rb'"release"\s{0,4}:', "its version"),
    _known("Webmin", r"^title: .{0,40}(?:Webmin|Usermin)|^server: MiniServ"),
    _known("Cockpit", r"^cookie: cockpit$", on_page=("/cockpit/static/", "cockpit/login.css")),
    _known("iDRAC", r"^title: .{0,30}iDRAC"),
    _known("iLO", r"^title: .{0,20}\biLO ?\d|^server: HPE?-iLO-Server"),
    _known("Supermicro BMC", r"^title: .{0,20}Supermicro BMC", on_page=("aten international",)),
    # Devices
    _known("MikroTik RouterOS", r"^title: .{0,20}RouterOS|^title: mikrotik routeros"),
    _known("pfSense", r"^title: (?:.{0,40}pfSense.{0,60} - |pfSense$)"),
    _known("OPNsense", r"^title: .{0,40}OPNsense"),
    _known("OpenWrt", r"^title: .{0,60}LuCI\b", on_page=("url=/cgi-bin/luci", "url=cgi-bin/luci")),
    _known("UniFi", r"^title: UniFi(?: Network| OS)?$"),
    _known("FRITZ!Box", r"^title: FRITZ!Box"),
    _known("DD-WRT", r"^title: .{0,40}DD-WRT"),
    _known("Synology DSM", r"^title: .{0,60}(?:Synology|DiskStation)"),
    _known("QNAP", r"^title: .{0,40}QNAP"),
    _known("HP printer", r"^title: .{0,20}HP (?:Color )?(?:LaserJet|OfficeJet|DeskJet|PageWide)"
           r"|^server: HP HTTP Server"),
    _known("Brother printer", r"^title: Brother (?:DCP|HL|MFC|NC)\b"),
    _known("Kyocera printer", r"^server: KM-MFP-http|^title: .{0,30}Kyocera Command Center"),
    _known("Lexmark printer", r"^title: .{0,10}Lexmark "),
    _known("Ricoh printer", r"^title: Web Image Monitor"),
    _known("Xerox printer", r"^title: .{0,30}(?:CentreWare|Xerox )"),
)  # fmt: skip
"""One row for each product. Where nothing can be asked that would decide, only its presence is told."""
