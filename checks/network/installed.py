"""What the host itself says of a program whose release has ended by its banner."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from checks.facts.host.packages import Package
from checks.facts.network.software import InstalledSoftware
from checks.host.lifecycle import release_of
from checks.network.lifecycle import plain

_PACKAGES: Mapping[str, str] = MappingProxyType(
    {
        "openssh": r"openssh-server",
        "dropbear": r"dropbear(?:-bin)?",
        "apache-http-server": r"apache2(?:-bin)?|httpd",
        "nginx": r"nginx(?:-core|-light|-full|-extras)?",
        "proftpd": r"proftpd(?:-core|-basic)?",
        "exim": r"exim4-daemon-\w+|exim",
        "mysql": r"mysql-server(?:-core)?(?:-[\d.]+)?",
        "mariadb": r"mariadb-server(?:-core)?(?:-[\d.]+)?",
        "postgresql": r"postgresql-\d+|postgresql-server",
        "redis": r"redis(?:-server)?",
        "memcached": r"memcached",
        "bind": r"bind9?",
        "php": r"php[\d.]*(?:-cli|-fpm|-cgi)?|libapache2-mod-php[\d.]*",
        "openssl": r"openssl|libssl[\d.]+(?:t64)?|openssl-libs",
    }
)
"""Program → the packages of distributions that hold it."""
_OF_DISTRIBUTION = re.compile(r"[+~]deb\d+u\d|ubuntu\d|\.el\d+(?:_\d+)?(?:\.\d+)?$|\.fc\d+$|\.amzn\d+")
"""How the version of a package ends that a distribution built, and mostly repaired, itself."""


@dataclass(frozen=True, slots=True)
class Inside:
    """Whether the distribution of the host repairs the program, and the words that show it."""

    repaired: bool
    words: str


def seen_inside(program: str, version: str, host: InstalledSoftware, today: date) -> Inside | None:
    """What the host says of this version of a program; None where it decides nothing.

    It does where one of its packages has that very version: another copy of the program may be what answers.
    """
    package = _package(program, version, host)
    if package is None:
        return None
    [system] = host.systems
    release = release_of(system)
    if release is None:
        return None
    held = f"{host.host} has {package.name} {package.version} of {system.name}"
    if not (release.supported(today) or (release.extended_free and release.extended_on(today))):
        return Inside(repaired=False, words=f"{held}, which gets no fixes any more")
    if _OF_DISTRIBUTION.search(package.version):
        return Inside(repaired=True, words=f"{held}, which gets fixes")
    return None


def _package(program: str, version: str, host: InstalledSoftware) -> Package | None:
    names = _PACKAGES.get(program)
    if not host.systems or not names:
        return None
    for package in host.packages:
        same = plain(package.version.rpartition(":")[2]) == plain(version)
        if same and re.fullmatch(names, package.name):
            return package
    return None
