"""AWS Config: the record of what every resource looked like."""

from __future__ import annotations

from checks.check import check
from checks.cloud.setting import repair
from checks.facts.cloud.account import AccountRegions
from checks.facts.cloud.detection import Recorder, Recorders
from checks.model import Severity, Surface
from checks.verdict import Verdicts, expect, unknown

_FIX = repair(
    "Record all resources of region @{region} with AWS Config",
    "Make a recorder for all kinds of resources with a delivery channel into the log bucket, and start it; "
    "record users, roles and policies, which have no region, in one region only.",
    "aws configservice describe-configuration-recorder-status --region @{region}   # recording true, SUCCESS",
    "aws configservice describe-configuration-recorders --region @{region} > recorder.before.json &&\n"
    "aws configservice put-configuration-recorder --region @{region} "
    '--configuration-recorder "name=default,roleARN=$ROLE_ARN" --recording-group allSupported=true &&\n'
    "aws configservice put-delivery-channel --region @{region} --delivery-channel "
    '"name=default,s3BucketName=$BUCKET" &&\n'
    "aws configservice start-configuration-recorder --region @{region} --configuration-recorder-name default",
    "aws configservice stop-configuration-recorder --region @{region} --configuration-recorder-name default\n"
    "jq '.ConfigurationRecorders[0] // empty | del(.arn)' recorder.before.json > recorder.again.json\n"
    "if [ -s recorder.again.json ]; then\n"
    "  aws configservice put-configuration-recorder --region @{region} "
    "--configuration-recorder file://recorder.again.json\nfi",
    hours=(1.0, 0.25),
    back="Stop the recorder, or give it back the group that was saved.",
    key="config:recorder @{region}",
)
_GUIDE = "https://docs.aws.amazon.com/config/latest/developerguide/select-resources.html"


@check(
    "cloud.config.recording",
    title="AWS Config records every region",
    severity=Severity.MEDIUM,
    surface=Surface.CONTROL_PLANE,
    fix=_FIX,
    refs=(_GUIDE,),
)
def recording(found: Recorders) -> Verdicts:
    """After an incident only this record says what was changed, when, and what it was before."""
    for one in found.recorders:
        missing = _missing(one)
        yield expect(
            not missing,
            on="recorder",
            where=one.region,
            saw=missing or "all kinds of resources are recorded",
            want="all kinds of resources are recorded",
            cite=one.region,
        )


@check(
    "cloud.config.worldwide",
    title="AWS Config records users, roles and policies",
    severity=Severity.LOW,
    surface=Surface.CONTROL_PLANE,
    fix=_FIX,
    refs=(_GUIDE,),
)
def worldwide(regions: AccountRegions, found: Recorders) -> Verdicts:
    """Users and roles have no region: unless one recorder is told to, none records them."""
    good = [one.region for one in found.recorders if one.worldwide and not idle(one)]
    unread = set(regions.looked) - {one.region for one in found.recorders}
    if unread and not good:
        yield unknown(
            "resources without a region", f"the recorder of {', '.join(sorted(unread))} was not read"
        )
        return
    yield expect(
        bool(good),
        on="resources without a region",
        saw=f"recorded in {good[0]}" if good else "recorded nowhere",
        want="recorded in one region",
        values={"region": found.recorders[0].region if found.recorders else "us-east-1"},
    )


def _missing(one: Recorder) -> str:
    return idle(one) or ("" if one.everything else "some kinds of resources are left out")


def idle(one: Recorder) -> str:
    """Why a recorder records nothing, if it does not."""
    if not one.there:
        return "no recorder"
    if not one.recording:
        return "the recorder is stopped"
    if not one.delivers:
        return "no delivery channel"
    return "the last delivery failed" if one.status == "FAILURE" else ""
