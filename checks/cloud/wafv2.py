"""Web application firewalls: whether they stop anything, and what stands before none."""

from __future__ import annotations

from checks.check import check
from checks.cloud.setting import repair, setting
from checks.facts.cloud.apigateway import ApiStage, ApiStages
from checks.facts.cloud.elb import Balancers
from checks.facts.cloud.wafv2 import AclLogs, GuardedBalancers, WebAcls
from checks.fix import Fix
from checks.model import Severity, Surface
from checks.verdict import Verdicts, expect, unknown

_GUIDE = "https://docs.aws.amazon.com/waf/latest/developerguide"
_SCOPE = "case @{on} in *:global/*) scope=CLOUDFRONT ;; *) scope=REGIONAL ;; esac\n"
_ACL = '--region @{region} --scope "$scope" --name @{name} --id @{id}'
_READ = f"{_SCOPE}aws wafv2 get-web-acl {_ACL}"
_UPDATE = (
    f'aws wafv2 update-web-acl {_ACL} --lock-token "$(jq -r .LockToken acl.now.json)" '
    "--cli-input-json file://acl.after.json"
)
# What an update does not say is lost, so all of the former state goes with it.
_KEPT = (
    "{DefaultAction,Description,Rules,VisibilityConfig,CustomResponseBodies,CaptchaConfig,ChallengeConfig,"
    'TokenDomains,AssociationConfig} | with_entries(select(.value != null and .value != ""))'
)
_COMMON = (
    '{Name:"AWSManagedRulesCommonRuleSet",Priority:(([.Rules[].Priority]|max // -1)+1),'
    'Statement:{ManagedRuleGroupStatement:{VendorName:"AWS",Name:"AWSManagedRulesCommonRuleSet"}},'
    "OverrideAction:{None:{}},VisibilityConfig:{SampledRequestsEnabled:true,CloudWatchMetricsEnabled:true,"
    'MetricName:"AWSManagedRulesCommonRuleSet"}}'
)

# Rules that are there and only count begin to stop; where there are none, AWS's common ones come in.
_STOP = (
    "if any(.Rules[]; .OverrideAction.Count) "
    "then .Rules |= map(if .OverrideAction.Count then .OverrideAction = {None:{}} else . end) "
    f"else .Rules += [{_COMMON}] end"
)


def _rules(one: object) -> str:
    count = getattr(one, "rules", 0)
    return f"{count} rules, and all of them only count" if count else "no rule, and everything passes"


