"""Whether clients can trust what services present, and for how long."""

from __future__ import annotations

from checks.check import check
from checks.facts.network.tls import TlsCertificates, TlsChains, TlsSettings, TlsTrusts
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.model import Exploit, Severity, Surface
from checks.network.tls import placed
from checks.network.tls_fixes import STARTED
from checks.verdict import Verdicts, expect, not_applicable, unknown

_SHOW = "openssl s_client -connect @{target}:@{port} -showcerts </dev/null"
_CHAIN = Snippet(
    Language.SHELL,
    "# On @{target}, for the service on port @{port}; chain.pem comes from the authority:\n"
    "cp -p fullchain.pem fullchain.pem.before\n"
    "cat server.pem chain.pem > fullchain.pem\n"
    "openssl verify -untrusted chain.pem server.pem",
    "mv fullchain.pem.before fullchain.pem",
)


def _fix(action: str, do: str, verify: str, snippet: Snippet = _CHAIN) -> Fix:
    return Fix(
        action=action,
        do=do,
        verify=f"{verify}; {STARTED}",
        effort=Effort(setup=1.0, each=0.25),
        disruption=Disruption.RESTART,
        undo="Put the old certificates back and reload the service.",
        snippets=(snippet,),
        key="certificate-chain:@{target}:@{on}",
    )


@check(
    "network.tls-trust.chain",
    title="Certificates lead to a root that is trusted",
    severity=Severity.MEDIUM,
    exploit=Exploit.HARDENING,
    surface=Surface.SERVICE,
    fix=_fix(
        "Present a chain that leads to a trusted root",
        "Install the certificate together with the intermediate certificates of its authority. If it is from "
        "an authority of your own, give its root to the clients, and to the machine that scans.",
        f"{_SHOW} | grep 'Verify return code'   # 0 (ok)",
    ),
)
def chain(found: TlsTrusts) -> Verdicts:
    """Clients that cannot follow a chain fail, or were told to accept anything, also an attacker."""
    for one in found.services:
        if one.self_signed and not one.trusted:
            yield not_applicable(one.port, "it is self-signed, which has a check of its own")
            continue
        yield expect(
            one.trusted,
            on=one.port,
            saw="a path to a root" if one.trusted else one.reason,
            want=f"a path to a root in {one.store}",
            port=one.port,
        )


@check(
    "network.tls-trust.lifetime",
    title="Certificates are issued for about a year at most",
    severity=Severity.LOW,
    exploit=Exploit.HARDENING,
    surface=Surface.SERVICE,
    fix=_fix(
        "Replace certificates of a long life",
        "Get a certificate for 90 days to a year, and let a machine renew it.",
        f"{_SHOW} 2>/dev/null | openssl x509 -noout -dates   # 398 days or less between them",
    ),
)
def lifetime(found: TlsTrusts, *, days: int = 398) -> Verdicts:
    """A stolen key serves for as long as its certificate is valid; browsers refuse more than 398 days."""
    for one in found.services:
        if not one.trusted:
            yield not_applicable(one.port, "not issued by an authority that clients trust by themselves")
            continue
        yield expect(
            one.days <= days,
            on=one.port,
            saw=f"{one.days} days",
            want=f"{days} days or less",
            port=one.port,
        )


@check(
    "network.tls-trust.intermediate-hash",
    title="Authorities are signed with a sound hash",
    severity=Severity.MEDIUM,
    exploit=Exploit.HARDENING,
    surface=Surface.SERVICE,
    fix=_fix(
        "Replace intermediates that are signed with SHA-1 or MD5",
        "Get a certificate from a current intermediate of the authority, and present that intermediate.",
        f"{_SHOW} 2>/dev/null | grep -i 'sigalg'   # no SHA1 and no MD5 above the root",
    ),
)
def intermediate_hash(
    found: TlsChains, *, broken: frozenset[str] = frozenset({"md2", "md4", "md5", "sha1"})
) -> Verdicts:
    """With a forged signature over an intermediate an attacker makes certificates for every name."""
    for one in found.services:
        # Nobody relies on the signature that a root makes for itself.
        weak = [link for link in one.links if link.signature_hash in broken and not link.self_signed]
        yield expect(
            not weak,
            on=one.port,
            saw=", ".join(f"{link.subject} ({link.signature_hash})" for link in weak)
            or f"{len(one.links)} further certificates, none with a broken hash",
            want="SHA-256 or better",
            port=one.port,
            cite=weak[0].subject if weak else "",
        )


@check(
    "network.tls-trust.stapling",
    title="Certificates that demand a stapled status come with one",
    severity=Severity.LOW,
    exploit=Exploit.HARDENING,
    surface=Surface.SERVICE,
    fix=_fix(
        "Staple the status that the certificate demands",
        "Turn OCSP stapling on (nginx `ssl_stapling on;`, Apache `SSLUseStapling on`), or get a certificate "
        "that does not demand it.",
        "openssl s_client -connect @{target}:@{port} -tls1_2 -status </dev/null | grep 'OCSP Response Status'"
        "   # successful",
        Snippet(
            Language.SHELL,
            "# On @{target}, for nginx on port @{port}:\n"
            "echo 'ssl_stapling on;' > /etc/nginx/conf.d/10-stapling.conf\n"
            "nginx -t && systemctl reload nginx",
            "rm /etc/nginx/conf.d/10-stapling.conf && systemctl reload nginx",
        ),
    ),
    refs=("https://www.rfc-editor.org/rfc/rfc7633",),
)
def stapling(found: TlsCertificates, settings: TlsSettings) -> Verdicts:
    """A client that keeps to the certificate's demand refuses the service when the status is missing."""
    stapled = {one.port: one for one in settings.services}
    for on, one in placed(found):
        setting = stapled.get(one.port)
        if not one.must_staple:
            yield not_applicable(on, "the certificate does not demand a status; revocation not asked")
        elif setting is None or not setting.version:
            reason = "whether a status comes along is told in clear text by TLS 1.2 and older only"
            yield unknown(on, reason, needs="an answer in TLS 1.2", port=one.port)
        else:
            saw = "a status" if setting.stapled else "none"
            yield expect(setting.stapled, on=on, saw=saw, want="a stapled status", port=one.port)
