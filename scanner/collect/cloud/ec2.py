"""Collects security groups, interfaces, instances and user data of one region."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from functools import partial

from checks.facts.cloud.ec2 import (
    Ec2Instances,
    Instance,
    InstanceUserData,
    Interface,
    NetworkInterfaces,
    PrefixList,
    PrefixLists,
    Rule,
    SecurityGroup,
    SecurityGroups,
    UserData,
)
from scanner.collect.cloud.calls import Call, Collector, Place
from scanner.collect.cloud.fields import Raw, UnreadableError, group, items, number, some, text
from scanner.collect.cloud.secrets import find
from scanner.collect.collector import Collected

GROUPS = Call("ec2", "DescribeSecurityGroups", (SecurityGroups, PrefixLists), key="SecurityGroups", page=1000)
ENTRIES = Call("ec2", "GetManagedPrefixListEntries", (PrefixLists,), key="Entries", page=100)
INTERFACES = Call(
    "ec2", "DescribeNetworkInterfaces", (NetworkInterfaces,), key="NetworkInterfaces", page=1000
)
INSTANCES = Call("ec2", "DescribeInstances", (Ec2Instances, UserData), key="Reservations", page=1000)
USER_DATA = Call("ec2", "DescribeInstanceAttribute", (UserData,))

_PROTOCOLS = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6"}
_ENDED = ("terminated", "shutting-down")


def groups(place: Place) -> Collected:
    """The security groups, and the prefix lists that their rules name."""
    found, lost = place.read(place.all_of(GROUPS), GROUPS, "GroupId", partial(_group, place.region))
    fact = SecurityGroups(place.account, (place.region,), found)
    whole = lost + place.found(fact, GROUPS, found, names=[g.id for g in found])
    named = sorted({name for g in found for rule in g.ingress for name in rule.prefix_lists})
    lists = place.each([(place.where(name), ENTRIES, partial(_entries, place, name)) for name in named])
    empty = Collected(facts=(PrefixLists(place.account, (place.region,), ()),))
    return whole + (empty + lists if place.wants(ENTRIES) else Collected())


def interfaces(place: Place) -> Collected:
    """The network interfaces."""
    found, lost = place.read(
        place.all_of(INTERFACES), INTERFACES, "NetworkInterfaceId", partial(_interface, place.region)
    )
    fact = NetworkInterfaces(place.account, (place.region,), found)
    return lost + place.found(fact, INTERFACES, found, names=[i.id for i in found])


def instances(place: Place) -> Collected:
    """The instances that are not gone, and what secrets their user data holds."""
    raw = [one for reservation in place.all_of(INSTANCES) for one in items(reservation, "Instances")]
    alive = [one for one in raw if group(one, "State").get("Name") not in _ENDED]
    found, lost = place.read(alive, INSTANCES, "InstanceId", partial(_instance, place.region))
    fact = Ec2Instances(place.account, (place.region,), found)
    whole = lost + place.found(fact, INSTANCES, found, names=[i.id for i in found])
    if not place.wants(USER_DATA):
        return whole
    empty = Collected(facts=(UserData(place.account, (place.region,), ()),))
    things = [(place.where(one.id), USER_DATA, partial(_user_data, place, one.id)) for one in found]
    return whole + empty + place.each(things)


def _entries(place: Place, name: str) -> Collected:
    entries = place.all_of(ENTRIES, PrefixListId=name)
    record = PrefixList(name, place.region, tuple(sorted(text(one, "Cidr") for one in entries)))
    fact = PrefixLists(place.account, (place.region,), (record,))
    return place.found(fact, ENTRIES, (record,), where=place.where(name))


def _group(region: str, raw: Raw) -> SecurityGroup:
    return SecurityGroup(
        id=text(raw, "GroupId"),
        region=region,
        vpc=text(raw, "VpcId", ""),
        name=text(raw, "GroupName"),
        ingress=tuple(_rule(one) for one in items(raw, "IpPermissions")),
        egress=tuple(_rule(one) for one in items(raw, "IpPermissionsEgress")),
    )


def _rule(raw: Raw) -> Rule:
    told = text(raw, "IpProtocol")
    protocol = _PROTOCOLS.get(told, told)
    every = protocol not in ("tcp", "udp")
    return Rule(
        protocol=protocol,
        low=0 if every else number(raw, "FromPort"),
        high=65535 if every else number(raw, "ToPort"),
        cidrs=tuple(
            sorted(
                [text(one, "CidrIp") for one in some(raw, "IpRanges")]
                + [text(one, "CidrIpv6") for one in some(raw, "Ipv6Ranges")]
            )
        ),
        prefix_lists=tuple(sorted(text(one, "PrefixListId") for one in some(raw, "PrefixListIds"))),
        groups=tuple(sorted(text(one, "GroupId", "") for one in some(raw, "UserIdGroupPairs"))),
    )


def _interface(region: str, raw: Raw) -> Interface:
    addresses = [group(one, "Association") for one in some(raw, "PrivateIpAddresses")]
    public = {text(one, "PublicIp", "") for one in (group(raw, "Association"), *addresses)} - {""}
    return Interface(
        id=text(raw, "NetworkInterfaceId"),
        region=region,
        vpc=text(raw, "VpcId", ""),
        subnet=text(raw, "SubnetId", ""),
        groups=tuple(sorted(text(one, "GroupId") for one in items(raw, "Groups"))),
        instance=text(group(raw, "Attachment"), "InstanceId", ""),
        kind=text(raw, "InterfaceType", "interface"),
        public4=tuple(sorted(public)),
        public6=tuple(sorted(text(one, "Ipv6Address") for one in some(raw, "Ipv6Addresses"))),
    )


def _instance(region: str, raw: Raw) -> Instance:
    metadata = group(raw, "MetadataOptions")
    tags = {text(tag, "Key"): text(tag, "Value", "") for tag in some(raw, "Tags")}
    return Instance(
        id=text(raw, "InstanceId"),
        region=region,
        name=tags.get("Name", ""),
        state=text(group(raw, "State"), "Name"),
        vpc=text(raw, "VpcId", ""),
        subnet=text(raw, "SubnetId", ""),
        public=_public(raw),
        profile=text(group(raw, "IamInstanceProfile"), "Arn", ""),
        # Where AWS leaves these out the instance has its defaults: on, and version 1 answers.
        metadata=text(metadata, "HttpEndpoint", "enabled") == "enabled",
        tokens=text(metadata, "HttpTokens", "optional"),
    )


def _public(raw: Raw) -> str:
    """The first public address of an instance: that of its first interface, of another, or an IPv6 one."""
    cards = some(raw, "NetworkInterfaces")
    four = [text(raw, "PublicIpAddress", "")]
    four += [text(group(card, "Association"), "PublicIp", "") for card in cards]
    six = [text(one, "Ipv6Address", "") for card in cards for one in some(card, "Ipv6Addresses")]
    return next((one for one in (*four, *six) if one), "")


def _user_data(place: Place, instance: str) -> Collected:
    answer = place.one(USER_DATA, InstanceId=instance, Attribute="userData")
    try:
        data = base64.b64decode(text(group(answer, "UserData"), "Value", ""), validate=True)
        secrets = find(data)
    except (binascii.Error, ValueError):
        raise UnreadableError("the user data cannot be decoded") from None
    record = InstanceUserData(instance, place.region, len(data), secrets)
    fact = UserData(place.account, (place.region,), (record,))
    return place.found(fact, USER_DATA, (record,), where=instance)


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield Collector("ec2 security groups", True, (GROUPS, ENTRIES), groups)
    yield Collector("ec2 interfaces", True, (INTERFACES,), interfaces)
    yield Collector("ec2 instances", True, (INSTANCES, USER_DATA), instances)
