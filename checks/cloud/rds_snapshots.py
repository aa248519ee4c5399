"""Snapshots of database clusters: with whom they are shared, and what a copy gives away."""

from __future__ import annotations

from checks.check import check
from checks.cloud.setting import repair, setting
from checks.facts.cloud.organization import KnownAccounts
from checks.facts.cloud.rds_snapshots import ClusterSnapshots
from checks.model import Confidence, Exploit, Exposure, Impact, Severity, Surface, Weakness
from checks.verdict import Verdicts, expect

_SHARE = (
    "aws rds modify-db-cluster-snapshot-attribute --region @{region} --db-cluster-snapshot-identifier @{id} "
    "--attribute-name restore"
)


@check(
    "cloud.rds-snapshots.cluster-sharing",
    title="Snapshots of clusters are shared with nobody unknown",
    severity=Severity.CRITICAL,
    impact=Impact.SERIOUS,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    surface=Surface.DATA,
    weakness=Weakness.WORLD_READABLE_STORE,
    fix=repair(
        "Stop sharing cluster snapshot @{id}",
        "Take them off the list, once for each name that the evidence gives. Whoever had access may have "
        "restored or copied it: treat what is in it as read.",
        "aws rds describe-db-cluster-snapshot-attributes --region @{region} "
        "--db-cluster-snapshot-identifier @{id}   # no values",
        f"{_SHARE} --values-to-remove @{{shared}}",
        f"{_SHARE} --values-to-add @{{shared}}",
        key="rds:snapshot @{on}",
        terraform="# In the aws_db_cluster_snapshot @{id}, without @{shared}:\n"
        "shared_accounts = var.known_accounts\n",
    ),
    refs=("https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-share-snapshot.html",),
)
def cluster_sharing(
    found: ClusterSnapshots, known: KnownAccounts, *, trusted: frozenset[str] = frozenset()
) -> Verdicts:
    """Whoever a snapshot is shared with restores the whole database in an account of their own."""
    friends = trusted | {*known.accounts}
    for one in found.snapshots:
        strangers = [name for name in one.shared if name not in friends]
        everybody = "all" in strangers
        whom = "everybody" if everybody else f"account {', '.join(strangers)}"
        more = "" if known.whole or everybody else "; which accounts are the organization's could not be read"
        yield expect(
            not strangers,
            on=one.arn,
            where=one.region,
            saw=f"{whom}{more}" if strangers else "nobody unknown",
            want="nobody unknown",
            severity=None if everybody or not strangers else Severity.HIGH,
            confidence=Confidence.LIKELY
            if strangers and not everybody and not known.whole
            else Confidence.CONFIRMED,
            exposure=(Exposure.INTERNET_OPEN if everybody else Exposure.INTERNET_LIMITED)
            if strangers
            else None,
            exposure_evidence=f"{one.id} is shared with {whom}" if strangers else "",
            values={"id": one.id, "shared": "all" if everybody else strangers[0] if strangers else ""},
        )


cluster_encryption = setting(
    "cloud.rds-snapshots.cluster-encryption",
    ClusterSnapshots,
    lambda one: one.encrypted,
    title="Snapshots of clusters are encrypted",
    why="A plain snapshot can be made public in one call, and restored by everybody.",
    severity=Severity.LOW,
    bad="not encrypted",
    good="encrypted",
    fix=repair(
        "Replace plain cluster snapshot @{id} by an encrypted copy",
        "A plain snapshot of Aurora cannot be copied under a key: restore it as an encrypted cluster, take "
        "a snapshot of that, and delete the plain one.",
        "aws rds describe-db-cluster-snapshots --region @{region} --db-cluster-snapshot-identifier @{id} "
        "--query 'DBClusterSnapshots[].StorageEncrypted'   # true",
        "ENGINE=$(aws rds describe-db-cluster-snapshots --region @{region} "
        "--db-cluster-snapshot-identifier @{id} --query 'DBClusterSnapshots[0].Engine' --output text) &&\n"
        "aws rds restore-db-cluster-from-snapshot --region @{region} --snapshot-identifier @{id} "
        '--db-cluster-identifier "$ENCRYPTED" --engine "$ENGINE" --kms-key-id alias/aws/rds',
        'aws rds delete-db-cluster --region @{region} --db-cluster-identifier "$ENCRYPTED" '
        "--skip-final-snapshot",
        hours=(0.5, 1.0),
        back="Delete the restored cluster; the plain snapshot stays until you delete it.",
        key="rds:snapshot-encryption @{on}",
        terraform='resource "aws_rds_cluster" "encrypted" {\n  cluster_identifier  = var.encrypted_id\n'
        "  engine              = var.engine\n  snapshot_identifier = @{id}\n  storage_encrypted   = true\n"
        "  kms_key_id          = var.key_arn\n}\n",
    ),
    refs=("https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Overview.Encryption.html",),
)
