"""Regions that are open to everybody in the account and that nobody watches."""

from __future__ import annotations

from checks.check import check
from checks.cloud.config import idle
from checks.cloud.guardduty import TURN_ON
from checks.cloud.setting import repair
from checks.facts.cloud.account import AccountRegions
from checks.facts.cloud.detection import Detectors, Recorders
from checks.model import Impact, Severity, Surface
from checks.verdict import Verdicts, expect, unknown

_EACH = "printf '%s' @{regions} | tr ' ' '\\n' | while read -r region || [ -n \"$region\" ]; do\n"


@check(
    "cloud.detection.unwatched-regions",
    title="Somebody watches every region that is enabled",
    severity=Severity.MEDIUM,
    impact=Impact.SERIOUS,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Watch or close the regions in which nobody looks",
        "Close the regions that nobody needs: disable those that can be disabled, and refuse the others by a "
        "policy of the organization (aws:RequestedRegion). Turn GuardDuty on in all that stay open.",
        f"{_EACH}"
        '  aws guardduty list-detectors --region "$region" --query DetectorIds\ndone   # one for each region',
        _EACH + TURN_ON.replace("@REGION", '"$region"') + "\ndone",
        f"{_EACH}"
        '  for id in $(aws guardduty list-detectors --region "$region" --query DetectorIds --output text)\n'
        '  do aws guardduty update-detector --region "$region" --detector-id "$id" --no-enable; done\ndone',
        hours=(1.0, 0.0),
        back="Suspend the detectors.",
        key="detection:unwatched-regions @{account}",
    ),
    refs=("https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html",),
)
def unwatched_regions(regions: AccountRegions, recorders: Recorders, detectors: Detectors) -> Verdicts:
    """Whoever steals a key starts machines where nobody looks: the bill is the first that tells of them."""
    recorded = {one.region: not idle(one) for one in recorders.recorders}
    detected = {one.region: one.enabled for one in detectors.detectors}
    dark = [r for r in regions.looked if recorded.get(r) is False and detected.get(r) is False]
    unread = [
        r
        for r in regions.looked
        if not (recorded.get(r) or detected.get(r)) and (r not in recorded or r not in detected)
    ]
    if unread and not dark:
        yield unknown("regions", f"who watches {', '.join(unread)} could not be read")
        return
    yield expect(
        not dark,
        on="regions",
        saw=f"neither GuardDuty nor AWS Config runs in {', '.join(dark)}" if dark else "all are watched",
        want="GuardDuty or AWS Config in every region",
        values={"account": regions.account, "regions": " ".join(dark)},
        cite=dark[0] if dark else "",
    )
