"""Collects GraphQL APIs; the list says all that is needed, and keys are never asked for."""

from __future__ import annotations

from collections.abc import Iterable

from checks.facts.cloud.appsync import GraphApi, GraphApis
from scanner.collect.cloud.calls import Call, Collector, Place
from scanner.collect.cloud.fields import Raw, flag, group, text
from scanner.collect.cloud.lists import listing

LIST = Call("appsync", "ListGraphqlApis", (GraphApis,), key="graphqlApis", page=25)


def _api(place: Place, raw: Raw) -> GraphApi:
    log = group(raw, "logConfig")
    level = text(log, "fieldLogLevel", "NONE")
    return GraphApi(
        arn=text(raw, "arn"),
        id=text(raw, "apiId"),
        name=text(raw, "name"),
        region=place.region,
        sign_in=text(raw, "authenticationType"),
        private=text(raw, "visibility", "GLOBAL") == "PRIVATE",
        level=level,
        # Contents are left out only where somebody said so, and only levels above ERROR have any.
        verbose=level not in ("NONE", "ERROR") and not flag(log, "excludeVerboseContent", False),
        tells=text(raw, "introspectionConfig", "ENABLED") == "ENABLED",
        firewall=bool(text(raw, "wafWebAclArn", "")),
    )


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield listing("graphql apis", LIST, _api, named="apiId", asked={"owner": "CURRENT_ACCOUNT"})
