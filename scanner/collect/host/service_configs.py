"""The configurations of servers: read by one fragment, sorted here by server, then read one by one."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from checks.facts.host.databases import MongoDb, MySql, PostgreSql, Redis, SearchEngine
from checks.facts.host.shares import FtpDaemons, NfsExports, Samba, SnmpAgent
from checks.facts.host.web import ProxyAccess, WebServers
from checks.facts.snapshot import Absence, Fact, Gap
from scanner.collect.collector import Collected
from scanner.collect.host import database_configs, share_configs, web_configs
from scanner.collect.host.configs import Files
from scanner.collect.host.probe import ParseError, Probe, rows
from scanner.collect.host.service_script import PROTECTED, SCRIPT

_SUDO = f"/usr/bin/grep -rsH ^ {PROTECTED}"
_KINDS = (
    (r"/etc/nginx|/usr/local/nginx", "nginx"),
    (r"/etc/(apache2|httpd)", "apache"),
    (r"/etc/vsftpd", "vsftpd"),
    (r"/etc/proftpd", "proftpd"),
    (r"/etc/pure-ftpd", "pureftpd"),
    (r"/etc/exports", "exports"),
    (r"/etc/samba", "samba"),
    (r"/etc/snmp", "snmp"),
    (r"/etc/squid", "squid"),
    (r"/etc/(mysql|my\.cnf)", "mysql"),
    (r"/etc/postgresql|/var/lib/pgsql", "postgres"),
    (r"/etc/(redis|valkey)", "redis"),
    (r"/etc/mongod", "mongo"),
    (r"/etc/(elastic|open)search", "elastic"),
)
_COVERED = tuple(PROTECTED.split())


@dataclass(frozen=True, slots=True)
class _Topic:
    """One fact: the kinds of files that it is made of, and the programs that would have such files."""

    fact: type[Fact]
    kinds: tuple[str, ...]
    programs: tuple[str, ...]
    read: Callable[[Files], Collected]
    what: str


_TOPICS = (
    _Topic(
        WebServers, ("nginx", "apache"), ("nginx", "apache2", "httpd"), web_configs.sites, "nginx, Apache"
    ),
    _Topic(ProxyAccess, ("squid",), ("squid",), web_configs.proxy, "Squid"),
    _Topic(
        FtpDaemons,
        ("vsftpd", "proftpd", "pureftpd"),
        ("vsftpd", "proftpd", "pure-ftpd"),
        share_configs.ftp,
        "vsftpd, ProFTPD, Pure-FTPd",
    ),
    _Topic(NfsExports, ("exports",), (), share_configs.nfs, "NFS"),
    _Topic(Samba, ("samba",), ("smbd",), share_configs.samba, "Samba"),
    _Topic(SnmpAgent, ("snmp",), ("snmpd",), share_configs.snmp, "the SNMP agent"),
    _Topic(MySql, ("mysql",), ("mysqld", "mariadbd"), database_configs.mysql, "MySQL, MariaDB"),
    _Topic(PostgreSql, ("hba", "postgres"), ("postgres",), database_configs.postgres, "PostgreSQL"),
    _Topic(Redis, ("redis",), ("redis-server", "valkey-server"), database_configs.redis, "Redis, Valkey"),
    _Topic(MongoDb, ("mongo",), ("mongod",), database_configs.mongo, "MongoDB"),
    _Topic(SearchEngine, ("elastic",), (), database_configs.search, "Elasticsearch, OpenSearch"),
)


@dataclass(slots=True)
class _Seen:
    files: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    runs: set[str] = field(default_factory=set)
    cut: set[str] = field(default_factory=set)
    whole: bool = False


def parse(text: str) -> Collected:
    """The facts about all servers that have a configuration here; the others are absent, as seen."""
    seen = _Seen()
    for row in rows(text):
        _row(row, seen)
    if not seen.whole:
        raise ParseError("the configurations were not told to their end")
    told = [_told(topic, seen) for topic in _TOPICS]
    return Collected(
        tuple(fact for one in told for fact in one.facts),
        tuple(gap for one in told for gap in one.gaps),
        tuple(absence for one in told for absence in one.absences),
    )


def _row(row: list[str], seen: _Seen) -> None:
    match row:
        case ["runs", program]:
            seen.runs.add(program)
        case ["file", kind, file]:
            seen.files.setdefault(kind, {}).setdefault(file, [])
        case ["unread" | "asked" as word, path]:
            if word == "unread" or not any(_within(path, one) for one in _COVERED):
                seen.unread[path] = _kind(path)
        case ["cut", file]:
            seen.cut.add(file)
        case ["end"]:
            seen.whole = True
        case [kind, file, line] if file in seen.files.get(kind, {}):
            seen.files[kind][file].append(line)
        case _:
            raise ParseError(f"unexpected line {row[0][:40]!r}")


def _within(path: str, covered: str) -> bool:
    return path == covered or path.startswith(f"{covered}/") or covered.startswith(f"{path}/")


def _needs(path: str) -> str:
    """What shows that file: sudo only where its one command covers it."""
    covered = any(_within(path, one) for one in _COVERED)
    return f"sudo: {_SUDO}" if covered else f"read access to {path}"


def _kind(path: str) -> str:
    return next((kind for pattern, kind in _KINDS if re.match(pattern, path)), "")


def _told(topic: _Topic, seen: _Seen) -> Collected:
    name = topic.fact.__name__
    files: Files = {kind: seen.files[kind] for kind in topic.kinds if seen.files.get(kind)}
    hidden = [path for path, kind in seen.unread.items() if kind in topic.kinds]
    gaps = [Gap(name, f"{path} may not be read", where=path, needs=_needs(path)) for path in hidden]
    long = [path for kind in files for path in files[kind] if path in seen.cut]
    gaps += [Gap(name, f"{path} is too long to be read whole", where=path) for path in long]
    if files:
        found = topic.read(files)
        if found.facts or found.gaps or gaps:
            # What could not be read may be the very thing that would be absent.
            return Collected(found.facts, (*gaps, *found.gaps), () if gaps else found.absences)
    if gaps:
        return Collected(gaps=tuple(gaps))
    running = sorted(seen.runs.intersection(topic.programs))
    if running:
        reason = f"{running[0]} runs, but its configuration is not where it is looked for"
        return Collected(gaps=(Gap(name, f"{reason}; it may live in a container"),))
    return Collected(absences=(Absence(name, f"no configuration of {topic.what} is on the host"),))


PROBE = Probe(
    "service-configs",
    tuple(topic.fact for topic in _TOPICS),
    SCRIPT,
    parse,
    how="the configuration files of servers, secrets left out",
    privileges=(_SUDO,),
    seconds=15,
    limit=1_048_576,
)
