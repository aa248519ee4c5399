"""Streams and delivery streams: who reads them, and what is stored in the clear."""

from __future__ import annotations

from checks.check import check
from checks.cloud.openness import openings
from checks.cloud.outsiders import outsiders as strangers_of
from checks.cloud.outsiders import told
from checks.cloud.setting import repair, setting
from checks.facts.cloud.kinesis import Deliveries, StreamPolicies, Streams
from checks.facts.cloud.organization import KnownAccounts
from checks.fix import Fix
from checks.model import Confidence, Exploit, Exposure, Impact, Severity, Surface, Weakness
from checks.verdict import Verdicts, expect

_GUIDE = "https://docs.aws.amazon.com/streams/latest/dev"
_READ = "aws kinesis get-resource-policy --region @{region} --resource-arn @{on} --query Policy --output text"
_WRITE = "aws kinesis put-resource-policy --region @{region} --resource-arn @{on} --policy"


def _repair(action: str) -> Fix:
    return repair(
        action,
        "Take the statement out of the policy of the stream, or name the account or organization that needs "
        "it. Look in CloudTrail for who has read from it meanwhile.",
        f"{_READ}   # names nobody else",
        f"{_READ} > policy.before.json &&\n"
        "# Edit policy.after.json: take the statement out, or name who needs it.\n"
        "cp policy.before.json policy.after.json &&\n${EDITOR:-vi} policy.after.json &&\n"
        f'{_WRITE} "$(cat policy.after.json)"',
        f'{_WRITE} "$(cat policy.before.json)"',
        hours=(0.5, 0.5),
        back="The same call with the policy that was saved first.",
        key="kinesis:policy @{on}",
        terraform="# In the policy of the aws_kinesis_resource_policy of @{on}; a statement that nobody "
        'needs goes:\nprincipals {\n  type        = "AWS"\n  identifiers = var.known_arns\n}\n',
    )


@check(
    "cloud.kinesis.public",
    title="No stream is open to everybody",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    surface=Surface.DATA,
    weakness=Weakness.WORLD_READABLE_STORE,
    fix=_repair("Close stream @{name} to the public"),
    refs=(f"{_GUIDE}/resource-based-policy-examples.html",),
)
def public(found: StreamPolicies) -> Verdicts:
    """Whoever has an AWS account, which anybody can open, reads along or puts in what is not true."""
    for one in found.policies:
        ways = openings(one.policy)
        words = "; ".join(way.words for way in ways)
        yield expect(
            not ways,
            on=one.arn,
            where=one.region,
            saw=words or "nobody but those who are named",
            want="nobody but those who are named",
            confidence=Confidence.LIKELY
            if ways and not any(w.certain for w in ways)
            else Confidence.CONFIRMED,
            exposure=Exposure.INTERNET_OPEN if ways else None,
            exposure_evidence=f"{one.name}: {words}" if ways else "",
            values={"name": one.name},
        )


@check(
    "cloud.kinesis.outsiders",
    title="Streams let in no account that nobody knows",
    severity=Severity.MEDIUM,
    impact=Impact.SERIOUS,
    surface=Surface.CONTROL_PLANE,
    fix=_repair("Check who is let in by the policy of stream @{name}"),
    refs=(f"{_GUIDE}/resource-based-policy-examples.html",),
)
def outsiders(
    found: StreamPolicies, known: KnownAccounts, *, trusted: frozenset[str] = frozenset()
) -> Verdicts:
    """An account outside of the organization reads along, and nobody here sees who is in it."""
    friends = trusted | frozenset(known.accounts)
    for one in found.policies:
        strangers = strangers_of(one.policy, found.account, friends, known.organization)
        yield told(
            strangers,
            known,
            on=one.arn,
            where=one.region,
            good="no other account",
            want="no account that nobody knows",
            values={"name": one.name},
        )


encryption = setting(
    "cloud.kinesis.encryption",
    Streams,
    lambda one: one.encrypted,
    title="Streams are encrypted",
    why="What was put in lies on disks in the clear for as long as the stream keeps it.",
    severity=Severity.MEDIUM,
    bad="not encrypted",
    good="encrypted",
    fix=repair(
        "Encrypt stream @{name}",
        "Turn it on with a key; producers and consumers need the right to use a key of your own.",
        "aws kinesis describe-stream-summary --region @{region} --stream-name @{name} --query "
        "StreamDescriptionSummary.EncryptionType   # KMS",
        "aws kinesis start-stream-encryption --region @{region} --stream-name @{name} --encryption-type KMS "
        "--key-id alias/aws/kinesis",
        "aws kinesis stop-stream-encryption --region @{region} --stream-name @{name} --encryption-type KMS "
        "--key-id alias/aws/kinesis",
        terraform='# In the aws_kinesis_stream with name @{name}:\nencryption_type = "KMS"\n'
        'kms_key_id      = "alias/aws/kinesis"\n',
    ),
    refs=(f"{_GUIDE}/server-side-encryption.html",),
)

retention = setting(
    "cloud.kinesis.retention",
    Streams,
    lambda one: one.hours >= 168,
    title="Streams keep what is put in for a week",
    why="A consumer that fails on a Friday evening has lost its data by Sunday.",
    severity=Severity.INFO,
    bad=lambda one: f"kept for {one.hours} hours",
    good="kept for 168 hours or more",
    fix=repair(
        "Let stream @{name} keep data for a week",
        "Raise how long it keeps data; this costs by the hour and shard.",
        "aws kinesis describe-stream-summary --region @{region} --stream-name @{name} --query "
        "StreamDescriptionSummary.RetentionPeriodHours   # 168",
        "aws kinesis increase-stream-retention-period --region @{region} --stream-name @{name} "
        "--retention-period-hours 168",
        "aws kinesis decrease-stream-retention-period --region @{region} --stream-name @{name} "
        '--retention-period-hours "$FORMER_HOURS"',
        terraform="# In the aws_kinesis_stream with name @{name}:\nretention_period = 168\n",
    ),
    refs=(f"{_GUIDE}/kinesis-extended-retention.html",),
)

delivery_encryption = setting(
    "cloud.kinesis.delivery-encryption",
    Deliveries,
    # What takes its data from a stream leaves it there, under that stream's own encryption.
    lambda one: one.encrypted if one.source == "DirectPut" else None,
    title="Delivery streams are encrypted",
    why="What waits for its delivery lies on disks in the clear, for days when the receiver is down.",
    severity=Severity.MEDIUM,
    bad="not encrypted",
    good="encrypted",
    fix=repair(
        "Encrypt delivery stream @{name}",
        "Turn it on; with a key of your own the service needs the right to use it.",
        "aws firehose describe-delivery-stream --region @{region} --delivery-stream-name @{name} --query "
        "DeliveryStreamDescription.DeliveryStreamEncryptionConfiguration.Status   # ENABLED",
        "aws firehose start-delivery-stream-encryption --region @{region} --delivery-stream-name @{name} "
        "--delivery-stream-encryption-configuration-input KeyType=AWS_OWNED_CMK",
        "aws firehose stop-delivery-stream-encryption --region @{region} --delivery-stream-name @{name}",
        terraform="# In the aws_kinesis_firehose_delivery_stream with name @{name}:\n"
        'server_side_encryption {\n  enabled  = true\n  key_type = "AWS_OWNED_CMK"\n}\n',
    ),
    refs=("https://docs.aws.amazon.com/firehose/latest/dev/encryption.html",),
)
