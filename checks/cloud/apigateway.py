"""API Gateway: who may call, and under which names."""

from __future__ import annotations

from collections.abc import Iterator

from checks.check import check
from checks.cloud.openness import openings
from checks.facts.cloud.apigateway import (
    Api,
    ApiBackends,
    ApiDomains,
    ApiMappings,
    ApiMethods,
    Apis,
    ApiStages,
)
from checks.fix import Effort, Fix, Language, Snippet
from checks.model import Confidence, Exploit, Exposure, Impact, Severity, Surface
from checks.verdict import Verdict, Verdicts, expect, not_applicable, unknown

_GUIDE = "https://docs.aws.amazon.com/apigateway/latest/developerguide"
_SHOWN = 5
"""Names of methods that a report shows."""
_REST = "--region @{region} --rest-api-id @{id}"
_NEWER = "--region @{region} --api-id @{id}"


def _both(rest: str, newer: str) -> str:
    """A command for each kind of API."""
    return f"case @{{on}} in\n*/restapis/*) {rest} ;;\n*) {newer} ;;\nesac"


class _Doors:
    """The names under which an API is reached, and whether they ask for a client's certificate."""

    def __init__(self, domains: ApiDomains, mappings: ApiMappings) -> None:
        mutual = {(one.region, one.name): one.mutual for one in domains.domains}
        read = {(one.region, one.domain): one for one in mappings.mappings}
        self._told = [(one, mutual[key]) for key, one in read.items() if key in mutual]
        self._whole = set(domains.regions) - {key[0] for key in mutual if key not in read}

    def domains(self, api: Api) -> Iterator[tuple[str, bool]]:
        """The domains that lead to an API."""
        for one, mutual in self._told:
            if one.region == api.region and api.id in one.apis:
                yield one.domain, mutual

    def whole(self, region: str) -> bool:
        """Whether every domain of the region was read."""
        return region in self._whole


@check(
    "cloud.apigateway.open-methods",
    title="APIs on the internet ask who calls",
    severity=Severity.MEDIUM,
    impact=Impact.PARTIAL,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    surface=Surface.DATA,
    fix=Fix(
        action="Ask callers of API @{name} who they are",
        do="Give the open methods an authoriser (IAM, a user pool, a function or JWT), or let a resource "
        "policy name who may call. What is open on purpose, like a sign-in, belongs into an API of its own "
        "with a limit of requests.",
        verify=_both(
            f"aws apigateway get-resources {_REST} --embed methods", f"aws apigatewayv2 get-routes {_NEWER}"
        )
        + "   # no method whose authorisation is NONE",
        effort=Effort(setup=1.0, each=1.0),
        undo="Set the authorisation of the method back to NONE and publish the stage again.",
        key="apigateway:authorisation @{region}/@{id}",
        snippets=(
            Snippet(
                Language.TERRAFORM,
                "# In each open aws_api_gateway_method (aws_apigatewayv2_route: "
                "authorization_type) of API @{id},\n"
                '# once its callers sign what they ask:\nauthorization = "AWS_IAM"\n',
            ),
        ),
    ),
    refs=(f"{_GUIDE}/apigateway-control-access-to-api.html",),
)
def open_methods(
    found: Apis, methods: ApiMethods, stages: ApiStages, domains: ApiDomains, mappings: ApiMappings
) -> Verdicts:
    """Whoever finds the address of the API calls it as they like, and what lies behind does the work."""
    ways = {one.arn: one for one in methods.apis}
    published = {one.api for one in stages.stages}
    doors = _Doors(domains, mappings)
    for api in found.apis:
        if api.arn not in ways or api.arn not in stages.apis:
            continue
        if api.arn not in published:
            yield not_applicable(api.arn, "it has no stage, so it is published nowhere", where=api.region)
        else:
            yield _open(api, ways[api.arn].open, ways[api.arn].count, doors)


def _open(  # noqa: PLR0911 - one return for each reason
    api: Api, free: tuple[str, ...], count: int, doors: _Doors
) -> Verdict:
    opened = openings(api.policy) if api.policy is not None else ()
    names = dict(doors.domains(api))
    guarded = not api.default and all(names.values())
    if not free:
        return _answer(api, f"all {count} ways in ask who calls" if count else "no way in")
    if api.private:
        return _answer(api, "only VPC endpoints reach it")
    if api.unread:
        return unknown(api.arn, f"its policy: {api.unread}", where=api.region)
    if api.policy is not None and not opened:
        return _answer(api, "its policy names who may call")
    if guarded and not doors.whole(api.region):
        return unknown(api.arn, "not every domain of the region was read", where=api.region)
    if guarded:
        held = "only names that ask for a client certificate lead to it" if names else "no name leads to it"
        return _answer(api, held)
    told = ", ".join(free[:_SHOWN]) + (f" and {len(free) - _SHOWN} more" if len(free) > _SHOWN else "")
    certain = not opened or any(one.certain for one in opened)
    return _answer(api, f"nobody is asked at {told}", bad=True, certain=certain)


