"""API Gateway: settings of stages, domains and backends."""

from __future__ import annotations

from checks.cloud.setting import joined, repair, setting
from checks.facts.cloud.apigateway import ApiBackends, ApiDomains, ApiStage, ApiStages
from checks.model import Exploit, Impact, Severity

_GUIDE = "https://docs.aws.amazon.com/apigateway/latest/developerguide"
_FORMAT = "$context.requestId $context.identity.sourceIp $context.httpMethod $context.status"
_TRACED = ".dataTraceEnabled"
_PLAIN = "(.cacheDataEncrypted|not)"
_STAGE = "--region @{region} --rest-api-id @{id} --stage-name @{name}"
_STAGE2 = "--region @{region} --api-id @{id} --stage-name @{name}"
_SET = f"aws apigateway update-stage {_STAGE} --patch-operations"
_SET2 = f"aws apigatewayv2 update-stage {_STAGE2}"


def _both(rest: str, newer: str) -> str:
    """A command for each kind of API."""
    return f"case @{{on}} in\n*/restapis/*) {rest} ;;\n*) {newer} ;;\nesac"


_READ = _both(f"aws apigateway get-stage {_STAGE}", f"aws apigatewayv2 get-stage {_STAGE2}")
_SAVE = f"{{ {_READ}; }} > stage.before.json &&\n"


def _usual(values: str) -> str:
    """Sets defaults of all routes of a stage of the newer kind, and keeps the others."""
    return (
        f"jq '.DefaultRouteSettings + {{{values}}}' stage.before.json > settings.json &&\n"
        f"{_SET2} --default-route-settings file://settings.json"
    )


def _methods(chosen: str, path: str, value: str) -> str:
    """Sets one thing at the methods of a stage that have it otherwise, and nowhere else."""
    return (
        f"jq '[.methodSettings | to_entries[] | select(.value | {chosen}) | "
        f'{{op:"replace",path:("/"+.key+"{path}"),value:"{value}"}}]\' stage.before.json > patch.json &&\n'
        f"{_SET} file://patch.json"
    )


_STAGE_TERRAFORM = (
    "# In the aws_api_gateway_stage or aws_apigatewayv2_stage with name @{name} of API @{id}:\n"
)
_METHODS_TERRAFORM = "# In the aws_api_gateway_method_settings of stage @{name} of REST API @{id}:\n"


def _either(arguments: str) -> str:
    """The same arguments for the stages of each kind of API, in Terraform."""
    lines = "".join(f"  {line}\n" for line in arguments.splitlines())
    return (
        f"{_METHODS_TERRAFORM}settings {{\n{lines}}}\n"
        f"# Or in the aws_apigatewayv2_stage with name @{{name}} of API @{{id}}:\n"
        f"default_route_settings {{\n{lines}}}\n"
    )


