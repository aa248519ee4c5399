"""Who can make themselves an administrator, in one step or over others."""

from __future__ import annotations

import json
from functools import lru_cache

from checks.check import check
from checks.cloud.escalation import Way, ways_of
from checks.cloud.rights import Principal, administrator, principals
from checks.cloud.setting import repair
from checks.facts.cloud.iam import IamPolicies, IamRoles, IamUsers
from checks.model import Impact, Severity, Surface
from checks.verdict import Verdict, Verdicts, expect, unknown

_GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege"
_WANT = "no way to an administrator"
_FIX = repair(
    "Cut the way of @{name} to every right",
    "Take @{action} out of the policy @{policy}, or bound it to the resources that are needed: for "
    "iam:PassRole the one "
    "role and iam:PassedToService, for changes of policies a permissions boundary. Cut the first step that "
    "nobody needs.",
    "aws iam simulate-principal-policy --policy-source-arn @{on} --action-names @{action} "
    "--resource-arns @{resource}   # explicitDeny",
    "# Deny the step at once; then mend the policy itself, and take this denial away.\n"
    "aws iam put-@{kind}-policy --@{kind}-name @{short} --policy-name cut-escalation --policy-document "
    "@{denial}",
    "aws iam delete-@{kind}-policy --@{kind}-name @{short} --policy-name cut-escalation",
    hours=(1.0, 1.0),
    back="Delete the policy cut-escalation.",
    key="iam:cut-escalation @{policy} @{action}",
    terraform="# In a policy of @{name}, until the right itself is bounded in @{policy}:\nstatement {\n"
    '  effect    = "Deny"\n  actions   = [@{action}]\n  resources = [@{resource}]\n}\n',
)


@lru_cache(maxsize=1)
def _known(
    policies: IamPolicies, users: IamUsers, roles: IamRoles
) -> tuple[tuple[tuple[Principal, Way | None], ...], frozenset[str]]:
    """Each user and role that is no administrator with its way, and who is not known as a whole."""
    everybody = principals(policies, users, roles)
    found = {way.who.arn: way for way in ways_of(everybody, policies, roles)}
    plain = tuple((who, found.get(who.arn)) for who in everybody if not administrator(who))
    return plain, frozenset(who.arn for who in everybody if not who.whole)


def _judged(facts: tuple[IamPolicies, IamUsers, IamRoles], good: str, *, several: bool) -> Verdicts:
    plain, unread = _known(*facts)
    for who, way in plain:
        if way and (len(way.steps) > 1) is several:
            yield _verdict(way)
        elif who.arn in unread and not way:
            reason = "one of its policies or its permissions boundary could not be read"
            yield unknown(who.arn, reason, needs="iam:GetAccountAuthorizationDetails")
        elif not (way and several):
            yield expect(True, on=who.arn, saw=good, want=_WANT)


def _verdict(way: Way) -> Verdict:
    first = way.steps[0]
    kind, _, short = way.who.name.partition("/")
    denied = [{"Effect": "Deny", "Action": first.action, "Resource": first.on}]
    return expect(
        False,
        on=way.who.arn,
        saw=way.words,
        want=_WANT,
        values={
            "name": way.who.name,
            "action": first.action,
            "policy": first.policy,
            "kind": kind,
            "short": short,
            "resource": first.on,
            "denial": json.dumps({"Version": "2012-10-17", "Statement": denied}, separators=(",", ":")),
        },
    )


@check(
    "cloud.iam-escalation.one-step",
    title="Nobody can make themselves an administrator",
    severity=Severity.HIGH,
    impact=Impact.TOTAL,
    surface=Surface.CONTROL_PLANE,
    fix=_FIX,
    refs=(_GUIDE,),
)
def one_step(policies: IamPolicies, users: IamUsers, roles: IamRoles) -> Verdicts:
    """Whoever takes over a user or role with such a right is an administrator one call later."""
    yield from _judged((policies, users, roles), "no single step", several=False)


@check(
    "cloud.iam-escalation.several-hops",
    title="Nobody becomes an administrator over others",
    severity=Severity.MEDIUM,
    impact=Impact.TOTAL,
    surface=Surface.CONTROL_PLANE,
    fix=_FIX,
    refs=(_GUIDE,),
)
def several_hops(policies: IamPolicies, users: IamUsers, roles: IamRoles) -> Verdicts:
    """A chain of roles that trust each other ends at every right, and no single policy shows it."""
    yield from _judged((policies, users, roles), "no chain of steps", several=True)
