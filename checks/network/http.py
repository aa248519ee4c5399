"""What web servers tell and demand in their headers."""

from __future__ import annotations

import re

from checks.check import check
from checks.facts.network.web import HttpAnswer, HttpAnswers
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.model import Exploit, Severity, Surface
from checks.verdict import Verdicts, expect, unknown

_VERSION = re.compile(r"\d+\.\d+")
_TO_HTTPS = "a redirect to HTTPS"
_TELLS_NOTHING = frozenset({400, 408, 421, 425, 429})


def broken(answer: HttpAnswer) -> str:
    """Why an answer shows nothing of how the server treats others; empty where it does."""
    if answer.status >= 500 or answer.status in _TELLS_NOTHING:
        return f"status {answer.status} of the front page tells nothing of the others"
    return ""


_MAX_AGE = re.compile(r"max-age\s*=\s*\"?(\d{1,12})", re.IGNORECASE)


@check(
    "network.http.version-disclosure",
    title="Web servers keep their versions to themselves",
    severity=Severity.LOW,
    exploit=Exploit.HARDENING,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Hide the versions of web servers",
        do="nginx: `server_tokens off;` (where nginx.conf has the line already, change it there). Apache: "
        "`ServerTokens Prod` and `ServerSignature Off`. PHP: "
        "`expose_php = Off`. Reload the server.",
        verify="curl -skI @{scheme}://@{target}:@{port}/ | grep -iE '^(server|x-powered-by):'   # no version",
        effort=Effort(setup=0.25, each=0.1),
        disruption=Disruption.NONE,
        undo="Remove the setting and reload the server.",
        snippets=(
            Snippet(
                Language.SHELL,
                "# On @{target}, for nginx on port @{port}:\n"
                "echo 'server_tokens off;' > /etc/nginx/conf.d/10-tokens.conf\n"
                "nginx -t && systemctl reload nginx",
                "rm /etc/nginx/conf.d/10-tokens.conf && systemctl reload nginx",
            ),
        ),
        key="web-headers:@{target}",
    ),
)
def version_disclosure(found: HttpAnswers) -> Verdicts:
    """An exact version tells which flaws to try first."""
    for answer in found.answers:
        told = [text for text in (answer.server, answer.powered_by) if _VERSION.search(text)]
        yield expect(
            not told,
            on=answer.port,
            saw=told or "no version",
            want="no version",
            port=answer.port,
            values={"scheme": "https" if answer.tls else "http"},
        )


@check(
    "network.http.hsts",
    title="HTTPS servers tell browsers to stay on HTTPS",
    severity=Severity.LOW,
    exploit=Exploit.HARDENING,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Send Strict-Transport-Security",
        do="Send `Strict-Transport-Security: max-age=31536000` with every HTTPS answer, once all of the site "
        "works over HTTPS. In nginx, a server or location with an `add_header` of its own takes over none "
        "from outside: repeat the line there.",
        verify="curl -skI https://@{target}:@{port}/ | grep -i strict-transport-security   # "
        "max-age=31536000",
        effort=Effort(setup=0.5, each=0.1),
        disruption=Disruption.NONE,
        undo="Send `max-age=0` for as long as the old value ran.",
        snippets=(
            Snippet(
                Language.SHELL,
                "# On @{target}, for nginx on port @{port}:\n"
                "echo 'add_header Strict-Transport-Security \"max-age=31536000\" always;' "
                "> /etc/nginx/conf.d/10-hsts.conf\n"
                "nginx -t && systemctl reload nginx",
                "rm /etc/nginx/conf.d/10-hsts.conf && systemctl reload nginx",
            ),
        ),
        key="web-headers:@{target}",
    ),
    refs=("https://www.rfc-editor.org/rfc/rfc6797",),
)
def hsts(found: HttpAnswers, *, seconds: int = 15_552_000) -> Verdicts:
    """Without HSTS the first plain request of a visitor can be taken over before TLS begins."""
    for answer in found.answers:
        if not answer.tls:
            continue
        if not answer.hsts and (reason := broken(answer)):
            yield unknown(answer.port, reason, needs="a page that is served", port=answer.port)
            continue
        age = _MAX_AGE.search(answer.hsts)
        yield expect(
            age is not None and int(age[1]) >= seconds,
            on=answer.port,
            saw=answer.hsts or "no such header",
            want=f"max-age of {seconds} seconds or more",
            port=answer.port,
        )


