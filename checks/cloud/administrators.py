"""Which policy makes its holder an administrator."""

from __future__ import annotations

from checks.cloud.rights import EVERYTHING, Principal, grants
from checks.facts.cloud.iam import Holder, IamPolicies, IamPolicy
from checks.facts.cloud.policy import Policy
from checks.verdict import Verdict, expect, unknown


def administrator_by(found: IamPolicies, policy: IamPolicy, holder: Holder, meant: bool) -> Verdict:
    """Whether this policy makes this holder an administrator, its permissions boundary considered."""
    on = policy.arn if policy.made_by == "inline" else f"{policy.arn} on {holder.name}"
    want = "a bounded set of actions or resources"
    if not _allows_everything(policy.policy, holder):
        return expect(True, on=on, saw=want, want=want)
    if meant:
        return expect(True, on=on, saw="everything, to a role that is taken on for hours", want=want)
    if holder.boundary:
        bounds = {one.arn: one.policy for one in found.policies}
        if holder.boundary not in bounds:
            reason = f"it allows everything within {holder.boundary}, which could not be read"
            return unknown(on, reason, needs="iam:GetAccountAuthorizationDetails")
        if not _allows_everything(bounds[holder.boundary], holder):
            return expect(True, on=on, saw=f"everything within {holder.boundary}", want=want)
    kind, _, name = holder.name.partition("/")
    return expect(
        False,
        on=on,
        saw=f"every action on every resource, to {holder.name}",
        want=want,
        values={
            "kind": kind,
            "holder": name,
            "policy": policy.name if policy.made_by == "inline" else policy.arn,
            "arn": holder.arn,
            "account": found.account,
        },
        cite=policy.arn,
    )


def _allows_everything(policy: Policy, holder: Holder) -> bool:
    # All but a few is everything, unless what is left out is the power over identities.
    alone = Principal(holder.arn, holder.name, (("", policy),), None)
    return all(
        any(grant.on(EVERYTHING) for grant in grants(alone, action))
        for action in ("any:thing", "iam:createuser")
    )
