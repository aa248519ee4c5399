"""Amazon Inspector: whether somebody looks for known flaws in what runs."""

from __future__ import annotations

from collections.abc import Iterable

from checks.check import check
from checks.cloud.setting import repair
from checks.facts.cloud.ec2 import Ec2Instances
from checks.facts.cloud.functions import Functions
from checks.facts.cloud.inspector import Coverage, Covered
from checks.fix import Fix
from checks.model import Severity, Surface
from checks.verdict import Verdict, Verdicts, expect

_GUIDE = "https://docs.aws.amazon.com/inspector/latest/user/scanning-resources.html"
_CHOSEN = frozenset({"EXCLUDED_BY_TAG"})
"""Reasons by which somebody chose that a resource is not looked through."""


def _fix(kind: str, words: str) -> Fix:
    return repair(
        f"Look for known flaws in {words} with Amazon Inspector",
        "Turn Inspector on from the delegated administrator for all accounts and regions. Instances also "
        "need the agent of Systems Manager and its role, or the hybrid mode that reads their disks.",
        "aws inspector2 batch-get-account-status --region @{region} "
        "--query 'accounts[].resourceState'   # ENABLED",
        f"aws inspector2 enable --region @{{region}} --resource-types {kind}",
        f"aws inspector2 disable --region @{{region}} --resource-types {kind}",
        terraform="# In region @{region}; where there is an aws_inspector2_enabler, add the type to it:\n"
        'resource "aws_inspector2_enabler" "flaws" {\n  account_ids    = [@{account}]\n'
        f'  resource_types = ["{kind}"]\n}}\n',
        back="Turn it off again.",
        hours=(1.0, 0.1),
        key=f"inspector:{kind} @{{account}}",
    )


@check(
    "cloud.inspector.instances",
    title="Instances are looked through for known flaws",
    severity=Severity.LOW,
    surface=Surface.CONTROL_PLANE,
    fix=_fix("EC2", "instances"),
    refs=(_GUIDE,),
)
def instances(found: Coverage, running: Ec2Instances) -> Verdicts:
    """Known flaws in what is installed are how most servers are taken; somebody has to know of them."""
    for region in found.regions:
        names = [one.id for one in running.instances if one.region == region and one.state == "running"]
        yield from _judged(found, region, "instance", names)


@check(
    "cloud.inspector.functions",
    title="Functions are looked through for known flaws",
    severity=Severity.LOW,
    surface=Surface.CONTROL_PLANE,
    fix=_fix("LAMBDA", "functions"),
    refs=(_GUIDE,),
)
def functions(found: Coverage, deployed: Functions) -> Verdicts:
    """The libraries in a function grow old unseen: nobody logs in to a function to update it."""
    for region in found.regions:
        # Functions from images are looked through in their repository.
        names = [one.arn for one in deployed.functions if one.region == region and one.runtime]
        yield from _judged(found, region, "function", names)


def _judged(found: Coverage, region: str, kind: str, names: Iterable[str]) -> Iterable[Verdict]:
    """One verdict for the region, where it has anything of the kind."""
    known = {one.id: one for one in found.resources if (one.region, one.kind) == (region, kind)}
    wanted = sorted(names)
    if not wanted:
        return
    missing = [name for name in wanted if not _looked_at(known.get(name))]
    told = [f"{name.rpartition(':')[2]}{_why(known.get(name))}" for name in missing[:5]]
    more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
    yield expect(
        not missing,
        on=region,
        where=region,
        saw=f"not looked through: {', '.join(told)}{more}" if missing else f"all {len(wanted)} are",
        want="all are looked through",
        values={"account": found.account},
        cite=(missing or wanted)[0],
    )


def _looked_at(one: Covered | None) -> bool:
    if one is None:
        return False
    # Functions that nobody has called for long are left out until they are called again.
    idle = one.kind == "function" and one.reason in ("SCAN_ELIGIBILITY_EXPIRED", "STALE_INVENTORY")
    return one.scanned or idle or one.reason in _CHOSEN


def _why(one: Covered | None) -> str:
    return f" ({one.reason})" if one and one.reason else ""
