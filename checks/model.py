"""The words of the field: kinds of target, severities, outcomes, and the finding itself."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from checks.fix import FixText


class Kind(StrEnum):
    """What is looked at. The first part of a check's id says which kind it judges."""

    NETWORK = "network"
    HOST = "host"
    AWS = "aws"


class Severity(StrEnum):
    """How bad a failure is in itself, before exposure and asset value are known."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for info up to 4 for critical."""
        return _SEVERITY_RANK[self]


_SEVERITY_RANK = {
    Severity.INFO: 0,
    Severity.LOW: 1,
    Severity.MEDIUM: 2,
    Severity.HIGH: 3,
    Severity.CRITICAL: 4,
}


class Outcome(StrEnum):
    """The five answers. Only evidence passes; what could not be read is unknown."""

    PASS = "pass"
    FAIL = "fail"
    UNKNOWN = "unknown"
    ERROR = "error"
    NOT_APPLICABLE = "not_applicable"


class Impact(StrEnum):
    """What an attacker has after using the weakness (factor T of the risk model)."""

    TOTAL = "total"
    SERIOUS = "serious"
    PARTIAL = "partial"
    MINOR = "minor"


class Exploit(StrEnum):
    """How hard the weakness is to use (factor P of the risk model)."""

    ACTIVE = "active"
    NO_EXPLOIT_NEEDED = "no-exploit-needed"
    POC_AUTOMATABLE = "poc-automatable"
    POC = "poc"
    AUTOMATABLE = "automatable"
    HARDENING = "hardening"


class Surface(StrEnum):
    """From where the weakness is used; the estate turns it into evidenced exposure (factor E)."""

    SERVICE = "service"
    """Through a listening service; the verdict names its port."""
    LOCAL = "local"
    """Only by somebody who already has a foothold on the machine."""
    CONTROL_PLANE = "control-plane"
    """Through the cloud provider's API, which the internet reaches and authentication guards."""
    DATA = "data"
    """The verdict itself carries the exposure with its evidence."""


class Exposure(StrEnum):
    """Who can reach it, as evidenced by a probe or by cloud configuration."""

    INTERNET_OPEN = "internet-open"
    INTERNET_LIMITED = "internet-limited"
    OTHER_ZONE = "other-zone"
    SAME_ZONE = "same-zone"
    LOCAL = "local"
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"


class Weakness(StrEnum):
    """Classes of weakness without a CVE that are known to be abused in the wild."""

    ADMIN_PORT_NO_PASSWORD = "admin-port-no-password"
    WORLD_READABLE_STORE = "world-readable-store"
    UNAUTHENTICATED_MANAGEMENT = "unauthenticated-management"
    LEAKED_LONG_LIVED_KEY = "leaked-long-lived-key"


class Confidence(StrEnum):
    """How sure the evidence is. Never multiplied into the score: weak evidence must not hide risk."""

    CONFIRMED = "confirmed"
    LIKELY = "likely"
    POSSIBLE = "possible"


class AssetValue(StrEnum):
    """What the organisation would lose with the asset (factor A of the risk model)."""

    LOW = "low"
    STANDARD = "standard"
    IMPORTANT = "important"
    CROWN_JEWEL = "crown-jewel"


class Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that is looked at and gives one snapshot.

    `spec` is its canonical text: `local`, `ssh://user@host:port`, `net:10.0.0.0/24`,
    `net:10.0.0.5`, `aws://profile/region,region`. `name` is what people call it.
    """

    kind: Kind
    name: str
    spec: str
    zone: str = ""
    value: AssetValue = AssetValue.STANDARD
    owner: str = ""
    parent: str = ""
    """For a live address: the spec of the network in which it was found."""


class Points(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the feeds say of one flaw: the inputs of score and clock that differ from flaw to flaw.

    `kev` is the day on which it came into the catalogue of known exploited flaws, empty for one that is not
    there; `epss` from 0 to 1; `said` the feeds' words behind these values.
    """

    cve: str
    impact: Impact
    exploit: Exploit
    automatable: bool = False
    kev: str = ""
    epss: float = 0.0
    said: str = ""


class Evidence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was asked of the target, when, and the part of the answer that decided.

    `digest` is the SHA-256 of the whole answer, also where `excerpt` shows a part of it.
    """

    how: str
    at: str
    digest: str = ""
    excerpt: str = ""


class Finding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One answer of one check about one object of one asset.

    `id` depends on (asset, check, object) alone, so the same weakness has the same id in every
    scan. `asset` is the key of the asset, `on` the resource (port, file, ARN, setting), `region` the
    cloud region where there is one. `reason` says why an outcome is unknown, error or not
    applicable; `needs` names the permission or path that would have given the answer.
    """

    id: str
    check: str
    title: str
    target: str
    kind: Kind
    asset: str
    on: str
    region: str
    outcome: Outcome
    severity: Severity
    saw: str
    want: str
    reason: str
    needs: str
    evidence: tuple[Evidence, ...]
    fix: FixText
    fix_key: str
    controls: Mapping[str, tuple[str, ...]]
    baseline: str
    profile: str
    impact: Impact
    exploit: Exploit
    surface: Surface
    weakness: Weakness | None
    confidence: Confidence
    port: str = ""
    """`tcp/22` where the weakness is used through a port."""
    exposure: Exposure | None = None
    """Only where the check's own evidence says who can reach it (`Surface.DATA`)."""
    exposure_evidence: str = ""
    why: str = ""
    """The rationale of the check, as it was when it judged."""
    cves: tuple[str, ...] = ()
    """The known flaws behind it, the worst first, cut at 1,000."""
    points: tuple[Points, ...] = ()
    """Those of them that decide score and clock: no other is worse in everything. The first is the worst."""
    feeds: tuple[str, ...] = ()
    """The feeds that the answer rests on, each with the day of its data (`KEV 2026-11-20`)."""
