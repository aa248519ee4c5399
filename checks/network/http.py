"""What web servers tell and demand in their headers."""

from __future__ import annotations

import re

from checks.check import check
from checks.facts.network.web import HttpAnswers
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.model import Exploit, Severity, Surface
from checks.verdict import Verdicts, expect

_VERSION = re.compile(r"\d+\.\d+")
_MAX_AGE = re.compile(r"max-age\s*=\s*\"?(\d{1,12})", re.IGNORECASE)


@check(
    "network.http.version-disclosure",
    title="Web servers keep their versions to themselves",
    severity=Severity.LOW,
    exploit=Exploit.HARDENING,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Hide the versions of web servers",
        do="nginx: `server_tokens off;`. Apache: `ServerTokens Prod` and `ServerSignature Off`. PHP: "
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
        "works over HTTPS.",
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
        age = _MAX_AGE.search(answer.hsts)
        yield expect(
            age is not None and int(age[1]) >= seconds,
            on=answer.port,
            saw=answer.hsts or "no such header",
            want=f"max-age of {seconds} seconds or more",
            port=answer.port,
        )
