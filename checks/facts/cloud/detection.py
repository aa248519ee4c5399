"""What watches each region: Config, GuardDuty, Security Hub, Macie and Access Analyzer."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class Recorder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The recorder of AWS Config in a region; `there` is False where it has none.

    `everything` says that all kinds of resources that have a region are recorded, `worldwide` that users,
    roles and policies are, which have none.
    """

    region: str
    there: bool
    recording: bool
    everything: bool
    worldwide: bool
    delivers: bool
    status: str


class Recorders(Fact, frozen=True, forbid_unknown_fields=True):
    """The recorder of each region."""

    account: str
    recorders: tuple[Recorder, ...]


class Detector(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """GuardDuty in a region: `enabled` is False where there is none or it is suspended.

    `off` are the protections that are switched off.
    """

    region: str
    id: str
    enabled: bool
    off: tuple[str, ...]


class Detectors(Fact, frozen=True, forbid_unknown_fields=True):
    """GuardDuty in each region."""

    account: str
    detectors: tuple[Detector, ...]


class Hub(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Security Hub in a region."""

    region: str
    enabled: bool


class Hubs(Fact, frozen=True, forbid_unknown_fields=True):
    """Security Hub in each region."""

    account: str
    hubs: tuple[Hub, ...]


class HubStandards(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The standards that Security Hub checks in a region, by name (`cis-aws-foundations-benchmark`)."""

    region: str
    names: tuple[str, ...]


class HubsStandards(Fact, frozen=True, forbid_unknown_fields=True):
    """The standards of each region in which Security Hub is on."""

    account: str
    standards: tuple[HubStandards, ...]


class DataDiscovery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Macie in a region; `paused` where it was on and somebody stopped it."""

    region: str
    enabled: bool
    paused: bool = False


class DataDiscoveries(Fact, frozen=True, forbid_unknown_fields=True):
    """Macie in each region."""

    account: str
    sessions: tuple[DataDiscovery, ...]


class Analyzer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """IAM Access Analyzer in a region: whether an active one looks for outsiders."""

    region: str
    external: bool


class Analyzers(Fact, frozen=True, forbid_unknown_fields=True):
    """IAM Access Analyzer in each region."""

    account: str
    analyzers: tuple[Analyzer, ...]
