"""Data warehouses: who reaches them, who listens on the way, and what is left behind."""

from __future__ import annotations

from collections.abc import Callable

from checks.check import Check, check, make_check
from checks.cloud.doors import Store, walls
from checks.cloud.setting import repair, setting
from checks.facts.cloud.ec2 import PrefixLists, SecurityGroups
from checks.facts.cloud.redshift import (
    WarehouseLogs,
    WarehouseParameterGroups,
    WarehouseParameters,
    Warehouses,
    WarehouseSubnetGroups,
)
from checks.facts.cloud.routes import AclWaysOut, RouteTables
from checks.facts.cloud.vpc import NetworkAcls
from checks.fix import Disruption
from checks.model import Exploit, Impact, Severity, Surface
from checks.verdict import Verdicts, expect

_MODIFY = "aws redshift modify-cluster --region @{region} --cluster-identifier @{id}"
_SHOW = "aws redshift describe-clusters --region @{region} --cluster-identifier @{id} --query"
_GUIDE = "https://docs.aws.amazon.com/redshift/latest/mgmt"


@check(
    "cloud.redshift.public",
    title="The internet reaches no warehouse",
    severity=Severity.CRITICAL,
    impact=Impact.SERIOUS,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.DATA,
    fix=repair(
        "Take warehouse @{id} off the internet",
        "Let people in over a VPN and tools over the network's own addresses, then switch public access off.",
        f"{_SHOW} 'Clusters[].PubliclyAccessible'   # false",
        f"{_MODIFY} --no-publicly-accessible",
        f"{_MODIFY} --publicly-accessible",
        hours=(1.0, 0.5),
        disruption=Disruption.RESTART,
        key="redshift:public @{on}",
        terraform="# In the aws_redshift_cluster with cluster_identifier @{id}:\n"
        "publicly_accessible = false\n",
    ),
    refs=(f"{_GUIDE}/rs-security-group-public-private.html",),
)
def public(  # noqa: PLR0917 - one fact per wall
    found: Warehouses,
    subnets: WarehouseSubnetGroups,
    groups: SecurityGroups,
    lists: PrefixLists,
    routes: RouteTables,
    acls: NetworkAcls,
    out: AclWaysOut,
) -> Verdicts:
    """A warehouse holds everything at once; on the internet its one password is all that guards it."""
    ready = walls(groups, lists, routes, acls, out)
    places = {(one.region, one.name): one for one in subnets.groups}
    for one in found.clusters:
        place = places.get((one.region, one.subnet_group))
        store = Store(
            on=one.arn,
            id=one.id,
            region=one.region,
            what="a warehouse",
            public=one.public,
            vpc=place.vpc if place else "",
            subnets=place.subnets if place else (),
            groups=one.groups,
            ports=(one.port,) if one.port else (),
        )
        verdict = ready.judge(store, {"id": one.id}, limited=Severity.MEDIUM)
        if verdict is not None:
            yield verdict


