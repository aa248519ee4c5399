"""The network that stores are planted into: subnets with and without a way out, and groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.lab.planted_account import Lab, Peers, name_peers

STRANGER = "999988887777"


@dataclass(frozen=True)
class Ground:
    """A network of one region: subnets with a route to the internet and without, and four groups.

    `open` lets everybody in, `halves` lets both halves of the internet in, `listed` the same by a prefix
    list, `closed` an office alone.
    """

    vpc: str
    public: tuple[str, ...]
    private: tuple[str, ...]
    open: str
    halves: str
    listed: str
    closed: str


def ground(lab: Lab, region: str) -> Ground:
    """The network of that region, made when it is asked for first."""
    ec2 = lab.client("ec2", region)
    tagged = [{"Name": "tag:Name", "Values": ["data"]}]
    found = ec2.describe_vpcs(Filters=tagged)["Vpcs"]
    if not found:
        return _made(lab, region)
    vpc = found[0]["VpcId"]
    within = [{"Name": "vpc-id", "Values": [vpc]}]
    subnets = ec2.describe_subnets(Filters=within)["Subnets"]
    groups = {
        one["GroupName"]: one["GroupId"]
        for one in ec2.describe_security_groups(Filters=within)["SecurityGroups"]
    }
    by_name = {
        kind: tuple(
            sorted(
                one["SubnetId"]
                for one in subnets
                if {"Key": "Name", "Value": f"data-{kind}"} in one.get("Tags", [])
            )
        )
        for kind in ("public", "private")
    }
    return Ground(
        vpc,
        by_name["public"],
        by_name["private"],
        *(groups[f"data-{name}"] for name in ("open", "halves", "listed", "closed")),
    )


def _made(lab: Lab, region: str) -> Ground:
    ec2 = lab.client("ec2", region)
    vpc = ec2.create_vpc(CidrBlock="10.77.0.0/16")["Vpc"]["VpcId"]
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": "Name", "Value": "data"}])
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    for number, (kind, zone) in enumerate((k, z) for k in ("public", "private") for z in "ab"):
        made = ec2.create_subnet(
            VpcId=vpc, CidrBlock=f"10.77.{number}.0/24", AvailabilityZone=f"{region}{zone}"
        )
        name = made["Subnet"]["SubnetId"]
        ec2.create_tags(Resources=[name], Tags=[{"Key": "Name", "Value": f"data-{kind}"}])
        if kind == "public":
            ec2.associate_route_table(RouteTableId=table, SubnetId=name)
    for name, cidrs in (
        ("data-open", ("0.0.0.0/0",)),
        ("data-halves", ("0.0.0.0/1", "128.0.0.0/1")),
        ("data-closed", ("198.51.100.0/24",)),
    ):
        group = ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
        ranges = [{"CidrIp": cidr} for cidr in cidrs]
        permission = {"IpProtocol": "tcp", "FromPort": 1024, "ToPort": 65535, "IpRanges": ranges}
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])
    _listed(ec2, vpc)
    place = ground(lab, region)
    rds, redshift = lab.client("rds", region), lab.client("redshift", region)
    for kind, subnets in (("public", place.public), ("private", place.private)):
        rds.create_db_subnet_group(
            DBSubnetGroupName=f"data-{kind}", DBSubnetGroupDescription=kind, SubnetIds=list(subnets)
        )
        redshift.create_cluster_subnet_group(
            ClusterSubnetGroupName=f"data-{kind}", Description=kind, SubnetIds=list(subnets)
        )
    return place


def _listed(ec2: Any, vpc: str) -> None:
    """A group that lets in what a prefix list names, which is the whole internet in two halves."""
    made = ec2.create_managed_prefix_list(
        PrefixListName="data-world", MaxEntries=2, AddressFamily="IPv4",
        Entries=[{"Cidr": "0.0.0.0/1"}, {"Cidr": "128.0.0.0/1"}],
    )["PrefixList"]["PrefixListId"]  # fmt: skip
    group = ec2.create_security_group(GroupName="data-listed", Description="by list", VpcId=vpc)["GroupId"]
    lists = [{"PrefixListId": made}]
    permission = {"IpProtocol": "tcp", "FromPort": 1024, "ToPort": 65535, "PrefixListIds": lists}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])


PEERS: Peers = {
    "cloud.dms.minor-upgrades": (("dms_instance_minor_version_upgrade_enabled",), ()),
    "cloud.dms.public": (("dms_instance_no_public_access",), ()),
    "cloud.dms.tls": (("dms_endpoint_ssl_enabled",), ()),
    "cloud.dynamodb.continuous-backup": (("dynamodb_tables_pitr_enabled",), ()),
    "cloud.dynamodb.deletion-protection": (("dynamodb_table_deletion_protection_enabled",), ()),
    "cloud.dynamodb.outsiders": (("dynamodb_table_cross_account_access",), ()),
    "cloud.dynamodb.own-key": (("dynamodb_tables_kms_cmk_encryption_enabled",), ()),
    "cloud.dynamodb.public": (("dynamodb_table_cross_account_access",), ()),
    "cloud.elasticache.authentication": (("elasticache_redis_replication_group_auth_enabled",), ()),
    "cloud.elasticache.backups": (("elasticache_redis_cluster_backup_enabled",), ()),
    "cloud.elasticache.encryption": (("elasticache_redis_cluster_rest_encryption_enabled",), ()),
    "cloud.elasticache.minor-upgrades": (("elasticache_redis_cluster_auto_minor_version_upgrades",), ()),
    "cloud.elasticache.transit-encryption": (
        ("elasticache_redis_cluster_in_transit_encryption_enabled",),
        (),
    ),
    "cloud.elasticache.zones": (("elasticache_redis_cluster_multi_az_enabled",), ()),
    "cloud.kinesis.delivery-encryption": (("firehose_stream_encrypted_at_rest",), ()),
    "cloud.kinesis.encryption": (("kinesis_stream_encrypted_at_rest",), ()),
    "cloud.kinesis.retention": (("kinesis_stream_data_retention_period",), ()),
    "cloud.mq.logs": (("mq_broker_logging_enabled",), ()),
    "cloud.mq.minor-upgrades": (("mq_broker_auto_minor_version_upgrades",), ()),
    "cloud.mq.public": (("mq_broker_not_publicly_accessible",), ()),
    "cloud.mq.zones": (("mq_broker_active_deployment_mode", "mq_broker_cluster_deployment_mode"), ()),
    "cloud.msk.authentication": (("kafka_cluster_unrestricted_access_disabled",), ()),
    "cloud.msk.public": (("kafka_cluster_is_public",), ()),
    "cloud.msk.supported-release": (("kafka_cluster_uses_latest_version",), ()),
    "cloud.msk.tls": (("kafka_cluster_in_transit_encryption_enabled",), ()),
    "cloud.opensearch.audit-logs": (("opensearch_service_domains_audit_logging_enabled",), ()),
    "cloud.opensearch.between-nodes": (("opensearch_service_domains_node_to_node_encryption_enabled",), ()),
    "cloud.opensearch.encryption": (("opensearch_service_domains_encryption_at_rest_enabled",), ()),
    "cloud.opensearch.fine-grained": (("opensearch_service_domains_access_control_enabled",), ()),
    "cloud.opensearch.https": (("opensearch_service_domains_https_communications_enforced",), ()),
    "cloud.opensearch.public": (("opensearch_service_domains_not_publicly_accessible",), ()),
    "cloud.opensearch.updates": (
        ("opensearch_service_domains_updated_to_the_latest_service_software_version",),
        (),
    ),
    "cloud.rds-clusters.iam-sign-in": (
        ("rds_cluster_iam_authentication_enabled", "neptune_cluster_iam_authentication_enabled"),
        (),
    ),
    "cloud.rds-clusters.logs": (
        (
            "documentdb_cluster_cloudwatch_log_export",
            "neptune_cluster_integration_cloudwatch_logs",
            "rds_cluster_integration_cloudwatch_logs",
        ),
        (),
    ),
    "cloud.rds-clusters.zones": (
        ("documentdb_cluster_multi_az_enabled", "neptune_cluster_multi_az", "rds_cluster_multi_az"),
        (),
    ),
    "cloud.rds-settings.admin-name": (("rds_instance_default_admin",), ()),
    "cloud.rds-settings.backups": (
        ("rds_instance_backup_enabled",),
        ("rds-instance-backup-disabled", "rds-instance-short-backup-retention-period"),
    ),
    "cloud.rds-settings.cluster-backups": (
        ("documentdb_cluster_backup_enabled", "neptune_cluster_backup_enabled"),
        (),
    ),
    "cloud.rds-settings.cluster-deletion-protection": (
        (
            "documentdb_cluster_deletion_protection",
            "neptune_cluster_deletion_protection",
            "rds_cluster_deletion_protection",
        ),
        (),
    ),
    "cloud.rds-settings.cluster-encryption": (
        (
            "documentdb_cluster_storage_encrypted",
            "neptune_cluster_storage_encrypted",
            "rds_cluster_storage_encrypted",
        ),
        (),
    ),
    "cloud.rds-settings.deletion-protection": (("rds_instance_deletion_protection",), ()),
    "cloud.rds-settings.iam-sign-in": (("rds_instance_iam_authentication_enabled",), ()),
    "cloud.rds-settings.logs": (("rds_instance_integration_cloudwatch_logs",), ()),
    "cloud.rds-settings.snapshot-encryption": (("rds_snapshots_encrypted",), ()),
    "cloud.rds-settings.snapshot-sharing": (("rds_snapshots_public_access",), ("rds-snapshot-public",)),
    "cloud.rds-settings.supported-release": (
        ("rds_instance_deprecated_engine_version", "rds_instance_extended_support"),
        (),
    ),
    "cloud.rds-settings.zones": (("rds_instance_multi_az",), ("rds-instance-single-az",)),
    "cloud.rds-snapshots.cluster-encryption": (
        ("neptune_cluster_snapshot_encrypted", "rds_snapshots_encrypted"),
        (),
    ),
    "cloud.rds-snapshots.cluster-sharing": (
        (
            "documentdb_cluster_public_snapshot",
            "neptune_cluster_public_snapshot",
            "rds_snapshots_public_access",
        ),
        ("rds-snapshot-public",),
    ),
    "cloud.rds.authority": (
        ("rds_instance_certificate_expiration",),
        ("rds-instance-ca-certificate-deprecated",),
    ),
    "cloud.rds.encryption": (("rds_instance_storage_encrypted",), ("rds-instance-storage-not-encrypted",)),
    "cloud.rds.minor-upgrades": (
        ("rds_instance_minor_version_upgrade_enabled",),
        ("rds-instance-no-minor-upgrade",),
    ),
    "cloud.rds.reachable": (("rds_instance_no_public_access",), ("rds-instance-publicly-accessible",)),
    "cloud.rds.tls-only": (("rds_instance_transport_encrypted",), ()),
    "cloud.redshift.admin-name": (("redshift_cluster_non_default_username",), ()),
    "cloud.redshift.audit-log": (("redshift_cluster_audit_logging",), ()),
    "cloud.redshift.backups": (("redshift_cluster_automated_snapshot",), ()),
    "cloud.redshift.encryption": (
        ("redshift_cluster_encrypted_at_rest",),
        ("redshift-cluster-database-not-encrypted",),
    ),
    "cloud.redshift.public": (
        ("redshift_cluster_public_access",),
        ("redshift-cluster-publicly-accessible",),
    ),
    "cloud.redshift.query-log": ((), ("redshift-parameter-group-logging-disabled",)),
    "cloud.redshift.tls-only": (
        ("redshift_cluster_in_transit_encryption_enabled",),
        ("redshift-parameter-group-ssl-not-required",),
    ),
    "cloud.redshift.upgrades": (
        ("redshift_cluster_automatic_upgrades",),
        ("redshift-cluster-no-version-upgrade",),
    ),
    "cloud.redshift.vpc-routing": (("redshift_cluster_enhanced_vpc_routing",), ()),
    "cloud.ssm.managed": (("ec2_instance_managed_by_ssm",), ()),
    "cloud.ssm.patches": (("ssm_managed_compliant_patching",), ()),
    "cloud.ssm.shared-documents": (("ssm_documents_set_as_public",), ()),
}
"""By check: the checks of Prowler and of ScoutSuite that would count as finding the same."""


def with_peers(lab: Lab, first: int) -> None:
    """Says of everything that was planted from there on how other tools would name and find it."""
    name_peers(lab, first, PEERS)
