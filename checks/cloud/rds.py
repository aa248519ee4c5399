"""Managed databases: who reaches them, and what is lost with a copy."""

from __future__ import annotations

from datetime import date, datetime

from checks import (
    Disruption,
    Effort,
    Exploit,
    Fix,
    Impact,
    Language,
    Severity,
    Snippet,
    Surface,
    Verdicts,
    check,
    expect,
    not_applicable,
    unknown,
)
from checks.cloud.doors import Store, walls
from checks.cloud.rds_tls import tls_only
from checks.cloud.setting import repair
from checks.facts.cloud.ec2 import PrefixLists, SecurityGroups
from checks.facts.cloud.rds import RdsInstances, RdsTlsRules
from checks.facts.cloud.rds_settings import RdsSettings
from checks.facts.cloud.routes import AclWaysOut, RouteTables
from checks.facts.cloud.vpc import NetworkAcls

_MODIFY = "aws rds modify-db-instance --region @{region} --db-instance-identifier @{name}"
_SHOW = "aws rds describe-db-instances --region @{region} --db-instance-identifier @{name} --query"


@check(
    "cloud.rds.public",
    title="Databases have no public address",
    severity=Severity.MEDIUM,
    surface=Surface.CONTROL_PLANE,
    fix=Fix(
        action="Take database @{name} off the internet",
        do="Let applications reach it over the network's own addresses, then switch public access off.",
        verify="aws rds describe-db-instances --region @{region} --db-instance-identifier @{name} "
        "--query 'DBInstances[].PubliclyAccessible'   # false",
        effort=Effort(setup=1.0, each=0.5),
        disruption=Disruption.RESTART,
        undo="The same call with --publicly-accessible.",
        key="rds:public @{on}",
        snippets=(
            Snippet(
                Language.AWS_CLI,
                "aws rds modify-db-instance --region @{region} --db-instance-identifier @{name} "
                "--no-publicly-accessible --apply-immediately",
                "aws rds modify-db-instance --region @{region} --db-instance-identifier @{name} "
                "--publicly-accessible --apply-immediately",
            ),
            Snippet(
                Language.TERRAFORM,
                "# In the aws_db_instance with identifier @{name}:\npublicly_accessible = false\n",
            ),
        ),
    ),
)
def public(found: RdsInstances) -> Verdicts:
    """A database with a public address is one opened group or route away from being guessed into."""
    for one in found.instances:
        yield expect(
            not one.public,
            on=one.arn,
            where=one.region,
            saw=f"{one.engine} with a public address" if one.public else "no public address",
            want="no public address",
            values={"name": one.id},
        )


@check(
    "cloud.rds.encryption",
    title="Databases are encrypted",
    severity=Severity.MEDIUM,
    impact=Impact.PARTIAL,
    surface=Surface.CONTROL_PLANE,
    fix=Fix(
        action="Replace database @{name} by an encrypted one",
        do="Storage cannot be encrypted in place: take a snapshot, copy it with a key, restore the copy "
        "under a new "
        "name, move the applications, and keep the old database, stopped, for a week.",
        verify="aws rds describe-db-instances --region @{region} --db-instance-identifier @{name} "
        "--query 'DBInstances[].StorageEncrypted'   # true",
        effort=Effort(setup=1.0, each=4.0),
        disruption=Disruption.OUTAGE,
        undo="Point the applications at the old database again.",
        key="rds:encrypt @{on}",
        snippets=(
            Snippet(
                Language.AWS_CLI,
                "aws rds create-db-snapshot --region @{region} --db-instance-identifier @{name} "
                "--db-snapshot-identifier before-encryption &&\n"
                "aws rds wait db-snapshot-available --region @{region} --db-snapshot-identifier "
                "before-encryption "
                "&&\n"
                "aws rds copy-db-snapshot --region @{region} --source-db-snapshot-identifier "
                "before-encryption "
                "--target-db-snapshot-identifier encrypted --kms-key-id alias/aws/rds",
                "aws rds delete-db-snapshot --region @{region} --db-snapshot-identifier encrypted",
            ),
            Snippet(
                Language.TERRAFORM,
                'resource "aws_db_snapshot" "before" {\n  db_instance_identifier = @{name}\n'
                '  db_snapshot_identifier = "before-encryption"\n}\n\n'
                'resource "aws_db_snapshot_copy" "encrypted" {\n'
                "  source_db_snapshot_identifier = aws_db_snapshot.before.db_snapshot_arn\n"
                '  target_db_snapshot_identifier = "encrypted"\n'
                "  kms_key_id                    = var.key_arn\n}\n",
            ),
        ),
    ),
)
def encryption(found: RdsInstances) -> Verdicts:
    """A snapshot of a plain database can be shared and restored by whoever may copy it."""
    for one in found.instances:
        if one.cluster:
            yield not_applicable(
                one.arn, f"it stores nothing itself; its cluster {one.cluster} is judged", where=one.region
            )
            continue
        yield expect(
            one.encrypted,
            on=one.arn,
            where=one.region,
            saw="encrypted" if one.encrypted else "not encrypted",
            want="encrypted",
            values={"name": one.id},
        )