@check(
    "network.http.https-redirect",
    title="Web servers that speak HTTPS lead every visitor to it",
    severity=Severity.LOW,
    exploit=Exploit.HARDENING,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Redirect HTTP to HTTPS",
        do="Answer every plain request with a redirect to the HTTPS address and nothing else: "
        "`return 301 https://$host$request_uri;` in nginx, `Redirect permanent / https://…/` in Apache.",
        verify="curl -s -o /dev/null -w '%{http_code} %{redirect_url}\\n' http://@{target}:@{port}/   "
        "# 301 and an https address",
        effort=Effort(setup=0.5, each=0.25),
        disruption=Disruption.NONE,
        undo="Put the old server block back and reload the server.",
        snippets=(
            Snippet(
                Language.SHELL,
                "# On @{target}, for nginx in place of the server block on port @{port}:\n"
                "printf 'server {\\n  listen %s;\\n  return 301 https://$host$request_uri;\\n}\\n' @{port} "
                "> /etc/nginx/conf.d/10-to-https.conf\n"
                "nginx -t && systemctl reload nginx",
                "rm /etc/nginx/conf.d/10-to-https.conf && systemctl reload nginx",
            ),
        ),
        key="https:@{target}:@{on}",
    ),
)
def https_redirect(found: HttpAnswers) -> Verdicts:
    """Whoever types the bare name gets the plain page, and anybody on the way may read and change it."""
    if not any(answer.tls for answer in found.answers):
        return
    for answer in found.answers:
        if answer.tls:
            continue
        leads = answer.landed or answer.location
        if answer.astray.startswith("https://"):
            reason = f"the redirect to HTTPS led to nothing: {answer.astray}"
            yield unknown(answer.port, reason, needs="a page that is served", port=answer.port)
        elif leads.lower().startswith("https:"):
            yield expect(True, on=answer.port, saw=f"leads to {leads}", want=_TO_HTTPS, port=answer.port)
        elif answer.status >= 400 or (answer.location and not answer.landed):
            reason = f"status {answer.status} of the front page tells nothing of the others"
            yield unknown(answer.port, reason, needs="a page that is served", port=answer.port)
        else:
            saw = f"status {answer.status}: the page is served without TLS"
            yield expect(False, on=answer.port, saw=saw, want=_TO_HTTPS, port=answer.port)


@check(
    "network.http.default-page",
    title="No web server shows the first page of its package",
    severity=Severity.INFO,
    exploit=Exploit.HARDENING,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Remove web servers that nobody set up",
        do="Stop the web server where nobody needs it; else give it its site, and remove the page and the "
        "examples that came with the package.",
        verify="curl -sk @{scheme}://@{target}:@{port}/ | grep -i '<title>'   # your own title, or no answer",
        effort=Effort(setup=0.25, each=0.25),
        disruption=Disruption.NONE,
        undo="Enable and start the web server again.",
        snippets=(
            Snippet(
                Language.SHELL,
                "# On @{target}: what listens on port @{port}, then for nginx\n"
                "ss -Hltnp sport = :@{port}\n"
                "systemctl disable --now nginx",
                "systemctl enable --now nginx",
            ),
        ),
        key="default-page:@{target}:@{on}",
    ),
)
def default_page(found: HttpAnswers) -> Verdicts:
    """A page that nobody replaced stands for a server that nobody looks after."""
    for answer in found.answers:
        if answer.status != 200 and not (answer.landed or answer.default_page):
            continue
        if not (answer.default_page or answer.title or answer.whole):
            reason = "the page was cut before its title"
            yield unknown(answer.port, reason, needs="a page that is served", port=answer.port)
            continue
        yield expect(
            not answer.default_page,
            on=answer.port,
            saw=f"the first page of {answer.default_page}" if answer.default_page else "a page of its own",
            want="a page of its own, or no server",
            port=answer.port,
            values={"scheme": "https" if answer.tls else "http"},
        )
