"""Functions, their settings and addresses, and images, secrets and notifications beside them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from checks.cloud.ecr import scanning
from checks.cloud.functions import (
    environment_key,
    foreign_layers,
    runtime,
    url_origins,
    url_without_signature,
)
from checks.cloud.secretsmanager import rotation, unused
from checks.cloud.sns import outside_subscribers
from checks.facts.cloud.ecr import Registries, Registry, Repositories, Repository
from checks.facts.cloud.functions import Function, Functions, FunctionUrl, FunctionUrls
from checks.facts.cloud.organization import KnownAccounts
from checks.facts.cloud.policy import Condition, Policy, Statement
from checks.facts.cloud.resource_policies import FunctionPolicies, ResourcePolicy
from checks.facts.cloud.secretsmanager import StoredSecret, StoredSecrets
from checks.facts.cloud.sns import Subscription, Subscriptions
from checks.model import Confidence, Outcome
from checks.verdict import Verdict
from scanner.collect.cloud.variables import secret_names
from tests.checks.cloud.examples.records import STRANGER, A, R, fact, good

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
OLD = "2025-01-01T00:00:00Z"
KNOWN = KnownAccounts(A, (A, "222233334444"), "o-a1b2c3d4e5", True)
GUESSED = KnownAccounts(A, (A,), "", False)


def outcome(verdicts: object) -> Outcome:
    """The outcome of the only verdict."""
    assert isinstance(verdicts, list)
    [one] = verdicts
    assert isinstance(one, Verdict)
    return one.outcome


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASSWORD", "Correct-Horse-1"),
        ("PASSWORD", "hunter22"),
        ("db.passwd", "hunter22"),
        ("ordersDbPassword", "hunter22"),
        ("MYSQLPASSWORD", "hunter22"),
        ("DB_PASS", "hunter22"),
        ("JWT_SECRET", "s3cr3t-of-ours"),
        ("clientSecret", "s3cr3t-of-ours"),
        ("API_TOKEN", "9f8e7d6c5b4a39281706"),
        ("API_TOKEN_2", "9f8e7d6c5b4a39281706"),
        ("PASSWORD_PROD", "hunter22"),
        ("SLACK_API_KEY", "abcdef0123456789"),
        ("STRIPE_KEY", "a1b2c3d4e5f60718293a"),
        ("SIGNING_KEY", "a1b2c3"),
        ("DATABASE_URL", "postgres://app:Correct-Horse-1@db.example.org/orders"),
        ("ANYTHING", "-----BEGIN RSA PRIVATE KEY-----"),
        ("ANYTHING", "ghp_" + "a1" * 18),
        ("ANYTHING", "sk_live_" + "a1" * 12),
        ("OPTIONS", "host=db password=Correct-Horse-1"),
        ("AWS_CONFIG", "aws_secret_access_key=" + "a1B2" * 10),
    ],
)
def test_variables_that_hold_a_secret(name: str, value: str) -> None:
    assert secret_names({"STAGE": "prod", name: value}) == (name,)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASSWORD", ""),
        ("DB_PASSWORD", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCdEf"),
        ("DB_PASSWORD", "arn:aws-us-gov:ssm:us-gov-west-1:111122223333:parameter/db/password"),
        ("DB_PASSWORD", "{{resolve:secretsmanager:db:SecretString:password}}"),
        ("DB_PASSWORD", "${DB_PASSWORD}"),
        ("DB_PASSWORD", "/prod/db/password"),
        ("DB_SECRET", "prod/orders/db-password"),
        ("DB_PASSWORD", "<password>"),
        ("DB_PASSWORD", "********"),
        ("DB_PASSWORD", "changeme"),
        ("DB_PASSWORD", "ssm:/prod/db/password"),
        ("USE_PASSWORD", "required"),
        ("API_TOKEN", "true"),
        ("TOKEN", "3600"),
        ("TOKEN_TTL", "36000000"),
        ("TOKEN_URL", "https://id.example.org/token"),
        ("TOKEN", "https://id.example.org/token"),
        ("SECRET_NAME", "orders-db"),
        ("SECRET_ARN", "orders-db-secret"),
        ("PASSWORD_MIN_LENGTH", "16characters"),
        ("KMS_KEY", "1234abcd-12ab-34cd-56ef-1234567890ab"),
        ("CACHE_KEY", "orders0123456789abcdef"),
        ("PARTITION_KEY", "customer_identifier_1"),
        ("SORT_KEY", "a1b2c3d4e5f60718293a"),
        ("KEY", "orders/2026/report"),
        ("ROUTING_KEY", "orders"),
        ("COMPASS", "points-north"),
        ("KEYBOARD", "a1b2c3d4e5f60718293a"),
        ("DATABASE_URL", "postgres://app@db.example.org/orders"),
        ("STAGE", "prod"),
    ],
)
def test_variables_that_hold_none(name: str, value: str) -> None:
    assert secret_names({name: value}) == ()


def test_secrets_are_told_by_name_alone() -> None:
    found = secret_names({"B_TOKEN": "9f8e7d6c5b4a", "A_PASSWORD": "hunter22"})
    assert found == ("A_PASSWORD", "B_TOKEN")


@pytest.mark.parametrize(
    ("name", "days_before", "expected"),
    [
        ("python3.8", 0, Outcome.FAIL),
        ("nodejs20.x", 0, Outcome.FAIL),
        ("python3.10", 0, Outcome.FAIL),
        ("dotnet8", 0, Outcome.FAIL),
        ("nodejs22.x", 0, Outcome.PASS),
        ("nodejs22.x", 180, Outcome.FAIL),
        ("python3.14", 365, Outcome.PASS),
        ("provided.al2023", 0, Outcome.PASS),
        ("cobol85", 0, Outcome.UNKNOWN),
    ],
)
def test_runtimes_past_their_end(name: str, days_before: int, expected: Outcome) -> None:
    found = fact(Functions, good(Function, runtime=name))
    assert outcome(list(runtime.run(found, days_before=days_before, now=NOW))) is expected


def test_a_container_has_no_runtime_of_aws() -> None:
    assert not list(runtime.run(fact(Functions, good(Function, runtime="")), now=NOW))


def test_a_function_without_settings_needs_no_key() -> None:
    assert not list(environment_key.run(fact(Functions, good(Function, key="", settings=False))))
    assert outcome(list(environment_key.run(fact(Functions, good(Function, key=""))))) is Outcome.FAIL


def policy(*statements: Statement, arn: str = "arn:f") -> FunctionPolicies:
    return FunctionPolicies(A, (ResourcePolicy(arn, "f", R, Policy(statements)),))


def invoke(*conditions: Condition, action: str = "lambda:InvokeFunctionUrl", who: str = "*") -> Statement:
    return Statement(True, "S", (who,), actions=(action,), resources=("arn:f",), conditions=conditions)


NO_AUTH = Condition("StringEquals", "lambda:FunctionUrlAuthType", ("NONE",))
SIGNED = Condition("StringEquals", "lambda:FunctionUrlAuthType", ("AWS_IAM",))
DENIED = Statement(False, "D", ("*",), actions=("lambda:*",), resources=("*",))
BUT = Statement(True, "S", ("*",), not_actions=("lambda:Delete*",), resources=("*",))


@pytest.mark.parametrize(
    ("signed", "policies", "expected"),
    [
        (False, policy(invoke(NO_AUTH)), Outcome.FAIL),
        (False, policy(invoke()), Outcome.FAIL),
        (False, policy(invoke(action="lambda:*")), Outcome.FAIL),
        (False, policy(invoke(action="LAMBDA:invokefunctionurl")), Outcome.FAIL),
        (False, policy(BUT), Outcome.FAIL),
        (False, policy(), Outcome.PASS),
        (False, policy(invoke(SIGNED)), Outcome.PASS),
        (False, policy(invoke(action="lambda:InvokeFunction")), Outcome.PASS),
        (False, policy(invoke(who=f"AWS:{A}")), Outcome.PASS),
        (False, policy(invoke(NO_AUTH), DENIED), Outcome.PASS),
        (False, policy(invoke(Condition("StringEquals", "aws:SourceVpce", ("vpce-1",)))), Outcome.PASS),
        (False, policy(invoke(NO_AUTH), arn="arn:other"), Outcome.UNKNOWN),
        (True, policy(invoke(NO_AUTH)), Outcome.PASS),
        (True, policy(arn="arn:other"), Outcome.PASS),
    ],
)
def test_an_address_without_signature_is_open_where_the_policy_lets_everybody(
    signed: bool, policies: FunctionPolicies, expected: Outcome
) -> None:
    found = fact(FunctionUrls, good(FunctionUrl, signed=signed))
    assert outcome(list(url_without_signature.run(found, policies))) is expected


@pytest.mark.parametrize(
    ("origins", "expected"),
    [
        (("*",), Outcome.FAIL),
        (("https://*",), Outcome.FAIL),
        (("https://shop.example.org", "*"), Outcome.FAIL),
        (("https://*.example.org",), Outcome.PASS),
        ((), Outcome.PASS),
    ],
)
def test_sites_that_may_call_an_address(origins: tuple[str, ...], expected: Outcome) -> None:
    assert outcome(list(url_origins.run(fact(FunctionUrls, good(FunctionUrl, origins=origins))))) is expected


@pytest.mark.parametrize(
    ("accounts", "known", "trusted", "expected"),
    [
        ((STRANGER,), KNOWN, (), Outcome.FAIL),
        ((A, STRANGER), KNOWN, (), Outcome.FAIL),
        ((STRANGER,), KNOWN, (STRANGER,), Outcome.PASS),
        (("222233334444",), KNOWN, (), Outcome.PASS),
        (("017000801446",), GUESSED, (), Outcome.PASS),
    ],
)
def test_layers_of_strangers(
    accounts: tuple[str, ...], known: KnownAccounts, trusted: tuple[str, ...], expected: Outcome
) -> None:
    layers = tuple(f"arn:aws:lambda:{R}:{one}:layer:x:1" for one in accounts)
    found = fact(Functions, good(Function, layers=layers))
    assert outcome(list(foreign_layers.run(found, known, trusted=frozenset(trusted)))) is expected


@pytest.mark.parametrize(
    ("scans", "enhanced", "filters", "expected"),
    [
        (False, False, (), Outcome.FAIL),
        (True, False, (), Outcome.PASS),
        (True, True, (), Outcome.FAIL),
        (False, True, ("*",), Outcome.PASS),
        (False, False, ("rep",), Outcome.PASS),
        (False, False, ("web",), Outcome.FAIL),
        (False, False, ("re*",), Outcome.PASS),
        (False, False, ("*po-x",), Outcome.FAIL),
    ],
)
def test_what_the_registry_scans(
    scans: bool, enhanced: bool, filters: tuple[str, ...], expected: Outcome
) -> None:
    found = fact(Repositories, good(Repository, scans=scans))
    registries = Registries(A, (Registry(R, enhanced, filters),))
    assert outcome(list(scanning.run(found, registries))) is expected
    assert not list(scanning.run(found, Registries(A, ())))


@pytest.mark.parametrize(
    ("changes", "turned", "fetched"),
    [
        ({"changed": OLD}, Outcome.FAIL, Outcome.PASS),
        ({"changed": ""}, Outcome.PASS, Outcome.PASS),
        ({"changed": "", "made": OLD}, Outcome.FAIL, Outcome.PASS),
        ({"changed": OLD, "managed": True}, Outcome.PASS, Outcome.NOT_APPLICABLE),
        ({"changed": OLD, "managed": True, "rotates": False}, Outcome.FAIL, Outcome.NOT_APPLICABLE),
        ({"changed": OLD, "copy_of": "us-east-1"}, Outcome.NOT_APPLICABLE, Outcome.NOT_APPLICABLE),
        ({"used": OLD}, Outcome.PASS, Outcome.FAIL),
        ({"used": ""}, Outcome.PASS, Outcome.PASS),
        ({"used": "", "made": OLD}, Outcome.PASS, Outcome.FAIL),
    ],
)
def test_ages_of_secrets(changes: dict[str, object], turned: Outcome, fetched: Outcome) -> None:
    found = fact(StoredSecrets, good(StoredSecret, **changes))
    assert outcome(list(rotation.run(found, now=NOW))) is turned
    assert outcome(list(unused.run(found, now=NOW))) is fetched


@pytest.mark.parametrize(
    ("account", "owner", "known", "expected"),
    [
        (STRANGER, A, KNOWN, Confidence.CONFIRMED),
        (STRANGER, A, GUESSED, Confidence.LIKELY),
        ("", STRANGER, KNOWN, Confidence.CONFIRMED),
        (A, STRANGER, KNOWN, Confidence.CONFIRMED),
        (A, A, KNOWN, None),
        ("222233334444", A, KNOWN, None),
        ("", A, GUESSED, None),
    ],
)
def test_subscribers_of_other_accounts(
    account: str, owner: str, known: KnownAccounts, expected: Confidence | None
) -> None:
    found = fact(Subscriptions, good(Subscription, account=account, owner=owner))
    [one] = outside_subscribers.run(found, known)
    assert one.outcome is (Outcome.FAIL if expected else Outcome.PASS)
    assert one.confidence is (expected or Confidence.CONFIRMED)


def test_who_has_not_confirmed_gets_nothing() -> None:
    found = fact(Subscriptions, good(Subscription, account=STRANGER, confirmed=False))
    assert not list(outside_subscribers.run(found, KNOWN))
