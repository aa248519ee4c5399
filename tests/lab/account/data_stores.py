"""Caches, warehouses and the machines that move databases."""

from __future__ import annotations

from typing import Any

from tests.lab.account_data import STRANGER, Ground, ground, with_peers
from tests.lab.planted_account import MAIN, Lab


def plant(lab: Lab) -> None:
    """Builds them; what the emulator has not got, it is told to answer."""
    first = len(lab.planted)
    place = ground(lab, MAIN)
    _caches(lab)
    _warehouses(lab, place)
    _movers(lab, place)
    with_peers(lab, first)


def _caches(lab: Lab) -> None:
    names = ("data-sessions", "data-guests", "data-token", "data-preferred", "data-fine")
    arns = {name: f"arn:aws:elasticache:{MAIN}:{lab.account}:replicationgroup:{name}" for name in names}

    def group(name: str, **more: Any) -> dict[str, Any]:
        return {
            "ReplicationGroupId": name,
            "ARN": arns[name],
            "Engine": "redis",
            "Status": "available",
            "AutomaticFailover": "enabled",
            "MultiAZ": "enabled",
            "SnapshotRetentionLimit": 7,
            "TransitEncryptionEnabled": True,
            "TransitEncryptionMode": "required",
            "AtRestEncryptionEnabled": True,
            "AuthTokenEnabled": False,
            "UserGroupIds": ["data-team"],
            **more,
        }

    off = {
        "AutomaticFailover": "disabled", "MultiAZ": "disabled", "SnapshotRetentionLimit": 0,
        "TransitEncryptionEnabled": False, "AtRestEncryptionEnabled": False, "UserGroupIds": [],
    }  # fmt: skip
    no_mode = group("data-token", AuthTokenEnabled=True, UserGroupIds=[])
    del no_mode["TransitEncryptionMode"]
    groups = [
        group("data-sessions", **off),
        group("data-guests", UserGroupIds=["data-loose"]),
        no_mode,
        group("data-preferred", TransitEncryptionMode="preferred"),
        group("data-fine"),
    ]
    lab.answer("elasticache", "DescribeReplicationGroups", {"ReplicationGroups": groups}, region=MAIN)
    lab.answer("elasticache", "DescribeCacheClusters", {"CacheClusters": _members(lab)}, region=MAIN)
    lab.answer("elasticache", "DescribeUsers", {"Users": _users(lab)}, region=MAIN)
    topic = "cloud.elasticache"
    for name in ("transit-encryption", "encryption", "authentication", "backups", "zones"):
        lab.problem(f"{topic}.{name}", arns["data-sessions"], "nothing is on", region=MAIN)
        lab.clean(f"{topic}.{name}", arns["data-fine"], "all is on", region=MAIN)
    lab.problem(f"{topic}.authentication", arns["data-guests"], "a user without password", region=MAIN,
                fools=True)  # fmt: skip
    lab.problem(
        f"{topic}.transit-encryption", arns["data-preferred"], "the clear too", region=MAIN, fools=True
    )
    lab.clean(
        f"{topic}.authentication", arns["data-token"], "a token instead of users", region=MAIN, fools=True
    )
    lab.clean(
        f"{topic}.transit-encryption", arns["data-token"], "older than the mode", region=MAIN, fools=True
    )
    old = f"arn:aws:elasticache:{MAIN}:{lab.account}:cluster:data-sessions-001"
    lab.problem(f"{topic}.supported-release", old, "release 5", region=MAIN)
    lab.problem(f"{topic}.minor-upgrades", old, "by hand", region=MAIN)
    fine = f"arn:aws:elasticache:{MAIN}:{lab.account}:cluster:data-fine-001"
    lab.clean(f"{topic}.supported-release", fine, "release 7", region=MAIN)
    lab.clean(f"{topic}.minor-upgrades", fine, "automatic", region=MAIN)
    alone = f"arn:aws:elasticache:{MAIN}:{lab.account}:cluster:data-alone"
    lab.problem(
        f"{topic}.authentication", alone, "in no group, so without passwords", region=MAIN, fools=True
    )


