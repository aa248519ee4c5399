"""Instances behind every kind of route, access list and group, and launch templates."""

from __future__ import annotations

import base64
from typing import Any

from tests.lab.account_network import (
    HALVES,
    OFFICE,
    WORLD,
    Net,
    administrator_profile,
    group,
    net,
    permission,
    with_peers,
)
from tests.lab.planted_account import MAIN, OTHER, Lab

SECRET = "export DB_PASSWORD=Correct-Horse-Battery-9"


def plant(lab: Lab) -> None:
    """Builds them in two regions."""
    first = len(lab.planted)
    here, there = net(lab, MAIN), net(lab, OTHER)
    _reached(lab, here)
    _of_the_main_table(lab)
    _stores(lab, there)
    _keys(lab, here)
    _metadata(lab, here)
    _user_data(lab, there)
    _templates(lab)
    with_peers(lab, first)


def instance(lab: Lab, place: Net, subnet: str, groups: list[str], **more: Any) -> str:
    """A running instance with one interface; `public` and `six` say which addresses it has."""
    ec2 = lab.client("ec2", place.region)
    public, six = more.pop("public", True), more.pop("six", False)
    card = {"SubnetId": place.subnets.get(subnet, subnet), "Groups": groups}
    made = ec2.create_network_interface(**card, **({"Ipv6AddressCount": 1} if six else {}))
    name = made["NetworkInterface"]["NetworkInterfaceId"]
    if public:
        held = ec2.allocate_address(Domain="vpc")["AllocationId"]
        ec2.associate_address(AllocationId=held, NetworkInterfaceId=name)
    answer = ec2.run_instances(
        ImageId="ami-12345678", MinCount=1, MaxCount=1, InstanceType="t3.micro",
        NetworkInterfaces=[{"DeviceIndex": 0, "NetworkInterfaceId": name}],
        MetadataOptions={"HttpTokens": more.pop("tokens", "required"), "HttpEndpoint": "enabled"}, **more,
    )  # fmt: skip
    return str(answer["Instances"][0]["InstanceId"])


def _reached(lab: Lab, here: Net) -> None:
    vpc = here.vpc
    ssh = group(lab, MAIN, vpc, "net-ssh", permission(22, 22, WORLD))
    split = [group(lab, MAIN, vpc, f"net-half-{n}", permission(22, 22, h)) for n, h in enumerate(HALVES)]
    six = group(lab, MAIN, vpc, "net-ssh6", permission(22, 22, "::/0"))
    office = group(lab, MAIN, vpc, "net-ssh-office", permission(22, 22, OFFICE))
    web = group(lab, MAIN, vpc, "net-https", permission(443, 443, WORLD))
    friends = [{"GroupId": ssh}]
    by_group = group(lab, MAIN, vpc, "net-of-ssh", permission(0, 0, protocol="-1", UserIdGroupPairs=friends))
    check = "cloud.ec2-reach.admin-ports"
    for subnet, groups, bad, note, fools, more in (
        ("open", [ssh], True, "every wall is open", False, {}),
        ("halves", [ssh], True, "the route to the gateway is written in two halves", True, {}),
        ("open", split, True, "each of two groups lets half of the internet in", True, {}),
        ("open", [web, ssh], True, "the second group is open", False, {}),
        ("allowed-first", [ssh], True, "the list allows SSH before it denies it", True, {}),
        ("half-denied", [ssh], True, "the list keeps half of the internet out", True, {}),
        ("to-the-web", [ssh], True, "answers get out to port 443 alone: he asks from there", True, {}),
        ("open", [six], True, "over IPv6 alone", True, {"public": False, "six": True}),
        ("open", [office], False, "from the office alone", False, {}),
        ("open", [by_group], False, "from another group alone", True, {}),
        ("open", [web], False, "another port", False, {}),
        ("open", [ssh], False, "no public address", True, {"public": False}),
        ("open", [six], False, "IPv6 is let in, and it has no such address", True, {}),
        ("nat", [ssh], False, "the subnet leads to a NAT gateway alone", True, {}),
        ("inner", [ssh], False, "the subnet has no way out", True, {}),
        ("overruled", [ssh], False, "narrower routes lead to the NAT gateway", True, {}),
        (
            "egress",
            [six],
            False,
            "an egress-only gateway lets nobody in",
            True,
            {"public": False, "six": True},
        ),
        ("denied-first", [ssh], False, "the list denies SSH first", True, {}),
        ("mute", [ssh], False, "no answer gets out", True, {}),
    ):
        name = instance(lab, here, subnet, groups, **more)
        (lab.problem if bad else lab.clean)(check, name, note, region=MAIN, fools=fools)
    still = instance(lab, here, "open", [ssh])
    lab.client("ec2", MAIN).stop_instances(InstanceIds=[still])
    lab.clean(check, still, "it is stopped", region=MAIN, fools=True)


