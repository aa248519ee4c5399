"""How other tools name and find what is planted among users, roles, rights and the organization."""

from __future__ import annotations

from tests.lab.planted_account import Lab, Peers, name_peers

_ESCALATION = ("iam_policy_allows_privilege_escalation", "iam_inline_policy_allows_privilege_escalation")
PEERS: Peers = {
    "cloud.access-analyzer.external": (("accessanalyzer_enabled",), ()),
    "cloud.accounts.security-contact": (
        (
            "account_maintain_different_contact_details_to_security_billing_and_operations",
            "account_security_contact_information_is_registered",
        ),
        (),
    ),
    "cloud.federation.people": (("iam_check_saml_providers_sts",), ()),
    "cloud.iam-credentials.certificates": (("iam_no_expired_server_certificates_stored",), ()),
    "cloud.iam-credentials.key-made-with-user": (
        ("iam_user_no_setup_initial_access_key",),
        ("iam-user-unused-access-key-initial-setup",),
    ),
    "cloud.iam-credentials.one-key": (
        ("iam_user_two_active_access_key",),
        ("iam-user-with-multiple-access-keys",),
    ),
    "cloud.iam-credentials.root-hardware": (
        ("iam_root_hardware_mfa_enabled",),
        ("iam-root-account-no-hardware-mfa",),
    ),
    "cloud.iam-escalation.one-step": (_ESCALATION, ()),
    "cloud.iam-escalation.several-hops": (_ESCALATION, ()),
    "cloud.iam-rights.all-but": ((), ("iam-managed-policy-allows-NotActions",)),
    "cloud.iam-rights.assume-any-role": (
        ("iam_no_custom_policy_permissive_role_assumption",),
        ("iam-managed-policy-allows-sts-AssumeRole",),
    ),
    "cloud.iam-rights.cloudshell": (("iam_policy_cloudshell_admin_not_attached",), ()),
    "cloud.iam-rights.pass-any-role": ((), ("iam-managed-policy-allows-iam-PassRole",)),
    "cloud.iam-rights.support-role": (("iam_support_role_created",), ("iam-no-support-role",)),
    "cloud.iam-rights.whole-service": (
        ("iam_policy_no_full_access_to_cloudtrail", "iam_policy_no_full_access_to_kms"),
        (),
    ),
    "cloud.iam-roles.external-id": ((), ("iam-assume-role-lacks-external-id-and-mfa",)),
    "cloud.iam-roles.trust-everybody": ((), ("iam-assume-role-policy-allows-all",)),
    "cloud.iam.console-mfa": (("iam_user_mfa_enabled_console_access",), ("iam-user-without-mfa",)),
    "cloud.iam.full-administrator": (
        (
            "iam_aws_attached_policy_no_administrative_privileges",
            "iam_customer_attached_policy_no_administrative_privileges",
            "iam_group_administrator_access_policy",
            "iam_user_administrator_access_policy",
        ),
        ("iam-managed-policy-allows-full-privileges", "iam-managed-policy-allows-NotActions"),
    ),
    "cloud.iam.inline-administrator": (("iam_inline_policy_no_administrative_privileges",), ()),
    "cloud.iam.key-age": (("iam_rotate_access_key_90_days",), ("iam-user-no-Active-key-rotation",)),
    "cloud.iam.unused-credentials": (
        ("iam_user_accesskey_unused", "iam_user_console_access_unused"),
        ("iam-unused-credentials-not-disabled",),
    ),
    "cloud.iam.user-policies": (
        ("iam_policy_attached_only_to_group_or_roles",),
        ("iam-user-with-inline-policies",),
    ),
    "cloud.organization.guardrails": (("organizations_scp_check_deny_regions",), ()),
    "cloud.organization.root-credentials": (("iam_root_credentials_management_enabled",), ()),
    "cloud.passwords.length": (
        ("iam_password_policy_minimum_length_14",),
        ("iam-password-policy-minimum-length",),
    ),
    "cloud.passwords.reuse": (("iam_password_policy_reuse_24",), ("iam-password-policy-reuse-enabled",)),
    "cloud.root.keys": (("iam_no_root_access_key",), ("iam-root-account-with-active-keys",)),
    "cloud.root.mfa": (("iam_root_mfa_enabled",), ("iam-root-account-no-mfa",)),
    "cloud.root.use": (("iam_avoid_root_usage",), ("iam-root-account-used-recently",)),
}
"""By check: the checks of Prowler and of ScoutSuite that would count as finding the same.

A rule of ScoutSuite that takes arguments is known by its name with the arguments filled in.
"""


def with_peers(lab: Lab, first: int) -> None:
    """Says of everything that was planted from there on how other tools would name and find it.

    What is one for the whole account is named by its number, which those tools give it.
    """
    name_peers(lab, first, PEERS, of_account=lambda one: (one.on, lab.account))
