"""Networks: routes, access lists, groups, default groups, flow logs, endpoints and peerings."""

from __future__ import annotations

import json
from typing import Any

from tests.lab.account_network import (
    HALVES,
    OFFICE,
    WORLD,
    Net,
    group,
    net,
    permission,
    prefix_list,
    with_peers,
)
from tests.lab.planted_account import MAIN, OTHER, Lab


def plant(lab: Lab) -> None:
    """Builds them in two regions."""
    first = len(lab.planted)
    here, there = net(lab, MAIN), net(lab, OTHER)
    _groups(lab, here)
    _access_lists(lab, here)
    _subnets(lab, here)
    _default_groups(lab, here, there)
    _flow_logs(lab, here, there)
    _endpoints(lab, here, there)
    _peerings(lab, here)
    _defaults(lab)
    with_peers(lab, first)


def _groups(lab: Lab, here: Net) -> None:
    narrow = prefix_list(lab, MAIN, "net-offices", OFFICE, "203.0.113.0/24")
    wide = prefix_list(lab, MAIN, "net-world", *HALVES)
    own = group(lab, MAIN, here.vpc, "net-own")

    def listed(name: str) -> dict[str, Any]:
        return permission(22, 22, PrefixListIds=[{"PrefixListId": name}])

    quarters = [f"{first}.0.0.0/2" for first in (0, 64, 128)]
    in_two = (permission(22, 22, HALVES[0]), permission(20, 25, HALVES[1]))
    of_own = permission(0, 65535, protocol="-1", UserIdGroupPairs=[{"GroupId": own}])
    check = "cloud.ec2.admin-ports"
    for name, rules, bad, note, fools in (
        ("open", (permission(22, 22, WORLD),), True, "SSH from everywhere", False),
        ("range", (permission(20, 3390, WORLD),), True, "within a range of ports", False),
        ("every", (permission(0, 0, WORLD, protocol="-1"),), True, "every protocol", False),
        ("quarters", (permission(22, 22, *quarters),), True, "three quarters of the internet", True),
        ("halves", in_two, True, "half of the internet by each of two rules", True),
        ("listed", (listed(wide),), True, "by a prefix list of two halves", True),
        ("six", (permission(3389, 3389, "::/0"),), True, "over IPv6 alone", False),
        ("six-halves", (permission(22, 22, "2000::/4", "3000::/4"),), True, "halves of IPv6", True),
        ("idle", (permission(22, 22, WORLD),), True, "open, and nobody uses it: low", True),
        ("office", (permission(22, 22, OFFICE),), False, "from the office alone", False),
        ("offices", (listed(narrow),), False, "by a prefix list of two offices", True),
        ("inside", (permission(22, 22, "10.0.0.0/8"),), False, "a wide network, but a private one", True),
        ("friends", (of_own,), False, "everything, from another group", True),
        ("web", (permission(443, 443, WORLD),), False, "the web from everywhere", False),
        ("datagrams", (permission(22, 22, WORLD, protocol="udp"),), False, "22 over UDP is not SSH", True),
    ):
        here.groups[name] = group(lab, MAIN, here.vpc, f"net-{name}", *rules)
        tell = lab.problem if bad else lab.clean
        tell(check, here.groups[name], note, region=MAIN, fools=fools)
    for check, name, port, other in (
        ("cloud.ec2.database-ports", "base", 5432, 5433),
        ("cloud.ec2.file-sharing-ports", "files", 445, 446),
    ):
        lab.problem(
            check,
            group(lab, MAIN, here.vpc, f"net-{name}", permission(port, port, WORLD)),
            "open",
            region=MAIN,
        )
        shut = group(lab, MAIN, here.vpc, f"net-{name}-no", permission(other, other, WORLD))
        lab.clean(check, shut, "a port nearby", region=MAIN)


def _access_lists(lab: Lab, here: Net) -> None:
    check = "cloud.vpc.acl-admin-ports"
    for name, note, fools in (
        ("allowed-first", "SSH is allowed before it is denied", True),
        ("half-denied", "half of the internet is let in", True),
        ("mute", "lets all in, and only answers to an office out", False),
    ):
        lab.problem(check, here.acls[name], note, region=MAIN, fools=fools)
    ec2 = lab.client("ec2", MAIN)
    shut = ec2.create_network_acl(VpcId=here.vpc)["NetworkAcl"]["NetworkAclId"]
    lab.clean(check, shut, "no entry of its own: denies everything", region=MAIN, fools=True)
    ordered = ec2.create_network_acl(VpcId=here.vpc)["NetworkAcl"]["NetworkAclId"]
    for number, allow, port in ((80, False, 22), (90, False, 3389), (100, True, 0)):
        ports = {"PortRange": {"From": port, "To": port}} if port else {}
        ec2.create_network_acl_entry(
            NetworkAclId=ordered, RuleNumber=number, Protocol="6" if port else "-1", Egress=False,
            RuleAction="allow" if allow else "deny", CidrBlock=WORLD, **ports,
        )  # fmt: skip
    lab.clean(check, ordered, "denied before all is allowed", region=MAIN, fools=True)


def _subnets(lab: Lab, here: Net) -> None:
    ec2 = lab.client("ec2", MAIN)
    for name in ("open", "inner"):
        ec2.modify_subnet_attribute(SubnetId=here.subnets[name], MapPublicIpOnLaunch={"Value": True})
    check = "cloud.routes.automatic-addresses"
    lab.problem(check, here.subnets["open"], "gives out public addresses", region=MAIN)
    lab.problem(
        check, here.subnets["inner"], "gives them out without a route: of no use yet", region=MAIN, fools=True
    )
    lab.clean(check, here.subnets["halves"], "gives none out", region=MAIN)