def _members(lab: Lab) -> list[dict[str, Any]]:
    def member(name: str, group: str, version: str, upgrades: bool) -> dict[str, Any]:
        return {
            "CacheClusterId": name,
            "ARN": f"arn:aws:elasticache:{MAIN}:{lab.account}:cluster:{name}",
            "Engine": "redis",
            "EngineVersion": version,
            "AutoMinorVersionUpgrade": upgrades,
            "TransitEncryptionEnabled": bool(group) and group != "data-sessions",
            **({"ReplicationGroupId": group} if group else {}),
        }

    return [
        member("data-sessions-001", "data-sessions", "5.0.6", False),
        member("data-sessions-002", "data-sessions", "5.0.6", True),
        member("data-fine-001", "data-fine", "7.1.0", True),
        member("data-alone", "", "6.2.6", True),
    ]


def _users(lab: Lab) -> list[dict[str, Any]]:
    def user(name: str, groups: list[str], kind: str, access: str) -> dict[str, Any]:
        return {
            "UserId": name,
            "UserName": "default" if name.startswith("default") else name,
            "Status": "active",
            "Engine": "redis",
            "AccessString": access,
            "UserGroupIds": groups,
            "Authentication": {"Type": kind},
            "ARN": f"arn:aws:elasticache:{MAIN}:{lab.account}:user:{name}",
        }

    return [
        user("default", [], "no-password", "on ~* +@all"),
        user("default-off", ["data-team"], "no-password", "off ~* -@all"),
        user("data-app", ["data-team", "data-loose"], "password", "on ~app:* +@all"),
        user("data-guest", ["data-loose"], "no-password", "on ~* +@all"),
    ]


def _warehouses(lab: Lab, place: Ground) -> None:
    redshift = lab.client("redshift", MAIN)
    for name in ("data-strict", "data-lax"):
        redshift.create_cluster_parameter_group(
            ParameterGroupName=name, ParameterGroupFamily="redshift-1.0", Description=name
        )
        on = "true" if name == "data-strict" else "false"
        told = [
            {"ParameterName": key, "ParameterValue": on}
            for key in ("require_ssl", "enable_user_activity_logging")
        ]
        lab.answer("redshift", "DescribeClusterParameters", {"Parameters": told}, region=MAIN, about=name)

    def made(name: str, group: str, where: str, **more: Any) -> str:
        redshift.create_cluster(
            ClusterIdentifier=name, NodeType="ra3.large", MasterUserPassword="Correct-Horse-1",
            ClusterSubnetGroupName=where, VpcSecurityGroupIds=[group], ClusterType="single-node", **more,
        )  # fmt: skip
        return f"arn:aws:redshift:{MAIN}:{lab.account}:cluster:{name}"

    lax: dict[str, Any] = {
        "MasterUsername": "awsuser", "PubliclyAccessible": True, "Encrypted": False,
        "AllowVersionUpgrade": False, "EnhancedVpcRouting": False, "AutomatedSnapshotRetentionPeriod": 1,
        "ClusterParameterGroupName": "data-lax",
    }  # fmt: skip
    strict: dict[str, Any] = {
        "MasterUsername": "keeper", "PubliclyAccessible": False, "Encrypted": True,
        "AllowVersionUpgrade": True, "EnhancedVpcRouting": True, "AutomatedSnapshotRetentionPeriod": 14,
        "ClusterParameterGroupName": "data-strict",
    }  # fmt: skip
    bad = made("data-lake", place.open, "data-public", **lax)
    fine = made("data-vault", place.closed, "data-private", **strict)
    hidden = made("data-cellar", place.open, "data-private", **{**strict, "PubliclyAccessible": True})
    office = made("data-office", place.closed, "data-public", **{**strict, "PubliclyAccessible": True})
    redshift.enable_logging(ClusterIdentifier="data-vault", BucketName="data-logs", S3KeyPrefix="a")
    topic = "cloud.redshift"
    lab.problem(f"{topic}.public", bad, "reached from everywhere", region=MAIN)  # fmt: skip
    lab.problem(f"{topic}.public", office, "a public address that an office reaches", region=MAIN)
    lab.clean(f"{topic}.public", hidden, "public, but no subnet has a way out", region=MAIN, fools=True)
    lab.clean(f"{topic}.public", fine, "no public address", region=MAIN)
    for name in ("encryption", "upgrades", "vpc-routing", "admin-name", "backups", "audit-log", "tls-only",
                 "query-log"):  # fmt: skip
        lab.problem(f"{topic}.{name}", bad, "lax", region=MAIN)
        lab.clean(f"{topic}.{name}", fine, "strict", region=MAIN)
    _warehouse_snapshots(lab)