def _answer(api: Api, saw: str, *, bad: bool = False, certain: bool = True) -> Verdict:
    return expect(
        not bad,
        on=api.arn,
        where=api.region,
        saw=saw,
        want="an authoriser, a key, or a policy that names who may call",
        confidence=Confidence.CONFIRMED if certain else Confidence.LIKELY,
        exposure=Exposure.INTERNET_OPEN if bad else None,
        exposure_evidence=f"{api.name}: {saw}, and its name is open to the internet" if bad else "",
        values={"name": api.name, "id": api.id},
    )


_READ_POLICY = f"aws apigateway get-rest-api {_REST}"
_PATCH = f"aws apigateway update-rest-api {_REST} --patch-operations file://patch.json"
# The service hands its policy out with a backslash before each quotation mark.
_AS_TEXT = '.policy|"\\"\\(.)\\""|fromjson'


@check(
    "cloud.apigateway.private-policy",
    title="Private APIs say which networks may call",
    severity=Severity.MEDIUM,
    surface=Surface.CONTROL_PLANE,
    fix=Fix(
        action="Name the VPC endpoints that may call private API @{name}",
        do="Add a statement to its policy that denies execute-api:Invoke to everybody whose aws:SourceVpce "
        "is not yours, and publish the stages again.",
        verify=f"{_READ_POLICY} --query policy   # with aws:SourceVpce",
        effort=Effort(setup=0.5, each=0.25),
        undo="Put the saved policy back and publish again.",
        key="apigateway:policy @{region}/@{id}",
        snippets=(
            Snippet(
                Language.AWS_CLI,
                f"{_READ_POLICY} > api.before.json &&\n"
                f'jq --arg e "$VPC_ENDPOINT_ID" \'{_AS_TEXT}|fromjson'
                '|.Statement += [{Effect:"Deny",Principal:"*",Action:"execute-api:Invoke",'
                'Resource:"execute-api:/*",Condition:{StringNotEquals:{"aws:SourceVpce":$e}}}]'
                '|[{op:"replace",path:"/policy",value:tojson}]\' api.before.json > patch.json &&\n'
                f"{_PATCH}",
                f'jq \'[{{op:"replace",path:"/policy",value:({_AS_TEXT})}}]\' api.before.json '
                "> patch.json &&\n"
                f"{_PATCH}",
            ),
            Snippet(
                Language.TERRAFORM,
                "# In the aws_iam_policy_document of the aws_api_gateway_rest_api_policy of API @{id}:\n"
                'statement {\n  effect    = "Deny"\n  actions   = ["execute-api:Invoke"]\n'
                '  resources = ["execute-api:/*"]\n  principals {\n    type        = "*"\n'
                '    identifiers = ["*"]\n  }\n  condition {\n    test     = "StringNotEquals"\n'
                '    variable = "aws:SourceVpce"\n    values   = [var.vpc_endpoint_id]\n  }\n}\n',
            ),
        ),
    ),
    refs=(f"{_GUIDE}/apigateway-private-api-create.html",),
)
def private_policy(found: Apis) -> Verdicts:
    """Private means only that a VPC endpoint leads to it; a policy open to all lets that be anybody's."""
    for api in found.apis:
        if api.private and api.unread:
            yield unknown(api.arn, f"its policy: {api.unread}", where=api.region)
        elif api.private:
            # Without any policy nobody can call a private API.
            opened = openings(api.policy) if api.policy is not None else ()
            certain = not opened or any(one.certain for one in opened)
            yield expect(
                not opened,
                on=api.arn,
                where=api.region,
                saw="; ".join(one.words for one in opened) or "nobody but whom its policy names",
                want="only networks that the policy names",
                confidence=Confidence.CONFIRMED if certain else Confidence.LIKELY,
                values={"name": api.name, "id": api.id},
            )


