"""GuardDuty: whether somebody notices an intruder."""

from __future__ import annotations

import json

from checks.check import check
from checks.cloud.setting import joined, repair, setting
from checks.facts.cloud.detection import Detectors
from checks.model import Impact, Severity, Surface
from checks.verdict import Verdicts, expect

_GUIDE = "https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_settingup.html"

TURN_ON = (
    "ids=$(aws guardduty list-detectors --region @REGION --query DetectorIds --output text) &&\n"
    'if [ -z "$ids" ] || [ "$ids" = None ]\n'
    "then aws guardduty create-detector --region @REGION --enable\n"
    "else for id in $ids\n"
    'do aws guardduty update-detector --region @REGION --detector-id "$id" --enable; done\n'
    "fi"
)
"""Commands that make a detector in `@REGION`, or wake up the one that is suspended."""

enabled = setting(
    "cloud.guardduty.enabled",
    Detectors,
    lambda one: one.enabled,
    on="region",
    title="GuardDuty watches every region",
    why="Leaked keys and miners show up in regions that nobody uses; GuardDuty is what notices them.",
    severity=Severity.MEDIUM,
    impact=Impact.PARTIAL,
    bad=lambda one: "suspended" if one.id else "not turned on",
    good="watching",
    fix=repair(
        "Turn GuardDuty on in all regions",
        "Turn it on from the delegated administrator for all accounts and regions at once, or region by "
        "region.",
        "for id in $(aws guardduty list-detectors --region @{on} --query DetectorIds --output text)\n"
        'do aws guardduty get-detector --region @{on} --detector-id "$id" --query Status; done   # ENABLED',
        TURN_ON.replace("@REGION", "@{on}"),
        "# Suspends it; what it has found is kept.\n"
        "for id in $(aws guardduty list-detectors --region @{on} --query DetectorIds --output text)\n"
        'do aws guardduty update-detector --region @{on} --detector-id "$id" --no-enable; done',
        hours=(1.0, 0.1),
        back="Suspend the detector.",
        key="guardduty:on @{account}",
        terraform="# With a provider of region @{on}; one that is suspended is imported first:\n"
        'resource "aws_guardduty_detector" "on" {\n  enable = true\n}\n',
    ),
    refs=(_GUIDE,),
)


@check(
    "cloud.guardduty.protections",
    title="GuardDuty has its protections on",
    severity=Severity.LOW,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Turn on the protections of GuardDuty",
        "Turn on those for what the account uses; each has a price of its own and 30 days without one.",
        "aws guardduty get-detector --region @{on} --detector-id @{id} --query Features   # all ENABLED",
        "aws guardduty update-detector --region @{on} --detector-id @{id} --features @{after}",
        "aws guardduty update-detector --region @{on} --detector-id @{id} --features @{before}",
        back="Turn the same ones off again.",
        key="guardduty:protections @{account}",
        terraform="# With a provider of region @{on}:\n"
        'resource "aws_guardduty_detector_feature" "protection" {\n'
        "  for_each    = toset(jsondecode(@{after})[*].Name)\n  detector_id = @{id}\n"
        '  name        = each.key\n  status      = "ENABLED"\n}\n',
    ),
    refs=("https://docs.aws.amazon.com/guardduty/latest/ug/guardduty-features-activation-model.html",),
)
def protections(found: Detectors) -> Verdicts:
    """Without them nobody looks at buckets, clusters, databases, functions and disks."""
    for one in found.detectors:
        if not one.enabled:
            continue
        yield expect(
            not one.off,
            on=one.region,
            where=one.region,
            saw=f"off: {joined(one.off)}" if one.off else "all on",
            want="all on",
            values={
                "account": found.account,
                "id": one.id,
                "after": _features(one.off, "ENABLED"),
                "before": _features(one.off, "DISABLED"),
            },
            cite=one.id,
        )


def _features(names: tuple[str, ...], status: str) -> str:
    return json.dumps([{"Name": name, "Status": status} for name in names], separators=(",", ":"))
