"""Load balancers and what they lead to, certificates, and distributions."""

from __future__ import annotations

from typing import Any

from tests.lab.account.network_instances import instance
from tests.lab.account_network import WORLD, Net, administrator_profile, group, net, permission, with_peers
from tests.lab.planted_account import MAIN, OTHER, Lab

OLD = "ELBSecurityPolicy-2016-08"
NEW = "ELBSecurityPolicy-TLS13-1-2-2021-06"
HTTPS = {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}
SAME = {
    "Type": "redirect",
    "RedirectConfig": {"Protocol": "#{protocol}", "Host": "www.example.com", "StatusCode": "HTTP_301"},
}


def plant(lab: Lab) -> None:
    """Builds them in two regions; the certificates and the distributions are told."""
    first = len(lab.planted)
    here = net(lab, MAIN)
    certificate = lab.client("acm", MAIN).request_certificate(DomainName="net.example.com")["CertificateArn"]
    _listeners(lab, here, certificate)
    _settings(lab, here)
    _targets(lab, here)
    _certificates(lab)
    _distributions(lab)
    with_peers(lab, first)


def balancer(
    lab: Lab, place: Net, name: str, *, subnets: tuple[str, ...] = ("open", "halves"), **more: Any
) -> str:
    """A load balancer; public and for applications unless told otherwise."""
    made = lab.client("elbv2", place.region).create_load_balancer(
        Name=name, Subnets=[place.subnets[one] for one in subnets], **{"Scheme": "internet-facing", **more}
    )
    return str(made["LoadBalancers"][0]["LoadBalancerArn"])


def _listeners(lab: Lab, here: Net, certificate: str) -> None:
    elb = lab.client("elbv2", MAIN)
    web = group(lab, MAIN, here.vpc, "net-lb", permission(80, 443, WORLD))
    public = balancer(lab, here, "net-public", SecurityGroups=[web])
    inner = balancer(lab, here, "net-inner", SecurityGroups=[web], Scheme="internal")
    flows = balancer(lab, here, "net-flows", Type="network")
    fixed = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}
    led = elb.create_target_group(
        Name="net-flows", Protocol="TCP", Port=9000, VpcId=here.vpc, TargetType="ip"
    )
    on = {"Type": "forward", "TargetGroupArn": led["TargetGroups"][0]["TargetGroupArn"]}

    def made(of: str, protocol: str, port: int, action: dict[str, Any], policy: str = "") -> str:
        tls = {"SslPolicy": policy, "Certificates": [{"CertificateArn": certificate}]} if policy else {}
        answer = elb.create_listener(
            LoadBalancerArn=of, Protocol=protocol, Port=port, DefaultActions=[action], **tls
        )
        return str(answer["Listeners"][0]["ListenerArn"])

    check = "cloud.elb.plain-http"
    lab.problem(check, made(public, "HTTP", 8080, fixed), "answers plain HTTP", region=MAIN)
    lab.problem(
        check,
        made(public, "HTTP", 8081, SAME),
        "redirects to another name, over plain HTTP",
        region=MAIN,
        fools=True,
    )
    lab.clean(check, made(public, "HTTP", 80, HTTPS), "only redirects to HTTPS", region=MAIN, fools=True)
    check = "cloud.elb.tls-policy"
    lab.problem(check, made(public, "HTTPS", 443, fixed, OLD), "speaks TLS 1.0", region=MAIN)
    lab.problem(
        check, made(inner, "HTTPS", 443, fixed, "ELBSecurityPolicy-TLS13-1-0-2021-06"),
        "TLS 1.3 by its name, and 1.0 too", region=MAIN, fools=True,
    )  # fmt: skip
    lab.clean(check, made(public, "HTTPS", 8443, fixed, NEW), "TLS 1.2 and 1.3", region=MAIN)
    lab.clean(
        check, made(inner, "HTTPS", 8443, fixed, "ELBSecurityPolicy-FS-1-2-Res-2020-10"),
        "an older policy of TLS 1.2 alone", region=MAIN, fools=True,
    )  # fmt: skip
    check = "cloud.elb.risky-ports"
    lab.problem(check, made(flows, "TCP", 3306, on), "a database's port", region=MAIN)
    lab.clean(check, made(flows, "TCP", 9443, on), "no such port", region=MAIN)


