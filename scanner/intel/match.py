"""Holds the installed packages of a host against what the feeds claim of their versions."""

from __future__ import annotations

from collections import defaultdict

from checks.facts.host.packages import Package, Packages
from checks.facts.intel import Flaw, FlawedPackage
from checks.versions import KEYS, Key, VersionError
from scanner.intel.formats.modules import same_stream
from scanner.intel.kernels import Kernel, is_kernel
from scanner.intel.knowledge import Claim, Coverage, Knowledge, badness, worst_first


class _Found:
    """What was found of one source package."""

    def __init__(self) -> None:
        self.packages: dict[tuple[str, str], None] = {}
        self.flaws: dict[str, Flaw] = {}
        self.open: dict[str, Flaw] = {}
        self.open_packages: dict[tuple[str, str], None] = {}
        self.fixed: tuple[Key, str] | None = None
        self.installed = ""
        self.certain = False
        self.feeds: set[str] = set()


class Match:
    """The flaws of one host's packages, the kernel's left out: with a fix, without, and not comparable."""

    def __init__(self, knowledge: Knowledge, coverage: Coverage) -> None:
        self._knowledge = knowledge
        self._coverage = coverage
        self._key = KEYS[coverage.manager]
        self._found: dict[str, _Found] = defaultdict(_Found)
        self.unclear: set[str] = set()
        self.examined = 0
        self._named: set[str] = set()

    def examine(self, packages: Packages) -> None:
        """Looks up every installed package by its source and by its own name."""
        for package in packages.packages:
            if is_kernel(package, packages.manager):
                continue
            self.examined += 1
            self._claims("source", package.source, package.source_version, package)
            self._claims("binary", package.name, package.version, package)

    def examine_kernel(self, kernel: Kernel) -> None:
        """Looks up the running kernel, by its source and by the names of its packages."""
        names = [("source", kernel.source), *(("binary", name) for name in kernel.packages)]
        for by, name in dict.fromkeys(names):
            package = Package(name, kernel.version, "", kernel.source, kernel.version)
            self._claims(by, name, kernel.version, package)

    def fixable(self) -> tuple[FlawedPackage, ...]:
        """The source packages with flaws that a published version does not have, the worst first."""
        made = [
            FlawedPackage(
                source=source,
                packages=tuple(sorted(found.packages)),
                installed=found.installed,
                fixed=found.fixed[1],
                flaws=worst_first(found.flaws.values()),
                certain=found.certain,
                feeds=tuple(sorted(found.feeds)),
            )
            for source, found in self._found.items()
            if found.fixed
        ]
        return tuple(sorted(made, key=lambda one: (*badness(one.flaws[0]), one.source)))

    def unfixed(self) -> tuple[FlawedPackage, ...]:
        """The source packages with flaws that no published version mends yet, the worst first."""
        made = []
        for source, found in self._found.items():
            flaws = worst_first(flaw for cve, flaw in found.open.items() if cve not in found.flaws)
            if flaws:
                installed = tuple(sorted(found.open_packages))
                made.append(FlawedPackage(source, installed, found.installed, "", flaws, feeds=()))
        return tuple(sorted(made, key=lambda one: (*badness(one.flaws[0]), one.source)))

    def clean(self) -> tuple[str, ...]:
        """The source packages of which something is claimed, and nothing that is so on this host."""
        return tuple(sorted(self._named - self._found.keys() - self.unclear))

    def _claims(self, by: str, name: str, version: str, package: Package) -> None:
        claims = self._knowledge.claims(self._coverage, by, name)
        if not claims:
            return
        self._named.add(package.source)
        try:
            installed = self._key(version)
        except VersionError:
            self.unclear.add(package.source)
            return
        for claim in claims:
            if not claim.clear:
                self.unclear.add(package.source)
            elif _has(installed, claim) and _of_its_module(package, claim):
                self._note(claim, package, version)

    def _note(self, claim: Claim, package: Package, version: str) -> None:
        found = self._found[package.source]
        found.installed = found.installed or version
        is_open = claim.before is None
        flaws = found.open if is_open else found.flaws
        for flaw in self._knowledge.flaws(claim):
            flaws.setdefault(flaw.cve, flaw)
        (found.open_packages if is_open else found.packages)[package.name, package.version] = None
        if claim.before is not None:
            found.certain |= claim.certain
            found.feeds.add(claim.feed)
            if found.fixed is None or claim.before > found.fixed[0]:
                found.fixed = (claim.before, claim.fixed)


def _has(installed: Key, claim: Claim) -> bool:
    """Whether an installed version lies in the range of a claim."""
    if claim.since is not None and installed < claim.since:
        return False
    return claim.before is None or installed < claim.before


def _of_its_module(package: Package, claim: Claim) -> bool:
    """Whether a claim is about the stream from which a package is; every stream has versions of its own."""
    modular = bool(package.module) or ".module" in package.version
    advised = bool(claim.module) or ".module" in claim.fixed
    if modular != advised:
        return False
    if not modular:
        return True
    if package.module and claim.module:
        return same_stream(package.module, claim.module)
    return _leading(package.version) == _leading(claim.fixed)


def _leading(version: str) -> str:
    return version.rpartition(":")[2].partition(".")[0]
