"""Stacks of CloudFormation: what they give away, and how they end."""

from __future__ import annotations

from checks.cloud.setting import joined, repair, setting
from checks.facts.cloud.cloudformation import Stacks
from checks.fix import Fix
from checks.model import Severity

_GUIDE = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide"
_SHOW = "aws cloudformation describe-stacks --region @{region} --stack-name @{name} --query"
_BROKEN = frozenset(
    {
        "CREATE_FAILED",
        "DELETE_FAILED",
        "IMPORT_ROLLBACK_FAILED",
        "ROLLBACK_FAILED",
        "UPDATE_FAILED",
        "UPDATE_ROLLBACK_FAILED",
    }
)
_CDK = 21
"""From this release on the ground refuses a bucket for files that is not the account's own."""


def _by_template(action: str, do: str, query: str) -> Fix:
    return repair(
        action,
        do,
        f"{_SHOW} 'Stacks[0].{query}'",
        # The body is an object where the template is JSON, and a text where it is YAML.
        "aws cloudformation get-template --region @{region} --stack-name @{name} --query TemplateBody "
        "| jq -r 'if type == \"string\" then . else tojson end' > template.before &&\n"
        "cp template.before template.after && ${EDITOR:-vi} template.after &&\n"
        "aws cloudformation create-change-set --region @{region} --stack-name @{name} "
        "--change-set-name take-secrets-out --template-body file://template.after "
        '--parameters "$PARAMETERS" --capabilities CAPABILITY_NAMED_IAM &&\n'
        "# Look at what it changes, then:\n"
        "aws cloudformation execute-change-set --region @{region} --stack-name @{name} "
        "--change-set-name take-secrets-out",
        "aws cloudformation update-stack --region @{region} --stack-name @{name} "
        "--template-body file://template.before "
        '--parameters "$PARAMETERS_BEFORE" --capabilities CAPABILITY_NAMED_IAM',
        back="Update the stack with the saved template.",
        hours=(0.5, 0.5),
        key="cloudformation:secrets @{on}",
    )


parameter_secrets = setting(
    "cloud.cloudformation.parameter-secrets",
    Stacks,
    lambda one: not one.parameters,
    title="Parameters of stacks show no secrets",
    why="Everybody who may look at the stack reads them; only NoEcho or a reference hides a value.",
    severity=Severity.HIGH,
    bad=lambda one: joined(one.parameters),
    good="none",
    fix=_by_template(
        "Take the secrets out of the parameters of stack @{name}",
        "Refer to Secrets Manager by {{resolve:secretsmanager:…}} in the template, take the parameter out of "
        "it, and change the secret: it was readable until now.",
        "Parameters[].ParameterKey",
    ),
    refs=(f"{_GUIDE}/dynamic-references.html",),
)
output_secrets = setting(
    "cloud.cloudformation.output-secrets",
    Stacks,
    lambda one: not one.outputs,
    title="Outputs of stacks show no secrets",
    why="Outputs are never hidden, and exported ones are read by every stack of the region.",
    severity=Severity.HIGH,
    bad=lambda one: joined(one.outputs),
    good="none",
    fix=_by_template(
        "Take the secrets out of the outputs of stack @{name}",
        "Put out the ARN of the secret in the place of its value, and change the secret: it was readable "
        "until now.",
        "Outputs[].OutputKey",
    ),
    refs=(f"{_GUIDE}/outputs-section-structure.html",),
)
termination_protection = setting(
    "cloud.cloudformation.termination-protection",
    Stacks,
    # The stack around a nested one decides for it; one under review has made nothing yet.
    lambda one: None if one.nested or one.status == "REVIEW_IN_PROGRESS" else one.protected,
    title="Stacks cannot be deleted by mistake",
    why="With the stack goes everything that it made and does not expressly keep, data included.",
    severity=Severity.LOW,
    bad="can be deleted in one call",
    good="protected from deletion",
    fix=repair(
        "Protect stack @{name} from deletion",
        "Turn termination protection on where the stack holds more than can be made again.",
        f"{_SHOW} 'Stacks[0].EnableTerminationProtection'  # true",
        "aws cloudformation update-termination-protection --region @{region} --stack-name @{name} "
        "--enable-termination-protection",
        "aws cloudformation update-termination-protection --region @{region} --stack-name @{name} "
        "--no-enable-termination-protection",
    ),
    refs=(f"{_GUIDE}/using-cfn-protect-stacks.html",),
)
state = setting(
    "cloud.cloudformation.state",
    Stacks,
    lambda one: one.status not in _BROKEN,
    title="No stack is stuck half-way",
    why="What a stuck stack holds is neither the old nor the new state, and no fix of it is rolled out.",
    severity=Severity.LOW,
    bad=lambda one: one.status,
    good="not stuck",
    fix=repair(
        "Bring stack @{name} out of its failed state",
        "Read which resource failed and why; mend it, then let the rollback or the deletion go on.",
        f"{_SHOW} 'Stacks[0].[StackStatus, StackStatusReason]'",
        "aws cloudformation describe-stack-events --region @{region} --stack-name @{name} "
        "--query 'StackEvents[?contains(ResourceStatus, `FAILED`)]'\n"
        "# For UPDATE_ROLLBACK_FAILED, when the cause is mended:\n"
        "aws cloudformation continue-update-rollback --region @{region} --stack-name @{name}",
        "# A rollback that went on is not taken back: deploy the stack again.\ntrue",
        back="Deploy the stack again.",
        hours=(0.5, 1.0),
        key="cloudformation:state @{on}",
    ),
    refs=(f"{_GUIDE}/using-cfn-updating-stacks-continueupdaterollback.html",),
)
cdk_bootstrap = setting(
    "cloud.cloudformation.cdk-bootstrap",
    Stacks,
    lambda one: one.bootstrap >= _CDK if one.bootstrap else None,
    title="The CDK's ground refuses buckets of strangers",
    why="Where the bucket of an older release was deleted, whoever makes one of its name gets the templates, "
    "and can change them before they are rolled out.",
    severity=Severity.MEDIUM,
    bad=lambda one: f"release {one.bootstrap}",
    good=f"release {_CDK} or newer",
    fix=repair(
        "Lay the ground of the CDK anew in @{region}",
        "Bootstrap the account and region with a current CDK.",
        f"{_SHOW} \"Stacks[0].Outputs[?OutputKey=='BootstrapVersion'].OutputValue\"  # {_CDK} or more",
        "npx aws-cdk@latest bootstrap aws://@{account}/@{region}",
        "# The older release has the flaw: stay with the new one.\ntrue",
        back="Not needed: the new release serves older applications too.",
        key="cloudformation:cdk @{on}",
    ),
    refs=("https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-env.html",),
)
