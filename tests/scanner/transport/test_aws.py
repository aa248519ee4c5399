"""The way to AWS: what it sends, what it never sends, and what each failure means."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from scanner.collect.collector import CollectError, Context, Failure
from scanner.transport.aws import FORBIDDEN, Aws, AwsAccess, ForbiddenCall
from scanner.transport.aws_errors import Because, Refused
from tests.lab.aws import ACCOUNT, MAIN, OTHER, Moto, client, moto
from tests.lab.aws_faults import Fault, Faulty, faulty

__all__ = ["moto"]

pytestmark = pytest.mark.real

VPCS = ("ec2", "DescribeVpcs")
BUSES = ("events", "ListEventBuses")
ALLOWED = frozenset({("sts", "GetCallerIdentity"), VPCS, ("kms", "ListKeys"), ("s3", "ListBuckets"), BUSES})


@pytest.fixture(scope="module")
def endpoint(moto: Moto) -> Iterator[Faulty]:
    with faulty(moto.url) as one:
        yield one


@pytest.fixture(autouse=True)
def _clear(endpoint: Faulty) -> None:
    endpoint.clear()


def opened(server: Faulty, context: Context | None = None, **access: object) -> Aws:
    given = {"endpoint": server.url, "read_seconds": 10.0, "attempts": 1, **access}
    return Aws(AwsAccess(**given), ALLOWED, context or Context())  # type: ignore[arg-type]


def test_says_who_we_are(endpoint: Faulty) -> None:
    found = opened(endpoint).identify()
    assert (found.account, found.partition, found.home) == (ACCOUNT, "aws", OTHER)


def test_the_endpoint_may_come_from_the_environment(
    endpoint: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint.url)
    assert opened(endpoint, endpoint="").identify().account == ACCOUNT
    assert endpoint.count("GetCallerIdentity") == 1


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("ec2", "TerminateInstances", {"InstanceIds": ["i-0123456789abcdef0"]}),
        ("ec2", "DescribeInstances", {}),
        ("s3", "GetObject", {"Bucket": "some-bucket", "Key": "k"}),
        ("s3", "DeleteBucket", {"Bucket": "some-bucket"}),
        ("secretsmanager", "GetSecretValue", {"SecretId": "s"}),
        ("kms", "Decrypt", {"CiphertextBlob": b"x"}),
        ("ec2", "GetPasswordData", {"InstanceId": "i-0123456789abcdef0"}),
        ("sts", "AssumeRole", {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/r-name", "RoleSessionName": "ab"}),
    ],
)
def test_what_nobody_declared_never_leaves(
    endpoint: Faulty, service: str, operation: str, parameters: dict[str, object]
) -> None:
    with pytest.raises(ForbiddenCall, match=operation):
        opened(endpoint).call(service, MAIN, operation, **parameters)
    assert endpoint.asked == []


def test_pages_are_guarded_too(endpoint: Faulty) -> None:
    with pytest.raises(ForbiddenCall, match="DescribeVolumes"):
        opened(endpoint).pages("ec2", MAIN, "DescribeVolumes")
    assert endpoint.asked == []


@pytest.mark.parametrize("operation", [*sorted(FORBIDDEN), "PutObject", "CreateUser", "RunInstances"])
def test_a_declaration_cannot_allow_more_than_reading(endpoint: Faulty, operation: str) -> None:
    with pytest.raises(ValueError, match=operation):
        Aws(AwsAccess(endpoint=endpoint.url), frozenset({("any", operation)}), Context())


def test_no_credentials(endpoint: Faulty, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with pytest.raises(CollectError, match="the default credential chain gives no credentials") as caught:
        opened(endpoint).identify()
    assert caught.value.failure is Failure.CREDENTIALS
    assert endpoint.asked == []


def test_half_a_credential(endpoint: Faulty, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(CollectError, match="half a credential") as caught:
        opened(endpoint).identify()
    assert caught.value.failure is Failure.CREDENTIALS


def test_unknown_profile(endpoint: Faulty) -> None:
    with pytest.raises(CollectError, match="has no profile prod-2") as caught:
        opened(endpoint, profile="prod-2")
    assert caught.value.failure is Failure.CREDENTIALS


def test_the_profile_of_the_environment_may_be_wrong_too(
    endpoint: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "gone")
    with pytest.raises(CollectError, match="has no profile gone"):
        opened(endpoint).identify()


def test_a_profile_is_used(endpoint: Faulty, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(
        "[profile audit]\nregion = eu-central-1\naws_access_key_id = a\naws_secret_access_key = b\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert opened(endpoint, profile="audit").identify().home == "eu-central-1"


def test_the_text_of_a_credential_process_is_not_shown(
    endpoint: Faulty, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    config.write_text("[profile leaky]\ncredential_process = sh -c 'echo hunter2-in-the-open >&2; exit 1'\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    with pytest.raises(CollectError, match="could not get credentials from custom-process") as caught:
        opened(endpoint, profile="leaky").identify()
    assert "hunter2" not in str(caught.value)


def test_unknown_region_is_refused_before_anything_is_sent(endpoint: Faulty) -> None:
    with pytest.raises(CollectError, match=r"no AWS region eu-wset-1; did you mean eu-west-1\?"):
        opened(endpoint, regions=("eu-wset-1",))
    assert endpoint.asked == []


def test_regions_of_two_partitions_are_refused(endpoint: Faulty) -> None:
    with pytest.raises(CollectError, match="one account is in one partition"):
        opened(endpoint, regions=("eu-west-1", "cn-north-1"))


def test_global_calls_follow_the_partition(endpoint: Faulty) -> None:
    assert opened(endpoint, regions=("us-gov-east-1",)).identify().home == "us-gov-west-1"
    assert opened(endpoint, regions=("ap-east-1",)).identify().home == OTHER


def test_another_account_is_out_of_scope(endpoint: Faulty) -> None:
    with pytest.raises(CollectError, match=f"lead to account {ACCOUNT}, not to 999999999999") as caught:
        opened(endpoint, account="999999999999").identify()
    assert caught.value.failure is Failure.OUT_OF_SCOPE
    assert {one.operation for one in endpoint.asked} == {"GetCallerIdentity"}


@pytest.mark.parametrize(
    ("fault", "failure", "line"),
    [
        (Fault.EXPIRED, Failure.CREDENTIALS, "have expired"),
        (Fault.NOT_ENABLED, Failure.CREDENTIALS, "does not accept the credentials"),
        (Fault.DENIED, Failure.AUTHENTICATION, "access denied"),
        (Fault.THROTTLED, Failure.THROTTLED, "throttled"),
        (Fault.BROKEN, Failure.PROTOCOL, "HTTP 500"),
        (Fault.TRUNCATED, Failure.PROTOCOL, "cut short"),
        (Fault.HANG, Failure.TIMEOUT, "no answer"),
    ],
)
def test_who_we_are_cannot_be_told(endpoint: Faulty, fault: Fault, failure: Failure, line: str) -> None:
    endpoint.faults["sts", "GetCallerIdentity"] = fault
    with pytest.raises(CollectError, match=line) as caught:
        opened(endpoint, read_seconds=0.3).identify()
    assert caught.value.failure is failure


def test_a_skewed_clock_is_measured(endpoint: Faulty) -> None:
    endpoint.faults["sts", "GetCallerIdentity"] = Fault.SKEWED
    context = Context(clock=lambda: datetime.now(UTC) + timedelta(hours=1))
    with pytest.raises(
        CollectError, match=r"clock of this machine is (3599|3600|3601) s ahead of that of AWS"
    ):
        opened(endpoint, context).identify()


def test_nobody_listens(moto: Moto) -> None:
    access = AwsAccess(endpoint="http://127.0.0.1:1", attempts=1)
    with pytest.raises(CollectError, match="no connection") as caught:
        Aws(access, ALLOWED, Context()).identify()
    assert caught.value.failure is Failure.UNREACHABLE


@pytest.mark.parametrize(
    ("fault", "because"),
    [
        (Fault.DENIED, Because.DENIED),
        (Fault.NOT_ENABLED, Because.DENIED),
        (Fault.NOT_SUBSCRIBED, Because.NOT_SUBSCRIBED),
        (Fault.THROTTLED, Because.THROTTLED),
        (Fault.BROKEN, Because.SERVICE),
        (Fault.TRUNCATED, Because.UNREADABLE),
        (Fault.CUT, Because.UNREADABLE),
        (Fault.SECOND_PAGE, Because.SERVICE),
        (Fault.ENDLESS, Because.UNREADABLE),
        (Fault.HANG, Because.TIME),
    ],
)
def test_a_list_that_fails_gives_nothing(endpoint: Faulty, fault: Fault, because: Because) -> None:
    endpoint.faults[VPCS] = fault
    with pytest.raises(Refused) as caught:
        opened(endpoint, read_seconds=0.3 if fault is Fault.HANG else 10).pages("ec2", MAIN, "DescribeVpcs")
    assert caught.value.because is because


def test_json_that_was_cut_short_is_no_empty_account(endpoint: Faulty, moto: Moto) -> None:
    client(moto.url, "kms").create_key()
    endpoint.faults["kms", "ListKeys"] = Fault.TRUNCATED
    with pytest.raises(Refused, match="cut short"):
        opened(endpoint).pages("kms", MAIN, "ListKeys")


def test_the_policy_that_denies_is_named(endpoint: Faulty) -> None:
    endpoint.faults["s3", "ListBuckets"] = Fault.SCP
    with pytest.raises(Refused, match="service control policy"):
        opened(endpoint).pages("s3", MAIN, "ListBuckets")


def test_all_pages_are_read(endpoint: Faulty) -> None:
    endpoint.faults[VPCS] = Fault.PAGES
    pages = opened(endpoint).pages("ec2", MAIN, "DescribeVpcs")
    assert [len(page["Vpcs"]) for page in pages] == [0, 1]


@pytest.mark.parametrize(
    ("more", "whole"),
    [
        ({}, True),
        ({"NextToken": ""}, True),
        ({"NextToken": None}, True),
        ({"NextToken": "abc"}, False),
    ],
)
def test_a_first_page_is_no_list_where_the_sdk_turns_no_pages(
    endpoint: Faulty, more: dict[str, str], whole: bool
) -> None:
    def told(body: bytes) -> bytes:
        return json.dumps({**json.loads(body), **more}).encode()

    endpoint.rewrite[BUSES] = told
    aws = opened(endpoint)
    if whole:
        [page] = aws.pages("events", MAIN, "ListEventBuses")
        assert [one["Name"] for one in page["EventBuses"]] == ["default"]
    else:
        with pytest.raises(Refused, match=r"goes on after its first page \(NextToken\)") as caught:
            aws.pages("events", MAIN, "ListEventBuses")
        assert caught.value.because is Because.UNREADABLE
    # Whoever turns the pages by hand gets each of them.
    assert aws.call("events", MAIN, "ListEventBuses").get("NextToken", "") == (more.get("NextToken") or "")


def test_an_expired_token_ends_the_account(endpoint: Faulty) -> None:
    endpoint.faults[VPCS] = Fault.EXPIRED
    with pytest.raises(CollectError, match="expired"):
        opened(endpoint).call("ec2", MAIN, "DescribeVpcs")


def test_attempts_are_bounded(endpoint: Faulty) -> None:
    endpoint.faults[VPCS] = Fault.THROTTLED
    with pytest.raises(Refused, match="throttled in all 2 attempts"):
        opened(endpoint, attempts=2).call("ec2", MAIN, "DescribeVpcs")
    assert endpoint.count("DescribeVpcs") == 2


def test_the_time_budget_is_kept(endpoint: Faulty) -> None:
    aws = opened(endpoint, total_seconds=1.5)
    aws.call("ec2", MAIN, "DescribeVpcs")
    time.sleep(max(0.0, aws.seconds_left) + 0.05)
    with pytest.raises(Refused, match=r"time budget of 1\.5 s ended") as caught:
        aws.call("ec2", MAIN, "DescribeVpcs")
    assert caught.value.because is Because.TIME
    assert endpoint.count("DescribeVpcs") == 1


def test_a_stop_is_heard(endpoint: Faulty) -> None:
    context = Context()
    aws = opened(endpoint, context)
    context.cancelled.set()
    with pytest.raises(CollectError) as caught:
        aws.call("ec2", MAIN, "DescribeVpcs")
    assert caught.value.failure is Failure.INTERRUPTED
    assert endpoint.asked == []
