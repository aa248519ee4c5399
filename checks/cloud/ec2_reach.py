"""Instances that the internet reaches, all walls considered together."""

from __future__ import annotations

from collections.abc import Iterable

from checks.check import Check, check, make_check
from checks.cloud.fronts import Front, fronts
from checks.cloud.reach import Reach, reach
from checks.cloud.rights import Principal, administrator
from checks.cloud.setting import repair
from checks.facts.cloud.ec2 import (
    Ec2Instances,
    Instance,
    Interface,
    NetworkInterfaces,
    PrefixLists,
    SecurityGroups,
)
from checks.facts.cloud.elb import Balancers, Listeners, TargetGroups
from checks.facts.cloud.iam import IamPolicies, IamRoles
from checks.facts.cloud.routes import AclWaysOut, RouteTables
from checks.facts.cloud.vpc import NetworkAcls
from checks.fix import Fix
from checks.model import Exploit, Exposure, Impact, Severity, Surface
from checks.verdict import Verdict, Verdicts, expect, unknown

_GUIDE = "https://docs.aws.amazon.com/vpc/latest/userguide/infrastructure-security.html"
_WANT = "not reached from the internet"
_STILL = frozenset({"stopped", "stopping"})
_WEB = (80, 443, 8080, 8443)
_ADMIN = frozenset({22, 23, 135, 445, 2375, 2376, 3389, 5900, 5985, 5986, 6443, 8443, 10250})
_STORES = frozenset(
    {1433, 1521, 2379, 3306, 5432, 5601, 6379, 7000, 8086, 9042, 9092, 9200, 9300, 11211, 27017}
)


def _fix(what: str) -> Fix:
    return repair(
        f"Take {what} of instance @{{name}} off the internet",
        "Let people in over Session Manager or a VPN, and applications over the network's own addresses; "
        "then take the "
        "open rule out of the security group. The evidence names each wall: closing any of them is enough.",
        "aws ec2 describe-security-groups --region @{region} --group-ids @{groups} "
        "--query 'SecurityGroups[].IpPermissions'   # without 0.0.0.0/0 at these ports",
        "# Who is in these groups, and which rule is open:\n"
        "aws ec2 describe-security-group-rules --region @{region} --filters Name=group-id,Values=@{groups}\n"
        "aws ec2 revoke-security-group-ingress --region @{region} --group-id @{groups} "
        '--security-group-rule-ids "$RULE"',
        "# With the rule as the first answer shows it:\n"
        "aws ec2 authorize-security-group-ingress --region @{region} --group-id @{groups} --ip-permissions "
        '"$RULE"',
        hours=(0.5, 0.5),
        key="ec2:security-group @{groups} close to the internet",
    )


def _made(name: str, ports: frozenset[int], what: str, severity: Severity, why: str) -> Check[...]:
    def judge(  # noqa: PLR0917 - one fact per wall
        instances: Ec2Instances,
        interfaces: NetworkInterfaces,
        groups: SecurityGroups,
        lists: PrefixLists,
        routes: RouteTables,
        acls: NetworkAcls,
        out: AclWaysOut,
        *,
        ports: frozenset[int] = ports,
    ) -> Verdicts:
        network = reach(groups, lists, routes, acls, out)
        walls = (interfaces, groups, lists, routes, acls, out)
        read = set(instances.regions).intersection(*(wall.regions for wall in walls))
        for one in instances.instances:
            if one.region in read:
                yield _judged(one, _of(one, interfaces), network, ports)

    judge.__module__ = "checks.cloud.ec2_reach"
    return make_check(
        judge,
        f"cloud.ec2-reach.{name}",
        title=f"The internet reaches no {what} of instances",
        severity=severity,
        impact=Impact.SERIOUS,
        exploit=Exploit.AUTOMATABLE,
        surface=Surface.DATA,
        why=why,
        fix=_fix(what),
        refs=(_GUIDE,),
    )


def _of(instance: Instance, interfaces: NetworkInterfaces) -> list[Interface]:
    return [i for i in interfaces.interfaces if i.instance == instance.id and i.region == instance.region]


