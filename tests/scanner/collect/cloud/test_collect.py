"""A whole account: what is found in it, what is said where it cannot be read, and that it is read only."""

from __future__ import annotations

import base64
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from baselines.evaluate import evaluate
from baselines.load import library
from baselines.resolve import Demand, needs, resolve
from checks.catalogue import load
from checks.facts.cloud.account import AccountRegions
from checks.facts.cloud.ebs import EbsDefaults, EbsVolumes
from checks.facts.cloud.ec2 import NetworkInterfaces, PrefixLists, SecurityGroups
from checks.facts.cloud.iam import CredentialReport, PasswordPolicy, RootCredentials
from checks.facts.cloud.kms import KmsKeys
from checks.facts.cloud.s3 import BucketPolicies, Buckets
from checks.facts.cloud.vpc import Vpcs
from checks.facts.snapshot import Fact, Snapshot, decode, encode
from checks.model import Exposure, Finding, Kind, Outcome, Severity, Target
from scanner.collect.cloud import registry
from scanner.collect.cloud.calls import Call
from scanner.collect.cloud.collect import collect, iam_policy, permissions
from scanner.collect.collector import CollectError, Context, Failure
from scanner.transport.aws import AwsAccess
from tests.lab.aws import ACCOUNT, CANARY, MAIN, OTHER, REGIONS, Moto, Planted, client, moto, plant
from tests.lab.aws_faults import Fault, Faulty, faulty

__all__ = ["moto"]

pytestmark = pytest.mark.real

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TARGET = Target(Kind.AWS, "lab", "aws")
EVERY = registry.facts()
TYPES = {fact.__name__: fact for fact in EVERY}
GROUPS: frozenset[type[Fact]] = frozenset({SecurityGroups, PrefixLists, NetworkInterfaces})


@dataclass(frozen=True)
class World:
    """The planted account behind an endpoint that can fail, and what it shows when nothing fails."""

    endpoint: Faulty
    planted: Planted
    demands: tuple[Demand, ...]
    snapshot: Snapshot
    findings: tuple[Finding, ...]

    def collect(self, wanted: frozenset[type[Fact]], **access: Any) -> Snapshot:
        given = {
            "endpoint": self.endpoint.url,
            "regions": REGIONS,
            "attempts": 1,
            "read_seconds": 20.0,
            **access,
        }
        return collect(TARGET, wanted, AwsAccess(**given), Context(clock=lambda: NOW))

    def of(self, check: str, on: str) -> Finding:
        found = [f for f in self.findings if f.check == check and f.on == on]
        assert len(found) == 1, (check, on, [f.on for f in self.findings if f.check == check])
        return found[0]


@pytest.fixture(scope="module")
def whole(moto: Moto) -> Iterator[World]:
    planted = plant(moto.url)
    known = library()
    demands = resolve(known["aws-foundations"], "level-2", load(), known)
    with faulty(moto.url) as endpoint:
        bare = World(endpoint, planted, demands, Snapshot(TARGET, "", ()), ())
        snapshot = bare.collect(EVERY)
        yield World(endpoint, planted, demands, snapshot, evaluate(demands, snapshot, now=NOW))


@pytest.fixture
def world(whole: World) -> World:
    whole.endpoint.clear()
    return whole


def gaps(snapshot: Snapshot, fact: type[Fact]) -> list[tuple[str, str]]:
    return [(gap.where, gap.needs) for gap in snapshot.gaps if gap.fact == fact.__name__]