SETTINGS = (
    setting(
        "cloud.redshift.encryption",
        Warehouses,
        lambda one: one.encrypted,
        title="Warehouses are encrypted",
        why="A snapshot of a plain warehouse can be restored by whoever it is shared with.",
        severity=Severity.MEDIUM,
        bad="not encrypted",
        good="encrypted",
        fix=repair(
            "Encrypt warehouse @{id}",
            "Turn it on; the data moves to a new cluster behind the scenes, read-only for some time.",
            f"{_SHOW} 'Clusters[].Encrypted'   # true",
            f"{_MODIFY} --encrypted",
            f"{_MODIFY} --no-encrypted",
            hours=(0.5, 1.0),
            disruption=Disruption.OUTAGE,
            key="redshift:encrypt @{on}",
            terraform="# In the aws_redshift_cluster with cluster_identifier @{id}:\nencrypted = true\n",
        ),
        refs=(f"{_GUIDE}/working-with-db-encryption.html",),
    ),
    setting(
        "cloud.redshift.upgrades",
        Warehouses,
        lambda one: one.upgrades,
        title="Warehouses take upgrades by themselves",
        why="Upgrades close flaws, and a warehouse that nobody upgrades keeps them.",
        severity=Severity.LOW,
        bad="by hand",
        good="automatic",
        fix=repair(
            "Let warehouses take upgrades by themselves",
            "Turn it on; upgrades happen within the maintenance window.",
            f"{_SHOW} 'Clusters[].AllowVersionUpgrade'   # true",
            f"{_MODIFY} --allow-version-upgrade",
            f"{_MODIFY} --no-allow-version-upgrade",
            terraform="# In the aws_redshift_cluster with cluster_identifier @{id}:\n"
            "allow_version_upgrade = true\n",
        ),
        refs=(f"{_GUIDE}/working-with-clusters.html",),
    ),
    setting(
        "cloud.redshift.vpc-routing",
        Warehouses,
        lambda one: one.routed,
        title="Warehouses load and unload through the network",
        why="Past the VPC, no endpoint policy and no flow log sees what a COPY or UNLOAD carries away.",
        severity=Severity.LOW,
        bad="past the VPC",
        good="through the VPC",
        fix=repair(
            "Route what warehouse @{id} loads through the VPC",
            "Make an S3 gateway endpoint in its route tables first, or loads stop. Then turn it on.",
            f"{_SHOW} 'Clusters[].EnhancedVpcRouting'   # true",
            f"{_MODIFY} --enhanced-vpc-routing",
            f"{_MODIFY} --no-enhanced-vpc-routing",
            hours=(0.5, 0.5),
            disruption=Disruption.RESTART,
            terraform="# In the aws_redshift_cluster with cluster_identifier @{id}:\n"
            "enhanced_vpc_routing = true\n",
        ),
        refs=(f"{_GUIDE}/enhanced-vpc-routing.html",),
    ),
    setting(
        "cloud.redshift.admin-name",
        Warehouses,
        lambda one: one.admin.lower() not in ("awsuser", "admin", "root", "redshift"),
        title="The first user of a warehouse has no usual name",
        why="Programs that guess passwords try the usual names first.",
        severity=Severity.INFO,
        bad=lambda one: f"named {one.admin}",
        good="a name of its own",
        fix=repair(
            "Work with users of their own in warehouses",
            "The name cannot be changed: make users for people and tools with what they need, and lock the "
            "first one away with a long password.",
            f"{_SHOW} 'Clusters[].MasterUsername'",
            back="Use the first user again.",
            hours=(0.5, 0.5),
        ),
        refs=("https://docs.aws.amazon.com/redshift/latest/dg/r_Users.html",),
    ),
    setting(
        "cloud.redshift.backups",
        Warehouses,
        lambda one: one.backup_days >= 7,
        title="Warehouses are backed up for at least a week",
        why="A mistake is often found days later; what is older than the oldest backup is gone.",
        severity=Severity.LOW,
        bad=lambda one: f"kept for {one.backup_days} days" if one.backup_days else "no automatic backup",
        good="kept for at least 7 days",
        fix=repair(
            "Keep backups of warehouses for a week or more",
            "Set how long automatic snapshots are kept.",
            f"{_SHOW} 'Clusters[].AutomatedSnapshotRetentionPeriod'   # 14",
            f"{_MODIFY} --automated-snapshot-retention-period 14",
            f'{_MODIFY} --automated-snapshot-retention-period "$FORMER_DAYS"',
            terraform="# In the aws_redshift_cluster with cluster_identifier @{id}:\n"
            "automated_snapshot_retention_period = 14\n",
        ),
        refs=(f"{_GUIDE}/working-with-snapshots.html",),
    ),
    setting(
        "cloud.redshift.audit-log",
        WarehouseLogs,
        lambda one: one.on,
        title="Warehouses record who connects",
        why="After an incident nobody can say who was in there, from where, and since when.",
        severity=Severity.MEDIUM,
        bad="no audit log",
        good="audit log",
        fix=repair(
            "Record who connects to warehouse @{id}",
            "Send the log to CloudWatch. What people ask is in it only when enable_user_activity_logging is "
            "on in the parameter group.",
            "aws redshift describe-logging-status --region @{region} --cluster-identifier @{id}   # "
            "LoggingEnabled true",
            "aws redshift enable-logging --region @{region} --cluster-identifier @{id} "
            "--log-destination-type cloudwatch --log-exports connectionlog userlog useractivitylog",
            "aws redshift disable-logging --region @{region} --cluster-identifier @{id}",
            terraform='resource "aws_redshift_logging" "connections" {\n  cluster_identifier   = @{id}\n'
            '  log_destination_type = "cloudwatch"\n'
            '  log_exports          = ["connectionlog", "userlog", "useractivitylog"]\n}\n',
        ),
        refs=(f"{_GUIDE}/db-auditing.html",),
    ),
)


def _parameter(  # noqa: PLR0917 - the columns of the table below
    name: str, held: Callable[[WarehouseParameters], bool], parameter: str, title: str, why: str, action: str
) -> Check[[Warehouses, WarehouseParameterGroups]]:
    def judge(found: Warehouses, parameters: WarehouseParameterGroups) -> Verdicts:
        by_name = {(one.region, one.name): held(one) for one in parameters.groups}
        for one in found.clusters:
            on = by_name.get((one.region, one.parameters))
            if on is not None:
                yield expect(
                    on,
                    on=one.arn,
                    where=one.region,
                    saw=f"{parameter} is {'true' if on else 'false'} in {one.parameters}",
                    want=f"{parameter} is true",
                    values={"id": one.id, "group": one.parameters},
                )

    change = "aws redshift modify-cluster-parameter-group --region @{region} --parameter-group-name @{group}"
    return make_check(
        judge,
        f"cloud.redshift.{name}",
        title=title,
        severity=Severity.MEDIUM if name == "tls-only" else Severity.LOW,
        surface=Surface.CONTROL_PLANE,
        why=why,
        fix=repair(
            f"{action} at the warehouses of parameter group @{{group}}",
            f"Set {parameter} in the parameter group and restart the warehouses; a group that begins with "
            "default. cannot be changed, so make one of your own and give it to @{id}.",
            "aws redshift describe-cluster-parameters --region @{region} --parameter-group-name @{group} "
            f"--query 'Parameters[?ParameterName==`{parameter}`].ParameterValue'   # true",
            f"{change} --parameters ParameterName={parameter},ParameterValue=true",
            f"{change} --parameters ParameterName={parameter},ParameterValue=false",
            terraform="# In the aws_redshift_parameter_group with name @{group}:\n"
            f'parameter {{\n  name  = "{parameter}"\n  value = "true"\n}}\n',
            hours=(0.5, 0.5),
            disruption=Disruption.RESTART,
            key=f"redshift:{name} @{{region}} @{{group}}",
        ),
        refs=(f"{_GUIDE}/{'connecting-ssl-support' if name == 'tls-only' else 'db-auditing'}.html",),
    )


PARAMETERS = (
    _parameter(
        "tls-only",
        lambda one: one.tls,
        "require_ssl",
        "Warehouses answer over TLS only",
        "Clients that may choose fall back to the clear, and whoever is on the way reads every row.",
        "Require TLS",
    ),
    _parameter(
        "query-log",
        lambda one: one.activity,
        "enable_user_activity_logging",
        "Warehouses record what is asked of them",
        "The connection log says who came in; only the queries say what was taken.",
        "Record the queries",
    ),
)
