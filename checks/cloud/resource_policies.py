"""Whom the policies of resources let in: everybody, or accounts that nobody knows."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from checks.check import Check, make_check
from checks.cloud.deputies import confused
from checks.cloud.openness import effective, openings
from checks.cloud.outsiders import outsiders, told
from checks.cloud.policy_kinds import KINDS, Kind
from checks.cloud.setting import module_of
from checks.facts.cloud.organization import KnownAccounts
from checks.facts.cloud.resource_policies import ResourcePolicy
from checks.facts.snapshot import Fact
from checks.fix import Effort, Fix, Language, Snippet
from checks.model import Confidence, Exploit, Impact, Severity, Surface, Weakness
from checks.verdict import Verdicts, expect

_GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_identity-vs-resource.html"


_SAVE = " > policy.before.json"


def _fix(kind: Kind, what: str) -> Fix:
    write = (
        "# Edit policy.after.json: take the statement out, or name who needs it.\n"
        f"cp policy.before.json policy.after.json &&\n${{EDITOR:-vi}} policy.after.json &&\n{kind.write} "
        '"$(cat policy.after.json)"'
    )
    back = f'{kind.write} "$(cat policy.before.json)"'
    if kind.topic == "functions":
        write = "aws lambda remove-permission --region @{region} --function-name @{on} --statement-id @{sid}"
        back = "# Add the statement again from policy.before.json with aws lambda add-permission.\ntrue"
    elif kind.topic == "glacier":
        write = (
            "aws glacier delete-vault-access-policy --region @{region} --account-id - --vault-name @{name}"
        )
        back = (
            "jq -n --arg p \"$(cat policy.before.json)\" '{Policy:$p}' > policy.again.json &&\n"
            "aws glacier set-vault-access-policy --region @{region} --account-id - --vault-name @{name} "
            "--policy file://policy.again.json"
        )
    elif kind.topic == "sqs":
        write = write.replace(
            f'{kind.write} "$(cat policy.after.json)"', f"{kind.write} file://policy.after.json"
        )
        write = write.replace("cp policy.before.json", "jq .Attributes policy.before.json >")
        write = write.replace("> policy.after.json", "> policy.after.json", 1)
        back = (
            f"jq .Attributes policy.before.json > policy.again.json &&\n{kind.write} file://policy.again.json"
        )
    return Fix(
        action=what.format(f"{kind.noun} @{{name}}"),
        do=f"Take the statement out of the policy of the {kind.noun}, or name the account, organization or "
        "source that needs it in its Principal or a condition (aws:PrincipalOrgID, aws:SourceArn). Look in "
        "CloudTrail for who has used it meanwhile.",
        verify=f"{kind.read}   # names nobody else",
        effort=Effort(0.5, 0.5),
        undo="The same call with the policy that was saved first.",
        key=f"{kind.topic}:policy @{{on}}",
        snippets=(Snippet(Language.AWS_CLI, f"{kind.read}{_SAVE} &&\n{write}", back),),
    )


def _public(kind: Kind) -> Check[[Fact]]:
    def judge(found: Fact) -> Verdicts:
        for one in _policies(kind, found):
            ways = openings(one.policy)
            words = "; ".join(way.words for way in ways)
            yield expect(
                not ways,
                on=one.arn,
                where=one.region,
                saw=words or "nobody but those who are named",
                want="nobody but those who are named",
                confidence=Confidence.CONFIRMED
                if not ways or any(w.certain for w in ways)
                else Confidence.LIKELY,
                exposure=kind.exposure if ways else None,
                exposure_evidence="; ".join(filter(None, (f"{one.name}: {words}", kind.within)))
                if ways
                else "",
                values=_values(one, ways[0].name if ways else ""),
            )

    judge.__annotations__["found"] = kind.fact
    judge.__module__ = module_of(f"cloud.{kind.topic}")
    return make_check(
        judge,
        f"cloud.{kind.topic}.public",
        title=f"No {kind.noun} is open to everybody",
        severity=kind.severity,
        impact=kind.impact,
        exploit=Exploit.NO_EXPLOIT_NEEDED,
        surface=Surface.DATA,
        weakness=Weakness.WORLD_READABLE_STORE,
        why=f"Whoever has an AWS account, which anybody can open, {kind.lost}.",
        fix=_fix(kind, "Close {} to the public"),
        refs=(_GUIDE,),
    )


def _outside(kind: Kind) -> Check[[Fact, KnownAccounts]]:
    def judge(found: Fact, known: KnownAccounts, *, trusted: frozenset[str] = frozenset()) -> Verdicts:
        friends = trusted | frozenset(known.accounts)
        for one in _policies(kind, found):
            strangers = outsiders(one.policy, found.account, friends, known.organization)  # type: ignore[attr-defined]
            yield told(
                strangers,
                known,
                on=one.arn,
                where=one.region,
                good="no other account",
                want="no account that nobody knows",
                values=_values(one, strangers[0].name if strangers else ""),
            )

    judge.__annotations__["found"] = kind.fact
    judge.__module__ = module_of(f"cloud.{kind.topic}")
    return make_check(
        judge,
        f"cloud.{kind.topic}.outsiders",
        title=f"{kind.plural[0].upper()}{kind.plural[1:]} let in no account that nobody knows",
        severity=Severity.MEDIUM,
        impact=Impact.SERIOUS,
        surface=Surface.CONTROL_PLANE,
        why=f"An account outside of the organization {kind.lost}, and nobody here sees who is in it.",
        fix=_fix(kind, "Check who is let in by the policy of {}"),
        refs=(_GUIDE,),
    )


def _policies(kind: Kind, found: Fact) -> Iterable[ResourcePolicy]:
    for one in found.policies:  # type: ignore[attr-defined]
        policy = effective(one.policy, one.arn) if kind.alone else one.policy
        yield msgspec.structs.replace(one, policy=policy)


def _values(one: ResourcePolicy, statement: str) -> dict[str, str]:
    parts = one.arn.split(":")
    domain = "amazonaws.com.cn" if one.region.startswith("cn-") else "amazonaws.com"
    url = f"https://sqs.{one.region}.{domain}/{parts[4]}/{one.name}" if len(parts) > 5 else one.name
    return {"name": one.name, "url": url, "sid": statement.removeprefix("statement ")}


def family(topic: str) -> tuple[Check[...], ...]:
    """The checks of the policies of one kind of resource: not for everybody, and for no unknown account."""
    [kind] = [one for one in KINDS if one.topic == topic]
    return _public(kind), _outside(kind)


def deputy(topic: str) -> Check[[Fact]]:
    """Services act for a named source only, in the policies of one kind of resource."""
    [kind] = [one for one in KINDS if one.topic == topic]

    def judge(found: Fact) -> Verdicts:
        for one in _policies(kind, found):
            loose = confused(one.policy)
            yield expect(
                not loose,
                on=one.arn,
                where=one.region,
                saw="; ".join(loose) or "each service only for a named source",
                want="each service only for a named source",
                values=_values(one, loose[0].partition(":")[0] if loose else ""),
            )

    judge.__annotations__["found"] = kind.fact
    judge.__module__ = module_of(f"cloud.{kind.topic}")
    return make_check(
        judge,
        f"cloud.{topic}.confused-deputy",
        title=f"Services reach a {kind.noun} only for a source that is named",
        severity=Severity.MEDIUM,
        impact=Impact.PARTIAL,
        surface=Surface.CONTROL_PLANE,
        why="A service acts for every customer of AWS: without a named source anybody can have it act here.",
        fix=_fix(kind, "Name the source in the policy of {}"),
        refs=("https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html",),
    )
