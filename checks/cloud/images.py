"""Machine images: shared with nobody whom one does not know."""

from __future__ import annotations

from checks.check import check
from checks.cloud.setting import repair
from checks.facts.cloud.images import ImageShares
from checks.facts.cloud.organization import KnownAccounts
from checks.model import Confidence, Impact, Severity, Surface
from checks.verdict import Verdicts, expect


@check(
    "cloud.images.shared",
    title="Machine images are shared with no account that nobody knows",
    severity=Severity.MEDIUM,
    impact=Impact.SERIOUS,
    surface=Surface.CONTROL_PLANE,
    fix=repair(
        "Check whom machine image @{id} is shared with",
        "Ask whose the account is. Where nobody knows, take the permission away; else name the account in "
        "the option `trusted` of this check. Look through the image for credentials.",
        "aws ec2 describe-image-attribute --region @{region} --image-id @{id} "
        "--attribute launchPermission   # nobody unknown",
        "aws ec2 describe-image-attribute --region @{region} --image-id @{id} "
        "--attribute launchPermission --query '{Add:LaunchPermissions}' > launch.before.json &&\n"
        "# Where some of them are known, edit launch.take.json first.\n"
        "jq '{Remove:.Add}' launch.before.json > launch.take.json &&\n"
        "aws ec2 modify-image-attribute --region @{region} --image-id @{id} "
        "--launch-permission file://launch.take.json",
        "aws ec2 modify-image-attribute --region @{region} --image-id @{id} "
        "--launch-permission file://launch.before.json",
        back="Add the permissions that were saved first.",
        hours=(0.5, 0.25),
        key="ec2:shared-image @{id}",
    ),
    refs=("https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/sharingamis-explicit.html",),
)
def shared(found: ImageShares, known: KnownAccounts, *, trusted: frozenset[str] = frozenset()) -> Verdicts:
    """Whoever may start an image reads its disks, with the programs and passwords that are on them."""
    friends = trusted | {found.account, *known.accounts}
    for one in found.images:
        strangers = [f"account {name}" for name in one.accounts if name not in friends]
        strangers += [f"organization {name}" for name in one.organizations if name != known.organization]
        friendly = "shared with known accounts alone" if one.accounts or one.organizations else "not shared"
        yield expect(
            not strangers,
            on=one.id,
            where=one.region,
            saw=f"{', '.join(strangers)} may start it" if strangers else friendly,
            want="nobody unknown",
            confidence=Confidence.CONFIRMED if known.whole or not strangers else Confidence.LIKELY,
            values={"id": one.id},
        )
