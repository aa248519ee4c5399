"""Known flaws of what is installed, by the distribution's own data: with a fix, without one, in use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from msgspec.structs import replace

from checks.check import check
from checks.facts.host.packages import Packages
from checks.facts.host.system import OperatingSystem
from checks.facts.intel import FlawedPackage, KernelFlaws, LifeCycles, Vulnerabilities
from checks.fix import Disruption, Effort, Fix
from checks.host.flaws import (
    MOST_CVES,
    counted,
    doubt,
    exposure_of,
    feeds_of,
    fresh,
    named_feeds,
    places_of,
    points_of,
    severity_of,
    too_old,
    worst,
)
from checks.host.programs import installed, supported
from checks.host.upgrades import REBOOT, UPGRADE
from checks.model import Confidence, Exploit, Impact, Severity, Surface
from checks.verdict import Verdict, Verdicts, expect, unknown

_ALL = "packages"
_NAMED = 8


@check(
    "host.vulnerabilities.known-exploited",
    title="No installed package has a flaw that is known to be exploited",
    severity=Severity.CRITICAL,
    impact=Impact.TOTAL,
    exploit=Exploit.ACTIVE,
    surface=Surface.DATA,
    fix=UPGRADE,
    refs=("https://www.cisa.gov/known-exploited-vulnerabilities-catalog",),
)
def known_exploited(found: Vulnerabilities, *, max_age_days: int = 30, now: datetime) -> Verdicts:
    """Somebody breaks in through exactly these flaws today; of all known flaws they are the one in fifty."""
    if not found.kev:
        needs = "bartizan feeds update --only kev"
        yield unknown(_ALL, "the catalogue of known exploited flaws (KEV) is not imported", needs=needs)
        return
    flawed = [one for one in (*found.fixable, *found.unfixed) if one.flaws[0].kev]
    for one in flawed:
        yield _flawed(found, one, only_exploited=True)
    why, needs = doubt(found.release, found.advisories, max_age_days, now), found.needs
    if too_old(found.kev, max_age_days, now):
        why = f"the catalogue (KEV) is of {found.kev}, older than {max_age_days} days"
        needs = "bartizan feeds update --only kev"
        found = replace(found, clean=())
    what = "in the catalogue (KEV)"
    yield from _rest(
        replace(found, needs=needs), flawed, why, what, fresh(found.advisories, max_age_days, now)
    )


@check(
    "host.vulnerabilities.fixed-flaws",
    title="Installed packages have the published fixes of known flaws",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.DATA,
    fix=UPGRADE,
)
def fixed_flaws(found: Vulnerabilities, *, max_age_days: int = 30, now: datetime) -> Verdicts:
    """A published fix shows everybody where the flaw was; until it is installed, the host is easy prey."""
    for one in found.fixable:
        yield _flawed(found, one)
    why = doubt(found.release, found.advisories, max_age_days, now)
    recent = fresh(found.advisories, max_age_days, now)
    yield from _rest(found, found.fixable, why, "with a published fix", recent)


def _flawed(found: Vulnerabilities, one: FlawedPackage, *, only_exploited: bool = False) -> Verdict:
    flaws = tuple(flaw for flaw in one.flaws if flaw.kev) if only_exploited else one.flaws
    exposure, because = exposure_of(flaws)
    until = f"fixed in {one.fixed}" if one.fixed else "without a fix yet"
    number = counted(len(flaws), "known exploited flaw" if only_exploited else "known flaw")
    return expect(
        False,
        on=one.source,
        saw=f"{one.installed}: {number} {until}, worst {worst(flaws)}; by {named_feeds(found.advisories)}",
        want=f"{one.fixed} or newer" if one.fixed else "a fix, or out of use",
        severity=severity_of(flaws),
        confidence=Confidence.CONFIRMED if one.certain else Confidence.LIKELY,
        exposure=exposure,
        exposure_evidence=because,
        values=places_of(one, found.release),
        cite=f"{one.source} {one.installed},",
        cves=tuple(flaw.cve for flaw in flaws[:MOST_CVES]),
        points=points_of(flaws),
        feeds=feeds_of(found),
    )


def _rest(
    found: Vulnerabilities, flawed: Iterable[FlawedPackage], why: str, what: str, recent: bool
) -> Iterator[Verdict]:
    """What is to be said of the packages in which nothing was found."""
    seen = {one.source for one in flawed}
    feeds = feeds_of(found)
    if found.unclear and not why:
        why = f"the versions of {_some(found.unclear)} cannot be compared"
    if why:
        for name in found.clean if recent else ():
            if name not in seen:
                saw = f"no known flaw {what}, by {named_feeds(found.advisories)}"
                yield expect(True, on=name, saw=saw, want="no known flaw", feeds=feeds)
        others = "no flaw is known of the other packages" if seen else "no flaw is known"
        yield unknown(_ALL, f"{others}, but {why}", needs=found.needs)
    elif not seen:
        by = named_feeds(found.advisories)
        saw = f"no known flaw {what} in {counted(found.examined, 'package')}, by {by}"
        yield expect(True, on=_ALL, saw=saw, want="no known flaw", feeds=feeds)


@check(
    "host.vulnerabilities.unfixed-flaws",
    title="No installed package has a known flaw without a fix",
    severity=Severity.LOW,
    impact=Impact.MINOR,
    surface=Surface.DATA,
    fix=Fix(
        action="Shield or remove packages with flaws that nobody has mended yet",
        do="There is nothing to install: remove the packages that are not needed, keep the services that use "
        "the others away from strangers, and look again when the feeds are newer. A person decides which.",
        verify="bartizan feeds update && bartizan assess   # fewer flaws without a fix",
        effort=Effort(setup=1, each=0.1),
        undo="Install a removed package again.",
    ),
)
def unfixed_flaws(found: Vulnerabilities, *, max_age_days: int = 30, now: datetime) -> Verdicts:
    """A flaw without a fix is no work for the package manager, but who knows of it can stand before it."""
    on, feeds = "flaws without a fix", feeds_of(found)
    flaws = tuple(flaw for one in found.unfixed for flaw in one.flaws)
    if flaws:
        named = _some(f"{one.source} ({len(one.flaws)})" for one in found.unfixed)
        yield expect(
            False,
            on=on,
            saw=f"{counted(len(flaws))} in {counted(len(found.unfixed), 'package')}: {named}; by "
            f"{named_feeds(found.advisories)}",
            want="none",
            cite=", no fix yet",
            cves=tuple(dict.fromkeys(flaw.cve for flaw in flaws))[:MOST_CVES],
            feeds=feeds,
        )
    elif why := doubt(found.release, found.advisories, max_age_days, now, state=True):
        yield unknown(on, f"none is known, but {why}", needs=found.needs)
    else:
        yield expect(True, on=on, saw=f"none, by {named_feeds(found.advisories)}", want="none", feeds=feeds)


@check(
    "host.vulnerabilities.running-kernel",
    title="The running kernel has the published fixes of known flaws",
    severity=Severity.HIGH,
    impact=Impact.TOTAL,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.LOCAL,
    fix=REBOOT,
)
def running_kernel(found: KernelFlaws, *, max_age_days: int = 30, now: datetime) -> Verdicts:
    """An old kernel in memory makes every login root, even where the fixed one has long been installed."""
    on, one = "running kernel", found.flawed
    if one.flaws:
        install = f"; {found.newest} is installed" if found.newest != one.installed else ""
        yield expect(
            False,
            on=on,
            saw=f"{found.running} ({one.installed}): {counted(len(one.flaws))} fixed up to {one.fixed}, "
            f"worst {worst(one.flaws)}{install}; by {named_feeds(found.advisories)}",
            want=f"{one.fixed} or newer",
            severity=severity_of(one.flaws),
            confidence=Confidence.CONFIRMED if one.certain else Confidence.LIKELY,
            values={"package": one.source, "release": found.release, "running": found.running},
            cite=one.source,
            cves=tuple(flaw.cve for flaw in one.flaws[:MOST_CVES]),
            points=points_of(one.flaws),
            feeds=feeds_of(found),
        )
    elif why := doubt(found.release, found.advisories, max_age_days, now):
        yield unknown(on, f"no flaw of {found.running} is known, but {why}", needs=found.needs)
    else:
        by = named_feeds(found.advisories)
        saw = f"{found.running} ({one.installed}): none with a published fix, by {by}"
        yield expect(True, on=on, saw=saw, want="no known flaw with a fix", feeds=feeds_of(found))


@check(
    "host.vulnerabilities.app-supported",
    title="Server programs still get security fixes",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.DATA,
    fix=Fix(
        action="Move @{program} to a release that is supported",
        do="Plan the move of @{program} @{version} to a release that still gets fixes: read its notes on "
        "upgrading, test with a copy of the data, and keep a backup. A change of release is for a person.",
        verify="dpkg-query -W @{on} 2>/dev/null || rpm -q @{on} || apk list -I @{on}   # a supported release",
        effort=Effort(setup=4, each=2),
        disruption=Disruption.OUTAGE,
        undo="Restore the backup and the former packages.",
        key="app:@{program} @{cycle}",
    ),
    refs=("https://endoflife.date/",),
)
def app_supported(
    system: OperatingSystem, packages: Packages, cycles: LifeCycles, *, now: datetime
) -> Verdicts:
    """What its maker has given up keeps every flaw that is found from then on, open for everybody to use."""
    for one in installed(packages):
        said = supported(one, system, cycles, now.date())
        if said.reason:
            yield unknown(one.package, said.reason)
        else:
            yield expect(
                said.held,
                on=one.package,
                saw=said.saw,
                want="a release with security support",
                values={"program": one.title, "version": one.version, "cycle": said.cycle},
                cite=one.package,
                feeds=(f"endoflife {cycles.date}",),
            )


def _some(names: Iterable[str]) -> str:
    known = list(names)
    more = len(known) - _NAMED
    return ", ".join(known[:_NAMED]) + (f" and {more} more" if more > 0 else "")
