"""Access points of S3: other doors to the same buckets, each with a policy and a block of its own."""

from __future__ import annotations

import msgspec

from checks.facts.cloud.policy import Policy
from checks.facts.snapshot import Fact


class AccessPoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An access point, and the bucket and account that it leads to.

    `vpc` is the network that it answers to alone, empty where it answers everywhere. `shut` says whether its
    own Block Public Access keeps the public out; it was not asked where the policy lets nobody unnamed in.
    """

    arn: str
    name: str
    region: str
    bucket: str
    owner: str
    vpc: str
    shut: bool
    policy: Policy


class AccessPoints(Fact, frozen=True, forbid_unknown_fields=True):
    """The access points whose policy could be read."""

    account: str
    points: tuple[AccessPoint, ...]
