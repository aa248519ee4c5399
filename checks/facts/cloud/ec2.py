"""Instances, and what their network interfaces let in."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule of a security group. `protocol` is tcp, udp, icmp, icmpv6, another number, or `-1` for all.

    `low` to `high` are ports where the protocol has ports, and 0 to 65535 where it is `-1`.
    """

    protocol: str
    low: int
    high: int
    cidrs: tuple[str, ...] = ()
    prefix_lists: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


class SecurityGroup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A security group with its rules in both directions."""

    id: str
    region: str
    vpc: str
    name: str
    ingress: tuple[Rule, ...]
    egress: tuple[Rule, ...]


class SecurityGroups(Fact, frozen=True, forbid_unknown_fields=True):
    """All security groups; `regions` are those whose whole answer is in here."""

    account: str
    regions: tuple[str, ...]
    groups: tuple[SecurityGroup, ...]


class PrefixList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A named list of networks that rules refer to."""

    id: str
    region: str
    cidrs: tuple[str, ...]


class PrefixLists(Fact, frozen=True, forbid_unknown_fields=True):
    """The prefix lists that security groups refer to."""

    account: str
    regions: tuple[str, ...]
    lists: tuple[PrefixList, ...]


class Interface(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A network interface: its groups, who uses it, and its public addresses as text."""

    id: str
    region: str
    vpc: str
    subnet: str
    groups: tuple[str, ...]
    instance: str
    kind: str
    public4: tuple[str, ...]
    public6: tuple[str, ...]


class NetworkInterfaces(Fact, frozen=True, forbid_unknown_fields=True):
    """All network interfaces, those of load balancers and databases too."""

    account: str
    regions: tuple[str, ...]
    interfaces: tuple[Interface, ...]


class Instance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An instance that is not terminated. `tokens` is `required` or `optional` (IMDSv1 answers too)."""

    id: str
    region: str
    name: str
    state: str
    vpc: str
    subnet: str
    public: str
    profile: str
    metadata: bool
    tokens: str


class Ec2Instances(Fact, frozen=True, forbid_unknown_fields=True):
    """All instances that are not terminated."""

    account: str
    regions: tuple[str, ...]
    instances: tuple[Instance, ...]


class PlainSecret(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A secret in the clear: its kind and the line (from 1) that it stands on, never its value."""

    kind: str
    line: int


class InstanceUserData(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The user data of an instance: its size in bytes (0 for none) and the secrets found in it."""

    id: str
    region: str
    size: int
    secrets: tuple[PlainSecret, ...]


class UserData(Fact, frozen=True, forbid_unknown_fields=True):
    """What the user data of the instances holds, by place and kind."""

    account: str
    regions: tuple[str, ...]
    instances: tuple[InstanceUserData, ...]


class Image(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A machine image of the account; `public` if every AWS account can start it."""

    id: str
    region: str
    name: str
    public: bool


class OwnImages(Fact, frozen=True, forbid_unknown_fields=True):
    """The machine images that the account owns."""

    account: str
    regions: tuple[str, ...]
    images: tuple[Image, ...]
