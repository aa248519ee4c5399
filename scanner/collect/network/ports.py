"""The ports worth asking, and those to which nothing may be sent."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

USUAL: Mapping[int, str] = MappingProxyType(
    {
        # Remote administration
        22: "ssh", 23: "telnet", 512: "rexec", 513: "rlogin", 514: "rsh", 2222: "ssh", 3389: "rdp",
        5800: "vnc-http", 5900: "vnc", 5901: "vnc", 5902: "vnc", 5985: "winrm", 5986: "winrm-tls",
        6000: "x11", 6001: "x11", 10000: "webmin", 2323: "telnet", 992: "telnets", 4899: "radmin",
        # Files and names
        21: "ftp", 69: "tftp", 111: "rpcbind", 135: "msrpc", 137: "netbios-ns", 139: "netbios", 445: "smb",
        548: "afp", 873: "rsync", 990: "ftps", 2049: "nfs", 53: "dns", 88: "kerberos", 389: "ldap",
        464: "kpasswd", 636: "ldaps", 3268: "global-catalog", 3269: "global-catalog-tls", 3260: "iscsi",
        # Mail
        25: "smtp", 110: "pop3", 143: "imap", 465: "smtps", 587: "submission", 993: "imaps", 995: "pop3s",
        # Web
        80: "http", 81: "http", 443: "https", 591: "http", 3000: "http", 3001: "http", 4443: "https",
        4848: "glassfish", 5000: "http", 5001: "http", 7001: "weblogic", 7002: "weblogic-tls",
        7443: "https", 8000: "http", 8001: "http", 8008: "http", 8010: "http", 8080: "http",
        8081: "http", 8082: "http", 8088: "http", 8089: "splunkd", 8090: "http", 8161: "activemq",
        8180: "http", 8443: "https", 8500: "consul", 8834: "nessus", 8888: "http", 9000: "http",
        9001: "http", 9043: "websphere", 9060: "websphere", 9080: "http", 9090: "http", 9091: "http",
        9443: "https", 15672: "rabbitmq-http", 50070: "hdfs", 8983: "solr", 3128: "proxy", 1080: "socks",
        # Databases and caches
        1433: "mssql", 1521: "oracle", 2483: "oracle", 3050: "firebird", 3306: "mysql", 5432: "postgresql",
        5433: "postgresql", 5984: "couchdb", 6379: "redis", 6380: "redis", 7474: "neo4j", 7687: "neo4j",
        8086: "influxdb", 8123: "clickhouse", 9042: "cassandra", 9160: "cassandra", 9200: "elasticsearch",
        9300: "elasticsearch", 11211: "memcached", 26379: "redis-sentinel", 27017: "mongodb",
        27018: "mongodb", 27019: "mongodb", 28015: "rethinkdb", 50000: "db2",
        # Messages and coordination
        1883: "mqtt", 2181: "zookeeper", 4369: "epmd", 5671: "amqps", 5672: "amqp", 6667: "irc",
        8883: "mqtts", 9092: "kafka", 4222: "nats", 61616: "activemq",
        # Containers, clusters and hypervisors
        902: "vmware-auth", 2375: "docker", 2376: "docker-tls", 2377: "swarm", 2379: "etcd",
        2380: "etcd-peer", 5480: "vmware-appliance", 6443: "kubernetes", 8006: "proxmox",
        10250: "kubelet", 10255: "kubelet-read-only", 10257: "kube-controller", 10259: "kube-scheduler",
        16509: "libvirt",
        # Networks, observation, build
        179: "bgp", 1723: "pptp", 3690: "svn", 4786: "smart-install", 5060: "sip", 5601: "kibana",
        5666: "nrpe", 7547: "cwmp", 8291: "mikrotik", 8728: "mikrotik-api", 9100: "printer",
        10050: "zabbix", 10051: "zabbix", 9418: "git", 5555: "adb", 1099: "java-rmi", 9999: "http",
        4040: "spark-http", 4646: "nomad-http", 8200: "vault-http", 9093: "alertmanager-http",
        18080: "spark-http", 19999: "netdata-http",
    }
)  # fmt: skip
"""TCP port → the service that is usually there. Only a hint for the order of questions, never a finding."""

TOP = tuple(sorted(USUAL))
ALL = tuple(range(1, 65_536))

LISTS: Mapping[str, tuple[int, ...]] = MappingProxyType({"top": TOP, "all": ALL})
"""The port lists that a scope may name."""

FRAGILE: Mapping[int, str] = MappingProxyType(
    {
        102: "industrial control (S7)",
        502: "industrial control (Modbus)",
        515: "a printer queue",
        9100: "a printer that prints what it is sent",
        20000: "industrial control (DNP3)",
        44818: "industrial control (EtherNet/IP)",
        47808: "building control (BACnet)",
    }
)
"""Ports on which a byte can print, halt or switch something: they get a connection and nothing else."""

TLS_FIRST = frozenset(
    {443, 465, 636, 990, 992, 993, 995, 2376, 3269, 4443, 5671, 5986, 6443, 7002, 7443, 8006, 8443, 8883,
     9043, 9443, 10250, 10257, 10259}
)  # fmt: skip
"""Ports that usually speak TLS from the first byte."""

SPEAKS_FIRST = frozenset(
    {21, 22, 23, 25, 110, 143, 220, 587, 902, 2222, 2323, 3306, 5666, 5900, 5901, 5902, 873, 6667}
)
"""Ports on which the server usually speaks first: worth waiting for its first words."""


def numbers(name: str) -> tuple[int, ...]:
    """The ports of a named list.

    Raises:
        ValueError: there is no list of that name.

    """
    if name not in LISTS:
        raise ValueError(f"there is no list of ports {name}; there is {' and '.join(LISTS)}")
    return LISTS[name]
