"""Load balancers: what they let in, how they encrypt, and what they record."""

from __future__ import annotations

import re
from typing import Any

from checks.check import check
from checks.cloud.fronts import Front, fronts
from checks.cloud.reach import reach
from checks.cloud.setting import joined, repair, setting
from checks.facts.cloud.ec2 import PrefixLists, SecurityGroups
from checks.facts.cloud.elb import Balancers, BalancerSettings, Listeners, TargetGroup, TargetGroups
from checks.facts.cloud.routes import AclWaysOut, RouteTables
from checks.facts.cloud.vpc import NetworkAcls
from checks.model import Exploit, Exposure, Impact, Severity, Surface
from checks.verdict import Verdicts, expect, unknown

_GUIDE = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/create-https-listener.html"
_CURRENT = re.compile(r"ELBSecurityPolicy-(TLS13-1-[23]|TLS-1-2|FS-1-2)")
_RISKY = frozenset(
    {22, 23, 135, 445, 1433, 1521, 2375, 2379, 3306, 3389, 5432, 5900, 5985, 6379, 9200, 11211, 27017}
)
_SPEAK_HTTP = frozenset({2375, 2379, 5985, 9200})
"""What a request over HTTP is enough for: Docker, search engines, stores and cluster agents."""


def _over_tls(one: Any) -> bool | None:
    if one.kind != "application" or not one.public:
        return None
    return one.protocol == "HTTPS" or bool(one.redirects)


def _policy(one: Any) -> bool | None:
    return bool(_CURRENT.match(one.policy)) if one.policy else None


_SET = "aws elbv2 modify-load-balancer-attributes --region @{region} --load-balancer-arn @{on} --attributes"
_GET = "aws elbv2 describe-load-balancer-attributes --region @{region} --load-balancer-arn @{on}"

plain_http = setting(
    "cloud.elb.plain-http",
    Listeners,
    _over_tls,
    title="Public load balancers send plain HTTP to HTTPS",
    why="Over plain HTTP passwords, sessions and pages can be read and changed by everybody on the way.",
    severity=Severity.MEDIUM,
    bad=lambda one: f"answers plain HTTP at port {one.port}",
    good="HTTPS, or a redirect to it",
    fix=repair(
        "Send plain HTTP to HTTPS at load balancer @{name}",
        "Make an HTTPS listener with a certificate of Certificate Manager, then let the plain one only "
        "redirect.",
        "aws elbv2 describe-listeners --region @{region} --listener-arns @{on} --query "
        "'Listeners[].DefaultActions'",
        "aws elbv2 describe-listeners --region @{region} --listener-arns @{on} --query "
        "'Listeners[0].DefaultActions' "
        "> actions.before.json &&\n"
        "aws elbv2 modify-listener --region @{region} --listener-arn @{on} "
        "--default-actions 'Type=redirect,RedirectConfig={Protocol=HTTPS,Port=443,StatusCode=HTTP_301}'",
        "aws elbv2 modify-listener --region @{region} --listener-arn @{on} --default-actions "
        "file://actions.before.json",
        key="elb:https @{on}",
        terraform="# In the aws_lb_listener with ARN @{on}, in place of its default_action:\n"
        'default_action {\n  type = "redirect"\n  redirect {\n    protocol    = "HTTPS"\n'
        '    port        = "443"\n    status_code = "HTTP_301"\n  }\n}\n',
    ),
    refs=(_GUIDE,),
)
tls_policy = setting(
    "cloud.elb.tls-policy",
    Listeners,
    _policy,
    title="Load balancers speak TLS 1.2 or newer only",
    why="TLS 1.0 and 1.1 can be broken by whoever is on the way.",
    severity=Severity.MEDIUM,
    bad=lambda one: f"policy {one.policy}",
    good="a policy without TLS 1.0 and 1.1",
    fix=repair(
        "Speak current TLS at load balancer @{name}",
        "Set a policy of TLS 1.2 and 1.3; clients older than ten years stay out.",
        "aws elbv2 describe-listeners --region @{region} --listener-arns @{on} --query "
        "'Listeners[].SslPolicy'",
        "aws elbv2 modify-listener --region @{region} --listener-arn @{on} "
        "--ssl-policy ELBSecurityPolicy-TLS13-1-2-2021-06",
        "aws elbv2 modify-listener --region @{region} --listener-arn @{on} --ssl-policy @{policy}",
        key="elb:tls @{on}",
        terraform="# In the aws_lb_listener with ARN @{on}:\n"
        'ssl_policy = "ELBSecurityPolicy-TLS13-1-2-2021-06"\n',
    ),
    refs=("https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html",),
)
risky_ports = setting(
    "cloud.elb.risky-ports",
    Listeners,
    lambda one: one.port not in _RISKY if one.public else None,
    title="Public load balancers open no administration or database ports",
    why="What stands behind has no public address and looks safe, and is reached all the same.",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    exploit=Exploit.AUTOMATABLE,
    bad=lambda one: f"tcp/{one.port} is open to the internet",
    good="no such port",
    fix=repair(
        "Take port away from public load balancer @{name}",
        "Reach it over a VPN or Session Manager, or through an internal load balancer, then delete the "
        "listener.",
        "aws elbv2 describe-listeners --region @{region} --listener-arns @{on}   # not found",
        "aws elbv2 describe-listeners --region @{region} --listener-arns @{on} > listener.before.json &&\n"
        "aws elbv2 delete-listener --region @{region} --listener-arn @{on}",
        "jq '.Listeners[0] | {LoadBalancerArn,Protocol,Port,DefaultActions}' listener.before.json > "
        "listener.again.json &&\n"
        "aws elbv2 create-listener --region @{region} --cli-input-json file://listener.again.json",
        key="elb:risky @{on}",
    ),
    refs=("https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-listeners.html",),
)
access_logs = setting(
    "cloud.elb.access-logs",
    BalancerSettings,
    lambda one: one.logs,
    title="Load balancers record who asked for what",
    why="Attacks on a site show in these logs and nowhere else.",
    severity=Severity.LOW,
    bad="no access log",
    good="an access log",
    fix=repair(
        "Record requests at load balancers",
        "Write the access log into a bucket of the log account whose policy lets the service write.",
        f"{_GET} --query \"Attributes[?Key=='access_logs.s3.enabled']\"   # true",
        f'{_SET} Key=access_logs.s3.enabled,Value=true "Key=access_logs.s3.bucket,Value=$BUCKET"',
        f"{_SET} Key=access_logs.s3.enabled,Value=false",
        hours=(0.5, 0.1),
        terraform="# In the aws_lb with ARN @{on}:\naccess_logs {\n  bucket  = var.log_bucket\n"
        "  enabled = true\n}\n",
    ),
    refs=(
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html",
    ),
)
deletion_protection = setting(
    "cloud.elb.deletion-protection",
    BalancerSettings,
    lambda one: one.protected,
    title="Load balancers cannot be deleted by mistake",
    why="With the load balancer goes its address, and every name that points at it.",
    severity=Severity.LOW,
    bad="can be deleted in one call",
    good="protected from deletion",
    fix=repair(
        "Protect load balancers from deletion",
        "Turn on deletion protection.",
        f"{_GET} --query \"Attributes[?Key=='deletion_protection.enabled']\"   # true",
        f"{_SET} Key=deletion_protection.enabled,Value=true",
        f"{_SET} Key=deletion_protection.enabled,Value=false",
        terraform="# In the aws_lb with ARN @{on}:\nenable_deletion_protection = true\n",
    ),
    refs=(
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html",
    ),
)
invalid_headers = setting(
    "cloud.elb.invalid-headers",
    BalancerSettings,
    lambda one: one.drops_invalid,
    title="Load balancers drop broken headers",
    why="Headers that balancer and server read differently smuggle a second request past every rule in "
    "front.",
    severity=Severity.LOW,
    bad="passed on",
    good="dropped",
    fix=repair(
        "Drop broken headers at load balancers",
        "Turn the setting on; only headers with characters that HTTP does not know are dropped.",
        f"{_GET} --query \"Attributes[?Key=='routing.http.drop_invalid_header_fields.enabled']\"   # true",
        f"{_SET} Key=routing.http.drop_invalid_header_fields.enabled,Value=true",
        f"{_SET} Key=routing.http.drop_invalid_header_fields.enabled,Value=false",
        terraform="# In the aws_lb with ARN @{on}:\ndrop_invalid_header_fields = true\n",
    ),
    refs=(
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html",
    ),
)


