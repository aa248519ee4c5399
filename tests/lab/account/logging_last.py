"""What is about all that other topics planted: planted after all of them.

Amazon Inspector knows of every instance and function of the account, and a topic gets a subscription that
nobody has confirmed, beside those of other topics.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.lab.account.logging_watched import PENDING
from tests.lab.account_logging import with_peers
from tests.lab.planted_account import MAIN, OTHER, Lab

Raw = dict[str, Any]
LAST = True
"""It asks the emulator what the other topics planted."""


def plant(lab: Lab) -> None:
    """Plants both."""
    first = len(lab.planted)
    _pending(lab)
    _inspector(lab)
    with_peers(lab, first)


def _pending(lab: Lab) -> None:
    pages = lab.client("sns").get_paginator("list_subscriptions").paginate()
    known = [one for page in pages for one in page["Subscriptions"]]
    waiting = {
        "SubscriptionArn": "PendingConfirmation",
        "TopicArn": f"arn:aws:sns:{MAIN}:{lab.account}:{PENDING}",
        "Protocol": "email",
        "Endpoint": "pager@example.org",
        "Owner": lab.account,
    }
    lab.answer("sns", "ListSubscriptions", {"Subscriptions": [*known, waiting]}, region=MAIN)


def _inspector(lab: Lab) -> None:
    """In one region one of each is left out; in the other all are looked through, or chosen not to be."""
    for region in (MAIN, OTHER):
        bad = region == MAIN
        instances = [
            _covered(lab, one, "AWS_EC2_INSTANCE", "UNMANAGED_EC2_INSTANCE" if bad and not at else "")
            for at, one in enumerate(_instances(lab, region))
        ]
        functions = [
            _covered(lab, f"{one}:$LATEST", "AWS_LAMBDA_FUNCTION", "" if bad or at else "EXCLUDED_BY_TAG")
            for at, one in enumerate(_functions(lab, region))
        ]
        # One of them is looked through by its code alone, which finds no known flaws.
        code = [{**one, "scanType": "CODE"} for one in functions[:1]]
        told = [*instances, *code, *(functions[1:] if bad else functions)]
        lab.answer("inspector2", "ListCoverage", {"coveredResources": told}, region=region)
    check = "cloud.inspector.instances"
    lab.problem(check, MAIN, "one lacks the agent", region=MAIN, fools=True)
    lab.clean(check, OTHER, "all of them", region=OTHER)
    check = "cloud.inspector.functions"
    lab.problem(check, MAIN, "of one the code alone", region=MAIN, fools=True)
    lab.clean(check, OTHER, "all but one that somebody chose to leave out", region=OTHER, fools=True)


def _instances(lab: Lab, region: str) -> Iterable[str]:
    pages = lab.client("ec2", region).get_paginator("describe_instances").paginate()
    for page in pages:
        for one in page["Reservations"]:
            yield from (i["InstanceId"] for i in one["Instances"] if i["State"]["Name"] == "running")


def _functions(lab: Lab, region: str) -> Iterable[str]:
    pages = lab.client("lambda", region).get_paginator("list_functions").paginate()
    return (one["FunctionArn"] for page in pages for one in page["Functions"])


def _covered(lab: Lab, name: str, kind: str, reason: str) -> Raw:
    status = {"statusCode": "INACTIVE" if reason else "ACTIVE", "reason": reason or "SUCCESSFUL"}
    return {
        "accountId": lab.account,
        "resourceId": name,
        "resourceType": kind,
        "scanType": "PACKAGE",
        "scanStatus": status,
    }
