"""Web servers and proxies of a host, as their configurations have them."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class WebSite(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One site: a server block of nginx, a virtual host of Apache, or what Apache serves outside of them.

    `tls` says that it speaks TLS; `protocols` are the versions that it allows, as nginx writes them
    (`TLSv1.2`), empty where no line says so. `banner` is what it tells of its version: `off` for nothing,
    else the setting's value, empty where no line says so. `place` names it in the file.
    """

    server: str
    file: str
    place: str
    tls: bool
    protocols: tuple[str, ...]
    banner: str


class WebListing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a site that lists the files of its folders."""

    server: str
    file: str
    place: str


class WebServers(Fact, frozen=True, forbid_unknown_fields=True):
    """The sites of nginx and Apache. Files that are taken in from elsewhere are gaps."""

    sites: tuple[WebSite, ...]
    listings: tuple[WebListing, ...]


class ProxyRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One `http_access` line: allow or deny, and the lists that a request must be on, in order."""

    file: str
    allow: bool
    lists: tuple[str, ...]


class ProxyAccess(Fact, frozen=True, forbid_unknown_fields=True):
    """Who may use the Squid proxy. `everybody` are the lists that every sender is on.

    `whoever` are those that ask only for a port, a method, a protocol or the time.
    """

    rules: tuple[ProxyRule, ...]
    everybody: tuple[str, ...]
    whoever: tuple[str, ...] = ()
