"""How other tools name and find what is planted among trails, logs, alarms and what watches an account."""

from __future__ import annotations

from collections.abc import Mapping

from tests.lab.planted_account import Lab, Peers, name_peers

_PROWLER_ALARM = "cloudwatch_log_metric_filter_"
_PROWLER_CHANGES = "cloudwatch_changes_to_"
_ALARMS: Mapping[str, tuple[str, str]] = {
    "bucket-policies": (f"{_PROWLER_ALARM}for_s3_bucket_policy_changes", "s3-policy-changes"),
    "config-changes": (
        f"{_PROWLER_ALARM}and_alarm_for_aws_config_configuration_changes_enabled",
        "aws-configuration-changes",
    ),
    "failed-sign-ins": (f"{_PROWLER_ALARM}authentication_failures", "console-authentication-failures"),
    "gateways": (f"{_PROWLER_CHANGES}network_gateways_alarm_configured", "network-gateways-changes"),
    "iam-changes": (f"{_PROWLER_ALARM}policy_changes", "iam-policy-changes"),
    "key-deletion": (f"{_PROWLER_ALARM}disable_or_scheduled_deletion_of_kms_cmk", "cmk-deletion"),
    "network-acls": (f"{_PROWLER_CHANGES}network_acls_alarm_configured", "nacl-changes"),
    "networks": (f"{_PROWLER_CHANGES}vpcs_alarm_configured", "vpc-changes"),
    "organization": (f"{_PROWLER_ALARM}aws_organizations_changes", ""),
    "refused-calls": (f"{_PROWLER_ALARM}unauthorized_api_calls", "unauthorized-api-calls"),
    "root-use": (f"{_PROWLER_ALARM}root_usage", "root-usage"),
    "routes": (f"{_PROWLER_CHANGES}network_route_tables_alarm_configured", "route-table-changes"),
    "security-groups": (f"{_PROWLER_ALARM}security_group_changes", "security-group-changes"),
    "sign-in-without-mfa": (f"{_PROWLER_ALARM}sign_in_without_mfa", "signin-without-mfa"),
    "trail-changes": (
        f"{_PROWLER_ALARM}and_alarm_for_cloudtrail_configuration_changes_enabled",
        "cloudtrail-configuration-changes",
    ),
}
PEERS: Peers = {
    "cloud.cloudtrail.every-region": (
        ("cloudtrail_multi_region_enabled", "cloudtrail_multi_region_enabled_logging_management_events"),
        ("cloudtrail-not-configured",),
    ),
    "cloud.cloudtrail.bucket-lock": (("s3_bucket_object_lock",), ()),
    "cloud.cloudtrail.function-calls": (
        ("awslambda_function_invoke_api_operations_cloudtrail_logging_enabled",),
        (),
    ),
    "cloud.cloudtrail.delivery": ((), ("cloudtrail-no-logging",)),
    "cloud.cloudtrail.key": (("cloudtrail_kms_encryption_enabled",), ("cloudtrail-no-encryption-with-kms",)),
    "cloud.cloudtrail.log-group": (
        ("cloudtrail_cloudwatch_logging_enabled",),
        ("cloudtrail-no-cloudwatch-integration",),
    ),
    "cloud.cloudtrail.log-group-delivery": (("cloudtrail_cloudwatch_logging_enabled",), ()),
    "cloud.cloudtrail.object-reads": (
        ("cloudtrail_s3_dataevents_read_enabled",),
        ("cloudtrail-no-data-logging", "cloudtrail-partial-data-logging"),
    ),
    "cloud.cloudtrail.object-writes": (
        ("cloudtrail_s3_dataevents_write_enabled",),
        ("cloudtrail-no-data-logging", "cloudtrail-partial-data-logging"),
    ),
    "cloud.cloudtrail.validation": (
        ("cloudtrail_log_file_validation_enabled",),
        ("cloudtrail-no-log-file-validation",),
    ),
    "cloud.config.recording": (
        ("config_recorder_all_regions_enabled",),
        ("config-recorder-not-configured",),
    ),
    "cloud.guardduty.enabled": (("guardduty_is_enabled",), ()),
    "cloud.guardduty.protections": (
        (
            "guardduty_ec2_malware_protection_enabled",
            "guardduty_eks_audit_log_enabled",
            "guardduty_lambda_protection_enabled",
            "guardduty_rds_protection_enabled",
            "guardduty_runtime_monitoring_enabled",
            "guardduty_s3_protection_enabled",
        ),
        (),
    ),
    "cloud.inspector.functions": (("inspector2_is_enabled",), ()),
    "cloud.inspector.instances": (("inspector2_is_enabled",), ()),
    "cloud.logs.own-key": (("cloudwatch_log_group_kms_encryption_enabled",), ()),
    "cloud.logs.public": (("cloudwatch_log_group_not_publicly_accessible",), ()),
    "cloud.logs.retention": (("cloudwatch_log_group_retention_policy_specific_days_enabled",), ()),
    "cloud.logs.trail-retention": (
        ("cloudwatch_log_group_retention_policy_specific_days_enabled",),
        (),
    ),
    "cloud.macie.enabled": (("macie_is_enabled",), ()),
    "cloud.securityhub.enabled": (("securityhub_enabled",), ()),
    "cloud.securityhub.standards": (("securityhub_enabled",), ()),
    **{
        f"cloud.alarms.{name}": ((prowler,), (f"logs-no-alarm-{scout}",) if scout else ())
        for name, (prowler, scout) in _ALARMS.items()
    },
}
"""By check: the checks of Prowler and of ScoutSuite that would count as finding the same."""


def with_peers(lab: Lab, first: int) -> None:
    """Says of everything that was planted from there on how other tools would name and find it.

    What is one for the whole account is named by its number and its root, what is one for a region by that.
    """
    root = f"arn:aws:iam::{lab.account}:root"
    name_peers(lab, first, PEERS, of_account=lambda one: (one.region or one.on, lab.account, root))
