"""Encryption keys and their rotation."""

from __future__ import annotations

from checks import Effort, Fix, Impact, Language, Severity, Snippet, Surface, Verdicts, check, expect
from checks.cloud.resource_policies import family
from checks.cloud.setting import repair, setting
from checks.facts.cloud.kms import KmsKeyRotation, KmsKeys


@check(
    "cloud.kms.rotation",
    title="Keys of the account rotate by themselves",
    severity=Severity.LOW,
    surface=Surface.CONTROL_PLANE,
    fix=Fix(
        action="Let KMS keys rotate by themselves",
        do="Turn on automatic rotation. Old key material stays for decryption, so nothing has to be "
        "encrypted again.",
        verify="aws kms get-key-rotation-status --region @{region} --key-id @{on}   # KeyRotationEnabled "
        "true",
        effort=Effort(setup=0.25, each=0.05),
        undo="aws kms disable-key-rotation",
        snippets=(
            Snippet(
                Language.AWS_CLI,
                "aws kms enable-key-rotation --region @{region} --key-id @{on}",
                "aws kms disable-key-rotation --region @{region} --key-id @{on}",
            ),
            Snippet(Language.TERRAFORM, "# In the aws_kms_key of @{on}:\nenable_key_rotation = true\n"),
        ),
    ),
    refs=("https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html",),
)
def rotation(keys: KmsKeys, rotations: KmsKeyRotation) -> Verdicts:
    """The less is encrypted under one key, the less is lost with it."""
    turning = {one.arn: one.on for one in rotations.rotations}
    for key in keys.keys:
        if key.can_rotate and key.arn in turning:
            yield expect(
                turning[key.arn],
                on=key.arn,
                where=key.region,
                saw="rotates" if turning[key.arn] else "does not rotate",
                want="rotates",
            )


POLICIES = family("kms")

pending_deletion = setting(
    "cloud.kms.pending-deletion",
    KmsKeys,
    lambda key: (
        None if key.manager != "CUSTOMER" else key.state not in ("PendingDeletion", "PendingReplicaDeletion")
    ),
    title="No key is about to be deleted",
    why="With its key, everything that is encrypted under it is gone for ever; intruders delete keys for "
    "ransom.",
    severity=Severity.HIGH,
    impact=Impact.TOTAL,
    bad="waits for its deletion",
    good="not marked for deletion",
    fix=repair(
        "Keep key @{id}, or be sure that nothing needs it",
        "Ask who scheduled the deletion (CloudTrail: ScheduleKeyDeletion). Unless nothing is encrypted "
        "under the key, "
        "cancel it; disable the key instead for some weeks to see who complains.",
        "aws kms describe-key --region @{region} --key-id @{on} --query KeyMetadata.KeyState   # not "
        "PendingDeletion",
        "aws kms cancel-key-deletion --region @{region} --key-id @{on}",
        "aws kms schedule-key-deletion --region @{region} --key-id @{on} --pending-window-in-days 30",
        key="kms:deletion @{on}",
    ),
    refs=("https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html",),
)
