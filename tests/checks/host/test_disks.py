"""The disks of a host, judged."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from checks.check import Check
from checks.facts.host.disks import BlockDevice, BlockDevices
from checks.facts.host.mounts import FreeSpace, Mount, Mounts, Space
from checks.facts.host.platform import Platform
from checks.host import disks
from checks.model import Outcome
from tests.checks.host.judging import checks_of, failing, judged, outcomes, says_unknown

MACHINE = Platform("", "", virtual=False, container="", cloud="", instance="", region="")
DEVICES = BlockDevices(
    (
        BlockDevice("sda", "8:0", "", encrypted=False, below=()),
        BlockDevice("sda1", "8:1", "", encrypted=False, below=("sda",)),
        BlockDevice("sda2", "8:2", "", encrypted=False, below=("sda",)),
        BlockDevice("dm-0", "253:0", "luks-a", encrypted=True, below=("sda2",)),
        BlockDevice("dm-1", "253:1", "vg-root", encrypted=False, below=("dm-0",)),
        BlockDevice("dm-2", "253:2", "vg-half", encrypted=False, below=("dm-0", "sda1")),
    )
)


def on(point: str, device: str, source: str, kind: str = "ext4", *options: str) -> Mount:
    return Mount(point, source, kind, device, "/", options or ("rw",))


@pytest.mark.parametrize("check", checks_of(disks), ids=lambda check: check.id)
def test_what_could_not_be_read_is_unknown(check: Check[Any]) -> None:
    says_unknown(check)


@pytest.mark.parametrize(
    ("mount", "outcome"),
    [
        (on("/", "253:1", "/dev/mapper/vg-root"), Outcome.PASS),
        (on("/", "253:0", "/dev/mapper/luks-a"), Outcome.PASS),
        (on("/srv", "253:2", "/dev/mapper/vg-half"), Outcome.FAIL),
        (on("/", "8:1", "/dev/sda1"), Outcome.FAIL),
        (on("/", "0:40", "/dev/mapper/luks-a", "btrfs"), Outcome.PASS),
        (on("/", "0:40", "/dev/sda1", "btrfs"), Outcome.FAIL),
        (on("/", "0:40", "zfs", "zfs"), Outcome.UNKNOWN),
    ],
)
def test_a_volume_is_encrypted_when_every_part_below_it_is(mount: Mount, outcome: Outcome) -> None:
    [finding] = judged(disks.encrypted, Mounts((mount,), ()), DEVICES, MACHINE)
    assert (finding.on, finding.outcome) == (mount.point, outcome)


def test_what_holds_no_data_needs_no_encryption() -> None:
    data = on("/", "253:1", "/dev/mapper/vg-root")
    boot = on("/boot", "8:1", "/dev/sda1")
    image = on("/snap/core/1", "7:0", "/dev/loop0", "squashfs", "ro")
    found = judged(disks.encrypted, Mounts((data, boot, image), ()), DEVICES, MACHINE)
    assert outcomes(found) == {"/": Outcome.PASS}


def test_where_others_decide_the_host_does_not_know() -> None:
    plain = Mounts((on("/", "8:1", "/dev/sda1"),), ())
    cloud = msgspec.structs.replace(MACHINE, cloud="aws")
    docker = msgspec.structs.replace(MACHINE, container="docker")
    [of_cloud] = judged(disks.encrypted, plain, DEVICES, cloud)
    [of_docker] = judged(disks.encrypted, plain, DEVICES, docker)
    [of_nothing] = judged(disks.encrypted, Mounts((), ()), DEVICES, MACHINE)
    assert of_cloud.outcome is Outcome.UNKNOWN
    assert of_docker.outcome is Outcome.NOT_APPLICABLE
    assert of_nothing.outcome is Outcome.UNKNOWN


def test_devices_that_name_each_other_end() -> None:
    loop = BlockDevices(
        (
            BlockDevice("a", "1:1", "", encrypted=False, below=("b",)),
            BlockDevice("b", "1:2", "", encrypted=False, below=("a",)),
        )
    )
    assert not loop.encrypted(loop.devices[0])


@pytest.mark.parametrize(
    ("used", "inodes", "bad"), [(89, 5, False), (90, 5, True), (100, 5, True), (5, 90, True), (5, 0, False)]
)
def test_room_of_blocks_and_of_inodes(used: int, inodes: int, bad: bool) -> None:
    found = FreeSpace((Space("/", 10, 1), Space("/var", used, inodes)))
    assert failing(disks.free_space, found) == (["/var"] if bad else [])


def test_the_limit_is_a_threshold() -> None:
    found = FreeSpace((Space("/", 60, 1),))
    assert failing(disks.free_space, found, most=50) == ["/"]
