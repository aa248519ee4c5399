"""Machines that move databases: who reaches them, and who listens on the way."""

from __future__ import annotations

from checks.check import check
from checks.cloud.doors import Store, walls
from checks.cloud.setting import repair, setting
from checks.facts.cloud.dms import MoverEnds, Movers
from checks.facts.cloud.ec2 import PrefixLists, SecurityGroups
from checks.facts.cloud.routes import AclWaysOut, RouteTables
from checks.facts.cloud.vpc import NetworkAcls
from checks.model import Exploit, Severity, Surface
from checks.verdict import Verdicts

_GUIDE = "https://docs.aws.amazon.com/dms/latest/userguide"
_ELSEWHERE = frozenset(
    {
        "dynamodb",
        "elasticsearch",
        "kinesis",
        "neptune",
        "opensearch",
        "s3",
        "timestream",
        "redshift-serverless",
    }
)
"""Ends that are reached through an API of AWS, which is TLS whatever the endpoint says."""
_PORTS = (22, 80, 443, 1433, 1521, 3306, 3389, 5432)
"""It serves none; a rule that lets the internet in to these lets it in to all, or was meant for others."""


@check(
    "cloud.dms.public",
    title="The internet reaches no replication instance",
    severity=Severity.HIGH,
    exploit=Exploit.HARDENING,
    surface=Surface.DATA,
    fix=repair(
        "Replace replication instance @{id} by one without a public address",
        "The address is chosen when the instance is made: make a new one with --no-publicly-accessible, move "
        "the tasks to it, and delete the old one. Until then take the open rules out of its groups.",
        "aws dms describe-replication-instances --region @{region} --filters "
        "Name=replication-instance-arn,Values=@{on} --query 'ReplicationInstances[].PubliclyAccessible'   "
        "# nothing, or false",
        hours=(1.0, 2.0),
        back="Move the tasks back to the old instance as long as it is there.",
        key="dms:public @{on}",
    ),
    refs=(f"{_GUIDE}/CHAP_Security.html",),
)
def public(  # noqa: PLR0917 - one fact per wall
    found: Movers,
    groups: SecurityGroups,
    lists: PrefixLists,
    routes: RouteTables,
    acls: NetworkAcls,
    out: AclWaysOut,
) -> Verdicts:
    """The machine holds the passwords of both databases, and stands with one leg in each network."""
    ready = walls(groups, lists, routes, acls, out)
    for one in found.instances:
        store = Store(
            on=one.arn,
            id=one.id,
            region=one.region,
            what="a replication instance",
            public=one.public,
            vpc=one.vpc,
            subnets=one.subnets,
            groups=one.groups,
            ports=_PORTS,
        )
        verdict = ready.judge(store, {"id": one.id}, limited=Severity.MEDIUM)
        if verdict is not None:
            yield verdict


tls = setting(
    "cloud.dms.tls",
    MoverEnds,
    lambda one: None if one.engine.lower() in _ELSEWHERE else one.tls != "none",
    title="Databases are moved over TLS",
    why="A migration reads every row once; in the clear, so does whoever is on the way between two networks.",
    severity=Severity.MEDIUM,
    bad="in the clear",
    good="over TLS",
    fix=repair(
        "Move data at @{id} over TLS",
        "Import the certificate authority of the database if its engine needs one, set the mode of the end, "
        "and test the connection before the task starts again.",
        "aws dms describe-endpoints --region @{region} --filters Name=endpoint-arn,Values=@{arn} "
        "--query 'Endpoints[].SslMode'   # require, verify-ca or verify-full",
        "aws dms modify-endpoint --region @{region} --endpoint-arn @{arn} --ssl-mode require",
        "aws dms modify-endpoint --region @{region} --endpoint-arn @{arn} --ssl-mode none",
        hours=(0.5, 0.5),
    ),
    refs=(f"{_GUIDE}/CHAP_Security.SSL.html",),
)

minor_upgrades = setting(
    "cloud.dms.minor-upgrades",
    Movers,
    lambda one: one.minor_upgrades,
    title="Replication instances take minor upgrades by themselves",
    why="Minor upgrades are security fixes, and nobody has time to do them by hand.",
    severity=Severity.LOW,
    bad="by hand",
    good="automatic",
    fix=repair(
        "Let replication instances take minor upgrades by themselves",
        "Turn it on; upgrades happen within the maintenance window.",
        "aws dms describe-replication-instances --region @{region} --filters "
        "Name=replication-instance-arn,Values=@{arn} "
        "--query 'ReplicationInstances[].AutoMinorVersionUpgrade'   # true",
        "aws dms modify-replication-instance --region @{region} --replication-instance-arn @{arn} "
        "--auto-minor-version-upgrade",
        "aws dms modify-replication-instance --region @{region} --replication-instance-arn @{arn} "
        "--no-auto-minor-version-upgrade",
    ),
    refs=(f"{_GUIDE}/CHAP_ReplicationInstance.html",),
)
