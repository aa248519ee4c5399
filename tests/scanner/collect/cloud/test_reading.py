"""What is read out of answers: policies, credential reports, secrets in text, single fields."""

from __future__ import annotations

import contextlib
import gzip
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.facts.cloud.ec2 import PlainSecret
from checks.facts.cloud.policy import Condition, Policy, Statement
from scanner.collect.cloud import fields
from scanner.collect.cloud.fields import UnreadableError
from scanner.collect.cloud.iam import read_report
from scanner.collect.cloud.parallel import run_all
from scanner.collect.cloud.policies import parse
from scanner.collect.cloud.secrets import find


def policy(**statement: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", **statement}})


def test_a_policy_in_its_shortest_form() -> None:
    found = parse(policy(Principal="*", Action="s3:GetObject", Resource="*"))
    assert found == Policy((Statement(True, "", ("*",), (), ("s3:GetObject",), (), ("*",), (), ()),))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("*", ("*",)),
        ({"AWS": "*"}, ("*",)),
        ({"AWS": ["111122223333", "*"]}, ("AWS:111122223333", "*")),
        ({"Service": "ec2.amazonaws.com"}, ("Service:ec2.amazonaws.com",)),
        ({"Federated": "*"}, ("Federated:*",)),
    ],
)
def test_principals(written: object, read: tuple[str, ...]) -> None:
    assert parse(policy(Principal=written)).statements[0].principals == read


def test_conditions_of_every_form() -> None:
    conditions = {"Bool": {"aws:SecureTransport": False}, "NumericLessThan": {"s3:TlsVersion": [1.2, "1.3"]}}
    assert parse(policy(Condition=conditions)).statements[0].conditions == (
        Condition("Bool", "aws:SecureTransport", ("false",)),
        Condition("NumericLessThan", "s3:TlsVersion", ("1.2", "1.3")),
    )


@pytest.mark.parametrize(
    "document",
    [
        "",
        "{",
        "[]",
        '"*"',
        "{}",
        '{"Statement": "x"}',
        '{"Statement": [1]}',
        '{"Statement": [{"Effect": "allow"}]}',
        '{"Statement": [{}]}',
        '{"Statement": [{"Effect": "Allow", "Principal": 7}]}',
        '{"Statement": [{"Effect": "Allow", "Condition": []}]}',
        '{"Statement": [{"Effect": "Allow", "Condition": {"Bool": "x"}}]}',
        '{"Statement": [{"Effect": "Allow", "Action": [["x"]]}]}',
        "[" * 100_000,
        " " * 300_000,
    ],
)
def test_what_is_no_policy_is_not_read_as_one(document: str) -> None:
    with pytest.raises(UnreadableError):
        parse(document)


@given(
    st.recursive(st.none() | st.booleans() | st.text(), lambda c: st.lists(c) | st.dictionaries(st.text(), c))
)
def test_any_json_is_read_or_refused(value: object) -> None:
    with contextlib.suppress(UnreadableError):
        parse(json.dumps({"Statement": value}))


HEADER = "user,arn,user_creation_time,password_enabled,mfa_active,access_key_1_active\n"


def test_a_credential_report() -> None:
    [row] = read_report(HEADER + "a,arn:a,2020-01-01T00:00:00+00:00,true,false,false\n")
    assert (row["user"], row["mfa_active"]) == ("a", "false")


@pytest.mark.parametrize("content", ["", "nonsense\n", HEADER + "a,arn:a,2020", HEADER + "a,b,c,d,e,f,g\n"])
def test_a_credential_report_that_was_cut_short(content: str) -> None:
    with pytest.raises(UnreadableError):
        read_report(content)


