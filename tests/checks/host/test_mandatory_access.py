"""SELinux and AppArmor in detail, judged."""

from __future__ import annotations

from typing import Any

import pytest

from checks.check import Check
from checks.facts.host.kernel import AppArmorProfiles, MandatoryAccess
from checks.facts.host.packages import Package, Packages
from checks.facts.host.system import OperatingSystem
from checks.facts.snapshot import Absence
from checks.host import mandatory_access
from checks.model import Outcome
from tests.checks.host.judging import checks_of, failing, judged, outcomes, says_unknown

RHEL = OperatingSystem("rocky", "9.4", "Rocky Linux 9.4", ("rhel", "centos", "fedora"), "5.14", "x86_64", "h")
DEBIAN = OperatingSystem("debian", "12", "Debian 12", (), "6.1", "x86_64", "h")
APPARMOR = Packages("dpkg", (Package("apparmor", "3.0", "amd64", "apparmor", "3.0"),))
WITHOUT = Packages("dpkg", ())


@pytest.mark.parametrize("check", checks_of(mandatory_access), ids=lambda check: check.id)
def test_what_could_not_be_read_is_unknown(check: Check[Any]) -> None:
    says_unknown(check)


@pytest.mark.parametrize(
    ("running", "planned", "container", "outcome"),
    [
        ("enforcing", "enforcing", "", Outcome.PASS),
        ("enforcing", "permissive", "", Outcome.FAIL),
        ("permissive", "enforcing", "", Outcome.FAIL),
        ("absent", "disabled", "", Outcome.FAIL),
        ("absent", "", "podman", Outcome.UNKNOWN),
    ],
)
def test_selinux(running: str, planned: str, container: str, outcome: Outcome) -> None:
    fact = MandatoryAccess("absent", running, planned, container)
    [finding] = judged(mandatory_access.selinux, fact, RHEL)
    [elsewhere] = judged(mandatory_access.selinux, fact, DEBIAN)
    assert finding.outcome is outcome
    assert elsewhere.outcome is Outcome.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("packages", "selinux", "system", "outcome"),
    [
        (APPARMOR, "absent", DEBIAN, Outcome.PASS),
        (WITHOUT, "absent", DEBIAN, Outcome.FAIL),
        (WITHOUT, "enforcing", DEBIAN, Outcome.NOT_APPLICABLE),
        (WITHOUT, "absent", RHEL, Outcome.NOT_APPLICABLE),
    ],
)
def test_apparmor(packages: Packages, selinux: str, system: OperatingSystem, outcome: Outcome) -> None:
    fact = MandatoryAccess("enabled", selinux, "", "")
    [finding] = judged(mandatory_access.apparmor, packages, fact, system)
    assert finding.outcome is outcome


def test_profiles_that_only_complain() -> None:
    found = AppArmorProfiles({"enforce": ("a",), "complain": ("/usr/sbin/x", "y"), "unconfined": ("chrome",)})
    assert failing(mandatory_access.profiles, found) == ["/usr/sbin/x", "y"]
    assert failing(mandatory_access.profiles, found, allowed=frozenset({"y"})) == ["/usr/sbin/x"]
    assert failing(mandatory_access.profiles, found, weak_modes=frozenset({"unconfined"})) == ["chrome"]


def test_profiles_that_enforce_and_none_at_all() -> None:
    assert failing(mandatory_access.profiles, AppArmorProfiles({"enforce": ("a",)})) == []
    found = judged(mandatory_access.profiles, AppArmorProfiles({}))
    assert outcomes(found) == {"profiles": Outcome.UNKNOWN}
    [off] = judged(mandatory_access.profiles, absences=[Absence("AppArmorProfiles", "AppArmor is absent")])
    assert off.outcome is Outcome.NOT_APPLICABLE
