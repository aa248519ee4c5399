"""Where feeds are published: the addresses of their publishers, by the names that the feeds have here."""

from __future__ import annotations

import re
from dataclasses import dataclass

from scanner.intel.releases import UBUNTU

_OSV = "https://osv-vulnerabilities.storage.googleapis.com"
_TRACKER = "https://salsa.debian.org/security-tracker-team/security-tracker/-/raw/master/data"
ALWAYS = ("kev", "epss", "endoflife")
"""The feeds that every estate can use, and that are small."""
URLS = {
    "kev": "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json",
    "epss": "https://epss.empiricalsecurity.com/epss_scores-current.csv.gz",
    "ssvc": "https://github.com/cisagov/vulnrichment/archive/refs/heads/develop.zip",
    "endoflife": "https://endoflife.date/api/v1/products/full",
    "debian-tracker": "https://security-tracker.debian.org/tracker/data/json",
    "debian-dsa": f"{_TRACKER}/DSA/list",
    "debian-dla": f"{_TRACKER}/DLA/list",
    "osv-debian": f"{_OSV}/Debian/all.zip",
    "osv-ubuntu": f"{_OSV}/Ubuntu/all.zip",
    "osv-almalinux": f"{_OSV}/AlmaLinux/all.zip",
    "osv-rocky": f"{_OSV}/Rocky%20Linux/all.zip",
    "osv-alpine": f"{_OSV}/Alpine/all.zip",
}
"""Feeds with one address."""


@dataclass(frozen=True, slots=True)
class _Family:
    """Feeds of one kind whose address holds the name of the release."""

    form: str
    pattern: re.Pattern[str]
    url: str


_FAMILIES = (
    _Family(
        "oval-ubuntu-CODENAME",
        re.compile(rf"oval-ubuntu-({'|'.join(UBUNTU.values())})"),
        "https://security-metadata.canonical.com/oval/com.ubuntu.{0}.usn.oval.xml.bz2",
    ),
    _Family(
        "oval-rhel-MAJOR",
        re.compile(r"oval-rhel-(\d+)"),
        "https://security.access.redhat.com/data/oval/v2/RHEL{0}/rhel-{0}.oval.xml.bz2",
    ),
    _Family(
        "alpine-secdb-vMAJOR.MINOR-main|community",
        re.compile(r"alpine-secdb-(v\d+\.\d+)-(main|community)"),
        "https://secdb.alpinelinux.org/{0}/{1}.json",
    ),
)
_FOR = {
    "debian": ("debian-tracker",),
    "ubuntu": ("osv-ubuntu",),
    "almalinux": ("osv-almalinux",),
    "rocky": ("osv-rocky",),
    "alpine": ("alpine-secdb-{0}-main", "alpine-secdb-{0}-community"),
    "rhel": ("oval-rhel-{0}",),
}


def url_of(name: str) -> str:
    """The publisher's address of a feed; empty where there is none to fetch it from."""
    for family in _FAMILIES:
        if found := family.pattern.fullmatch(name):
            return family.url.format(*found.groups())
    return URLS.get(name, "")


def names() -> list[str]:
    """The names of the feeds that can be fetched, and the forms of those with a release in them."""
    return [*URLS, *(family.form for family in _FAMILIES)]


def advisories_for(ecosystem: str, release: str) -> str:
    """The command that fetches the advisories of a release, or imports them where that cannot be."""
    feeds = tuple(name.format(release) for name in _FOR.get(ecosystem, ()))
    if not release or not feeds or not all(map(url_of, feeds)):
        return "bartizan feeds import FILE"
    return "bartizan feeds update" + "".join(f" --only {name}" for name in feeds)
