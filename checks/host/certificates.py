"""The certificates that services present, and the authorities that the host trusts beyond the usual."""

from __future__ import annotations

from datetime import datetime, timedelta

from checks.check import check
from checks.facts.host.certificates import AddedAuthorities, Certificate, Certificates
from checks.fix import Disruption, Effort, Fix
from checks.model import Severity
from checks.verdict import Verdicts, expect

_RENEW = (
    "Which authority signs the new one, and where its key lies, is different for each service: a person "
    "does this, or better a program that renews in time (an ACME client)."
)
_DATES = "openssl x509 -noout -dates -in @{on}   # notAfter is far enough away"


@check(
    "host.certificates.expiry",
    title="The certificates of services are valid for a while yet",
    severity=Severity.HIGH,
    fix=Fix(
        action="Renew the certificates that end soon",
        do=f"Renew the certificate in `@{{on}}` (@{{subject}}) and reload what uses it "
        f"(@{{used_by}}). {_RENEW}",
        verify=_DATES,
        effort=Effort(setup=0.5, each=0.5),
        disruption=Disruption.RESTART,
        key="certificate:@{fingerprint}",
    ),
)
def expiry(found: Certificates, *, days: int = 30, now: datetime) -> Verdicts:
    """With the certificate ends the service, and before that people learn to click a warning away."""
    for one in _used(found):
        begins, ends = datetime.fromisoformat(one.begins), datetime.fromisoformat(one.ends)
        left = (ends - now) / timedelta(days=1)
        if begins > now:
            saw = f"valid only from {begins:%Y-%m-%d}"
        else:
            saw = f"ended {ends:%Y-%m-%d}" if left < 0 else f"ends {ends:%Y-%m-%d}"
        yield expect(
            left >= days and begins <= now,
            on=one.path,
            saw=saw,
            want=f"valid for {days} days or more",
            severity=Severity.MEDIUM if left > 0 and begins <= now else None,
            values=_values(one),
        )


@check(
    "host.certificates.strength",
    title="The certificates of services have strong keys and signatures",
    severity=Severity.MEDIUM,
    fix=Fix(
        action="Replace certificates with weak keys or signatures",
        do="Make a new key (EC P-256, or RSA with 3072 bits) and have a new certificate signed for `@{on}` "
        f"(@{{subject}}), then reload what uses it (@{{used_by}}). {_RENEW}",
        verify="openssl x509 -noout -text -in @{on} | grep -E 'Public-Key|Signature Algorithm'   # strong",
        effort=Effort(setup=0.5, each=0.5),
        disruption=Disruption.RESTART,
        key="certificate:@{fingerprint}",
    ),
)
def strength(
    found: Certificates,
    *,
    rsa_bits: int = 2048,
    curve_bits: int = 224,
    weak_digests: frozenset[str] = frozenset({"md2", "md4", "md5", "sha1"}),
) -> Verdicts:
    """A short key can be computed from the certificate, and a broken digest lets another one be forged."""
    for one in _used(found):
        enough = {"RSA": rsa_bits, "EC": curve_bits, "DSA": 1 << 20}.get(one.key, 0)
        weak = [] if one.bits >= enough else [f"{one.key} key of {one.bits} bits"]
        # Nobody relies on the signature of a certificate on itself.
        if one.digest in weak_digests and not one.self_signed:
            weak.append(f"signed with {one.digest}")
        yield expect(
            not weak,
            on=one.path,
            saw=weak or f"{one.key} {one.bits}, {one.digest or 'a signature without a separate digest'}",
            want=f"RSA of {rsa_bits} bits or more, or elliptic curves, and no MD5 or SHA-1",
            values=_values(one),
        )


def _used(found: Certificates) -> tuple[Certificate, ...]:
    return tuple(one for one in found.certificates if one.used_by)


def _values(one: Certificate) -> dict[str, str]:
    return {
        "subject": one.subject or "no subject",
        "used_by": ", ".join(one.used_by),
        "fingerprint": one.fingerprint,
    }


@check(
    "host.certificates.added-authorities",
    title="The host trusts only the authorities of its distribution",
    severity=Severity.INFO,
    fix=Fix(
        action="Review the authorities that were added to the trusted ones",
        do="Ask who added the authority in `@{file}` (@{subject}) and what for. Where nobody needs it, "
        "delete the file and run update-ca-certificates or update-ca-trust. An authority of your own is "
        "right here: whether it is one, a person decides, and then waives this with the reason.",
        verify="ls @{file}   # No such file",
        effort=Effort(setup=0.25, each=0.1),
        undo="Put the file back and run update-ca-certificates or update-ca-trust.",
    ),
)
def added_authorities(found: AddedAuthorities) -> Verdicts:
    """Who holds the key of an added authority can pose to this host as any service in the world."""
    seen: set[str] = set()
    for one in found.certificates:
        if one.fingerprint in seen:
            continue
        seen.add(one.fingerprint)
        yield expect(
            False,
            on=f"{one.subject or 'no subject'} ({one.fingerprint[:16]})",
            saw=f"{one.path}, ends {one.ends[:10]}",
            want="none beyond those of the distribution",
            values={"file": one.path, "subject": one.subject or "no subject"},
            cite=one.path,
        )
    if not found.certificates:
        yield expect(True, on="added authorities", saw="none", want="none")
