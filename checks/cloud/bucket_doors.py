"""Ways into a bucket for everybody, and which of them Block Public Access or ownership closes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from checks.cloud.openness import Opening, openings
from checks.facts.cloud.policy import Policy
from checks.facts.cloud.s3 import (
    AccountPublicAccess,
    Bucket,
    BucketAcls,
    BucketOwnership,
    BucketPolicies,
    BucketPublicAccess,
    Grant,
    PublicAccessBlock,
)

EVERYBODY = ("everybody", "any-aws-account")
"""Grantees of an ACL who may be anybody."""


@dataclass(slots=True)
class Doors:
    """Ways in: open ones, those that are closed, and those that a block which was not read may close.

    `known` says whether all that can open one was read, `certain` whether an open one is so beyond doubt.
    """

    open: list[str] = field(default_factory=list)
    shut: list[str] = field(default_factory=list)
    perhaps: list[str] = field(default_factory=list)
    certain: bool = False
    known: bool = True

    def add(self, way: str, closed: bool | None, *, certain: bool = True) -> None:
        """One more way in; `closed` is None where that could not be read."""
        if closed is None:
            self.perhaps.append(way)
        elif closed:
            self.shut.append(way)
        else:
            self.open.append(way)
            self.certain = self.certain or certain


@dataclass(frozen=True, slots=True)
class Entrances:
    """What decides who gets into buckets: each fact that may be refused, and what it says of one bucket."""

    account: AccountPublicAccess
    blocks: BucketPublicAccess
    policies: BucketPolicies
    acls: BucketAcls
    owners: BucketOwnership

    def doors(
        self,
        buckets: tuple[Bucket, ...],
        *,
        by_policy: Callable[[Opening], bool] = lambda _: True,
        by_acl: Callable[[Grant], bool] = lambda _: True,
    ) -> Iterator[tuple[Bucket, Doors]]:
        """The doors of each bucket; the functions choose those that matter."""
        above = self.account.blocks[0] if self.account.blocks else None
        blocks = {one.on: one for one in self.blocks.blocks}
        policies = {one.arn: one.policy for one in self.policies.policies}
        acls = {one.arn: one.grants for one in self.acls.acls}
        owners = {one.arn: one.setting for one in self.owners.owners}
        for bucket in buckets:
            arn = bucket.arn
            doors = Doors(known=all(arn in read for read in (blocks, policies, acls, owners)))
            _policy(doors, policies.get(arn, Policy()), above, blocks.get(arn), by_policy)
            grants = [one for one in acls.get(arn, ()) if one.grantee in EVERYBODY and by_acl(one)]
            _acl(doors, grants, owners.get(arn), above, blocks.get(arn))
            yield bucket, doors


def _policy(
    doors: Doors,
    policy: Policy,
    above: PublicAccessBlock | None,
    block: PublicAccessBlock | None,
    matters: Callable[[Opening], bool],
) -> None:
    closed = either(above.restrict_buckets if above else None, block.restrict_buckets if block else None)
    for opening in openings(policy):
        if matters(opening):
            doors.add(f"the policy: {opening.words}", closed, certain=opening.certain)


def _acl(
    doors: Doors,
    grants: list[Grant],
    owner: str | None,
    above: PublicAccessBlock | None,
    block: PublicAccessBlock | None,
) -> None:
    ignored = either(above.ignore_acls if above else None, block.ignore_acls if block else None)
    closed = either(ignored, None if owner is None else owner == "BucketOwnerEnforced")
    for grantee, permission in sorted({(one.grantee, one.permission) for one in grants}):
        whom = "everybody" if grantee == "everybody" else "every AWS account, which anybody can open"
        doors.add(f"the ACL: {permission} to {whom}", closed)


def either(one: bool | None, other: bool | None) -> bool | None:
    """Whether one of two switches is on, where None is one that could not be read."""
    if one or other:
        return True
    return None if one is None or other is None else False
