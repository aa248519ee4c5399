"""Caches: who may read them, over what, and what is left after a fault."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from checks.check import check
from checks.cloud import releases
from checks.cloud.setting import repair, setting
from checks.facts.cloud.elasticache import CacheCluster, CacheClusters, CacheGroup, CacheGroups, CacheUsers
from checks.fix import Disruption
from checks.model import Exploit, Impact, Severity, Surface
from checks.verdict import Verdict, Verdicts, expect, not_applicable

_GROUP = "aws elasticache modify-replication-group --region @{region} --replication-group-id @{id}"
_SHOW = "aws elasticache describe-replication-groups --region @{region} --replication-group-id @{id} --query"
_TLS = "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/in-transit-encryption.html"


def _clear(one: CacheGroup) -> str:
    return "the clear is answered beside TLS" if one.transit else "in the clear"


@check(
    "cloud.elasticache.transit-encryption",
    title="Caches answer over TLS only",
    severity=Severity.MEDIUM,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Let cache @{id} answer over TLS only",
        "Turn it on in the mode preferred, move the clients to TLS, then turn the mode to required. A "
        "cluster that is in no replication group has to be made anew.",
        f"{_SHOW} 'ReplicationGroups[].[TransitEncryptionEnabled,TransitEncryptionMode]'   # true, required",
        f"{_GROUP} --transit-encryption-enabled --transit-encryption-mode preferred --apply-immediately\n"
        "# When all clients speak TLS:\n"
        f"{_GROUP} --transit-encryption-enabled --transit-encryption-mode required --apply-immediately",
        f"{_GROUP} --transit-encryption-enabled --transit-encryption-mode preferred --apply-immediately &&\n"
        f"{_GROUP} --no-transit-encryption-enabled --apply-immediately",
        hours=(0.5, 2.0),
        key="elasticache:tls @{on}",
        terraform="# Before engine 7.0.5 Terraform makes the group anew for this: look at the plan first.\n"
        "# In the aws_elasticache_replication_group with replication_group_id @{id};\n"
        "# with the mode preferred until all clients speak TLS:\ntransit_encryption_enabled = true\n"
        'transit_encryption_mode    = "required"\napply_immediately          = true\n',
    ),
    refs=(_TLS,),
)
def transit_encryption(found: CacheGroups, clusters: CacheClusters) -> Verdicts:
    """Sessions and passwords lie in caches, and whoever is on the network reads them in passing."""
    want = "TLS only"
    for one in found.groups:
        good = one.transit == "required"
        yield expect(
            good, on=one.arn, where=one.region, saw=want if good else _clear(one), want=want,
            values={"id": one.id},
        )  # fmt: skip
    for cluster in clusters.clusters:
        if not cluster.group:
            saw = want if cluster.transit else "in the clear"
            yield expect(
                cluster.transit, on=cluster.arn, where=cluster.region, saw=saw, want=want,
                values={"id": cluster.id},
            )  # fmt: skip


encryption = setting(
    "cloud.elasticache.encryption",
    CacheGroups,
    lambda one: one.at_rest,
    title="Caches are encrypted on disk",
    why="Backups and what is swapped out lie on disks in the clear, with every session and token in them.",
    severity=Severity.MEDIUM,
    bad="not encrypted",
    good="encrypted",
    fix=repair(
        "Replace cache @{id} by an encrypted one",
        "Encryption is chosen when a cache is made: take a backup, make a new group from it with encryption, "
        "move the clients, and delete the old one.",
        f"{_SHOW} 'ReplicationGroups[].AtRestEncryptionEnabled'   # true",
        "aws elasticache create-snapshot --region @{region} --replication-group-id @{id} "
        '--snapshot-name "$BEFORE" &&\n'
        'aws elasticache create-replication-group --region @{region} --replication-group-id "$ENCRYPTED" '
        '--replication-group-description "encrypted copy" --snapshot-name "$BEFORE" '
        "--at-rest-encryption-enabled --transit-encryption-enabled",
        'aws elasticache delete-replication-group --region @{region} --replication-group-id "$ENCRYPTED"',
        hours=(0.5, 3.0),
        disruption=Disruption.OUTAGE,
        back="Point the clients at the old group again, and delete the new one.",
        key="elasticache:encrypt @{on}",
        terraform="# Beside the aws_elasticache_replication_group @{id}, from a snapshot of it:\n"
        'resource "aws_elasticache_replication_group" "encrypted" {\n'
        '  replication_group_id       = var.encrypted_id\n  description                = "encrypted copy"\n'
        "  engine                     = var.engine\n  node_type                  = var.node_type\n"
        "  snapshot_name              = var.snapshot_before\n  at_rest_encryption_enabled = true\n"
        "  transit_encryption_enabled = true\n}\n",
    ),
    refs=("https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/at-rest-encryption.html",),
)


@check(
    "cloud.elasticache.authentication",
    title="Caches ask who is there",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    exploit=Exploit.HARDENING,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Let cache @{id} ask for a password",
        "Make users with what each application needs, put them into a user group, and give it to the cache "
        "(or set a token with --auth-token). Both need TLS, so turn that on first.",
        f"{_SHOW} 'ReplicationGroups[].[AuthTokenEnabled,UserGroupIds]'   # true, or the name of a group",
        f'{_GROUP} --user-group-ids-to-add "$USER_GROUP" --apply-immediately',
        f'{_GROUP} --user-group-ids-to-remove "$USER_GROUP" --apply-immediately',
        hours=(1.0, 1.0),
        key="elasticache:authentication @{on}",
        terraform="# In the aws_elasticache_replication_group with replication_group_id @{id}, which "
        "speaks TLS already:\nuser_group_ids = [var.user_group]\n",
    ),
    refs=("https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Clusters.RBAC.html",),
)
def authentication(found: CacheGroups, users: CacheUsers, clusters: CacheClusters) -> Verdicts:
    """Without a password everything on the network that can connect reads and changes the whole cache."""
    want = "a password or a signed token for everybody"
    for one in found.groups:
        if one.user_groups and one.region not in users.regions:
            continue
        guests = [
            user.name
            for user in users.users
            if user.region == one.region
            and user.on
            and not user.password
            and set(user.groups) & set(one.user_groups)
        ]
        held = bool((one.user_groups and not guests) or (one.token and not one.user_groups))
        yield expect(
            held,
            on=one.arn,
            where=one.region,
            saw=_who(one, guests),
            want=want,
            values={"id": one.id},
        )
    for cluster in clusters.clusters:
        if not cluster.group:
            # Passwords are for replication groups alone; Memcached of AWS has none at all.
            yield _alone(cluster, want)


def _alone(one: CacheCluster, want: str) -> Verdict:
    if one.engine == "memcached":
        return not_applicable(one.arn, "Memcached knows no passwords", where=one.region)
    return expect(
        False, on=one.arn, where=one.region, saw="nobody is asked", want=want, values={"id": one.id}
    )


def _who(one: CacheGroup, guests: Iterable[str]) -> str:
    names = ", ".join(sorted(guests))
    if names:
        return f"user {names} signs in without a password"
    if one.user_groups:
        return f"users of {', '.join(one.user_groups)}, each with a password or a token"
    return "one token for all" if one.token else "nobody is asked"


@check(
    "cloud.elasticache.supported-release",
    title="Caches run a release with support",
    severity=Severity.MEDIUM,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Upgrade cache @{id} to a release with support",
        "Valkey takes over from Redis in place. Try the clients on a copy first: some commands answer "
        "otherwise.",
        "aws elasticache describe-cache-clusters --region @{region} --cache-cluster-id @{member} "
        "--query 'CacheClusters[].[Engine,EngineVersion]'",
        f'{_GROUP} --engine valkey --engine-version "$NEW_VERSION" --apply-immediately',
        "# An upgrade cannot be undone: make a cache of the old release from the last backup instead.\ntrue",
        hours=(0.5, 1.0),
        disruption=Disruption.RESTART,
        back="Make a cache of the old release from the backup.",
        key="elasticache:upgrade @{region} @{id}",
        terraform="# In the aws_elasticache_replication_group with replication_group_id @{id}:\n"
        'engine         = "valkey"\nengine_version = var.new_version\n',
    ),
    refs=("https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/extended-support.html",),
)
def supported_release(found: CacheClusters, *, now: datetime) -> Verdicts:
    """A release without support gets no more fixes, and AWS charges extra for keeping it."""
    for one in _one_of_each(found.clusters):
        if one.engine not in releases.ENDS:
            yield not_applicable(one.arn, f"AWS tells no end of support for {one.engine}", where=one.region)
            continue
        yield releases.judged(
            one.arn,
            one.engine,
            one.version,
            now,
            where=one.region,
            values={"id": one.group or one.id, "member": one.id},
        )


def _one_of_each(clusters: Iterable[CacheCluster]) -> list[CacheCluster]:
    """One member of each replication group, since all run one release, and the clusters in none."""
    known: dict[tuple[str, str], CacheCluster] = {}
    for one in clusters:
        known.setdefault((one.region, one.group or f"/{one.id}"), one)
    return list(known.values())


backups = setting(
    "cloud.elasticache.backups",
    CacheGroups,
    lambda one: one.backup_days >= 1,
    title="Caches are backed up",
    why="Many a cache has become the only place of something; whoever empties it leaves nothing to restore.",
    severity=Severity.LOW,
    bad="no automatic backup",
    good="backed up every day",
    fix=repair(
        "Back up cache @{id} every day",
        "Set how long backups are kept.",
        f"{_SHOW} 'ReplicationGroups[].SnapshotRetentionLimit'   # 7",
        f"{_GROUP} --snapshot-retention-limit 7 --apply-immediately",
        f"{_GROUP} --snapshot-retention-limit 0 --apply-immediately",
        terraform="# In the aws_elasticache_replication_group with replication_group_id @{id}:\n"
        "snapshot_retention_limit = 7\n",
    ),
    refs=("https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/backups-automatic.html",),
)

zones = setting(
    "cloud.elasticache.zones",
    CacheGroups,
    lambda one: one.zones and one.moves,
    title="Caches stand in several zones",
    why="When the only node fails, every request falls on the database behind it, and takes that down too.",
    severity=Severity.LOW,
    bad=lambda one: "in one zone" if one.moves else "nobody takes over when the first node fails",
    good="another zone takes over by itself",
    fix=repair(
        "Give cache @{id} a second zone",
        "Add a replica in another zone if there is none, then turn on failover and Multi-AZ.",
        f"{_SHOW} 'ReplicationGroups[].[AutomaticFailover,MultiAZ]'   # enabled, enabled",
        f"{_GROUP} --automatic-failover-enabled --multi-az-enabled --apply-immediately",
        f"{_GROUP} --no-multi-az-enabled --no-automatic-failover-enabled --apply-immediately",
        hours=(0.25, 0.25),
        terraform="# In the aws_elasticache_replication_group with replication_group_id @{id}, once it "
        "has a replica:\nautomatic_failover_enabled = true\nmulti_az_enabled           = true\n",
    ),
    refs=("https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/AutoFailover.html",),
)

minor_upgrades = setting(
    "cloud.elasticache.minor-upgrades",
    CacheClusters,
    lambda one: one.minor_upgrades,
    title="Caches take minor upgrades by themselves",
    why="Minor upgrades are security fixes, and nobody has time to do them by hand.",
    severity=Severity.LOW,
    bad="by hand",
    good="automatic",
    fix=repair(
        "Let caches take minor upgrades by themselves",
        "Turn it on; upgrades happen within the maintenance window.",
        "aws elasticache describe-cache-clusters --region @{region} --cache-cluster-id @{id} "
        "--query 'CacheClusters[].AutoMinorVersionUpgrade'   # true",
        "aws elasticache modify-cache-cluster --region @{region} --cache-cluster-id @{id} "
        "--auto-minor-version-upgrade --apply-immediately",
        "aws elasticache modify-cache-cluster --region @{region} --cache-cluster-id @{id} "
        "--no-auto-minor-version-upgrade --apply-immediately",
        terraform="# In the aws_elasticache_cluster @{id}, or in the aws_elasticache_replication_group "
        "that it belongs to:\nauto_minor_version_upgrade = true\n",
    ),
    refs=("https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/VersionManagement.html",),
)
