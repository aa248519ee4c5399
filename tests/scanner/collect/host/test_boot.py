"""How a host boots: what leaves it of its command line and menu, and how drop-in files are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.facts.host.boot import (
    BootMenu,
    BootParameters,
    Firmware,
    ProcessorFlaws,
    RescueShell,
    RescueShells,
)
from checks.facts.snapshot import Absence, Fact, Gap
from scanner.collect.host.boot import PROBE, parse
from scanner.collect.host.probe import ParseError
from tests.lab.fragment import answer
from tests.lab.hosts import lab

MENU = "/boot/grub2/grub.cfg"
USER = "/boot/grub2/user.cfg"


def fact(text: str, kind: type[Fact]) -> Fact | Gap | Absence:
    seen = parse(text)
    everything: list[Fact | Gap | Absence] = [*seen.facts, *seen.gaps, *seen.absences]
    [one] = [
        each
        for each in everything
        if isinstance(each, kind) or (isinstance(each, Gap | Absence) and each.fact == kind.__name__)
    ]
    return one


def test_the_topics_do_not_depend_on_each_other() -> None:
    seen = parse("cmdline\nword\taudit=1\n")
    assert seen.facts == (BootParameters(("audit=1",)),)
    assert {gap.fact for gap in seen.gaps} == {"ProcessorFlaws", "Firmware"}
    assert {one.fact for one in seen.absences} == {"BootMenu", "RescueShells"}


@pytest.mark.parametrize(
    ("lines", "superusers", "password"),
    [
        (f"menu\t{MENU}\t0\t0\t0\t0\n", False, False),
        (f"menu\t{MENU}\t1\t1\t0\t0\n", True, True),
        (f"menu\t{MENU}\t1\t0\t1\t0\n", True, False),
        (f"menu\t{MENU}\t1\t0\t1\t0\nmenu\t{USER}\t0\t0\t0\t1\n", True, True),
        (f"menu\t{MENU}\t1\t0\t0\t0\nmenu\t{USER}\t0\t0\t0\t1\n", True, False),
        (f"menu\t{MENU}\t0\t1\t0\t0\n", False, False),
    ],
)
def test_a_password_of_the_menu(lines: str, superusers: bool, password: bool) -> None:
    assert fact(lines, BootMenu) == BootMenu(MENU, superusers, password)


@pytest.mark.parametrize(
    "lines", [f"menu-unread\t{MENU}\n", f"menu\t{MENU}\t1\t0\t1\t0\nmenu-unread\t{USER}\n"]
)
def test_a_menu_that_may_not_be_read_is_a_gap(lines: str) -> None:
    gap = fact(lines, BootMenu)
    assert isinstance(gap, Gap)
    assert gap.needs.startswith("sudo: /usr/bin/head -c ")


def test_no_menu_is_an_absence() -> None:
    assert isinstance(fact(f"cmdline\nno-menu\t{MENU}\n", BootMenu), Absence)
    assert isinstance(fact("cmdline\nno-boot\n", BootMenu), Absence)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("firmware\tbios\n", Firmware("bios", "")),
        ("firmware\tefi\nsecure\t1\n", Firmware("efi", "on")),
        ("firmware\tefi\nsecure\t0\n", Firmware("efi", "off")),
    ],
)
def test_firmware(lines: str, expected: Firmware) -> None:
    assert fact(lines, Firmware) == expected


def test_secure_boot_that_does_not_show_is_a_gap() -> None:
    assert isinstance(fact("firmware\tefi\n", Firmware), Gap)


ETC, LIB = "/etc/systemd/system", "/usr/lib/systemd/system"


@pytest.mark.parametrize(
    ("lines", "shell"),
    [
        ([f"exec\t{LIB}/rescue.service\tsulogin"], RescueShell("rescue", "sulogin", forced=False)),
        (
            [
                f"unit\t{ETC}/rescue.service",
                f"exec\t{ETC}/rescue.service\tbash",
                f"exec\t{LIB}/rescue.service\tsulogin",
            ],
            RescueShell("rescue", "bash", forced=False),
        ),
        (
            [
                f"unit\t{ETC}/rescue.service.d/a.conf",
                f"exec\t{LIB}/rescue.service\tsulogin",
                f"force\t{ETC}/rescue.service.d/a.conf\t1",
            ],
            RescueShell("rescue", "sulogin", forced=True),
        ),
        (
            [
                f"unit\t{LIB}/rescue.service.d/z.conf",
                f"unit\t{ETC}/rescue.service.d/a.conf",
                f"exec\t{ETC}/rescue.service.d/a.conf\tbash",
                f"force\t{ETC}/rescue.service.d/a.conf\t1",
                f"exec\t{LIB}/rescue.service.d/z.conf\tsulogin",
                f"force\t{LIB}/rescue.service.d/z.conf\t0",
            ],
            RescueShell("rescue", "sulogin", forced=False),
        ),
        (
            [
                f"unit\t{ETC}/rescue.service",
                f"nothing\t{ETC}/rescue.service",
                f"exec\t{LIB}/rescue.service\tbash",
            ],
            RescueShell("rescue", "", forced=False),
        ),
    ],
)
def test_drop_in_files_have_the_last_word(lines: list[str], shell: RescueShell) -> None:
    text = "\n".join([f"unit\t{LIB}/rescue.service", *lines])
    assert fact(text, RescueShells) == RescueShells((shell,))


def test_a_unit_that_may_not_be_read_is_a_gap() -> None:
    text = f"unit\t{LIB}/rescue.service\nunit-unread\t{ETC}/rescue.service.d/a.conf\n"
    gap = fact(text, RescueShells)
    assert isinstance(gap, Gap)
    assert gap.needs == f"sudo: cat {ETC}/rescue.service.d/a.conf"


@pytest.mark.parametrize(
    "text", ["", "noise\n", "flaw\tmds\n", f"menu\t{MENU}\t1\n", f"menu\t{MENU}\ta\tb\tc\td\n"]
)
def test_a_broken_answer_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        parse(text)


HASH = "grub.pbkdf2.sha512.10000.DEADBEEF.CAFE"
PLANT = """
mount -t tmpfs tmpfs /boot
mkdir /boot/grub
cat >/boot/grub/grub.cfg <<'END'
# set superusers="nobody"
set superusers="root"
password_pbkdf2 root {hash}
END
mount -t tmpfs tmpfs /sys/firmware
mkdir -p /sys/firmware/efi/efivars
printf '\\006\\000\\000\\000\\001' >/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c
mount -t tmpfs tmpfs /etc/systemd/system
mkdir /etc/systemd/system/rescue.service.d
printf '[Service]\\nEnvironment="SYSTEMD_SULOGIN_FORCE=1"\\n' >/etc/systemd/system/rescue.service.d/a.conf
ln -s /dev/null /etc/systemd/system/emergency.service
printf '%s ' root=/dev/sda1 mitigations=off rd.luks.key=hunter2 selinux=0 token=mitigations=off >{line}
printf '%s\\n' 'audit=1 retbleed="off" spec-store-bypass-disable=off' >>{line}
mount --bind {line} /proc/cmdline
"""


@pytest.mark.real
@pytest.mark.parametrize("shell", ["bash", "dash", "busybox"])
def test_a_planted_machine(tmp_path: Path, shell: str) -> None:
    plant = PLANT.format(hash=HASH, line=tmp_path / "cmdline")
    section = answer(PROBE, plant, tmp_path, shell)
    assert section.status == 0
    assert "hunter2" not in section.text
    assert "DEADBEEF" not in section.text
    text = section.text
    assert fact(text, BootParameters) == BootParameters(
        ("mitigations=off", "selinux=0", "audit=1", "retbleed=off", "spec_store_bypass_disable=off")
    )
    assert fact(text, BootMenu) == BootMenu("/boot/grub/grub.cfg", superusers=True, password=True)
    assert fact(text, Firmware) == Firmware("efi", "on")
    assert fact(text, RescueShells) == RescueShells(
        (RescueShell("rescue", "sulogin", forced=True), RescueShell("emergency", "", forced=False))
    )
    assert isinstance(fact(text, ProcessorFlaws), ProcessorFlaws)


@pytest.mark.real
def test_a_closed_menu_needs_root() -> None:
    closed = "mkdir -p /boot/grub; echo 'set timeout=5' >/boot/grub/grub.cfg; chmod 700 /boot/grub"
    wanted: frozenset[type[Fact]] = frozenset({BootMenu})
    with lab() as net:
        plain = net.host("bookworm", plant=closed, login="plain").scan(wanted)
        sudo = net.host("bookworm", plant=closed, login="sudo").scan(wanted)
    assert plain.facts == {}
    assert [gap.reason for gap in plain.gaps] == ["/boot/grub/grub.cfg may not be read"]
    assert sudo.facts == {"BootMenu": BootMenu("/boot/grub/grub.cfg", superusers=False, password=False)}