rules = setting(
    "cloud.wafv2.rules",
    WebAcls,
    lambda one: one.closed or one.stopping > 0,
    title="Firewalls of web applications stop something",
    why="A firewall whose rules only count looks like protection in every list, and lets every attack pass.",
    severity=Severity.MEDIUM,
    bad=_rules,
    good="at least one rule that turns requests away",
    fix=repair(
        "Let firewall @{name} stop attacks",
        "Add AWS's common rules, or take the override off that lets the rules there only count. Look for a "
        "week at what they would have stopped before.",
        f"{_READ} --query 'WebACL.Rules[].[Name,Action,OverrideAction]'   # one that is not Count",
        f"{_READ} > acl.before.json &&\ncp acl.before.json acl.now.json &&\n"
        f"jq '.WebACL | {_KEPT} | {_STOP}' acl.before.json > acl.after.json &&\n{_UPDATE}",
        f"{_READ} > acl.now.json &&\njq '.WebACL | {_KEPT}' acl.before.json > acl.after.json &&\n{_UPDATE}",
        back="Put the saved rules back.",
        hours=(2.0, 0.5),
        terraform="# In the aws_wafv2_web_acl with name @{name}; rules that are there and only count "
        'lose count {}:\nrule {\n  name     = "AWSManagedRulesCommonRuleSet"\n'
        "  priority = var.free_priority\n  override_action {\n    none {}\n  }\n  statement {\n"
        '    managed_rule_group_statement {\n      name        = "AWSManagedRulesCommonRuleSet"\n'
        '      vendor_name = "AWS"\n    }\n  }\n  visibility_config {\n'
        "    cloudwatch_metrics_enabled = true\n"
        '    metric_name                = "AWSManagedRulesCommonRuleSet"\n'
        "    sampled_requests_enabled   = true\n  }\n}\n",
    ),
    refs=(f"{_GUIDE}/web-acl.html",),
)
logging = setting(
    "cloud.wafv2.logging",
    AclLogs,
    lambda one: one.logged,
    title="Firewalls of web applications record what they see",
    why="What was tried, by whom, and what got through stands in this log and nowhere else.",
    severity=Severity.LOW,
    bad="nothing is recorded",
    good="requests are recorded",
    fix=repair(
        "Record what firewall @{name} sees",
        "Make a log group whose name begins with aws-waf-logs-, and leave fields with passwords and cookies "
        "out by redaction.",
        "aws wafv2 get-logging-configuration --region @{region} --resource-arn @{on}",
        'jq -n --arg a @{on} --arg l "$LOG_GROUP_ARN" \'{ResourceArn:$a,LogDestinationConfigs:[$l],'
        'RedactedFields:[{SingleHeader:{Name:"authorization"}},{SingleHeader:{Name:"cookie"}}]}\' '
        "> logging.json &&\n"
        "aws wafv2 put-logging-configuration --region @{region} --logging-configuration file://logging.json",
        "aws wafv2 delete-logging-configuration --region @{region} --resource-arn @{on}",
        back="Take the logging off; what is recorded stays.",
        hours=(0.5, 0.1),
        terraform='resource "aws_wafv2_web_acl_logging_configuration" "requests" {\n'
        "  resource_arn            = @{on}\n  log_destination_configs = [var.log_group_arn]\n"
        '  redacted_fields {\n    single_header {\n      name = "authorization"\n    }\n  }\n'
        '  redacted_fields {\n    single_header {\n      name = "cookie"\n    }\n  }\n}\n',
    ),
    refs=(f"{_GUIDE}/logging.html",),
)


def _before(what: str) -> Fix:
    return repair(
        f"Put a firewall before {what}",
        "Make a web ACL with AWS's managed rules, in counting mode first, and put it before this address.",
        "aws wafv2 get-web-acl-for-resource --region @{region} --resource-arn @{on} --query WebACL.Name",
        'aws wafv2 associate-web-acl --region @{region} --web-acl-arn "$WEB_ACL_ARN" --resource-arn @{on}',
        "aws wafv2 disassociate-web-acl --region @{region} --resource-arn @{on}",
        back="Take the web ACL away from it.",
        hours=(2.0, 0.25),
        terraform='resource "aws_wafv2_web_acl_association" "before" {\n  resource_arn = @{on}\n'
        "  web_acl_arn  = var.web_acl_arn\n}\n",
    )


@check(
    "cloud.wafv2.balancers",
    title="A firewall stands before load balancers on the internet",
    severity=Severity.LOW,
    surface=Surface.CONTROL_PLANE,
    fix=_before("load balancer @{name}"),
    refs=(f"{_GUIDE}/waf-chapter.html",),
)
def balancers(found: Balancers, guarded: GuardedBalancers) -> Verdicts:
    """Known attacks and floods are stopped before they reach the application."""
    for one in found.balancers:
        # The other kinds pass on connections, and nothing can look into them.
        if one.kind != "application" or not one.public:
            continue
        held = one.arn in guarded.arns
        if not held and one.region not in guarded.regions:
            yield unknown(one.arn, "not every firewall of the region was read", where=one.region)
        else:
            yield expect(
                held,
                on=one.arn,
                where=one.region,
                saw="a firewall" if held else "no firewall",
                want="a firewall",
                values={"name": one.name},
            )


def _stage(one: ApiStage) -> bool | None:
    return None if one.kind != "REST" or one.private else bool(one.firewall)


api_stages = setting(
    "cloud.wafv2.api-stages",
    ApiStages,
    _stage,
    records="stages",
    title="A firewall stands before APIs on the internet",
    why="Known attacks and floods are stopped before they reach the API.",
    severity=Severity.LOW,
    bad="no firewall",
    good="a firewall",
    fix=_before("stage @{name} of API @{id}"),
    refs=(
        "https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-control-access-aws-waf.html",
    ),
)
