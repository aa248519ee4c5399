"""Notification topics: who sends to them, who listens, and over what."""

from __future__ import annotations

from checks.check import check
from checks.cloud.resource_policies import deputy, family
from checks.cloud.setting import repair, setting
from checks.facts.cloud.organization import KnownAccounts
from checks.facts.cloud.sns import Subscriptions, Topics
from checks.model import Confidence, Severity, Surface
from checks.verdict import Verdicts, expect

POLICIES = family("sns")
confused_deputy = deputy("sns")

encryption = setting(
    "cloud.sns.encryption",
    Topics,
    lambda topic: bool(topic.key),
    title="Topics are encrypted",
    why="Notifications carry names, addresses and alarms; encryption keeps them from whoever gets at AWS's "
    "disks.",
    severity=Severity.LOW,
    bad="not encrypted",
    good="encrypted",
    fix=repair(
        "Encrypt topics",
        "Set a KMS key on the topic. Services that publish into it (alarms, events) need "
        "kms:GenerateDataKey and "
        "kms:Decrypt on that key, so take one of your own rather than alias/aws/sns.",
        "aws sns get-topic-attributes --region @{region} --topic-arn @{on} "
        "--query Attributes.KmsMasterKeyId   # the key",
        "aws sns set-topic-attributes --region @{region} --topic-arn @{on} --attribute-name KmsMasterKeyId "
        '--attribute-value "$KEY_ID"',
        "aws sns set-topic-attributes --region @{region} --topic-arn @{on} --attribute-name KmsMasterKeyId "
        '--attribute-value ""',
        terraform="# In the aws_sns_topic with name @{name}:\nkms_master_key_id = "
        "aws_kms_key.notifications.id\n",
    ),
    refs=("https://docs.aws.amazon.com/sns/latest/dg/sns-server-side-encryption.html",),
)

plain_http = setting(
    "cloud.sns.plain-http",
    Subscriptions,
    lambda one: None if one.protocol not in ("http", "https") else one.protocol == "https",
    title="Notifications go to web addresses over TLS only",
    why="Over plain HTTP everybody on the way reads the notification and can send a forged one.",
    severity=Severity.MEDIUM,
    bad="sent over plain HTTP",
    good="sent over HTTPS",
    fix=repair(
        "Send notifications over HTTPS",
        "Subscribe the https:// address of the receiver, confirm it, then take the http:// one away.",
        "aws sns list-subscriptions --region @{region} --query \"Subscriptions[?Protocol=='http']\"   # []",
        "aws sns unsubscribe --region @{region} --subscription-arn @{on}",
        "# Subscribe the address again:\n"
        'aws sns subscribe --region @{region} --topic-arn "$TOPIC_ARN" --protocol http '
        '--notification-endpoint "$ADDRESS"',
        back="Subscribe the http:// address again.",
        terraform="# Beside the aws_sns_topic_subscription @{on}, which goes when the receiver has "
        'confirmed this one:\nresource "aws_sns_topic_subscription" "over_tls" {\n'
        '  topic_arn = var.topic_arn\n  protocol  = "https"\n  endpoint  = var.https_address\n}\n',
    ),
    refs=("https://docs.aws.amazon.com/sns/latest/dg/sns-security-best-practices.html",),
)


@check(
    "cloud.sns.outside-subscribers",
    title="Notifications go to no account that nobody knows",
    severity=Severity.MEDIUM,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Take subscribers of other accounts off",
        "Ask whose the account is. Where nobody knows, take the subscription away; else name the account in "
        "the option `trusted` of this check.",
        "aws sns list-subscriptions --region @{region}   # no endpoint of that account",
        "aws sns unsubscribe --region @{region} --subscription-arn @{on}",
        "# Subscribe the endpoint again:\n"
        'aws sns subscribe --region @{region} --topic-arn "$TOPIC_ARN" --protocol "$PROTOCOL" '
        '--notification-endpoint "$ENDPOINT"',
        back="Subscribe the endpoint again.",
    ),
    refs=("https://docs.aws.amazon.com/sns/latest/dg/sns-send-message-to-sqs-cross-account.html",),
)
def outside_subscribers(
    found: Subscriptions, known: KnownAccounts, *, trusted: frozenset[str] = frozenset()
) -> Verdicts:
    """Whatever is sent to the topic is copied into an account that nobody here looks after."""
    friends = trusted | {*known.accounts}
    for one in found.subscriptions:
        theirs = sorted({one.account, one.owner} - {""})
        if theirs and one.confirmed:
            strangers = [account for account in theirs if account not in friends]
            yield expect(
                not strangers,
                on=one.arn,
                where=one.region,
                saw=f"{one.protocol} of account {', '.join(strangers or theirs)}",
                want="an account of the organization",
                confidence=Confidence.CONFIRMED if known.whole or not strangers else Confidence.LIKELY,
            )
