"""APIs of all kinds, their stages and domains."""

from __future__ import annotations

import json
from typing import Any

from tests.lab.planted_account import MAIN, OTHER, Lab

SECRET = "Correct-Horse-Stage-1"
TOPIC, SETTINGS = "cloud.apigateway", "cloud.apigateway-settings"
PEER = {
    "open-methods": ("apigateway_restapi_authorizers_enabled", "apigateway_restapi_public_with_authorizer"),
    "access-log": ("apigateway_restapi_logging_enabled", "apigatewayv2_api_access_logging_enabled"),
    "client-certificate": ("apigateway_restapi_client_certificate_enabled",),
    "cache-encryption": ("apigateway_restapi_cache_encrypted",),
    "throttling": (),
}


def plant(lab: Lab) -> None:
    """Builds them in both regions."""
    apis = _rest(lab)
    _settings(lab)
    apis |= _newer(lab)
    _domains(lab, apis)


def _on(kind: str, identifier: str, stage: str = "", region: str = MAIN) -> str:
    tail = f"/stages/{stage}" if stage else ""
    return f"arn:aws:apigateway:{region}::/{kind}/{identifier}{tail}"


def _told(
    lab: Lab, good: bool, check: str, on: str, note: str, *, region: str = MAIN, fools: bool = False
) -> None:
    name = check.rpartition(".")[2]
    tell = lab.clean if good else lab.problem
    tell(check, on, note, region=region, fools=fools, prowler=PEER.get(name, ()))


def _api(
    lab: Lab,
    name: str,
    methods: dict[str, dict[str, Any]],
    *,
    region: str = MAIN,
    stage: str = "live",
    uri: str = "",
    kind: str = "AWS_PROXY",
    **more: Any,
) -> str:
    """A REST API with these methods at its root, published."""
    client = lab.client("apigateway", region)
    made = client.create_rest_api(name=name, **more)
    identifier = str(made["id"])
    root = client.get_resources(restApiId=identifier)["items"][0]["id"]
    target = uri or f"arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/f/invocations"
    for verb, setting in methods.items():
        given = {"authorizationType": "NONE", **setting}
        integration = given.pop("integration", {"type": kind, "uri": target, "integrationHttpMethod": "POST"})
        client.put_method(restApiId=identifier, resourceId=root, httpMethod=verb, **given)
        client.put_integration(restApiId=identifier, resourceId=root, httpMethod=verb, **integration)
    if stage:
        deployment = client.create_deployment(restApiId=identifier)["id"]
        client.create_stage(restApiId=identifier, stageName=stage, deploymentId=deployment)
    return identifier


def _policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def _call(effect: str = "Allow", **more: Any) -> dict[str, Any]:
    return {
        "Effect": effect,
        "Principal": "*",
        "Action": "execute-api:Invoke",
        "Resource": "execute-api:/*",
        **more,
    }


def _rest(lab: Lab) -> dict[str, str]:
    iam, key, free = {"authorizationType": "AWS_IAM"}, {"apiKeyRequired": True}, dict[str, Any]()
    mock = {"integration": {"type": "MOCK"}}
    office = {"NotIpAddress": {"aws:SourceIp": ["198.51.100.0/24"]}}
    wide = {"NotIpAddress": {"aws:SourceIp": ["0.0.0.0/0"]}}
    endpoint = {"StringNotEquals": {"aws:SourceVpce": "vpce-0a1b2c3d"}}
    private: dict[str, Any] = {"endpointConfiguration": {"types": ["PRIVATE"]}}
    inner = _policy(_call(), _call("Deny", Condition=endpoint))
    apis = {
        "open": _api(lab, "edge-open", {"GET": free, "POST": iam}),
        "wide": _api(lab, "edge-wide", {"GET": free}, policy=_policy(_call(), _call("Deny", Condition=wide))),
        "iam": _api(lab, "edge-iam", {"GET": iam, "OPTIONS": free, "HEAD": {**free, **mock}}),
        "key": _api(lab, "edge-key", {"GET": key}),
        "office": _api(
            lab, "edge-office", {"GET": free}, policy=_policy(_call(), _call("Deny", Condition=office))
        ),
        "draft": _api(lab, "edge-draft", {"GET": free}, stage=""),
        "inner": _api(lab, "edge-inner", {"GET": free}, policy=inner, **private),
        "shared": _api(lab, "edge-shared", {"GET": free}, policy=_policy(_call()), **private),
        "mutual": _api(lab, "edge-mutual", {"GET": free}, disableExecuteApiEndpoint=True),
        "past": _api(lab, "edge-past", {"GET": free}),
        "nameless": _api(lab, "edge-nameless", {"GET": free}, disableExecuteApiEndpoint=True),
    }
    far = _api(lab, "edge-far", {"ANY": free}, region=OTHER)
    check = f"{TOPIC}.open-methods"
    for name, good, note, fools in (
        ("open", False, "one of its two methods asks nobody", False),
        ("wide", False, "a policy that denies nobody", True),
        ("past", False, "the client certificate is asked for at its domain only", True),
        ("iam", True, "what is left open answers browsers' questions or nothing", True),
        ("key", True, "asks for a key", False),
        ("office", True, "open, and its policy lets in one office", True),
        ("inner", True, "reached by a VPC endpoint only", True),
        ("mutual", True, "its only name asks for a client certificate", True),
        ("nameless", True, "no name leads to it", True),
    ):
        _told(lab, good, check, _on("restapis", apis[name]), note, fools=fools)
    _told(lab, False, check, _on("restapis", far, region=OTHER), "every method is open", region=OTHER)
    check = f"{TOPIC}.private-policy"
    _told(lab, False, check, _on("restapis", apis["shared"]), "any VPC endpoint may call", fools=True)
    _told(lab, True, check, _on("restapis", apis["inner"]), "one VPC endpoint may call")
    return apis


