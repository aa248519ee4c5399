"""What security groups let in from the internet, and what stands behind them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_network

from checks import (
    Effort,
    Exposure,
    Fix,
    Language,
    Severity,
    Snippet,
    Verdict,
    Verdicts,
    expect,
    unknown,
)
from checks.cloud.addresses import Open, opened
from checks.facts.cloud.ec2 import (
    Interface,
    NetworkInterfaces,
    PrefixLists,
    Rule,
    SecurityGroup,
    SecurityGroups,
)

_SHOWN = 4
_UDP = frozenset({111, 137, 138, 2049, 3389, 11211})
"""Ports whose service is also used, and abused, over UDP."""


def close_fix(what: str, instead: str) -> Fix:
    """The repair of a group that opens these ports: the very rules, taken out by one call."""
    return Fix(
        action=f"Close {what} in security group @{{on}}",
        do=f"{instead}. Then take the rules that let the internet in out of group @{{on}} (@{{name}}); if "
        f"somebody needs "
        "them still, add a rule for that one network.",
        verify="aws ec2 describe-security-groups --region @{region} --group-ids @{on} "
        "--query 'SecurityGroups[].IpPermissions'   # without the open networks",
        effort=Effort(setup=0.5, each=0.25),
        undo="The authorize call with the same rules puts them back at once.",
        key="ec2:security-group @{on} close to the internet",
        snippets=(
            Snippet(
                Language.AWS_CLI,
                "aws ec2 revoke-security-group-ingress --region @{region} --group-id @{on} "
                "--ip-permissions @{rules}",
                "aws ec2 authorize-security-group-ingress --region @{region} --group-id @{on} "
                "--ip-permissions @{rules}",
            ),
            Snippet(
                Language.TERRAFORM,
                "# Take the open rules of this group out of the code, and let one network in instead:\n"
                'resource "aws_vpc_security_group_ingress_rule" "from_our_network" {\n'
                "  security_group_id = @{on}\n"
                '  cidr_ipv4         = var.our_network # for example "192.0.2.0/24"\n'
                '  ip_protocol       = "tcp"\n'
                "  from_port         = @{first}\n"
                "  to_port           = @{first}\n"
                "}\n",
            ),
        ),
    )


def judge(
    found: SecurityGroups, lists: PrefixLists, interfaces: NetworkInterfaces, ports: frozenset[int]
) -> Verdicts:
    """One verdict per group: which of the ports the internet reaches through it, and what is behind."""
    named = {one.id: one.cidrs for one in lists.lists}
    for group in found.groups:
        ways = _ways(group, ports, named)
        if ways:
            users = [one for one in interfaces.interfaces if group.id in one.groups]
            behind = _behind(users, ways.values(), group.region in interfaces.regions)
            yield _open(group, ways, behind)
            continue
        unread = sorted(
            {name for rule in group.ingress if _covered(rule, ports) for name in rule.prefix_lists}
            - set(named)
        )
        if unread:
            yield unknown(
                group.id,
                f"a rule lets in {', '.join(unread)}, whose networks could not be read",
                needs="ec2:GetManagedPrefixListEntries",
                where=group.region,
            )
        else:
            yield expect(
                True,
                on=group.id,
                where=group.region,
                saw="not open to the internet",
                want="not open to the internet",
            )


@dataclass(frozen=True, slots=True)
class _Behind:
    """What an open group leads to."""

    exposure: Exposure
    evidence: str
    severity: Severity | None


def _ways(group: SecurityGroup, ports: frozenset[int], named: Mapping[str, Sequence[str]]) -> dict[str, Open]:
    """The ports that the internet reaches (`tcp/22`), and from where."""
    ways: dict[str, Open] = {}
    for protocol, asked in (("tcp", ports), ("udp", ports & _UDP)):
        for port in sorted(asked):
            cidrs = [
                cidr
                for rule in group.ingress
                if rule.protocol in (protocol, "-1") and rule.low <= port <= rule.high
                for cidr in (*rule.cidrs, *(c for name in rule.prefix_lists for c in named.get(name, ())))
            ]
            if cidrs and (way := opened(cidrs)):
                ways[f"{protocol}/{port}"] = way
    return ways


def _covered(rule: Rule, ports: frozenset[int]) -> bool:
    return rule.protocol in ("tcp", "udp", "-1") and any(rule.low <= port <= rule.high for port in ports)


def _behind(users: Sequence[Interface], ways: Iterable[Open], read: bool) -> _Behind:
    if not read:
        return _Behind(Exposure.UNKNOWN, "which interfaces use the group could not be read", None)
    if not users:
        return _Behind(Exposure.UNREACHABLE, "no network interface uses the group", Severity.LOW)
    four = any(way.four for way in ways)
    six = any(way.six for way in ways)
    for one in users:
        public = [*(one.public4 if four else ()), *(one.public6 if six else ())]
        if public:
            whose = f"instance {one.instance}" if one.instance else f"a {one.kind} interface"
            evidence = (
                f"the group is on {one.id} of {whose} with the public address {public[0]}; "
                "routes and network access lists were not considered"
            )
            return _Behind(Exposure.INTERNET_OPEN, evidence, None)
    evidence = f"the group is on {len(users)} interfaces, none with a public address that it opens"
    return _Behind(Exposure.OTHER_ZONE, evidence, Severity.MEDIUM)


def _open(group: SecurityGroup, ways: Mapping[str, Open], behind: _Behind) -> Verdict:
    names = list(ways)
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    sources = {way.words for way in ways.values()}
    from_where = sources.pop() if len(sources) == 1 else "the internet"
    return expect(
        False,
        on=group.id,
        where=group.region,
        saw=f"{', '.join(names[:_SHOWN])}{more} open to {from_where}; {behind.evidence}",
        want="not open to the internet",
        severity=behind.severity,
        exposure=behind.exposure,
        exposure_evidence=f"{group.id} lets {names[0]} in from {from_where}; {behind.evidence}",
        values={"name": group.name, "rules": _rules(group, names), "first": names[0].partition("/")[2]},
    )


def _rules(group: SecurityGroup, names: Sequence[str]) -> str:
    """The open rules as `--ip-permissions` takes them; narrow networks beside the wide ones stay."""
    found = []
    for rule in group.ingress:
        hit = any(
            rule.protocol in (name.partition("/")[0], "-1")
            and rule.low <= int(name.partition("/")[2]) <= rule.high
            for name in names
        )
        wide = [cidr for cidr in rule.cidrs if ip_network(cidr, strict=False).prefixlen <= _widest(cidr)]
        if not hit or not (wide or rule.prefix_lists or rule.cidrs):
            continue
        taken = wide or ([] if rule.prefix_lists else list(rule.cidrs))
        entry: dict[str, object] = {"IpProtocol": rule.protocol}
        if rule.protocol != "-1":
            entry |= {"FromPort": rule.low, "ToPort": rule.high}
        if four := [{"CidrIp": cidr} for cidr in taken if ":" not in cidr]:
            entry["IpRanges"] = four
        if six := [{"CidrIpv6": cidr} for cidr in taken if ":" in cidr]:
            entry["Ipv6Ranges"] = six
        if rule.prefix_lists and not wide:
            entry["PrefixListIds"] = [{"PrefixListId": name} for name in rule.prefix_lists]
        found.append(entry)
    return json.dumps(found, separators=(",", ":"))


def _widest(cidr: str) -> int:
    return 32 if ":" in cidr else 8
