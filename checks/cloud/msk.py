"""Kafka clusters: who gets in, over what, and how old they are."""

from __future__ import annotations

from datetime import datetime

from checks.check import check
from checks.cloud import releases
from checks.cloud.doors import Store, walls
from checks.cloud.setting import repair, setting
from checks.facts.cloud.ec2 import PrefixLists, SecurityGroups
from checks.facts.cloud.msk import KafkaCluster, KafkaClusters
from checks.facts.cloud.routes import AclWaysOut, RouteTables, Subnets
from checks.facts.cloud.vpc import NetworkAcls
from checks.fix import Disruption
from checks.model import Exploit, Impact, Severity, Surface
from checks.verdict import Verdicts, expect, not_applicable

_GUIDE = "https://docs.aws.amazon.com/msk/latest/developerguide"
_SHOW = "aws kafka describe-cluster --region @{region} --cluster-arn @{arn} --query"
_VERSION = (
    "CURRENT=$(aws kafka describe-cluster --region @{region} --cluster-arn @{arn} "
    "--query ClusterInfo.CurrentVersion --output text) &&\n"
)
_AT = '--region @{region} --cluster-arn @{arn} --current-version "$CURRENT"'
_SECURITY = f"{_VERSION}aws kafka update-security {_AT}"
_MONITOR = f"{_VERSION}aws kafka update-monitoring {_AT}"
_CONNECT = f"{_VERSION}aws kafka update-connectivity {_AT}"
_BOTH = "--client-authentication 'Sasl={Iam={Enabled=true}},Unauthenticated={Enabled=true}'"
_SIGNED = "--client-authentication 'Sasl={Iam={Enabled=true}},Unauthenticated={Enabled=false}'"
_PORTS = (9194, 9196, 9198)
"""Where brokers answer the internet: with certificates, passwords, and IAM."""


@check(
    "cloud.msk.public",
    title="The internet reaches no Kafka cluster",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    exploit=Exploit.HARDENING,
    surface=Surface.DATA,
    fix=repair(
        "Take Kafka cluster @{name} off the internet",
        "Let clients in over the network's own addresses or private links, then turn public access off.",
        f"{_SHOW} ClusterInfo.BrokerNodeGroupInfo.ConnectivityInfo.PublicAccess   # DISABLED",
        f"{_CONNECT} --connectivity-info 'PublicAccess={{Type=DISABLED}}'",
        f"{_CONNECT} --connectivity-info 'PublicAccess={{Type=SERVICE_PROVIDED_EIPS}}'",
        hours=(1.0, 1.0),
        disruption=Disruption.RESTART,
        key="msk:public @{on}",
        terraform="# In the broker_node_group_info of the aws_msk_cluster with cluster_name @{name}:\n"
        'connectivity_info {\n  public_access {\n    type = "DISABLED"\n  }\n}\n',
    ),
    refs=(f"{_GUIDE}/public-access.html",),
)
def public(  # noqa: PLR0917 - one fact per wall
    found: KafkaClusters,
    groups: SecurityGroups,
    lists: PrefixLists,
    routes: RouteTables,
    acls: NetworkAcls,
    out: AclWaysOut,
    subnets: Subnets,
) -> Verdicts:
    """What all systems tell each other is on the internet, one password away from everybody."""
    ready = walls(groups, lists, routes, acls, out)
    networks = {one.id: one.vpc for one in subnets.subnets}
    for one in found.clusters:
        store = Store(
            on=one.arn,
            id=one.name,
            region=one.region,
            what="a Kafka cluster",
            public=one.public,
            vpc=next((networks[name] for name in one.subnets if name in networks), ""),
            subnets=one.subnets,
            groups=one.groups,
            ports=_PORTS,
        )
        verdict = ready.judge(store, {"name": one.name, "arn": one.arn}, limited=Severity.MEDIUM)
        if verdict is not None:
            yield verdict


@check(
    "cloud.msk.authentication",
    title="Kafka clusters ask who is there",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    exploit=Exploit.HARDENING,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Let Kafka cluster @{name} ask who is there",
        "Turn a way to sign in on (IAM is the least work), move the clients to it, then turn off that nobody "
        "is asked. Set allow.everyone.if.no.acl.found to false too where rights are kept in Kafka.",
        f"{_SHOW} ClusterInfo.ClientAuthentication   # Unauthenticated false",
        f"{_SECURITY} {_BOTH}\n# When all clients sign in:\n{_SECURITY} {_SIGNED}",
        f"{_SECURITY} {_BOTH}",
        hours=(1.0, 4.0),
        key="msk:authentication @{on}",
        terraform="# In the aws_msk_cluster with cluster_name @{name}, with unauthenticated = true "
        "until all clients sign in:\nclient_authentication {\n  unauthenticated = false\n  sasl {\n"
        "    iam = true\n  }\n}\n",
    ),
    refs=(f"{_GUIDE}/kafka_apis_iam.html",),
)
def authentication(found: KafkaClusters) -> Verdicts:
    """Whoever is on the network reads every topic from its beginning, and writes what others believe."""
    for one in found.clusters:
        yield expect(
            not one.nobody,
            on=one.arn,
            where=one.region,
            saw=_who(one),
            want="everybody signs in",
            values={"name": one.name, "arn": one.arn},
        )