def _settings(lab: Lab) -> None:
    client = lab.client("apigateway", MAIN)
    iam = {"GET": {"authorizationType": "AWS_IAM"}}
    bad = _api(lab, "edge-lax", iam, uri="http://backend.example.com/orders", kind="HTTP_PROXY")
    good = _api(lab, "edge-strict", iam, uri="https://backend.example.com/orders", kind="HTTP_PROXY")
    group = f"arn:aws:logs:{MAIN}:{lab.account}:log-group:edge"

    def told(**more: Any) -> dict[str, Any]:
        return {"stageName": "live", "deploymentId": "d1", "cacheClusterEnabled": False, **more}

    lax = told(
        cacheClusterEnabled=True,
        methodSettings={
            "*/*": {"throttlingRateLimit": 10000.0, "throttlingBurstLimit": 5000, "loggingLevel": "INFO",
                    "dataTraceEnabled": False, "cachingEnabled": True, "cacheDataEncrypted": True},
            "~1/GET": {"loggingLevel": "INFO", "dataTraceEnabled": True, "cachingEnabled": True,
                       "cacheDataEncrypted": False},
        },
        variables={"DB_PASSWORD": SECRET, "region": MAIN},
    )  # fmt: skip
    strict = told(
        cacheClusterEnabled=True,
        clientCertificateId="abc123",
        accessLogSettings={"destinationArn": group, "format": "$context.requestId"},
        methodSettings={
            "*/*": {"throttlingRateLimit": 50.0, "throttlingBurstLimit": 100, "loggingLevel": "OFF",
                    "dataTraceEnabled": True, "cachingEnabled": True, "cacheDataEncrypted": True},
        },
        variables={"DB_PASSWORD": "{{resolve:secretsmanager:db}}"},
    )  # fmt: skip
    lab.answer("apigateway", "GetStages", {"item": [lax]}, region=MAIN, about=bad)
    lab.answer("apigateway", "GetStages", {"item": [strict]}, region=MAIN, about=good)
    assert client.get_stages(restApiId=good)["item"][0]["clientCertificateId"] == "abc123"
    fooling = {
        "throttling": "the rate of the stage is that of the whole account",
        "cache-encryption": "one method differs from the rest",
        "request-bodies": "one method differs from the rest",
    }
    for name in ("access-log", "throttling", "cache-encryption", "request-bodies", "stage-secrets"):
        check = f"{SETTINGS}.{name}"
        note = fooling.get(name, "lax")
        _told(lab, False, check, _on("restapis", bad, "live"), note, fools=name in fooling)
        about = {"request-bodies": "tracing is on, and nothing is logged", "stage-secrets": "a reference"}
        strictly = about.get(name, "strict")
        _told(lab, True, check, _on("restapis", good, "live"), strictly, fools=name in about)
    check = f"{TOPIC}.client-certificate"
    _told(lab, False, check, _on("restapis", bad, "live"), "a backend on the internet, and no certificate")
    _told(lab, True, check, _on("restapis", good, "live"), "a certificate")
    check = f"{SETTINGS}.plain-backends"
    _told(lab, False, check, _on("restapis", bad), "plain HTTP")
    _told(lab, True, check, _on("restapis", good), "HTTPS")


