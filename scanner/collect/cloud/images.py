"""Collects the account's machine images, and whom each that is not public is shared with."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from checks.facts.cloud.ec2 import Image, OwnImages
from checks.facts.cloud.images import ImageShare, ImageShares
from checks.facts.snapshot import Gap
from scanner.collect.cloud.calls import Call, Collector, Place
from scanner.collect.cloud.fields import Raw, flag, some, text
from scanner.collect.collector import Collected

IMAGES = Call("ec2", "DescribeImages", (OwnImages, ImageShares), key="Images", page=1000)
PERMISSIONS = Call("ec2", "DescribeImageAttribute", (ImageShares,))
MOST = 200
"""Images of a region that are asked whom they are shared with, the newest first: no list says it."""


def images(place: Place) -> Collected:
    """The account's own machine images."""
    listed = place.all_of(IMAGES, Owners=["self"])
    found, lost = place.read(listed, IMAGES, "ImageId", partial(_image, place.region))
    fact = OwnImages(place.account, (place.region,), found)
    whole = lost + place.found(fact, IMAGES, found, names=[i.id for i in found])
    if not place.wants(PERMISSIONS):
        return whole
    made = {str(one.get("ImageId", "")): str(one.get("CreationDate", "")) for one in listed}
    asked = sorted((i for i in found if not i.public), key=lambda i: (made[i.id], i.id), reverse=True)
    empty = place.found(ImageShares(place.account, ()), IMAGES)
    more = Collected()
    if len(asked) > MOST:
        reason = f"{len(asked) - MOST} older images were not asked: {MOST} of a region are"
        more = Collected(gaps=(Gap(ImageShares.__name__, reason, place.region),))
    jobs = [(place.where(i.id), PERMISSIONS, partial(_shares, place, i)) for i in asked[:MOST]]
    return whole + empty + more + place.each(jobs)


def _image(region: str, raw: Raw) -> Image:
    return Image(text(raw, "ImageId"), region, text(raw, "Name", ""), flag(raw, "Public"))


def _shares(place: Place, image: Image) -> Collected:
    answer = place.one(PERMISSIONS, ImageId=image.id, Attribute="launchPermission")
    permissions = some(answer, "LaunchPermissions")
    arns = [text(one, key, "") for one in permissions for key in ("OrganizationArn", "OrganizationalUnitArn")]
    record = ImageShare(
        image.id,
        place.region,
        image.name,
        accounts=tuple(sorted({text(one, "UserId", "") for one in permissions} - {""})),
        # arn:aws:organizations::111122223333:organization/o-a1b2c3d4e5, or …:ou/o-a1b2c3d4e5/ou-…
        organizations=tuple(sorted({arn.split("/")[1] for arn in arns if arn.count("/")})),
    )
    return place.found(ImageShares(place.account, (record,)), PERMISSIONS, (record,), where=image.id)


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield Collector("ec2 images", True, (IMAGES, PERMISSIONS), images)
