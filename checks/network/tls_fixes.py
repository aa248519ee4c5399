"""How what TLS services negotiate and present is repaired."""

from __future__ import annotations

from checks.fix import Disruption, Effort, Fix, Language, Snippet

STARTED = "with -starttls and the protocol where the service starts TLS"
"""What the reader of a command for openssl adds for mail, LDAP and databases."""
_INSPECT = "openssl s_client -connect @{target}:@{port} </dev/null 2>/dev/null | openssl x509 -noout"


def new_certificate(action: str, do: str, verify: str) -> Fix:
    """The repair of all that is wrong with a certificate: a new one, which closes all of it at once."""
    return Fix(
        action=action,
        do=do,
        verify=f"{_INSPECT} {verify}; {STARTED}",
        effort=Effort(setup=1.0, each=0.5),
        disruption=Disruption.RESTART,
        undo="Put the old certificate and key back and reload the service.",
        snippets=(
            Snippet(
                Language.SHELL,
                "# On @{target}: a key and a request for the service on port @{port}; send it to your "
                "authority\n"
                "openssl req -new -newkey rsa:3072 -nodes -sha256 -keyout new.key -out new.csr \\\n"
                '  -subj /CN=@{target} -addext subjectAltName=DNS:"$(hostname -f)"\n'
                "openssl req -in new.csr -noout -verify -text | grep -A1 'Alternative Name'",
                "rm new.key new.csr",
            ),
        ),
        key="certificate:@{fingerprint}",
    )


def _nginx(keyword: str, value: str, file: str) -> Snippet:
    """One line of nginx, wherever it is set already, or in a file of its own where it is set nowhere."""
    return Snippet(
        Language.SHELL,
        "# On @{target}, for nginx on port @{port}:\n"
        "cp -a /etc/nginx /etc/nginx.before\n"
        f"grep -rlE '^[^#]*{keyword}[[:space:]]' /etc/nginx | xargs -r sed -i -E "
        f"'/^[[:space:]]*#/!s/{keyword}[[:space:]][^;]*;/{keyword} {value};/'\n"
        f"grep -rqE '^[^#]*{keyword}[[:space:]]' /etc/nginx || \\\n"
        f"  echo '{keyword} {value};' > /etc/nginx/conf.d/{file}\n"
        "nginx -t && systemctl reload nginx",
        "rm -r /etc/nginx && mv /etc/nginx.before /etc/nginx && systemctl reload nginx",
    )


OLDEST_VERSION = Fix(
    action="Turn TLS 1.0, TLS 1.1 and SSL off",
    do="Set the oldest version of the service to TLS 1.2 (nginx `ssl_protocols TLSv1.2 TLSv1.3;`, Apache "
    "`SSLProtocol -all +TLSv1.2 +TLSv1.3`, Postfix `smtpd_tls_protocols = >=TLSv1.2`), and reload it.",
    verify="openssl s_client -connect @{target}:@{port} -tls1_1 -cipher 'ALL:@SECLEVEL=0' </dev/null   "
    f"# alert protocol version; {STARTED}",
    effort=Effort(setup=0.5, each=0.25),
    disruption=Disruption.RESTART,
    undo="Put the old list of versions back and reload the service.",
    snippets=(
        _nginx("ssl_protocols", "TLSv1.2 TLSv1.3", "10-versions.conf"),
        Snippet(
            Language.SHELL,
            "# On @{target}, for Postfix on port @{port}:\n"
            "postconf -e 'smtpd_tls_protocols = >=TLSv1.2' 'smtpd_tls_mandatory_protocols = >=TLSv1.2'\n"
            "systemctl reload postfix",
            "postconf -X smtpd_tls_protocols smtpd_tls_mandatory_protocols && systemctl reload postfix",
        ),
    ),
    key="tls-settings:@{target}:@{on}",
)

SOUND_CIPHERS = Fix(
    action="Limit the cipher suites to modern ones",
    do="Set the cipher list of the service to forward-secret AEAD suites, for example "
    "`ECDHE+AESGCM:ECDHE+CHACHA20`, and reload it.",
    verify="openssl s_client -connect @{target}:@{port} -tls1_2 -cipher "
    "'NULL:aNULL:RC4:3DES:@SECLEVEL=0' "
    f"</dev/null   # alert handshake failure; {STARTED}",
    effort=Effort(setup=0.5, each=0.25),
    disruption=Disruption.RESTART,
    undo="Put the old list of ciphers back and reload the service.",
    snippets=(
        _nginx("ssl_ciphers", "ECDHE+AESGCM:ECDHE+CHACHA20", "10-ciphers.conf"),
        Snippet(
            Language.SHELL,
            "# On @{target}, for Postfix on port @{port}:\n"
            "postconf -e 'smtpd_tls_exclude_ciphers = aNULL, eNULL, EXPORT, RC4, DES, 3DES, MD5'\n"
            "systemctl reload postfix",
            "postconf -X smtpd_tls_exclude_ciphers && systemctl reload postfix",
        ),
    ),
    key="tls-settings:@{target}:@{on}",
)
