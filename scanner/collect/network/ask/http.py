"""A web port: its front page, what it gives out, and the interfaces behind it.

One GET of the front page says what is worth asking; everything else goes into a second conversation, about
ten requests at an ordinary web server.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from checks.facts.network import OpenPort
from checks.facts.network.consoles import Console, Consoles, Guard
from checks.facts.network.logins import ApiLogin, ApiLogins
from checks.facts.network.web import HttpAnswer, HttpAnswers, WebPaths
from checks.facts.snapshot import Fact, source
from scanner.collect.collector import Collected
from scanner.collect.network import web
from scanner.collect.network.ask import http_page, web_paths
from scanner.collect.network.ask.consoles_table import CONSOLES
from scanner.collect.network.ask.http_apis import APIS, TLS_PORTS
from scanner.collect.network.ask.http_interfaces import (
    Candidate,
    Reception,
    candidates,
    hints,
    reception,
    said,
    tells_nothing,
)
from scanner.collect.network.ask.http_redirects import PAGE_LIMIT, Followed, Place, follow
from scanner.collect.network.ask.question import Asked, Question, undecided
from scanner.collect.network.talk import TalkError

FACTS: frozenset[type[Fact]] = frozenset({HttpAnswers, WebPaths, Consoles, ApiLogins})
WEB_SERVICES = frozenset({"http", "https", *(api.name for api in APIS)})
"""Names of services that speak HTTP."""
_CERTIFICATE_ASKED = re.compile(r"certificate required|bad certificate")
"""The words of a server that misses a client certificate; a handshake may fail for many other reasons."""
_FRONT = web.Request()
_HIDES = frozenset({400, 401, 407, 421})
"""Statuses, besides those of a server that is busy or broken, that hide which page is there."""
Answer = web.Response | TalkError


async def ask(asked: Asked) -> Collected:
    """The facts about one port. Redirects are followed within the scope only."""
    number, tls = asked.port.number, asked.port.tls
    origin = web.Request(headers=(("Origin", http_page.NO_ORIGIN),))
    first = tuple(api.first for api in APIS if api.first and number in api.ports)
    [front, *more] = await web.exchange(
        asked.line, asked.address, number, tls=tls, requests=(origin, *first), keep=PAGE_LIMIT
    )
    if isinstance(front, TalkError):
        return _failed(asked, front)
    followed = await follow(asked, front)
    found = _page(asked, followed)
    if not asked.wanted & (FACTS - {HttpAnswers}):
        return found
    told = said(asked.port, followed, dict(zip(first, more, strict=True)))
    made = web_paths.plan(told, all_of_them=WebPaths in asked.wanted)
    apis = candidates(APIS, number, told)
    consoles = candidates(CONSOLES, number, told)
    reads = tuple(c.interface.read for c in (*apis, *consoles) if c.interface.read)
    # The front page was asked for already, and may be what decides.
    requests = tuple(r for r in dict.fromkeys((*made.requests, *reads)) if r != _FRONT)
    given = await web.exchange(asked.line, asked.address, number, tls=tls, requests=requests)
    answers = {_FRONT: followed.page, **dict(zip(requests, given, strict=True))}
    found += _paths(asked, made, followed.page, answers)
    found += _consoles(asked, followed, consoles, answers, answers[made.control])
    return found + _apis(asked, apis, answers, answers[made.control])


def _failed(asked: Asked, error: TalkError) -> Collected:
    """Gaps for what every web server is asked, and open questions for the APIs at which the port hints.

    Where nothing hints at one there is nothing to know. A port that insists on a client certificate has
    asked for a login.
    """
    port = asked.port
    answer, names = f"GET /: {error}", hints(APIS, port)
    refused = port.tls and _CERTIFICATE_ASKED.search(str(error)) is not None
    if refused:
        answer = f"a client certificate is asked for: {error}"
    logins = (
        ApiLogin(port.name, name, needed=refused, answer=answer, decided=refused, tls=port.tls)
        for name in names
    )
    said_so = f"{port.name} hints at {', '.join(names)}: {answer}"
    found = _one(asked, ApiLogins(tuple(logins)), "GET", "/", said_so) if names else Collected()
    # What speaks inside TLS without a name is not known to be a web server.
    others = FACTS - {ApiLogins} if port.service else frozenset()
    gaps = (undecided(fact, asked, str(error)) for fact in sorted(others, key=lambda f: f.__name__))
    return sum(gaps, found)


def _page(asked: Asked, followed: Followed) -> Collected:
    answer = http_page.answer(asked.port, followed)
    lines = (
        f"{answer.port} status {answer.status} title {answer.title or 'none'}",
        *(
            f"{name}: {http_page.short(value)}"
            for name, value in followed.answers[0].headers.items()
            if name in _QUOTED
        ),
        *(f"{name}: {value}" for name, value in _parts(answer) if value),
        *(f"cookie {c.name}: Secure {c.secure}, HttpOnly {c.http_only}" for c in answer.cookies),
        *([f"redirected to {answer.landed}"] if answer.landed else ()),
        *([f"not followed: {answer.astray}"] if answer.astray else ()),
        f"a password field on the page: {'yes' if answer.password_form else 'no'}",
    )
    return _one(asked, HttpAnswers((answer,)), "GET", "/", "\n".join(lines))


def _parts(answer: HttpAnswer) -> tuple[tuple[str, str], ...]:
    """The headers of which a part is quoted, because the rest may hold tokens."""
    return (
        ("location", answer.location),
        ("www-authenticate", ", ".join(answer.authenticate)),
        ("frame-ancestors", answer.frame_ancestors),
    )


_QUOTED = frozenset(
    {
        "server",
        "x-powered-by",
        "x-aspnet-version",
        "strict-transport-security",
        "x-content-type-options",
        "x-frame-options",
        "referrer-policy",
        "access-control-allow-origin",
        "access-control-allow-credentials",
    }
)


def _paths(
    asked: Asked, made: web_paths.Plan, front: web.Response, answers: Mapping[web.Request, Answer]
) -> Collected:
    if WebPaths not in asked.wanted:
        return Collected()
    here = Place(asked.address, asked.port.number, asked.port.tls, "/")
    paths = web_paths.judged(asked.port, here, made, front, answers)
    return _one(asked, WebPaths(paths), "GET of well-known paths and TRACE", "/", web_paths.lines(paths))


def _consoles(
    asked: Asked,
    followed: Followed,
    found: Sequence[Candidate],
    answers: Mapping[web.Request, Answer],
    control: Answer,
) -> Collected:
    port = asked.port
    if not found and (hidden := _hidden(followed)):
        return undecided(Consoles, asked, hidden)
    consoles = []
    for one in found:
        seen = _received(one, port, answers, control)
        guard, answer = (seen.guard, seen.answer) if seen else (Guard.NOT_ASKED, "its page was seen")
        consoles.append(Console(port.name, one.interface.product, guard, one.words, answer, port.tls))
    lines = [f"{c.port} {c.product} (known by: {c.known_by}): {c.answer}" for c in consoles]
    said_so = "\n".join(lines) or f"{port.name}: no known page of administration"
    return _one(asked, Consoles((port.name,), tuple(consoles)), "GET", "/ and what it leads to", said_so)


def _hidden(followed: Followed) -> str:
    """Why nobody can say which page is there; empty where one was seen."""
    page = followed.page
    if followed.unseen:
        return f"the front page was not seen: {followed.unseen}"
    if page.status in _HIDES or tells_nothing(page, 1):
        return f"status {page.status} of the front page hides what is behind it"
    if not page.whole and len(page.body) < PAGE_LIMIT:
        return "the front page broke off before anybody could see what it is"
    return ""


def _apis(
    asked: Asked, found: Sequence[Candidate], answers: Mapping[web.Request, Answer], control: Answer
) -> Collected:
    port = asked.port
    received: dict[str, list[Reception]] = {}
    for one in found:
        seen = _received(one, port, answers, control)
        if seen:
            received.setdefault(one.interface.name, []).append(seen)
    apis = tuple(_login(port, name, several) for name, several in received.items())
    lines = [f"{a.port} {a.api}: {a.answer}" for a in apis]
    said_so = "\n".join(lines) or f"{port.name}: no known API"
    return _one(asked, ApiLogins(apis), "one read without a login", "/", said_so)


def _received(
    one: Candidate, port: OpenPort, answers: Mapping[web.Request, Answer], control: Answer
) -> Reception | None:
    read = one.interface.read
    return reception(one, port.number, answers[read], control) if read else None


def _login(port: OpenPort, name: str, several: Sequence[Reception]) -> ApiLogin:
    """The worst of what several ways to one API gave; a refusal on one way decides nothing for another."""
    worst = min(several, key=_weight)
    return ApiLogin(
        port=port.name,
        api=name,
        needed=worst.guard is Guard.LOGIN,
        answer=worst.answer,
        version=worst.version,
        decided=worst.guard is not Guard.UNDECIDED,
        tls=port.tls,
    )


def _weight(one: Reception) -> int:
    """The smaller, the more it counts: an open way, one that might be open, one that is closed, the rest."""
    if one.guard is Guard.NONE:
        return 0
    return 1 if one.lost else 2 if one.guard is Guard.LOGIN else 3


def _one(asked: Asked, fact: HttpAnswers | WebPaths | Consoles | ApiLogins, verb: str, path: str,
         lines: str) -> Collected:  # fmt: skip
    scheme = "https" if asked.port.tls else "http"
    host = f"[{asked.address}]" if asked.address.version == 6 else str(asked.address)
    how = f"{verb} {scheme}://{host}:{asked.port.number}{path}"
    evidence = source(type(fact), how, asked.at, lines, asked.port.name)
    return Collected((fact,), sources=(evidence,))


def applies(port: OpenPort) -> bool:
    """Web servers, and ports of APIs that hide behind a client certificate."""
    if port.protocol != "tcp":
        return False
    return port.service in WEB_SERVICES or (port.tls and not port.service and port.number in TLS_PORTS)


QUESTION = Question(
    FACTS,
    applies,
    ask,
    "HTTP GETs of the front page and of a short list of well-known paths, and TRACE, without a login",
)