def _settings(lab: Lab, here: Net) -> None:
    """The emulator leaves out what is not set; AWS tells every attribute."""
    loose, held = balancer(lab, here, "net-loose"), balancer(lab, here, "net-held")
    keys = {
        "access-logs": "access_logs.s3.enabled",
        "deletion-protection": "deletion_protection.enabled",
        "invalid-headers": "routing.http.drop_invalid_header_fields.enabled",
    }
    for about, value in (("", "false"), ("net-held", "true")):
        told = [{"Key": key, "Value": value} for key in keys.values()]
        lab.answer("elbv2", "DescribeLoadBalancerAttributes", {"Attributes": told}, about=about)
    for name in keys:
        lab.problem(f"cloud.elb.{name}", loose, "as AWS makes it", region=MAIN)
        lab.clean(f"cloud.elb.{name}", held, "set", region=MAIN)


def _targets(lab: Lab, here: Net) -> None:
    elb = lab.client("elbv2", MAIN)
    shut = group(lab, MAIN, here.vpc, "net-behind", permission(0, 65535, "10.78.0.0/16"))
    web = group(lab, MAIN, here.vpc, "net-door", permission(443, 443, WORLD))
    office = group(lab, MAIN, here.vpc, "net-door-office", permission(443, 443, "198.51.100.0/24"))
    profile = {"IamInstanceProfile": {"Name": administrator_profile(lab, "net-behind")}}

    def led(
        name: str, port: int, *, door: str, kind: str = "network", weak: bool = False, **more: Any
    ) -> tuple[str, str]:
        target = instance(
            lab,
            here,
            "inner",
            [shut],
            public=False,
            tokens="optional" if weak else "required",
            **(profile if weak else {}),
        )
        protocol = "TCP" if kind == "network" else "HTTP"
        made = elb.create_target_group(Name=name, Protocol=protocol, Port=port, VpcId=here.vpc)
        arn = str(made["TargetGroups"][0]["TargetGroupArn"])
        elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": target, "Port": port}])
        front = balancer(lab, here, name, Type=kind, SecurityGroups=[door], **more)
        elb.create_listener(
            LoadBalancerArn=front, Protocol=protocol, Port=443,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": arn}],
        )  # fmt: skip
        return arn, target

    check = "cloud.elb.risky-targets"
    arn, _ = led("net-to-base", 5432, door=web)
    lab.problem(check, arn, "443 outside, a database inside", region=MAIN, fools=True)
    arn, _ = led("net-to-search", 9200, door=web, kind="application")
    lab.problem(check, arn, "a search engine behind a web door", region=MAIN, fools=True)
    arn, _ = led("net-to-office", 5432, door=office)
    lab.clean(check, arn, "the door lets an office in alone", region=MAIN, fools=True)
    arn, _ = led("net-no-route", 5432, door=web, subnets=("inner", "nat"))
    lab.clean(check, arn, "the subnets of the balancer lead nowhere", region=MAIN, fools=True)
    arn, _ = led("net-to-ssh", 22, door=web, kind="application")
    lab.clean(check, arn, "nobody speaks SSH over HTTP", region=MAIN, fools=True)
    check = "cloud.ec2-reach.keys-behind-a-balancer"
    _, target = led("net-weak", 8080, door=web, kind="application", weak=True)
    lab.problem(check, target, "no address of its own, and reached by a balancer", region=MAIN, fools=True)
    _, target = led("net-weak-office", 8080, door=office, kind="application", weak=True)
    lab.clean(check, target, "an office alone", region=MAIN, fools=True)


