"""Collects distributions; the list says all that is needed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Set
from functools import partial

from checks.facts.cloud.cloudfront import Distribution, Distributions
from scanner.collect.cloud.calls import Call, Collector, Place
from scanner.collect.cloud.fields import Raw, flag, group, some, text
from scanner.collect.collector import Collected

LIST = Call("cloudfront", "ListDistributions", (Distributions,))
_BUCKET = re.compile(r"\.s3[.-].*amazonaws\.com(\.cn)?$")


def distributions(place: Place) -> Collected:
    """The distributions that are switched on."""
    listed = [
        one
        for page in place.pages(LIST)
        for one in some(group(page, "DistributionList"), "Items")
        if flag(one, "Enabled", True)
    ]
    found, lost = place.read(listed, LIST, "ARN", partial(_distribution, place))
    fact = Distributions(place.account, found)
    return lost + place.found(fact, LIST, found, where="", names=[one.arn for one in found])


def _distribution(_: Place, raw: Raw) -> Distribution:
    default = group(raw, "DefaultCacheBehavior")
    rest = some(group(raw, "CacheBehaviors"), "Items")
    open_to_plain = [one for one in (default, *rest) if text(one, "ViewerProtocolPolicy") == "allow-all"]
    plain = [text(one, "PathPattern", "*") for one in open_to_plain]
    asked_plainly = {text(one, "TargetOriginId") for one in open_to_plain}
    certificate = group(raw, "ViewerCertificate")
    origins = some(group(raw, "Origins"), "Items")
    return Distribution(
        arn=text(raw, "ARN"),
        id=text(raw, "Id"),
        name=text(raw, "DomainName"),
        plain=tuple(sorted(plain)),
        tls=text(certificate, "MinimumProtocolVersion", "TLSv1"),
        own_name=not flag(certificate, "CloudFrontDefaultCertificate", False),
        firewall=text(raw, "WebACLId", ""),
        origins=tuple(sorted(text(one, "DomainName") for one in origins)),
        plain_origins=tuple(
            sorted(text(one, "DomainName") for one in origins if _plainly(one, asked_plainly))
        ),
        open_buckets=tuple(
            sorted(
                text(one, "DomainName")
                for one in origins
                if _BUCKET.search(text(one, "DomainName"))
                and not text(one, "OriginAccessControlId", "")
                and not text(group(one, "S3OriginConfig"), "OriginAccessIdentity", "")
            )
        ),
    )


def _plainly(origin: Raw, asked_plainly: Set[str]) -> bool:
    """Whether an origin is spoken to over plain HTTP; one that follows the visitor only where he may."""
    policy = text(group(origin, "CustomOriginConfig"), "OriginProtocolPolicy", "")
    follows = policy == "match-viewer" and text(origin, "Id") in asked_plainly
    return policy == "http-only" or follows


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield Collector("cloudfront distributions", False, (LIST,), distributions)
