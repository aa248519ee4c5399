"""Endpoints: whether data may leave through them, and whether networks have them at all."""

from __future__ import annotations

from msgspec.structs import replace

from checks.check import check
from checks.cloud.openness import openings
from checks.cloud.setting import joined, repair
from checks.facts.cloud.ec2 import NetworkInterfaces
from checks.facts.cloud.policy import Policy, Statement
from checks.facts.cloud.routes import RouteTables
from checks.facts.cloud.vpc import Vpcs
from checks.facts.cloud.vpc_endpoints import EndpointPolicies, VpcEndpoints
from checks.fix import Disruption
from checks.model import Severity, Surface
from checks.verdict import Verdicts, expect, not_applicable

_GATEWAYS = frozenset({"s3", "dynamodb"})
_SAME = frozenset({"stringequals", "stringequalsignorecase", "stringlike"})
_OTHER = frozenset({"stringnotequals", "stringnotequalsignorecase", "stringnotlike"})
_OWNED = ("aws:resourceaccount", "aws:resourceorgid", "aws:resourceorgpaths", "s3:resourceaccount")
"""Keys that keep what is asked for within the accounts of one's own."""


@check(
    "cloud.vpc-endpoints.open-policy",
    title="Gateway endpoints lead to resources of one's own alone",
    severity=Severity.MEDIUM,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Let endpoint @{on} lead to resources of this account alone",
        "Write a policy that allows only resources of your accounts (aws:ResourceAccount, or "
        "aws:ResourceOrgID for an organisation), and the buckets of AWS that your machines load from.",
        "aws ec2 describe-vpc-endpoints --region @{region} --vpc-endpoint-ids @{on} "
        "--query 'VpcEndpoints[].PolicyDocument'",
        "aws ec2 describe-vpc-endpoints --region @{region} --vpc-endpoint-ids @{on} "
        "--query 'VpcEndpoints[0].PolicyDocument' --output text > endpoint.before.json &&\n"
        "aws ec2 modify-vpc-endpoint --region @{region} --vpc-endpoint-id @{on} "
        "--policy-document @{policy}",
        "aws ec2 modify-vpc-endpoint --region @{region} --vpc-endpoint-id @{on} "
        "--policy-document file://endpoint.before.json",
        terraform="# In the aws_vpc_endpoint @{on}:\npolicy = @{policy}\n",
        hours=(1.0, 0.25),
    ),
    refs=("https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html",),
)
def open_policy(found: EndpointPolicies) -> Verdicts:
    """Through an open endpoint an intruder carries data into a bucket of his own, past every firewall."""
    for one in found.policies:
        if one.kind != "Gateway":
            continue
        wide = _leading_anywhere(one.policy)
        yield expect(
            not wide,
            on=one.id,
            where=one.region,
            saw=f"everybody may reach {one.service} of every account ({joined(wide)})"
            if wide
            else "leads to what the policy names",
            want="resources of one's own alone",
            values={"policy": _OWN_ALONE % found.account},
        )


_OWN_ALONE = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*",'
    '"Condition":{"StringEquals":{"aws:ResourceAccount":"%s"}}}]}'
)


def _leading_anywhere(policy: Policy) -> list[str]:
    """The statements that let everybody through to resources of whatever account."""
    denials = tuple(one for one in policy.statements if not one.allow)
    if any(_fence(one) for one in denials):
        return []
    return [
        opening.name
        for number, one in enumerate(policy.statements, start=1)
        if one.allow and _anything(one) and not _owned(one, _SAME)
        for opening in openings(Policy((*denials, replace(one, sid=one.sid or str(number)))))
    ]


def _fence(denial: Statement) -> bool:
    """Whether a denial keeps everybody to resources of one's own."""
    whole = bool({"*", "s3:*", "dynamodb:*"}.intersection(denial.actions))
    return whole and "*" in denial.principals and "*" in denial.resources and _owned(denial, _OTHER)


def _anything(one: Statement) -> bool:
    """Whether the resources of a statement may belong to anybody: a bucket's ARN names no account."""
    wide = ("*", "arn:aws:s3:::*", "arn:aws:s3:::*/*", "arn:*:s3:::*")
    return bool(one.not_resources) or any(name in wide for name in one.resources)


def _owned(one: Statement, operators: frozenset[str]) -> bool:
    return any(
        condition.key.lower() in _OWNED
        and condition.operator.lower().removesuffix("ifexists") in operators
        and "*" not in condition.values
        for condition in one.conditions
    )


@check(
    "cloud.vpc-endpoints.gateways",
    title="Networks reach S3 and DynamoDB over endpoints of their own",
    severity=Severity.LOW,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Make gateway endpoints for S3 and DynamoDB in network @{on}",
        "Make the endpoints that are missing, at the route tables of the subnets that use the services; a "
        "gateway endpoint costs nothing. Open connections to the service are cut once.",
        "aws ec2 describe-vpc-endpoints --region @{region} --filters Name=vpc-id,Values=@{on} "
        "--query 'VpcEndpoints[].ServiceName'   # s3 and dynamodb",
        "aws ec2 create-vpc-endpoint --region @{region} --vpc-id @{on} --service-name @{service} "
        "--route-table-ids @{table} --query VpcEndpoint.VpcEndpointId --output text > endpoint.made",
        'aws ec2 delete-vpc-endpoints --region @{region} --vpc-endpoint-ids "$(cat endpoint.made)"',
        terraform='resource "aws_vpc_endpoint" "gateway" {\n'
        "  vpc_id          = @{on}\n"
        "  service_name    = @{service}\n"
        "  route_table_ids = [@{table}]\n"
        "}\n",
        back="Delete the endpoints that were made.",
        hours=(0.5, 0.25),
        disruption=Disruption.RESTART,
    ),
    refs=("https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html",),
)
def gateways(
    found: Vpcs,
    endpoints: VpcEndpoints,
    routes: RouteTables,
    interfaces: NetworkInterfaces,
    *,
    services: frozenset[str] = _GATEWAYS,
) -> Verdicts:
    """Without them all data leaves by the door to the internet, to whichever account an intruder names."""
    for vpc in found.vpcs:
        if vpc.region not in endpoints.regions or vpc.region not in interfaces.regions:
            continue
        if not any(one.vpc == vpc.id for one in interfaces.interfaces):
            yield not_applicable(vpc.id, "nothing is in the network", where=vpc.region)
            continue
        own = [one for one in endpoints.endpoints if one.vpc == vpc.id and one.service in services]
        working = {one.service for one in own if one.tables or one.kind == "Interface"}
        idle = [f"{one.id} leads nowhere: no route table has it" for one in own if one.service not in working]
        missing = sorted(services - working)
        tables = sorted(one.id for one in routes.tables if one.vpc == vpc.id)
        yield expect(
            not missing,
            on=vpc.id,
            where=vpc.region,
            saw="; ".join([f"no way to {' and '.join(missing)} of its own", *idle])
            if missing
            else f"endpoints for {' and '.join(sorted(working))}",
            want=f"endpoints for {' and '.join(sorted(services))}",
            values={
                "service": f"com.amazonaws.{vpc.region}.{missing[0]}" if missing else "",
                "table": tables[0] if tables else "",
            },
        )
