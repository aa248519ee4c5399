"""Virtual networks: access lists, default groups and flow logs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from checks import (
    Effort,
    Exposure,
    Fix,
    Impact,
    Language,
    Severity,
    Snippet,
    Surface,
    Verdicts,
    check,
    expect,
)
from checks.cloud.addresses import ALL, Open, Spans, opened_spans, spans, together, within, without
from checks.facts.cloud.ec2 import Interface, NetworkInterfaces, SecurityGroups
from checks.facts.cloud.vpc import AclEntry, FlowLogs, NetworkAcl, NetworkAcls, Vpcs


@check(
    "cloud.vpc.acl-admin-ports",
    title="Network access lists keep administration ports from the internet",
    severity=Severity.LOW,
    impact=Impact.PARTIAL,
    surface=Surface.DATA,
    fix=Fix(
        action="Deny administration ports in network access lists",
        do="Add entries that deny the administration ports from 0.0.0.0/0 and ::/0 with numbers below that "
        "of the entry "
        "which allows them; allow your own network with a lower number still, if it needs them.",
        verify="aws ec2 describe-network-acls --region @{region} --network-acl-ids @{on} "
        "--query 'NetworkAcls[].Entries[?!Egress]'   # a deny stands first",
        effort=Effort(setup=0.5, each=0.25),
        undo="Delete the entries with the numbers that were added.",
        key="vpc:acl-admin-ports @{on}",
        snippets=(
            Snippet(
                Language.AWS_CLI,
                "# Numbers 10 to 13 have to be free and below the allowing entry @{rule}.\n"
                "aws ec2 create-network-acl-entry --region @{region} --network-acl-id @{on} --ingress "
                "--rule-number 10 --protocol tcp --port-range From=22,To=22 --cidr-block 0.0.0.0/0 "
                "--rule-action deny\n"
                "aws ec2 create-network-acl-entry --region @{region} --network-acl-id @{on} --ingress "
                "--rule-number 11 --protocol tcp --port-range From=3389,To=3389 --cidr-block 0.0.0.0/0 "
                "--rule-action deny\n"
                "aws ec2 create-network-acl-entry --region @{region} --network-acl-id @{on} --ingress "
                "--rule-number 12 --protocol tcp --port-range From=22,To=22 --ipv6-cidr-block ::/0 "
                "--rule-action deny\n"
                "aws ec2 create-network-acl-entry --region @{region} --network-acl-id @{on} --ingress "
                "--rule-number 13 --protocol tcp --port-range From=3389,To=3389 --ipv6-cidr-block ::/0 "
                "--rule-action deny",
                "for number in 10 11 12 13; do aws ec2 delete-network-acl-entry --region @{region} "
                '--network-acl-id @{on} --ingress --rule-number "$number"; done',
            ),
            Snippet(
                Language.TERRAFORM,
                "# The numbers have to be free and below the allowing entry @{rule}.\n"
                "# Where an aws_network_acl or aws_default_network_acl has entries of its own, write "
                'these there.\nresource "aws_network_acl_rule" "no_administration" {\n'
                '  for_each       = { "10" = 22, "11" = 3389 }\n  network_acl_id = @{on}\n'
                '  rule_number    = each.key\n  rule_action    = "deny"\n  protocol       = "tcp"\n'
                "  from_port      = each.value\n  to_port        = each.value\n"
                '  cidr_block     = "0.0.0.0/0"\n}\n\n'
                'resource "aws_network_acl_rule" "no_administration6" {\n'
                '  for_each        = { "12" = 22, "13" = 3389 }\n  network_acl_id  = @{on}\n'
                '  rule_number     = each.key\n  rule_action     = "deny"\n  protocol        = "tcp"\n'
                "  from_port       = each.value\n  to_port         = each.value\n"
                '  ipv6_cidr_block = "::/0"\n}\n',
            ),
        ),
    ),
)
def acl_admin_ports(
    found: NetworkAcls, interfaces: NetworkInterfaces, *, ports: frozenset[int] = frozenset({22, 3389})
) -> Verdicts:
    """The access list is the second wall: it still stands when somebody opens a security group by mistake."""
    for acl in found.acls:
        ways = {port: way for port in sorted(ports) if (way := _open_at(acl, port))}
        users = [one for one in interfaces.interfaces if one.subnet in acl.subnets]
        behind = _behind(acl, users, acl.region in interfaces.regions)
        sources = " and ".join(sorted({way.words for way in ways.values()}))
        names = ", ".join(f"tcp/{port}" for port in ways)
        first = next((e for e in acl.ingress if e.allow and any(_at(e, port) for port in ways)), None)
        yield expect(
            not ways,
            on=acl.id,
            where=acl.region,
            saw=f"{names} allowed from {sources}; {behind.evidence}"
            if ways
            else "not allowed from the internet",
            want="not allowed from the internet",
            severity=behind.severity if ways else None,
            exposure=behind.exposure if ways else None,
            exposure_evidence=behind.evidence if ways else "",
            values={"rule": str(first.number)} if first else {},
        )


@dataclass(frozen=True, slots=True)
class _Behind:
    exposure: Exposure
    evidence: str
    severity: Severity | None


def _behind(acl: NetworkAcl, users: Sequence[Interface], read: bool) -> _Behind:
    """What an access list stands before; security groups always stand behind it."""
    if not acl.subnets:
        return _Behind(Exposure.UNREACHABLE, "no subnet uses the list", Severity.INFO)
    if not read:
        return _Behind(Exposure.UNKNOWN, "what is in its subnets could not be read", None)
    if not users:
        return _Behind(Exposure.UNREACHABLE, "nothing is in its subnets", Severity.INFO)
    for one in users:
        if one.public4 or one.public6:
            address = (one.public4 or one.public6)[0]
            text = f"{one.id} in its subnets has the public address {address}; only security groups are left"
            return _Behind(Exposure.INTERNET_LIMITED, text, Severity.MEDIUM)
    text = f"{len(users)} interfaces in its subnets, none with a public address"
    return _Behind(Exposure.OTHER_ZONE, text, None)


def _open_at(acl: NetworkAcl, port: int) -> Open:
    """From where the list lets TCP in at a port: the first entry that matches an address decides."""
    allowed: dict[int, Spans] = {4: (), 6: ()}
    undecided = dict(ALL)
    for entry in acl.ingress:
        if not _at(entry, port):
            continue
        version = 6 if ":" in entry.cidr else 4
        hit = within(undecided[version], spans([entry.cidr], version))
        undecided[version] = without(undecided[version], hit)
        if entry.allow:
            allowed[version] = together(allowed[version], hit)
    return opened_spans(allowed[4], allowed[6])


def _at(entry: AclEntry, port: int) -> bool:
    return entry.protocol == "-1" or (entry.protocol == "tcp" and entry.low <= port <= entry.high)


@check(
    "cloud.vpc.default-group",
    title="The default security group lets nothing through",
    severity=Severity.LOW,
    surface=Surface.CONTROL_PLANE,
    fix=Fix(
        action="Empty the default security groups",
        do="Give what uses the default group a group of its own, then take all rules out of the default "
        "group. It "
        "cannot be deleted.",
        verify="aws ec2 describe-security-groups --region @{region} --group-ids @{on} "
        "--query 'SecurityGroups[].[IpPermissions,IpPermissionsEgress]'   # both empty",
        effort=Effort(setup=0.5, each=0.25),
        undo="The saved rules can be put back with authorize-security-group-ingress and -egress.",
        snippets=(
            Snippet(
                Language.AWS_CLI,
                "# Nothing may be listed here, else it loses its network:\n"
                "aws ec2 describe-network-interfaces --region @{region} --filters Name=group-id,Values=@{on} "
                "--query 'NetworkInterfaces[].NetworkInterfaceId'\n"
                "aws ec2 describe-security-groups --region @{region} --group-ids @{on} > default-group.json\n"
                "aws ec2 revoke-security-group-ingress --region @{region} --group-id @{on} --ip-permissions "
                "\"$(jq -c '.SecurityGroups[0].IpPermissions' default-group.json)\"\n"
                "aws ec2 revoke-security-group-egress --region @{region} --group-id @{on} --ip-permissions "
                "\"$(jq -c '.SecurityGroups[0].IpPermissionsEgress' default-group.json)\"",
                "aws ec2 authorize-security-group-ingress --region @{region} --group-id @{on} "
                "--ip-permissions "
                "\"$(jq -c '.SecurityGroups[0].IpPermissions' default-group.json)\"\n"
                "aws ec2 authorize-security-group-egress --region @{region} --group-id @{on} "
                "--ip-permissions "
                "\"$(jq -c '.SecurityGroups[0].IpPermissionsEgress' default-group.json)\"",
            ),
            Snippet(
                Language.TERRAFORM,
                "# Without rules in it, this empties the group:\n"
                'resource "aws_default_security_group" "empty" {\n'
                "  vpc_id = @{vpc}\n}\n",
            ),
        ),
    ),
)
def default_group(found: SecurityGroups, interfaces: NetworkInterfaces) -> Verdicts:
    """Whatever is started without thought lands in this group, and all of it can talk to each other."""
    for group in found.groups:
        if group.name != "default":
            continue
        rules = len(group.ingress) + len(group.egress)
        users = sum(group.id in one.groups for one in interfaces.interfaces)
        read = group.region in interfaces.regions
        used = f"used by {users} interfaces" if read else "its users could not be read"
        yield expect(
            rules == 0,
            on=group.id,
            where=group.region,
            saw=f"{len(group.ingress)} rules in, {len(group.egress)} out; {used}",
            want="no rules",
            severity=Severity.MEDIUM if users else None,
            values={"vpc": group.vpc},
        )


@check(
    "cloud.vpc.flow-logs",
    title="Every network records its flows",
    severity=Severity.MEDIUM,
    impact=Impact.MINOR,
    surface=Surface.CONTROL_PLANE,
    fix=Fix(
        action="Record the flows of every network",
        do="Make a flow log for the network, of rejected traffic at least, to a bucket or log group that its "
        "administrators cannot change.",
        verify="aws ec2 describe-flow-logs --region @{region} --filter Name=resource-id,Values=@{on} "
        "--query 'FlowLogs[].[FlowLogStatus,DeliverLogsStatus]'   # ACTIVE, SUCCESS",
        effort=Effort(setup=1.0, each=0.1),
        undo="aws ec2 delete-flow-logs with the id from the answer of create-flow-logs.",
        snippets=(
            Snippet(
                Language.AWS_CLI,
                "aws ec2 create-flow-logs --region @{region} --resource-type VPC --resource-ids @{on} "
                '--traffic-type REJECT --log-destination-type s3 --log-destination "$LOG_BUCKET_ARN"',
                'aws ec2 delete-flow-logs --region @{region} --flow-log-ids "$FLOW_LOG_ID"',
            ),
            Snippet(
                Language.TERRAFORM,
                'resource "aws_flow_log" "rejected" {\n'
                "  vpc_id               = @{on}\n"
                '  traffic_type         = "REJECT"\n'
                '  log_destination_type = "s3"\n'
                "  log_destination      = var.log_bucket_arn\n"
                "}\n",
            ),
        ),
    ),
)
def flow_logs(
    found: Vpcs,
    logs: FlowLogs,
    interfaces: NetworkInterfaces,
    *,
    traffic: frozenset[str] = frozenset({"ALL", "REJECT"}),
) -> Verdicts:
    """Without flow logs nobody can say afterwards where an intruder went and what left the network."""
    for vpc in found.vpcs:
        if vpc.region not in logs.regions:
            continue
        own = [log for log in logs.logs if log.resource == vpc.id]
        good = [log for log in own if log.active and log.delivered and log.traffic in traffic]
        users = sum(one.vpc == vpc.id for one in interfaces.interfaces)
        empty = vpc.region in interfaces.regions and not users
        broken = ", ".join(log.id for log in own)
        yield expect(
            bool(good),
            on=vpc.id,
            where=vpc.region,
            saw=", ".join(log.id for log in good)
            or (f"{broken}: not active, not delivered, or of other traffic" if own else "no flow log")
            + ("; nothing is in the network" if empty else ""),
            want=f"an active flow log of {' or '.join(sorted(traffic))} traffic",
            severity=Severity.LOW if empty else None,
        )