def _newer(lab: Lab) -> dict[str, str]:
    client = lab.client("apigatewayv2", MAIN)
    group = f"arn:aws:logs:{MAIN}:{lab.account}:log-group:edge"
    found: dict[str, str] = {}
    for name, kind, routes, secured in (
        ("fast", "HTTP", {"GET /orders": "NONE", "$default": "JWT"}, False),
        ("guarded", "HTTP", {"GET /orders": "JWT", "OPTIONS /orders": "NONE"}, True),
        ("socket", "WEBSOCKET", {"$connect": "AWS_IAM", "send": "NONE"}, True),
        ("shout", "WEBSOCKET", {"$connect": "NONE", "send": "NONE"}, False),
    ):
        made = client.create_api(
            Name=f"edge-{name}", ProtocolType=kind, RouteSelectionExpression="$request.body.action"
        )
        found[name] = identifier = str(made["ApiId"])
        for route, asks in routes.items():
            client.create_route(ApiId=identifier, RouteKey=route, AuthorizationType=asks)
        backend = f"http{'s' if secured else ''}://backend.example.com/"
        more = {"IntegrationMethod": "GET", "PayloadFormatVersion": "1.0"} if kind == "HTTP" else {}
        client.create_integration(
            ApiId=identifier, IntegrationType="HTTP_PROXY", IntegrationUri=backend,
            ConnectionType="INTERNET", **{"IntegrationMethod": "GET", **more},
        )  # fmt: skip
        log = {"AccessLogSettings": {"DestinationArn": group, "Format": "$context.requestId"}}
        usual = {"DefaultRouteSettings": {"ThrottlingRateLimit": 50.0, "ThrottlingBurstLimit": 100}}
        client.create_stage(ApiId=identifier, StageName="$default", **({**log, **usual} if secured else {}))
        on, stage = _on("apis", identifier), _on("apis", identifier, "$default")
        fools = name == "socket"
        note = "only the connection asks, which is enough" if fools else f"{kind}: {name}"
        _told(lab, secured, f"{TOPIC}.open-methods", on, note, fools=fools)
        _told(lab, secured, f"{SETTINGS}.plain-backends", on, backend)
        _told(lab, secured, f"{SETTINGS}.access-log", stage, f"{kind}: {name}")
        _told(lab, secured, f"{SETTINGS}.throttling", stage, f"{kind}: {name}")
    return found


def _domains(lab: Lab, apis: dict[str, str]) -> None:
    client = lab.client("apigatewayv2", MAIN)
    certificate = f"arn:aws:acm:{MAIN}:{lab.account}:certificate/11111111-2222-3333-4444-555555555555"
    trust = {"MutualTlsAuthentication": {"TruststoreUri": "s3://edge-trust/store.pem"}}
    for name, policy, led, more in (
        ("old.edge.example.org", "TLS_1_0", ("guarded",), {}),
        ("new.edge.example.org", "TLS_1_2", (), {}),
        ("mutual.edge.example.org", "TLS_1_2", ("mutual", "past"), trust),
    ):
        client.create_domain_name(
            DomainName=name,
            DomainNameConfigurations=[
                {"CertificateArn": certificate, "EndpointType": "REGIONAL", "SecurityPolicy": policy}
            ],
            **more,
        )
        on = f"arn:aws:apigateway:{MAIN}::/domainnames/{name}"
        _told(lab, policy == "TLS_1_2", f"{SETTINGS}.tls", on, policy)
        told = [
            {"ApiId": apis[one], "ApiMappingId": one, "ApiMappingKey": one, "Stage": "live"} for one in led
        ]
        lab.answer("apigatewayv2", "GetApiMappings", {"Items": told}, region=MAIN, about=name)
    check = f"{TOPIC}.default-endpoint"
    _told(lab, False, check, _on("apis", apis["guarded"]), "answers under two names")
    _told(lab, False, check, _on("restapis", apis["past"]), "goes past client certificates", fools=True)
    _told(lab, True, check, _on("restapis", apis["mutual"]), "only its domain answers")