def _switch(off: str, flag: str) -> str:
    return _both(
        f"aws apigateway update-rest-api {_REST} --patch-operations "
        f"op=replace,path=/disableExecuteApiEndpoint,value={off}",
        f"aws apigatewayv2 update-api {_NEWER} {flag}",
    )


@check(
    "cloud.apigateway.default-endpoint",
    title="APIs with a domain of their own answer under no other name",
    severity=Severity.LOW,
    surface=Surface.CONTROL_PLANE,
    fix=Fix(
        action="Switch off the default name of API @{name}",
        do="Move the callers that still use the execute-api name to the domain, then switch that name off. A "
        "REST API is published again afterwards.",
        verify="curl --silent --output /dev/null --write-out '%{http_code}' @{url}   # 403 or 404",
        effort=Effort(setup=0.25, each=0.25),
        undo="The same call with false; a REST API is published again.",
        key="apigateway:default-endpoint @{region}/@{id}",
        snippets=(
            Snippet(
                Language.AWS_CLI,
                _switch("true", "--disable-execute-api-endpoint"),
                _switch("false", "--no-disable-execute-api-endpoint"),
            ),
            Snippet(
                Language.TERRAFORM,
                "# In the aws_api_gateway_rest_api or aws_apigatewayv2_api with id @{id}:\n"
                "disable_execute_api_endpoint = true\n",
            ),
        ),
    ),
    refs=(f"{_GUIDE}/rest-api-disable-default-endpoint.html",),
)
def default_endpoint(found: Apis, domains: ApiDomains, mappings: ApiMappings) -> Verdicts:
    """The name that AWS gave leads past what guards the domain: client certificates and newest TLS."""
    doors = _Doors(domains, mappings)
    for api in found.apis:
        names = dict(doors.domains(api))
        if names and not api.private:
            past = "past the client certificates of" if any(names.values()) else "beside"
            saw = f"the execute-api name answers, {past} {', '.join(sorted(names))}"
            yield expect(
                not api.default,
                on=api.arn,
                where=api.region,
                saw=saw if api.default else "only its domain answers",
                want="only its domain answers",
                severity=Severity.HIGH if any(names.values()) and api.default else None,
                values={
                    "name": api.name,
                    "id": api.id,
                    "url": f"https://{api.id}.execute-api.{api.region}.amazonaws.com/",
                },
            )


_STAGE = f"{_REST} --stage-name @{{stage}}"


@check(
    "cloud.apigateway.client-certificate",
    title="APIs show their backends a certificate",
    severity=Severity.LOW,
    surface=Surface.CONTROL_PLANE,
    fix=Fix(
        action="Let stage @{stage} of API @{name} show a client certificate",
        do="Make a client certificate, let the backend trust it and refuse everybody who shows none, then "
        "set it at the stage.",
        verify=f"aws apigateway get-stage {_STAGE} --query clientCertificateId",
        effort=Effort(setup=2.0, each=0.5),
        undo="Take the certificate off the stage, and let the backend answer without.",
        key="apigateway:certificate @{region}/@{id}/@{stage}",
        snippets=(
            Snippet(
                Language.AWS_CLI,
                "aws apigateway generate-client-certificate --region @{region} --query clientCertificateId "
                "--output text > certificate.id &&\n"
                f"aws apigateway update-stage {_STAGE} "
                '--patch-operations "op=replace,path=/clientCertificateId,value=$(cat certificate.id)"',
                f"aws apigateway update-stage {_STAGE} "
                "--patch-operations op=replace,path=/clientCertificateId,value=",
            ),
            Snippet(
                Language.TERRAFORM,
                'resource "aws_api_gateway_client_certificate" "shown" {}\n'
                "# In the aws_api_gateway_stage with name @{stage} of API @{id}:\n"
                "client_certificate_id = aws_api_gateway_client_certificate.shown.id\n",
            ),
        ),
    ),
    refs=(f"{_GUIDE}/getting-started-client-side-ssl-authentication.html",),
)
def client_certificate(stages: ApiStages, backends: ApiBackends) -> Verdicts:
    """A backend that cannot tell the API from anybody else is called past every guard of the API."""
    servers = {one.arn: one for one in backends.apis}
    good = "a certificate is shown"
    for one in stages.stages:
        api = servers.get(one.api)
        if one.kind == "REST" and api is not None and api.servers:
            yield expect(
                one.certificate,
                on=one.arn,
                where=one.region,
                saw=good if one.certificate else f"none to {', '.join(api.servers[:_SHOWN])}",
                want=good,
                values={"name": api.name, "id": api.id, "stage": one.name},
            )
