"""Derives the flaws of a host's packages and kernel, and life cycles, from the feeds as they are now."""

from __future__ import annotations

from collections.abc import Iterable

from checks.facts.host.packages import Packages
from checks.facts.host.system import OperatingSystem
from checks.facts.host.updates import RebootState
from checks.facts.intel import FlawedPackage, KernelFlaws, LifeCycles, Vulnerabilities
from checks.facts.snapshot import Absence, Gap, Snapshot, Source, source
from checks.host.lifecycle import shipped
from scanner.collect.collector import Collected
from scanner.derive.derivation import Derivation
from scanner.intel.kernels import running_kernel
from scanner.intel.knowledge import Coverage, Knowledge
from scanner.intel.match import Match
from scanner.intel.releases import release_of
from scanner.intel.store import Feeds
from scanner.intel.upstream import advisories_for

_NAMED_FLAWS = 12


def derivations(feeds: Feeds | None) -> tuple[Derivation, ...]:
    """What computes the facts of `checks.facts.intel`; None where no feed was ever imported."""
    known = _Known(feeds)
    return (
        Derivation((Vulnerabilities,), known.vulnerabilities),
        Derivation((KernelFlaws,), known.kernel),
        Derivation((LifeCycles,), known.cycles),
    )


class _Known:
    """The feeds, opened once for all snapshots of one judging."""

    def __init__(self, feeds: Feeds | None) -> None:
        self._knowledge = Knowledge(feeds) if feeds else None
        self._cycles: LifeCycles | None = None

    def vulnerabilities(self, snapshot: Snapshot) -> Collected:
        system, packages = snapshot.get(OperatingSystem), snapshot.get(Packages)
        assert isinstance(system, OperatingSystem)
        assert isinstance(packages, Packages)
        coverage = self._coverage(system, packages)
        if isinstance(coverage, Gap):
            return Collected(gaps=(_of(coverage, Vulnerabilities.__name__),))
        knowledge = self._knowledge
        assert knowledge is not None
        match = Match(knowledge, coverage)
        match.examine(packages)
        fact = Vulnerabilities(
            release=_words(system),
            manager=packages.manager,
            examined=match.examined,
            advisories=coverage.feeds,
            kev=knowledge.date("kev"),
            epss=knowledge.date("epss"),
            points=knowledge.date("ssvc"),
            fixable=match.fixable(),
            unfixed=match.unfixed(),
            unclear=tuple(sorted(match.unclear)),
            clean=match.clean() if all(feed.tells == "some" for feed in coverage.feeds) else (),
            needs=advisories_for(coverage.ecosystem, coverage.release),
        )
        return Collected((fact,), sources=(self._source(fact, snapshot, (*fact.fixable, *fact.unfixed)),))

    def kernel(self, snapshot: Snapshot) -> Collected:
        system, packages = snapshot.get(OperatingSystem), snapshot.get(Packages)
        state = snapshot.get(RebootState)
        assert isinstance(system, OperatingSystem)
        assert isinstance(packages, Packages)
        assert isinstance(state, RebootState)
        name = KernelFlaws.__name__
        if state.container:
            reason = f"this is a container ({state.container}): it runs the kernel of its host"
            return Collected(absences=(Absence(name, reason),))
        coverage = self._coverage(system, packages)
        if isinstance(coverage, Gap):
            return Collected(gaps=(_of(coverage, name),))
        kernel = running_kernel(system, packages, state)
        if kernel is None:
            reason = f"the running kernel {state.running} is of no package that is installed"
            return Collected(gaps=(Gap(name, reason),))
        knowledge = self._knowledge
        assert knowledge is not None
        match = Match(knowledge, coverage)
        match.examine_kernel(kernel)
        if match.unclear:
            return Collected(gaps=(Gap(name, f"the version {kernel.version} cannot be compared"),))
        nothing = FlawedPackage(kernel.source, (), kernel.version, "", ())
        flawed = next(iter(match.fixable()), nothing)
        fact = KernelFlaws(
            release=_words(system),
            manager=packages.manager,
            running=state.running,
            newest=kernel.newest,
            flawed=flawed,
            unfixed=sum(len(one.flaws) for one in match.unfixed()),
            advisories=coverage.feeds if _names(coverage, kernel.source, kernel.packages) else (),
            kev=knowledge.date("kev"),
            epss=knowledge.date("epss"),
            points=knowledge.date("ssvc"),
            needs=advisories_for(coverage.ecosystem, coverage.release),
        )
        return Collected((fact,), sources=(self._source(fact, snapshot, (flawed,)),))

    def cycles(self, _snapshot: Snapshot) -> Collected:
        if self._cycles is None:
            self._cycles = self._newest_cycles()
        return Collected((self._cycles,))

    def _newest_cycles(self) -> LifeCycles:
        here = shipped()
        imported = self._knowledge.date("endoflife") if self._knowledge else ""
        if self._knowledge is None or imported <= here.date:
            return here
        all_products = self._knowledge.cycles()
        # What the checks ask for, and no more: the fact stands in the memory of every host.
        return LifeCycles(
            imported, {name: all_products.get(name, old) for name, old in here.products.items()}
        )

    def _coverage(self, system: OperatingSystem, packages: Packages) -> Coverage | Gap:
        ecosystem, release = release_of(system)
        needs = advisories_for(ecosystem, release)
        if self._knowledge is None:
            return Gap("", "no feed of advisories is imported", needs=needs)
        coverage = self._knowledge.coverage(ecosystem, release, packages.manager) if release else None
        if coverage is not None:
            return coverage
        known = self._knowledge.known(ecosystem)
        reason = f"no feed covers {system.name}"
        if known:
            day, newest = known[-1]
            reason += f"; the newest release in the data is {newest}, of {day}"
        return Gap("", reason, needs=needs)

    def _source(
        self, fact: Vulnerabilities | KernelFlaws, snapshot: Snapshot, flawed: Iterable[FlawedPackage]
    ) -> Source:
        used = [f"{feed.name} {feed.date}" for feed in fact.advisories]
        others = (("KEV", fact.kev), ("EPSS", fact.epss), ("SSVC", fact.points))
        used += [f"{name} {day or 'none'}" for name, day in others]
        lines = [_line(one) for one in flawed]
        how = f"the feeds {', '.join(used)}"
        return source(type(fact), how, snapshot.taken_at, "\n".join(lines))


def _line(one: FlawedPackage) -> str:
    named = " ".join(
        f"{flaw.cve}{f' (KEV {flaw.kev})' if flaw.kev else ''}" for flaw in one.flaws[:_NAMED_FLAWS]
    )
    more = len(one.flaws) - _NAMED_FLAWS
    until = f"before {one.fixed}" if one.fixed else "no fix yet"
    said = f" says {', '.join(one.feeds)}" if one.feeds else ""
    return f"{one.source} {one.installed}, {until}{said}: {named}{f' and {more} more' if more > 0 else ''}"


def _names(coverage: Coverage, kernel: str, packages: Iterable[str]) -> bool:
    """Whether the feeds name this kernel at all: else that nothing is found says nothing."""
    binary = coverage.named.get("binary", frozenset())
    return kernel in coverage.named.get("source", ()) or any(name in binary for name in packages)


def _of(gap: Gap, fact: str) -> Gap:
    return Gap(fact, gap.reason, gap.where, gap.needs)


def _words(system: OperatingSystem) -> str:
    return f"{system.id} {system.version}".strip()
