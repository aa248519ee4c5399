"""What a record of a name leads to, read from the names that AWS gives its resources."""

from __future__ import annotations

import re

from checks.facts.cloud.route53 import NameRecord

_BUCKET = re.compile(r"(.+\.)?s3(-website)?([.-](dualstack\.)?[a-z0-9-]+)?\.amazonaws\.com(\.cn)?")
_ENVIRONMENT = re.compile(r"(?:[^.]+\.)?[^.]+\.([a-z]{2}(?:-[a-z]+)+-\d)\.elasticbeanstalk\.com")
_DISTRIBUTION = re.compile(r"[a-z0-9]+\.cloudfront\.net")


def targets(record: NameRecord) -> tuple[str, ...]:
    """The other names that a record leads to, in small letters and without the dot at the end."""
    told = (record.alias,) if record.alias else record.values if record.kind == "CNAME" else ()
    return tuple(one.lower().rstrip(".") for one in told)


def plain_name(record: NameRecord) -> str:
    """The record's own name as a browser asks for it; Route 53 writes `*` as a number."""
    return record.name.lower().rstrip(".").replace("\\052", "*")


def bucket_of(record: NameRecord) -> str:
    """The bucket that a record leads to; empty for none. With a `*` in it, every name below is one.

    S3 looks for a bucket of the name that the browser sends, whatever the record's target is called.
    """
    return plain_name(record) if any(_BUCKET.fullmatch(one) for one in targets(record)) else ""


def environment_of(record: NameRecord) -> str:
    """The Elastic Beanstalk environment that a record leads to; empty for none."""
    return next((one for one in targets(record) if _ENVIRONMENT.fullmatch(one)), "")


def environment_region(record: NameRecord) -> str:
    """The region of that environment; empty for none."""
    found = _ENVIRONMENT.fullmatch(environment_of(record))
    return found[1] if found else ""


def distribution_of(record: NameRecord) -> str:
    """The CloudFront distribution that a record leads to; empty for none."""
    return next((one for one in targets(record) if _DISTRIBUTION.fullmatch(one)), "")
