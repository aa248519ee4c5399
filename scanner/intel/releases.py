"""The names of releases: by what os-release says, and by what the publishers of advisories call them."""

from __future__ import annotations

import re

from checks.facts.host.system import OperatingSystem

DEBIAN = {
    "7": "wheezy",
    "8": "jessie",
    "9": "stretch",
    "10": "buster",
    "11": "bullseye",
    "12": "bookworm",
    "13": "trixie",
    "14": "forky",
    "15": "duke",
}
UBUNTU = {
    "14.04": "trusty",
    "16.04": "xenial",
    "18.04": "bionic",
    "20.04": "focal",
    "22.04": "jammy",
    "23.04": "lunar",
    "23.10": "mantic",
    "24.04": "noble",
    "24.10": "oracular",
    "25.04": "plucky",
    "25.10": "questing",
    "26.04": "resolute",
}
_WHOLE = frozenset({"sles", "sles_sap", "opensuse-leap", "amzn", "fedora"})
_MAJOR = frozenset({"rhel", "almalinux", "rocky", "ol", "centos"})
_NAMES = {"sles_sap": "sles"}


def release_of(system: OperatingSystem) -> tuple[str, str]:
    """(ecosystem, release) as advisories name them: `debian`, `bookworm`; no release where none fits.

    A derivative is not taken for what it comes from: it builds its packages anew, with other versions.
    """
    ecosystem = _NAMES.get(system.id, system.id)
    version = system.version
    if system.id == "debian":
        return ecosystem, DEBIAN.get(version.partition(".")[0], "")
    if system.id == "ubuntu":
        return ecosystem, UBUNTU.get(version, "")
    if system.id == "alpine":
        branch = re.match(r"\d+\.\d+", version)
        return ecosystem, f"v{branch[0]}" if branch else ""
    if system.id in _MAJOR and "stream" not in system.name.lower():
        return ecosystem, version.partition(".")[0]
    return ecosystem, version if system.id in _WHOLE else ""


_OSV = (
    (re.compile(r"Debian:(\d+)"), "debian", DEBIAN),
    (re.compile(r"Ubuntu:(\d+\.\d+)(?::LTS)?"), "ubuntu", UBUNTU),
    (re.compile(r"AlmaLinux:(\d+)"), "almalinux", None),
    (re.compile(r"Rocky Linux:(\d+)"), "rocky", None),
    (re.compile(r"Alpine:(v\d+\.\d+)"), "alpine", None),
    (re.compile(r"Red Hat:enterprise_linux:(\d+)(?:::.*)?"), "rhel", None),
    (re.compile(r"openSUSE:Leap (\d+\.\d+)"), "opensuse-leap", None),
)


def release_of_osv(name: str) -> tuple[str, str] | None:
    """(ecosystem, release) of an ecosystem as OSV writes it (`Debian:12`); None for all others.

    Those of paid support are left out: a host without it cannot install their fixes.
    """
    for pattern, ecosystem, names in _OSV:
        if found := pattern.fullmatch(name):
            release = found[1] if names is None else names.get(found[1], "")
            return (ecosystem, release) if release else None
    return None


_DIST = re.compile(r"\.(?:module[_+])?(el|fc|amzn)(\d+)")


def dist_of(version: str) -> tuple[str, str]:
    """`el` and `9` of a version of an rpm such as `1.2-3.el9_4`; nothing where it does not say."""
    found = _DIST.search(version)
    return (found[1], found[2]) if found else ("", "")
