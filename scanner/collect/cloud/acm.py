"""Collects certificates; the list says all that is needed."""

from __future__ import annotations

from collections.abc import Iterable

from checks.facts.cloud.acm import IssuedCertificate, IssuedCertificates
from scanner.collect.cloud.calls import Call, Collector, Place
from scanner.collect.cloud.fields import Raw, flag, text, time_or_never
from scanner.collect.cloud.lists import listing

LIST = Call("acm", "ListCertificates", (IssuedCertificates,), key="CertificateSummaryList", page=1000)
_KEYS = [
    "RSA_1024",
    "RSA_2048",
    "RSA_3072",
    "RSA_4096",
    "EC_prime256v1",
    "EC_secp384r1",
    "EC_secp521r1",
]
"""AWS lists only RSA of 1024 and 2048 bits unless it is told otherwise."""


def _certificate(place: Place, raw: Raw) -> IssuedCertificate:
    return IssuedCertificate(
        arn=text(raw, "CertificateArn"),
        name=text(raw, "DomainName", ""),
        region=place.region,
        status=text(raw, "Status", "ISSUED"),
        ends=time_or_never(raw, "NotAfter"),
        key=text(raw, "KeyAlgorithm", "").replace("-", "_"),
        used=flag(raw, "InUse"),
        renews=text(raw, "Type", "AMAZON_ISSUED") != "IMPORTED",
    )


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield listing(
        "acm certificates",
        LIST,
        _certificate,
        named="CertificateArn",
        asked={"Includes": {"keyTypes": _KEYS}},
    )