SECRET = "wJalrXUtnFEMIK7MDENGbPxRfiCYzzzzzzzzzzzz"


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (f"export AWS_SECRET_ACCESS_KEY={SECRET}", "AWS secret access key"),
        (f'aws_secret_access_key = "{SECRET}"', "AWS secret access key"),
        ("-----BEGIN RSA PRIVATE KEY-----", "private key"),
        ("-----BEGIN PRIVATE KEY-----", "private key"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----", "private key"),
        ("git clone https://x:ghp_0123456789abcdefghijABCDEFGHIJ0123@h/r", "GitHub token"),
        ("SLACK=xoxb-123456789012-abcdefghijkl", "Slack token"),
        ("DATABASE_URL=postgres://app:s3cr3tpw@db.internal/app", "password in a URL"),
        ("DB_PASSWORD=hunter2hunter2", "password or token"),
        ("password: 'correct horse'", "password or token"),
        ('  "api_key": "abcdef123456"', "password or token"),
        ("mysql --password=hunter2hunter2 db", "password or token"),
    ],
)
def test_secrets_are_found_by_place_and_kind(line: str, kind: str) -> None:
    found = find(f"#!/bin/sh\n{line}\n".encode())
    assert PlainSecret(kind, 2) in found
    assert {one.line for one in found} == {2}


@pytest.mark.parametrize(
    "line",
    [
        "DB_PASSWORD=$(aws ssm get-parameter --name x)",
        "DB_PASSWORD=${DB_PASSWORD}",
        "password: {{ vault_password }}",
        "PasswordAuthentication no",
        "PASSWORD_FILE=/run/secrets/db",
        "aws secretsmanager get-secret-value --secret-id arn:aws:secretsmanager:eu-west-1:1:secret:x",
        "postgres://app:${PW}@db/app",
        "-----BEGIN CERTIFICATE-----",
        "echo hello",
        "secret=changeme",
        "password=true",
    ],
)
def test_references_are_no_secrets(line: str) -> None:
    assert find(line.encode()) == ()


def test_compressed_user_data_is_opened() -> None:
    assert find(gzip.compress(b"a\nDB_PASSWORD=hunter2hunter2\n")) == (PlainSecret("password or token", 2),)
    with pytest.raises(ValueError, match="cannot be opened"):
        find(b"\x1f\x8bgarbage")


def test_hostile_user_data_takes_no_time() -> None:
    started = time.monotonic()
    find(("password" * 500 + "\n").encode() * 200)
    find(("x" * 65536).encode())
    find(gzip.compress(b"0" * 50_000_000))
    assert time.monotonic() - started < 5


@given(st.binary(max_size=400))
def test_any_user_data_is_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        find(data)


def test_a_missing_field_is_not_a_default() -> None:
    with pytest.raises(UnreadableError, match="does not hold Encrypted"):
        fields.flag({}, "Encrypted")
    with pytest.raises(UnreadableError, match="another form"):
        fields.flag({"Encrypted": "false"}, "Encrypted")
    with pytest.raises(UnreadableError, match="does not hold Volumes"):
        fields.items({}, "Volumes")
    assert fields.text({}, "HttpTokens", "optional") == "optional"
    assert fields.some({}, "Tags") == ()


def test_jobs_keep_their_order_and_their_errors() -> None:
    def job(number: int) -> int:
        time.sleep(0.02 * (3 - number))
        if number == 1:
            raise ValueError("one")
        return number

    jobs = [lambda n=n: job(n) for n in range(4)]
    found = run_all(jobs, workers=4, until=time.monotonic() + 10)
    assert [one.value for one in found] == [0, None, 2, 3]
    assert [type(one.error) for one in found] == [type(None), ValueError, type(None), type(None)]
    assert all(one.ended for one in found)


def test_a_job_that_does_not_end_is_left_behind() -> None:
    started = time.monotonic()
    jobs = [lambda: time.sleep(5), lambda: None]
    found = run_all(jobs, workers=2, until=time.monotonic() + 0.3)
    assert time.monotonic() - started < 2
    assert [one.ended for one in found] == [False, True]


def test_no_more_jobs_at_once_than_allowed() -> None:
    running: list[int] = []
    most: list[int] = []

    def job() -> None:
        running.append(1)
        most.append(len(running))
        time.sleep(0.02)
        running.pop()

    run_all([job] * 12, workers=3, until=time.monotonic() + 10)
    assert 1 < max(most) <= 3
    assert run_all([], workers=3, until=time.monotonic() + 10) == []
