"""The front page of a web port: what it says of itself, and whether it asks for a password."""

from __future__ import annotations

import re
from html import unescape

from checks.facts.network import OpenPort
from checks.facts.network.web import HttpAnswer, HttpAnswers
from checks.facts.snapshot import source
from checks.fix import printable
from scanner.collect.collector import Collected
from scanner.collect.network import web
from scanner.collect.network.ask.question import Asked, Question, undecided
from scanner.collect.network.talk import TalkError

TITLE_LIMIT = 120
_TITLE = re.compile(r"<title[^>]{0,200}>([^<]{1,400})", re.IGNORECASE)
_PASSWORD = re.compile(r"<input\b[^>]{0,400}\btype\s{0,5}=\s{0,5}[\"']?password\b", re.IGNORECASE)
_SCHEME = re.compile(r"(?:^|,)\s*([A-Za-z][A-Za-z0-9-]{1,30})(?=\s|,|$)")


async def ask(asked: Asked) -> Collected:
    """The answer to `GET /`; redirects are noted, never followed."""
    number = asked.port.number
    try:
        async with asked.line.talk(asked.address, number) as talk:
            if asked.port.tls:
                await talk.tls(web.client_context())
            response = await web.get(talk, asked.address, number)
    except TalkError as error:
        return undecided(HttpAnswers, asked, str(error))
    answer = _answer(asked.port, response)
    lines = (
        f"{answer.port} status {answer.status} title {answer.title or 'none'}",
        *(f"{name}: {value}" for name, value in response.headers.items() if name in _QUOTED),
        f"a password field on the page: {'yes' if answer.password_form else 'no'}",
    )
    scheme = "https" if asked.port.tls else "http"
    how = f"GET {scheme}://{asked.address}:{number}/"
    evidence = source(HttpAnswers, how, asked.at, "\n".join(lines), asked.port.name)
    return Collected((HttpAnswers((answer,)),), sources=(evidence,))


_QUOTED = frozenset(
    {
        "server",
        "x-powered-by",
        "x-aspnet-version",
        "strict-transport-security",
        "location",
        "www-authenticate",
    }
)


def _answer(port: OpenPort, response: web.Response) -> HttpAnswer:
    headers = response.headers
    page = response.body.decode("utf-8", "replace")
    title = _TITLE.search(page)
    powered = " ".join(headers[n] for n in ("x-powered-by", "x-aspnet-version") if headers.get(n))
    return HttpAnswer(
        port=port.name,
        tls=port.tls,
        status=response.status,
        server=headers.get("server", ""),
        powered_by=powered,
        authenticate=_schemes(headers.get("www-authenticate", "")),
        hsts=headers.get("strict-transport-security", ""),
        location=headers.get("location", "") if 300 <= response.status < 400 else "",
        title=printable(unescape(title[1]).strip())[:TITLE_LIMIT] if title else "",
        password_form=bool(_PASSWORD.search(page)),
    )


def _schemes(header: str) -> tuple[str, ...]:
    """The schemes that a WWW-Authenticate header offers; its parameters (`realm="…"`) are no schemes."""
    bare = re.sub(r'"[^"]{0,300}"', '""', header)
    return tuple(dict.fromkeys(match[1].lower() for match in _SCHEME.finditer(bare)))


def _applies(port: OpenPort) -> bool:
    return port.service == "http"


QUESTION = Question(frozenset({HttpAnswers}), _applies, ask, "an HTTP GET of the front page")
