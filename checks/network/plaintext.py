"""Services that take passwords without encryption."""

from __future__ import annotations

from checks.check import check
from checks.facts.network import LOOPBACK, OpenPorts
from checks.facts.network.files import FtpServers
from checks.facts.network.mail import MailServers
from checks.facts.network.web import HttpAnswers
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.model import Exploit, Impact, Severity, Surface, Weakness
from checks.verdict import Verdicts, expect, unknown


@check(
    "network.plaintext.ftp-tls",
    title="FTP servers start TLS when asked",
    severity=Severity.MEDIUM,
    impact=Impact.SERIOUS,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Replace FTP by SFTP, or turn TLS on in it",
        do="Use SFTP; where FTP must stay, give it a certificate and require TLS for logins and data.",
        verify="timeout 10 openssl s_client -starttls ftp -connect @{target}:@{port} </dev/null   # a "
        "certificate is "
        "shown",
        effort=Effort(setup=2.0, each=0.5),
        disruption=Disruption.RESTART,
        undo="Put the old configuration back and restart the server.",
        snippets=(
            Snippet(
                Language.SHELL,
                "# On @{target}, for vsftpd on port @{port}, with a certificate in "
                "/etc/ssl/private/ftp.pem:\n"
                "cp -p /etc/vsftpd.conf /etc/vsftpd.conf.before\n"
                "printf 'ssl_enable=YES\\nforce_local_logins_ssl=YES\\nforce_local_data_ssl=YES\\n"
                "rsa_cert_file=/etc/ssl/private/ftp.pem\\n"
                "rsa_private_key_file=/etc/ssl/private/ftp.pem\\n' >> /etc/vsftpd.conf\n"
                "systemctl restart vsftpd",
                "mv /etc/vsftpd.conf.before /etc/vsftpd.conf && systemctl restart vsftpd",
            ),
        ),
        key="ftp:@{target}:@{on}",
    ),
)
def ftp_tls(found: FtpServers) -> Verdicts:
    """Without TLS, FTP sends passwords and files in the clear past everybody on the way."""
    for server in found.servers:
        yield expect(
            server.tls,
            on=server.port,
            saw="TLS is offered" if server.tls else "AUTH TLS is refused",
            want="TLS is offered",
            port=server.port,
        )


@check(
    "network.plaintext.ftp-anonymous",
    title="FTP servers let nobody in without an account",
    severity=Severity.HIGH,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    surface=Surface.SERVICE,
    weakness=Weakness.WORLD_READABLE_STORE,
    fix=Fix(
        action="Turn anonymous FTP off",
        do="Set `anonymous_enable=NO` (vsftpd) or remove the `<Anonymous>` section (ProFTPD), and restart; "
        "publish files over HTTPS instead.",
        verify="curl -s -m 5 ftp://@{target}:@{port}/   # access denied",
        effort=Effort(setup=0.5, each=0.25),
        disruption=Disruption.RESTART,
        undo="Put the old configuration back and restart the server.",
        snippets=(
            Snippet(
                Language.SHELL,
                "# On @{target}, for vsftpd on port @{port}:\n"
                "cp -p /etc/vsftpd.conf /etc/vsftpd.conf.before\n"
                "sed -i '/^anonymous_enable=/d' /etc/vsftpd.conf\n"
                "echo 'anonymous_enable=NO' >> /etc/vsftpd.conf && systemctl restart vsftpd",
                "mv /etc/vsftpd.conf.before /etc/vsftpd.conf && systemctl restart vsftpd",
            ),
        ),
        key="ftp-anonymous:@{target}:@{on}",
    ),
)
def ftp_anonymous(found: FtpServers) -> Verdicts:
    """Anonymous FTP shows its files to everybody, and takes theirs where a directory is writable."""
    for server in found.servers:
        yield expect(
            not server.anonymous,
            on=server.port,
            saw="anonymous is let in" if server.anonymous else "anonymous is refused",
            want="anonymous is refused",
            port=server.port,
        )


