"""Message brokers: who reaches them, what is recorded, and how old they are."""

from __future__ import annotations

from datetime import datetime

from checks.check import check
from checks.cloud import releases
from checks.cloud.doors import Store, walls
from checks.cloud.setting import repair, setting
from checks.facts.cloud.ec2 import PrefixLists, SecurityGroups
from checks.facts.cloud.mq import Broker, Brokers
from checks.facts.cloud.routes import AclWaysOut, RouteTables, Subnets
from checks.facts.cloud.vpc import NetworkAcls
from checks.fix import Disruption
from checks.model import Exploit, Exposure, Impact, Severity, Surface
from checks.verdict import Verdict, Verdicts, expect

_GUIDE = "https://docs.aws.amazon.com/amazon-mq/latest/developer-guide"
_UPDATE = "aws mq update-broker --region @{region} --broker-id @{id}"
_SHOW = "aws mq describe-broker --region @{region} --broker-id @{id} --query"
_REBOOT = "aws mq reboot-broker --region @{region} --broker-id @{id}"
_PORTS = (5671, 8162, 8883, 61614, 61617, 61619)
"""Where ActiveMQ answers: AMQP, its console, MQTT, STOMP, OpenWire and WebSocket."""


@check(
    "cloud.mq.public",
    title="The internet reaches no message broker",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.DATA,
    fix=repair(
        "Replace broker @{name} by one without a public address",
        "The address is chosen when the broker is made: make a new one with --no-publicly-accessible, move "
        "producers and consumers, let the old queues run dry, and delete it. Until then take the open rules "
        "out of its groups (RabbitMQ has none).",
        f"{_SHOW} PubliclyAccessible   # false",
        hours=(1.0, 4.0),
        back="Send producers and consumers back to the old broker as long as it is there.",
        key="mq:public @{on}",
        terraform="# In a new aws_mq_broker beside @{name}; in the old one this would delete it first:\n"
        "publicly_accessible = false\n",
    ),
    refs=(f"{_GUIDE}/using-amazon-mq-securely.html",),
)
def public(  # noqa: PLR0917 - one fact per wall
    found: Brokers,
    groups: SecurityGroups,
    lists: PrefixLists,
    routes: RouteTables,
    acls: NetworkAcls,
    out: AclWaysOut,
    subnets: Subnets,
) -> Verdicts:
    """Whoever guesses one password reads and forges what systems tell each other."""
    ready = walls(groups, lists, routes, acls, out)
    networks = {one.id: one.vpc for one in subnets.subnets}
    for one in found.brokers:
        if one.public and not one.groups and one.engine == "RABBITMQ":
            yield _unwalled(one)
            continue
        store = Store(
            on=one.arn,
            id=one.name,
            region=one.region,
            what="a broker",
            public=one.public,
            vpc=next((networks[name] for name in one.subnets if name in networks), ""),
            subnets=one.subnets,
            groups=one.groups,
            ports=_PORTS,
        )
        verdict = ready.judge(store, {"name": one.name, "id": one.id}, limited=Severity.MEDIUM)
        if verdict is not None:
            yield verdict


def _unwalled(one: Broker) -> Verdict:
    # A public RabbitMQ stands in a network of AWS, with neither group nor list of one's own before it.
    return expect(
        False,
        on=one.arn,
        where=one.region,
        saw="a broker with a public address and no security group",
        want="not reached from the internet",
        exposure=Exposure.INTERNET_OPEN,
        exposure_evidence=f"{one.name} has a public address; RabbitMQ brokers with one have no group",
        values={"name": one.name, "id": one.id},
    )


def _logged(one: Broker) -> bool:
    # RabbitMQ has no audit log.
    return one.general and (one.audit or one.engine == "RABBITMQ")


@check(
    "cloud.mq.logs",
    title="Message brokers send their logs to CloudWatch",
    severity=Severity.LOW,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Send the logs of broker @{name} to CloudWatch",
        "Let the service write into log groups that begin with /aws/amazonmq, turn the logs on, and restart "
        "the broker in a quiet hour.",
        f"{_SHOW} Logs   # true",
        f"{_UPDATE} --logs @{{logs}} &&\n{_REBOOT}",
        f"{_UPDATE} --logs @{{former}} &&\n{_REBOOT}",
        hours=(0.5, 0.25),
        disruption=Disruption.RESTART,
        terraform="# In the aws_mq_broker with broker_name @{name}:\nlogs {\n  general = true\n"
        "  audit   = true # ActiveMQ alone has this one\n}\n",
    ),
    refs=(f"{_GUIDE}/security-logging-monitoring.html",),
)
def logs(found: Brokers) -> Verdicts:
    """Without them nobody can say who signed in, or who made and deleted queues."""
    for one in found.brokers:
        kinds = [name for name, on in (("general", one.general), ("audit", one.audit)) if on]
        audit = ",Audit=true" if one.engine == "ACTIVEMQ" else ""
        former = f",Audit={str(one.audit).lower()}" if audit else ""
        yield expect(
            _logged(one),
            on=one.arn,
            where=one.region,
            saw=f"sends {' and '.join(kinds)}" if kinds else "sends no logs",
            want="sends general and audit" if audit else "sends general",
            values={
                "name": one.name,
                "id": one.id,
                "logs": f"General=true{audit}",
                "former": f"General={str(one.general).lower()}{former}",
            },
        )