def _judged(one: Instance, own: list[Interface], network: Reach, ports: Iterable[int]) -> Verdict:
    if one.state in _STILL:
        saw = f"it is {one.state}, and has no network"
        return expect(True, on=one.id, where=one.region, saw=saw, want=_WANT)
    reached = [found for card in own for found in network.open_ports(card, ports)]
    if reached:
        names = ", ".join(dict.fromkeys(found.port for found in reached))
        return expect(
            False,
            on=one.id,
            where=one.region,
            saw=f"{names} reached at {reached[0].address} from {reached[0].source}",
            want=_WANT,
            exposure=Exposure.INTERNET_OPEN,
            exposure_evidence=reached[0].evidence,
            values={"name": one.name or one.id, "groups": reached[0].groups[0]},
        )
    hidden = _hidden(own, network)
    if hidden:
        return unknown(one.id, f"{hidden} could not be looked into", where=one.region)
    walls = next((r for card in own if (r := network.why_not(card))), "")
    saw = walls or "its security groups and access lists keep the internet out"
    return expect(True, on=one.id, where=one.region, saw=saw, want=_WANT)


def _hidden(own: list[Interface], network: Reach) -> str:
    """What stands before an instance and was not told; its interfaces, where none of them was."""
    if not own:
        return "its interfaces"
    return ", ".join(dict.fromkeys(name for card in own if (name := network.hidden(card))))


REACHED = (
    _made(
        "admin-ports",
        _ADMIN,
        "administration",
        Severity.HIGH,
        "Passwords and keys are tried at every reachable administration port within minutes, day and night.",
    ),
    _made(
        "data-ports",
        _STORES,
        "database or cache",
        Severity.HIGH,
        "A store that the internet reaches is emptied by the first flaw or weak password.",
    ),
)


_METADATA = "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html"
_KEYS = repair(
    "Take the administrator's role from instance @{name}",
    "Give the instance a role with what it needs, and let its metadata service answer to tokens only.",
    "aws ec2 describe-instances --region @{region} --instance-ids @{on} "
    "--query 'Reservations[].Instances[].[IamInstanceProfile.Arn,MetadataOptions.HttpTokens]'   # required",
    "aws ec2 modify-instance-metadata-options --region @{region} --instance-id @{on} --http-tokens required",
    "aws ec2 modify-instance-metadata-options --region @{region} --instance-id @{on} --http-tokens optional",
    hours=(1.0, 1.0),
    key="ec2:keys-to-the-account @{on}",
)


@check(
    "cloud.ec2-reach.keys-to-the-account",
    title="No reachable instance hands out an administrator's keys",
    severity=Severity.CRITICAL,
    impact=Impact.TOTAL,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.DATA,
    fix=_KEYS,
    refs=(_METADATA,),
)
def keys_to_the_account(  # noqa: PLR0917 - one fact per wall
    instances: Ec2Instances,
    interfaces: NetworkInterfaces,
    groups: SecurityGroups,
    lists: PrefixLists,
    routes: RouteTables,
    acls: NetworkAcls,
    out: AclWaysOut,
    policies: IamPolicies,
    roles: IamRoles,
) -> Verdicts:
    """One request that the server is talked into gives the keys of its role, and they open the account."""
    network = reach(groups, lists, routes, acls, out)
    strong = _strong(policies)
    for one in instances.instances:
        if not one.profile:
            continue
        own = _of(one, interfaces)
        weak = _weak(one, strong, roles)
        ports = (*_WEB, *_ADMIN)
        reached = [] if one.state in _STILL else [f for c in own for f in network.open_ports(c, ports)]
        if reached and (untold := _untold(one, policies, roles)):
            yield untold
            continue
        if len(weak) == 2 and not reached and one.state not in _STILL and (hidden := _hidden(own, network)):
            yield unknown(one.id, f"{hidden} could not be looked into", where=one.region)
            continue
        yield keys(one, weak, reached[0].evidence if reached else "", "the internet reaches it")


