"""Mandatory access control, as the kernel and its files tell of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.facts.host.kernel import AppArmorProfiles, MandatoryAccess
from scanner.collect.host.mandatory import PROBE, parse
from scanner.collect.host.probe import ParseError
from tests.lab.fragment import answer

ON = "container\t\napparmor\tY\nselinux\tabsent\n"


def test_profiles_by_mode() -> None:
    seen = parse(
        f"{ON}profiles\tread\nprofile\tenforce\t/usr/bin/man\nprofile\tcomplain\tb\nprofile\tcomplain\ta\n"
    )
    assert seen.facts == (
        MandatoryAccess("enabled", "absent", "", ""),
        AppArmorProfiles({"enforce": ("/usr/bin/man",), "complain": ("a", "b")}),
    )


@pytest.mark.parametrize("line", ["", "profiles\tunread\n"])
def test_profiles_that_may_not_be_read_are_a_gap(line: str) -> None:
    seen = parse(ON + line)
    assert [gap.needs for gap in seen.gaps] == ["sudo: /usr/bin/cat /sys/kernel/security/apparmor/profiles"]


def test_without_apparmor_there_are_no_profiles() -> None:
    seen = parse(ON.replace("\tY", "\tabsent"))
    assert [one.fact for one in seen.absences] == ["AppArmorProfiles"]


@pytest.mark.parametrize("text", ["", ON.replace("\tY", "\tmaybe"), "apparmor\tY\n"])
def test_a_broken_answer_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        parse(text)


@pytest.mark.real
@pytest.mark.parametrize("shell", ["bash", "dash", "busybox"])
def test_planted_profiles(tmp_path: Path, shell: str) -> None:
    plant = """
    mount -t tmpfs tmpfs /sys/module
    mkdir -p /sys/module/apparmor/parameters
    echo Y >/sys/module/apparmor/parameters/enabled
    mount -t tmpfs tmpfs /sys/kernel/security
    mkdir /sys/kernel/security/apparmor
    printf '/usr/bin/a (enforce)\\nb c (complain)\\nodd\\n' >/sys/kernel/security/apparmor/profiles
    """
    section = answer(PROBE, plant, tmp_path, shell)
    assert section.status == 0
    _, profiles = parse(section.text).facts
    assert profiles == AppArmorProfiles({"enforce": ("/usr/bin/a",), "complain": ("b c",)})