access_log = setting(
    "cloud.apigateway-settings.access-log",
    ApiStages,
    lambda one: one.logged,
    records="stages",
    title="Stages of APIs record who called",
    why="Without the log nobody can tell who called what before and after an attack.",
    severity=Severity.MEDIUM,
    bad="no access log",
    good="an access log",
    fix=repair(
        "Record calls at stage @{name} of API @{id}",
        "Make a log group, then name it in the stage with a format that holds caller, address, method and "
        "status.",
        f"{_READ}   # with accessLogSettings",
        _both(
            f'{_SET} "op=replace,path=/accessLogSettings/destinationArn,value=$LOG_GROUP_ARN" '
            f"'op=replace,path=/accessLogSettings/format,value={_FORMAT}'",
            'jq -n --arg a "$LOG_GROUP_ARN" '
            f"'{{DestinationArn:$a,Format:\"{_FORMAT}\"}}' > log.json &&\n"
            f"{_SET2} --access-log-settings file://log.json",
        ),
        _both(
            f"{_SET} op=remove,path=/accessLogSettings",
            f"aws apigatewayv2 delete-access-log-settings {_STAGE2}",
        ),
        terraform=f"{_STAGE_TERRAFORM}access_log_settings {{\n"
        f'  destination_arn = var.log_group_arn\n  format          = "{_FORMAT}"\n}}\n',
        back="Take the log off the stage; what is logged stays.",
        hours=(0.5, 0.1),
    ),
    refs=(f"{_GUIDE}/set-up-logging.html",),
)
throttling = setting(
    "cloud.apigateway-settings.throttling",
    ApiStages,
    lambda one: one.throttled,
    records="stages",
    title="Stages of APIs limit the rate of calls",
    why="All APIs of a region share one limit: who floods one of them takes all of them away, and makes the "
    "functions behind cost money.",
    severity=Severity.LOW,
    bad="only the limit of the whole account",
    good="a limit of its own",
    fix=repair(
        "Limit the rate of calls at stage @{name} of API @{id}",
        "Set a rate a little above the busiest hour of the last month.",
        f"{_READ}   # with a rate below 10000",
        _SAVE
        + _both(
            f"{_SET} 'op=replace,path=/*/*/throttling/rateLimit,value=100' "
            "'op=replace,path=/*/*/throttling/burstLimit,value=200'",
            _usual("ThrottlingRateLimit:100,ThrottlingBurstLimit:200"),
        ),
        _both(
            f"{_SET} 'op=replace,path=/*/*/throttling/rateLimit,value=10000' "
            "'op=replace,path=/*/*/throttling/burstLimit,value=5000'",
            _usual("ThrottlingRateLimit:10000,ThrottlingBurstLimit:5000"),
        ),
        terraform=_either("throttling_rate_limit  = 100\nthrottling_burst_limit = 200"),
        back="Set the limits of the account again: 10000 and 5000 unless support has raised them.",
    ),
    refs=(f"{_GUIDE}/api-gateway-request-throttling.html",),
)


def _cache(one: ApiStage) -> bool | None:
    return None if one.plain_cache is None else not one.plain_cache


