"""A small account: what is found in it, with which evidence and which repair."""

from __future__ import annotations

import pytest

from checks.facts.cloud.iam import RootCredentials
from checks.facts.cloud.vpc import Vpcs
from checks.facts.snapshot import decode, encode
from checks.model import Exposure, Outcome, Severity
from scanner.collect.cloud.collect import permissions
from tests.lab.aws import ACCOUNT, CANARY, MAIN, OTHER, REGIONS, moto
from tests.lab.basic_account import EVERY, World, gaps, whole, world

__all__ = ["moto", "whole", "world"]

pytestmark = pytest.mark.real

TYPES = {fact.__name__: fact for fact in EVERY}


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
    ("cloud.rds.public", "orders", Severity.MEDIUM),
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
    lacking = {"CentralRoot", "Guardrails", "RootCredentials"}
    assert set(world.snapshot.facts) == set(TYPES) - lacking
    assert gaps(world.snapshot, RootCredentials) == [("", "")]
    told = {gap.fact for gap in world.snapshot.gaps} | {one.fact for one in world.snapshot.absences}
    assert lacking <= told
    assert decode(encode(world.snapshot), TYPES) == world.snapshot


def test_the_secret_of_the_account_is_nowhere(world: World) -> None:
    assert CANARY.encode() not in encode(world.snapshot)
    assert not any(CANARY in str(finding) for finding in world.findings)
    assert b"Correct-Horse" not in encode(world.snapshot)


def test_an_unchanged_account_gives_the_same_bytes(world: World) -> None:
    assert encode(world.collect(EVERY)) == encode(world.snapshot)


def test_a_list_of_a_region_is_asked_once(world: World) -> None:
    world.collect(EVERY)
    listed = [one for one in world.endpoint.asked if one.operation == "DescribeSecurityGroups"]
    assert sorted(one.region for one in listed) == sorted(REGIONS)


def test_only_what_is_wanted_is_asked(world: World) -> None:
    world.collect(frozenset({Vpcs}))
    asked = [one.operation for one in world.endpoint.asked]
    assert sorted(asked) == ["DescribeRegions", "DescribeVpcs", "DescribeVpcs", "GetCallerIdentity"]
    assert [p.name for p in permissions({Vpcs})] == ["ec2:DescribeRegions", "ec2:DescribeVpcs"]
