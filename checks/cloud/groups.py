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
            yield _open(group, ways, behind, named)
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


def _open(
    group: SecurityGroup, ways: Mapping[str, Open], behind: _Behind, named: Mapping[str, Sequence[str]]
) -> Verdict:
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
        values={
            "name": group.name,
            "rules": _rules(group, names, named),
            "first": names[0].partition("/")[2],
        },
    )


def _rules(group: SecurityGroup, names: Sequence[str], named: Mapping[str, Sequence[str]]) -> str:
    """The open rules as `--ip-permissions` takes them; narrow networks, and lists of them, stay.

    Where the internet is let in by many narrow pieces there are no wide ones: then all pieces go.
    """
    hit = [rule for rule in group.ingress if any(_lets_in(rule, name) for name in names)]
    entries = [_entry(rule, [c for c in rule.cidrs if _wide(c)], _wide_lists(rule, named)) for rule in hit]
    left = [[c for c in (*rule.cidrs, *_listed(rule.prefix_lists, named)) if not _wide(c)] for rule in hit]
    if opened(cidr for cidrs in left for cidr in cidrs):
        entries = [_entry(rule, rule.cidrs, rule.prefix_lists) for rule in hit]
    return json.dumps([entry for entry in entries if entry], separators=(",", ":"))


def _lets_in(rule: Rule, name: str) -> bool:
    protocol, _, port = name.partition("/")
    return rule.protocol in (protocol, "-1") and rule.low <= int(port) <= rule.high


def _listed(lists: Iterable[str], named: Mapping[str, Sequence[str]]) -> list[str]:
    return [cidr for name in lists for cidr in named.get(name, ())]


def _wide_lists(rule: Rule, named: Mapping[str, Sequence[str]]) -> list[str]:
    """The lists that let the internet in, each by itself: a list is taken out whole or not at all."""
    return [name for name in rule.prefix_lists if opened(named.get(name, ()))]


def _entry(rule: Rule, cidrs: Iterable[str], lists: Iterable[str]) -> dict[str, object]:
    """One rule with these sources only; empty where none is left."""
    taken = list(cidrs)
    sources: dict[str, object] = {}
    if four := [{"CidrIp": cidr} for cidr in taken if ":" not in cidr]:
        sources["IpRanges"] = four
    if six := [{"CidrIpv6": cidr} for cidr in taken if ":" in cidr]:
        sources["Ipv6Ranges"] = six
    if named := [{"PrefixListId": name} for name in lists]:
        sources["PrefixListIds"] = named
    if not sources:
        return {}
    ports = {} if rule.protocol == "-1" else {"FromPort": rule.low, "ToPort": rule.high}
    return {"IpProtocol": rule.protocol, **ports, **sources}


def _wide(cidr: str) -> bool:
    """Whether this network alone holds a wide part of the internet."""
    return ip_network(cidr, strict=False).prefixlen <= (32 if ":" in cidr else 8) and bool(
        opened([cidr], prefix4=9, prefix6=33)
    )