cache_encryption = setting(
    "cloud.apigateway-settings.cache-encryption",
    ApiStages,
    _cache,
    records="stages",
    title="Caches of APIs are encrypted",
    why="The cache holds the answers that callers got, with all that is personal in them.",
    severity=Severity.LOW,
    bad=lambda one: f"plain for {joined(one.plain_cache)}",
    good="encrypted",
    fix=repair(
        "Encrypt the cache at stage @{name} of API @{id}",
        "Turn on encryption of cached data wherever answers are cached; the cache is emptied by it.",
        f"aws apigateway get-stage {_STAGE} --query 'methodSettings.*.cacheDataEncrypted'   # true",
        _SAVE + _methods(f".cachingEnabled and {_PLAIN}", "/caching/dataEncrypted", "true"),
        _methods(f".cachingEnabled and {_PLAIN}", "/caching/dataEncrypted", "false"),
        terraform=f"{_METHODS_TERRAFORM}settings {{\n  cache_data_encrypted = true\n}}\n",
    ),
    refs=(f"{_GUIDE}/api-gateway-caching.html",),
)
request_bodies = setting(
    "cloud.apigateway-settings.request-bodies",
    ApiStages,
    lambda one: not one.bodies,
    records="stages",
    title="APIs do not log whole requests and answers",
    why="Passwords, tokens and personal data of every call stand in the log, for all who may read logs.",
    severity=Severity.MEDIUM,
    bad=lambda one: f"logged in full: {joined(one.bodies)}",
    good="requests are not logged in full",
    fix=repair(
        "Stop logging whole requests at stage @{name} of API @{id}",
        "Turn data tracing off, then delete what was logged.",
        f"{_READ}   # no dataTraceEnabled that is true",
        _SAVE + _both(_methods(_TRACED, "/logging/dataTrace", "false"), _usual("DataTraceEnabled:false")),
        _both(_methods(_TRACED, "/logging/dataTrace", "true"), _usual("DataTraceEnabled:true")),
        terraform=_either("data_trace_enabled = false"),
    ),
    refs=(f"{_GUIDE}/set-up-logging.html",),
)
stage_secrets = setting(
    "cloud.apigateway-settings.stage-secrets",
    ApiStages,
    lambda one: not one.secrets,
    records="stages",
    title="Variables of stages hold no secrets",
    why="Everybody who may look at the API reads them, and exports of the stage carry them along.",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    bad=lambda one: f"in the clear: {joined(one.secrets)}",
    good="no secret",
    fix=repair(
        "Take the secrets out of stage @{name} of API @{id}",
        "Change the secret first: it has been read. Keep the new one in Secrets Manager, let the function "
        "behind fetch it, then remove the variable.",
        f"{_READ}   # no such variable",
        _SAVE
        + _both(
            f'{_SET} "op=remove,path=/variables/$VARIABLE"',
            # An empty value takes the variable away.
            'jq -n --arg v "$VARIABLE" \'{($v):""}\' > variables.json &&\n'
            f"{_SET2} --stage-variables file://variables.json",
        ),
        _both(
            'jq --arg v "$VARIABLE" \'[{op:"replace",path:("/variables/"+$v),value:.variables[$v]}]\' '
            f"stage.before.json > patch.json &&\n{_SET} file://patch.json",
            "jq --arg v \"$VARIABLE\" '{($v):.StageVariables[$v]}' stage.before.json > variables.json &&\n"
            f"{_SET2} --stage-variables file://variables.json",
        ),
        back="Set the variable again; the saved file holds the secret, so delete it in the end.",
        hours=(0.5, 0.5),
    ),
    refs=(f"{_GUIDE}/stage-variables.html",),
)
tls = setting(
    "cloud.apigateway-settings.tls",
    ApiDomains,
    lambda one: one.policy != "TLS_1_0",
    records="domains",
    title="Domains of APIs speak TLS 1.2 or newer only",
    why="TLS 1.0 and 1.1 can be broken by whoever is on the way.",
    severity=Severity.MEDIUM,
    bad="TLS 1.0 is spoken",
    good="TLS 1.2 at least",
    fix=repair(
        "Speak current TLS at @{name}",
        "Set the security policy TLS_1_2; clients older than ten years stay out.",
        "aws apigateway get-domain-name --region @{region} --domain-name @{name} --query securityPolicy   "
        "# TLS_1_2",
        "aws apigateway update-domain-name --region @{region} --domain-name @{name} --patch-operations "
        "op=replace,path=/securityPolicy,value=TLS_1_2",
        "aws apigateway update-domain-name --region @{region} --domain-name @{name} --patch-operations "
        "op=replace,path=/securityPolicy,value=TLS_1_0",
        terraform="# In the aws_api_gateway_domain_name with domain_name @{name}:\n"
        'security_policy = "TLS_1_2"\n',
    ),
    refs=(f"{_GUIDE}/apigateway-custom-domain-tls-version.html",),
)
plain_backends = setting(
    "cloud.apigateway-settings.plain-backends",
    ApiBackends,
    lambda one: not one.plain if one.servers else None,
    records="apis",
    title="APIs reach their backends over TLS",
    why="Between the API and its backend lies the internet; callers see a lock and think otherwise.",
    severity=Severity.MEDIUM,
    bad=lambda one: f"plain HTTP to {joined(one.plain)}",
    good="HTTPS to every backend on the internet",
    fix=repair(
        "Reach the backends of API @{name} over TLS",
        "Give the backend a certificate and change the URL of each integration to https, or lead to it "
        "through a VPC link; then publish the stages again.",
        "aws apigateway get-resources --region @{region} --rest-api-id @{id} --embed methods   # no http://",
        back="Change the URLs back and publish again.",
        terraform="# In each aws_api_gateway_integration of API @{id} "
        "(aws_apigatewayv2_integration: integration_uri)"
        "\n# that has a plain address:\nuri = var.backend_url # with https\n",
        hours=(1.0, 0.5),
    ),
    refs=(f"{_GUIDE}/api-gateway-api-integration-types.html",),
)
