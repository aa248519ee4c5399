"""Collects launch templates: one call tells the default and the latest version of all of them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable

from checks.facts.cloud.ec2 import PlainSecret
from checks.facts.cloud.launch_templates import LaunchTemplate, LaunchTemplates
from scanner.collect.cloud.calls import Call, Collector, Place
from scanner.collect.cloud.fields import Raw, UnreadableError, flag, group, number, some, text
from scanner.collect.cloud.lists import whole
from scanner.collect.cloud.secrets import find
from scanner.collect.collector import Collected

VERSIONS = Call(
    "ec2", "DescribeLaunchTemplateVersions", (LaunchTemplates,), key="LaunchTemplateVersions", page=200
)


def templates(place: Place) -> Collected:
    """The default and the latest version of each template; one that is both is told twice, and kept once."""
    told = place.all_of(VERSIONS, Versions=["$Default", "$Latest"])
    once = {(str(one.get("LaunchTemplateId")), str(one.get("VersionNumber"))): one for one in told}
    found, lost = place.read(
        [once[key] for key in sorted(once)],
        VERSIONS,
        "LaunchTemplateId",
        lambda raw: _template(place.region, raw),
    )
    return lost + whole(place, VERSIONS, LaunchTemplates, found)


def _template(region: str, raw: Raw) -> LaunchTemplate:
    data = group(raw, "LaunchTemplateData")
    metadata = group(data, "MetadataOptions")
    return LaunchTemplate(
        id=text(raw, "LaunchTemplateId"),
        name=text(raw, "LaunchTemplateName"),
        region=region,
        version=number(raw, "VersionNumber"),
        default=flag(raw, "DefaultVersion"),
        metadata=text(metadata, "HttpEndpoint", "enabled") == "enabled",
        tokens=text(metadata, "HttpTokens", ""),
        public=any(flag(card, "AssociatePublicIpAddress", False) for card in some(data, "NetworkInterfaces")),
        secrets=_secrets(text(data, "UserData", "")),
    )


def _secrets(encoded: str) -> tuple[PlainSecret, ...]:
    try:
        return find(base64.b64decode(encoded, validate=True))
    except (binascii.Error, ValueError):
        raise UnreadableError("the user data cannot be decoded") from None


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield Collector("launch templates", True, (VERSIONS,), templates)
