"""How other tools name and find what is planted among containers, builds, stacks and models."""

from __future__ import annotations

from collections.abc import Mapping

from tests.lab.planted_account import Lab, name_peers

CANARY = "Correct-Horse-Battery-7"
"""A secret that is planted in the clear: it must never show up in what a scan keeps."""
PEERS: Mapping[str, tuple[str, ...]] = {
    "cloud.cloudformation.cdk-bootstrap": ("cloudformation_stack_cdktoolkit_bootstrap_version",),
    "cloud.cloudformation.output-secrets": ("cloudformation_stack_outputs_find_secrets",),
    "cloud.cloudformation.termination-protection": ("cloudformation_stacks_termination_protection_enabled",),
    "cloud.codebuild.environment-secrets": ("codebuild_project_no_secrets_in_variables",),
    "cloud.codebuild.logs": ("codebuild_project_logging_enabled",),
    "cloud.codebuild.public": ("codebuild_project_not_publicly_accessible",),
    "cloud.codebuild.source-secrets": ("codebuild_project_source_repo_url_no_sensitive_credentials",),
    "cloud.cognito.deletion-protection": ("cognito_user_pool_deletion_protection_enabled",),
    "cloud.cognito.guests": ("cognito_identity_pool_guest_access_disabled",),
    "cloud.cognito.passwords": ("cognito_user_pool_password_policy_minimum_length_14",),
    "cloud.cognito.second-factor": ("cognito_user_pool_mfa_enabled",),
    "cloud.cognito.self-sign-up": ("cognito_user_pool_self_registration_disabled",),
    "cloud.cognito.threat-protection": ("cognito_user_pool_advanced_security_enabled",),
    "cloud.ecs.host-namespaces": ("ecs_task_definitions_host_namespace_not_shared",),
    "cloud.ecs.host-network": ("ecs_task_definitions_host_networking_mode_users",),
    "cloud.ecs.logs": ("ecs_task_definitions_logging_enabled",),
    "cloud.ecs.privileged": ("ecs_task_definitions_no_privileged_containers",),
    "cloud.ecs.read-only": ("ecs_task_definitions_containers_readonly_access",),
    "cloud.ecs.secrets": ("ecs_task_definitions_no_environment_secrets",),
    "cloud.eks.deletion-protection": ("eks_cluster_deletion_protection_enabled",),
    "cloud.eks.logs": ("eks_control_plane_logging_all_types_enabled",),
    "cloud.eks.public-endpoint": ("eks_cluster_not_publicly_accessible",),
    "cloud.eks.secrets-key": ("eks_cluster_kms_cmk_encryption_in_secrets_enabled",),
    "cloud.eks.supported-release": ("eks_cluster_uses_a_supported_version",),
    "cloud.stepfunctions.definition-secrets": ("stepfunctions_statemachine_no_secrets_in_definition",),
    "cloud.stepfunctions.logs": ("stepfunctions_statemachine_logging_enabled",),
    "cloud.stepfunctions.own-key": ("stepfunctions_statemachine_encrypted_with_cmk",),
}
"""By check: the checks of Prowler that would count as finding the same."""


def with_peers(lab: Lab, first: int) -> None:
    """Says of everything that was planted from there on how other tools would name and find it."""
    name_peers(lab, first, {check: (prowler, ()) for check, prowler in PEERS.items()})