BAD = [
    ("cloud.ec2.admin-ports", "admin-open", Severity.HIGH),
    ("cloud.ec2.admin-ports", "by-list", Severity.LOW),
    ("cloud.ec2.database-ports", "two-halves", Severity.LOW),
    ("cloud.ec2.imdsv2", "instance", Severity.MEDIUM),
    ("cloud.ec2.user-data-secrets", "instance", Severity.HIGH),
    ("cloud.ec2.public-images", "image-public", Severity.HIGH),
    ("cloud.ebs.volume-encryption", "volume-plain", Severity.MEDIUM),
    ("cloud.ebs.public-snapshots", "snapshot-public", Severity.CRITICAL),
    ("cloud.vpc.flow-logs", "vpc", Severity.MEDIUM),
    ("cloud.vpc.acl-admin-ports", "acl", Severity.MEDIUM),
    ("cloud.rds.public", "orders", Severity.CRITICAL),
    ("cloud.rds.encryption", "orders", Severity.MEDIUM),
    ("cloud.rds.minor-upgrades", "orders", Severity.LOW),
    ("cloud.kms.rotation", "key-still", Severity.LOW),
    ("cloud.cloudtrail.validation", "trail", Severity.LOW),
    ("cloud.cloudtrail.key", "trail", Severity.LOW),
]
GOOD = [
    ("cloud.ec2.admin-ports", "office-only"),
    ("cloud.ec2.imdsv2", "instance-clean"),
    ("cloud.ec2.user-data-secrets", "instance-clean"),
    ("cloud.ec2.public-images", "image-private"),
    ("cloud.ebs.volume-encryption", "volume-encrypted"),
    ("cloud.vpc.flow-logs", "vpc-watched"),
    ("cloud.vpc.acl-admin-ports", "acl-guarded"),
    ("cloud.rds.public", "ledger"),
    ("cloud.rds.encryption", "ledger"),
    ("cloud.rds.minor-upgrades", "ledger"),
    ("cloud.kms.rotation", "key-turning"),
]
USER = f"arn:aws:iam::{ACCOUNT}:user"
NAMED = [
    ("cloud.s3.public-access", "arn:aws:s3:::customer-export", Outcome.FAIL),
    ("cloud.s3.public-access", "arn:aws:s3:::old-website", Outcome.FAIL),
    ("cloud.s3.public-access", "arn:aws:s3:::shielded", Outcome.PASS),
    ("cloud.s3.public-access", "arn:aws:s3:::for-the-organisation", Outcome.PASS),
    ("cloud.s3.bucket-block", "arn:aws:s3:::customer-export", Outcome.FAIL),
    ("cloud.s3.bucket-block", "arn:aws:s3:::strict", Outcome.PASS),
    ("cloud.s3.tls-only", "arn:aws:s3:::customer-export", Outcome.FAIL),
    ("cloud.s3.tls-only", "arn:aws:s3:::strict", Outcome.PASS),
    ("cloud.s3.account-block", ACCOUNT, Outcome.FAIL),
    ("cloud.iam.console-mfa", f"{USER}/alice", Outcome.FAIL),
    ("cloud.iam.console-mfa", f"{USER}/bob", Outcome.PASS),
    ("cloud.iam.user-policies", f"{USER}/robot", Outcome.FAIL),
    ("cloud.iam.user-policies", f"{USER}/bob", Outcome.PASS),
    (
        "cloud.iam.full-administrator",
        f"arn:aws:iam::{ACCOUNT}:policy/everything on user/robot",
        Outcome.FAIL,
    ),
    (
        "cloud.iam.full-administrator",
        "arn:aws:iam::aws:policy/AdministratorAccess on role/break-glass",
        Outcome.PASS,
    ),
    ("cloud.iam.inline-administrator", f"{USER}/alice/hidden", Outcome.FAIL),
    ("cloud.root.keys", "root", Outcome.PASS),
    ("cloud.root.mfa", "root", Outcome.FAIL),
    ("cloud.passwords.length", "password length", Outcome.FAIL),
    ("cloud.passwords.reuse", "password reuse", Outcome.FAIL),
    ("cloud.cloudtrail.every-region", "trails", Outcome.FAIL),
]


@pytest.mark.parametrize(("check", "name", "severity"), BAD)
def test_planted_mistakes_are_found(world: World, check: str, name: str, severity: Severity) -> None:
    finding = world.of(check, world.planted[name])
    assert (finding.outcome, finding.severity, finding.region) == (Outcome.FAIL, severity, MAIN)
    assert finding.evidence


@pytest.mark.parametrize(("check", "name"), GOOD)
def test_their_clean_counterparts_pass(world: World, check: str, name: str) -> None:
    assert world.of(check, world.planted[name]).outcome is Outcome.PASS


@pytest.mark.parametrize(("check", "on", "outcome"), NAMED)
def test_what_has_a_name_of_its_own(world: World, check: str, on: str, outcome: Outcome) -> None:
    assert world.of(check, on).outcome is outcome


def test_regions_are_kept_apart(world: World) -> None:
    found = {f.region: f.outcome for f in world.findings if f.check == "cloud.ebs.default-encryption"}
    assert found == {MAIN: Outcome.FAIL, OTHER: Outcome.PASS}
    defaults = {f.region for f in world.findings if f.check == "cloud.vpc.default-group"}
    assert defaults == set(REGIONS)


def test_exposure_is_said_only_with_its_evidence(world: World) -> None:
    reached = world.of("cloud.ec2.admin-ports", world.planted["admin-open"])
    assert reached.exposure is Exposure.INTERNET_OPEN
    assert world.planted["address"] in reached.exposure_evidence
    assert "not considered" in reached.exposure_evidence
    alone = world.of("cloud.ec2.database-ports", world.planted["two-halves"])
    assert alone.exposure is Exposure.UNREACHABLE
    assert "no network interface uses the group" in alone.exposure_evidence


def test_evidence_quotes_the_resource(world: World) -> None:
    for check, name, _ in BAD:
        on = world.planted[name]
        quoted = "\n".join(one.excerpt for one in world.of(check, on).evidence)
        assert on in quoted, (check, on)


