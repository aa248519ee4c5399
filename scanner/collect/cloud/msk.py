"""Collects Kafka clusters: one list says all of them."""

from __future__ import annotations

from collections.abc import Iterable

from checks.facts.cloud.msk import KafkaCluster, KafkaClusters
from scanner.collect.cloud.calls import Call, Collector, Place
from scanner.collect.cloud.fields import Raw, flag, group, some, text
from scanner.collect.cloud.lists import listing

CLUSTERS = Call("kafka", "ListClustersV2", (KafkaClusters,), key="ClusterInfoList", page=100)


def _cluster(place: Place, raw: Raw) -> KafkaCluster:
    own = group(raw, "Provisioned")
    serverless = text(raw, "ClusterType") == "SERVERLESS"
    transit = group(group(own, "EncryptionInfo"), "EncryptionInTransit")
    nodes = group(own, "BrokerNodeGroupInfo")
    reached = group(group(nodes, "ConnectivityInfo"), "PublicAccess")
    ways = _ways(group(own, "ClientAuthentication"))
    nobody = flag(group(group(own, "ClientAuthentication"), "Unauthenticated"), "Enabled", False)
    return KafkaCluster(
        arn=text(raw, "ClusterArn"),
        name=text(raw, "ClusterName"),
        region=place.region,
        serverless=serverless,
        version=text(group(own, "CurrentBrokerSoftwareInfo"), "KafkaVersion", ""),
        public=text(reached, "Type", "DISABLED") != "DISABLED",
        # What AWS does where nobody has said otherwise: TLS for all.
        clients="TLS" if serverless else text(transit, "ClientBroker", "TLS"),
        between=serverless or flag(transit, "InCluster", True),
        signs_in=("IAM",) if serverless else ways,
        # With no way to sign in configured at all, nobody is asked.
        nobody=not serverless and (nobody or not ways),
        logs=_logs(group(group(own, "LoggingInfo"), "BrokerLogs")),
        subnets=tuple(sorted(map(str, some(nodes, "ClientSubnets")))),
        groups=tuple(sorted(map(str, some(nodes, "SecurityGroups")))),
    )


def _ways(raw: Raw) -> tuple[str, ...]:
    sasl, certificates = group(raw, "Sasl"), group(raw, "Tls")
    # Clusters older than the switch have only the list of authorities.
    listed = bool(some(certificates, "CertificateAuthorityArnList"))
    ways = {
        "IAM": flag(group(sasl, "Iam"), "Enabled", False),
        "SCRAM": flag(group(sasl, "Scram"), "Enabled", False),
        "certificates": flag(certificates, "Enabled", listed),
    }
    return tuple(name for name, on in ways.items() if on)


def _logs(raw: Raw) -> tuple[str, ...]:
    return tuple(
        name for name in ("CloudWatchLogs", "Firehose", "S3") if flag(group(raw, name), "Enabled", False)
    )


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield listing("msk clusters", CLUSTERS, _cluster, named="ClusterArn")