@check(
    "network.plaintext.mail-login",
    title="Mail servers take no password before TLS",
    severity=Severity.MEDIUM,
    impact=Impact.SERIOUS,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Require TLS before mail logins",
        do="Set Dovecot's `ssl = required` and `disable_plaintext_auth = yes` (from 2.4 on "
        "`auth_allow_cleartext = no`), Postfix's `smtpd_tls_auth_only = yes`, and reload them; close "
        "ports 110 and 143 where 993 and 995 are enough.",
        verify="printf 'a1 CAPABILITY\\r\\n' | nc -w 2 @{target} @{port}   # LOGINDISABLED, or no AUTH "
        "before STARTTLS",
        effort=Effort(setup=1.0, each=0.5),
        disruption=Disruption.RESTART,
        undo="Put the old settings back and reload the services.",
        snippets=(
            Snippet(
                Language.SHELL,
                "# On @{target} (port @{port}), where Dovecot and Postfix run:\n"
                "case $(dovecot --version) in 2.[0-3].*) word='disable_plaintext_auth = yes';; "
                "*) word='auth_allow_cleartext = no';; esac\n"
                "printf 'ssl = required\\n%s\\n' \"$word\" > /etc/dovecot/conf.d/99-tls.conf\n"
                "if doveconf -n >/dev/null; then systemctl reload dovecot; "
                "else rm /etc/dovecot/conf.d/99-tls.conf; fi\n"
                "cp -p /etc/postfix/main.cf /etc/postfix/main.cf.before\n"
                "postconf -e smtpd_tls_auth_only=yes && postfix check && systemctl reload postfix",
                "rm /etc/dovecot/conf.d/99-tls.conf && systemctl reload dovecot\n"
                "mv /etc/postfix/main.cf.before /etc/postfix/main.cf && systemctl reload postfix",
            ),
        ),
        key="mail-tls:@{target}",
    ),
)
def mail_login(found: MailServers, ports: OpenPorts) -> Verdicts:
    """A mail password that travels in the clear opens the mailbox and all accounts that it can reset."""
    for server in found.servers:
        if server.plain_login and not server.tls and ports.vantage == LOOPBACK:
            # Dovecot takes clients of its own machine for safe, whatever it asks of others.
            reason = "asked from the machine itself, from which some servers take passwords before TLS"
            yield unknown(server.port, reason, needs="a scan from another machine", port=server.port)
            continue
        before = "takes passwords before TLS" if server.plain_login else "takes no password before TLS"
        yield expect(
            server.tls or not server.plain_login,
            on=server.port,
            saw=f"{server.protocol} {'inside TLS' if server.tls else before}",
            want="no password before TLS",
            port=server.port,
        )


@check(
    "network.plaintext.mail-starttls",
    title="Mail servers offer TLS",
    severity=Severity.MEDIUM,
    exploit=Exploit.HARDENING,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Turn STARTTLS on in the mail servers",
        do="Give the mail server a certificate and turn STARTTLS on (Postfix `smtpd_tls_security_level = "
        "may`).",
        verify="timeout 10 openssl s_client -starttls @{protocol} -connect @{target}:@{port} </dev/null   "
        "# a certificate is shown",
        effort=Effort(setup=1.0, each=0.5),
        disruption=Disruption.RESTART,
        undo="Put the old settings back and reload the server.",
        snippets=(
            Snippet(
                Language.SHELL,
                "# On @{target} (port @{port}), for Postfix, with key and certificates in one file:\n"
                "cp -p /etc/postfix/main.cf /etc/postfix/main.cf.before\n"
                "postconf -e smtpd_tls_security_level=may smtpd_tls_cert_file=/etc/ssl/private/mail.pem "
                "smtpd_tls_key_file=/etc/ssl/private/mail.pem\n"
                "postfix check && systemctl reload postfix",
                "mv /etc/postfix/main.cf.before /etc/postfix/main.cf && systemctl reload postfix",
            ),
        ),
        key="mail-tls:@{target}",
    ),
)
def mail_starttls(found: MailServers) -> Verdicts:
    """Mail that is handed over without TLS can be read and altered on its way."""
    for server in found.servers:
        offered = server.tls or server.starttls
        yield expect(
            offered,
            on=server.port,
            saw=f"{server.protocol} {'with' if offered else 'without'} TLS",
            want="TLS is offered",
            port=server.port,
            values={"protocol": server.protocol},
        )


@check(
    "network.plaintext.web-login",
    title="No web page asks for a password without TLS",
    severity=Severity.HIGH,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Serve login pages over HTTPS only",
        do="Give the service a certificate, redirect every HTTP request to HTTPS, and mark its cookies "
        "Secure.",
        verify="curl -s -m 5 -o /dev/null -w '%{http_code} %{redirect_url}\\n' http://@{target}:@{port}/   "
        "# 301 and an https address",
        effort=Effort(setup=1.0, each=0.5),
        disruption=Disruption.RESTART,
        undo="Remove the redirect and reload the server.",
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
def web_login(found: HttpAnswers) -> Verdicts:
    """A password typed into a page without TLS is read by everybody on the way."""
    for answer in found.answers:
        if answer.tls:
            continue
        leads = answer.landed if answer.location else ""
        safe = (leads or answer.location).lower().startswith("https:")
        basic, form = "basic" in answer.authenticate, answer.password_form and not safe
        if answer.location and not leads and not safe:
            reason = f"the front page leads to {answer.location}, which was not followed"
            yield unknown(answer.port, reason, needs="a look at that page", port=answer.port)
            continue
        if not (safe or form or basic or answer.whole):
            yield unknown(answer.port, "the page was cut before its end", port=answer.port)
            continue
        how = "a password form" if form else "HTTP Basic" if basic else "no password asked for"
        yield expect(
            not form and not basic,
            on=answer.port,
            saw=how,
            want="no password asked for without TLS",
            port=answer.port,
        )
