"""Where a redirect leads, and how far it may be followed: never off the scope, never to a fragile port."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from urllib.parse import SplitResult, urljoin, urlsplit

from checks.fix import printable
from scanner.collect.network import web
from scanner.collect.network.ask.question import Asked
from scanner.collect.network.ports import FRAGILE, USUAL
from scanner.collect.network.talk import Address, TalkError

MOST_HOPS = 5
WEB_PORTS = frozenset(n for n, name in USUAL.items() if name in ("http", "https")) - frozenset(FRAGILE)
"""Ports, besides the one that redirects, to which a redirect is followed."""
PAGE_LIMIT = 200_000
"""Bytes of a page that are kept, in which a title or a form is looked for."""
_PLAIN = re.compile(r"[\x21-\x5b\x5d-\x7e]{1,2000}")


@dataclass(frozen=True, slots=True)
class Place:
    """An address to ask: parsed, never a name."""

    address: Address
    port: int
    tls: bool
    path: str

    def beside(self, other: Place) -> bool:
        """Whether it is another path at the same port."""
        return (self.address, self.port, self.tls) == (other.address, other.port, other.tls)

    @property
    def url(self) -> str:
        """The address as people write it, without the query."""
        host = f"[{self.address}]" if self.address.version == 6 else str(self.address)
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}{self.path.partition('?')[0]}"


@dataclass(frozen=True, slots=True)
class Followed:
    """The answers on the way, the first among them; `landed` and `astray` are those of `HttpAnswer`.

    `own` are the answers that the port itself gave before the way left it; the last of them is its page.
    `unseen` says why that page was not seen, where the way did not leave the port; `landed_here` is
    `landed` where the way ended at the port itself.
    """

    answers: tuple[web.Response, ...]
    landed: str = ""
    astray: str = ""
    own: tuple[web.Response, ...] = ()
    unseen: str = ""
    landed_here: str = ""

    @property
    def page(self) -> web.Response:
        """The page of the port itself."""
        return (self.own or self.answers)[-1]


async def follow(asked: Asked, first: web.Response) -> Followed:
    """The way from the answer to `GET /` to a page that redirects no further.

    Never raises: a way that leads off the scope, round in a circle, or to nothing is told in `astray`.
    """
    start = here = Place(asked.address, asked.port.number, asked.port.tls, "/")
    answers, own, seen, astray = [first], [first], {here}, ""
    while redirects(answers[-1]) and not astray:
        try:
            there = _onward(asked, answers, here, seen)
        except ValueError as error:
            astray = str(error)
            break
        request = web.Request(there.path)
        [answer] = await web.exchange(
            asked.line, there.address, there.port, tls=there.tls, requests=(request,), keep=PAGE_LIMIT
        )
        seen.add(there)
        here = there
        if isinstance(answer, TalkError):
            astray = f"{there.url}: {answer}"
            break
        if here.beside(start) and len(own) == len(answers):
            own.append(answer)
        answers.append(answer)
    landed = here.url if len(answers) > 1 and not astray else ""
    stayed = here.beside(start)
    return Followed(
        tuple(answers),
        landed,
        astray,
        tuple(own),
        unseen=astray if stayed and not leaves(answers[-1], here) else "",
        landed_here=landed if stayed else "",
    )


def _onward(asked: Asked, answers: Sequence[web.Response], here: Place, seen: Collection[Place]) -> Place:
    there = target(answers[-1].headers["location"], here, asked.line.allowed)
    if there in seen:
        raise ValueError("the redirects lead round in a circle")
    if len(answers) > MOST_HOPS:
        raise ValueError(f"more than {MOST_HOPS} redirects, one after the other")
    return there


def redirects(response: web.Response) -> bool:
    """Whether an answer sends the client to another address."""
    return response.status in (301, 302, 303, 307, 308) and bool(response.headers.get("location"))


def target(location: str, here: Place, allowed: Callable[[Address], bool]) -> Place:
    """Where a Location leads from here. A name is never looked up: what is no address is off the scope.

    Raises:
        ValueError: it may not be followed; the words say why.

    """
    parts, port = _parts(location, here)
    address = _address(parts.hostname or "")
    if address is None:
        raise ValueError(f"the redirect leads to the name {(parts.hostname or '')[:100]}")
    if address != here.address and not allowed(address):
        raise ValueError(f"the redirect leads off the scope, to {address}")
    same = (address, port) == (here.address, here.port)
    if port in FRAGILE or not (same or port in WEB_PORTS):
        raise ValueError(f"the redirect leads to port {port}, where the web is not usual")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Place(address, port, parts.scheme == "https", path if path.startswith("/") else f"/{path}")


def leaves(response: web.Response, here: Place) -> bool:
    """Whether a redirect leads away from this port: to another address, another port, or into TLS.

    A name stands for any address: one with the same port may be another site of this very server.
    """
    if not redirects(response):
        return False
    try:
        parts, port = _parts(response.headers["location"], here)
    except ValueError:
        return False
    address = _address(parts.hostname or "")
    same = port == here.port and (parts.scheme == "https") == here.tls
    return not same or (address is not None and address != here.address)


def other_site(response: web.Response, here: Place) -> str:
    """The name of another site at this same port to which a redirect leads; empty where there is none."""
    if not redirects(response) or leaves(response, here):
        return ""
    try:
        name = _parts(response.headers["location"], here)[0].hostname or ""
    except ValueError:
        return ""
    return "" if _address(name) else printable(name)[:100]


def bare(location: str) -> str:
    """A Location without what may be secret in it: a login, a query, a session in the path."""
    shown = re.split(r"[?#;]", location, maxsplit=1)[0]
    return re.sub(r"^([A-Za-z][A-Za-z0-9+.-]{0,20}:)?(//)[^/]{0,2000}@", r"\1\2", shown)


def _parts(location: str, here: Place) -> tuple[SplitResult, int]:
    """A Location as it reads from here, and its port."""
    if not _PLAIN.fullmatch(location):
        raise ValueError("the redirect is no plain address")
    host = f"[{here.address}]" if here.address.version == 6 else str(here.address)
    base = f"{'https' if here.tls else 'http'}://{host}:{here.port}{here.path}"
    try:
        parts = urlsplit(urljoin(base, location))
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise ValueError("the redirect is no plain address") from None
    if parts.scheme not in ("http", "https") or parts.username is not None or parts.password is not None:
        raise ValueError("the redirect is no plain address of the web")
    return parts, port


def _address(host: str) -> Address | None:
    """An address in its one usual form; those with a zone, or with another address inside, are none."""
    try:
        found = ip_address(host)
    except ValueError:
        return None
    inside = isinstance(found, IPv6Address) and (found.scope_id is not None or found.ipv4_mapped is not None)
    return None if inside else found
