"""GraphQL APIs of AppSync: who may ask, what they are told, what is recorded."""

from __future__ import annotations

from checks.cloud.setting import repair, setting
from checks.facts.cloud.appsync import GraphApis
from checks.fix import Fix
from checks.model import Exploit, Impact, Severity

_GUIDE = "https://docs.aws.amazon.com/appsync/latest/devguide"
_READ = "aws appsync get-graphql-api --region @{region} --api-id @{id}"
_SAVE = f"{_READ} > api.before.json &&\n"
# An update replaces the whole API, so all that it was goes along.
_KEPT = (
    "{apiId,name,logConfig,authenticationType,userPoolConfig,openIDConnectConfig,lambdaAuthorizerConfig,"
    "additionalAuthenticationProviders,xrayEnabled,introspectionConfig,queryDepthLimit,resolverCountLimit,"
    "enhancedMetricsConfig,ownerContact,mergedApiExecutionRoleArn} "
    '| with_entries(select(.value != null and .value != ""))'
)
_UPDATE = "aws appsync update-graphql-api --region @{region} --cli-input-json file://api.after.json"


_TERRAFORM = "# In the aws_appsync_graphql_api with name @{name}:\n"


def _fix(  # noqa: PLR0917 - the columns of a repair
    action: str, do: str, change: str, verify: str, terraform: str, hours: tuple[float, float] = (0.25, 0.1)
) -> Fix:
    return repair(
        action,
        do,
        f"{_READ} --query {verify}",
        f"{_SAVE}jq --arg role \"$LOG_ROLE_ARN\" '.graphqlApi | {_KEPT} | {change}' api.before.json "
        f"> api.after.json &&\n{_UPDATE}",
        f"jq '.graphqlApi | {_KEPT}' api.before.json > api.after.json &&\n{_UPDATE}",
        terraform=terraform,
        back="Put the saved settings back.",
        hours=hours,
    )


api_key = setting(
    "cloud.appsync.api-key",
    GraphApis,
    lambda one: one.sign_in != "API_KEY" if not one.private else None,
    title="GraphQL APIs ask who calls, not only for a key",
    why="The key lies in every copy of the app, so whoever has the app asks for all that the key may see.",
    severity=Severity.MEDIUM,
    impact=Impact.PARTIAL,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    bad="the usual way in is an API key",
    good="callers sign in",
    fix=_fix(
        "Ask callers of GraphQL API @{name} who they are",
        "Make a user pool, an OpenID provider or IAM the usual way in, and leave the key, if at all, to "
        "fields that are public on purpose. Change the clients first.",
        '.authenticationType = "AWS_IAM"',
        "graphqlApi.authenticationType   # not API_KEY",
        _TERRAFORM + 'authentication_type = "AWS_IAM" # once its clients sign what they ask\n',
        (2.0, 2.0),
    ),
    refs=(f"{_GUIDE}/security-authz.html",),
)
logging = setting(
    "cloud.appsync.logging",
    GraphApis,
    lambda one: one.level != "NONE",
    title="GraphQL APIs record errors of fields",
    why="Who tries fields that are not for him leaves traces in this log and nowhere else.",
    severity=Severity.LOW,
    bad="fields are not logged",
    good="errors of fields are logged",
    fix=_fix(
        "Record errors of GraphQL API @{name}",
        "Make a role that lets AppSync write logs, then log errors, without contents.",
        '.logConfig = {fieldLogLevel:"ERROR",cloudWatchLogsRoleArn:$role,excludeVerboseContent:true}',
        "graphqlApi.logConfig",
        _TERRAFORM + "log_config {\n  cloudwatch_logs_role_arn = var.log_role_arn\n"
        '  field_log_level          = "ERROR"\n  exclude_verbose_content  = true\n}\n',
    ),
    refs=(f"{_GUIDE}/monitoring.html",),
)
contents = setting(
    "cloud.appsync.contents",
    GraphApis,
    lambda one: not one.verbose if one.level != "NONE" else None,
    title="GraphQL APIs log no contents of requests",
    why="Tokens and personal data of every request stand in the log, for all who may read logs.",
    severity=Severity.MEDIUM,
    bad=lambda one: f"level {one.level} with headers and contents",
    good="without headers and contents",
    fix=_fix(
        "Log no contents of GraphQL API @{name}",
        "Leave verbose content out of the log, then delete what was logged.",
        ".logConfig.excludeVerboseContent = true",
        "graphqlApi.logConfig.excludeVerboseContent   # true",
        "# In the log_config of the aws_appsync_graphql_api with name @{name}:\n"
        "exclude_verbose_content = true\n",
    ),
    refs=(f"{_GUIDE}/monitoring.html",),
)
introspection = setting(
    "cloud.appsync.introspection",
    GraphApis,
    lambda one: not one.tells if not one.private else None,
    title="GraphQL APIs do not tell their schema to everybody",
    why="One question gives the whole list of fields and changes, also of those that no app shows.",
    severity=Severity.LOW,
    bad="the schema is told",
    good="the schema is not told",
    fix=_fix(
        "Keep the schema of GraphQL API @{name} to yourself",
        "Switch introspection off; tools of developers then need the schema as a file.",
        '.introspectionConfig = "DISABLED"',
        "graphqlApi.introspectionConfig   # DISABLED",
        _TERRAFORM + 'introspection_config = "DISABLED"\n',
    ),
    refs=(f"{_GUIDE}/graphql-api-configuration.html",),
)
firewall = setting(
    "cloud.appsync.firewall",
    GraphApis,
    lambda one: one.firewall if not one.private else None,
    title="A firewall stands before GraphQL APIs on the internet",
    why="Known attacks and floods are stopped before they reach the API.",
    severity=Severity.LOW,
    bad="no firewall",
    good="a firewall",
    fix=repair(
        "Put a firewall before GraphQL API @{name}",
        "Make a web ACL with AWS's managed rules, in counting mode first, and put it before the API.",
        f"{_READ} --query graphqlApi.wafWebAclArn",
        'aws wafv2 associate-web-acl --region @{region} --web-acl-arn "$WEB_ACL_ARN" --resource-arn @{on}',
        "aws wafv2 disassociate-web-acl --region @{region} --resource-arn @{on}",
        terraform='resource "aws_wafv2_web_acl_association" "graph" {\n  resource_arn = @{on}\n'
        "  web_acl_arn  = var.web_acl_arn\n}\n",
        hours=(2.0, 0.25),
        back="Take the web ACL away from it.",
    ),
    refs=(f"{_GUIDE}/WAF-Integration.html",),
)
