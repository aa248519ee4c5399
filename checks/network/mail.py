"""Mail servers: mail for others, and what they tell of their users and themselves."""

from __future__ import annotations

import re

from checks.check import check
from checks.facts.network import OUTSIDE, OpenPorts
from checks.facts.network.mail import SmtpRelays, SmtpUsers
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.model import Exploit, Severity, Surface
from checks.verdict import Verdicts, expect, unknown

_MAIL = frozenset({"smtp", "imap", "pop3"})
_VERSION = re.compile(r"(?<![\w.-])v?\d{1,4}\.\d{1,4}(?:\.\d{1,6})?[a-z]?(?![\w.-])")
"""A number with one or two dots that stands alone: no address, no part of a host's name."""


@check(
    "network.mail.open-relay",
    title="Mail servers pass no mail of strangers on",
    severity=Severity.HIGH,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Close the open mail relay",
        do="Let only logged-in users and the networks of your own send mail to other domains (Postfix: "
        "`smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, "
        "reject_unauth_destination` "
        "and a narrow `mynetworks`).",
        verify="swaks --server @{target} --port @{port} --from a@example.net --to b@example.org "
        "--quit-after RCPT   # 554 relay access denied",
        effort=Effort(setup=1.0, each=0.5),
        disruption=Disruption.NONE,
        undo="Set the old restrictions again and reload the server.",
        snippets=(
            Snippet(
                Language.SHELL,
                "# On @{target} (port @{port}), for Postfix:\n"
                "cp -p /etc/postfix/main.cf /etc/postfix/main.cf.before\n"
                "postconf -e 'mynetworks = 127.0.0.0/8 [::1]/128' 'smtpd_relay_restrictions = "
                "permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination'\n"
                "postfix check && systemctl reload postfix",
                "mv /etc/postfix/main.cf.before /etc/postfix/main.cf && systemctl reload postfix",
            ),
        ),
        key="open-relay:@{target}",
    ),
)
def open_relay(found: SmtpRelays, ports: OpenPorts) -> Verdicts:
    """An open relay sends the spam of the world in your name, until nobody takes your mail any more."""
    for server in found.servers:
        if server.accepted and ports.vantage != OUTSIDE:
            reason = f"asked from {ports.vantage}, whose mail the server may have to pass on: {server.answer}"
            yield unknown(server.port, reason, needs="a scan from outside", port=server.port)
            continue
        yield expect(
            not server.accepted,
            on=server.port,
            saw=server.answer,
            want="a recipient of a foreign domain is refused",
            port=server.port,
        )


@check(
    "network.mail.user-names",
    title="Mail servers do not tell who has a mailbox",
    severity=Severity.LOW,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Turn VRFY and EXPN off",
        do="Set `disable_vrfy_command = yes` (Postfix), `PrivacyOptions=novrfy,noexpn` (Sendmail), or remove "
        "`acl_smtp_vrfy` (Exim), and reload.",
        verify="printf 'EHLO x\\r\\nVRFY postmaster\\r\\nQUIT\\r\\n' | nc -w 5 @{target} @{port}   # 502, "
        "or 252 "
        "for any name",
        effort=Effort(setup=0.25, each=0.1),
        disruption=Disruption.NONE,
        undo="Set `disable_vrfy_command = no` and reload.",
        snippets=(
            Snippet(
                Language.SHELL,
                "# On @{target} (port @{port}), for Postfix:\n"
                "cp -p /etc/postfix/main.cf /etc/postfix/main.cf.before\n"
                "postconf -e disable_vrfy_command=yes && postfix check && systemctl reload postfix",
                "mv /etc/postfix/main.cf.before /etc/postfix/main.cf && systemctl reload postfix",
            ),
        ),
        key="smtp-vrfy:@{target}",
    ),
)
def user_names(found: SmtpUsers) -> Verdicts:
    """A server that tells which mailboxes exist hands out the names for guessed passwords and baits."""
    for server in found.servers:
        yield expect(
            not server.tells,
            on=server.port,
            saw=server.answer,
            want="the same answer for every name",
            port=server.port,
        )


@check(
    "network.mail.version-told",
    title="Mail servers do not greet with their version",
    severity=Severity.LOW,
    exploit=Exploit.HARDENING,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Take the version out of the mail greeting",
        do="Set a greeting without a version: `smtpd_banner = $myhostname ESMTP` (Postfix), `smtp_banner` "
        "(Exim), `confSMTP_LOGIN_MSG` (Sendmail), `login_greeting` (Dovecot).",
        verify="printf 'QUIT\\r\\n' | nc -w 5 @{target} @{port}   # no version in the first line",
        effort=Effort(setup=0.25, each=0.1),
        disruption=Disruption.NONE,
        undo="Set the old greeting again.",
        snippets=(
            Snippet(
                Language.SHELL,
                "# On @{target} (port @{port}), for Postfix:\n"
                "cp -p /etc/postfix/main.cf /etc/postfix/main.cf.before\n"
                "postconf -e 'smtpd_banner = $myhostname ESMTP' && systemctl reload postfix",
                "mv /etc/postfix/main.cf.before /etc/postfix/main.cf && systemctl reload postfix",
            ),
        ),
        key="mail-banner:@{target}:@{on}",
    ),
)
def version_told(found: OpenPorts) -> Verdicts:
    """A version in the greeting tells which published flaws are worth trying."""
    for port in found.ports:
        if port.service in _MAIL and (port.banner or port.version):
            told = _VERSION.search(port.banner) or (port.version and port.version in port.banner)
            yield expect(
                not told, on=port.name, saw=port.banner or "no version", want="no version", port=port.name
            )
