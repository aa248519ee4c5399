"""Collects APIs of the newer kinds (HTTP, WebSocket), and the domains of APIs of all kinds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from checks.facts.cloud.apigateway import (
    Api,
    ApiBackends,
    ApiDomain,
    ApiDomains,
    ApiMapping,
    ApiMappings,
    ApiMethods,
    Apis,
    ApiStage,
    ApiStages,
    ApiWays,
)
from scanner.collect.cloud.apigateway import GET, backends, limited
from scanner.collect.cloud.calls import Call, Collector, Place
from scanner.collect.cloud.fields import Raw, flag, group, items, some, text
from scanner.collect.cloud.lists import listing
from scanner.collect.cloud.variables import secret_names
from scanner.collect.collector import Collected

_V2 = "apigatewayv2"
LIST = Call(_V2, "GetApis", (Apis, ApiStages, ApiMethods, ApiBackends), GET, "Items", 100)
STAGES = Call(_V2, "GetStages", (ApiStages,), GET, "Items", 100)
ROUTES = Call(_V2, "GetRoutes", (ApiMethods,), GET, "Items", 100)
INTEGRATIONS = Call(_V2, "GetIntegrations", (ApiBackends,), GET, "Items", 100)
DOMAINS = Call(_V2, "GetDomainNames", (ApiDomains, ApiMappings), GET, "Items", 100)
MAPPINGS = Call(_V2, "GetApiMappings", (ApiMappings,), GET, "Items")


def _api(place: Place, raw: Raw) -> Api:
    identifier = text(raw, "ApiId")
    return Api(
        arn=f"arn:{place.identity.partition}:apigateway:{place.region}::/apis/{identifier}",
        id=identifier,
        name=text(raw, "Name", identifier),
        region=place.region,
        kind=text(raw, "ProtocolType"),
        private=False,
        default=not flag(raw, "DisableExecuteApiEndpoint", False),
    )


def _more(place: Place, found: Sequence[Any]) -> Collected:
    parts = ((STAGES, _stages), (ROUTES, _routes), (INTEGRATIONS, _integrations))
    return place.each(
        [
            (place.where(one.arn), call, partial(read, place, one))
            for one in found
            for call, read in parts
            if place.wants(call)
        ]
    )


def _stages(place: Place, api: Api) -> Collected:
    raw = place.all_of(STAGES, ApiId=api.id)
    found = tuple(sorted((_stage(api, one) for one in raw), key=lambda one: one.name))
    return place.found(ApiStages(place.account, (api.arn,), found), STAGES, found, where=api.arn)


def _stage(api: Api, raw: Raw) -> ApiStage:
    usual = group(raw, "DefaultRouteSettings")
    return ApiStage(
        arn=f"{api.arn}/stages/{text(raw, 'StageName')}",
        api=api.arn,
        id=api.id,
        name=text(raw, "StageName"),
        region=api.region,
        kind=api.kind,
        private=False,
        logged=bool(text(group(raw, "AccessLogSettings"), "DestinationArn", "")),
        throttled=limited(usual.get("ThrottlingRateLimit")),
        bodies=("all routes",) if flag(usual, "DataTraceEnabled", False) else (),
        certificate=bool(text(raw, "ClientCertificateId", "")),
        secrets=secret_names({str(k): str(v) for k, v in group(raw, "StageVariables").items()}),
    )


def _routes(place: Place, api: Api) -> Collected:
    raw = place.all_of(ROUTES, ApiId=api.id)
    # Once connected, the other routes of a WebSocket are reached without being asked again.
    asked = [one for one in raw if api.kind != "WEBSOCKET" or text(one, "RouteKey") == "$connect"]
    free = [
        text(one, "RouteKey")
        for one in asked
        if text(one, "AuthorizationType", "NONE") == "NONE"
        and not flag(one, "ApiKeyRequired", False)
        and not text(one, "RouteKey").startswith("OPTIONS ")
    ]
    record = ApiWays(api.arn, api.id, api.name, api.region, count=len(asked), open=tuple(sorted(free)))
    return place.found(ApiMethods(place.account, (record,)), ROUTES, (record,), where=api.arn)


def _integrations(place: Place, api: Api) -> Collected:
    servers = {
        text(one, "IntegrationUri", "")
        for one in place.all_of(INTEGRATIONS, ApiId=api.id)
        if text(one, "IntegrationType", "") in ("HTTP", "HTTP_PROXY")
        and text(one, "ConnectionType", "INTERNET") != "VPC_LINK"
    }
    return backends(place, INTEGRATIONS, api, servers - {""})


def _domain(place: Place, raw: Raw) -> ApiDomain:
    name = text(raw, "DomainName")
    policies = [text(one, "SecurityPolicy", "TLS_1_0") for one in items(raw, "DomainNameConfigurations")]
    return ApiDomain(
        arn=f"arn:{place.identity.partition}:apigateway:{place.region}::/domainnames/{name}",
        name=name,
        region=place.region,
        # The weakest of several, should there ever be more than one.
        policy=min(policies, key=lambda one: (one != "TLS_1_0", one), default=""),
        mutual=bool(text(group(raw, "MutualTlsAuthentication"), "TruststoreUri", "")),
    )


def _mappings(place: Place, found: Sequence[Any]) -> Collected:
    if not place.wants(MAPPINGS):
        return Collected()
    return place.each([(place.where(one.arn), MAPPINGS, partial(_mapping, place, one)) for one in found])


def _mapping(place: Place, domain: ApiDomain) -> Collected:
    pages = place.pages(MAPPINGS, DomainName=domain.name)
    led = {text(one, "ApiId") for page in pages for one in some(page, "Items")}
    record = ApiMapping(domain.name, domain.region, tuple(sorted(led)))
    return place.found(ApiMappings(place.account, (record,)), MAPPINGS, (record,), where=domain.arn)


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield listing("http apis", LIST, _api, named="ApiId", also=_more, calls=(STAGES, ROUTES, INTEGRATIONS))
    yield listing("api domains", DOMAINS, _domain, named="DomainName", also=_mappings, calls=(MAPPINGS,))