def _warehouse_snapshots(lab: Lab) -> None:
    def told(name: str, encrypted: bool, *shared: str) -> dict[str, Any]:
        return {
            "SnapshotIdentifier": name,
            "SnapshotArn": f"arn:aws:redshift:{MAIN}:{lab.account}:snapshot:data-lake/{name}",
            "ClusterIdentifier": "data-lake",
            "SnapshotType": "manual",
            "Encrypted": encrypted,
            "AccountsWithRestoreAccess": [{"AccountId": account} for account in shared],
        }

    listed = [told("data-given", False, STRANGER), told("data-held", True, lab.account)]
    lab.answer("redshift", "DescribeClusterSnapshots", {"Snapshots": listed}, region=MAIN)
    given, held = (str(one["SnapshotArn"]) for one in listed)
    lab.problem("cloud.redshift-snapshots.sharing", given, "shared with a stranger", region=MAIN)
    lab.clean("cloud.redshift-snapshots.sharing", held, "shared with itself", region=MAIN, fools=True)
    lab.problem("cloud.redshift-snapshots.encryption", given, "plain", region=MAIN)
    lab.clean("cloud.redshift-snapshots.encryption", held, "encrypted", region=MAIN)


def _movers(lab: Lab, place: Ground) -> None:
    def mover(name: str, public: bool, subnets: tuple[str, ...], upgrades: bool) -> dict[str, Any]:
        return {
            "ReplicationInstanceIdentifier": name,
            "ReplicationInstanceArn": f"arn:aws:dms:{MAIN}:{lab.account}:rep:{name}",
            "PubliclyAccessible": public,
            "AutoMinorVersionUpgrade": upgrades,
            "VpcSecurityGroups": [{"VpcSecurityGroupId": place.open, "Status": "active"}],
            "ReplicationSubnetGroup": {
                "VpcId": place.vpc,
                "Subnets": [{"SubnetIdentifier": name} for name in subnets],
            },
        }

    movers = [
        mover("data-mover", True, place.public, False),
        mover("data-inner", True, place.private, True),
    ]
    lab.answer("dms", "DescribeReplicationInstances", {"ReplicationInstances": movers}, region=MAIN)
    bad, fine = (str(one["ReplicationInstanceArn"]) for one in movers)
    lab.problem("cloud.dms.public", bad, "a public address and a way out", region=MAIN)
    lab.clean("cloud.dms.public", fine, "public, but without a way out", region=MAIN, fools=True)
    lab.problem("cloud.dms.minor-upgrades", bad, "by hand", region=MAIN)
    lab.clean("cloud.dms.minor-upgrades", fine, "automatic", region=MAIN)
    ends = [
        {
            "EndpointIdentifier": name, "EndpointType": "SOURCE", "EngineName": engine, "SslMode": mode,
            "EndpointArn": f"arn:aws:dms:{MAIN}:{lab.account}:endpoint:{name}",
        }
        for name, engine, mode in (
            ("data-clear", "postgres", "none"),
            ("data-tls", "mysql", "verify-ca"),
            ("data-bucket", "s3", "none"),
        )
    ]  # fmt: skip
    lab.answer("dms", "DescribeEndpoints", {"Endpoints": ends}, region=MAIN)
    lab.problem("cloud.dms.tls", ends[0]["EndpointArn"], "in the clear", region=MAIN)
    lab.clean("cloud.dms.tls", ends[1]["EndpointArn"], "over TLS", region=MAIN)