def _of_the_main_table(lab: Lab) -> None:
    """A network whose main table leads out: its subnet names none and is public all the same."""
    ec2 = lab.client("ec2", OTHER)
    vpc = ec2.create_vpc(CidrBlock="10.79.0.0/16")["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    filters = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "association.main", "Values": ["true"]}]
    table = ec2.describe_route_tables(Filters=filters)["RouteTables"][0]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=WORLD, GatewayId=gateway)
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.79.0.0/24")["Subnet"]["SubnetId"]
    place = Net(OTHER, vpc)
    rdp = group(lab, OTHER, vpc, "net-rdp", permission(3389, 3389, WORLD))
    name = instance(lab, place, subnet, [rdp])
    check = "cloud.ec2-reach.admin-ports"
    lab.problem(check, name, "the main table leads out, and the subnet names none", region=OTHER, fools=True)


def _stores(lab: Lab, there: Net) -> None:
    check = "cloud.ec2-reach.data-ports"
    base = group(lab, OTHER, there.vpc, "net-base", permission(5432, 5432, WORLD))
    lab.problem(check, instance(lab, there, "open", [base]), "a database on the internet", region=OTHER)
    lab.clean(check, instance(lab, there, "inner", [base]), "no way out", region=OTHER, fools=True)


def _keys(lab: Lab, here: Net) -> None:
    profile = {"IamInstanceProfile": {"Name": administrator_profile(lab, "net-admin")}}
    web = group(lab, MAIN, here.vpc, "net-site", permission(443, 443, WORLD))
    check = "cloud.ec2-reach.keys-to-the-account"
    for subnet, tokens, bad, note in (
        ("open", "optional", True, "all three together"),
        ("open", "required", False, "metadata needs a token"),
        ("nat", "optional", False, "nobody reaches it"),
    ):
        name = instance(lab, here, subnet, [web], tokens=tokens, **profile)
        (lab.problem if bad else lab.clean)(check, name, note, region=MAIN, fools=subnet == "nat")


def _metadata(lab: Lab, here: Net) -> None:
    shut = group(lab, MAIN, here.vpc, "net-shut")
    check = "cloud.ec2.imdsv2"
    old = instance(lab, here, "open", [shut], tokens="optional")
    lab.problem(check, old, "version 1 answers", region=MAIN)
    lab.clean(check, instance(lab, here, "open", [shut]), "tokens", region=MAIN)


def _user_data(lab: Lab, there: Net) -> None:
    shut = group(lab, OTHER, there.vpc, "net-shut")
    check = "cloud.ec2.user-data-secrets"
    for text, bad, note in (
        (f"#!/bin/sh\n{SECRET}\n", True, "a password in the second line"),
        ("#!/bin/sh\nexport DB_PASSWORD=$(aws ssm get-parameter --name p)\n", False, "only where it is"),
    ):
        name = instance(lab, there, "inner", [shut], public=False, UserData=text)
        (lab.problem if bad else lab.clean)(check, name, note, region=OTHER, fools=not bad)


def _templates(lab: Lab) -> None:
    tokens = {"MetadataOptions": {"HttpTokens": "required", "HttpEndpoint": "enabled"}}
    loose = {"MetadataOptions": {"HttpTokens": "optional", "HttpEndpoint": "enabled"}}
    off = {"MetadataOptions": {"HttpEndpoint": "disabled"}}
    card = {"DeviceIndex": 0, "AssociatePublicIpAddress": True}
    secret = {"UserData": base64.b64encode(SECRET.encode()).decode()}

    def made(region: str, name: str, *versions: dict[str, Any]) -> str:
        ec2 = lab.client("ec2", region)
        first, *more = [{"InstanceType": "t3.micro", **one} for one in versions]
        answer = ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=first)
        for data in more:
            ec2.create_launch_template_version(LaunchTemplateName=name, LaunchTemplateData=data)
        return str(answer["LaunchTemplate"]["LaunchTemplateId"])

    check = "cloud.launch-templates.imdsv2"
    lab.problem(check, f"{made(MAIN, 'net-loose', loose)}:1", "version 1 answers", region=MAIN)
    lab.problem(check, f"{made(MAIN, 'net-silent', {})}:1", "says nothing, nor the region", region=MAIN)
    lab.clean(check, f"{made(OTHER, 'net-silent', {})}:1", "the region says it", region=OTHER, fools=True)
    lab.problem(
        check, f"{made(OTHER, 'net-overrules', loose)}:1", "overrules the region", region=OTHER, fools=True
    )
    lab.clean(check, f"{made(MAIN, 'net-off', off)}:1", "no metadata service", region=MAIN, fools=True)
    half = made(MAIN, "net-half-mended", loose, tokens)
    lab.problem(check, f"{half}:1", "the default is the old version", region=MAIN, fools=True)
    lab.clean(check, f"{half}:2", "the latest is mended", region=MAIN)
    check = "cloud.launch-templates.public-address"
    public = {**tokens, "NetworkInterfaces": [card]}
    lab.problem(check, f"{made(MAIN, 'net-public', public)}:1", "a public address", region=MAIN)
    lab.clean(check, f"{half}:2", "none by itself", region=MAIN)
    check = "cloud.launch-templates.user-data-secrets"
    lab.problem(check, f"{made(MAIN, 'net-secret', secret)}:1", "a password", region=MAIN)
    lab.clean(check, f"{half}:2", "no user data", region=MAIN)
