"""What an open port turned out to be."""

from __future__ import annotations

from dataclasses import dataclass

from checks.facts.network import OpenPort
from scanner.collect.network.openings import GET


@dataclass(frozen=True, slots=True)
class Identified:
    """An open port as it was identified; `spoke` is whether it said anything at all.

    `compared` is whether its words were compared with the signatures of nmap as well, `sure` whether one of
    these knows it.
    """

    port: OpenPort
    spoke: bool
    compared: bool = False
    sure: bool = False

    @property
    def for_nmap(self) -> bool:
        """True where it spoke and we do not know who it was: worth asking nmap.

        Not for web servers that name no product, and not for what nmap's own signatures were tried on:
        it takes long to find out as little.
        """
        port = self.port
        enough = bool(port.product) or port.service == "http" or self.compared
        return self.spoke and not port.tls and not (port.service and enough)


def left_alone(number: int, reason: str) -> Identified:
    """A port to which nothing was sent, and why."""
    return Identified(OpenPort(number, "tcp", note=f"not asked: {reason}"), spoke=False)


def heard_by(name: str, *, tls: bool) -> str:
    """How the words were had: inside TLS, by a question of a protocol, or as nearly every port gives them."""
    if tls:
        return "tls"
    return "banner" if name in ("NULL", GET) else "command"


def rank(found: Identified) -> tuple[bool, ...]:
    """How much is known: the greater, the more."""
    port = found.port
    return bool(port.service), port.tls, found.sure, bool(port.product), found.spoke
