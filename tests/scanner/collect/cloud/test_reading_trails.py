"""What event selectors of a trail and the recording group of a recorder choose, in both of their forms."""

from __future__ import annotations

from typing import Any

import pytest

from scanner.collect.cloud.cloudtrail import _advanced, _basic, _data
from scanner.collect.cloud.config import _recorder
from tests.lab.aws import MAIN

OBJECTS, CALLS = "AWS::S3::Object", "AWS::Lambda::Function"
BOTH = frozenset({"read", "write"})


def older(kind: str, *values: str, **more: object) -> dict[str, Any]:
    return {"DataResources": [{"Type": kind, "Values": list(values)}], **more}


def newer(**tests: object) -> dict[str, Any]:
    """A selector of the newer kind: each field with its `Equals`, or with a test of its own."""
    fields = [
        {"Field": name.replace("__", "."), **(test if isinstance(test, dict) else {"Equals": [test]})}
        for name, test in tests.items()
    ]
    return {"FieldSelectors": fields}


@pytest.mark.parametrize(
    ("selector", "kinds", "without"),
    [
        ({}, BOTH, ()),
        ({"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True}, {"write"}, ()),
        ({"ReadWriteType": "ReadOnly"}, {"read"}, ()),
        ({"IncludeManagementEvents": False}, (), ()),
        ({"ExcludeManagementEventSources": ["kms.amazonaws.com"]}, BOTH, {"kms.amazonaws.com"}),
    ],
)
def test_management_events_of_an_older_selector(selector: Any, kinds: Any, without: Any) -> None:
    assert _basic(selector) == (frozenset(kinds), frozenset(without))


@pytest.mark.parametrize(
    ("selector", "kinds", "without"),
    [
        (newer(eventCategory="Management"), BOTH, ()),
        (newer(eventCategory="Management", readOnly="false"), {"write"}, ()),
        (newer(readOnly="true", eventCategory="Management"), {"read"}, ()),
        (newer(eventCategory="Data"), (), ()),
        (
            newer(eventCategory="Management", eventSource={"NotEquals": ["kms.amazonaws.com"]}),
            BOTH,
            {"kms.amazonaws.com"},
        ),
        # What names a part is not the whole.
        (newer(eventCategory="Management", eventSource="iam.amazonaws.com"), (), ()),
        (newer(eventCategory="Management", eventName={"NotEquals": ["Decrypt"]}), (), ()),
    ],
)
def test_management_events_of_a_newer_selector(selector: Any, kinds: Any, without: Any) -> None:
    assert _advanced(selector) == (frozenset(kinds), frozenset(without))


@pytest.mark.parametrize(
    ("selector", "kind", "kinds"),
    [
        (older(OBJECTS, "arn:aws:s3"), OBJECTS, BOTH),
        (older(OBJECTS, "arn:aws:s3:::"), OBJECTS, BOTH),
        (older(OBJECTS, "arn:aws-cn:s3"), OBJECTS, BOTH),
        (older(OBJECTS, "arn:aws:s3", ReadWriteType="WriteOnly"), OBJECTS, {"write"}),
        (older(OBJECTS, "arn:aws:s3:::one/"), OBJECTS, ()),
        (older(OBJECTS, "arn:aws:s3:::one/", "arn:aws:s3"), OBJECTS, BOTH),
        (older(OBJECTS, "arn:aws:s3"), CALLS, ()),
        (older(CALLS, "arn:aws:lambda"), CALLS, BOTH),
        (older(CALLS, f"arn:aws:lambda:{MAIN}:1:function:one"), CALLS, ()),
        ({}, OBJECTS, ()),
    ],
)
def test_data_events_of_an_older_selector(selector: Any, kind: str, kinds: Any) -> None:
    assert _data([selector], [], kind) == frozenset(kinds)


ALL_OBJECTS = {"eventCategory": "Data", "resources__type": OBJECTS}


@pytest.mark.parametrize(
    ("selector", "kinds"),
    [
        (newer(**ALL_OBJECTS), BOTH),
        (newer(**ALL_OBJECTS, readOnly="true"), {"read"}),
        (newer(**ALL_OBJECTS, resources__ARN={"StartsWith": ["arn:aws:s3:::one/"]}), ()),
        (newer(**ALL_OBJECTS, resources__ARN={"NotStartsWith": ["arn:aws:s3:::one/"]}), ()),
        (newer(**ALL_OBJECTS, eventName="PutObject"), ()),
        (newer(eventCategory="Data", resources__type=CALLS), ()),
        (newer(eventCategory="Management", resources__type=OBJECTS), ()),
        (newer(eventCategory="Data"), ()),
    ],
)
def test_data_events_of_a_newer_selector(selector: Any, kinds: Any) -> None:
    assert _data([], [selector], OBJECTS) == frozenset(kinds)


IAM = [f"AWS::IAM::{kind}" for kind in ("Group", "Policy", "Role", "User")]


def strategy(name: str) -> dict[str, Any]:
    return {"recordingStrategy": {"useOnly": name}}


@pytest.mark.parametrize(
    ("chosen", "everything", "worldwide"),
    [
        ({}, True, False),
        ({"allSupported": True}, True, False),
        ({"allSupported": True, "includeGlobalResourceTypes": True}, True, True),
        ({"allSupported": False, "resourceTypes": ["AWS::S3::Bucket"]}, False, False),
        ({"allSupported": False, "resourceTypes": ["AWS::S3::Bucket", *IAM]}, False, True),
        (
            {**strategy("ALL_SUPPORTED_RESOURCE_TYPES"), "allSupported": True},
            True,
            False,
        ),
        (
            {**strategy("EXCLUSION_BY_RESOURCE_TYPES"), "exclusionByResourceTypes": {"resourceTypes": IAM}},
            True,
            False,
        ),
        (
            {
                **strategy("EXCLUSION_BY_RESOURCE_TYPES"),
                "exclusionByResourceTypes": {"resourceTypes": ["AWS::EC2::Volume"]},
            },
            False,
            True,
        ),
        ({**strategy("INCLUSION_BY_RESOURCE_TYPES"), "resourceTypes": IAM}, False, True),
        ({**strategy("INCLUSION_BY_RESOURCE_TYPES"), "resourceTypes": IAM[:3]}, False, False),
    ],
)
def test_what_a_recorder_records(chosen: dict[str, Any], everything: bool, worldwide: bool) -> None:
    found = _recorder(MAIN, {"name": "default", "recordingGroup": chosen}, {"recording": True}, True)
    assert (found.everything, found.worldwide) == (everything, worldwide)
    assert found.recording


def test_a_recorder_of_which_no_state_is_told_does_not_record() -> None:
    found = _recorder(MAIN, {"name": "default"}, {}, False)
    assert (found.there, found.recording, found.delivers, found.status) == (True, False, False, "")
