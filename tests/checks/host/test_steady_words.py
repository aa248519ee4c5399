"""A day later, and with feeds of that day, nothing that is as it was reads otherwise."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from checks.check import Check
from checks.facts.host.certificates import Certificate, Certificates
from checks.facts.host.packages import Package, Packages
from checks.facts.host.system import OperatingSystem
from checks.facts.host.units import Units
from checks.facts.host.updates import PendingUpdates
from checks.facts.host.upkeep import AutomaticUpdates, Backups, BackupTrace, Uptime
from checks.facts.intel import Feed, Flaw, FlawedPackage, KernelFlaws, LifeCycles, Vulnerabilities
from checks.facts.snapshot import Fact
from checks.host import certificates, patch, software, upkeep, vulnerabilities
from checks.host.lifecycle import shipped
from tests.checks.host.judging import NOW, judged

SYSTEM = OperatingSystem("fedora", "43", "Fedora Linux 43", (), "6.12", "x86_64", "web-1")
PACKAGES = Packages("rpm", (Package("postgresql-server", "15.1-1.fc43", "x86_64", "postgresql", "15.1-1"),))
FLAW = FlawedPackage("openssl", (("libssl3", "3.0.1"),), "3.0.1", "3.0.2", (Flaw("CVE-2024-1"),))
UPDATES = PendingUpdates("dnf", (), 2, "2026-11-22T10:00:00Z", True, True, ())


def feed(day: str, tells: str = "state") -> tuple[Feed, ...]:
    return (Feed("debian-tracker", day, tells),)


def flaws(day: str, *, tells: str = "state", fixable: tuple[FlawedPackage, ...] = ()) -> Vulnerabilities:
    return Vulnerabilities("debian 12", "dpkg", 300, feed(day, tells), day, day, day, fixable, ())


def kernel(day: str, *flawed: Flaw) -> KernelFlaws:
    one = FlawedPackage("linux", (), "6.1.1", "6.1.2" if flawed else "", flawed)
    return KernelFlaws("debian 12", "dpkg", "6.1", "6.1.1", one, 0, feed(day), day, day, day)


def ran(day: str) -> AutomaticUpdates:
    return AutomaticUpdates("unattended-upgrades", True, "x 1", f"{day}T06:00:00Z")


def lists(day: str) -> PendingUpdates:
    return msgspec.structs.replace(UPDATES, lists_at=f"{day}T10:00:00Z")


def saved(day: str) -> Backups:
    return Backups((BackupTrace("restic", "unit", day),))


def cycles(day: str) -> LifeCycles:
    return msgspec.structs.replace(shipped(), date=day)


UNITS = Units("systemd", False, ())
CERTIFICATES = Certificates(
    (
        Certificate(
            path="/etc/ssl/x.pem",
            subject="x",
            issuer="y",
            begins="2026-01-01T00:00:00Z",
            ends="2026-12-10T00:00:00Z",
            key="EC",
            bits=256,
            digest="sha256",
            self_signed=False,
            fingerprint="0" * 64,
            used_by=("nginx",),
        ),
    )
)
ONE, TWO = "2026-11-22", "2026-11-23"


@pytest.mark.parametrize(
    ("check", "before", "after"),
    [
        (vulnerabilities.known_exploited, (flaws(ONE),), (flaws(TWO),)),
        (vulnerabilities.known_exploited, (flaws(ONE, tells="some"),), (flaws(TWO, tells="some"),)),
        (vulnerabilities.fixed_flaws, (flaws(ONE, fixable=(FLAW,)),), (flaws(TWO, fixable=(FLAW,)),)),
        (vulnerabilities.fixed_flaws, (flaws(ONE),), (flaws(TWO),)),
        (vulnerabilities.unfixed_flaws, (flaws(ONE),), (flaws(TWO),)),
        (vulnerabilities.running_kernel, (kernel(ONE),), (kernel(TWO),)),
        (vulnerabilities.running_kernel, (kernel(ONE, Flaw("CVE-1")),), (kernel(TWO, Flaw("CVE-1")),)),
        (
            vulnerabilities.app_supported,
            (SYSTEM, PACKAGES, cycles(ONE)),
            (SYSTEM, PACKAGES, cycles(TWO)),
        ),
        (patch.os_supported, (SYSTEM,), (SYSTEM,)),
        (patch.security_updates, (lists(ONE),), (lists(TWO),)),
        (patch.package_lists, (lists(ONE),), (lists(TWO),)),
        (upkeep.automatic_updates, (ran(ONE), UNITS), (ran(TWO), UNITS)),
        (upkeep.uptime, (Uptime(7, ""),), (Uptime(8, ""),)),
        (upkeep.uptime, (Uptime(200, ""),), (Uptime(201, ""),)),
        (software.backups, (saved(ONE),), (saved(TWO),)),
        (certificates.expiry, (CERTIFICATES,), (CERTIFICATES,)),
    ],
)
def test_a_day_alone_changes_no_word(
    check: Check[Any], before: tuple[Fact, ...], after: tuple[Fact, ...]
) -> None:
    first = judged(check, *before, now=NOW)
    second = judged(check, *after, now=NOW + timedelta(days=1))
    assert first
    assert [(one.on, one.outcome, one.saw, one.reason) for one in first] == [
        (one.on, one.outcome, one.saw, one.reason) for one in second
    ]
    assert not any(day in one.saw + one.reason for one in first for day in (ONE, TWO))
