"""An account that cannot be read: what faults hide, and that they hide no more."""

from __future__ import annotations

import base64
import re
import threading
import time
from typing import Any

import boto3
import pytest

from baselines.evaluate import evaluate
from baselines.resolve import needs
from checks.facts.cloud.account import AccountRegions
from checks.facts.cloud.ebs import EbsDefaults, EbsVolumes
from checks.facts.cloud.ec2 import SecurityGroups
from checks.facts.cloud.iam import CredentialReport, PasswordPolicy, RootCredentials
from checks.facts.cloud.kms import KmsKeys
from checks.facts.cloud.s3 import BucketPolicies, Buckets
from checks.facts.cloud.vpc import Vpcs
from checks.model import Kind, Outcome
from scanner.collect.cloud import registry
from scanner.collect.cloud.collect import collect, iam_policy
from scanner.collect.collector import CollectError, Context, Failure
from scanner.transport.aws import AwsAccess
from tests.lab.aws import ACCOUNT, MAIN, OTHER, REGIONS, Moto, client, moto
from tests.lab.aws_faults import Fault
from tests.lab.basic_account import EVERY, GROUPS, NOW, TARGET, World, gaps, whole, world

__all__ = ["moto", "whole", "world"]

pytestmark = pytest.mark.real

TYPES = {fact.__name__: fact for fact in EVERY}


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault.DENIED, "access denied"),
        (Fault.NOT_ENABLED, "does not accept the credentials"),
        (Fault.THROTTLED, "throttled"),
        (Fault.BROKEN, "HTTP 500"),
        (Fault.TRUNCATED, "cut short"),
        (Fault.CUT, "cut short"),
        (Fault.SECOND_PAGE, "HTTP 500"),
        (Fault.ENDLESS, "repeats itself"),
        (Fault.HANG, "no answer"),
    ],
)
def test_a_fault_in_one_region_hides_that_region(world: World, fault: Fault, reason: str) -> None:
    world.endpoint.faults["ec2", "DescribeSecurityGroups", MAIN] = fault
    snapshot = world.collect(GROUPS, read_seconds=0.5 if fault is Fault.HANG else 20.0)
    [gap] = [gap for gap in snapshot.gaps if gap.fact == "SecurityGroups"]
    assert gap.where == MAIN
    assert reason in gap.reason
    fact = snapshot.get(SecurityGroups)
    assert isinstance(fact, SecurityGroups)
    assert fact.regions == (OTHER,)
    assert {group.region for group in fact.groups} == {OTHER}
    judged = [d for d in world.demands if d.check.id == "cloud.ec2.admin-ports"]
    found = evaluate(judged, snapshot, now=NOW)
    assert {(f.region, f.outcome) for f in found} == {(MAIN, Outcome.UNKNOWN), (OTHER, Outcome.PASS)}


def test_a_fault_of_one_bucket_hides_that_bucket(world: World) -> None:
    world.endpoint.rewrite["s3", "GetBucketPolicy"] = lambda body: body.replace(
        b'{"Sid": "Everybody"', b'{"Sid": '
    )
    snapshot = world.collect(frozenset({Buckets, BucketPolicies}))
    hidden = {where for where, _ in gaps(snapshot, BucketPolicies)}
    assert hidden == {
        f"arn:aws:s3:::{name}" for name in ("customer-export", "shielded", "for-the-organisation")
    }
    fact = snapshot.get(BucketPolicies)
    assert isinstance(fact, BucketPolicies)
    assert {one.arn for one in fact.policies} == {"arn:aws:s3:::strict", "arn:aws:s3:::old-website"}


def test_all_pages_are_read(world: World) -> None:
    world.endpoint.faults["ec2", "DescribeSecurityGroups"] = Fault.PAGES
    snapshot = world.collect(GROUPS)
    assert snapshot.get(SecurityGroups) == world.snapshot.get(SecurityGroups)


