"""Directories (LDAP): what strangers see, and whether passwords go over TLS."""

from __future__ import annotations

from checks.check import check
from checks.facts.network.directory import Directories
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.model import Exploit, Impact, Severity, Surface, Weakness
from checks.verdict import Verdicts, expect


@check(
    "network.directory.anonymous-search",
    title="Directories show no entry to somebody without a name",
    severity=Severity.MEDIUM,
    impact=Impact.SERIOUS,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    surface=Surface.SERVICE,
    weakness=Weakness.WORLD_READABLE_STORE,
    fix=Fix(
        action="Close the directory to anonymous searches",
        do="Let only accounts read (OpenLDAP: `access to * by users read by anonymous auth`, or `disallow "
        "bind_anon` with `require authc`; Active Directory: clear the seventh character of dsHeuristics). "
        "Give "
        "clients that search without a name an account first.",
        verify="ldapsearch -x -o nettimeout=5 -H ldap://@{target}:@{port} -s base -b '' namingContexts   "
        "# then: -b CONTEXT, no entry",
        effort=Effort(setup=2.0, each=0.5),
        disruption=Disruption.NONE,
        undo="Set the old access rules again.",
        snippets=(
            Snippet(
                Language.SHELL,
                "# On @{target} (port @{port}), for OpenLDAP with its configuration in cn=config:\n"
                "printf 'dn: cn=config\\nchangetype: modify\\nadd: olcDisallows\\nolcDisallows: "
                "bind_anon\\n\\n"
                "dn: olcDatabase={-1}frontend,cn=config\\nchangetype: modify\\nadd: olcRequires\\n"
                "olcRequires: authc\\n' | ldapmodify -Y EXTERNAL -H ldapi:///",
                "printf 'dn: cn=config\\nchangetype: modify\\ndelete: olcDisallows\\nolcDisallows: "
                "bind_anon\\n\\n"
                "dn: olcDatabase={-1}frontend,cn=config\\nchangetype: modify\\ndelete: olcRequires\\n"
                "olcRequires: authc\\n' | ldapmodify -Y EXTERNAL -H ldapi:///",
            ),
        ),
        key="ldap-anonymous:@{target}:@{on}",
    ),
)
def anonymous_search(found: Directories) -> Verdicts:
    """A directory that everybody may search names the accounts, groups and machines worth attacking."""
    for server in found.servers:
        bind = "an anonymous bind is granted" if server.bind else "no anonymous bind"
        yield expect(
            not server.entries,
            on=server.port,
            saw=f"{server.answer}; {bind}",
            want="no entry is shown",
            port=server.port,
        )


@check(
    "network.directory.tls",
    title="Directories offer TLS for logins",
    severity=Severity.MEDIUM,
    impact=Impact.SERIOUS,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Give the directory TLS and require it",
        do="Give the server a certificate, offer StartTLS or LDAPS, and refuse passwords outside of it "
        "(OpenLDAP: `security simple_bind=128`; Active Directory: require LDAP signing and install a server "
        "certificate).",
        verify="ldapsearch -x -ZZ -o nettimeout=5 -H ldap://@{target}:@{port} -s base -b ''   "
        "# answered after StartTLS",
        effort=Effort(setup=2.0, each=0.5),
        disruption=Disruption.RESTART,
        undo="Take the certificate out of the configuration.",
        snippets=(
            Snippet(
                Language.SHELL,
                "# On @{target} (port @{port}), for OpenLDAP, with a key and certificate in /etc/ldap/tls:\n"
                "printf 'dn: cn=config\\nchangetype: modify\\nadd: olcTLSCertificateFile\\n"
                "olcTLSCertificateFile: /etc/ldap/tls/server.pem\\n-\\nadd: olcTLSCertificateKeyFile\\n"
                "olcTLSCertificateKeyFile: /etc/ldap/tls/server.key\\n' | ldapmodify -Y EXTERNAL -H "
                "ldapi:///",
                "printf 'dn: cn=config\\nchangetype: modify\\ndelete: olcTLSCertificateFile\\n-\\n"
                "delete: olcTLSCertificateKeyFile\\n' | ldapmodify -Y EXTERNAL -H ldapi:///",
            ),
        ),
        key="ldap-tls:@{target}:@{on}",
    ),
)
def tls(found: Directories) -> Verdicts:
    """A login to a directory without TLS hands the password to everybody on the way."""
    for server in found.servers:
        saw = "TLS first" if server.tls else "StartTLS is offered" if server.starttls else "no TLS is offered"
        yield expect(
            server.tls or server.starttls, on=server.port, saw=saw, want="TLS is offered", port=server.port
        )
