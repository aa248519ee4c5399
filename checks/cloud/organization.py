"""The organization: what holds for all accounts, whoever administers them."""

from __future__ import annotations

from checks.check import check
from checks.cloud.setting import repair
from checks.facts.cloud.guardrails import CentralRoot, Guardrails
from checks.model import Impact, Severity, Surface
from checks.verdict import Verdicts, expect

_GUIDE = "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_best-practices.html"


@check(
    "cloud.organization.guardrails",
    title="Service control policies limit all accounts",
    severity=Severity.MEDIUM,
    impact=Impact.PARTIAL,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Limit what any account may do",
        "Begin with a policy that denies leaving the organization, stopping CloudTrail, Config and "
        "GuardDuty, and the "
        "regions that nobody uses; attach it to one unit first, then to the root.",
        "aws organizations list-policies --filter SERVICE_CONTROL_POLICY --query "
        "'Policies[?!AwsManaged].Name'",
        "# Write guardrails.json first.\n"
        "POLICY_ID=$(aws organizations create-policy --type SERVICE_CONTROL_POLICY --name guardrails "
        "--description guardrails --content file://guardrails.json "
        "--query Policy.PolicySummary.Id --output text) &&\n"
        'aws organizations attach-policy --policy-id "$POLICY_ID" --target-id "$UNIT_ID"',
        'aws organizations detach-policy --policy-id "$POLICY_ID" --target-id "$UNIT_ID" &&\n'
        'aws organizations delete-policy --policy-id "$POLICY_ID"',
        hours=(4.0, 0.0),
        back="Detach the policy, then delete it.",
        terraform='resource "aws_organizations_policy" "guardrails" {\n  name    = "guardrails"\n'
        '  type    = "SERVICE_CONTROL_POLICY"\n  content = file("guardrails.json")\n}\n\n'
        'resource "aws_organizations_policy_attachment" "guardrails" {\n'
        "  policy_id = aws_organizations_policy.guardrails.id\n  target_id = var.unit_id\n}\n",
    ),
    refs=("https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html",),
)
def guardrails(found: Guardrails) -> Verdicts:
    """Without them an administrator of one account, or whoever took that over, can switch its records off."""
    names = ", ".join(found.policies)
    nothing = "no policy but AWS's own, which allows everything"
    loose = f"attached to nothing: {', '.join(found.loose)}" if found.loose else nothing
    yield expect(
        bool(found.policies),
        on=found.organization,
        saw=names or loose,
        want="policies of one's own that are attached",
    )


@check(
    "cloud.organization.all-features",
    title="The organization has all features",
    severity=Severity.LOW,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Turn on all features of the organization",
        "Start the change in the management account; invited accounts have to agree. It cannot be taken "
        "back.",
        "aws organizations describe-organization --query Organization.FeatureSet   # ALL",
        "aws organizations enable-all-features",
        "# This cannot be undone.\ntrue",
        back="It cannot be undone.",
        hours=(1.0, 0.0),
        terraform="# In the aws_organizations_organization @{on}; this cannot be undone:\n"
        'feature_set = "ALL"\n',
    ),
    refs=(_GUIDE,),
)
def all_features(found: Guardrails) -> Verdicts:
    """With consolidated billing alone there are no policies that hold in every account."""
    yield expect(
        found.all_features,
        on=found.organization,
        saw="all features" if found.all_features else "consolidated billing alone",
        want="all features",
    )


@check(
    "cloud.organization.root-credentials",
    title="Root credentials of member accounts are managed centrally",
    severity=Severity.LOW,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Manage the root users of member accounts centrally",
        "Turn the feature on in the management account, then delete passwords and keys of the root users of "
        "all members.",
        "aws iam list-organizations-features   # RootCredentialsManagement",
        "aws iam enable-organizations-root-credentials-management",
        "aws iam disable-organizations-root-credentials-management",
        hours=(1.0, 0.0),
        terraform='resource "aws_iam_organizations_features" "root" {\n'
        '  enabled_features = ["RootCredentialsManagement"] # and those that are on already\n}\n',
    ),
    refs=("https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user.html",),
)
def root_credentials(found: CentralRoot) -> Verdicts:
    """Each root user that has a password is a way around every policy of its account."""
    yield expect(
        found.managed,
        on=found.organization,
        saw="managed centrally" if found.managed else "each account has its own",
        want="managed centrally",
    )
