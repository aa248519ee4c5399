"""What is publicly known of the software on a target: its flaws, their fixes, and until when it is supported.

These facts are computed when a snapshot is judged, by the feeds of that day.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from checks.facts.host.packages import Packages
from checks.facts.host.system import OperatingSystem
from checks.facts.host.updates import RebootState
from checks.facts.snapshot import Fact

EPSS_STEPS = (0.01, 0.1, 0.5)
"""From which EPSS on a flaw presses more than below. The number itself moves a little every day."""


class Feed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A feed that was used, and the day of its data.

    `tells` says for advisories what they hold for the release: `state` flaws without a fix too, `fixes` all
    published fixes, `some` a choice of packages; from `some` alone nothing is known to be in order.
    """

    name: str
    date: str
    tells: str = ""


class Flaw(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One flaw and what the feeds say of it; an empty text or 0 where they say nothing.

    `kev` is the day on which it came into the catalogue of known exploited flaws. `exploitation` (none, poc,
    active), `automatable` (yes, no) and `impact` (partial, total) are SSVC's points. `effect` (total,
    serious, partial, minor) and `reach` (network, adjacent, local, physical) are read off its CVSS vector.
    `severity` is that of the distribution's advisory.
    """

    cve: str
    kev: str = ""
    ransomware: bool = False
    epss: float = 0.0
    exploitation: str = ""
    automatable: str = ""
    impact: str = ""
    cvss: float = 0.0
    effect: str = ""
    reach: str = ""
    severity: str = ""


class FlawedPackage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is installed of one source package, and the flaws that this version has.

    `packages` are (name, version) of the installed packages from it. `fixed` is the version without any of
    these flaws, of the source for dpkg and apk and of the packages for rpm; empty where there is no fix yet.
    `certain` is false where only a changelog names the flaws. `feeds` name what says so.
    """

    source: str
    packages: tuple[tuple[str, str], ...]
    installed: str
    fixed: str
    flaws: tuple[Flaw, ...]
    certain: bool = True
    feeds: tuple[str, ...] = ()


class Vulnerabilities(Fact, frozen=True, forbid_unknown_fields=True):
    """The flaws of the installed packages by the distribution's own data, the kernel left out.

    `release` is the system and its release in words (`debian 12`). `advisories` are the feeds that cover it.
    `kev`, `epss` and `points` are the days of these feeds, empty for one that is not there. `examined` is
    the number of packages that were looked up; `unclear` are sources with a version that cannot be compared.
    Where no feed tells of all packages, `clean` are the sources that are named and have no flaw. `needs` is
    the command that brings all advisories for the release.
    """

    derived_from = (OperatingSystem, Packages)

    release: str
    manager: str
    examined: int
    advisories: tuple[Feed, ...]
    kev: str
    epss: str
    points: str
    fixable: tuple[FlawedPackage, ...]
    unfixed: tuple[FlawedPackage, ...]
    unclear: tuple[str, ...] = ()
    clean: tuple[str, ...] = ()
    needs: str = ""


class KernelFlaws(Fact, frozen=True, forbid_unknown_fields=True):
    """The flaws of the kernel that runs, whatever is installed.

    `running` is its release, `newest` the newest version among the installed packages of this kernel. The
    version that runs is `flawed.installed`; `flawed.flaws` are those with a fix, `unfixed` counts the others.
    """

    derived_from = (OperatingSystem, Packages, RebootState)

    release: str
    manager: str
    running: str
    newest: str
    flawed: FlawedPackage
    unfixed: int
    advisories: tuple[Feed, ...]
    kev: str
    epss: str
    points: str
    needs: str = ""


class LifeCycles(Fact, frozen=True, forbid_unknown_fields=True):
    """Until when releases are supported: product → (release, last day, last day of the extended support).

    A day is empty where none is announced, and `past` where support has ended on a day that is not said.
    `date` is the day of the data.
    """

    derived_from = (OperatingSystem, Packages)

    date: str
    products: Mapping[str, tuple[tuple[str, str, str], ...]]
