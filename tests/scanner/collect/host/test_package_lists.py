"""Lists of security updates that are not there or not readable never say that nothing is pending."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.facts.host.updates import PendingUpdates
from scanner.collect.host.updates import PROBE, parse
from tests.lab.fragment import answer

LIST = "/var/lib/apt/lists/deb.debian.org_debian-security_dists_x-security_"
RELEASE = f"""
mount -t tmpfs none /var/lib/apt/lists
printf 'Label: Debian-Security\\nSuite: stable-security\\nDate: Fri, 20 Nov 2026 10:00:00 UTC\\n' \\
  >{LIST}InRelease
"""


@pytest.mark.real
@pytest.mark.parametrize("shell", ["dash", "bash", "busybox"])
def test_a_list_without_packages_is_a_gap(shell: str, tmp_path: Path) -> None:
    [gap] = parse(answer(PROBE, RELEASE, tmp_path, shell).text).gaps
    assert gap.reason == f"apt gave no answer: {LIST}InRelease has no list of packages"
    assert gap.needs == "apt-get update on the host"


@pytest.mark.real
def test_a_list_with_packages_is_an_answer(tmp_path: Path) -> None:
    plant = (
        f"{RELEASE}printf 'Package: dash\\nArchitecture: amd64\\nVersion: 99:1\\n\\n' >{LIST}main_Packages"
    )
    [fact] = parse(answer(PROBE, plant, tmp_path).text).facts
    assert isinstance(fact, PendingUpdates)
    assert [one.package for one in fact.pending if one.security] == ["dash"]


def test_a_list_that_may_not_be_read_is_a_gap_that_says_what_helps() -> None:
    [gap] = parse(f"manager\tapt\nrefused\tapt\t{LIST}InRelease may not be read\n").gaps
    assert gap.needs == "read access to /var/lib/apt/lists for the login"
