"""Collects APIs of the older kind (REST) with their stages, methods and backends."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from checks.facts.cloud.apigateway import (
    Api,
    ApiBackend,
    ApiBackends,
    ApiMethods,
    Apis,
    ApiStage,
    ApiStages,
    ApiWays,
)
from checks.facts.cloud.policy import Policy
from scanner.collect.cloud.calls import Call, Collector, Place
from scanner.collect.cloud.fields import Raw, UnreadableError, flag, group, items, some, text
from scanner.collect.cloud.lists import listing
from scanner.collect.cloud.policies import parse
from scanner.collect.cloud.variables import secret_names
from scanner.collect.collector import Collected

GET = "apigateway:GET"
LIST = Call("apigateway", "GetRestApis", (Apis, ApiStages, ApiMethods, ApiBackends), GET, "items", 500)
STAGES = Call("apigateway", "GetStages", (ApiStages,), GET)
METHODS = Call("apigateway", "GetResources", (ApiMethods, ApiBackends), GET, "items", 500)

ACCOUNT_RATE = 10_000
"""Requests a second that the whole account may have; a stage with this limit has none of its own."""


def _api(place: Place, raw: Raw) -> Api:
    identifier = text(raw, "id")
    policy, unread = _policy(text(raw, "policy", ""))
    return Api(
        arn=f"arn:{place.identity.partition}:apigateway:{place.region}::/restapis/{identifier}",
        id=identifier,
        name=text(raw, "name", identifier),
        region=place.region,
        kind="REST",
        private="PRIVATE" in some(group(raw, "endpointConfiguration"), "types"),
        default=not flag(raw, "disableExecuteApiEndpoint", False),
        policy=policy,
        unread=unread,
    )


def _policy(written: str) -> tuple[Policy | None, str]:
    """The policy, which API Gateway hands out with a backslash before each quotation mark; or why not."""
    if not written:
        return None, ""
    try:
        if written.startswith('{\\"'):
            written = str(json.loads(f'"{written}"'))
        return parse(written), ""
    except UnreadableError as error:
        return None, str(error)
    except ValueError:
        return None, "the policy is not JSON"


def _more(place: Place, found: Sequence[Any]) -> Collected:
    jobs = []
    for one in found:
        where = place.where(one.arn)
        if place.wants(STAGES):
            jobs.append((where, STAGES, partial(_stages, place, one)))
        if place.wants(METHODS):
            jobs.append((where, METHODS, partial(_methods, place, one)))
    return place.each(jobs)


def _stages(place: Place, api: Api) -> Collected:
    # The service leaves the list out where there is none.
    raw = some(place.one(STAGES, restApiId=api.id), "item")
    found = tuple(sorted((_stage(api, one) for one in raw), key=lambda one: one.name))
    return place.found(ApiStages(place.account, (api.arn,), found), STAGES, found, where=api.arn)


def _stage(api: Api, raw: Raw) -> ApiStage:
    methods = group(raw, "methodSettings")
    settings = {str(key): one for key, one in methods.items()}
    return ApiStage(
        arn=f"{api.arn}/stages/{text(raw, 'stageName')}",
        api=api.arn,
        id=api.id,
        name=text(raw, "stageName"),
        region=api.region,
        kind=api.kind,
        private=api.private,
        logged=bool(text(group(raw, "accessLogSettings"), "destinationArn", "")),
        throttled=limited(settings.get("*/*", {}).get("throttlingRateLimit")),
        bodies=tuple(sorted(plain(key) for key, one in settings.items() if _traced(one))),
        plain_cache=_plain_cache(settings) if flag(raw, "cacheClusterEnabled", False) else None,
        certificate=bool(text(raw, "clientCertificateId", "")),
        secrets=secret_names({str(k): str(v) for k, v in group(raw, "variables").items()}),
        firewall=text(raw, "webAclArn", ""),
    )


def limited(rate: object) -> bool:
    """Whether a rate is a limit of its own; a negative one stands for none."""
    return isinstance(rate, int | float) and 0 <= rate < ACCOUNT_RATE


def plain(key: str) -> str:
    """The name of a method as a report shows it: `~1` is a slash, `*/*` all of them."""
    return "all methods" if key == "*/*" else key.replace("~1", "/")


def _traced(one: Raw) -> bool:
    return flag(one, "dataTraceEnabled", False) and text(one, "loggingLevel", "OFF") != "OFF"


def _plain_cache(settings: dict[str, Any]) -> tuple[str, ...]:
    return tuple(
        sorted(
            plain(key)
            for key, one in settings.items()
            if flag(one, "cachingEnabled", False) and not flag(one, "cacheDataEncrypted", False)
        )
    )


def _methods(place: Place, api: Api) -> Collected:
    told = [
        (f"{verb} {text(one, 'path', '')}", verb, method)
        for page in place.pages(METHODS, restApiId=api.id, embed=["methods"])
        for one in items(page, "items")
        for verb, method in group(one, "resourceMethods").items()
    ]
    # What only says which origins may ask is asked without any sign-in by design, and a mock tells nothing.
    real = [
        (name, one)
        for name, verb, one in told
        if verb != "OPTIONS" and text(group(one, "methodIntegration"), "type", "") != "MOCK"
    ]
    ways = ApiWays(
        api.arn,
        api.id,
        api.name,
        api.region,
        count=len(real),
        open=tuple(sorted(name for name, one in real if _open(one))),
    )
    servers = {_server(group(one, "methodIntegration")) for _, one in real} - {""}
    return ways_and_backends(place, METHODS, ways, servers)


def _open(method: Raw) -> bool:
    return text(method, "authorizationType", "NONE") == "NONE" and not flag(method, "apiKeyRequired", False)


def _server(integration: Raw) -> str:
    """The URL of a server that is asked over the internet; empty for all else."""
    if text(integration, "type", "") not in ("HTTP", "HTTP_PROXY"):
        return ""
    return (
        "" if text(integration, "connectionType", "INTERNET") == "VPC_LINK" else text(integration, "uri", "")
    )


def ways_and_backends(place: Place, call: Call, ways: ApiWays, servers: set[str]) -> Collected:
    """Both facts that the methods of an API tell."""
    return place.found(ApiMethods(place.account, (ways,)), call, (ways,), where=ways.arn) + backends(
        place, call, ways, servers
    )


def backends(place: Place, call: Call, api: Api | ApiWays, servers: set[str]) -> Collected:
    """Where an API leads."""
    plain_ones = tuple(sorted(one for one in servers if one.lower().startswith("http://")))
    record = ApiBackend(api.arn, api.id, api.name, api.region, tuple(sorted(servers)), plain_ones)
    return place.found(ApiBackends(place.account, (record,)), call, (record,), where=api.arn)


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield listing("rest apis", LIST, _api, named="id", also=_more, calls=(STAGES, METHODS))
