"""CloudFront: how sites are served, and from where."""

from __future__ import annotations

import re

from checks.check import check
from checks.cloud.setting import joined, repair, setting
from checks.facts.cloud.cloudfront import Distribution, Distributions
from checks.facts.cloud.s3 import Buckets
from checks.fix import Fix
from checks.model import Confidence, Impact, Severity, Surface
from checks.verdict import Verdicts, expect

_GUIDE = "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/security.html"
_ENDPOINT = re.compile(r"(?P<name>.+)\.s3[.-][a-z0-9.-]*amazonaws\.com(\.cn)?")
_READ = "aws cloudfront get-distribution-config --id @{id}"


_BLOCK = "the aws_cloudfront_distribution with id @{id}"


def _fix(action: str, do: str, query: str, terraform: str = "") -> Fix:
    return repair(
        action,
        do,
        f"{_READ} --query DistributionConfig.{query}",
        f"{_READ} > distribution.before.json &&\n"
        "jq .DistributionConfig distribution.before.json > distribution.after.json &&\n"
        "${EDITOR:-vi} distribution.after.json &&\n"
        'aws cloudfront update-distribution --id @{id} --if-match "$(jq -r .ETag distribution.before.json)" '
        "--distribution-config file://distribution.after.json",
        f"{_READ} --query ETag --output text > distribution.etag &&\n"
        "jq .DistributionConfig distribution.before.json > distribution.again.json &&\n"
        "aws cloudfront update-distribution --id @{id} "
        '--if-match "$(cat distribution.etag)" '
        "--distribution-config file://distribution.again.json",
        terraform=terraform,
        hours=(0.25, 0.25),
    )


plain_http = setting(
    "cloud.cloudfront.plain-http",
    Distributions,
    lambda one: not one.plain,
    title="Distributions send plain HTTP to HTTPS",
    why="Over plain HTTP pages and passwords can be read and changed by everybody on the way.",
    severity=Severity.MEDIUM,
    bad=lambda one: f"plain HTTP is answered at {joined(one.plain)}",
    good="HTTPS, or a redirect to it",
    fix=_fix(
        "Send plain HTTP to HTTPS at @{name}",
        "Set the viewer protocol policy of every behaviour to redirect-to-https.",
        "DefaultCacheBehavior.ViewerProtocolPolicy",
        f"# In default_cache_behavior and each ordered_cache_behavior of {_BLOCK}:\n"
        'viewer_protocol_policy = "redirect-to-https"\n',
    ),
    refs=(_GUIDE,),
)
tls = setting(
    "cloud.cloudfront.tls",
    Distributions,
    lambda one: one.tls.startswith(("TLSv1.2", "TLSv1.3")) if one.own_name else None,
    title="Distributions speak TLS 1.2 or newer only",
    why="TLS 1.0 and 1.1 can be broken by whoever is on the way.",
    severity=Severity.MEDIUM,
    bad=lambda one: f"{one.tls} is spoken",
    good="TLS 1.2 at least",
    fix=_fix(
        "Speak current TLS at @{name}",
        "Set the minimum to TLSv1.2_2021.",
        "ViewerCertificate.MinimumProtocolVersion",
        f'# In viewer_certificate of {_BLOCK}:\nminimum_protocol_version = "TLSv1.2_2021"\n',
    ),
    refs=(_GUIDE,),
)
plain_origins = setting(
    "cloud.cloudfront.plain-origins",
    Distributions,
    lambda one: not one.plain_origins,
    title="Distributions reach their origins over TLS",
    why="Between CloudFront and the origin lies the internet; visitors see a lock and think otherwise.",
    severity=Severity.MEDIUM,
    bad=lambda one: f"plain HTTP to {joined(one.plain_origins)}",
    good="HTTPS to every origin",
    fix=_fix(
        "Reach the origins of @{name} over TLS",
        "Set the origin protocol policy to https-only.",
        "Origins.Items",
        f'# In each custom_origin_config of {_BLOCK}:\norigin_protocol_policy = "https-only"\n',
    ),
    refs=(_GUIDE,),
)
open_buckets = setting(
    "cloud.cloudfront.open-buckets",
    Distributions,
    lambda one: not one.open_buckets,
    title="Distributions sign what they ask of buckets",
    why="Without a signature the bucket has to be public, and everybody goes past what CloudFront guards.",
    severity=Severity.MEDIUM,
    bad=lambda one: f"unsigned requests to {joined(one.open_buckets)}",
    good="signed requests",
    fix=_fix(
        "Sign requests of @{name} to its buckets",
        "Make an origin access control, name it at the origin, let the bucket's policy allow the "
        "distribution, then block "
        "public access to the bucket.",
        "Origins.Items",
        'resource "aws_cloudfront_origin_access_control" "signed" {\n  name                     '
        "         = @{id}\n"
        '  origin_access_control_origin_type = "s3"\n  signing_behavior                  = "always"\n'
        '  signing_protocol                  = "sigv4"\n}\n'
        f"# In the origin of the bucket of {_BLOCK}, once the aws_s3_bucket_policy lets the "
        "distribution in:\n"
        "origin_access_control_id = aws_cloudfront_origin_access_control.signed.id\n",
    ),
    refs=(
        "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html",
    ),
)
firewall = setting(
    "cloud.cloudfront.firewall",
    Distributions,
    lambda one: bool(one.firewall),
    title="A web application firewall stands before distributions",
    why="Known attacks and floods are stopped before they reach the application.",
    severity=Severity.LOW,
    bad="no firewall",
    good="a firewall",
    fix=_fix(
        "Put a firewall before @{name}",
        "Make a web ACL with AWS's managed rules, in counting mode first.",
        "WebACLId",
        f"# In {_BLOCK}:\nweb_acl_id = var.web_acl_arn # of an aws_wafv2_web_acl with scope CLOUDFRONT\n",
    ),
    refs=("https://docs.aws.amazon.com/waf/latest/developerguide/cloudfront-features.html",),
)


@check(
    "cloud.cloudfront.lost-bucket",
    title="Distributions lead to buckets that exist",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    surface=Surface.CONTROL_PLANE,
    fix=_fix(
        "Take the lost bucket out of @{name}",
        "Make the bucket again at once, so that nobody else can; then take the origin or the distribution "
        "away.",
        "Origins.Items",
    ),
    refs=(
        "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistS3AndCustomOrigins.html",
    ),
)
def lost_bucket(found: Distributions, buckets: Buckets) -> Verdicts:
    """Whoever makes a bucket of the lost name serves what they like under your domain."""
    own = {one.name for one in buckets.buckets} | set(buckets.elsewhere)
    for one in found.distributions:
        names = _buckets(one)
        if names:
            lost = sorted(set(names) - own)
            yield expect(
                not lost,
                on=one.arn,
                saw=f"no bucket {joined(lost)} in this account" if lost else "its buckets are there",
                want="its buckets are there",
                # It may lie in another account of one's own.
                confidence=Confidence.LIKELY,
                values={"id": one.id, "name": one.name},
            )


def _buckets(one: Distribution) -> list[str]:
    return [found["name"] for origin in one.origins if (found := _ENDPOINT.fullmatch(origin))]
