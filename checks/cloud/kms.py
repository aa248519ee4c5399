"""Encryption keys and their rotation."""

from __future__ import annotations

from checks import Effort, Fix, Language, Severity, Snippet, Surface, Verdicts, check, expect
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