def test_a_drip_does_not_hold_the_collection(world: World) -> None:
    world.endpoint.faults["ec2", "DescribeVpcs", MAIN] = Fault.DRIP
    started = time.monotonic()
    snapshot = world.collect(frozenset({Vpcs}), total_seconds=1.5)
    assert time.monotonic() - started < 6
    assert gaps(snapshot, Vpcs) == [(MAIN, "")]
    fact = snapshot.get(Vpcs)
    assert isinstance(fact, Vpcs)
    assert fact.regions == (OTHER,)


def test_an_expired_token_ends_the_account(world: World) -> None:
    world.endpoint.faults["ec2", "DescribeVpcs", OTHER] = Fault.EXPIRED
    with pytest.raises(CollectError, match="expired") as caught:
        world.collect(frozenset({Vpcs}))
    assert caught.value.failure is Failure.CREDENTIALS


def test_a_region_that_is_not_enabled_is_absent(world: World) -> None:
    snapshot = world.collect(frozenset({EbsDefaults, AccountRegions}), regions=(MAIN, "ap-east-1"))
    [absence] = snapshot.absences
    assert (absence.fact, absence.where) == ("EbsDefaults", "ap-east-1")
    assert "not enabled" in absence.reason
    assert not snapshot.gaps
    regions = snapshot.get(AccountRegions)
    assert isinstance(regions, AccountRegions)
    assert (regions.looked, regions.not_enabled) == ((MAIN,), ("ap-east-1",))
    assert all(one.region != "ap-east-1" for one in world.endpoint.asked)


def test_an_absent_region_beside_a_read_one_absolves_nothing(world: World) -> None:
    judged = [d for d in world.demands if d.check.id == "cloud.cloudtrail.every-region"]
    snapshot = world.collect(needs(judged, Kind.AWS), regions=(OTHER, "ap-east-1"))
    [finding] = evaluate(judged, snapshot, now=NOW)
    assert (finding.outcome, finding.saw) == (Outcome.FAIL, "no trail")
    nowhere = world.collect(needs(judged, Kind.AWS), regions=("ap-east-1",))
    assert {f.outcome for f in evaluate(judged, nowhere, now=NOW)} == {Outcome.NOT_APPLICABLE}


def test_a_service_that_the_account_does_not_use_is_absent(world: World) -> None:
    world.endpoint.faults["kms", "ListKeys", MAIN] = Fault.NOT_SUBSCRIBED
    snapshot = world.collect(frozenset({KmsKeys}))
    assert [(a.fact, a.where) for a in snapshot.absences] == [("KmsKeys", MAIN)]
    assert not snapshot.gaps


def test_all_enabled_regions_are_the_default(world: World, moto: Moto) -> None:
    snapshot = world.collect(frozenset({EbsDefaults, AccountRegions}), regions=())
    listed = client(moto.url, "ec2").describe_regions(AllRegions=True)["Regions"]
    enabled = {one["RegionName"] for one in listed if one["OptInStatus"] != "not-opted-in"}
    regions = snapshot.get(AccountRegions)
    defaults = snapshot.get(EbsDefaults)
    assert isinstance(regions, AccountRegions)
    assert isinstance(defaults, EbsDefaults)
    assert set(regions.looked) == enabled
    assert tuple(one.region for one in defaults.settings) == regions.looked
    assert len(regions.looked) > 10


def test_chosen_regions_choose_buckets_too(world: World) -> None:
    fact = world.collect(frozenset({Buckets}), regions=(OTHER,)).get(Buckets)
    assert isinstance(fact, Buckets)
    assert [one.name for one in fact.buckets] == ["old-website"]


def test_regions_that_were_given_need_no_list_of_regions(world: World) -> None:
    world.endpoint.faults["ec2", "DescribeRegions"] = Fault.DENIED
    snapshot = world.collect(frozenset({EbsDefaults}))
    assert not snapshot.gaps
    fact = snapshot.get(EbsDefaults)
    assert isinstance(fact, EbsDefaults)
    assert [one.region for one in fact.settings] == list(REGIONS)


