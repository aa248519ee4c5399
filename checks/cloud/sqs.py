"""Message queues: who reads and writes them, and what a copy of the disk gives."""

from __future__ import annotations

from checks.cloud.resource_policies import deputy, family
from checks.cloud.setting import repair, setting
from checks.facts.cloud.sqs import Queues
from checks.model import Severity

POLICIES = family("sqs")
confused_deputy = deputy("sqs")

encryption = setting(
    "cloud.sqs.encryption",
    Queues,
    lambda queue: queue.encrypted,
    title="Queues are encrypted",
    why="Messages lie on AWS's disks until they are fetched; encryption keeps them from whoever gets at "
    "those.",
    severity=Severity.LOW,
    bad="not encrypted",
    good="encrypted",
    fix=repair(
        "Encrypt queues",
        "Turn on the encryption with SQS's own key; it costs nothing and no sender or reader notices it.",
        "aws sqs get-queue-attributes --region @{region} --queue-url $(aws sqs get-queue-url --region "
        "@{region} --queue-name @{name} --output text) --attribute-names SqsManagedSseEnabled   # true",
        "url=$(aws sqs get-queue-url --region @{region} --queue-name @{name} --output text) &&\n"
        'aws sqs set-queue-attributes --region @{region} --queue-url "$url" '
        "--attributes SqsManagedSseEnabled=true",
        "url=$(aws sqs get-queue-url --region @{region} --queue-name @{name} --output text) &&\n"
        'aws sqs set-queue-attributes --region @{region} --queue-url "$url" '
        "--attributes SqsManagedSseEnabled=false",
        terraform="# In the aws_sqs_queue with name @{name}:\nsqs_managed_sse_enabled = true\n",
    ),
    refs=(
        "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-server-side-encryption.html",
    ),
)
