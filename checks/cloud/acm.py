"""Certificates: whether they end soon, and how strong they are."""

from __future__ import annotations

from datetime import datetime

from checks.check import check
from checks.cloud.ages import days_until
from checks.cloud.setting import repair, setting
from checks.facts.cloud.acm import IssuedCertificates
from checks.model import Severity, Surface
from checks.verdict import Verdicts, expect


@check(
    "cloud.acm.expiry",
    title="Certificates are renewed in time",
    severity=Severity.MEDIUM,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Renew the certificate of @{name}",
        "Request a certificate that is validated by DNS, which AWS renews by itself, and put it in place of "
        "this one; an "
        "imported one has to be imported anew.",
        "aws acm describe-certificate --region @{region} --certificate-arn @{on} --query "
        "Certificate.NotAfter",
        "aws acm request-certificate --region @{region} --domain-name @{name} --validation-method DNS",
        'aws acm delete-certificate --region @{region} --certificate-arn "$NEW_ARN"',
        hours=(0.5, 0.5),
        key="acm:renew @{on}",
        terraform="# With the subject_alternative_names of @{on}:\n"
        'resource "aws_acm_certificate" "renewed" {\n  domain_name       = @{name}\n'
        '  validation_method = "DNS"\n  lifecycle {\n    create_before_destroy = true\n  }\n}\n',
    ),
    refs=("https://docs.aws.amazon.com/acm/latest/userguide/managed-renewal.html",),
)
def expiry(found: IssuedCertificates, *, days: int = 30, now: datetime) -> Verdicts:
    """An expired certificate stops the site, and those who click the warning away learn to do so."""
    for one in found.certificates:
        left = days_until(one.ends, now)
        if left is None:
            continue
        told = f"ended {-left} days ago" if left < 0 else f"{left} days left"
        yield expect(
            left > days or not one.used,
            on=one.arn,
            where=one.region,
            # AWS renews by itself what is in use, 60 days before its end: what is late here is stuck.
            saw=told if one.used else f"{told}; nothing uses it",
            want=f"more than {days} days left, or not in use",
            values={"name": one.name},
        )


key_length = setting(
    "cloud.acm.key-length",
    IssuedCertificates,
    lambda one: one.key != "RSA_1024" if one.key else None,
    title="Certificates have keys of at least 2048 bits",
    why="A key of 1024 bits can be computed by those who can pay for it.",
    severity=Severity.MEDIUM,
    bad="a key of 1024 bits",
    good="at least 2048 bits",
    fix=repair(
        "Replace the certificate of @{name} by one with a longer key",
        "Request a new one, put it in place of the old one, then delete that.",
        "aws acm describe-certificate --region @{region} --certificate-arn @{on} --query "
        "Certificate.KeyAlgorithm",
        "aws acm request-certificate --region @{region} --domain-name @{name} --validation-method DNS",
        'aws acm delete-certificate --region @{region} --certificate-arn "$NEW_ARN"',
        terraform="# With the subject_alternative_names of @{on}:\n"
        'resource "aws_acm_certificate" "longer_key" {\n  domain_name       = @{name}\n'
        '  key_algorithm     = "RSA_2048"\n  validation_method = "DNS"\n'
        "  lifecycle {\n    create_before_destroy = true\n  }\n}\n",
        hours=(0.5, 0.5),
    ),
    refs=("https://docs.aws.amazon.com/acm/latest/userguide/acm-certificate.html",),
)
