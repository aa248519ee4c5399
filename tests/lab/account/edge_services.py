"""Firewalls of web applications, file servers, GraphQL APIs and Lightsail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.lab.planted_account import MAIN, OTHER, Lab

Peer = Mapping[str, Any]
OPEN = "s-0000000000000ed01"
FTP = "s-0000000000000ed02"
WIDE = "s-0000000000000ed03"
NARROW = "s-0000000000000ed04"


def plant(lab: Lab) -> None:
    """Builds them; what the emulator has not got, it is told to answer."""
    _firewalls(lab)
    _file_servers(lab)
    _graphs(lab)
    _lightsail(lab)


def _both(
    lab: Lab,
    check: str,
    bad: str,
    good: str,
    note: str = "",
    *,
    fools: bool = False,
    peer: Peer | None = None,
) -> None:
    lab.problem(check, bad, note or "lax", region=MAIN, fools=fools, **(peer or {}))
    lab.clean(check, good, "strict", region=MAIN, **(peer or {}))


def _seen(name: str) -> dict[str, Any]:
    return {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": name}


def _managed(override: str) -> dict[str, Any]:
    group = {"VendorName": "AWS", "Name": "AWSManagedRulesCommonRuleSet"}
    return {
        "Name": "common",
        "Priority": 1,
        "Statement": {"ManagedRuleGroupStatement": group},
        "OverrideAction": {override: {}},
        "VisibilityConfig": _seen("common"),
    }


def _firewalls(lab: Lab) -> None:
    def made(name: str, rules: list[Any], *, default: str = "Allow", scope: str = "REGIONAL") -> str:
        waf = lab.client("wafv2", MAIN if scope == "REGIONAL" else OTHER)
        told = waf.create_web_acl(
            Name=name, Scope=scope, DefaultAction={default: {}}, Rules=rules, VisibilityConfig=_seen(name)
        )
        return str(told["Summary"]["ARN"])

    country = {
        "Name": "country",
        "Priority": 1,
        "Statement": {"GeoMatchStatement": {"CountryCodes": ["DE"]}},
        "Action": {"Allow": {}},
        "VisibilityConfig": _seen("country"),
    }
    empty, counting = made("edge-empty", []), made("edge-counting", [_managed("Count")])
    stops, closed = made("edge-stops", [_managed("None")]), made("edge-closed", [country], default="Block")
    site = made("edge-site", [_managed("Count")], scope="CLOUDFRONT")
    check = "cloud.wafv2.rules"
    peer: Peer = {"prowler": ("wafv2_webacl_with_rules",)}
    lab.problem(check, empty, "no rules", region=MAIN, **peer)
    lab.problem(check, counting, "its only rule counts", region=MAIN, fools=True, **peer)
    lab.problem(check, site, "its only rule counts", region=OTHER, fools=True, **peer)
    lab.clean(check, stops, "stops attacks", region=MAIN, **peer)
    lab.clean(check, closed, "stops all but what a rule lets in", region=MAIN, fools=True, **peer)
    group = f"arn:aws:logs:{MAIN}:{lab.account}:log-group:aws-waf-logs-edge"
    lab.client("wafv2", MAIN).put_logging_configuration(
        LoggingConfiguration={"ResourceArn": stops, "LogDestinationConfigs": [group]}
    )
    peer = {"prowler": ("wafv2_webacl_logging_enabled",)}
    _both(lab, "cloud.wafv2.logging", empty, stops, peer=peer)
    lab.problem("cloud.wafv2.logging", site, "not recorded", region=OTHER, **peer)
    _balancers(lab, (empty, counting, stops, closed), stops)
    _stages(lab, stops)


def _balancers(lab: Lab, acls: tuple[str, ...], guard: str) -> None:
    ec2 = lab.client("ec2", MAIN)
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    told = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
    subnets = [one["SubnetId"] for one in told][:2]
    elb = lab.client("elbv2", MAIN)

    def made(name: str, scheme: str = "internet-facing") -> str:
        found = elb.create_load_balancer(Name=name, Subnets=subnets, Scheme=scheme, Type="application")
        return str(found["LoadBalancers"][0]["LoadBalancerArn"])

    bare, guarded = made("edge-bare"), made("edge-guarded")
    made("edge-behind", "internal")
    for one in acls:
        arns = [guarded] if one == guard else []
        lab.answer("wafv2", "ListResourcesForWebACL", {"ResourceArns": arns}, region=MAIN, about=one)
    _both(lab, "cloud.wafv2.balancers", bare, guarded, peer={"prowler": ("elbv2_waf_acl_attached",)})


def _stages(lab: Lab, guard: str) -> None:
    client = lab.client("apigateway", MAIN)
    ids = [str(client.create_rest_api(name=name)["id"]) for name in ("edge-unguarded", "edge-guarded")]
    for one, acl in zip(ids, ("", guard), strict=True):
        stage = {"stageName": "live", "deploymentId": "d1", **({"webAclArn": acl} if acl else {})}
        lab.answer("apigateway", "GetStages", {"item": [stage]}, region=MAIN, about=one)
    bad, good = (f"arn:aws:apigateway:{MAIN}::/restapis/{one}/stages/live" for one in ids)
    _both(
        lab, "cloud.wafv2.api-stages", bad, good, peer={"prowler": ("apigateway_restapi_waf_acl_attached",)}
    )


def _file_servers(lab: Lab) -> None:
    ec2 = lab.client("ec2", MAIN)
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    groups = {}
    for name, cidr in (("wide", "0.0.0.0/0"), ("narrow", "198.51.100.0/24")):
        group = ec2.create_security_group(GroupName=f"edge-{name}", Description=name, VpcId=vpc)["GroupId"]
        rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": cidr}]}
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
        groups[name] = str(group)
    fixed = {"AddressAllocationIds": ["eipalloc-0a1b2c3d"], "VpcId": vpc, "SubnetIds": ["subnet-0a"]}
    inner = {"VpcId": vpc, "SubnetIds": ["subnet-0a"], "SecurityGroupIds": [groups["wide"]]}
    log = [f"arn:aws:logs:{MAIN}:{lab.account}:log-group:edge:*"]
    current = {"SecurityPolicyName": "TransferSecurityPolicy-2024-01", "StructuredLogDestinations": log}
    servers: dict[str, dict[str, Any]] = {
        OPEN: {"EndpointType": "PUBLIC", "SecurityPolicyName": "TransferSecurityPolicy-2020-06"},
        FTP: {
            "EndpointType": "VPC",
            "Protocols": ["FTP", "SFTP"],
            "EndpointDetails": inner,
            **current,
        },
        WIDE: {
            "EndpointType": "VPC",
            "EndpointDetails": {**fixed, "SecurityGroupIds": [groups["wide"]]},
            "SecurityPolicyName": "TransferSecurityPolicy-FIPS-2020-06",
        },
        NARROW: {
            "EndpointType": "VPC",
            "Protocols": ["SFTP"],
            "EndpointDetails": {**fixed, "SecurityGroupIds": [groups["narrow"]]},
            **current,
            "SecurityPolicyName": "TransferSecurityPolicy-Restricted-2018-11",
        },
    }
    arns = {name: f"arn:aws:transfer:{MAIN}:{lab.account}:server/{name}" for name in servers}
    listed = [{"Arn": arns[name], "ServerId": name} for name in servers]
    lab.answer("transfer", "ListServers", {"Servers": listed}, region=MAIN)
    for name, told in servers.items():
        server = {"Arn": arns[name], "ServerId": name, "State": "ONLINE", **told}
        lab.answer("transfer", "DescribeServer", {"Server": server}, region=MAIN, about=name)
    bad, good, topic = arns[OPEN], arns[NARROW], "cloud.transfer"
    peer: Peer = {"prowler": ("transfer_server_in_transit_encryption_enabled",)}
    _both(lab, f"{topic}.plain-ftp", arns[FTP], good, peer=peer)
    _both(lab, f"{topic}.logs", bad, good)
    _both(lab, f"{topic}.policy", bad, arns[FTP])
    lab.problem(f"{topic}.policy", arns[WIDE], "old, and for authorities", region=MAIN)
    lab.clean(f"{topic}.policy", good, "old by name, and narrow", region=MAIN, fools=True)
    _both(lab, f"{topic}.public", bad, good)
    note = "in a network of one's own, with fixed addresses"
    lab.problem(f"{topic}.public", arns[WIDE], note, region=MAIN, fools=True)
    lab.clean(f"{topic}.public", arns[FTP], "an open group, and no address", region=MAIN, fools=True)


def _graphs(lab: Lab) -> None:
    client = lab.client("appsync", MAIN)
    role = f"arn:aws:iam::{lab.account}:role/edge-logs"

    def made(name: str, sign_in: str, level: str, **more: Any) -> str:
        log = {
            "fieldLogLevel": level,
            "cloudWatchLogsRoleArn": role,
            "excludeVerboseContent": level == "ERROR",
        }
        told = client.create_graphql_api(
            name=name, authenticationType=sign_in, **({"logConfig": log} if level else {}), **more
        )
        return str(told["graphqlApi"]["arn"])

    loose, talks = made("edge-loose", "API_KEY", ""), made("edge-talks", "AWS_IAM", "ALL")
    tidy = made("edge-tidy", "AWS_IAM", "ERROR")
    made("edge-hidden", "API_KEY", "ERROR", visibility="PRIVATE")
    raw = client.list_graphql_apis()["graphqlApis"]
    own = [one for one in raw if one["name"].startswith("edge-")]
    for one in own:
        if one["arn"] == tidy:
            one |= {"introspectionConfig": "DISABLED", "wafWebAclArn": "arn:aws:wafv2:::edge"}
    lab.answer("appsync", "ListGraphqlApis", {"graphqlApis": own}, region=MAIN)
    topic = "cloud.appsync"
    peer: Peer = {"prowler": ("appsync_graphql_api_no_api_key_authentication",)}
    _both(lab, f"{topic}.api-key", loose, tidy, peer=peer)
    _both(lab, f"{topic}.logging", loose, tidy, peer={"prowler": ("appsync_field_level_logging_enabled",)})
    _both(lab, f"{topic}.contents", talks, tidy, "contents are logged unless told otherwise", fools=True)
    _both(lab, f"{topic}.introspection", talks, tidy, "on unless told otherwise", fools=True)
    _both(lab, f"{topic}.firewall", talks, tidy)


def _lightsail(lab: Lab) -> None:
    def arn(kind: str, name: str) -> str:
        return f"arn:aws:lightsail:{MAIN}:{lab.account}:{kind}/{name}"

    def port(low: int, high: int, *cidrs: str, protocol: str = "tcp") -> dict[str, Any]:
        told = {"fromPort": low, "toPort": high, "protocol": protocol, "accessDirection": "inbound"}
        return {**told, "accessFrom": "Anywhere", "accessType": "public", "cidrs": list(cidrs)}

    machines: dict[str, tuple[dict[str, Any], ...]] = {
        "edge-usual": (port(22, 22, "0.0.0.0/0"), port(80, 80, "0.0.0.0/0")),
        "edge-halves": (port(3306, 3306, "0.0.0.0/1"), port(3000, 4000, "128.0.0.0/1")),
        "edge-site": (port(22, 22, "198.51.100.0/24"), port(443, 443, "0.0.0.0/0")),
        "edge-udp": (port(22, 22, "0.0.0.0/0", protocol="udp"),),
    }
    told = [
        {
            "arn": arn("Instance", name),
            "name": name,
            "publicIpAddress": f"52.16.41.{number}",
            "networking": {"ports": list(ports)},
        }
        for number, (name, ports) in enumerate(machines.items())
    ]
    lab.answer("lightsail", "GetInstances", {"instances": told}, region=MAIN)
    lab.answer("lightsail", "GetInstances", {"instances": []}, region=OTHER)
    check = "cloud.lightsail.open-ports"
    peer: Peer = {"prowler": ("lightsail_instance_public",)}
    _both(lab, check, arn("Instance", "edge-usual"), arn("Instance", "edge-site"), peer=peer)
    lab.problem(
        check, arn("Instance", "edge-halves"), "two rules, half each", region=MAIN, fools=True, **peer
    )
    lab.clean(check, arn("Instance", "edge-udp"), "the port of SSH, by UDP", region=MAIN, fools=True, **peer)
    databases = [
        {"arn": arn("RelationalDatabase", name), "name": name, "publiclyAccessible": name == "edge-public"}
        for name in ("edge-public", "edge-own")
    ]
    lab.answer("lightsail", "GetRelationalDatabases", {"relationalDatabases": databases}, region=MAIN)
    lab.answer("lightsail", "GetRelationalDatabases", {"relationalDatabases": []}, region=OTHER)
    bad, good = (str(one["arn"]) for one in databases)
    _both(lab, "cloud.lightsail.public-database", bad, good, peer={"prowler": ("lightsail_database_public",)})
    _light_buckets(lab, arn)


def _light_buckets(lab: Lab, arn: Any) -> None:
    rules = (
        ("edge-shown", "public", False),
        ("edge-some", "private", True),
        ("edge-kept", "private", False),
    )
    told = [
        {
            "arn": arn("Bucket", name),
            "name": name,
            "accessRules": {"getObject": get, "allowPublicOverrides": some},
        }
        for name, get, some in rules
    ]
    blocked = {
        "arn": arn("Bucket", "edge-blocked"),
        "name": "edge-blocked",
        "accessRules": {"getObject": "public"},
    }
    free, held = {"bpaImpactsLightsail": False}, {"bpaImpactsLightsail": True}
    lab.answer("lightsail", "GetBuckets", {"buckets": told, "accountLevelBpaSync": free}, region=MAIN)
    lab.answer("lightsail", "GetBuckets", {"buckets": [blocked], "accountLevelBpaSync": held}, region=OTHER)
    check = "cloud.lightsail.public-bucket"
    _both(lab, check, arn("Bucket", "edge-shown"), arn("Bucket", "edge-kept"))
    lab.problem(
        check, arn("Bucket", "edge-some"), "single objects may be given away", region=MAIN, fools=True
    )
    lab.clean(
        check, arn("Bucket", "edge-blocked"), "public, and the account blocks it", region=OTHER, fools=True
    )