def _who(one: KafkaCluster) -> str:
    ways = ", ".join(one.signs_in)
    if not one.nobody:
        return f"everybody signs in: {ways}"
    return f"nobody need sign in, though they can: {ways}" if ways else "nobody signs in"


tls = setting(
    "cloud.msk.tls",
    KafkaClusters,
    lambda one: one.clients == "TLS" and one.between,
    title="Kafka clusters speak TLS only",
    why="Messages and passwords cross the network in the clear, and whoever is on the way reads them.",
    severity=Severity.MEDIUM,
    bad=lambda one: (
        "brokers speak in the clear among each other"
        if one.clients == "TLS"
        else "the clear is answered beside TLS"
        if one.clients == "TLS_PLAINTEXT"
        else "in the clear"
    ),
    good="TLS only",
    fix=repair(
        "Let Kafka cluster @{name} speak TLS only",
        "Move the clients to the TLS port, then turn the clear off. TLS among the brokers is chosen when the "
        "cluster is made: without it, make a new one.",
        f"{_SHOW} ClusterInfo.EncryptionInfo.EncryptionInTransit   # TLS, true",
        f"{_SECURITY} --encryption-info 'EncryptionInTransit={{ClientBroker=TLS}}'",
        f"{_SECURITY} --encryption-info 'EncryptionInTransit={{ClientBroker=TLS_PLAINTEXT}}'",
        hours=(0.5, 2.0),
        disruption=Disruption.RESTART,
        terraform="# In the encryption_in_transit of the encryption_info of the aws_msk_cluster with "
        'cluster_name @{name}:\nclient_broker = "TLS"\n',
    ),
    refs=(f"{_GUIDE}/msk-encryption.html",),
)

logs = setting(
    "cloud.msk.logs",
    KafkaClusters,
    lambda one: None if one.serverless else bool(one.logs),
    title="Kafka clusters keep the logs of their brokers",
    why="Refused sign-ins and changes of rights stand in the logs of the brokers, and nowhere else.",
    severity=Severity.LOW,
    bad="keeps no logs",
    good="keeps logs",
    fix=repair(
        "Keep the logs of the brokers of Kafka cluster @{name}",
        "Send them to a log group.",
        f"{_SHOW} ClusterInfo.LoggingInfo   # one of them true",
        f'{_MONITOR} --logging-info "BrokerLogs={{CloudWatchLogs={{Enabled=true,LogGroup=$LOG_GROUP}}}}"',
        f"{_MONITOR} --logging-info 'BrokerLogs={{CloudWatchLogs={{Enabled=false}}}}'",
        terraform="# In the aws_msk_cluster with cluster_name @{name}:\nlogging_info {\n  broker_logs {\n"
        "    cloudwatch_logs {\n      enabled   = true\n      log_group = var.log_group\n    }\n  }\n}\n",
    ),
    refs=(f"{_GUIDE}/msk-logging.html",),
)


@check(
    "cloud.msk.supported-release",
    title="Kafka clusters run a release with support",
    severity=Severity.MEDIUM,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Upgrade Kafka cluster @{name} to a release with support",
        "Broker by broker, while clients go on; check first that they retry and that topics have replicas.",
        f"{_SHOW} ClusterInfo.CurrentBrokerSoftwareInfo.KafkaVersion",
        f"{_VERSION}aws kafka update-cluster-kafka-version --region @{{region}} --cluster-arn @{{arn}} "
        '--current-version "$CURRENT" --target-kafka-version "$NEW_VERSION"',
        "# An upgrade cannot be undone: make a cluster of the old release and copy the topics instead.\ntrue",
        hours=(1.0, 2.0),
        disruption=Disruption.RESTART,
        back="Make a cluster of the old release and copy the topics to it.",
        key="msk:upgrade @{on}",
        terraform="# In the aws_msk_cluster with cluster_name @{name}:\nkafka_version = var.new_version\n",
    ),
    refs=(f"{_GUIDE}/version-support.html",),
)
def supported_release(found: KafkaClusters, *, now: datetime) -> Verdicts:
    """A release without support gets no more fixes, and AWS upgrades it at an hour of its own choice."""
    for one in found.clusters:
        if one.serverless:
            yield not_applicable(one.arn, "AWS chooses the release of one without brokers", where=one.region)
            continue
        yield releases.judged(
            one.arn, "kafka", one.version, now, where=one.region, values={"name": one.name, "arn": one.arn}
        )
