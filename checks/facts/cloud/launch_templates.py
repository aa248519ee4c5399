"""Launch templates: what instances are made of."""

from __future__ import annotations

import msgspec

from checks.facts.cloud.ec2 import PlainSecret
from checks.facts.snapshot import Fact


class LaunchTemplate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A version of a launch template that is used where none is named: the default one or the latest.

    `tokens` is `required`, `optional` or empty where the default of the region decides; `metadata` False
    where the metadata service is off. `public` says that instances get a public address by the template.
    """

    id: str
    name: str
    region: str
    version: int
    default: bool
    metadata: bool
    tokens: str
    public: bool
    secrets: tuple[PlainSecret, ...]


class LaunchTemplates(Fact, frozen=True, forbid_unknown_fields=True):
    """The default and the latest version of all launch templates."""

    account: str
    regions: tuple[str, ...]
    templates: tuple[LaunchTemplate, ...]
