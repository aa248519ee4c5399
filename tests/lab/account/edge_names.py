"""Names: zones whose records lead to what is there and to what is gone, and registered domains."""

from __future__ import annotations

from typing import Any

from tests.lab.planted_account import MAIN, OTHER, Lab

APEX = "edge.example.com"
HELD = "52.16.40.10"
"""An elastic address of the account, in the range of the main region."""
RUNNING = "52.16.40.11"
"""The address of an instance."""
GONE = "52.16.40.12"
"""An address that EC2 has handed out to somebody else."""
GONE_THERE = "3.80.40.12"
"""The same in the other region."""
UNLOOKED = "13.208.40.12"
"""An address of a region that is not looked at (Osaka)."""
STATIC = "52.16.40.13"
"""A fixed address of Lightsail."""
SITE = f"s3-website-{MAIN}.amazonaws.com"
SITE_ZONE = "Z1BKCTXD74EZPE"


def plant(lab: Lab) -> None:
    """Builds them; Lightsail, the signatures and the domains are told."""
    _holdings(lab)
    zone = _zones(lab)
    _addresses(lab, zone)
    _others(lab, zone)
    _domains(lab)


def _holdings(lab: Lab) -> None:
    """What the account has, for records to lead to."""
    ec2 = lab.client("ec2", MAIN)
    ec2.allocate_address(Domain="vpc", Address=HELD)
    running = ec2.allocate_address(Domain="vpc", Address=RUNNING)
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    subnet = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"][0]["SubnetId"]
    made = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    ec2.associate_address(AllocationId=running["AllocationId"], NetworkInterfaceId=made)
    fixed = {"name": "edge-fixed", "ipAddress": STATIC, "isAttached": False}
    for region in (MAIN, OTHER):
        held = [fixed] if region == MAIN else []
        lab.answer("lightsail", "GetStaticIps", {"staticIps": held}, region=region)
        lab.answer("lightsail", "GetInstances", {"instances": []}, region=region)
    s3 = lab.client("s3", MAIN)
    s3.create_bucket(Bucket=f"site.{APEX}", CreateBucketConfiguration={"LocationConstraint": MAIN})
    environments = [
        {"EnvironmentName": "edge-shop", "CNAME": f"edge-shop.{MAIN}.elasticbeanstalk.com", "Status": "Ready"}
    ]
    lab.answer("elasticbeanstalk", "DescribeEnvironments", {"Environments": environments}, region=MAIN)


def _zones(lab: Lab) -> str:
    route53 = lab.client("route53", OTHER)

    def made(name: str, **more: Any) -> str:
        return str(
            route53.create_hosted_zone(Name=name, CallerReference=name, **more)["HostedZone"]["Id"]
        ).rpartition("/")[2]

    zone, other = made(f"{APEX}."), made("edge.example.org.")
    inner = made(
        "edge.internal.",
        HostedZoneConfig={"Comment": "", "PrivateZone": True},
        VPC={"VPCRegion": MAIN, "VPCId": lab.client("ec2", MAIN).describe_vpcs()["Vpcs"][0]["VpcId"]},
    )
    _put(lab, inner, "old.edge.internal", "A", GONE)
    arn = f"arn:aws:logs:us-east-1:{lab.account}:log-group:/aws/route53/edge"
    logged = {"Id": "edge", "HostedZoneId": other, "CloudWatchLogsLogGroupArn": arn}
    lab.answer("route53", "ListQueryLoggingConfigs", {"QueryLoggingConfigs": [logged]})
    for one, state in ((zone, "NOT_SIGNING"), (other, "SIGNING")):
        told = {"Status": {"ServeSignature": state}, "KeySigningKeys": []}
        lab.answer("route53", "GetDNSSEC", told, about=one)
    arns = {one: f"arn:aws:route53:::hostedzone/{one}" for one in (zone, other)}
    peer = "route53_public_hosted_zones_cloudwatch_logging_enabled"
    lab.problem("cloud.route53.query-log", arns[zone], "not logged", names=(zone,), prowler=(peer,))
    lab.clean("cloud.route53.query-log", arns[other], "logged", names=(other,), prowler=(peer,))
    lab.problem("cloud.route53.dnssec", arns[zone], "not signed", names=(zone,))
    lab.clean("cloud.route53.dnssec", arns[other], "signed", names=(other,))
    return zone


def _put(lab: Lab, zone: str, name: str, kind: str, *values: str, alias: str = "", **more: Any) -> None:
    one: dict[str, Any] = {"Name": f"{name}.", "Type": kind, **more}
    if alias:
        one["AliasTarget"] = {"HostedZoneId": SITE_ZONE, "DNSName": alias, "EvaluateTargetHealth": False}
    else:
        one |= {"TTL": 300, "ResourceRecords": [{"Value": value} for value in values]}
    change = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": one}]}
    lab.client("route53", OTHER).change_resource_record_sets(HostedZoneId=zone, ChangeBatch=change)


