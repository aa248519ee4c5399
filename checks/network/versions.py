"""Versions that servers tell: releases that nobody repairs any more, and famous flaws that may be there.

A banner is weak evidence: distributions repair old releases without a change of the number. Where the same
scan saw the host from the inside, its packages decide.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from checks.check import Check, check, make_check
from checks.facts.network import OpenPort, OpenPorts
from checks.facts.network.databases import DatabaseServers
from checks.facts.network.software import NOBODY_LOOKED, InstalledSoftware
from checks.facts.network.web import HttpAnswers
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.host.lifecycle import Release
from checks.model import Confidence, Exploit, Impact, Severity, Surface
from checks.network import lifecycle
from checks.network.installed import seen_inside
from checks.verdict import Verdict, Verdicts, expect, unknown

_BUILT = re.compile(
    r"(?i)debian|ubuntu|[+~-]deb\d|raspbian|red ?hat|centos|rocky|alma|\bel(?:[6-9]|10)\b|\.fc\d|fedora"
    r"|amzn|suse|alpine|freebsd|openbsd|netbsd|windows|bpo\d"
)
_ANOTHER = re.compile(
    r"(?i)tidb|vitess|proxysql|maxscale|oceanbase|aurora|clickhouse|manticore|percona|singlestore|doris|dolt"
    r"|yugabyte|valkey|keydb|dragonfly"
)
"""Programs that show the number of the one in whose place they are."""
_FAMILIES = {
    "Debian": re.compile(r"(?i)debian|raspbian|deb\d|bpo\d"),
    "Ubuntu": re.compile(r"(?i)ubuntu"),
    "RHEL": re.compile(r"(?i)red ?hat|centos|rocky|alma|\bel\d"),
    "SLES": re.compile(r"(?i)suse"),
    "Amazon": re.compile(r"(?i)amzn"),
}
"""The words by which banners name the distributions of the data."""
"""Words by which a banner says that a distribution or a maker of systems built the program."""
_WANT = "a release that still gets fixes"
_NEEDS = "the installed package, read on the host"
_BACK_PORTED = "possibly repaired by a distribution all the same: this is the banner alone"


@dataclass(frozen=True, slots=True)
class Program:
    """A program whose version a banner tells.

    `name` is its name in the data, `title` the one for people, `products` how its products begin.
    """

    name: str
    title: str
    products: tuple[str, ...]

    def is_at(self, port: OpenPort) -> bool:
        """Whether it speaks on this port; a MariaDB that is taken for MySQL says so in its version."""
        if "MariaDB" in port.version:
            return self.name == "mariadb"
        return port.product.startswith(self.products)


_PROGRAMS = (
    Program("openssh", "OpenSSH", ("OpenSSH",)),
    Program("dropbear", "Dropbear", ("Dropbear sshd",)),
    Program("apache-http-server", "Apache httpd", ("Apache httpd",)),
    Program("nginx", "nginx", ("nginx",)),
    Program("iis", "IIS", ("Microsoft IIS",)),
    Program("proftpd", "ProFTPD", ("ProFTPD",)),
    Program("exim", "Exim", ("Exim smtpd",)),
    Program("mysql", "MySQL", ("MySQL",)),
    Program("mariadb", "MariaDB", ("MariaDB",)),
    Program("postgresql", "PostgreSQL", ("PostgreSQL",)),
    Program("redis", "Redis", ("Redis",)),
    Program("mongodb", "MongoDB", ("MongoDB",)),
    Program("elasticsearch", "Elasticsearch", ("Elasticsearch",)),
    Program("memcached", "memcached", ("Memcached", "memcached")),
    Program("bind", "BIND", ("ISC BIND",)),
)
_IN_GREETINGS = (
    Program("mssql", "SQL Server", ("Microsoft SQL Server",)),
    Program("oracle", "Oracle Database", ("Oracle Database",)),
)
_IN_HEADERS = (Program("php", "PHP", ("PHP/",)), Program("openssl", "OpenSSL", ("OpenSSL/",)))


@dataclass(frozen=True, slots=True)
class _Told:
    """A version that a port told, the words around it, and what was seen of its host from the inside."""

    port: str
    version: str
    words: str
    inside: InstalledSoftware


def _judged(program: Program, told: _Told, today: date) -> Verdict:
    """What a version that was told says about the support of a program."""
    title, port, version = program.title, told.port, told.version
    dated = f"(data of {lifecycle.table_date(program.name)})"
    if not lifecycle.plain(version):
        return unknown(port, f"{title} tells no exact version", needs=_NEEDS, port=port)
    if another := _ANOTHER.search(f"{told.words} {version}"):
        reason = f"{title} {version}: {another[0]} shows the number of {title} in the place of its own"
        return unknown(port, reason, needs=_NEEDS, port=port)
    release = lifecycle.release_of(program.name, version)
    if release is None:
        if not lifecycle.newer_than_all(program.name, version):
            return unknown(port, f"{title} {version} is not in the data {dated}", needs=_NEEDS, port=port)
        saw = f"{title} {version}, newer than every release that has ended {dated}"
        return expect(True, on=port, saw=saw, want=_WANT, port=port)
    if release.supported(today):
        return expect(True, on=port, saw=f"{title} {version} {dated}", want=_WANT, port=port)
    return _ended(program, told, release, today)


def _ended(program: Program, told: _Told, release: Release, today: date) -> Verdict:
    """What is to be said of a release that its maker has ended."""
    dated = f"(data of {lifecycle.table_date(program.name)})"
    at = f" on {release.ended}" if release.ended != "past" else ""
    paid = f", with paid support until {release.extended}" if release.extended_on(today) else ""
    ended = f"{program.title} {told.version}: its maker ended {release.name}{at}{paid}"
    if inside := seen_inside(program.name, told.version, told.inside, today):
        saw = f"{ended}; {inside.words} {dated}"
        return expect(inside.repaired, on=told.port, saw=saw, want=_WANT, port=told.port)
    if doubt := _doubt(program.name, told.version, f"{told.words} {told.version}", today):
        return unknown(told.port, f"{ended}; {doubt} {dated}", needs=_NEEDS, port=told.port)
    saw = f"{ended}; {_BACK_PORTED} {dated}"
    possible = Confidence.POSSIBLE
    return expect(False, on=told.port, saw=saw, want=_WANT, port=told.port, confidence=possible)


def _doubt(program: str, version: str, words: str, today: date) -> str:
    """Who may repair an old version all the same; empty where nobody is known to."""
    carrier = lifecycle.carrier(program, version)
    if carrier and carrier.repairs_on(today):
        return f"{carrier.name} repairs it until {carrier.until}, and the banner does not tell whose it is"
    known = _FAMILIES[carrier.name.split()[0]].search(words) if carrier else None
    if _BUILT.search(words) and not known:
        return "the banner names a distribution, which may repair it"
    return ""


def _of_ports(program: Program) -> Check[Any]:
    def run(found: OpenPorts, inside: InstalledSoftware, *, now: datetime) -> Verdicts:
        for port in found.ports:
            if program.is_at(port):
                yield _judged(program, _Told(port.name, port.version, port.banner, inside), now.date())

    return _check(program, run)


def _of_greetings(program: Program) -> Check[Any]:
    def run(found: DatabaseServers, *, now: datetime) -> Verdicts:
        for server in found.servers:
            if server.product.startswith(program.products):
                yield _judged(program, _Told(server.port, server.version, "", NOBODY_LOOKED), now.date())

    return _check(program, run)


def _of_headers(program: Program) -> Check[Any]:
    [mark] = program.products
    told = re.compile(rf"(?<!\w){re.escape(mark)}([\w.+~-]{{1,40}})")

    def run(found: HttpAnswers, inside: InstalledSoftware, *, now: datetime) -> Verdicts:
        for answer in found.answers:
            header = f"{answer.powered_by} {answer.server}"
            if version := told.search(header):
                yield _judged(program, _Told(answer.port, version[1], header, inside), now.date())

    return _check(program, run)


def _check(program: Program, run: Any) -> Check[Any]:
    return make_check(
        run,
        f"network.versions.{program.name}",
        title=f"Every {program.title} is a release that still gets fixes",
        severity=Severity.HIGH,
        impact=Impact.SERIOUS,
        exploit=Exploit.AUTOMATABLE,
        surface=Surface.SERVICE,
        why=f"Nobody repairs an old {program.title} any more: every flaw that is found stays open for good.",
        fix=_FIX,
        refs=(lifecycle.reference(program.name),),
    )


_FIX = Fix(
    action="Move old network services to supported releases",
    do="Look on the host which package answers at @{on}, and who repairs it. Where nobody does, plan the "
    "move to "
    "a supported release of the program or of the whole system.",
    verify="nmap -Pn -sV -p @{port} @{target}   # a version that is supported",
    effort=Effort(setup=2.0, each=1.0),
    disruption=Disruption.RESTART,
    undo="Install the former version of the package.",
    snippets=(
        Snippet(
            Language.SHELL,
            "# On @{target}: the program behind the port, its package and its version.\n"
            "port=@{port}\n"
            'pid=$(ss -ltnpH "sport = :$port" | grep -o "pid=[0-9]*" | head -n 1)\n'
            'file=$(readlink -f "/proc/${pid#pid=}/exe")\n'
            'dpkg -S "$file" 2>/dev/null || rpm -qf "$file"\n'
            "# Then upgrade that package, or move to a release of the system that still gets fixes.",
            "# Nothing was changed yet.",
        ),
    ),
    key="service-version:@{target}:@{on}",
)

SUPPORT = (
    *map(_of_ports, _PROGRAMS),
    *map(_of_greetings, _IN_GREETINGS),
    *map(_of_headers, _IN_HEADERS),
)
"""One check for each program: whether the release that it tells still gets fixes."""


@check(
    "network.versions.known-flaws",
    title="No service tells a version with a famous flaw",
    severity=Severity.HIGH,
    impact=Impact.TOTAL,
    exploit=Exploit.POC,
    surface=Surface.SERVICE,
    fix=_FIX,
)
def known_flaws(found: OpenPorts, *, now: datetime) -> Verdicts:
    """A few flaws are tried on every machine that shows such a version; only the host tells if it has it."""
    for port in found.ports:
        mine = [flaw for flaw in lifecycle.flaws() if _concerns(flaw, port)]
        if not mine:
            continue
        shown = f"{port.product} {port.version}"
        exact = lifecycle.plain(port.version)
        hit = [flaw for flaw in mine if exact and flaw.has(port.version)]
        if not exact or (not hit and any(flaw.may_have(port.version) for flaw in mine)):
            yield unknown(port.name, f"{port.product} tells no exact version", needs=_NEEDS, port=port.name)
        elif hit and (doubt := _repaired(port, now.date())):
            yield unknown(port.name, f"{shown}: {_named(hit)}; {doubt}", needs=_NEEDS, port=port.name)
        else:
            yield expect(
                not hit,
                on=port.name,
                saw=f"{shown}, possibly: {_named(hit)} (by its banner alone)" if hit else shown,
                want="a version without a famous flaw",
                port=port.name,
                confidence=Confidence.POSSIBLE if hit else Confidence.LIKELY,
            )


def _concerns(flaw: lifecycle.Flaw, port: OpenPort) -> bool:
    """Whether the flaw is one of this program: MariaDB is often taken for MySQL."""
    return port.product.startswith(flaw.product) and "MariaDB" not in port.version


def _repaired(port: OpenPort, today: date) -> str:
    """Why the program may be another, or repaired under its old number; empty where nothing says so."""
    words = f"{port.product} {port.banner} {port.version}"
    if another := _ANOTHER.search(words):
        return f"{another[0]} shows this number in the place of its own"
    name = next((program.name for program in _PROGRAMS if program.is_at(port)), "")
    carrier = lifecycle.carrier(name, port.version)
    if carrier and carrier.repairs_on(today):
        return f"{carrier.name} has it too and repairs it, and the banner does not tell whose it is"
    return "the banner names a distribution, which may have repaired it" if _BUILT.search(words) else ""


def _named(flaws: Iterable[lifecycle.Flaw]) -> str:
    return "; ".join(flaw.what for flaw in flaws)
