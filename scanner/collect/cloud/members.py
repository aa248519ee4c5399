"""Collects all accounts of an organization, each by a role in it and with a snapshot of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import msgspec

from checks.facts.snapshot import Absence, Fact, Snapshot
from checks.model import Target
from scanner.collect.cloud import collect as one_account
from scanner.collect.collector import Collected, CollectError, Context, Failure, nothing_seen, snapshot
from scanner.targets import AwsTarget
from scanner.transport.aws import Aws, AwsAccess, Identity
from scanner.transport.aws_errors import Refused

ACCOUNTS_AT_ONCE = 4
_ALLOWED = frozenset(
    {
        ("organizations", "DescribeOrganization"),
        ("organizations", "ListAccounts"),
        ("sts", "GetCallerIdentity"),
    }
)


@dataclass(frozen=True, slots=True)
class Member:
    """An account of the organization as AWS lists it."""

    id: str
    name: str
    status: str


def collect(
    target: Target,
    wanted: frozenset[type[Fact]],
    access: AwsAccess,
    context: Context,
    *,
    organization: str,
    left_out: frozenset[str] = frozenset(),
) -> Iterator[Snapshot]:
    """One snapshot for each account of the organization, in the order of their numbers.

    The credentials are those of its management account or of a delegated administrator. An account that
    does not give the role leaves a snapshot in which everything is a gap; one that is suspended leaves one
    in which everything is absent.

    Raises:
        CollectError: the credentials lead to another organization, its accounts cannot be listed, or a stop.

    """
    own = Aws(replace(access, role="", external_id=None), _ALLOWED, context)
    try:
        identity = own.identify()
        members = [m for m in _members(own, identity, organization) if m.id not in left_out]
    finally:
        own.stop()
    ended = count(1)
    context.progress(0, len(members))

    def look(member: Member) -> Snapshot:
        there = msgspec.structs.replace(
            target,
            name=f"{target.name}/{member.name or member.id}",
            spec=AwsTarget(account=member.id, regions=access.regions).spec,
            parent=target.spec,
        )
        # The role need not be in the account whose credentials we have.
        mine = replace(access, role="", external_id=None) if member.id == identity.account else access
        seen = _look(there, member, wanted, mine, Context(context.clock, context.cancelled))
        context.progress(next(ended), len(members))
        return seen

    with ThreadPoolExecutor(ACCOUNTS_AT_ONCE, thread_name_prefix="account") as pool:
        yield from pool.map(look, members)


def _look(
    target: Target,
    member: Member,
    wanted: frozenset[type[Fact]],
    access: AwsAccess,
    context: Context,
) -> Snapshot:
    if member.status not in ("ACTIVE", ""):
        reason = f"the account is {member.status.lower().replace('_', ' ')}"
        absent = tuple(Absence(fact.__name__, reason) for fact in sorted(wanted, key=str))
        return snapshot(
            target, [Collected(absences=absent)], at=context.now(), identities=(f"aws:{member.id}",)
        )
    try:
        return one_account.collect(target, wanted, replace(access, account=member.id), context)
    except CollectError as error:
        if error.failure is Failure.INTERRUPTED:
            raise
        seen = nothing_seen(target, wanted, error, context.now())
        return msgspec.structs.replace(seen, identities=(f"aws:{member.id}",))


def _members(aws: Aws, identity: Identity, organization: str) -> list[Member]:
    try:
        found: Mapping[str, Any] = aws.call("organizations", identity.home, "DescribeOrganization")
        pages = aws.pages("organizations", identity.home, "ListAccounts")
    except Refused as error:
        raise CollectError(
            Failure.CREDENTIALS,
            f"the accounts of {organization} cannot be listed: {error.reason}",
            needs="organizations:DescribeOrganization, organizations:ListAccounts",
        ) from None
    there = str(found.get("Organization", {}).get("Id", ""))
    if there != organization:
        raise CollectError(
            Failure.OUT_OF_SCOPE,
            f"the credentials lead to organization {there or 'without an id'}, not to {organization}; "
            "nothing was read",
        )
    accounts = [one for page in pages for one in page.get("Accounts", ())]
    members = [Member(str(a["Id"]), str(a.get("Name", "")), str(a.get("Status", ""))) for a in accounts]
    return sorted(members, key=lambda one: one.id)
