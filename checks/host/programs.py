"""Server programs among the packages: whose release they are of, and until when somebody mends it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from checks.facts.host.packages import Package, Packages
from checks.facts.host.system import OperatingSystem
from checks.facts.intel import LifeCycles
from checks.host.lifecycle import find, release_of


@dataclass(frozen=True, slots=True)
class Product:
    """A product of the life-cycle data, and the names of the packages that hold its server."""

    name: str
    title: str
    packages: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Program:
    """An installed server program. `foreign` says that its package is not the distribution's own."""

    product: str
    title: str
    package: str
    version: str
    foreign: bool


@dataclass(frozen=True, slots=True)
class Said:
    """Whether a program is supported and by whom; `reason` where that is not known."""

    held: bool
    saw: str
    cycle: str = ""
    reason: str = ""


def _product(name: str, title: str, packages: str) -> Product:
    return Product(name, title, re.compile(packages))


PRODUCTS = (
    _product("apache-http-server", "Apache httpd", r"apache2|httpd"),
    _product("consul", "Consul", r"consul"),
    _product("containerd", "containerd", r"containerd(\.io)?"),
    _product("docker-engine", "Docker Engine", r"docker-ce|docker\.io|moby-engine|docker-engine"),
    _product("elasticsearch", "Elasticsearch", r"elasticsearch(-oss)?"),
    _product("etcd", "etcd", r"etcd(-server)?"),
    _product("grafana", "Grafana", r"grafana(-enterprise)?"),
    _product("haproxy", "HAProxy", r"haproxy"),
    _product("influxdb", "InfluxDB", r"influxdb[23]?"),
    _product("jenkins", "Jenkins", r"jenkins"),
    _product("kibana", "Kibana", r"kibana(-oss)?"),
    _product("logstash", "Logstash", r"logstash(-oss)?"),
    _product("mariadb", "MariaDB", r"mariadb-server(-\d[\d.]*)?|MariaDB-server"),
    _product("memcached", "memcached", r"memcached"),
    _product("mongodb", "MongoDB", r"mongodb-(org-server|enterprise-server|server(-core)?)"),
    _product("mysql", "MySQL", r"mysql-(server(-core)?-\d[\d.]*|community-server|server)"),
    _product("nginx", "nginx", r"nginx"),
    _product("nodejs", "Node.js", r"nodejs"),
    _product("openssl", "OpenSSL", r"openssl"),
    _product("opensearch", "OpenSearch", r"opensearch"),
    _product(
        "php", "PHP", r"php\d\.\d-(fpm|cgi|cli)|libapache2-mod-php\d\.\d|php(\d{2})?(-fpm)?|php-(fpm|cli)"
    ),
    _product("postgresql", "PostgreSQL", r"postgresql-\d[\d.]*|postgresql(\d+)?-server|postgresql\d+"),
    _product("python", "Python", r"python[23]\.\d+|python\d{2,3}|python2"),
    _product("rabbitmq", "RabbitMQ", r"rabbitmq-server"),
    _product("redis", "Redis", r"redis(-server)?"),
    _product("ruby", "Ruby", r"ruby\d\.\d|ruby"),
    _product("squid", "Squid", r"squid"),
    _product("tomcat", "Tomcat", r"tomcat\d*"),
    _product("valkey", "Valkey", r"valkey(-server)?"),
    _product("zabbix", "Zabbix", r"zabbix-(server|proxy)(-(mysql|pgsql|sqlite3))?"),
)
_UPSTREAM = re.compile(r"(?:\d+:)?(\d+(?:\.\d+)*)")
# How repositories of others mark what they build for a distribution.
_FOREIGN = re.compile(
    r"pgdg|nodesource|\.remi|\.ngx|\+maria~|\.ius|sury|gbp[0-9a-f]{6}|rl\d+~|-\d+debian\d+$|-\d+ubuntu\d\d\.\d\d$|"
    r"~(?:debian|ubuntu)\.|~(?:stretch|buster|bullseye|bookworm|trixie|bionic|focal|jammy|noble)",
    re.IGNORECASE,
)
_FOREIGN_NAMES = re.compile(
    r"docker-ce|docker-engine|containerd\.io|mongodb-(org|enterprise)-.*|mysql-community-.*|MariaDB-.*|"
    r"elasticsearch.*|kibana.*|logstash.*|opensearch|grafana-enterprise|jenkins|influxdb[23]|postgresql\d+-server"
)


def installed(packages: Packages) -> Iterator[Program]:
    """The server programs of a host, one for each package that holds one."""
    seen: set[str] = set()
    for package in packages.packages:
        product = _product_of(package.name)
        upstream = _UPSTREAM.match(package.version) if product else None
        if product and upstream and package.name not in seen:
            seen.add(package.name)
            foreign = _foreign(package, packages.manager)
            yield Program(product.name, product.title, package.name, upstream[1], foreign)


@lru_cache(maxsize=65_536)
def _product_of(package: str) -> Product | None:
    """The product in a package of that name; hosts share most of theirs, so the answers are kept."""
    return next((product for product in PRODUCTS if product.packages.fullmatch(package)), None)


def supported(one: Program, system: OperatingSystem, cycles: LifeCycles, day: date) -> Said:
    """Whether somebody mends a program on that day: its maker, or the distribution that packages it.

    A distribution mends its own packages as long as the release is supported, also after their maker has
    stopped; a package from somewhere else lives as long as its maker's support.
    """
    release = find(one.product, one.version, cycles)
    cycle = release.name if release else one.version
    if release and release.supported(day):
        return Said(True, f"{one.title} {one.version}, {release.until(day, 0)}", cycle)
    ended = (
        f"its maker's support ended on {release.ended}" if release else "its maker's data does not know it"
    )
    if one.foreign:
        if release is None:
            return Said(False, "", cycle, f"{one.title} {one.version}: not in the life-cycle data")
        return Said(False, f"{one.title} {one.version}, {ended}, and it is not the system's own", cycle)
    base = release_of(system, cycles)
    if base is None:
        return Said(False, "", cycle, f"{one.title} {one.version}: {ended}; {system.name} is not in the data")
    if base.supported(day) or (base.extended_free and base.extended_on(day)):
        until = base.ended if base.supported(day) else base.extended
        mended = f"mended by {system.name}{f' until {until}' if until else ''}"
        return Said(True, f"{one.title} {one.version}, {mended}; {ended}", cycle)
    return Said(False, f"{one.title} {one.version}, {ended}, and support of {system.name} has ended", cycle)


def _foreign(package: Package, manager: str) -> bool:
    if manager == "apk":
        return False
    if _FOREIGN.search(package.version) or _FOREIGN_NAMES.fullmatch(package.name):
        return True
    # A distribution's own packages have a revision; what is packaged by its maker often has none.
    return manager == "dpkg" and "-" not in package.version
