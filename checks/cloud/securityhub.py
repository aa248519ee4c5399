"""Security Hub: whether findings come together, and whether it looks by itself."""

from __future__ import annotations

from checks.cloud.setting import joined, repair, setting
from checks.facts.cloud.detection import Hubs, HubsStandards
from checks.model import Severity

_SETUP = "https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-settingup.html"
_STANDARDS = "https://docs.aws.amazon.com/securityhub/latest/userguide/standards-reference.html"
FOUNDATIONS = frozenset({"aws-foundational-security-best-practices", "cis-aws-foundations-benchmark"})
"""Standards that look at the settings of every account."""

enabled = setting(
    "cloud.securityhub.enabled",
    Hubs,
    lambda one: one.enabled,
    on="region",
    title="Security Hub is on in every region",
    why="Findings of GuardDuty, Macie and others lie in as many places as there are services and regions "
    "otherwise.",
    severity=Severity.LOW,
    bad="not turned on",
    good="on",
    fix=repair(
        "Turn Security Hub on in all regions",
        "Turn it on from the delegated administrator for all accounts, and bring the regions together in "
        "one.",
        "aws securityhub describe-hub --region @{on} --query HubArn   # an ARN",
        "aws securityhub enable-security-hub --region @{on} --enable-default-standards",
        "aws securityhub disable-security-hub --region @{on}",
        hours=(1.0, 0.1),
        back="Turn it off again.",
        key="securityhub:on @{account}",
        terraform='# With a provider of region @{on}:\nresource "aws_securityhub_account" "on" {\n'
        "  enable_default_standards = true\n}\n",
    ),
    refs=(_SETUP,),
)
standards = setting(
    "cloud.securityhub.standards",
    HubsStandards,
    lambda one: bool(FOUNDATIONS & set(one.names)),
    on="region",
    title="Security Hub looks at the foundations of the account",
    why="Without a standard that is about every account, Security Hub only collects what others find.",
    severity=Severity.LOW,
    bad=lambda one: f"only {joined(one.names)}" if one.names else "on, without a standard",
    good="a standard for every account",
    fix=repair(
        "Turn on the foundational standard of Security Hub",
        "Turn on the foundational best practices, or the CIS benchmark; AWS Config has to record for both.",
        "aws securityhub get-enabled-standards --region @{on} "
        "--query 'StandardsSubscriptions[].[StandardsArn,StandardsStatus]'   # one of the two, READY",
        "arn=$(aws securityhub describe-standards --region @{on} --query "
        "'Standards[?contains(StandardsArn,`aws-foundational-security-best-practices`)].StandardsArn | [0]' "
        "--output text) &&\n"
        "aws securityhub batch-enable-standards --region @{on} "
        '--standards-subscription-requests "StandardsArn=$arn"',
        "arn=$(aws securityhub get-enabled-standards --region @{on} --query "
        "'StandardsSubscriptions[?contains(StandardsArn,`aws-foundational-security-best-practices`)]"
        ".StandardsSubscriptionArn | [0]' --output text) &&\n"
        "aws securityhub batch-disable-standards --region @{on} "
        '--standards-subscription-arns "$arn"',
        back="Turn the standard off again.",
        key="securityhub:standards @{account}",
        terraform="# With a provider of region @{on}:\n"
        'resource "aws_securityhub_standards_subscription" "foundations" {\n  standards_arn = format(\n'
        '    "arn:aws:securityhub:%s::standards/aws-foundational-security-best-practices/v/1.0.0",\n'
        "    @{on}\n  )\n}\n",
    ),
    refs=(_STANDARDS,),
)
