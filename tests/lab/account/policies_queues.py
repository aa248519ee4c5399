"""Queues, topics and event buses: whom their policies let in, really."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tests.lab.planted_account import MAIN, OTHER, Lab

STRANGER = "999988887777"
QUEUES = (("sqs_queues_not_publicly_accessible",), ("sqs-queue-world-policy",))
TOPICS = (("sns_topics_not_publicly_accessible",), ("sns-topic-world-policy",))
BUSES = (("eventbridge_bus_exposed",), ())
Raw = dict[str, Any]


def plant(lab: Lab) -> None:
    """Builds them."""
    _queues(lab)
    _topics(lab)
    _subscriptions(lab)
    _buses(lab)
    _senders(lab)


def statement(principal: Any, condition: Raw | None = None, *, effect: str = "Allow", **more: Any) -> Raw:
    """One statement of a policy."""
    made = {"Sid": "It", "Effect": effect, "Principal": principal, **more}
    return {**made, "Condition": condition} if condition else made


def document(*statements: Raw) -> str:
    """A policy as the API takes it."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def queue(lab: Lab, name: str, statements: Sequence[Raw] = (), *, region: str = MAIN, **more: str) -> str:
    """A queue with these statements, which get the queue as their resource where they have none."""
    sqs = lab.client("sqs", region)
    arn = f"arn:aws:sqs:{region}:{lab.account}:{name}"
    written = [{"Resource": arn, "Action": "sqs:*", **one} for one in statements]
    policy = {"Policy": document(*written)} if written else {}
    sqs.create_queue(QueueName=name, Attributes={"SqsManagedSseEnabled": "true", **policy, **more})
    return arn


