"""What a host offers to others, and how it keeps the time."""

from __future__ import annotations

from checks.check import check
from checks.facts.host.packages import Packages
from checks.facts.host.services import ListeningServices, TimeKeeping
from checks.facts.host.units import Processes, Units
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.host.fixes import disable_unit, enable_unit
from checks.model import Confidence, Exploit, Impact, Severity, Surface
from checks.verdict import Verdicts, expect, not_applicable, unknown

_PLAIN = {21: "FTP", 23: "Telnet", 512: "rexec", 513: "rlogin", 514: "rsh"}
_STORES = {
    1433: "SQL Server",
    1521: "Oracle",
    2375: "Docker without TLS",
    2379: "etcd",
    3306: "MySQL",
    5432: "PostgreSQL",
    5984: "CouchDB",
    6379: "Redis",
    7000: "Cassandra",
    8086: "InfluxDB",
    9042: "Cassandra",
    9200: "Elasticsearch",
    11211: "memcached",
    27017: "MongoDB",
}
_CLOCKS = {
    "chronyd": ("chronyd", "chrony"),
    "ntpd": ("ntpd", "ntp", "ntpsec", "openntpd"),
    "openntpd": ("openntpd",),
    "ntpsec": ("ntpsec",),
    "systemd-timesyncd": ("systemd-timesyncd",),
}
"""Daemons that set the clock, with their units; the one to keep first."""
_CRON = ("cron", "cronie", "crond", "dcron", "fcron", "bcron", "systemd-cron", "busybox-openrc")
_DISABLE = Snippet(
    Language.SHELL,
    'port=@{port}\nunit=$(systemctl status "$(ss -Hlntp "sport = :$port" | '
    "sed -n 's/.*pid=\\([0-9]*\\).*/\\1/p' | head -n 1)\" | awk 'NR == 1 { print $2 }')\n"
    'systemctl disable --now "$unit"',
)


@check(
    "host.services.plaintext-logins",
    title="No service takes passwords in the clear",
    severity=Severity.CRITICAL,
    impact=Impact.TOTAL,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Switch off services that take passwords in the clear",
        do="Stop and remove the service on port @{port} (@{service}); use SSH, and SFTP for files, instead.",
        verify="ss -Hlnt sport = :@{port}   # nothing",
        effort=Effort(setup=1, each=0.5),
        disruption=Disruption.OUTAGE,
        undo="`systemctl enable --now` for the same unit.",
        snippets=(_DISABLE,),
    ),
)
def plaintext_logins(found: ListeningServices) -> Verdicts:
    """Whoever listens on the way reads the password and uses it, here and wherever else it is valid."""
    bad = [
        one for one in found.listeners if one.protocol == "tcp" and one.port in _PLAIN and not one.loopback
    ]
    for one in bad:
        yield expect(
            False,
            on=f"{one.name} on {one.address}",
            saw=f"{one.program or 'a program'} listens on the port of {_PLAIN[one.port]}",
            want="nothing on that port",
            port=one.name,
            confidence=Confidence.CONFIRMED if one.program else Confidence.LIKELY,
            values={"service": _PLAIN[one.port]},
            cite=f":{one.port} ",
        )
    if not bad:
        yield expect(
            True, on="listening services", saw="none of them", want=", ".join(_PLAIN.values()) + ": none"
        )


@check(
    "host.services.open-stores",
    title="Data stores and control ports listen only where they must",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Bind data stores to the addresses that need them",
        do="Let @{service} (port @{port}) listen on 127.0.0.1 or on the address of the network that needs "
        "it, and let only its clients through the packet filter.",
        verify="ss -Hlnt sport = :@{port}   # 127.0.0.1, [::1] or an inner address",
        effort=Effort(setup=1, each=0.5),
        disruption=Disruption.RESTART,
        undo="Set the former listen address back and restart the service.",
        key="store-address:@{port}",
    ),
)
def open_stores(found: ListeningServices, *, allowed_ports: frozenset[int] = frozenset()) -> Verdicts:
    """Stores that listen everywhere are found by scanners within hours, and many ask for no password."""
    bad = [
        one
        for one in found.listeners
        if one.protocol == "tcp"
        and one.port in _STORES
        and one.address == "*"
        and one.port not in allowed_ports
    ]
    for one in bad:
        yield expect(
            False,
            on=one.name,
            saw=f"{one.program or 'a program'} listens on all addresses",
            want="loopback, or named addresses",
            port=one.name,
            confidence=Confidence.CONFIRMED if one.program else Confidence.LIKELY,
            values={"service": _STORES[one.port]},
            cite=f":{one.port} ",
        )
    if not bad:
        yield expect(
            True, on="listening services", saw="no store on all addresses", want="no store on all addresses"
        )


