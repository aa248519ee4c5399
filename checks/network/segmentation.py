"""Whether zones are kept apart as the scope says, and the ways that must work do."""

from __future__ import annotations

from checks.check import check
from checks.facts.network.segmentation import Crossing, RequiredWays, TriedWays
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.model import Exploit, Impact, Severity, Surface
from checks.verdict import Verdicts, expect, unknown

ADMINISTRATION = frozenset(
    {
        "ssh", "telnet", "rexec", "rlogin", "rsh", "rdp", "vnc", "vnc-http", "winrm", "winrm-tls", "msrpc",
        "x11", "webmin", "radmin", "docker", "kubelet", "kubernetes", "etcd", "libvirt", "proxmox",
        "vmware-auth", "vmware-appliance", "mikrotik", "mikrotik-api", "smart-install", "cwmp", "snmp",
        "ipmi", "java-rmi", "adb", "redis", "memcached", "mongodb", "mysql", "postgresql", "mssql", "oracle",
        "elasticsearch", "couchdb", "cassandra", "influxdb", "neo4j", "clickhouse", "firebird", "db2",
        "rethinkdb", "zookeeper",
    }
)  # fmt: skip
"""Services through which machines are administered, and stores of data."""

ADMINISTRATION_PORTS = frozenset(
    {
        "tcp/22", "tcp/23", "tcp/512", "tcp/513", "tcp/514", "tcp/3389", "tcp/5900", "tcp/5901", "tcp/5985",
        "tcp/5986", "tcp/902", "tcp/2375", "tcp/2376", "tcp/2379", "tcp/6443", "tcp/8006", "tcp/8291",
        "tcp/10250", "tcp/1433", "tcp/1521", "tcp/3306", "tcp/5432", "tcp/6379", "tcp/9042", "tcp/9200",
        "tcp/11211", "tcp/27017", "udp/161", "udp/623",
    }
)  # fmt: skip
"""Where these usually listen: what counts where nobody could tell what speaks there."""

_BETWEEN = (
    "# On the gateway between @{source} and @{zone}; @{example} stands for the network of the former:\n"
)
_TABLE = (
    "nft add table inet bartizan_zones\n"
    "nft add chain inet bartizan_zones forward '{ type filter hook forward priority -10; }'\n"
)
_RULE = (
    "nft add rule inet bartizan_zones forward @{family} saddr @{example} @{family} daddr @{address} "
    "@{protocol} dport @{port} drop"
)
_UNDO = "nft delete table inet bartizan_zones   # and every other rule that was put into it"


@check(
    "network.segmentation.leak",
    title="Zones let in only what the scope names",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Close @{protocol}/@{port} of @{zone} to @{source}",
        do="Deny the way on the firewall between the two zones, or stop the service; where it is wanted, "
        "name it in the scope under `reach`.",
        verify="nc -zvw3 @{address} @{port}   # from @{source}: no connection",
        effort=Effort(setup=0.25, each=0.1),
        disruption=Disruption.NONE,
        undo="Take the rule out again.",
        snippets=(Snippet(Language.SHELL, f"{_BETWEEN}{_TABLE}{_RULE}", f"{_BETWEEN}{_UNDO}"),),
        key="zones:@{source}:@{zone}:@{protocol}/@{port}",
    ),
)
def leak(
    found: Crossing,
    *,
    administration: frozenset[str] = ADMINISTRATION,
    ports: frozenset[str] = ADMINISTRATION_PORTS,
) -> Verdicts:
    """What passes between zones unasked is how an intruder or a worm goes from one to the next."""
    want = f"from {found.source} only: {found.allowed}"
    for one in found.leaks:
        worse = one.service in administration if one.service else one.port in ports
        protocol, _, port = one.port.partition("/")
        yield expect(
            False,
            on=one.port,
            saw=f"open to {found.source}" + (f": {one.service}" if one.service else ""),
            want=want,
            port=one.port,
            severity=Severity.CRITICAL if worse else None,
            values={
                "source": found.source,
                "zone": found.zone,
                "protocol": protocol,
                "port": port,
                "address": one.address,
                **_family(one.address),
            },
        )
    if not found.leaks and found.denied:
        saw = f"none of {found.denied} ports: {found.closed} refused, {found.silent} silent to two tries"
        yield expect(True, on=found.way, saw=saw, want=want)
    elif not found.leaks:
        yield unknown(found.way, "no port was asked that may not pass", needs="more ports: under the network")


@check(
    "network.segmentation.tested",
    title="What zones keep from each other was tried",
    severity=Severity.LOW,
    exploit=Exploit.HARDENING,
    surface=Surface.LOCAL,
    fix=Fix(
        action="Scan @{zone} from @{source}",
        do="Put a scanner into @{source}, with `vantage: @{source}` under the network in its scope, and join "
        "what both saw: `bartizan scans export` there, `bartizan scan --view` here.",
        verify="bartizan segmentation   # the cell @{source} → @{zone} holds",
        effort=Effort(setup=1, each=0.25),
        undo="Nothing was changed.",
        key="vantage:@{source}",
    ),
)
def tested(found: TriedWays) -> Verdicts:
    """A rule that nobody tried is a hope: only a probe from the very zone shows what gets out of it."""
    for one in found.ways:
        if one.reason:
            yield unknown(one.way, one.reason, needs=one.needs)
            continue
        yield expect(
            True,
            on=one.way,
            saw=f"{one.addresses} addresses × {one.ports} ports, {one.live} live, {one.leaks} leaks",
            want=f"a try of what is not allowed ({one.allowed})",
        )


@check(
    "network.segmentation.blocked",
    title="What must be reachable between zones is",
    severity=Severity.MEDIUM,
    impact=Impact.MINOR,
    exploit=Exploit.HARDENING,
    surface=Surface.LOCAL,
    fix=Fix(
        action="Open @{protocol}/@{port} from @{source} to @{zone}",
        do="Look at the firewall between the zones and at the service; where the way is not needed any more, "
        "take `required` from its entry in the scope.",
        verify="nc -zvw3 @{address} @{port}   # from @{source}: it connects",
        effort=Effort(setup=0.5, each=0.1),
        disruption=Disruption.NONE,
        undo="Take the rule out again.",
        snippets=(
            Snippet(
                Language.SHELL,
                f"{_BETWEEN}{_TABLE}"
                "nft insert rule inet bartizan_zones forward @{family} saddr @{example} @{protocol} "
                "dport @{port} accept",
                f"{_BETWEEN}{_UNDO}",
            ),
        ),
        key="zones:@{source}:@{zone}:@{protocol}/@{port}:required",
    ),
)
def blocked(found: RequiredWays) -> Verdicts:
    """A way that must work and does not is an outage, or a firewall in another state than people think."""
    for one in found.ways:
        protocol, _, port = one.port.partition("/")
        if one.reason:
            yield unknown(one.name, one.reason, needs=f"a scan from {one.source} that asks {one.port}")
            continue
        yield expect(
            bool(one.open_at),
            on=one.name,
            saw=f"open at {', '.join(one.open_at[:5])}" if one.open_at else f"open at none of {one.tried}",
            want=f"{one.port} open from {one.source}",
            values={
                "source": one.source,
                "zone": one.zone,
                "protocol": protocol,
                "port": port,
                "address": one.hosts or one.zone,
                **_family(one.hosts),
            },
        )


def _family(address: str) -> dict[str, str]:
    """How nft calls the protocol of an address, and a network of it that stands for the reader's own."""
    if ":" in address:
        return {"family": "ip6", "example": "2001:db8::/32"}
    return {"family": "ip", "example": "192.0.2.0/24"}
