"""Managed databases: who reaches them, and what is lost with a copy."""

from __future__ import annotations

from checks import (
    Disruption,
    Effort,
    Exploit,
    Exposure,
    Fix,
    Impact,
    Language,
    Severity,
    Snippet,
    Surface,
    Verdicts,
    check,
    expect,
)
from checks.cloud.addresses import Open, opened
from checks.facts.cloud.ec2 import SecurityGroups
from checks.facts.cloud.rds import RdsInstance, RdsInstances


@check(
    "cloud.rds.public",
    title="Databases have no public address",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.DATA,
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
def public(found: RdsInstances, groups: SecurityGroups) -> Verdicts:
    """A database with a public address is one open group away from being guessed into."""
    for one in found.instances:
        if not one.public:
            yield expect(
                True, on=one.arn, where=one.region, saw="no public address", want="no public address"
            )
            continue
        exposure, evidence = _reached(one, groups)
        yield expect(
            False,
            on=one.arn,
            where=one.region,
            saw=f"{one.engine} with a public address; {evidence}",
            want="no public address",
            severity=Severity.CRITICAL if exposure is Exposure.INTERNET_OPEN else None,
            exposure=exposure,
            exposure_evidence=f"{one.id} has a public address; {evidence}",
            values={"name": one.id},
        )


def _reached(one: RdsInstance, groups: SecurityGroups) -> tuple[Exposure, str]:
    """Who gets through the groups to the port of the database."""
    if one.region not in groups.regions:
        return Exposure.UNKNOWN, "its security groups could not be read"
    ingress = [rule for group in groups.groups if group.id in one.groups for rule in group.ingress]
    to_it = [
        rule
        for rule in ingress
        if rule.protocol in ("tcp", "-1") and (not one.port or rule.low <= one.port <= rule.high)
    ]
    cidrs = [cidr for rule in to_it for cidr in rule.cidrs]
    way = opened(cidrs) if cidrs else Open()
    if way:
        return Exposure.INTERNET_OPEN, f"its security groups let tcp/{one.port} in from {way.words}"
    lists = sorted({name for rule in to_it for name in rule.prefix_lists})
    if lists:
        return Exposure.UNKNOWN, f"its security groups name {', '.join(lists)}, which were not looked into"
    return Exposure.INTERNET_LIMITED, "its security groups do not let the whole internet in"


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
        ),
    ),
)
def encryption(found: RdsInstances) -> Verdicts:
    """A snapshot of a plain database can be shared and restored by whoever may copy it."""
    for one in found.instances:
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
