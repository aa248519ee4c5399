"""Projects that build software: what they hold, what they may do, and who starts them."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class BuildProject(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A project, by places and never by values.

    `secrets` are names of variables, and `buildspec`; `source_secrets` and `insecure` are sources: with
    credentials in their address, and without a check of whom they are from. `plain` is what it stores without
    encryption. `strangers` says whose pull requests start a build: `nobody`, `listed`, `loose` (a list whose
    pattern also fits others), `unclear`, `everybody`; `approval` whether somebody must agree first, and
    `READERS` where whoever may read the source can do that (empty: not told).
    """

    arn: str
    name: str
    region: str
    secrets: tuple[str, ...]
    source_secrets: tuple[str, ...]
    insecure: tuple[str, ...]
    privileged: bool
    public: bool
    badge: bool
    logs: bool
    plain: tuple[str, ...]
    strangers: str
    approval: str


class BuildProjects(Fact, frozen=True, forbid_unknown_fields=True):
    """All projects."""

    account: str
    regions: tuple[str, ...]
    projects: tuple[BuildProject, ...]
