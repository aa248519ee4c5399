"""Roles in other accounts, and all accounts of an organization: each its own snapshot, none vanishes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from checks.facts.cloud.s3 import Buckets
from checks.facts.cloud.vpc import Vpcs
from checks.facts.snapshot import Fact, Snapshot
from checks.model import AssetValue, Kind, Target
from scanner.collect.cloud import members
from scanner.collect.cloud.collect import collect
from scanner.collect.collector import CollectError, Context, Failure
from scanner.transport.aws import AwsAccess
from scanner.transport.secrets import Secret
from tests.lab.aws import ACCOUNT, MAIN, OTHER, Moto, client, moto, put_answer
from tests.lab.aws_faults import Fault, faulty

__all__ = ["moto"]

pytestmark = pytest.mark.real

WANTED: frozenset[type[Fact]] = frozenset({Buckets, Vpcs})
ORDER = Target(Kind.AWS, "group", "aws://o-0000000000", value=AssetValue.IMPORTANT, owner="IT")


@dataclass(frozen=True)
class Group:
    """An organization: its id, two members that give their role, one that does not, and a closed one."""

    url: str
    id: str
    members: tuple[str, str]
    closed_door: str
    suspended: str

    def look(self, organization: str = "", **access: object) -> list[Snapshot]:
        given = AwsAccess(
            endpoint=self.url,
            regions=(MAIN,),
            attempts=1,
            role="Bartizan",
            external_id=Secret("the-agreed-word"),
            **access,  # type: ignore[arg-type]
        )
        found = members.collect(ORDER, WANTED, given, Context(), organization=organization or self.id)
        return list(found)


@pytest.fixture(scope="module")
def group(moto: Moto) -> Group:
    organizations = client(moto.url, "organizations", OTHER)
    made = organizations.create_organization(FeatureSet="ALL")["Organization"]["Id"]
    ids = []
    for name in ("shop", "books", "lab", "old"):
        told = organizations.create_account(AccountName=name, Email=f"{name}@example.com")
        ids.append(told["CreateAccountStatus"]["AccountId"])
    given = {number: _assumed(moto.url, number) for number in ids}
    no = (403, "AccessDenied", "not authorized to perform sts:AssumeRole")
    put_answer(moto.url, "sts", "AssumeRole", error=no, about="RoleSessionName=bartizan")
    for number in ids[:2]:
        asked = f"RoleSessionName=bartizan&ExternalId=the-agreed-word&RoleArn={_role(number)}"
        put_answer(moto.url, "sts", "AssumeRole", given[number], about=asked)
    organizations.close_account(AccountId=ids[3])
    client(moto.url, "s3", MAIN).create_bucket(
        Bucket="of-the-management", CreateBucketConfiguration={"LocationConstraint": MAIN}
    )
    return Group(moto.url, made, (ids[0], ids[1]), ids[2], ids[3])


def _role(number: str, partition: str = "aws") -> str:
    return f"arn:{partition}:iam::{number}:role/Bartizan"


def _assumed(url: str, number: str) -> dict[str, object]:
    """Credentials in that account, as the emulator gives them to everybody."""
    sts = client(url, "sts", OTHER)
    credentials = sts.assume_role(RoleArn=_role(number), RoleSessionName="lab")["Credentials"]
    return {"Credentials": {**credentials, "Expiration": {"$time": credentials["Expiration"].isoformat()}}}


def test_every_account_has_its_snapshot_and_none_vanishes(group: Group) -> None:
    found = {one.identities[0]: one for one in group.look()}
    assert set(found) == {f"aws:{n}" for n in (ACCOUNT, *group.members, group.closed_door, group.suspended)}
    for number in (ACCOUNT, *group.members):
        one = found[f"aws:{number}"]
        assert not one.gaps
        buckets = one.get(Buckets)
        assert isinstance(buckets, Buckets)
        assert (buckets.account, bool(buckets.buckets)) == (number, number == ACCOUNT)
    shop = found[f"aws:{group.members[0]}"].target
    assert (shop.name, shop.spec, shop.parent) == (
        "group/shop",
        f"aws://{group.members[0]}/{MAIN}",
        ORDER.spec,
    )
    assert (shop.value, shop.owner) == (AssetValue.IMPORTANT, "IT")


def test_a_member_that_does_not_give_the_role_is_unknown_by_name(group: Group) -> None:
    [one] = [s for s in group.look() if s.identities == (f"aws:{group.closed_door}",)]
    assert {gap.fact for gap in one.gaps} == {"Buckets", "Vpcs"}
    assert all("the role was not given to us" in gap.reason for gap in one.gaps)
    assert all("sts:AssumeRole" in gap.needs for gap in one.gaps)


def test_a_suspended_account_is_said_to_be_one(group: Group) -> None:
    [one] = [s for s in group.look() if s.identities == (f"aws:{group.suspended}",)]
    assert {a.reason for a in one.absences} == {"the account is suspended"}
    assert not one.gaps


def test_accounts_that_are_left_out_are_not_touched(group: Group) -> None:
    access = AwsAccess(endpoint=group.url, regions=(MAIN,), attempts=1, role="Bartizan")
    left = frozenset({group.members[0], group.closed_door})
    found = members.collect(ORDER, WANTED, access, Context(), organization=group.id, left_out=left)
    assert not {f"aws:{n}" for n in left} & {one.identities[0] for one in found}


def test_another_organization_is_not_touched(group: Group) -> None:
    with pytest.raises(CollectError, match=r"lead to organization o-.*, not to o-zzzzzzzzzz") as told:
        group.look("o-zzzzzzzzzz")
    assert told.value.failure is Failure.OUT_OF_SCOPE


def test_where_the_accounts_cannot_be_listed_nothing_is_read(group: Group) -> None:
    with faulty(group.url) as endpoint:
        endpoint.faults["organizations", "ListAccounts"] = Fault.DENIED
        with pytest.raises(CollectError, match="cannot be listed: access denied") as told:
            replace(group, url=endpoint.url).look()
    assert "organizations:ListAccounts" in told.value.needs


def test_one_role_in_one_account(group: Group) -> None:
    number = group.members[0]
    word = Secret("the-agreed-word")
    ways = ("Bartizan", word, True), (_role(number), word, True), ("Bartizan", Secret("a-guess"), False)
    for role, given, ok in (*ways, ("Bartizan", None, False)):
        access = AwsAccess(
            endpoint=group.url, regions=(MAIN,), attempts=1, account=number, role=role, external_id=given
        )
        if ok:
            assert collect(ORDER, WANTED, access, Context()).identities == (f"aws:{number}",)
        else:
            with pytest.raises(CollectError, match="the role was not given to us") as told:
                collect(ORDER, WANTED, access, Context())
            assert "a-guess" not in str(told.value)


def test_a_role_that_leads_elsewhere_is_not_used(group: Group) -> None:
    access = AwsAccess(
        endpoint=group.url,
        regions=(MAIN,),
        attempts=1,
        account=group.members[1],
        role=_role(group.members[0]),
        external_id=Secret("the-agreed-word"),
    )
    with pytest.raises(CollectError, match=f"lead to account {group.members[0]}, not to {group.members[1]}"):
        collect(ORDER, WANTED, access, Context())


@pytest.mark.parametrize(
    ("region", "partition"), [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov"), (MAIN, "aws")]
)
def test_each_partition_has_its_own_names(moto: Moto, region: str, partition: str) -> None:
    s3 = client(moto.url, "s3", region)
    s3.create_bucket(Bucket=f"in-{partition}", CreateBucketConfiguration={"LocationConstraint": region})
    access = AwsAccess(endpoint=moto.url, regions=(region,), attempts=1)
    seen = collect(ORDER, WANTED, access, Context())
    buckets = seen.get(Buckets)
    assert isinstance(buckets, Buckets)
    assert f"arn:{partition}:s3:::in-{partition}" in {one.arn for one in buckets.buckets}
    assert not seen.gaps


def test_a_role_of_another_partition_is_named_there(moto: Moto) -> None:
    asked = f"RoleSessionName=bartizan&RoleArn={_role('210987654321', 'aws-cn')}"
    no = (403, "AccessDenied", "no")
    put_answer(moto.url, "sts", "AssumeRole", error=no, region="cn-north-1", about="RoleSessionName=bartizan")
    put_answer(
        moto.url, "sts", "AssumeRole", _assumed(moto.url, "210987654321"), about=asked, region="cn-north-1"
    )
    access = AwsAccess(
        endpoint=moto.url, regions=("cn-north-1",), attempts=1, account="210987654321", role="Bartizan"
    )
    seen = collect(ORDER, WANTED, access, Context())
    assert seen.identities == ("aws:210987654321",)