def _certificates(lab: Lab) -> None:
    """The ends and uses of certificates: the emulator has all of them end alike, and tells no use."""
    stem = f"arn:aws:acm:{MAIN}:{lab.account}:certificate/net-"

    def told(
        name: str, ends: str, *, used: bool, key: str = "RSA-2048", kind: str = "AMAZON_ISSUED"
    ) -> dict[str, Any]:
        return {
            "CertificateArn": stem + name, "DomainName": f"{name}.example.com", "Status": "ISSUED",
            "NotAfter": {"$time": ends}, "InUse": used, "KeyAlgorithm": key, "Type": kind,
        }  # fmt: skip

    soon, late, past = "2026-12-05T00:00:00Z", "2027-06-01T00:00:00Z", "2026-11-01T00:00:00Z"
    listed = [
        told("soon", soon, used=True, kind="IMPORTED"),
        told("stuck", soon, used=True),
        told("past", past, used=True),
        told("idle", soon, used=False),
        told("late", late, used=True, key="EC-prime256v1"),
        told("short", late, used=True, key="RSA-1024"),
        {
            "CertificateArn": f"{stem}pending", "DomainName": "pending.example.com", "InUse": False,
            "Status": "PENDING_VALIDATION", "Type": "AMAZON_ISSUED", "KeyAlgorithm": "RSA-2048",
        },
    ]  # fmt: skip
    lab.answer("acm", "ListCertificates", {"CertificateSummaryList": listed}, region=MAIN)
    check = "cloud.acm.expiry"
    lab.problem(check, f"{stem}soon", "imported, ends in days", region=MAIN)
    lab.problem(check, f"{stem}stuck", "AWS should have renewed it long ago", region=MAIN, fools=True)
    lab.problem(check, f"{stem}past", "has ended", region=MAIN)
    lab.clean(check, f"{stem}idle", "ends in days, and nothing uses it", region=MAIN, fools=True)
    lab.clean(check, f"{stem}late", "far away", region=MAIN)
    lab.problem("cloud.acm.key-length", f"{stem}short", "a key of 1024 bits", region=MAIN)
    lab.clean("cloud.acm.key-length", f"{stem}late", "a short key of another kind", region=MAIN, fools=True)


def _distributions(lab: Lab) -> None:
    lab.client("s3", OTHER).create_bucket(Bucket="net-site.s3.pages")
    bad = _distribution(
        lab, "net-bad", viewer="allow-all", tls="TLSv1_2016",
        origin={"DomainName": "gone-net.s3.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}},
    )  # fmt: skip
    custom = {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "match-viewer"}
    plain = _distribution(
        lab, "net-follows", viewer="allow-all", tls="TLSv1.2_2021",
        origin={"DomainName": "app.example.com", "CustomOriginConfig": custom},
    )  # fmt: skip
    follows = _distribution(
        lab, "net-follows-tls", viewer="redirect-to-https", tls="TLSv1.2_2021",
        origin={"DomainName": "app.example.com", "CustomOriginConfig": custom},
    )  # fmt: skip
    good = _distribution(
        lab, "net-good", viewer="https-only", tls="TLSv1.2_2021", firewall="arn:aws:wafv2:acl",
        origin={
            "DomainName": f"net-site.s3.pages.s3.{OTHER}.amazonaws.com",
            "S3OriginConfig": {"OriginAccessIdentity": "origin-access-identity/cloudfront/E1"},
        },
    )  # fmt: skip
    lab.problem("cloud.cloudfront.plain-http", bad, "plain HTTP is answered")
    lab.clean("cloud.cloudfront.plain-http", follows, "sent to HTTPS", fools=True)
    lab.problem("cloud.cloudfront.tls", bad, "TLS 1.0")
    lab.clean("cloud.cloudfront.tls", good, "TLS 1.2")
    lab.problem("cloud.cloudfront.plain-origins", plain, "follows visitors who come over plain HTTP")
    lab.clean("cloud.cloudfront.plain-origins", follows, "nobody comes over plain HTTP", fools=True)
    lab.problem("cloud.cloudfront.open-buckets", bad, "asks without a signature")
    # The emulator forgets the signature of an origin in S3.
    lab.clean("cloud.cloudfront.open-buckets", follows, "asks no bucket")
    lab.problem("cloud.cloudfront.firewall", bad, "none")
    lab.clean("cloud.cloudfront.firewall", good, "one is there")
    lab.problem("cloud.cloudfront.lost-bucket", bad, "a bucket that is gone", fools=True)
    lab.clean("cloud.cloudfront.lost-bucket", good, "a bucket with a name that looks like a host", fools=True)


def _distribution(
    lab: Lab, name: str, *, viewer: str, tls: str, origin: dict[str, Any], firewall: str = ""
) -> str:
    answer = lab.client("cloudfront", OTHER).create_distribution(
        DistributionConfig={
            "CallerReference": name, "Comment": name, "Enabled": True, "WebACLId": firewall,
            "Origins": {"Quantity": 1, "Items": [{"Id": "one", **origin}]},
            "DefaultCacheBehavior": {
                "TargetOriginId": "one", "ViewerProtocolPolicy": viewer, "MinTTL": 0,
                "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}},
            },
            "ViewerCertificate": {
                "ACMCertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/net",
                "CloudFrontDefaultCertificate": False,
                "MinimumProtocolVersion": tls, "SSLSupportMethod": "sni-only",
            },
        }
    )  # fmt: skip
    return str(answer["Distribution"]["ARN"])
