"""Collects Kubernetes clusters."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from checks.facts.cloud.eks import Cluster, Clusters
from scanner.collect.cloud.calls import Call, Collector, Place
from scanner.collect.cloud.fields import flag, group, some, text
from scanner.collect.collector import Collected

LIST = Call("eks", "ListClusters", (Clusters,), page=100)
CLUSTER = Call("eks", "DescribeCluster", (Clusters,))


def clusters(place: Place) -> Collected:
    """The clusters."""
    names = sorted(str(one) for page in place.pages(LIST) for one in some(page, "clusters"))
    empty = Collected(facts=(Clusters(place.account, (place.region,), ()),))
    return empty + place.each(
        [(place.where(name), CLUSTER, partial(_cluster, place, name)) for name in names]
    )


def _cluster(place: Place, name: str) -> Collected:
    raw = group(place.one(CLUSTER, name=name), "cluster")
    network = group(raw, "resourcesVpcConfig")
    logs = [
        str(kind)
        for one in some(group(raw, "logging"), "clusterLogging")
        if flag(one, "enabled", False)
        for kind in some(one, "types")
    ]
    record = Cluster(
        arn=text(raw, "arn"),
        name=name,
        region=place.region,
        version=text(raw, "version"),
        # AWS makes an endpoint public, and for everybody, unless it is told otherwise.
        public=flag(network, "endpointPublicAccess", True),
        cidrs=tuple(sorted(map(str, some(network, "publicAccessCidrs")))) or ("0.0.0.0/0",),
        logs=tuple(sorted(logs)),
        secrets=any("secrets" in some(one, "resources") for one in some(raw, "encryptionConfig")),
        protected=flag(raw, "deletionProtection", False),
    )
    return place.found(
        Clusters(place.account, (place.region,), (record,)), CLUSTER, (record,), where=record.arn
    )


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield Collector("eks clusters", True, (LIST, CLUSTER), clusters)