own_key = setting(
    "cloud.mq.own-key",
    Brokers,
    lambda one: one.own_key,
    title="Message brokers are encrypted under a key of the account",
    why="Under a key of one's own, reading what is stored is a second right, which is recorded.",
    severity=Severity.LOW,
    bad="under AWS's own key",
    good="under a key in KMS",
    fix=repair(
        "Replace broker @{name} by one under a key of your own",
        "The key is chosen when the broker is made: make a new one with --encryption-options, move producers "
        "and consumers, and delete the old one.",
        f"{_SHOW} EncryptionOptions.UseAwsOwnedKey   # false",
        back="Send producers and consumers back to the old broker as long as it is there.",
        hours=(1.0, 4.0),
        terraform="# In a new aws_mq_broker beside @{name}; in the old one this would delete it first:\n"
        "encryption_options {\n  use_aws_owned_key = false\n  kms_key_id        = var.key_arn\n}\n",
    ),
    refs=(f"{_GUIDE}/data-protection.html",),
)

minor_upgrades = setting(
    "cloud.mq.minor-upgrades",
    Brokers,
    lambda one: one.minor_upgrades,
    title="Message brokers take minor upgrades by themselves",
    why="A flaw of ActiveMQ gave strangers the whole machine in 2023; who was upgraded by itself was safe.",
    severity=Severity.MEDIUM,
    bad="by hand",
    good="automatic",
    fix=repair(
        "Let message brokers take minor upgrades by themselves",
        "Turn it on; upgrades happen within the maintenance window.",
        f"{_SHOW} AutoMinorVersionUpgrade   # true",
        f"{_UPDATE} --auto-minor-version-upgrade",
        f"{_UPDATE} --no-auto-minor-version-upgrade",
        terraform="# In the aws_mq_broker with broker_name @{name}:\nauto_minor_version_upgrade = true\n",
    ),
    refs=(f"{_GUIDE}/upgrading-brokers.html",),
)

zones = setting(
    "cloud.mq.zones",
    Brokers,
    lambda one: not one.alone,
    title="Message brokers stand in several zones",
    why="With one machine, a fault of a data centre stops everything that talks through it.",
    severity=Severity.LOW,
    bad="one machine in one zone",
    good="machines in several zones",
    fix=repair(
        "Replace broker @{name} by one that stands in several zones",
        "The form is chosen when the broker is made: make an active/standby broker or a cluster, move "
        "producers and consumers, and delete the old one.",
        f"{_SHOW} DeploymentMode   # not SINGLE_INSTANCE",
        back="Send producers and consumers back to the old broker as long as it is there.",
        hours=(1.0, 4.0),
        terraform="# In a new aws_mq_broker beside @{name}; in the old one this would delete it first:\n"
        'deployment_mode = "ACTIVE_STANDBY_MULTI_AZ" # RabbitMQ: "CLUSTER_MULTI_AZ"\n',
    ),
    refs=(f"{_GUIDE}/amazon-mq-broker-architecture.html",),
)


@check(
    "cloud.mq.supported-release",
    title="Message brokers run a release with support",
    severity=Severity.MEDIUM,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Upgrade broker @{name} to a release with support",
        "Read what the new release changes, try it on a broker for tests, then upgrade and restart.",
        f"{_SHOW} EngineVersion",
        f'{_UPDATE} --engine-version "$NEW_VERSION" &&\n{_REBOOT}',
        "# An upgrade cannot be undone: make a broker of the old release instead.\ntrue",
        hours=(0.5, 1.0),
        disruption=Disruption.RESTART,
        back="Make a broker of the old release and move to it.",
        key="mq:upgrade @{on}",
        terraform="# In the aws_mq_broker with broker_name @{name}:\nengine_version = var.new_version\n",
    ),
    refs=(f"{_GUIDE}/amazon-mq-managing-versions.html",),
)
def supported_release(found: Brokers, *, now: datetime) -> Verdicts:
    """A release without support gets no more fixes, and AWS upgrades it at an hour of its own choice."""
    for one in found.brokers:
        yield releases.judged(
            one.arn, one.engine, one.version, now, where=one.region, values={"name": one.name, "id": one.id}
        )
