"""Collects search domains, five in a call, with their policies."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from checks.facts.cloud.opensearch import Domain, Domains
from checks.facts.cloud.policy import Policy
from checks.facts.cloud.resource_policies import DomainPolicies, ResourcePolicy
from scanner.collect.cloud.calls import Call, Collector, NotRead, Place
from scanner.collect.cloud.fields import Raw, UnreadableError, flag, group, items, text
from scanner.collect.cloud.policies import parse
from scanner.collect.collector import Collected
from scanner.transport.aws_errors import Because, Refused

AT_ONCE = 5
"""Domains that AWS describes in one call."""
NAMES = Call("opensearch", "ListDomainNames", (Domains, DomainPolicies), "es:ListDomainNames", "DomainNames")
DOMAINS = Call("opensearch", "DescribeDomains", (Domains, DomainPolicies), "es:DescribeDomains")


def domains(place: Place) -> Collected:
    """The domains, and whom the policies of those outside of a VPC let in."""
    try:
        names = sorted(text(one, "DomainName") for one in items(place.one(NAMES), "DomainNames"))
    except UnreadableError as error:
        raise NotRead(NAMES, Refused(Because.UNREADABLE, str(error))) from None
    some = [names[at : at + AT_ONCE] for at in range(0, len(names), AT_ONCE)]
    empty = (Domains(place.account, (place.region,), ()), DomainPolicies(place.account, ()))
    whole = Collected(facts=tuple(f for f in empty if type(f) in place.wanted))
    return whole + place.each([(place.region, DOMAINS, partial(_read, place, few)) for few in some])


def _read(place: Place, names: list[str]) -> Collected:
    whole = Collected()
    for raw in items(place.one(DOMAINS, DomainNames=names), "DomainStatusList"):
        where = place.where(str(raw.get("ARN", raw.get("DomainName", "?"))))
        try:
            one = _domain(place, raw)
        except UnreadableError as error:
            whole += place.lost(DOMAINS, Refused(Because.UNREADABLE, str(error)), where)
            continue
        whole += place.found(Domains(place.account, (place.region,), (one,)), DOMAINS, (one,), where=one.arn)
        if not one.vpc:
            whole += _policy(place, raw, one, where)
    return whole


def _policy(place: Place, raw: Raw, one: Domain, where: str) -> Collected:
    """The policy of one domain; where it cannot be understood, that hides this one and no other."""
    try:
        written = text(raw, "AccessPolicies", "")
        policy = ResourcePolicy(one.arn, one.name, one.region, parse(written) if written else Policy())
    except UnreadableError as error:
        own = Call(DOMAINS.service, DOMAINS.operation, (DomainPolicies,), DOMAINS.action)
        return place.lost(own, Refused(Because.UNREADABLE, str(error)), where)
    return place.found(DomainPolicies(place.account, (policy,)), DOMAINS, (policy,), where=one.arn)


def _domain(place: Place, raw: Raw) -> Domain:
    endpoint = group(raw, "DomainEndpointOptions")
    logs = group(raw, "LogPublishingOptions")
    return Domain(
        arn=text(raw, "ARN"),
        name=text(raw, "DomainName"),
        region=place.region,
        vpc=text(group(raw, "VPCOptions"), "VPCId", ""),
        https=flag(endpoint, "EnforceHTTPS", False),
        # Where nobody has chosen one, AWS takes the oldest.
        tls=text(endpoint, "TLSSecurityPolicy", "Policy-Min-TLS-1-0-2019-07"),
        at_rest=flag(group(raw, "EncryptionAtRestOptions"), "Enabled", False),
        between=flag(group(raw, "NodeToNodeEncryptionOptions"), "Enabled", False),
        fine=flag(group(raw, "AdvancedSecurityOptions"), "Enabled", False),
        audit=flag(group(logs, "AUDIT_LOGS"), "Enabled", False),
        update=flag(group(raw, "ServiceSoftwareOptions"), "UpdateAvailable", False),
        version=text(raw, "EngineVersion", ""),
    )


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield Collector("opensearch domains", True, (NAMES, DOMAINS), domains)