@check(
    "cloud.ec2-reach.keys-behind-a-balancer",
    title="No instance behind a public load balancer hands out an administrator's keys",
    severity=Severity.CRITICAL,
    impact=Impact.TOTAL,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.DATA,
    fix=_KEYS,
    refs=(_METADATA,),
)
def keys_behind_a_balancer(  # noqa: PLR0917 - one fact per wall
    instances: Ec2Instances,
    balancers: Balancers,
    listeners: Listeners,
    targets: TargetGroups,
    groups: SecurityGroups,
    lists: PrefixLists,
    routes: RouteTables,
    acls: NetworkAcls,
    out: AclWaysOut,
    policies: IamPolicies,
    roles: IamRoles,
) -> Verdicts:
    """An instance without a public address looks safe; requests reach it all the same, and one is enough."""
    found = fronts(balancers, listeners, reach(groups, lists, routes, acls, out))
    strong = _strong(policies)
    before: dict[str, list[Front]] = {}
    for group in targets.groups:
        for one in group.targets:
            before.setdefault(one.id, []).extend(found[arn] for arn in group.balancers if arn in found)
    for instance in instances.instances:
        doors = before.get(instance.id, []) if instance.profile else []
        if not doors:
            continue
        weak = _weak(instance, strong, roles)
        way = next((door for door in doors if door.reached), None)
        hidden = next((door.hidden for door in doors if door.hidden), "")
        if len(weak) == 2 and way is None and hidden and instance.state not in _STILL:
            yield unknown(instance.id, f"{hidden} could not be looked into", where=instance.region)
            continue
        evidence = ""
        if way and way.reached and instance.state not in _STILL:
            if untold := _untold(instance, policies, roles):
                yield untold
                continue
            evidence = f"load balancer {way.name} sends requests to {instance.id}: {way.reached.evidence}"
        yield keys(instance, weak, evidence, f"load balancer {doors[0].name} leads to it")


def keys(one: Instance, weak: list[str], evidence: str, reached: str) -> Verdict:
    """The verdict on an instance: `weak` are the two things wrong with its keys, `evidence` the way to it."""
    bad = bool(evidence) and len(weak) == 2
    return expect(
        not bad,
        on=one.id,
        where=one.region,
        saw=", ".join([reached] * bool(evidence) + weak) or "none of the three",
        want="not all three together",
        exposure=Exposure.INTERNET_OPEN if bad else None,
        exposure_evidence=evidence if bad else "",
        values={"name": one.name or one.id},
    )


def _weak(one: Instance, strong: frozenset[str], roles: IamRoles) -> list[str]:
    name = _role_of(one, roles)
    found = [f"its role {name} is an administrator"] if name in strong else []
    if one.metadata and one.tokens != "required":
        found.append("its metadata service answers without a token")
    return found


def _untold(one: Instance, policies: IamPolicies, roles: IamRoles) -> Verdict | None:
    """Unknown where a reached instance is one answer away from the account and its role was not read."""
    name = _role_of(one, roles)
    if (name and f"role/{name}" not in policies.unread) or not one.metadata or one.tokens == "required":
        return None
    reason = f"what the role in {one.profile.rpartition('/')[2]} may do could not be read"
    return unknown(one.id, reason, where=one.region, needs="iam:GetAccountAuthorizationDetails")


def _role_of(one: Instance, roles: IamRoles) -> str:
    """The role in the instance's profile; empty where that was not read."""
    return next((role.name for role in roles.roles if one.profile in role.profiles), "")


def _strong(policies: IamPolicies) -> frozenset[str]:
    """The names of the roles that are administrators."""
    held: dict[str, list[tuple[str, object]]] = {}
    for one in policies.policies:
        for holder in one.holders:
            if holder.name.startswith("role/") and not holder.boundary:
                held.setdefault(holder.name.removeprefix("role/"), []).append((one.name, one.policy))
    return frozenset(
        name
        for name, own in held.items()
        if administrator(Principal("", name, tuple(own), None))  # type: ignore[arg-type]
    )
