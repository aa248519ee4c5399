"""How other tools name and find what is planted among buckets, disks, file systems and backups."""

from __future__ import annotations

from tests.lab.planted_account import Lab, Peers, name_peers

_OPEN_BUCKET = ("s3_bucket_public_access", "s3_bucket_public_list_acl")
_SCOUT_OPEN = (
    "s3-bucket-AllUsers-read",
    "s3-bucket-AuthenticatedUsers-read",
    "s3-bucket-world-Get-policy",
    "s3-bucket-world-List-policy",
    "s3-bucket-world-policy-star",
)
PEERS: Peers = {
    "cloud.backup.volumes": (
        ("ec2_ebs_volume_protected_by_backup_plan", "ec2_ebs_volume_snapshots_exists"),
        (),
    ),
    "cloud.ebs.default-encryption": (
        ("ec2_ebs_default_encryption",),
        ("ec2-ebs-default-encryption-disabled",),
    ),
    "cloud.ebs.public-snapshots": (("ec2_ebs_public_snapshot",), ("ec2-ebs-snapshot-public",)),
    "cloud.ebs.volume-encryption": (("ec2_ebs_volume_encryption",), ("ec2-ebs-volume-not-encrypted",)),
    "cloud.ec2-snapshots.encryption": (("ec2_ebs_snapshots_encrypted",), ("ec2-ebs-snapshot-not-encrypted",)),
    "cloud.ec2.public-images": (("ec2_ami_public",), ("ec2-ami-public",)),
    "cloud.efs.backup": (("efs_have_backup_enabled",), ()),
    "cloud.efs.encryption": (("efs_encryption_at_rest_enabled",), ()),
    "cloud.efs.public": (("efs_not_publicly_accessible",), ()),
    "cloud.glacier.public": (("glacier_vaults_policy_public_access",), ()),
    "cloud.s3-access-points.public": (("s3_access_point_public_access_block",), ()),
    "cloud.s3-acls.switched-off": (("s3_bucket_acl_prohibited",), ()),
    "cloud.s3-data.access-logs": (("s3_bucket_server_access_logging_enabled",), ("s3-bucket-no-logging",)),
    "cloud.s3-data.foreign-accounts": (("s3_bucket_cross_account_access",), ()),
    "cloud.s3-data.mfa-delete": (("s3_bucket_no_mfa_delete",), ("s3-bucket-no-mfa-delete",)),
    "cloud.s3-data.public-write": (
        ("s3_bucket_policy_public_write_access", "s3_bucket_public_write_acl", *_OPEN_BUCKET),
        (
            "s3-bucket-AllUsers-write",
            "s3-bucket-AuthenticatedUsers-write",
            "s3-bucket-world-Delete-policy",
            "s3-bucket-world-Put-policy",
            "s3-bucket-world-policy-star",
        ),
    ),
    "cloud.s3-data.trail-bucket-logs": (("cloudtrail_logs_s3_bucket_access_logging_enabled",), ()),
    "cloud.s3-data.trail-bucket-open": (
        ("cloudtrail_logs_s3_bucket_is_not_publicly_accessible", *_OPEN_BUCKET),
        _SCOUT_OPEN,
    ),
    "cloud.s3-data.versioning": (("s3_bucket_object_versioning",), ("s3-bucket-no-versioning",)),
    "cloud.s3.account-block": (("s3_account_level_public_access_blocks",), ()),
    "cloud.s3.bucket-block": (("s3_bucket_level_public_access_block",), ()),
    "cloud.s3.public-access": (_OPEN_BUCKET, _SCOUT_OPEN),
    "cloud.s3.tls-only": (("s3_bucket_secure_transport_policy",), ("s3-bucket-allowing-cleartext",)),
}
"""By check: the checks of Prowler and of ScoutSuite that would count as finding the same."""


def with_peers(lab: Lab, first: int) -> None:
    """Says of everything that was planted from there on how other tools would name and find it."""
    name_peers(lab, first, PEERS)
