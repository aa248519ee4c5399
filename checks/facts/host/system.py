"""The machine itself: which system it runs and for how long it has."""

from __future__ import annotations

from checks.facts.snapshot import Fact


class OperatingSystem(Fact, frozen=True, forbid_unknown_fields=True):
    """What os-release and uname say.

    `id` and `version` are ID and VERSION_ID of os-release (`debian`, `12`); `like` the ids of ID_LIKE;
    `name` is PRETTY_NAME. `kernel` is the release of the running kernel.
    """

    id: str
    version: str
    name: str
    like: tuple[str, ...]
    kernel: str
    architecture: str
    hostname: str