def _addresses(lab: Lab, zone: str) -> None:
    check, peer = "cloud.route53-names.lost-address", ("route53_dangling_ip_subdomain_takeover",)
    bad = (
        ("old", (GONE,), "given back", False),
        ("there", (GONE_THERE,), "given back in the other region", False),
        ("half", (HELD, GONE), "one of two was given back", True),
    )
    good = (
        ("parked", (HELD,), "an elastic address that nothing uses", True),
        ("running", (RUNNING,), "the address of an interface", False),
        ("small", (STATIC,), "a fixed address of Lightsail, out of the ranges of EC2", True),
    )
    for name, values, note, fools in bad:
        _put(lab, zone, f"{name}.{APEX}", "A", *values)
        on = f"{zone}/{name}.{APEX}/A"
        lab.problem(check, on, note, fools=fools, names=(f"{name}.{APEX}",), prowler=peer)
    for name, values, note, fools in good:
        _put(lab, zone, f"{name}.{APEX}", "A", *values)
        on = f"{zone}/{name}.{APEX}/A"
        lab.clean(check, on, note, fools=fools, names=(f"{name}.{APEX}",), prowler=peer)
    _put(lab, zone, f"cellar.{APEX}", "A", "198.51.100.7")
    _put(lab, zone, f"osaka.{APEX}", "A", UNLOOKED)
    weights = ((HELD, "one"), (GONE, "two"))
    for value, told in weights:
        _put(lab, zone, f"weighed.{APEX}", "A", value, SetIdentifier=told, Weight=1)
    lab.problem(check, f"{zone}/weighed.{APEX}/A", "the second of two weighted records", fools=True)


def _others(lab: Lab, zone: str) -> None:
    bucket, shop = "cloud.route53-names.lost-bucket", "cloud.route53-names.lost-environment"
    _put(lab, zone, f"gone.{APEX}", "A", alias=SITE)
    lab.problem(bucket, f"{zone}/gone.{APEX}/A", "an alias of a website whose bucket is gone")
    _put(lab, zone, f"files.{APEX}", "CNAME", f"site.{APEX}.s3.{MAIN}.amazonaws.com")
    lab.problem(
        bucket,
        f"{zone}/files.{APEX}/CNAME",
        "the bucket of the target is there, but S3 looks for one of the record's own name",
        fools=True,
    )
    _put(lab, zone, f"*.{APEX}", "CNAME", SITE)
    lab.problem(bucket, f"{zone}/*.{APEX}/CNAME", "every name below leads to a bucket", fools=True)
    _put(lab, zone, f"site.{APEX}", "A", alias=f"{SITE}.")
    lab.clean(bucket, f"{zone}/site.{APEX}/A", "the bucket is there")
    _put(lab, zone, f"shop.{APEX}", "CNAME", f"Edge-Shop.{MAIN}.elasticbeanstalk.com")
    lab.clean(shop, f"{zone}/shop.{APEX}/CNAME", "runs, and is written in another case", fools=True)
    _put(lab, zone, f"test.{APEX}", "CNAME", f"edge-test.{MAIN}.elasticbeanstalk.com")
    lab.problem(shop, f"{zone}/test.{APEX}/CNAME", "ended")
    _distributions(lab, zone)


def _distributions(lab: Lab, zone: str) -> None:
    origin = {
        "Id": "o",
        "DomainName": "origin.example.com",
        "CustomOriginConfig": {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only"},
    }
    behaviour = {
        "TargetOriginId": "o",
        "ViewerProtocolPolicy": "redirect-to-https",
        "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}},
        "MinTTL": 0,
    }
    made = lab.client("cloudfront", OTHER).create_distribution(
        DistributionConfig={
            "CallerReference": "edge",
            "Comment": "",
            "Enabled": True,
            "Origins": {"Quantity": 1, "Items": [origin]},
            "DefaultCacheBehavior": behaviour,
        }
    )
    check = "cloud.route53-names.lost-distribution"
    _put(lab, zone, f"cdn.{APEX}", "A", alias=made["Distribution"]["DomainName"])
    lab.clean(check, f"{zone}/cdn.{APEX}/A", "leads to a distribution")
    _put(lab, zone, f"cdn-old.{APEX}", "CNAME", "d0000gone.cloudfront.net")
    lab.problem(check, f"{zone}/cdn-old.{APEX}/CNAME", "the distribution is gone")


def _domains(lab: Lab) -> None:
    domains = (
        ("edge-loose.com", "2026-12-05T00:00:00Z", False, False),
        ("edge-kept.com", "2026-12-05T00:00:00Z", True, True),
        ("edge-failing.com", "2026-11-26T00:00:00Z", True, True),
        ("edge-country.de", "2027-12-05T00:00:00Z", True, False),
    )
    told = [
        {"DomainName": name, "Expiry": {"$time": ends}, "AutoRenew": renews, "TransferLock": locked}
        for name, ends, renews, locked in domains
    ]
    lab.answer("route53domains", "ListDomains", {"Domains": told})
    for name, ends, *_ in domains:
        hidden = name != "edge-loose.com"
        detail = {
            "DomainName": name,
            "ExpirationDate": {"$time": ends},
            "AdminPrivacy": hidden,
            "RegistrantPrivacy": True,
            "TechPrivacy": True,
        }
        lab.answer("route53domains", "GetDomainDetail", detail, about=name)
    topic = "cloud.route53-domains"
    peers = {
        "transfer-lock": ("route53_domains_transferlock_enabled",),
        "privacy": ("route53_domains_privacy_protection_enabled",),
    }
    for name in ("transfer-lock", "renewal", "expiry", "privacy"):
        scout = {"transfer-lock": "route53-domain-no-transferlock", "renewal": "route53-domain-no-autorenew"}
        more: dict[str, Any] = {
            "prowler": peers.get(name, ()),
            "scout": (scout[name],) if name in scout else (),
        }
        lab.problem(f"{topic}.{name}", "edge-loose.com", "as it should not be", **more)
        lab.clean(f"{topic}.{name}", "edge-kept.com", "as it should be", fools=name == "expiry", **more)
    lab.problem(f"{topic}.expiry", "edge-failing.com", "renews by itself and has not", fools=True)
