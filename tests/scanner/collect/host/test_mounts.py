"""Mounts, free space and block devices: read from real tables, and never guessed."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.facts.host.disks import BlockDevice, BlockDevices
from checks.facts.host.mounts import FreeSpace, Mount, Mounts, Space, TableLine
from checks.facts.snapshot import Fact
from scanner.collect.collector import Collected
from scanner.collect.host.mounts import PROBE, parse
from scanner.collect.host.probe import ParseError
from tests.lab.fragment import answer

ROOT = "mount\t/\t/dev/sda1\text4\t8:1\t/\trw,relatime\n"


def read(text: str) -> tuple[Mounts, FreeSpace | None, BlockDevices | None]:
    facts: dict[type[Fact], Fact] = {type(fact): fact for fact in parse(text).facts}
    mounts, space, blocks = facts[Mounts], facts.get(FreeSpace), facts.get(BlockDevices)
    assert isinstance(mounts, Mounts)
    assert space is None or isinstance(space, FreeSpace)
    assert blocks is None or isinstance(blocks, BlockDevices)
    return mounts, space, blocks


def test_the_uppermost_mount_of_a_point_counts() -> None:
    found, _, _ = read(
        ROOT
        + "mount\t/tmp\ttmpfs\ttmpfs\t0:30\t/\trw,noexec\n"
        + "mount\t/tmp\t/dev/sda1\text4\t8:1\t/tmp\trw\n"
        + "mount\t/my\\040disk\t/dev/sdb\text4\t8:16\t/\trw\n"
    )
    assert found.at("/tmp") == Mount("/tmp", "/dev/sda1", "ext4", "8:1", "/tmp", ("rw",))
    assert found.at("/my disk") is not None
    assert found.holding("/tmp/x") == found.at("/tmp")
    assert found.holding("/tmpfile") == found.at("/")


def test_lines_of_fstab() -> None:
    found, _, _ = read(f"{ROOT}table\t/tmp\ttmpfs\tnosuid,,nodev,\ntable\t/efi\tvfat\t\nabsent\t/home\n")
    assert found.table == (TableLine("/tmp", "tmpfs", ("nosuid", "nodev")), TableLine("/efi", "vfat", ()))
    assert found.absent == ("/home",)


def test_a_table_that_may_not_be_read_is_a_gap_and_the_mounts_are_there() -> None:
    seen = parse(f"{ROOT}table-unread\nspace\t/\t1\nblocks\n")
    assert [(gap.fact, gap.where) for gap in seen.gaps] == [("Mounts", "/etc/fstab")]
    assert {type(fact) for fact in seen.facts} == {Mounts, FreeSpace, BlockDevices}


def test_space_and_inodes() -> None:
    _, found, _ = read(
        f"{ROOT}inodes\t/\t12\nspace\t/\t93\ninodes\t/boot\t-\nspace\t/boot\t4\nspace\t/x\t-\n"
    )
    assert found == FreeSpace((Space("/", 93, 12), Space("/boot", 4, 0)))


def test_what_df_and_sysfs_do_not_tell_is_a_gap() -> None:
    assert {gap.fact for gap in parse(ROOT).gaps} == {"FreeSpace", "BlockDevices"}


def test_block_devices() -> None:
    _, _, found = read(
        f"{ROOT}blocks\nbelow\tmd0\tsda1\nbelow\tdm-0\tmd0p1\ndevice\tsda\t8:0\ndevice\tsda1\t8:1\n"
        "device\tmd0\t9:0\ndevice\tmd0p1\t259:0\ndevice\tdm-0\t253:0\nmapped\tdm-0\tdata\ncrypt\tdm-0\n"
    )
    assert found is not None
    assert found.find("253:0", "") == BlockDevice("dm-0", "253:0", "data", encrypted=True, below=("md0p1",))
    assert found.find("0:40", "/dev/mapper/data") == found.find("253:0", "")
    assert found.find("0:40", "tmpfs") is None
    below = {one.name: one.below for one in found.devices}
    assert (below["md0p1"], below["md0"], below["sda1"]) == (("md0",), ("sda1",), ("sda",))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "space\t/\t1\n",
        f"{ROOT}noise\n",
        f"{ROOT}mount\t/tmp\n",
        ROOT.replace("8:1", "8"),
        f"{ROOT}space\t/\tmany\n",
        f"{ROOT}mount\trelative\ta\tb\t8:1\t/\trw\n",
    ],
)
def test_a_broken_answer_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        parse(text)


@pytest.mark.real
@pytest.mark.parametrize("shell", ["bash", "dash", "busybox"])
def test_real_mounts_and_no_secret_of_a_table(tmp_path: Path, shell: str) -> None:
    table = tmp_path / "fstab"
    table.write_text(
        "# UUID=0 /old ext4 nosuid 0 1\n"
        "UUID=1 / ext4 defaults,errors=remount-ro 0 1\n"
        "//nas/share /mnt cifs user=me,password=hunter2,nosuid,uid=5 0 0 # why\n"
        "https://me:hunter2@dav/x /dav davfs noauto 0 0\n"
    )
    plant = (
        f"[ -e /etc/fstab ] && mount --bind {table} /etc/fstab\n"
        "mount -t tmpfs -o size=1m,nosuid,nodev hunter2 /mnt\n"
        "mkdir -p '/mnt/a b' /mnt/shm\nmount -t tmpfs tmpfs '/mnt/a b'\n"
        "mount -t tmpfs -o noexec tmpfs /home\n"
    )
    section = answer(PROBE, plant, tmp_path, shell)
    assert section.status == 0
    assert "hunter2" not in section.text
    found, space, blocks = read(section.text)
    assert [(one.point, one.options) for one in found.table] == [
        ("/", ("defaults",)),
        ("/mnt", ("nosuid",)),
        ("/dav", ("noauto",)),
    ]
    mnt, home, spaced = found.at("/mnt"), found.at("/home"), found.at("/mnt/a b")
    assert mnt is not None
    assert {"nosuid", "nodev"} <= set(mnt.options)
    assert home is not None
    assert "noexec" in home.options
    assert spaced is not None
    assert space is not None
    assert {one.point for one in space.spaces} >= {"/", "/home"}
    assert blocks is not None


def test_a_read_only_collection_holds_only_its_own_facts() -> None:
    seen: Collected = parse(f"{ROOT}space\t/\t1\nblocks\n")
    assert {type(fact) for fact in seen.facts} == set(PROBE.facts)
