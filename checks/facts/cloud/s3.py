"""Buckets, and the settings that decide who can read and write them.

Each setting is a fact of its own with one record per bucket whose setting was read: a refused read
hides that setting of that bucket and nothing else.
"""

from __future__ import annotations

import msgspec

from checks.facts.cloud.policy import Policy
from checks.facts.snapshot import Fact


class Bucket(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A bucket and the region that it is in."""

    arn: str
    name: str
    region: str


class Buckets(Fact, frozen=True, forbid_unknown_fields=True):
    """The buckets of the account in the regions that were asked for.

    `elsewhere` names those that the account has beside them: in other regions, or in one that it did not say.
    """

    account: str
    buckets: tuple[Bucket, ...]
    elsewhere: tuple[str, ...] = ()


class PublicAccessBlock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The four switches of Block Public Access; all off where none was ever set.

    `on` is the ARN of the bucket, or the id of the account.
    """

    on: str
    block_acls: bool
    ignore_acls: bool
    block_policy: bool
    restrict_buckets: bool

    @property
    def off(self) -> tuple[str, ...]:
        """The API names of the switches that are off."""
        switches = (
            ("BlockPublicAcls", self.block_acls),
            ("IgnorePublicAcls", self.ignore_acls),
            ("BlockPublicPolicy", self.block_policy),
            ("RestrictPublicBuckets", self.restrict_buckets),
        )
        return tuple(name for name, held in switches if not held)


class AccountPublicAccess(Fact, frozen=True, forbid_unknown_fields=True):
    """The account's own Block Public Access: one record, or none where it could not be read."""

    account: str
    blocks: tuple[PublicAccessBlock, ...]


class BucketPublicAccess(Fact, frozen=True, forbid_unknown_fields=True):
    """The Block Public Access of each bucket."""

    account: str
    blocks: tuple[PublicAccessBlock, ...]


class BucketPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The policy of a bucket; without statements where it has none."""

    arn: str
    policy: Policy


class BucketPolicies(Fact, frozen=True, forbid_unknown_fields=True):
    """The policies of the buckets."""

    account: str
    policies: tuple[BucketPolicy, ...]


class Grant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A grant of an ACL.

    The grantee is `everybody`, `any-aws-account`, `log-delivery`, the `owner`, or `another` account.
    """

    grantee: str
    permission: str


class BucketAcl(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ACL of a bucket."""

    arn: str
    grants: tuple[Grant, ...]

    @property
    def name(self) -> str:
        """The name of the bucket."""
        return self.arn.rpartition(":")[2]


class BucketAcls(Fact, frozen=True, forbid_unknown_fields=True):
    """The ACLs of the buckets, whether or not they are in force."""

    account: str
    acls: tuple[BucketAcl, ...]


class BucketOwner(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who owns the objects of a bucket: `BucketOwnerEnforced` switches all ACLs off."""

    arn: str
    setting: str

    @property
    def name(self) -> str:
        """The name of the bucket."""
        return self.arn.rpartition(":")[2]


class BucketOwnership(Fact, frozen=True, forbid_unknown_fields=True):
    """The object ownership of the buckets; `ObjectWriter`, with ACLs in force, where none was set."""

    account: str
    owners: tuple[BucketOwner, ...]
