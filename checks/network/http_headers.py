"""What web servers tell browsers about how to treat their pages."""

from __future__ import annotations

import re

from checks.check import check
from checks.facts.network.web import HttpAnswer, HttpAnswers
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.model import Exploit, Severity, Surface
from checks.network.http import broken
from checks.verdict import Verdicts, expect, unknown

_REFERRER = frozenset(
    {
        "no-referrer",
        "no-referrer-when-downgrade",
        "origin",
        "origin-when-cross-origin",
        "same-origin",
        "strict-origin",
        "strict-origin-when-cross-origin",
    }
)
"""The policies that keep the whole address of a page from at least some others; `unsafe-url` does not."""
_ANYBODY = frozenset({"*", "http:", "https:", "http://*", "https://*"})


def _said(header: str) -> list[str]:
    """The values of a header that may have been sent more than once; one empty value without any."""
    return [value.strip() for value in header.split(",")]


def _framed(answer: HttpAnswer) -> bool:
    """Whether only named sites may frame a page: where a policy says it, the old header counts no more."""
    if answer.frame_ancestors:
        return any(not _ANYBODY & set(policy.split()) for policy in _said(answer.frame_ancestors))
    return len(set(_said(answer.frame_options))) == 1 and _said(answer.frame_options)[0] in (
        "deny",
        "sameorigin",
    )


@check(
    "network.http-headers.protection",
    title="Web pages tell browsers how to protect them",
    severity=Severity.LOW,
    exploit=Exploit.HARDENING,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Send the protective headers",
        do="Send with every page `X-Content-Type-Options: nosniff`, `Content-Security-Policy: "
        "frame-ancestors 'self'` (or X-Frame-Options for old browsers) and `Referrer-Policy: "
        "strict-origin-when-cross-origin`.",
        verify="curl -skI @{scheme}://@{target}:@{port}/ | grep -iE "
        "'^(x-content-type-options|x-frame-options|content-security-policy|referrer-policy):'   # all there",
        effort=Effort(setup=0.5, each=0.1),
        disruption=Disruption.NONE,
        undo="Remove the headers and reload the server.",
        snippets=(
            Snippet(
                Language.SHELL,
                "# On @{target}, for nginx on port @{port}:\n"
                "printf '%s\\n' 'add_header X-Content-Type-Options nosniff always;' "
                "'add_header X-Frame-Options SAMEORIGIN always;' "
                "'add_header Referrer-Policy strict-origin-when-cross-origin always;' "
                "> /etc/nginx/conf.d/10-headers.conf\n"
                "nginx -t && systemctl reload nginx",
                "rm /etc/nginx/conf.d/10-headers.conf && systemctl reload nginx",
            ),
        ),
        key="web-headers:@{target}",
    ),
    refs=("https://owasp.org/www-project-secure-headers/",),
)
def protection(found: HttpAnswers) -> Verdicts:
    """Without these headers another site can frame a page, misread it as a script, or learn where it is."""
    for answer in found.answers:
        if answer.status != 200 or answer.content_type != "text/html":
            continue
        given = {
            "X-Content-Type-Options": _said(answer.content_type_options)[0] == "nosniff",
            "X-Frame-Options or frame-ancestors": _framed(answer),
            "Referrer-Policy": any(word in _REFERRER for word in _said(answer.referrer_policy)[-1:]),
        }
        missing = [name for name, there in given.items() if not there]
        yield expect(
            not missing,
            on=answer.port,
            saw=f"missing: {', '.join(missing)}" if missing else "all of them",
            want=", ".join(given),
            port=answer.port,
            values={"scheme": "https" if answer.tls else "http"},
        )


_FOR_SCRIPTS = re.compile(r"csrf|xsrf", re.IGNORECASE).search
"""Tokens against forged requests, which the scripts of their page must read."""


@check(
    "network.http-headers.cookies",
    title="Cookies of HTTPS pages are Secure and HttpOnly",
    severity=Severity.LOW,
    exploit=Exploit.HARDENING,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Mark cookies Secure and HttpOnly",
        do="Set `Secure` and `HttpOnly` on every cookie that the application gives; a cookie that scripts of "
        "the page must read needs `Secure` alone (tokens against forged requests are known by their names; "
        "for others, accept that risk for its port).",
        verify="curl -skI https://@{target}:@{port}/ | grep -i '^set-cookie:'   # Secure; HttpOnly",
        effort=Effort(setup=1.0, each=0.25),
        disruption=Disruption.NONE,
        undo="Take the attributes away again in the application.",
        snippets=(
            Snippet(
                Language.SHELL,
                "# On @{target}, where nginx on port @{port} stands before the application:\n"
                "echo 'proxy_cookie_flags ~ secure httponly;' > /etc/nginx/conf.d/10-cookies.conf\n"
                "nginx -t && systemctl reload nginx",
                "rm /etc/nginx/conf.d/10-cookies.conf && systemctl reload nginx",
            ),
        ),
        key="cookies:@{target}:@{on}",
    ),
)
def cookies(found: HttpAnswers) -> Verdicts:
    """A cookie without Secure also travels in clear text, and one without HttpOnly is read by any script."""
    for answer in found.answers:
        if not answer.tls or not answer.cookies:
            continue
        bare = [c.name for c in answer.cookies if not (c.secure and (c.http_only or _FOR_SCRIPTS(c.name)))]
        yield expect(
            not bare,
            on=answer.port,
            saw=f"without Secure or HttpOnly: {', '.join(bare[:10])}" if bare else "all are marked",
            want="Secure and HttpOnly on every cookie",
            port=answer.port,
        )


_ANYBODYS = frozenset({"https://nobody.invalid", "null"})
"""Origins that any page can have: the one that was made up to ask, and that of a frame in a sandbox."""


@check(
    "network.http-headers.cross-origin",
    title="No web server lets every site act with its visitors' logins",
    severity=Severity.MEDIUM,
    exploit=Exploit.POC,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Name the origins that may send credentials",
        do="Answer with Access-Control-Allow-Origin only for the origins on a list, never with whatever the "
        "request named, and leave Access-Control-Allow-Credentials out where nobody needs it.",
        verify="curl -skI -H 'Origin: https://nobody.invalid' @{scheme}://@{target}:@{port}/ | "
        "grep -i '^access-control-allow-'   # neither nobody.invalid nor null",
        effort=Effort(setup=2.0, each=0.5),
        disruption=Disruption.NONE,
        undo="Put the old rule for origins back.",
        snippets=(
            Snippet(
                Language.SHELL,
                "# On @{target}: where the server on port @{port} makes these headers\n"
                "grep -rniE 'access-control-allow-(origin|credentials)|http_origin' /etc/nginx /etc/apache2 "
                "/etc/httpd /etc/lighttpd /srv /opt 2>/dev/null",
                "# Nothing was changed: the command only looks.",
            ),
        ),
        key="origins:@{target}:@{on}",
    ),
)
def cross_origin(found: HttpAnswers) -> Verdicts:
    """A site that allows any origin with credentials lets every page that its users visit act as them."""
    for answer in found.answers:
        echoed = answer.cors_origin.strip().lower().rstrip("/") in _ANYBODYS
        if not echoed and (reason := broken(answer)):
            yield unknown(answer.port, reason, needs="a page that is served", port=answer.port)
            continue
        yield expect(
            not (echoed and answer.cors_credentials),
            on=answer.port,
            saw=f"allows {answer.cors_origin or 'no other origin'}"
            + (" with credentials" if answer.cors_credentials else ""),
            want="no origin that nobody named, with credentials",
            port=answer.port,
            values={"scheme": "https" if answer.tls else "http"},
        )
