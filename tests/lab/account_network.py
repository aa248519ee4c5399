"""The network that is planted: subnets with every kind of way out and access list, and groups."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.lab.planted_account import Lab, Peers, name_peers

OFFICE = "198.51.100.0/24"
WORLD = "0.0.0.0/0"
HALVES = ("0.0.0.0/1", "128.0.0.0/1")
Entry = tuple[int, bool, str, int, int]
"""An entry of an access list: number, whether it allows, network, ports (0 to 65535: all of everything)."""
ALL_OF_IT: Entry = (100, True, WORLD, 0, 65535)

ROUTES: Mapping[str, Sequence[tuple[str, str]]] = {
    "open": ((WORLD, "gateway"), ("::/0", "gateway")),
    "halves": tuple((half, "gateway") for half in HALVES),
    "nat": ((WORLD, "nat"),),
    "overruled": ((WORLD, "gateway"), *((half, "nat") for half in HALVES)),
    "egress": ((WORLD, "nat"), ("::/0", "egress")),
    "inner": (),
}
"""Where the route tables of the network lead; `inner` leads nowhere."""
LISTS: Mapping[str, tuple[Sequence[Entry], Sequence[Entry]]] = {
    "denied-first": (((90, False, WORLD, 22, 22), ALL_OF_IT), (ALL_OF_IT,)),
    "allowed-first": (((90, True, WORLD, 22, 22), (95, False, WORLD, 22, 22), ALL_OF_IT), (ALL_OF_IT,)),
    "half-denied": (((90, False, HALVES[0], 22, 22), ALL_OF_IT), (ALL_OF_IT,)),
    "mute": ((ALL_OF_IT,), ((100, True, "10.0.0.0/8", 0, 65535), (110, True, OFFICE, 1024, 65535))),
    "to-the-web": ((ALL_OF_IT,), ((100, True, WORLD, 443, 443),)),
}
"""Access lists in and out, by the subnet that is named so; those subnets are routed to the internet."""


@dataclass(frozen=True)
class Net:
    """A network of one region, and what it is made of by name."""

    region: str
    vpc: str
    subnets: dict[str, str] = field(default_factory=dict)
    tables: dict[str, str] = field(default_factory=dict)
    acls: dict[str, str] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)


_MADE: dict[tuple[str, str], Net] = {}


def net(lab: Lab, region: str) -> Net:
    """The network of that region, made when it is asked for first."""
    key = (lab.url, region)
    if key not in _MADE:
        _MADE[key] = _made(lab, region)
    return _MADE[key]


def permission(low: int, high: int, *cidrs: str, protocol: str = "tcp", **more: Any) -> dict[str, Any]:
    """One rule of a group as AWS takes it."""
    ports = {} if protocol == "-1" else {"FromPort": low, "ToPort": high}
    four = [{"CidrIp": one} for one in cidrs if ":" not in one]
    six = [{"CidrIpv6": one} for one in cidrs if ":" in one]
    sources = {"IpRanges": four} if four else {}
    sources |= {"Ipv6Ranges": six} if six else {}
    return {"IpProtocol": protocol, **ports, **sources, **more}


def group(lab: Lab, region: str, vpc: str, name: str, *rules: dict[str, Any]) -> str:
    """A security group with these rules."""
    ec2 = lab.client("ec2", region)
    made = str(ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"])
    if rules:
        ec2.authorize_security_group_ingress(GroupId=made, IpPermissions=list(rules))
    return made


def prefix_list(lab: Lab, region: str, name: str, *cidrs: str) -> str:
    """A list of these networks."""
    made = lab.client("ec2", region).create_managed_prefix_list(
        PrefixListName=name, MaxEntries=len(cidrs), AddressFamily="IPv4",
        Entries=[{"Cidr": cidr} for cidr in cidrs],
    )  # fmt: skip
    return str(made["PrefixList"]["PrefixListId"])


def _made(lab: Lab, region: str) -> Net:
    ec2 = lab.client("ec2", region)
    vpc = ec2.create_vpc(CidrBlock="10.78.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]
    found = Net(region, vpc["VpcId"])
    six = vpc["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"].partition("::")[0]
    names = [*ROUTES, *LISTS]
    for number, name in enumerate(names):
        made = ec2.create_subnet(
            VpcId=found.vpc,
            CidrBlock=f"10.78.{number}.0/24",
            Ipv6CidrBlock=f"{six[:-2]}{number:02x}::/64",
            AvailabilityZone=f"{region}{'ab'[number % 2]}",
        )
        found.subnets[name] = made["Subnet"]["SubnetId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=found.vpc)
    nat = ec2.create_nat_gateway(SubnetId=found.subnets["open"], ConnectivityType="private")
    egress = ec2.create_egress_only_internet_gateway(VpcId=found.vpc)
    ways = {
        "gateway": {"GatewayId": gateway},
        "nat": {"NatGatewayId": nat["NatGateway"]["NatGatewayId"]},
        "egress": {
            "EgressOnlyInternetGatewayId": egress["EgressOnlyInternetGateway"]["EgressOnlyInternetGatewayId"]
        },
    }
    for name, routes in ROUTES.items():
        table = ec2.create_route_table(VpcId=found.vpc)["RouteTable"]["RouteTableId"]
        found.tables[name] = table
        for cidr, way in routes:
            key = "DestinationIpv6CidrBlock" if ":" in cidr else "DestinationCidrBlock"
            ec2.create_route(RouteTableId=table, **{key: cidr}, **ways[way])
        of_it = [name, *LISTS] if name == "open" else [name]
        for subnet in of_it:
            ec2.associate_route_table(RouteTableId=table, SubnetId=found.subnets[subnet])
    _default_list(ec2, found.vpc)
    for name, (inward, outward) in LISTS.items():
        found.acls[name] = _access_list(ec2, found, name, inward, outward)
    return found


def _default_list(ec2: Any, vpc: str) -> None:
    """AWS lets IPv6 through the default list of a network that has it; the emulator does not."""
    filters = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "default", "Values": ["true"]}]
    acl = ec2.describe_network_acls(Filters=filters)["NetworkAcls"][0]["NetworkAclId"]
    for egress in (False, True):
        ec2.create_network_acl_entry(
            NetworkAclId=acl, RuleNumber=101, Protocol="-1", RuleAction="allow", Egress=egress,
            Ipv6CidrBlock="::/0",
        )  # fmt: skip


def _access_list(ec2: Any, found: Net, name: str, inward: Sequence[Entry], outward: Sequence[Entry]) -> str:
    acl = ec2.create_network_acl(VpcId=found.vpc)["NetworkAcl"]["NetworkAclId"]
    for egress, entries in ((False, inward), (True, outward)):
        for number, allow, cidr, low, high in entries:
            every = (low, high) == (0, 65535)
            ports = {} if every else {"PortRange": {"From": low, "To": high}}
            ec2.create_network_acl_entry(
                NetworkAclId=acl, RuleNumber=number, Protocol="-1" if every else "6", Egress=egress,
                RuleAction="allow" if allow else "deny", CidrBlock=cidr, **ports,
            )  # fmt: skip
    subnet = found.subnets[name]
    filters = [{"Name": "association.subnet-id", "Values": [subnet]}]
    for one in ec2.describe_network_acls(Filters=filters)["NetworkAcls"]:
        for link in one["Associations"]:
            if link["SubnetId"] == subnet:
                ec2.replace_network_acl_association(
                    AssociationId=link["NetworkAclAssociationId"], NetworkAclId=acl
                )
    return str(acl)


def administrator_profile(lab: Lab, name: str) -> str:
    """An instance profile with a role that may everything."""
    iam = lab.client("iam", "us-east-1")
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    everything = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)
    iam.put_role_policy(
        RoleName=name, PolicyName="all",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": everything}),
    )  # fmt: skip
    iam.create_instance_profile(InstanceProfileName=name)
    iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
    return name


_GROUP = "ec2_securitygroup_allow_ingress_from_internet_"
_PORTS = tuple(f"{_GROUP}to_{what}" for what in ("tcp_port_22", "tcp_port_3389", "any_port", "all_ports"))
_STORES = (
    "cassandra_7199_9160_8888",
    "elasticsearch_kibana_9200_9300_5601",
    "memcached_11211",
    "mongodb_27017_27018",
    "mysql_3306",
    "oracle_1521_2483",
    "postgres_5432",
    "redis_6379",
    "sql_server_1433_1434",
)
_SCOUT_ALL = ("ec2-security-group-opens-all-ports-to-all", "ec2-security-group-opens-TCP-port-to-all")
PEERS: Peers = {
    "cloud.acm.expiry": (
        ("acm_certificates_expiration_check",),
        ("acm-certificate-with-close-expiration-date",),
    ),
    "cloud.acm.key-length": (("acm_certificates_with_secure_key_algorithms",), ()),
    "cloud.cloudfront.firewall": (("cloudfront_distributions_using_waf",), ()),
    "cloud.cloudfront.lost-bucket": (("cloudfront_distributions_s3_origin_non_existent_bucket",), ()),
    "cloud.cloudfront.open-buckets": (("cloudfront_distributions_s3_origin_access_control",), ()),
    "cloud.cloudfront.plain-http": (
        ("cloudfront_distributions_https_enabled",),
        ("cloudfront-distribution-cleartext-origin",),
    ),
    "cloud.cloudfront.plain-origins": (("cloudfront_distributions_origin_traffic_encrypted",), ()),
    "cloud.cloudfront.tls": (
        ("cloudfront_distributions_using_deprecated_ssl_protocols",),
        ("cloudfront-distribution-insufficient-viewer-security",),
    ),
    "cloud.ec2-defaults.image-block": (("ec2_ami_account_block_public_access",), ()),
    "cloud.ec2-defaults.metadata-tokens": (("ec2_instance_account_imdsv2_enabled",), ()),
    "cloud.ec2-defaults.snapshot-block": (("ec2_ebs_snapshot_account_block_public_access",), ()),
    "cloud.ec2-reach.admin-ports": (
        ("ec2_instance_port_ssh_exposed_to_internet", "ec2_instance_port_rdp_exposed_to_internet"),
        (),
    ),
    "cloud.ec2-reach.data-ports": (("ec2_instance_port_postgresql_exposed_to_internet",), ()),
    "cloud.ec2-reach.keys-to-the-account": (
        ("ec2_instance_internet_facing_with_instance_profile",),
        (),
    ),
    "cloud.ec2.admin-ports": (
        (*_PORTS, f"{_GROUP}to_high_risk_tcp_ports", f"{_GROUP}to_tcp_port_telnet_23"),
        (
            *_SCOUT_ALL,
            "ec2-security-group-opens-RDP-port-to-all",
            "ec2-security-group-opens-SSH-port-to-all",
            "ec2-security-group-opens-plaintext-port-Telnet",
        ),
    ),
    "cloud.ec2.database-ports": (
        (
            *_PORTS[2:],
            f"{_GROUP}to_high_risk_tcp_ports",
            *(f"{_GROUP}to_tcp_port_{one}" for one in _STORES),
        ),
        (
            *_SCOUT_ALL,
            *(
                f"ec2-security-group-opens-{one}-port-to-all"
                for one in ("MongoDB", "MsSQL", "MySQL", "Oracle DB", "PostgreSQL")
            ),
        ),
    ),
    "cloud.ec2.file-sharing-ports": (
        (*_PORTS[2:], f"{_GROUP}to_high_risk_tcp_ports", f"{_GROUP}to_tcp_port_ftp_20_21"),
        (
            *_SCOUT_ALL,
            "ec2-security-group-opens-NFS-port-to-all",
            "ec2-security-group-opens-plaintext-port-FTP",
        ),
    ),
    "cloud.ec2.imdsv2": (("ec2_instance_imdsv2_enabled",), ()),
    "cloud.ec2.user-data-secrets": (
        ("ec2_instance_secrets_user_data",),
        ("ec2-instance-with-user-data-secrets",),
    ),
    "cloud.elb.access-logs": (("elbv2_logging_enabled",), ("elbv2-no-access-logs",)),
    "cloud.elb.deletion-protection": (("elbv2_deletion_protection",), ("elbv2-no-deletion-protection",)),
    "cloud.elb.invalid-headers": (
        ("elbv2_alb_drop_invalid_header_fields_enabled", "elbv2_desync_mitigation_mode"),
        ("elbv2-http-request-smuggling",),
    ),
    "cloud.elb.plain-http": (("elbv2_ssl_listeners",), ("elbv2-listener-allowing-cleartext",)),
    "cloud.elb.tls-policy": (("elbv2_insecure_ssl_ciphers",), ("elbv2-older-ssl-policy",)),
    "cloud.launch-templates.imdsv2": (("ec2_launch_template_imdsv2_required",), ()),
    "cloud.launch-templates.public-address": (("ec2_launch_template_no_public_ip",), ()),
    "cloud.launch-templates.user-data-secrets": (("ec2_launch_template_no_secrets",), ()),
    "cloud.routes.automatic-addresses": (("vpc_subnet_no_public_ip_by_default",), ()),
    "cloud.routes.peering": (("vpc_peering_routing_tables_with_least_privilege",), ()),
    "cloud.vpc-endpoints.open-policy": (("vpc_endpoint_connections_trust_boundaries",), ()),
    "cloud.vpc.acl-admin-ports": (
        (
            "ec2_networkacl_allow_ingress_any_port",
            "ec2_networkacl_allow_ingress_tcp_port_22",
            "ec2_networkacl_allow_ingress_tcp_port_3389",
        ),
        ("vpc-custom-network-acls-allow-all-ingress", "vpc-default-network-acls-allow-all-ingress"),
    ),
    "cloud.vpc.default-group": (
        ("ec2_securitygroup_default_restrict_traffic",),
        ("ec2-default-security-group-with-rules",),
    ),
    "cloud.vpc.flow-logs": (("vpc_flow_logs_enabled",), ("vpc-subnet-without-flow-log",)),
}
"""By check: the checks of Prowler and of ScoutSuite that would count as finding the same."""


def with_peers(lab: Lab, first: int) -> None:
    """Says of everything that was planted from there on how other tools would name and find it."""
    name_peers(lab, first, PEERS)
