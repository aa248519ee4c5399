"""Managed databases and clusters, their parameter groups, and the snapshots that somebody shared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.lab.account_data import STRANGER, Ground, ground, with_peers
from tests.lab.planted_account import MAIN, OTHER, Lab

PASSWORD = "Correct-Horse-Battery-1"


@dataclass(frozen=True)
class Databases:
    """What is needed to plant one database after the other in one region."""

    lab: Lab
    region: str
    ground: Ground

    def one(self, name: str, **more: Any) -> str:
        """A database; its ARN."""
        given = {
            "DBInstanceClass": "db.t3.micro",
            "Engine": "postgres",
            "EngineVersion": "16.3",
            "MasterUsername": "keeper",
            "MasterUserPassword": PASSWORD,
            "AllocatedStorage": 20,
            "DBSubnetGroupName": "data-private",
            "VpcSecurityGroupIds": [self.ground.closed],
            "PubliclyAccessible": False,
            "StorageEncrypted": True,
            "CACertificateIdentifier": "rds-ca-rsa2048-g1",
            **more,
        }
        rds = self.lab.client("rds", self.region)
        return str(rds.create_db_instance(DBInstanceIdentifier=name, **given)["DBInstance"]["DBInstanceArn"])

    def member(self, name: str, cluster: str, engine: str) -> str:
        """A member of a cluster; its ARN."""
        rds = self.lab.client("rds", self.region)
        made = rds.create_db_instance(
            DBInstanceIdentifier=name,
            DBInstanceClass="db.r6g.large",
            Engine=engine,
            DBClusterIdentifier=cluster,
            PubliclyAccessible=False,
        )
        return str(made["DBInstance"]["DBInstanceArn"])

    def cluster(self, name: str, **more: Any) -> str:
        """A cluster; its ARN."""
        given = {
            "Engine": "aurora-postgresql",
            "EngineVersion": "16.4",
            "MasterUsername": "keeper",
            "MasterUserPassword": PASSWORD,
            "StorageEncrypted": True,
            "EnableIAMDatabaseAuthentication": True,
            "EnableCloudwatchLogsExports": ["postgresql"],
            **more,
        }
        rds = self.lab.client("rds", self.region)
        return str(rds.create_db_cluster(DBClusterIdentifier=name, **given)["DBCluster"]["DBClusterArn"])


def plant(lab: Lab) -> None:
    """Builds them in two regions."""
    first = len(lab.planted)
    here = Databases(lab, MAIN, ground(lab, MAIN))
    _doors(here)
    _settings(here)
    _parameters(here)
    _clusters(here)
    _snapshots(here)
    there = Databases(lab, OTHER, ground(lab, OTHER))
    arn = there.one("data-other", PubliclyAccessible=True, DBSubnetGroupName="data-public",
                    VpcSecurityGroupIds=[there.ground.open])  # fmt: skip
    lab.problem("cloud.rds.reachable", arn, "open to the world in the second region", region=OTHER)
    with_peers(lab, first)


def _doors(on: Databases) -> None:
    check, lab, ground_ = "cloud.rds.reachable", on.lab, on.ground
    public = {"PubliclyAccessible": True, "DBSubnetGroupName": "data-public"}
    arn = on.one("data-open", **public, VpcSecurityGroupIds=[ground_.open])
    lab.problem(check, arn, "public, routed, group open", region=MAIN)
    arn = on.one("data-halves", **public, VpcSecurityGroupIds=[ground_.closed, ground_.halves])
    lab.problem(check, arn, "the second group is open, in two halves", region=MAIN, fools=True)
    arn = on.one("data-listed", **public, VpcSecurityGroupIds=[ground_.listed])
    lab.problem(check, arn, "open by a prefix list", region=MAIN, fools=True)
    arn = on.one("data-hidden", **{**public, "DBSubnetGroupName": "data-private"},
                 VpcSecurityGroupIds=[ground_.open])  # fmt: skip
    lab.clean(check, arn, "public and open, but no subnet has a route out", region=MAIN, fools=True)
    arn = on.one("data-office", **public, VpcSecurityGroupIds=[ground_.closed])
    lab.clean(check, arn, "public, but only the office gets in", region=MAIN, fools=True)
    arn = on.one("data-inside", VpcSecurityGroupIds=[ground_.open])
    lab.clean(check, arn, "no public address behind an open group", region=MAIN, fools=True)
    lab.clean("cloud.rds.authority", arn, "a current authority", region=MAIN)
    lab.clean("cloud.rds.encryption", arn, "encrypted", region=MAIN)
    arn = on.one("data-certificate", CACertificateIdentifier="rds-ca-2019")
    lab.problem("cloud.rds.authority", arn, "an authority that has ended", region=MAIN)  # fmt: skip


def _settings(on: Databases) -> None:
    """One database on which nothing is as it should be, and one on which all is."""
    lab = on.lab
    bad = on.one(
        "data-careless", StorageEncrypted=False, AutoMinorVersionUpgrade=False, BackupRetentionPeriod=1,
        DeletionProtection=False, MultiAZ=False, EngineVersion="11.22", MasterUsername="postgres",
        EnableIAMDatabaseAuthentication=False,
    )  # fmt: skip
    fine = on.one(
        "data-careful", AutoMinorVersionUpgrade=True, BackupRetentionPeriod=14, DeletionProtection=True,
        MultiAZ=True, EnableIAMDatabaseAuthentication=True, EnableCloudwatchLogsExports=["postgresql"],
    )  # fmt: skip
    names = (
        "backups",
        "deletion-protection",
        "zones",
        "iam-sign-in",
        "supported-release",
        "admin-name",
        "logs",
    )
    checks = [f"cloud.rds-settings.{name}" for name in names]
    for check in (*checks, "cloud.rds.encryption", "cloud.rds.minor-upgrades"):
        lab.problem(check, bad, "careless", region=MAIN)
        lab.clean(check, fine, "careful", region=MAIN)


def _parameters(on: Databases) -> None:
    check, lab = "cloud.rds.tls-only", on.lab
    rds = lab.client("rds", MAIN)
    for name, family, parameter, value in (
        ("data-pg14-on", "postgres14", "rds.force_ssl", "1"),
        ("data-pg16-off", "postgres16", "rds.force_ssl", "0"),
        ("data-mysql-other", "mysql8.0", "max_connections", "200"),
    ):
        rds.create_db_parameter_group(
            DBParameterGroupName=name, DBParameterGroupFamily=family, Description=name
        )
        rds.modify_db_parameter_group(
            DBParameterGroupName=name,
            Parameters=[
                {"ParameterName": parameter, "ParameterValue": value, "ApplyMethod": "pending-reboot"}
            ],
        )
    arn = on.one("data-pg14", EngineVersion="14.12")
    lab.problem(check, arn, "the default of release 14 answers the clear", region=MAIN)
    arn = on.one("data-pg16-off", EngineVersion="16.3", DBParameterGroupName="data-pg16-off")
    lab.problem(check, arn, "turned off, where the default would refuse", region=MAIN, fools=True)
    arn = on.one(
        "data-mysql", Engine="mysql", EngineVersion="8.0.36", DBParameterGroupName="data-mysql-other"
    )
    lab.problem(check, arn, "a group of its own that says nothing of TLS", region=MAIN, fools=True)
    arn = on.one("data-pg14-on", EngineVersion="14.12", DBParameterGroupName="data-pg14-on")
    lab.clean(check, arn, "an old release that was told to refuse", region=MAIN)
    arn = on.one("data-pg16", EngineVersion="16.3")
    lab.clean(check, arn, "the default of release 16 refuses", region=MAIN, fools=True)


def _clusters(on: Databases) -> None:
    lab = on.lab
    rds = lab.client("rds", MAIN)
    rds.create_db_cluster_parameter_group(
        DBClusterParameterGroupName="data-aurora-tls", DBParameterGroupFamily="aurora-postgresql14",
        Description="tls",
    )  # fmt: skip
    rds.modify_db_cluster_parameter_group(
        DBClusterParameterGroupName="data-aurora-tls",
        Parameters=[{"ParameterName": "rds.force_ssl", "ParameterValue": "1", "ApplyMethod": "immediate"}],
    )
    bad = on.cluster("data-ledger", EngineVersion="11.21", StorageEncrypted=False,
                     EnableIAMDatabaseAuthentication=False, EnableCloudwatchLogsExports=[])  # fmt: skip
    on.member("data-ledger-1", "data-ledger", "aurora-postgresql")
    for name, note in (
        ("supported-release", "a release without support"),
        ("tls-only", "the default of release 11 answers the clear"),
        ("iam-sign-in", "passwords alone"),
        ("logs", "no logs"),
        ("zones", "one member in one zone"),
    ):
        lab.problem(f"cloud.rds-clusters.{name}", bad, note, region=MAIN)
    kept = ("encryption", "backups", "deletion-protection")
    for name in kept:
        lab.problem(f"cloud.rds-settings.cluster-{name}", bad, "as it was made", region=MAIN)
    fine = on.cluster("data-orders", EngineVersion="14.12", DBClusterParameterGroupName="data-aurora-tls",
                      AvailabilityZones=[f"{MAIN}a", f"{MAIN}b"],
                      BackupRetentionPeriod=14, DeletionProtection=True)  # fmt: skip
    on.member("data-orders-1", "data-orders", "aurora-postgresql")
    on.member("data-orders-2", "data-orders", "aurora-postgresql")
    for name in kept:
        lab.clean(f"cloud.rds-settings.cluster-{name}", fine, "as it should be", region=MAIN)
    for name in ("supported-release", "tls-only", "iam-sign-in", "logs"):
        lab.clean(f"cloud.rds-clusters.{name}", fine, "as it should be", region=MAIN)
    graph = on.cluster(
        "data-graph", Engine="neptune", EngineVersion="1.1.0.0", EnableIAMDatabaseAuthentication=False,
        EnableCloudwatchLogsExports=["audit"],
    )  # fmt: skip
    lab.problem("cloud.rds-clusters.iam-sign-in", graph, "Neptune asks nobody", region=MAIN, fools=True)
    lab.problem("cloud.rds-clusters.supported-release", graph, "one patch older than its line", region=MAIN)
    lab.clean("cloud.rds-clusters.tls-only", graph, "Neptune refuses by itself", region=MAIN, fools=True)


def _snapshots(on: Databases) -> None:
    lab = on.lab
    rds = lab.client("rds", MAIN)
    for name, of, shared in (
        ("data-i-all", "data-careless", ["all"]),
        ("data-i-stranger", "data-careful", [STRANGER]),
        ("data-i-own", "data-careful", [lab.account]),
    ):
        arn = rds.create_db_snapshot(DBSnapshotIdentifier=name, DBInstanceIdentifier=of)["DBSnapshot"][
            "DBSnapshotArn"
        ]
        rds.modify_db_snapshot_attribute(
            DBSnapshotIdentifier=name, AttributeName="restore", ValuesToAdd=shared
        )
        tell = lab.clean if name == "data-i-own" else lab.problem
        tell("cloud.rds-settings.snapshot-sharing", arn, f"shared with {shared[0]}", region=MAIN,
             fools=name == "data-i-own")  # fmt: skip
        tell = lab.problem if of == "data-careless" else lab.clean
        tell("cloud.rds-settings.snapshot-encryption", arn, f"a snapshot of {of}", region=MAIN)
    check = "cloud.rds-snapshots.cluster-sharing"
    cases: tuple[tuple[str, str, list[str], str], ...] = (
        ("data-shared-all", "data-ledger", ["all"], "shared with everybody"),
        ("data-shared-stranger", "data-orders", [STRANGER], "shared with a stranger"),
        ("data-kept", "data-orders", [], "shared with nobody"),
        ("data-own", "data-orders", [lab.account], "shared with the account itself"),
    )
    for name, cluster, shared, note in cases:
        made = rds.create_db_cluster_snapshot(DBClusterSnapshotIdentifier=name, DBClusterIdentifier=cluster)
        arn = made["DBClusterSnapshot"]["DBClusterSnapshotArn"]
        if shared:
            rds.modify_db_cluster_snapshot_attribute(
                DBClusterSnapshotIdentifier=name, AttributeName="restore", ValuesToAdd=shared
            )
        strange = bool({*shared} - {lab.account})
        tell = lab.problem if strange else lab.clean
        tell(check, arn, note, region=MAIN)
        tell = lab.problem if cluster == "data-ledger" else lab.clean
        tell("cloud.rds-snapshots.cluster-encryption", arn, f"a snapshot of {cluster}", region=MAIN)