@check(
    "host.services.time-sync",
    title="The clock is synchronised",
    severity=Severity.MEDIUM,
    impact=Impact.MINOR,
    fix=Fix(
        action="Synchronise the clocks",
        do="Install chrony (or switch on systemd-timesyncd) with time servers that the host reaches.",
        verify="timedatectl show -p NTPSynchronized   # NTPSynchronized=yes",
        effort=Effort(setup=0.5, each=0.1),
        undo="Stop and disable the service.",
        snippets=(
            Snippet(
                Language.SHELL,
                "unit=chronyd\n"
                "if command -v apt-get >/dev/null; then unit=chrony\n"
                "  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chrony\n"
                "elif command -v dnf >/dev/null; then dnf install -y chrony\n"
                "elif command -v zypper >/dev/null; then zypper --non-interactive install chrony\n"
                "else apk add chrony; fi || exit 1\n"
                'if [ -d /run/systemd/system ]; then systemctl enable --now "$unit"\n'
                "elif command -v rc-update >/dev/null; then\n"
                "  rc-update add chronyd && rc-service chronyd start\n"
                "else chronyd; fi",
                "unit=chronyd\n"
                "if command -v apt-get >/dev/null; then unit=chrony; fi\n"
                'if [ -d /run/systemd/system ]; then systemctl disable --now "$unit"\n'
                "elif command -v rc-update >/dev/null; then rc-service chronyd stop; rc-update del chronyd\n"
                'else kill "$(cat /run/chrony/chronyd.pid)"; fi',
            ),
        ),
    ),
)
def time_sync(found: TimeKeeping) -> Verdicts:
    """Logs with wrong times prove nothing; certificates, tickets and one-time codes fail or live too long."""
    on = "clock"
    daemons = ", ".join(found.daemons)
    if found.answer == "silent" and found.container:
        yield unknown(on, f"this is a container ({found.container}): its host keeps the time")
    elif found.answer == "silent" and found.daemons:
        yield unknown(on, f"{daemons} runs, but nothing on the host says whether the clock is synchronised")
    else:
        saw = f"{found.answer} ({daemons})" if daemons else f"{found.answer}, no time daemon runs"
        yield expect(found.answer == "synchronised", on=on, saw=saw, want="synchronised")


@check(
    "host.services.one-time-daemon",
    title="One daemon alone sets the clock",
    severity=Severity.LOW,
    impact=Impact.MINOR,
    fix=Fix(
        action="Leave one daemon to set the clock",
        do="Stop `@{unit}`, which sets the clock beside @{kept}, and keep the next boot from starting it.",
        verify="systemctl is-enabled @{unit}   # disabled",
        effort=Effort(setup=0.25, each=0.05),
        undo="Start the unit again, now and at boot.",
        snippets=disable_unit(),
        key="time-daemon:@{unit}",
    ),
)
def one_time_daemon(clock: TimeKeeping, units: Units) -> Verdicts:
    """Two daemons correct each other's corrections, and the clock jumps while both call it right."""
    active = {name: units.starts(*names) for name, names in _CLOCKS.items()}
    at_work = [name for name in _CLOCKS if name in clock.daemons or active[name]]
    for name in at_work[1:]:
        known = active[name] or units.find(*_CLOCKS[name])
        unit = known[0].name if known else f"{_CLOCKS[name][0]}.service"
        yield expect(
            False,
            on=name,
            saw=f"runs or starts beside {at_work[0]}",
            want="one daemon",
            values={"unit": unit, "kept": at_work[0]},
        )
    if len(at_work) == 1:
        yield expect(True, on="time daemons", saw=at_work[0], want="one daemon")
    elif not at_work:
        yield not_applicable("time daemons", "no time daemon runs or starts")


@check(
    "host.services.scheduler",
    title="The scheduler of jobs runs",
    severity=Severity.LOW,
    impact=Impact.MINOR,
    fix=Fix(
        action="Start the scheduler of jobs",
        do="Start `@{unit}`, now and at every boot.",
        verify="systemctl is-enabled @{unit}   # enabled",
        effort=Effort(setup=0.25, each=0.05),
        undo="Stop the unit and keep the next boot from starting it.",
        snippets=enable_unit(),
        key="scheduler",
    ),
)
def scheduler(packages: Packages, units: Units, processes: Processes) -> Verdicts:
    """Without it log rotation, backups, updates and checks do not run, and nothing says so."""
    installed = sorted(packages.names.intersection(_CRON))
    names = ("cron", "crond", "cronie", "dcron", "fcron")
    running = processes.running("cron", "crond", "fcron")
    known = units.find(*names)
    if not installed and not running:
        yield not_applicable("cron", "no cron daemon is installed")
    elif not known and not running:
        yield unknown("cron", f"{', '.join(installed)} is installed, but no unit of it is known")
    else:
        starts = units.starts(*names)
        words = [one.name for one in starts] or [one.program for one in running]
        yield expect(
            bool(starts or running),
            on="cron",
            saw=", ".join(words) or f"{known[0].name} does not start",
            want="a scheduler that runs and starts at boot",
            values={"unit": known[0].name if known else "cron.service"},
        )