@check(
    "cloud.elb.risky-targets",
    title="Public load balancers lead to no administration or database port",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.DATA,
    fix=repair(
        "Take the targets of group @{name} away from public load balancers",
        "Reach the port over a VPN or Session Manager, or through an internal load balancer, then take the "
        "targets out of the group.",
        "aws elbv2 describe-target-health --region @{region} --target-group-arn @{on} "
        "--query 'TargetHealthDescriptions[].Target'   # without these ports",
        "aws elbv2 describe-target-health --region @{region} --target-group-arn @{on} "
        "--query 'TargetHealthDescriptions[].Target' > targets.before.json &&\n"
        "aws elbv2 deregister-targets --region @{region} --target-group-arn @{on} "
        "--targets file://targets.before.json",
        "aws elbv2 register-targets --region @{region} --target-group-arn @{on} "
        "--targets file://targets.before.json",
        key="elb:risky-targets @{on}",
    ),
    refs=(
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-target-groups.html",
    ),
)
def risky_targets(  # noqa: PLR0917 - one fact per wall
    targets: TargetGroups,
    balancers: Balancers,
    listeners: Listeners,
    groups: SecurityGroups,
    lists: PrefixLists,
    routes: RouteTables,
    acls: NetworkAcls,
    out: AclWaysOut,
    *,
    ports: frozenset[int] = _RISKY,
) -> Verdicts:
    """A harmless port outside may lead to a database inside; its address is private and looks safe."""
    found = fronts(balancers, listeners, reach(groups, lists, routes, acls, out))
    want = "no administration or database port behind an open door"
    for one in targets.groups:
        doors = [found[arn] for arn in one.balancers if arn in found]
        risky = {door.name: led for door in doors if (led := _led(one, door, ports))}
        open_door = next((door for door in doors if door.name in risky and door.reached), None)
        hidden = next((door.hidden for door in doors if door.name in risky and door.hidden), "")
        if hidden and not open_door:
            yield unknown(one.arn, f"{hidden} could not be looked into", where=one.region)
            continue
        ways = [f"{name} leads to {joined(led)}" for name, led in sorted(risky.items())]
        if risky and not open_door:
            ways.append("the internet does not reach it")
        yield expect(
            open_door is None,
            on=one.arn,
            where=one.region,
            saw="; ".join(ways) or "no such port",
            want=want,
            exposure=Exposure.INTERNET_OPEN if open_door else None,
            exposure_evidence=open_door.reached.evidence if open_door and open_door.reached else "",
            values={"name": one.name},
        )


def _led(one: TargetGroup, door: Front, ports: frozenset[int]) -> list[str]:
    """The risky ports of the targets that this door speaks to in a language that they understand."""
    meant = ports & _SPEAK_HTTP if door.kind == "application" else ports
    return sorted({f"tcp/{target.port} of {target.id}" for target in one.targets if target.port in meant})
