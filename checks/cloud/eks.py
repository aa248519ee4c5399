"""Kubernetes clusters: who reaches them, and whether they are kept up."""

from __future__ import annotations

from datetime import date, datetime

from checks.check import check
from checks.cloud.addresses import opened
from checks.cloud.setting import repair, setting
from checks.facts.cloud.eks import Clusters
from checks.model import Exploit, Exposure, Impact, Severity, Surface
from checks.verdict import Verdicts, expect, unknown

_ENDS = {
    "1.24": "2024-01-31",
    "1.25": "2024-05-01",
    "1.26": "2024-06-11",
    "1.27": "2024-07-24",
    "1.28": "2024-11-26",
    "1.29": "2025-03-23",
    "1.30": "2025-07-23",
    "1.31": "2025-11-26",
    "1.32": "2026-03-23",
    "1.33": "2026-07-29",
    "1.34": "2026-12-02",
    "1.35": "2027-03-27",
}
"""Until when a release has standard support, as the EKS release calendar says."""
_LONG_AGO = "2023-10-11"
"""When the release before those ended; older ones ended before."""
_UPDATE = "aws eks update-cluster-config --region @{region} --name @{name}"
_SHOW = "aws eks describe-cluster --region @{region} --name @{name} --query"


@check(
    "cloud.eks.public-endpoint",
    title="The control of clusters is not open to the internet",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.DATA,
    fix=repair(
        "Close the endpoint of cluster @{name}",
        "Make the endpoint private, or let in the networks of your offices and pipelines alone.",
        f"{_SHOW} cluster.resourcesVpcConfig",
        f"{_UPDATE} --resources-vpc-config endpointPublicAccess=false,endpointPrivateAccess=true",
        f"{_UPDATE} --resources-vpc-config endpointPublicAccess=true,endpointPrivateAccess=true",
        hours=(0.5, 0.5),
        key="eks:endpoint @{on}",
        terraform="# In the vpc_config of the aws_eks_cluster with name @{name}:\n"
        "endpoint_private_access = true\nendpoint_public_access  = false\n",
    ),
    refs=("https://docs.aws.amazon.com/eks/latest/userguide/cluster-endpoint.html",),
)
def public_endpoint(found: Clusters) -> Verdicts:
    """One leaked token or one flaw of the server is enough for whoever reaches it."""
    for one in found.clusters:
        way = opened(one.cidrs) if one.public else None
        yield expect(
            not way,
            on=one.arn,
            where=one.region,
            saw=f"open to {way.words}" if way else "private, or for named networks",
            want="private, or for named networks",
            exposure=Exposure.INTERNET_OPEN if way else None,
            exposure_evidence=f"the endpoint of {one.name} is public for {way.words}" if way else "",
            values={"name": one.name},
        )


@check(
    "cloud.eks.supported-release",
    title="Clusters run a release with support",
    severity=Severity.MEDIUM,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Upgrade cluster @{name}",
        "Upgrade release by release: read what each takes away, then the control plane, then the nodes.",
        f"{_SHOW} cluster.version",
        'aws eks update-cluster-version --region @{region} --name @{name} --kubernetes-version "$NEXT"',
        "# A cluster cannot go back: make a new one from its manifests instead.\ntrue",
        hours=(2.0, 4.0),
        back="A cluster cannot go back.",
        key="eks:upgrade @{on}",
        terraform="# In the aws_eks_cluster with name @{name}, one release at a time:\n"
        "version = var.next_release\n",
    ),
    refs=("https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html",),
)
def supported_release(found: Clusters, *, now: datetime) -> Verdicts:
    """A release without support gets fixes for the worst flaws at most, and AWS charges extra for it."""
    for one in found.clusters:
        ends = _ENDS.get(one.version, _LONG_AGO if _number(one.version) < _number(min(_ENDS)) else None)
        if ends is None:
            yield unknown(one.arn, f"when release {one.version} ends is not known here", where=one.region)
            continue
        yield expect(
            date.fromisoformat(ends) >= now.date(),
            on=one.arn,
            where=one.region,
            saw=f"{one.version}, supported until {ends}" if ends != _LONG_AGO else f"{one.version}, long out",
            want="a release with support",
            values={"name": one.name},
        )


def _number(version: str) -> tuple[int, ...]:
    parts = version.split(".")
    return tuple(map(int, parts)) if all(part.isdigit() for part in parts) else (9999,)


logs = setting(
    "cloud.eks.logs",
    Clusters,
    lambda one: {"api", "audit", "authenticator"} <= set(one.logs),
    title="Clusters record who did what",
    why="Without the audit log nobody can say what an intruder did in the cluster.",
    severity=Severity.LOW,
    bad=lambda one: f"logs: {', '.join(one.logs) or 'none'}",
    good="api, audit and authenticator",
    fix=repair(
        "Record what is done in clusters",
        "Turn on the logs of the control plane; they go to CloudWatch.",
        f"{_SHOW} cluster.logging",
        f"{_SHOW} cluster.logging > logging.before.json &&\n"
        f"{_UPDATE} --logging "
        '\'{"clusterLogging":[{"types":["api","audit","authenticator"],"enabled":true}]}\'',
        f"{_UPDATE} --logging file://logging.before.json",
        terraform="# In the aws_eks_cluster with name @{name}, with the kinds that are there already:\n"
        'enabled_cluster_log_types = ["api", "audit", "authenticator"]\n',
    ),
    refs=("https://docs.aws.amazon.com/eks/latest/userguide/control-plane-logs.html",),
)
secrets_key = setting(
    "cloud.eks.secrets-key",
    Clusters,
    lambda one: one.secrets,
    title="Secrets of clusters are encrypted under a key of the account",
    why="Each use of a key of one's own is recorded, and it can be taken back; AWS's own key cannot.",
    severity=Severity.LOW,
    bad="under AWS's own key",
    good="under a key in KMS",
    fix=repair(
        "Encrypt the secrets of clusters under a key of your own",
        "Associate a KMS key with the cluster; this cannot be undone.",
        f"{_SHOW} cluster.encryptionConfig",
        "aws eks associate-encryption-config --region @{region} --cluster-name @{name} "
        '--encryption-config "resources=secrets,provider={keyArn=$KEY_ARN}"',
        "# This cannot be undone.\ntrue",
        back="It cannot be undone.",
        terraform="# In the aws_eks_cluster with name @{name}; this cannot be undone:\n"
        'encryption_config {\n  resources = ["secrets"]\n  provider {\n    key_arn = var.key_arn\n  }\n}\n',
    ),
    refs=("https://docs.aws.amazon.com/eks/latest/userguide/enable-kms.html",),
)
deletion_protection = setting(
    "cloud.eks.deletion-protection",
    Clusters,
    lambda one: one.protected,
    title="Clusters cannot be deleted by mistake",
    why="With the cluster goes everything that was declared in it, in one call of whoever got in.",
    severity=Severity.INFO,
    bad="can be deleted in one call",
    good="protected from deletion",
    fix=repair(
        "Protect clusters from deletion",
        "Turn deletion protection on.",
        f"{_SHOW} cluster.deletionProtection  # true",
        f"{_UPDATE} --deletion-protection",
        f"{_UPDATE} --no-deletion-protection",
        terraform="# In the aws_eks_cluster with name @{name}:\ndeletion_protection = true\n",
    ),
    refs=("https://docs.aws.amazon.com/eks/latest/userguide/deletion-protection.html",),
)