def _default_groups(lab: Lab, here: Net, there: Net) -> None:
    check = "cloud.vpc.default-group"
    for place in (here, there):
        ec2 = lab.client("ec2", place.region)
        filters = [
            {"Name": "vpc-id", "Values": [place.vpc]},
            {"Name": "group-name", "Values": ["default"]},
        ]
        one = ec2.describe_security_groups(Filters=filters)["SecurityGroups"][0]
        if place is here:
            lab.problem(check, one["GroupId"], "unused, and it still has its rules", region=MAIN, fools=True)
            continue
        for revoke, rules in (
            (ec2.revoke_security_group_ingress, one["IpPermissions"]),
            (ec2.revoke_security_group_egress, one["IpPermissionsEgress"]),
        ):
            if rules:
                revoke(GroupId=one["GroupId"], IpPermissions=rules)
        lab.clean(check, one["GroupId"], "emptied", region=OTHER)


def _flow_logs(lab: Lab, here: Net, there: Net) -> None:
    check = "cloud.vpc.flow-logs"
    lab.client("s3", OTHER).create_bucket(Bucket="net-flows")
    for place, traffic in ((here, "ACCEPT"), (there, "REJECT")):
        lab.client("ec2", place.region).create_flow_logs(
            ResourceIds=[place.vpc], ResourceType="VPC", TrafficType=traffic,
            LogDestinationType="s3", LogDestination="arn:aws:s3:::net-flows",
        )  # fmt: skip
    lab.problem(check, here.vpc, "records what was accepted alone", region=MAIN, fools=True)
    lab.clean(check, there.vpc, "records what was rejected", region=OTHER)


def _endpoints(lab: Lab, here: Net, there: Net) -> None:
    everything = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    own = {"StringEquals": {"aws:ResourceAccount": lab.account}}
    strange = {"StringNotEquals": {"aws:ResourceAccount": lab.account}}
    secure = {"Bool": {"aws:SecureTransport": "true"}}
    own_bucket = {**everything, "Resource": ["arn:aws:s3:::net-flows", "arn:aws:s3:::net-flows/*"]}

    def made(place: Net, service: str, *statements: dict[str, Any]) -> str:
        answer = lab.client("ec2", place.region).create_vpc_endpoint(
            VpcId=place.vpc, ServiceName=f"com.amazonaws.{place.region}.{service}", VpcEndpointType="Gateway",
            RouteTableIds=[place.tables["inner"]],
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": list(statements)}),
        )  # fmt: skip
        return str(answer["VpcEndpoint"]["VpcEndpointId"])

    check = "cloud.vpc-endpoints.open-policy"
    lab.problem(check, made(here, "s3", everything), "everything, everywhere", region=MAIN)
    secured = {**everything, "Condition": secure}
    lab.problem(check, made(here, "s3", secured), "TLS keeps nobody out", region=MAIN, fools=True)
    held = {**everything, "Condition": own}
    lab.clean(check, made(here, "s3", held), "resources of the account", region=MAIN, fools=True)
    fence = {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*", "Condition": strange}
    lab.clean(check, made(there, "s3", everything, fence), "others are denied", region=OTHER, fools=True)
    lab.clean(check, made(there, "dynamodb", held), "resources of the account", region=OTHER)
    lab.clean(check, made(there, "s3", own_bucket), "one bucket", region=OTHER)
    check = "cloud.vpc-endpoints.gateways"
    lab.problem(check, here.vpc, "a way to S3 and none to DynamoDB", region=MAIN)
    lab.clean(check, there.vpc, "both", region=OTHER)


def _peerings(lab: Lab, here: Net) -> None:
    ec2 = lab.client("ec2", MAIN)
    other = ec2.create_vpc(CidrBlock="10.90.0.0/20")["Vpc"]["VpcId"]
    made = ec2.create_vpc_peering_connection(VpcId=here.vpc, PeerVpcId=other)["VpcPeeringConnection"]
    peering = made["VpcPeeringConnectionId"]
    ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=peering)
    check = "cloud.routes.peering"
    for cidr, bad, note in (
        ("10.90.0.0/20", True, "the whole of the other network, though it is a small one"),
        ("10.0.0.0/8", True, "far more than the other network"),
        ("10.90.3.0/24", False, "one subnet of it"),
    ):
        table = ec2.create_route_table(VpcId=here.vpc)["RouteTable"]["RouteTableId"]
        ec2.create_route(RouteTableId=table, DestinationCidrBlock=cidr, VpcPeeringConnectionId=peering)
        tell = lab.problem if bad else lab.clean
        tell(check, table, note, region=MAIN, fools=cidr == "10.90.0.0/20")


def _defaults(lab: Lab) -> None:
    """What each region does by default; the emulator serves none of these calls."""
    for region, good in ((MAIN, False), (OTHER, True)):
        level = {"HttpTokens": "required"} if good else {}
        lab.answer("ec2", "GetInstanceMetadataDefaults", {"AccountLevel": level}, region=region)
        state = "block-new-sharing" if good else "unblocked"
        lab.answer("ec2", "GetSnapshotBlockPublicAccessState", {"State": state}, region=region)
        lab.answer(
            "ec2", "GetImageBlockPublicAccessState", {"ImageBlockPublicAccessState": state}, region=region
        )
        lab.answer(
            "ec2", "GetSerialConsoleAccessStatus", {"SerialConsoleAccessEnabled": not good}, region=region
        )
        tell = lab.clean if good else lab.problem
        for name in ("metadata-tokens", "snapshot-block", "image-block", "serial-console"):
            tell(f"cloud.ec2-defaults.{name}", region, "as AWS has it" if not good else "set", region=region)