def test_every_place_of_a_fix_is_filled(world: World) -> None:
    failures = [f for f in world.findings if f.outcome is Outcome.FAIL]
    assert len({f.check for f in failures}) > 25
    for finding in failures:
        fix = finding.fix
        texts = [fix.action, fix.do, fix.verify, fix.undo, finding.fix_key]
        texts += [text for one in fix.snippets for text in (one.do, one.undo)]
        for name in (
            "on",
            "region",
            "bucket",
            "account",
            "user",
            "holder",
            "name",
            "rules",
            "snapshot",
            "rule",
        ):
            assert not any(f"<{name}>" in text for text in texts), (finding.check, name)


def test_a_revoke_takes_exactly_the_open_rule(world: World) -> None:
    finding = world.of("cloud.ec2.admin-ports", world.planted["admin-open"])
    [cli] = [one for one in finding.fix.snippets if "revoke" in one.do]
    assert '"FromPort":20' in cli.do
    assert '"CidrIp":"0.0.0.0/0"' in cli.do
    assert '"CidrIpv6":"::/0"' in cli.do
    assert f"--region {MAIN} --group-id {world.planted['admin-open']}" in cli.do


def test_one_change_closes_all_buckets(world: World) -> None:
    keys = {
        f.fix_key for f in world.findings if f.check in ("cloud.s3.account-block", "cloud.s3.bucket-block")
    }
    assert keys == {f"s3:account-public-access-block {ACCOUNT}"}


def test_the_snapshot_is_whole(world: World) -> None:
    assert world.snapshot.identities == (f"aws:{ACCOUNT}",)
    assert set(world.snapshot.facts) == set(TYPES) - {"RootCredentials"}
    assert gaps(world.snapshot, RootCredentials) == [("", "")]
    assert decode(encode(world.snapshot), TYPES) == world.snapshot


def test_the_secret_of_the_account_is_nowhere(world: World) -> None:
    assert CANARY.encode() not in encode(world.snapshot)
    assert not any(CANARY in str(finding) for finding in world.findings)
    assert b"Correct-Horse" not in encode(world.snapshot)


def test_an_unchanged_account_gives_the_same_bytes(world: World) -> None:
    assert encode(world.collect(EVERY)) == encode(world.snapshot)


def test_only_what_was_declared_is_asked(world: World) -> None:
    world.collect(EVERY)
    asked = {(one.service, one.operation) for one in world.endpoint.asked}
    assert asked == registry.allowed(EVERY)
    listed = [one for one in world.endpoint.asked if one.operation == "DescribeSecurityGroups"]
    assert sorted(one.region for one in listed) == sorted(REGIONS)


def test_only_what_is_wanted_is_asked(world: World) -> None:
    world.collect(frozenset({Vpcs}))
    asked = [one.operation for one in world.endpoint.asked]
    assert sorted(asked) == ["DescribeRegions", "DescribeVpcs", "DescribeVpcs", "GetCallerIdentity"]
    assert [p.name for p in permissions({Vpcs})] == ["ec2:DescribeRegions", "ec2:DescribeVpcs"]


def allowed_names() -> list[Call]:
    return list(registry.calls(EVERY))


@pytest.mark.parametrize("call", allowed_names(), ids=lambda call: call.iam)
def test_a_refused_read_hides_what_it_decides_and_passes_nothing(world: World, call: Call) -> None:
    hit = [d for d in world.demands if not set(d.check.needs).isdisjoint(call.facts)]
    wanted = needs(hit, Kind.AWS) | set(call.facts)
    world.endpoint.faults[call.service, call.operation] = Fault.DENIED
    regions = () if call is registry.REGIONS else REGIONS
    snapshot = world.collect(wanted, regions=regions)
    named = {gap.fact for gap in snapshot.gaps if gap.needs == call.iam}
    assert named == {fact.__name__ for fact in call.facts}, "the gaps name the action, on these facts alone"
    before = {f.id: f for f in world.findings if f.check in {d.check.id for d in hit}}
    after = {f.id: f for f in evaluate(hit, snapshot, now=NOW)}
    unknown = {f.check for f in after.values() if f.outcome is Outcome.UNKNOWN}
    for identifier, old in before.items():
        new = after.get(identifier)
        if old.outcome is Outcome.FAIL:
            assert new is None or new.outcome in (Outcome.FAIL, Outcome.UNKNOWN), (old.check, old.on)
        assert new is not None or old.check in unknown, (old.check, old.on)
    assert {d.check.id for d in hit} == {f.check for f in after.values()}, "no check vanishes"
    assert {d.check.id for d in hit} <= unknown, "every check that needs it says so"


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