def test_the_row_of_root_is_read_where_aws_gives_it(world: World) -> None:
    def with_root(body: bytes) -> bytes:
        found = re.search(rb"<Content>(.*?)</Content>", body, re.DOTALL)
        assert found, body
        rows = base64.b64decode(found[1])
        columns = rows.splitlines()[0].decode().split(",")
        values = {
            "user": "<root_account>",
            "arn": f"arn:aws:iam::{ACCOUNT}:root",
            "user_creation_time": "2020-01-01T00:00:00+00:00",
            "password_enabled": "not_supported",
            "password_last_used": "2026-11-20T09:00:00+00:00",
            "mfa_active": "true",
            "access_key_1_active": "true",
            "access_key_1_last_rotated": "2021-05-05T00:00:00+00:00",
            "access_key_1_last_used_date": "N/A",
            "access_key_2_active": "false",
        }
        row = ",".join(values.get(column, "N/A") for column in columns)
        made = base64.b64encode(rows + row.encode() + b"\n")
        return body.replace(found[1], made)

    world.endpoint.rewrite["iam", "GetCredentialReport"] = with_root
    snapshot = world.collect(frozenset({RootCredentials, CredentialReport}))
    root = snapshot.get(RootCredentials)
    assert isinstance(root, RootCredentials)
    assert root.password_used == "2026-11-20T09:00:00Z"
    assert [(key.number, key.active, key.used) for key in root.keys] == [(1, True, "")]
    assert not snapshot.gaps
    [finding] = evaluate([d for d in world.demands if d.check.id == "cloud.root.use"], snapshot, now=NOW)
    assert finding.outcome is Outcome.FAIL


def test_a_password_policy_is_read(world: World, moto: Moto) -> None:
    iam = client(moto.url, "iam", OTHER)
    iam.update_account_password_policy(MinimumPasswordLength=16, PasswordReusePrevention=24)
    try:
        fact = world.collect(frozenset({PasswordPolicy})).get(PasswordPolicy)
    finally:
        iam.delete_account_password_policy()
    assert fact == PasswordPolicy(ACCOUNT, True, 16, 24, 0)


def test_a_stop_ends_it(world: World) -> None:
    context = Context()
    world.endpoint.faults["ec2", "DescribeVolumes"] = Fault.HANG
    threading.Timer(0.5, context.cancelled.set).start()
    started = time.monotonic()
    with pytest.raises(CollectError) as caught:
        collect(
            TARGET, frozenset({EbsVolumes}), AwsAccess(endpoint=world.endpoint.url, regions=REGIONS), context
        )
    assert caught.value.failure is Failure.INTERRUPTED
    assert time.monotonic() - started < 5


def test_progress_is_told(world: World) -> None:
    told: list[tuple[int, int]] = []
    context = Context(progress=lambda done, total: told.append((done, total)))
    access = AwsAccess(endpoint=world.endpoint.url, regions=REGIONS)
    collect(TARGET, frozenset({Vpcs, EbsVolumes}), access, context)
    assert told == [(done, 4) for done in range(5)]


def test_the_printed_policy_is_enough_and_nothing_in_it_is_idle() -> None:
    document: Any = iam_policy(EVERY)
    assert document["Version"] == "2012-10-17"
    [statement] = document["Statement"]
    assert statement["Action"] == sorted({call.iam for call in registry.calls(EVERY)})
    assert all(":" in action and "*" not in action for action in statement["Action"])
    assert iam_policy(()) == {"Version": "2012-10-17", "Statement": []}


def test_boto3_is_never_given_a_way_out(world: World) -> None:
    session = boto3.Session()
    assert session.client("ec2").meta.endpoint_url.startswith("http://127.0.0.1")
