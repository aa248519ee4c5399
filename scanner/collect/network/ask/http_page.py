"""What the front page of a web server tells, as the fact that checks read. Pure."""

from __future__ import annotations

import re
from html import unescape

from checks.facts.network import OpenPort
from checks.facts.network.web import Cookie, HttpAnswer
from checks.fix import printable
from scanner.collect.network import web
from scanner.collect.network.ask.http_redirects import PAGE_LIMIT, Followed, bare

TITLE_LIMIT = 120
WORDS_LIMIT = 300
SCHEMES_LIMIT = 10
NO_ORIGIN = "https://nobody.invalid"
"""An origin that cannot exist: a server that allows it allows every origin."""

_TITLE = re.compile(r"<title[^<>]{0,200}>([^<]{1,400})", re.IGNORECASE)
_PASSWORD = re.compile(r"<input\b[^<>]{0,400}\btype\s{0,5}=\s{0,5}[\"']?password\b", re.IGNORECASE)
_SCHEME = re.compile(r"(?:^|,)\s*([A-Za-z][A-Za-z0-9-]{1,30})(?=\s|,|$)")
_DELETED = re.compile(
    r";\s{0,9}(?:max-age\s{0,9}=\s{0,9}\"?(?:0|-\d{1,12})\"?\s{0,9}(?:;|$)|expires\s{0,9}=[^;]{0,30}\b(?:1970|1969|1601)\b)",
    re.IGNORECASE,
)
_COOKIE_NAME = re.compile(r"([^=;\s]{1,60})=")

_DEFAULT_PAGES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"^Welcome to nginx"), "nginx"),
    (re.compile(r"^Apache2 .{0,20}Default Page"), "Apache httpd"),
    (re.compile(r"^(?:HTTP Server )?Test Page (?:for the|powered by)"), "a Linux distribution"),
    (re.compile(r"^IIS ?(?:\d|Windows)"), "Microsoft IIS"),
    (re.compile(r"^Apache Tomcat/\d"), "Apache Tomcat"),
    (re.compile(r"^Welcome to (?:OpenResty|CentOS|WildFly|JBoss)"), "an application server"),
    (re.compile(r"^Caddy works"), "Caddy"),
    (re.compile(r"^(?:Welcome page|Placeholder page)$"), "lighttpd"),
)
_IT_WORKS = re.compile(rb"\A\s{0,20}<html><body><h1>It works!</h1>")


def answer(port: OpenPort, followed: Followed) -> HttpAnswer:
    """The fact about one port."""
    first, page = followed.answers[0], followed.answers[-1] if followed.landed else followed.answers[0]
    headers = first.headers
    powered = " ".join(headers[n] for n in ("x-powered-by", "x-aspnet-version") if headers.get(n))
    return HttpAnswer(
        port=port.name,
        tls=port.tls,
        status=first.status,
        server=short(headers.get("server", "")),
        powered_by=short(powered),
        authenticate=schemes(headers.get("www-authenticate", "")),
        hsts=short(headers.get("strict-transport-security", "")),
        location=short(bare(headers.get("location", ""))) if 300 <= first.status < 400 else "",
        title=title(page.body),
        password_form=bool(_PASSWORD.search(text(page.body))),
        landed=short(printable(followed.landed)),
        astray=short(printable(followed.astray)),
        whole=page.whole,
        # The first pages of some distributions come with the status 403.
        default_page=_default(page) if page.status in (200, 403) else "",
        content_type=short(headers.get("content-type", "").partition(";")[0].strip().lower()),
        content_type_options=short(headers.get("x-content-type-options", "").lower()),
        frame_options=short(headers.get("x-frame-options", "").lower()),
        frame_ancestors=short(_ancestors(headers.get("content-security-policy", "").lower())),
        referrer_policy=short(headers.get("referrer-policy", "").lower()),
        cookies=tuple(_cookie(raw) for raw in first.cookies if not _taken_back(raw)),
        cors_origin=short(headers.get("access-control-allow-origin", "")),
        cors_credentials=headers.get("access-control-allow-credentials", "").lower() == "true",
    )


def short(words: str) -> str:
    """The start of a value, as long as a fact keeps it."""
    return words[:WORDS_LIMIT]


def text(body: bytes) -> str:
    """The part of a page that is looked at."""
    return body[:PAGE_LIMIT].decode("utf-8", "replace")


def title(body: bytes) -> str:
    """The title of a page as people may see it; empty without one."""
    found = _TITLE.search(text(body))
    return printable(unescape(found[1]).strip())[:TITLE_LIMIT] if found else ""


def schemes(header: str) -> tuple[str, ...]:
    """The schemes that a WWW-Authenticate header offers; its parameters (`realm="…"`) are no schemes."""
    quoted = re.sub(r'"[^"]{0,300}"', '""', header)
    return tuple(dict.fromkeys(match[1].lower() for match in _SCHEME.finditer(quoted)))[:SCHEMES_LIMIT]


def _default(page: web.Response) -> str:
    named = title(page.body)
    found = next((product for mark, product in _DEFAULT_PAGES if mark.search(named)), "")
    return found or ("Apache httpd" if _IT_WORKS.match(page.body) else "")


def _ancestors(policies: str) -> str:
    """The frame-ancestors of every policy that has them, with commas between."""
    found = (part.strip().partition(" ") for policy in policies.split(",") for part in policy.split(";"))
    # The bare directive names nobody.
    return ", ".join(value.strip() or "'none'" for name, _, value in found if name == "frame-ancestors")


def _taken_back(raw: str) -> bool:
    """Whether a Set-Cookie deletes the cookie, which then needs no protection."""
    return _DELETED.search(raw) is not None


def _cookie(raw: str) -> Cookie:
    name = _COOKIE_NAME.match(raw.strip())
    flags = {part.partition("=")[0].strip().lower() for part in raw.split(";")[1:]}
    return Cookie(name[1] if name else "without a name", "secure" in flags, "httponly" in flags)