def _queues(lab: Lab) -> None:
    own = lab.account
    everybody = statement("*")
    bad: dict[str, tuple[Raw, ...]] = {
        "policies-open": (everybody,),
        "policies-if-exists": (
            statement("*", {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}),
        ),
        "policies-any-topic": (
            statement({"AWS": ["*"]}, {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:*:*"}}),
        ),
        "policies-tagged": (statement("*", {"StringEquals": {"aws:PrincipalTag/team": "orders"}}),),
        "policies-half-denied": (
            everybody,
            statement("*", effect="Deny", Action="sqs:DeleteQueue"),
            statement("*", {"Bool": {"aws:SecureTransport": "false"}}, effect="Deny"),
        ),
        "policies-all-but-one": (statement(None, NotPrincipal={"AWS": STRANGER}),),
    }
    clean: dict[str, tuple[Raw, ...]] = {
        "policies-none": (),
        "policies-own-topic": (
            statement("*", {"ArnEquals": {"aws:SourceArn": f"arn:aws:sns:{MAIN}:{own}:t"}}),
        ),
        "policies-uploads": (
            statement("*", {"ArnLike": {"aws:SourceArn": "arn:aws:s3:*:*:policies-uploads"}}),
        ),
        "policies-denied": (
            everybody,
            statement("*", {"StringNotEquals": {"aws:PrincipalAccount": own}}, effect="Deny"),
        ),
        "policies-elsewhere": (statement("*", Resource=f"arn:aws:sqs:{MAIN}:{own}:policies-other"),),
    }
    plain = {"policies-open", "policies-none"}
    for name, statements in bad.items():
        kept = [{key: value for key, value in one.items() if value is not None} for one in statements]
        arn = queue(lab, name, kept)
        tell(lab, "cloud.sqs.public", arn, name, bad=True, fools=name not in plain, peers=QUEUES)
    for name, statements in clean.items():
        arn = queue(lab, name, statements)
        tell(lab, "cloud.sqs.public", arn, name, bad=False, fools=name not in plain, peers=QUEUES)
    _queue_strangers(lab)
    off = queue(lab, "policies-plain", region=OTHER, SqsManagedSseEnabled="false")
    keyed = queue(lab, "policies-keyed", SqsManagedSseEnabled="false", KmsMasterKeyId="alias/aws/sqs")
    peers = (("sqs_queues_server_side_encryption_enabled",), ("sqs-queue-server-side-encryption-disabled",))
    tell(lab, "cloud.sqs.encryption", off, "not encrypted", bad=True, region=OTHER, peers=peers)
    tell(lab, "cloud.sqs.encryption", keyed, "by KMS instead of SQS", bad=False, fools=True, peers=peers)


def _queue_strangers(lab: Lab) -> None:
    own = lab.account
    elsewhere = {"StringEquals": {"aws:PrincipalOrgID": "o-zzzzzzzzzz"}}
    told = (
        ("policies-stranger", (statement({"AWS": STRANGER}),), True, False),
        ("policies-source", (statement("*", {"StringEquals": {"aws:SourceAccount": STRANGER}}),), True, True),
        ("policies-other-org", (statement("*", elsewhere),), True, True),
        (
            "policies-spared",
            (
                statement({"AWS": f"arn:aws:iam::{STRANGER}:role/reader"}),
                statement("*", {"StringNotEquals": {"aws:PrincipalAccount": [own, STRANGER]}}, effect="Deny"),
            ),
            True,
            True,
        ),
        (
            "policies-refused",
            (
                statement({"AWS": f"arn:aws:iam::{STRANGER}:root"}),
                statement("*", {"StringNotEqualsIfExists": {"aws:PrincipalAccount": own}}, effect="Deny"),
            ),
            False,
            True,
        ),
        ("policies-gone", (statement({"AWS": "AROAJQABLZS4A3QDU576Q"}),), False, True),
        ("policies-mine", (statement({"AWS": f"arn:aws:iam::{own}:root"}),), False, False),
    )  # fmt: skip
    for name, statements, bad, fools in told:
        arn = queue(lab, name, statements, region=OTHER)
        tell(lab, "cloud.sqs.outsiders", arn, name, bad=bad, fools=fools, region=OTHER, peers=QUEUES)
    sns = {"Service": "sns.amazonaws.com"}
    loose = queue(lab, "policies-deputy", (statement(sns),))
    tell(lab, "cloud.sqs.confused-deputy", loose, "any topic of anybody", bad=True)
    wide = queue(
        lab, "policies-deputy-wide", (statement(sns, {"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:*:x"}}),)
    )
    tell(lab, "cloud.sqs.confused-deputy", wide, "a topic of any account", bad=True, fools=True)
    named = queue(
        lab, "policies-deputy-named", (statement(sns, {"StringEquals": {"aws:SourceAccount": own}}),)
    )
    tell(lab, "cloud.sqs.confused-deputy", named, "topics of the account", bad=False)
    refused = queue(
        lab,
        "policies-deputy-refused",
        (statement(sns), statement("*", {"StringNotEquals": {"aws:SourceAccount": own}}, effect="Deny")),
    )
    tell(lab, "cloud.sqs.confused-deputy", refused, "others are denied", bad=False, fools=True)


def _topics(lab: Lab) -> None:
    own = lab.account
    sns = lab.client("sns", MAIN)
    referred = {"StringLike": {"aws:Referer": "https://example.org/*"}}
    halves = {"IpAddress": {"aws:SourceIp": ["0.0.0.0/1", "128.0.0.0/1"]}}
    buckets = {"ArnLike": {"aws:SourceArn": f"arn:aws:s3:*:{STRANGER}:*"}}
    vpce = {"StringEquals": {"aws:SourceVpce": "vpce-1"}}
    told: tuple[tuple[str, str, Any, Raw | None, bool, bool], ...] = (
        ("policies-news", "public", "*", None, True, False),
        ("policies-referred", "public", "*", referred, True, True),
        ("policies-halves", "public", "*", halves, True, True),
        ("policies-owned", "public", {"AWS": "*"}, {"StringEquals": {"AWS:SourceOwner": own}}, False, True),
        ("policies-within", "public", "*", vpce, False, True),
        ("policies-inner", "public", "*", {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, False, True),
        ("policies-partner", "outsiders", {"AWS": f"arn:aws:iam::{STRANGER}:root"}, None, True, False),
        ("policies-buckets", "outsiders", "*", buckets, True, True),
        ("policies-ours", "outsiders", {"AWS": own}, None, False, False),
        ("policies-alarms", "confused-deputy", {"Service": "cloudwatch.amazonaws.com"}, None, True, False),
        (
            "policies-alarms-named", "confused-deputy", {"Service": "cloudwatch.amazonaws.com"},
            {"ArnLike": {"aws:SourceArn": f"arn:aws:cloudwatch:*:{own}:alarm:*"}}, False, True,
        ),
        ("policies-budgets", "confused-deputy", {"Service": "ec2.amazonaws.com"}, None, False, True),
    )  # fmt: skip
    for name, check, principal, condition, bad, fools in told:
        arn = sns.create_topic(Name=name)["TopicArn"]
        policy = document(statement(principal, condition, Action="SNS:Publish", Resource=arn))
        sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=policy)
        tell(lab, f"cloud.sns.{check}", arn, name, bad=bad, fools=fools, peers=TOPICS)
    sealed = sns.create_topic(Name="policies-sealed", Attributes={"KmsMasterKeyId": "alias/aws/sns"})[
        "TopicArn"
    ]
    plain = lab.client("sns", OTHER).create_topic(Name="policies-plain")["TopicArn"]
    peers = (("sns_topics_kms_encryption_at_rest_enabled",), ())
    tell(lab, "cloud.sns.encryption", sealed, "by a key", bad=False, peers=peers)
    tell(lab, "cloud.sns.encryption", plain, "without a key", bad=True, region=OTHER, peers=peers)


def _subscriptions(lab: Lab) -> None:
    topic = lab.client("sns", OTHER).create_topic(Name="policies-heard")["TopicArn"]

    def told(number: int, protocol: str, endpoint: str, owner: str) -> Raw:
        arn = f"{topic}:{number:08d}-0000-4000-8000-000000000000" if number else "PendingConfirmation"
        return {
            "SubscriptionArn": arn,
            "TopicArn": topic,
            "Protocol": protocol,
            "Endpoint": endpoint,
            "Owner": owner,
        }

    own = lab.account
    listed = [
        told(1, "http", "http://hooks.example.org/a", own),
        told(2, "https", "https://hooks.example.org/a", own),
        told(3, "sqs", f"arn:aws:sqs:{OTHER}:{STRANGER}:copies", own),
        told(4, "https", "https://collector.example.net/", STRANGER),
        told(5, "lambda", f"arn:aws:lambda:{OTHER}:{own}:function:policies-ear", own),
        told(0, "http", "http://one.example.org/", own),
        told(0, "http", "http://two.example.org/", own),
    ]
    lab.answer("sns", "ListSubscriptions", {"Subscriptions": listed}, region=OTHER)
    arns = [str(one["SubscriptionArn"]) for one in listed]
    peers = (("sns_subscription_not_using_http_endpoints",), ())
    tell(lab, "cloud.sns.plain-http", arns[0], "http", bad=True, region=OTHER, peers=peers)
    tell(lab, "cloud.sns.plain-http", arns[1], "https", bad=False, region=OTHER, peers=peers)
    check = "cloud.sns.outside-subscribers"
    tell(lab, check, arns[2], "a queue of a stranger", bad=True, region=OTHER)
    tell(lab, check, arns[3], "an address that a stranger subscribed", bad=True, fools=True, region=OTHER)
    tell(lab, check, arns[4], "an own function", bad=False, region=OTHER)


def _buses(lab: Lab) -> None:
    events = lab.client("events", MAIN)
    members = {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
    own = lab.account
    told: tuple[tuple[str, str, Any, Raw | None, bool, bool], ...] = (
        ("policies-all", "public", "*", None, True, False),
        ("policies-members", "public", "*", members, False, True),
        ("policies-foreign", "outsiders", {"AWS": f"arn:aws:iam::{STRANGER}:root"}, None, True, False),
        ("policies-home", "outsiders", {"AWS": f"arn:aws:iam::{own}:root"}, None, False, True),
    )  # fmt: skip
    for name, check, principal, condition, bad, fools in told:
        arn = events.create_event_bus(Name=name)["EventBusArn"]
        policy = document(statement(principal, condition, Action="events:PutEvents", Resource=arn))
        events.put_permission(EventBusName=name, Policy=policy)
        peers = BUSES if check == "public" else (("eventbridge_bus_cross_account_access",), ())
        tell(lab, f"cloud.events.{check}", arn, name, bad=bad, fools=fools, peers=peers)


def _senders(lab: Lab) -> None:
    ses = lab.client("sesv2", MAIN)
    own = lab.account

    def sender(name: str, *documents: str, kind: str = "DOMAIN", status: str = "SUCCESS") -> str:
        ses.create_email_identity(EmailIdentity=name)
        told = {
            "IdentityType": kind,
            "VerifiedForSendingStatus": True,
            "DkimAttributes": {"SigningEnabled": status != "NOT_STARTED", "Status": status},
            "Policies": {f"p{number}": one for number, one in enumerate(documents)},
        }
        # The emulator knows no signature.
        lab.answer("sesv2", "GetEmailIdentity", told, region=MAIN, about=f"identities/{name}")
        return f"arn:aws:ses:{MAIN}:{own}:identity/{name}"

    def policy(principal: Any, condition: Raw | None = None) -> str:
        return document(statement(principal, condition, Action="ses:SendEmail", Resource="*"))

    home, elsewhere = policy({"AWS": own}), policy({"AWS": f"arn:aws:iam::{STRANGER}:user/news"})
    from_us = policy("*", {"StringLike": {"ses:FromAddress": "news@*"}})
    by_us = policy("*", {"StringEquals": {"aws:PrincipalAccount": own}})
    anybody = sender("policies-open.example", home, policy("*"))
    tell(lab, "cloud.ses.public", anybody, "in the second of two policies", bad=True, fools=True)
    posed = sender("policies-posed.example", from_us)
    tell(lab, "cloud.ses.public", posed, "from an address that everybody can give", bad=True, fools=True)
    kept = sender("policies-kept.example", by_us)
    tell(lab, "cloud.ses.public", kept, "the own account", bad=False, fools=True)
    lent = sender("policies-lent.example", elsewhere)
    tell(lab, "cloud.ses.outsiders", lent, "a stranger", bad=True)
    tell(lab, "cloud.ses.outsiders", kept, "the own account", bad=False)
    tell(lab, "cloud.ses.signature", kept, "signed", bad=False)
    for name, status in (("policies-never.example", "NOT_STARTED"), ("policies-broken.example", "FAILED")):
        arn = sender(name, status=status)
        tell(lab, "cloud.ses.signature", arn, status, bad=True, fools=status == "FAILED",
             peers=(("ses_identity_dkim_enabled",), ()))  # fmt: skip
    sender("news@policies.example", kind="EMAIL_ADDRESS", status="NOT_STARTED")


def tell(
    lab: Lab,
    check: str,
    on: str,
    note: str,
    *,
    bad: bool,
    region: str = MAIN,
    fools: bool = False,
    peers: tuple[tuple[str, ...], tuple[str, ...]] = ((), ()),
) -> None:
    say = lab.problem if bad else lab.clean
    name = on.rpartition(":")[2].rpartition("/")[2]
    say(check, on, note, region=region, fools=fools, names=(on, name), prowler=peers[0], scout=peers[1])
