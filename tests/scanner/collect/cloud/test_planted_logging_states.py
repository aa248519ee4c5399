"""What an account can be but once, in the state in which it is not planted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from checks.model import Outcome
from tests.lab.account.access import ORGANIZATION
from tests.lab.account.logging_services import PROTECTIONS, detector, standards
from tests.lab.aws import Moto, moto
from tests.lab.aws_faults import Fault
from tests.lab.planted_account import ACCOUNT, MAIN, OTHER
from tests.lab.planted_world import World, planted_world, world

__all__ = ["moto", "world"]

pytestmark = pytest.mark.real

PLANTED = ("logging_services", "logging_trails")
ONCE = (
    "cloud.access-analyzer.external",
    "cloud.accounts.security-contact",
    "cloud.cloudtrail.every-region",
    "cloud.cloudtrail.function-calls",
    "cloud.cloudtrail.object-reads",
    "cloud.cloudtrail.object-writes",
    "cloud.config.recording",
    "cloud.config.worldwide",
    "cloud.detection.unwatched-regions",
    "cloud.guardduty.enabled",
    "cloud.guardduty.protections",
    "cloud.macie.enabled",
    "cloud.organization.all-features",
    "cloud.organization.guardrails",
    "cloud.organization.root-credentials",
    "cloud.securityhub.enabled",
    "cloud.securityhub.standards",
)
GIVEN = {"Id": "p-FullAWSAccess", "Name": "FullAWSAccess", "AwsManaged": True}
OWN = {"Id": "p-limits", "Name": "limits", "AwsManaged": False}


@pytest.fixture(scope="module")
def whole(moto: Moto) -> Iterator[World]:
    with planted_world(moto.url, PLANTED, ONCE) as world:
        yield world


def now(world: World, check: str) -> dict[str, tuple[Outcome, str]]:
    """What the check says at this moment of each thing, by the region where it has one."""
    [demand] = [d for d in world.demands if d.check.id == check]
    found = world.judge(world.collect(*demand.check.needs), check)
    return {f.region or f.on: (f.outcome, f.saw or f.reason) for f in found}


@contextmanager
def trail(world: World, name: str, region: str, *, running: bool) -> Iterator[None]:
    """The trail started or stopped for a moment."""
    trails = world.lab.client("cloudtrail", region)
    change, back = trails.stop_logging, trails.start_logging
    if running:
        change, back = back, change
    change(Name=name)
    try:
        yield
    finally:
        back(Name=name)


def test_a_trail_of_all_regions_that_is_stopped_records_none(world: World) -> None:
    check = "cloud.cloudtrail.every-region"
    assert now(world, check)["trails"] == (Outcome.PASS, "logging-all")
    with trail(world, "logging-all", MAIN, running=False):
        outcome, saw = now(world, check)["trails"]
    assert outcome is Outcome.FAIL
    assert "logging-all (stopped or partial)" in saw
    assert "logging-local (eu-west-1 only)" in saw


def test_data_events_are_recorded_by_a_trail_that_runs(world: World) -> None:
    assert now(world, "cloud.cloudtrail.object-reads")["object reads"][0] is Outcome.FAIL
    with trail(world, "logging-idle", OTHER, running=True):
        assert now(world, "cloud.cloudtrail.object-reads")["object reads"] == (Outcome.PASS, "logging-idle")
        with trail(world, "logging-all", MAIN, running=False):
            assert now(world, "cloud.cloudtrail.object-writes")["object writes"][0] is Outcome.PASS
    with trail(world, "logging-all", MAIN, running=False):
        assert now(world, "cloud.cloudtrail.object-writes")["object writes"][0] is Outcome.FAIL


def test_calls_of_all_functions_are_recorded_once_a_selector_names_no_single_one(world: World) -> None:
    trails = world.lab.client("cloudtrail", OTHER)
    former = trails.get_event_selectors(TrailName="logging-idle")["EventSelectors"]
    every = [{"Type": "AWS::Lambda::Function", "Values": ["arn:aws:lambda"]}]
    chosen = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": every}
    trails.put_event_selectors(TrailName="logging-idle", EventSelectors=[chosen])
    try:
        assert now(world, "cloud.cloudtrail.function-calls")["function calls"][0] is Outcome.FAIL
        with trail(world, "logging-idle", OTHER, running=True):
            told = now(world, "cloud.cloudtrail.function-calls")["function calls"]
    finally:
        trails.put_event_selectors(TrailName="logging-idle", EventSelectors=former)
    assert told == (Outcome.PASS, "logging-idle")


def test_a_recorder_that_is_started_records_what_has_no_region_and_watches(world: World) -> None:
    config = world.lab.client("config", OTHER)
    config.start_configuration_recorder(ConfigurationRecorderName="default")
    try:
        assert now(world, "cloud.config.worldwide") == {
            "resources without a region": (Outcome.PASS, f"recorded in {OTHER}")
        }
        assert now(world, "cloud.config.recording")[OTHER][0] is Outcome.PASS
        assert now(world, "cloud.detection.unwatched-regions")["regions"][0] is Outcome.PASS
    finally:
        config.stop_configuration_recorder(ConfigurationRecorderName="default")
    assert now(world, "cloud.detection.unwatched-regions")["regions"][0] is Outcome.FAIL


def test_a_recorder_without_a_channel_records_nothing(world: World) -> None:
    told: dict[str, object] = {"DeliveryChannels": []}
    world.lab.answer("config", "DescribeDeliveryChannels", told, region=MAIN)
    try:
        assert now(world, "cloud.config.recording")[MAIN] == (Outcome.FAIL, "no delivery channel")
    finally:
        channel = {"name": "default", "s3BucketName": "logging-config"}
        told = {"DeliveryChannels": [channel]}
        world.lab.answer("config", "DescribeDeliveryChannels", told, region=MAIN)
    assert now(world, "cloud.config.recording")[MAIN][0] is Outcome.PASS


def test_a_detector_that_wakes_up_watches_its_region(world: World) -> None:
    guardduty = world.lab.client("guardduty", OTHER)
    [one] = guardduty.list_detectors()["DetectorIds"]
    guardduty.update_detector(DetectorId=one, Enable=True)
    try:
        assert now(world, "cloud.guardduty.enabled")[OTHER] == (Outcome.PASS, "watching")
        assert now(world, "cloud.detection.unwatched-regions")["regions"] == (Outcome.PASS, "all are watched")
    finally:
        guardduty.update_detector(DetectorId=one, Enable=False)
    assert now(world, "cloud.guardduty.enabled")[OTHER] == (Outcome.FAIL, "suspended")


def test_protections_pass_when_all_are_on_but_the_one_that_another_replaces(world: World) -> None:
    check = "cloud.guardduty.protections"
    assert now(world, check)[MAIN] == (
        Outcome.FAIL,
        "off: EBS_MALWARE_PROTECTION, LAMBDA_NETWORK_LOGS",
    )
    all_on = {**dict.fromkeys(PROTECTIONS, "ENABLED"), "EKS_RUNTIME_MONITORING": "DISABLED"}
    world.lab.answer("guardduty", "GetDetector", detector(world.lab, all_on), region=MAIN)
    try:
        assert now(world, check)[MAIN] == (Outcome.PASS, "all on")
    finally:
        world.lab.answer("guardduty", "GetDetector", detector(world.lab, PROTECTIONS), region=MAIN)


@pytest.mark.parametrize(
    ("names", "status", "outcome"),
    [
        (("aws-foundational-security-best-practices/v/1.0.0",), "READY", Outcome.PASS),
        (("pci-dss/v/3.2.1", "cis-aws-foundations-benchmark/v/3.0.0"), "READY", Outcome.PASS),
        (("aws-foundational-security-best-practices/v/1.0.0",), "FAILED", Outcome.FAIL),
        (("aws-foundational-security-best-practices/v/1.0.0",), "DELETING", Outcome.FAIL),
        ((), "READY", Outcome.FAIL),
    ],
)
def test_a_standard_for_every_account_has_to_work(
    world: World, names: tuple[str, ...], status: str, outcome: Outcome
) -> None:
    told = standards(world.lab, *names, status=status)
    world.lab.answer("securityhub", "GetEnabledStandards", told, region=MAIN)
    found = now(world, "cloud.securityhub.standards")
    assert found[MAIN][0] is outcome
    assert OTHER not in found


def test_a_hub_that_nobody_subscribed_to_is_off_and_one_that_is_refused_unknown(world: World) -> None:
    world.endpoint.faults["securityhub", "DescribeHub", MAIN] = Fault.NOT_SUBSCRIBED
    assert now(world, "cloud.securityhub.enabled")[MAIN][0] is Outcome.FAIL
    world.endpoint.faults["securityhub", "DescribeHub", MAIN] = Fault.DENIED
    assert now(world, "cloud.securityhub.enabled")[MAIN][0] is Outcome.UNKNOWN


def test_macie_that_was_never_turned_on_is_off_and_not_unknown(world: World) -> None:
    error = (403, "AccessDeniedException", "Macie is not enabled")
    world.lab.answer("macie2", "GetMacieSession", region=MAIN, error=error)
    try:
        assert now(world, "cloud.macie.enabled")[MAIN] == (Outcome.FAIL, "Macie is not turned on")
    finally:
        world.lab.answer("macie2", "GetMacieSession", {"status": "PAUSED"}, region=MAIN)


NOBODY = (404, "ResourceNotFoundException", "No contact of the inputted alternate contact type found.")


@pytest.mark.parametrize(
    ("answer", "error", "outcome"),
    [
        ({"AlternateContact": {"EmailAddress": "security@example.org"}}, None, Outcome.PASS),
        ({"AlternateContact": {"EmailAddress": "", "Name": "Security"}}, None, Outcome.FAIL),
        ({"AlternateContact": {}}, None, Outcome.FAIL),
        (None, NOBODY, Outcome.FAIL),
        (None, (403, "AccessDeniedException", "User is not authorized"), Outcome.UNKNOWN),
    ],
)
def test_a_contact_is_named_by_its_address(
    world: World, answer: object, error: tuple[int, str, str] | None, outcome: Outcome
) -> None:
    world.lab.answer("account", "GetAlternateContact", answer, error=error)
    found = now(world, "cloud.accounts.security-contact")
    assert {one for one, _ in found.values()} == {outcome}


@contextmanager
def organized(world: World, features: str = "ALL", manager: str = ACCOUNT) -> Iterator[None]:
    """An organization with a policy of its own, for a moment."""
    organization = {
        "Id": ORGANIZATION,
        "Arn": f"arn:aws:organizations::{manager}:organization/{ORGANIZATION}",
        "FeatureSet": features,
        "MasterAccountId": manager,
    }
    told: dict[str, Any] = {
        "DescribeOrganization": {"Organization": organization},
        "ListAccounts": {"Accounts": [{"Id": ACCOUNT, "Name": "own", "Status": "ACTIVE"}]},
        "ListPolicies": {"Policies": [GIVEN, OWN]},
        "ListTargetsForPolicy": {"Targets": [{"TargetId": "r-1", "Type": "ROOT"}]},
    }
    for operation, answer in told.items():
        world.lab.answer("organizations", operation, answer)
    rights = {"OrganizationId": ORGANIZATION, "EnabledFeatures": ["RootCredentialsManagement"]}
    world.lab.answer("iam", "ListOrganizationsFeatures", rights)
    try:
        yield
    finally:
        error = (400, "AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
        world.lab.answer("organizations", "DescribeOrganization", error=error)


ORGANIZED = ("all-features", "guardrails", "root-credentials")


def test_an_organization_that_limits_its_accounts_passes(world: World) -> None:
    with organized(world):
        for name in ORGANIZED:
            assert now(world, f"cloud.organization.{name}")[ORGANIZATION][0] is Outcome.PASS
        assert now(world, "cloud.organization.guardrails")[ORGANIZATION][1] == "limits"


def test_an_organization_for_bills_alone_limits_nobody(world: World) -> None:
    with organized(world, "CONSOLIDATED_BILLING"):
        for name in ("all-features", "guardrails"):
            assert now(world, f"cloud.organization.{name}")[ORGANIZATION][0] is Outcome.FAIL


def test_an_organization_does_not_apply_to_an_account_that_does_not_manage_one(world: World) -> None:
    with organized(world, manager="135792468013"):
        for name in ORGANIZED:
            outcomes = {one for one, _ in now(world, f"cloud.organization.{name}").values()}
            assert outcomes == {Outcome.NOT_APPLICABLE}


def analyzer(kind: str, status: str) -> dict[str, Any]:
    """An analyzer as AWS answers."""
    arn = f"arn:aws:access-analyzer:{MAIN}:{ACCOUNT}:analyzer/one"
    made = {"$time": "2026-01-01T00:00:00Z"}
    return {"arn": arn, "name": "one", "type": kind, "status": status, "createdAt": made}


@pytest.mark.parametrize(
    ("analyzers", "outcome"),
    [
        ((), Outcome.FAIL),
        ((("ACCOUNT", "ACTIVE"),), Outcome.PASS),
        ((("ORGANIZATION", "ACTIVE"),), Outcome.PASS),
        ((("ACCOUNT", "CREATING"), ("ACCOUNT_UNUSED_ACCESS", "ACTIVE")), Outcome.FAIL),
        ((("ORGANIZATION_UNUSED_ACCESS", "ACTIVE"),), Outcome.FAIL),
    ],
)
def test_only_an_active_analyzer_of_outsiders_looks_for_them(
    world: World, analyzers: tuple[tuple[str, str], ...], outcome: Outcome
) -> None:
    told = {"analyzers": [analyzer(*one) for one in analyzers]}
    world.lab.answer("accessanalyzer", "ListAnalyzers", told)
    found = now(world, "cloud.access-analyzer.external")
    assert {region: one for region, (one, _) in found.items()} == {MAIN: outcome, OTHER: outcome}