@check(
    "cloud.rds.minor-upgrades",
    title="Databases take minor upgrades by themselves",
    severity=Severity.LOW,
    surface=Surface.CONTROL_PLANE,
    fix=Fix(
        action="Let databases take minor upgrades by themselves",
        do="Turn on automatic minor upgrades; they happen within the maintenance window.",
        verify="aws rds describe-db-instances --region @{region} --db-instance-identifier @{name} "
        "--query 'DBInstances[].AutoMinorVersionUpgrade'   # true",
        effort=Effort(setup=0.25, each=0.1),
        undo="The same call with --no-auto-minor-version-upgrade.",
        snippets=(
            Snippet(
                Language.AWS_CLI,
                "aws rds modify-db-instance --region @{region} --db-instance-identifier @{name} "
                "--auto-minor-version-upgrade",
                "aws rds modify-db-instance --region @{region} --db-instance-identifier @{name} "
                "--no-auto-minor-version-upgrade",
            ),
            Snippet(
                Language.TERRAFORM,
                "# In the aws_db_instance with identifier @{name}:\nauto_minor_version_upgrade = true\n",
            ),
        ),
    ),
)
def minor_upgrades(found: RdsInstances) -> Verdicts:
    """Minor upgrades are security fixes, and nobody has time to do them by hand."""
    for one in found.instances:
        yield expect(
            one.minor_upgrades,
            on=one.arn,
            where=one.region,
            saw="automatic" if one.minor_upgrades else "by hand",
            want="automatic",
            values={"name": one.id},
        )


TLS_ONLY = (tls_only("cloud.rds.tls-only", RdsTlsRules, "Databases", cluster=False),)


@check(
    "cloud.rds.reachable",
    title="The internet reaches no database",
    severity=Severity.CRITICAL,
    impact=Impact.SERIOUS,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.DATA,
    fix=repair(
        "Take database @{name} off the internet",
        "Let applications reach it over the network's own addresses, then switch public access off. The "
        "evidence names each wall: closing the security group first is enough for tonight.",
        f"{_SHOW} 'DBInstances[].PubliclyAccessible'   # false",
        f"{_MODIFY} --no-publicly-accessible --apply-immediately",
        f"{_MODIFY} --publicly-accessible --apply-immediately",
        terraform="# In the aws_db_instance with identifier @{name}:\npublicly_accessible = false\n",
        hours=(1.0, 0.5),
        disruption=Disruption.RESTART,
        key="rds:public @{on}",
    ),
    refs=(
        "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_VPC.WorkingWithRDSInstanceinaVPC.html",
    ),
)
def reachable(  # noqa: PLR0917 - one fact per wall
    found: RdsInstances,
    groups: SecurityGroups,
    lists: PrefixLists,
    routes: RouteTables,
    acls: NetworkAcls,
    out: AclWaysOut,
) -> Verdicts:
    """A database that the internet reaches is guessed into day and night, by machines that find it."""
    ready = walls(groups, lists, routes, acls, out)
    for one in found.instances:
        ports = (one.port,) if one.port else ()
        store = Store(
            one.arn, one.id, one.region, one.engine, one.public, one.vpc, one.subnets, one.groups, ports
        )
        verdict = ready.judge(store, {"name": one.id})
        if verdict is not None:
            yield verdict


_AUTHORITIES = {
    "rds-ca-2010": "2015-04-05",
    "rds-ca-2015": "2020-03-05",
    "rds-ca-2019": "2024-08-22",
    "rds-ca-rsa2048-g1": "2061-05-25",
    "rds-ca-rsa4096-g1": "2121-05-25",
    "rds-ca-ecc384-g1": "2121-05-25",
}
"""The last day of each certificate authority of RDS; those of a few regions end some weeks apart."""


@check(
    "cloud.rds.authority",
    title="Certificates of databases come from an authority that is valid",
    severity=Severity.MEDIUM,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Give database @{id} a certificate of a current authority",
        "Put the current bundle of RDS authorities into every client first: those that check the certificate "
        "stop otherwise. Then change the authority of the database.",
        "aws rds describe-db-instances --region @{region} --db-instance-identifier @{id} --query "
        "'DBInstances[].CACertificateIdentifier'   # rds-ca-rsa2048-g1 or younger",
        "aws rds modify-db-instance --region @{region} --db-instance-identifier @{id} "
        "--ca-certificate-identifier rds-ca-rsa2048-g1 --apply-immediately",
        "aws rds modify-db-instance --region @{region} --db-instance-identifier @{id} "
        "--ca-certificate-identifier @{authority} --apply-immediately",
        hours=(0.5, 0.5),
        disruption=Disruption.RESTART,
        terraform="# In the aws_db_instance (or aws_rds_cluster_instance) with identifier @{id}:\n"
        'ca_cert_identifier = "rds-ca-rsa2048-g1"\n',
    ),
    refs=(
        "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL-certificate-rotation.html",
    ),
)
def authority(found: RdsSettings, *, now: datetime, days: int = 90) -> Verdicts:
    """Clients that check the certificate stop the day it ends; those that go on have stopped checking."""
    for one in found.instances:
        end = _AUTHORITIES.get(one.authority)
        if end is None:
            reason = f"its authority {one.authority or 'is not told and'} is not one that is known here"
            yield unknown(one.arn, reason, where=one.region)
            continue
        yield expect(
            (date.fromisoformat(end) - now.date()).days >= days,
            on=one.arn,
            where=one.region,
            saw=f"{one.authority}, valid until {end}",
            want=f"valid for {days} days or more",
            values={"id": one.id, "authority": one.authority},
        )
