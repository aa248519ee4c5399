"""Which doors only administrators or other servers should reach: the table behind `exposure`."""

from __future__ import annotations

from dataclasses import dataclass

from checks.model import Exploit, Impact, Severity, Weakness


@dataclass(frozen=True, slots=True)
class Door:
    """A kind of service that should not be reachable: how it is known, how bad it is, and what to do.

    `services` are names of identified services, `ports` where it usually listens: a port on which
    nothing was identified counts by its number, with less confidence.
    """

    name: str
    title: str
    services: frozenset[str]
    ports: tuple[int, ...]
    severity: Severity
    exploit: Exploit
    why: str
    action: str
    do: str
    impact: Impact | None = None
    weakness: Weakness | None = None
    inner: bool = False
    """Whether the machine itself may well reach it: then a look from there decides nothing."""
    web: tuple[int, ...] = ()
    """Those of the usual ports on which the service itself speaks HTTP: that it does is no other service."""


DOORS = (
    Door(
        name="telnet",
        title="No Telnet service is reachable",
        services=frozenset({"telnet"}),
        ports=(23, 2323),
        severity=Severity.HIGH,
        exploit=Exploit.POC_AUTOMATABLE,
        why="Telnet carries passwords in clear text, and machines that offer it are what botnets look for.",
        action="Replace Telnet by SSH",
        do="Turn the Telnet service off and use SSH; where a device knows nothing else, let only the "
        "management network reach it.",
    ),
    Door(
        name="remote-shells",
        title="No rexec, rlogin or rsh service is reachable",
        services=frozenset({"rexec", "rlogin", "rsh"}),
        ports=(512, 513, 514),
        severity=Severity.HIGH,
        exploit=Exploit.POC_AUTOMATABLE,
        why="The r-services trust whoever claims the right address and name, in clear text.",
        action="Turn the r-services off",
        do="Remove rexec, rlogin and rsh and use SSH.",
    ),
    Door(
        name="remote-desktop",
        title="No remote desktop (RDP) is reachable",
        services=frozenset({"rdp"}),
        ports=(3389,),
        severity=Severity.HIGH,
        exploit=Exploit.POC_AUTOMATABLE,
        why="Remote desktops are guessed and exploited without a pause; ransomware often comes in this way.",
        action="Put remote desktops behind a VPN or gateway",
        do="Let only a VPN or a remote desktop gateway reach this port, and require network-level "
        "authentication.",
        impact=Impact.TOTAL,
    ),
    Door(
        name="vnc",
        title="No VNC screen is reachable",
        services=frozenset({"vnc", "vnc-http"}),
        ports=(5900, 5901, 5902, 5800),
        severity=Severity.HIGH,
        exploit=Exploit.AUTOMATABLE,
        why="VNC protects a whole desktop with at most eight characters and often without encryption.",
        action="Put VNC behind SSH or a VPN",
        do="Bind the VNC server to loopback and reach it through an SSH tunnel or a VPN.",
        impact=Impact.TOTAL,
        web=(5800,),
    ),
    Door(
        name="file-sharing",
        title="No Windows file sharing (SMB) is reachable",
        services=frozenset({"smb", "netbios-ssn", "microsoft-ds"}),
        ports=(139, 445),
        severity=Severity.HIGH,
        exploit=Exploit.POC_AUTOMATABLE,
        why="SMB is how worms and ransomware move from one machine to the next.",
        action="Limit SMB to the file servers' clients",
        do="Let only the clients of this file server reach ports 139 and 445; on machines that share "
        "nothing, "
        "turn file sharing off.",
    ),
    Door(
        name="windows-management",
        title="No Windows remote management (WinRM, MSRPC) is reachable",
        services=frozenset({"winrm", "winrm-tls", "msrpc"}),
        ports=(135, 5985, 5986),
        severity=Severity.MEDIUM,
        exploit=Exploit.AUTOMATABLE,
        why="Whoever has a stolen password runs commands through remote management at once.",
        action="Limit Windows remote management to the management network",
        do="Let only the management network reach ports 135, 5985 and 5986.",
        web=(5985, 5986),
    ),
    Door(
        name="x11",
        title="No X11 display is reachable",
        services=frozenset({"x11"}),
        ports=(6000, 6001),
        severity=Severity.HIGH,
        exploit=Exploit.POC_AUTOMATABLE,
        why="Who may talk to an X11 display reads every key that is typed there.",
        action="Stop X11 from listening on the network",
        do="Start the X server with `-nolisten tcp` and use X11 forwarding over SSH.",
    ),
    Door(
        name="network-files",
        title="No NFS, rpcbind, rsync, iSCSI or AFP service is reachable",
        services=frozenset({"nfs", "rpcbind", "rsync", "iscsi", "afp"}),
        ports=(111, 548, 873, 2049, 3260),
        severity=Severity.MEDIUM,
        exploit=Exploit.POC_AUTOMATABLE,
        why="These services trust addresses; whoever reaches them often reads and writes whole file systems.",
        action="Limit network file services to their clients",
        do="Let only the clients of these services reach their ports, and name them in the exports.",
    ),
    Door(
        name="hypervisors",
        title="No hypervisor console is reachable",
        services=frozenset({"vmware-auth", "proxmox"}),
        ports=(902, 5480, 8006, 16509),
        severity=Severity.HIGH,
        exploit=Exploit.AUTOMATABLE,
        why="Who takes a hypervisor has every machine on it, and their backups.",
        action="Move hypervisor consoles into the management network",
        do="Let only the management network reach the consoles and APIs of hypervisors.",
        impact=Impact.TOTAL,
        web=(5480, 8006),
    ),
    Door(
        name="clusters",
        title="No control port of a cluster is reachable",
        services=frozenset({"etcd", "kubelet", "swarm", "zookeeper", "consul"}),
        ports=(2377, 2379, 2380, 8500, 10250, 10255, 10257, 10259, 2181),
        severity=Severity.HIGH,
        exploit=Exploit.AUTOMATABLE,
        why="The stores and agents of a cluster hold its secrets and start its workloads.",
        action="Limit cluster control ports to the cluster's own nodes",
        do="Let only the nodes and control plane of the cluster reach these ports, and require client "
        "certificates.",
        impact=Impact.TOTAL,
        web=(2379, 2380, 8500, 10250, 10255, 10257, 10259),
    ),
    Door(
        name="device-management",
        title="No device management port is reachable",
        services=frozenset({"radmin", "mikrotik", "mikrotik-api", "smart-install", "cwmp", "adb", "webmin"}),
        ports=(4786, 4899, 5555, 7547, 8291, 8728, 10000),
        severity=Severity.HIGH,
        exploit=Exploit.POC_AUTOMATABLE,
        why="Management ports of routers, switches and appliances have a long record of remote takeovers.",
        action="Limit device management to the management network",
        do="Let only the management network reach these ports; turn off what nobody uses.",
        impact=Impact.TOTAL,
        web=(7547, 10000),
    ),
    Door(
        name="databases",
        title="No database port is reachable",
        services=frozenset(
            {
                "mysql",
                "postgresql",
                "mssql",
                "ms-sql-s",
                "oracle",
                "oracle-tns",
                "redis",
                "mongodb",
                "memcached",
                "elasticsearch",
                "cassandra",
                "couchdb",
                "firebird",
                "influxdb",
                "neo4j",
            }
        ),
        ports=(1433, 1521, 3306, 5432, 6379, 9042, 9200, 11211, 27017),
        severity=Severity.HIGH,
        exploit=Exploit.AUTOMATABLE,
        why="A database that anybody reaches is one weak password or one flaw away from being copied.",
        action="Let only the application servers reach the databases",
        do="Bind the database to loopback or to the network of its application servers, and close its port "
        "to all others.",
        inner=True,
        web=(9200,),
    ),
)
