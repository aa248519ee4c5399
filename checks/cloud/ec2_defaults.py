"""Defaults of a region: what holds for everything that is made from now on."""

from __future__ import annotations

from checks.cloud.setting import repair, setting
from checks.facts.cloud.ec2_defaults import ImageBlocks, MetadataDefaults, SerialConsoles, SnapshotBlocks
from checks.model import Severity

metadata_tokens = setting(
    "cloud.ec2-defaults.metadata-tokens",
    MetadataDefaults,
    lambda one: one.tokens == "required",
    on="region",
    title="New instances answer metadata requests with a token only",
    why="Without a default, each template and script decides anew, and one forgets it.",
    severity=Severity.LOW,
    bad="no default, or without a token",
    good="a token is required",
    fix=repair(
        "Require tokens for metadata of new instances in all regions",
        "Set the default of the region; instances that run keep their setting.",
        "aws ec2 get-instance-metadata-defaults --region @{on} --query AccountLevel.HttpTokens   # required",
        "aws ec2 modify-instance-metadata-defaults --region @{on} --http-tokens required",
        "aws ec2 modify-instance-metadata-defaults --region @{on} --http-tokens no-preference",
        terraform='resource "aws_ec2_instance_metadata_defaults" "tokens" {\n  http_tokens = "required"\n}\n',
        key="ec2:metadata-default @{account}",
    ),
    refs=("https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-IMDS-new-instances.html",),
)
snapshot_block = setting(
    "cloud.ec2-defaults.snapshot-block",
    SnapshotBlocks,
    lambda one: one.state in ("block-all-sharing", "block-new-sharing"),
    on="region",
    title="Snapshots cannot be made public",
    why="One wrong call publishes a whole disk; with the block of the region it cannot.",
    severity=Severity.MEDIUM,
    bad="snapshots can be made public",
    good="blocked",
    fix=repair(
        "Block public snapshots in all regions",
        "Turn the block on; with block-all-sharing those that are public now are closed too.",
        "aws ec2 get-snapshot-block-public-access-state --region @{on}   # block-all-sharing",
        "aws ec2 enable-snapshot-block-public-access --region @{on} --state block-all-sharing",
        "aws ec2 disable-snapshot-block-public-access --region @{on}",
        terraform='resource "aws_ebs_snapshot_block_public_access" "block" {\n  state = '
        '"block-all-sharing"\n}\n',
        key="ec2:snapshot-block @{account}",
    ),
    refs=("https://docs.aws.amazon.com/ebs/latest/userguide/block-public-access-snapshots.html",),
)
image_block = setting(
    "cloud.ec2-defaults.image-block",
    ImageBlocks,
    lambda one: one.state == "block-new-sharing",
    on="region",
    title="Machine images cannot be made public",
    why="One wrong call publishes an image with everything that is baked into it.",
    severity=Severity.MEDIUM,
    bad="images can be made public",
    good="blocked",
    fix=repair(
        "Block public images in all regions",
        "Turn the block on; images that are public already stay so until they are closed.",
        "aws ec2 get-image-block-public-access-state --region @{on}   # block-new-sharing",
        "aws ec2 enable-image-block-public-access --region @{on} --image-block-public-access-state "
        "block-new-sharing",
        "aws ec2 disable-image-block-public-access --region @{on}",
        terraform='resource "aws_ec2_image_block_public_access" "block" {\n  state = '
        '"block-new-sharing"\n}\n',
        key="ec2:image-block @{account}",
    ),
    refs=("https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/block-public-access-to-amis.html",),
)
serial_console = setting(
    "cloud.ec2-defaults.serial-console",
    SerialConsoles,
    lambda one: not one.enabled,
    on="region",
    title="Nobody reaches instances over the serial console",
    why="The serial console goes past every security group, and leaves no trace in the network.",
    severity=Severity.LOW,
    bad="open to whoever has the right",
    good="closed",
    fix=repair(
        "Close the serial console in all regions",
        "Turn it off, and on again for the hour in which it is needed.",
        "aws ec2 get-serial-console-access-status --region @{on}   # false",
        "aws ec2 disable-serial-console-access --region @{on}",
        "aws ec2 enable-serial-console-access --region @{on}",
        terraform='resource "aws_ec2_serial_console_access" "off" {\n  enabled = false\n}\n',
        key="ec2:serial-console @{account}",
    ),
    refs=("https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configure-access-to-serial-console.html",),
)
