"""File servers of Transfer Family: what they speak, who reaches them, what they record."""

from __future__ import annotations

import re
from collections.abc import Mapping

from checks.check import check
from checks.cloud.addresses import opened
from checks.cloud.setting import joined, repair, setting
from checks.facts.cloud.ec2 import PrefixLists, Rule, SecurityGroup, SecurityGroups
from checks.facts.cloud.transfer import FileServer, FileServers
from checks.model import Exposure, Impact, Severity, Surface
from checks.verdict import Verdict, Verdicts, expect, unknown

_GUIDE = "https://docs.aws.amazon.com/transfer/latest/userguide"
_READ = "aws transfer describe-server --region @{region} --server-id @{id}"
_SET = "aws transfer update-server --region @{region} --server-id @{id}"
_SAVE = f"{_READ} > server.before.json &&\n"
_PORTS = {"SFTP": 22, "FTP": 21, "FTPS": 21, "AS2": 5080}
_OLD = re.compile(r"TransferSecurityPolicy-(FIPS-)?(2018|2020)-\d\d|TransferSecurityPolicy-PQ-SSH-.*")

plain_ftp = setting(
    "cloud.transfer.plain-ftp",
    FileServers,
    lambda one: "FTP" not in one.protocols,
    title="File servers do not speak plain FTP",
    why="Passwords and files pass in the clear, for everybody in the network to read.",
    severity=Severity.MEDIUM,
    bad=lambda one: f"speaks {joined(one.protocols)}",
    good="no plain FTP",
    fix=repair(
        "Switch plain FTP off at file server @{id}",
        "Move its users to SFTP or FTPS, then take FTP out of the protocols. A server that speaks nothing "
        "else is replaced by an SFTP one.",
        f"{_READ} --query Server.Protocols   # without FTP",
        f"{_SAVE}{_SET} --protocols $(jq -r '.Server.Protocols[] | select(. != \"FTP\")' server.before.json)",
        f"{_SET} --protocols $(jq -r '.Server.Protocols[]' server.before.json)",
        back="Put the saved protocols back.",
        hours=(1.0, 1.0),
        terraform="# In the aws_transfer_server @{id}, with what it speaks beside FTP:\n"
        'protocols = ["SFTP"]\n',
    ),
    refs=(f"{_GUIDE}/create-server-ftp.html",),
)
policy = setting(
    "cloud.transfer.policy",
    FileServers,
    lambda one: not _OLD.fullmatch(one.policy),
    title="File servers use a current security policy",
    why="Old policies still offer SHA-1 and key exchanges that a recorded session is broken with later.",
    severity=Severity.MEDIUM,
    bad=lambda one: one.policy,
    good="a policy of 2022 or newer",
    fix=repair(
        "Encrypt with current algorithms at file server @{id}",
        "Set TransferSecurityPolicy-2024-01; look in the log for clients that are too old for it first.",
        f"{_READ} --query Server.SecurityPolicyName   # TransferSecurityPolicy-2024-01",
        f"{_SAVE}{_SET} --security-policy-name TransferSecurityPolicy-2024-01",
        f"{_SET} --security-policy-name @{{policy}}",
        hours=(0.5, 0.25),
        terraform="# In the aws_transfer_server @{id}:\n"
        'security_policy_name = "TransferSecurityPolicy-2024-01"\n',
    ),
    refs=(f"{_GUIDE}/security-policies.html",),
)
logs = setting(
    "cloud.transfer.logs",
    FileServers,
    lambda one: one.logged,
    title="File servers record who fetched what",
    why="Without the log nobody can tell which files left, and who guessed passwords.",
    severity=Severity.MEDIUM,
    bad="nothing is recorded",
    good="sign-ins and transfers are recorded",
    fix=repair(
        "Record sign-ins and transfers at file server @{id}",
        "Make a log group, and name it as destination of structured logs.",
        f"{_READ} --query Server.StructuredLogDestinations",
        f'{_SET} --structured-log-destinations "$LOG_GROUP_ARN:*"',
        f"{_SET} --structured-log-destinations ''",
        back="Take the destination away; what is recorded stays.",
        terraform="# In the aws_transfer_server @{id}:\n"
        'structured_log_destinations = ["${var.log_group_arn}:*"]\n',
    ),
    refs=(f"{_GUIDE}/structured-logging.html",),
)


@check(
    "cloud.transfer.public",
    title="File servers are not open to the whole internet",
    severity=Severity.MEDIUM,
    impact=Impact.SERIOUS,
    surface=Surface.DATA,
    fix=repair(
        "Put a security group before file server @{id}",
        "Move a public endpoint into a network of your own with fixed addresses, so that its name stays, and "
        "let its security group in only the networks of your partners. The server has to be stopped for it.",
        f"{_READ} --query Server.[EndpointType,EndpointDetails]",
        hours=(2.0, 1.0),
        back="Set the former endpoint again.",
        key="transfer:public @{region}/@{id}",
        terraform='# In the aws_transfer_server @{id}, which is stopped for it:\nendpoint_type = "VPC"\n'
        "endpoint_details {\n  vpc_id                 = var.vpc_id\n"
        "  subnet_ids             = var.subnet_ids\n  address_allocation_ids = var.address_allocation_ids\n"
        "  security_group_ids     = [var.partners_only_group_id]\n}\n",
    ),
    refs=(f"{_GUIDE}/create-server-in-vpc.html",),
)
def public(found: FileServers, groups: SecurityGroups, lists: PrefixLists) -> Verdicts:
    """A server that all of the internet reaches is guessed at day and night, and one password opens it."""
    by_id = {(one.region, one.id): one for one in groups.groups}
    named = {(one.region, one.id): one.cidrs for one in lists.lists}
    for one in found.servers:
        if one.public == "yes":
            yield _verdict(one, "the endpoint is public, and nothing can stand before it")
            continue
        rules = _rules(one, by_id) if one.public == "groups" else []
        asked = {key for rule in rules or () for key in rule.prefix_lists}
        if rules is None or any((one.region, key) not in named for key in asked):
            yield unknown(one.arn, "not all of its security groups were read", where=one.region)
        else:
            cidrs = [cidr for rule in rules for cidr in rule.cidrs]
            cidrs += [cidr for key in asked for cidr in named[one.region, key]]
            way = opened(cidrs)
            yield _verdict(one, f"fixed addresses, and {joined(one.groups)} let everybody in" if way else "")


def _rules(one: FileServer, by_id: Mapping[tuple[str, str], SecurityGroup]) -> list[Rule] | None:
    """The rules that let somebody in at a port of the server; None where a group was not read."""
    if not one.groups or any((one.region, name) not in by_id for name in one.groups):
        return None
    ports = {_PORTS[protocol] for protocol in one.protocols if protocol in _PORTS}
    return [
        rule
        for name in one.groups
        for rule in by_id[one.region, name].ingress
        if rule.protocol in ("tcp", "-1") and any(rule.low <= port <= rule.high for port in ports)
    ]


def _verdict(one: FileServer, bad: str) -> Verdict:
    good = "only networks that are named reach it"
    return expect(
        not bad,
        on=one.arn,
        where=one.region,
        saw=bad or good,
        want=good,
        exposure=Exposure.INTERNET_OPEN if bad else None,
        exposure_evidence=f"{one.id} speaks {joined(one.protocols)}: {bad}" if bad else "",
        values={"id": one.id},
    )
