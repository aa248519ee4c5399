"""The machine below the system, and the containers on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.facts.host.platform import ContainerEngines, Platform, RunningContainer
from scanner.collect.host.platform import PROBE, parse
from scanner.collect.host.probe import ParseError
from tests.lab.fragment import answer

ID = "0123456789abcdef" * 4


def read(text: str) -> tuple[Platform, ContainerEngines | None]:
    platform, *rest = parse(text).facts
    engines = rest[0] if rest else None
    assert isinstance(platform, Platform)
    assert engines is None or isinstance(engines, ContainerEngines)
    return platform, engines


@pytest.mark.parametrize(
    ("lines", "cloud", "virtual", "instance"),
    [
        ("dmi\tsys_vendor\tAmazon EC2\ndmi\tboard_asset_tag\ti-0abc\n", "aws", False, "i-0abc"),
        ("dmi\tsys_vendor\tXen\ncloud\tcloud_name\taws\ncloud\tinstance_id\ti-0abc\n", "aws", True, "i-0abc"),
        ("dmi\tproduct_name\tGoogle Compute Engine\nhypervisor\n", "gcp", True, ""),
        (
            "dmi\tsys_vendor\tMicrosoft Corporation\ndmi\tproduct_name\tVirtual Machine\n"
            "dmi\tchassis_asset_tag\t7783-7084-3265-9085-8269-3286-77\n",
            "azure",
            True,
            "",
        ),
        ("dmi\tsys_vendor\tMicrosoft Corporation\ndmi\tproduct_name\tVirtual Machine\n", "", True, ""),
        ("dmi\tsys_vendor\tQEMU\ncloud\tcloud_name\tnocloud\n", "", True, ""),
        ("dmi\tsys_vendor\tDell Inc.\ndmi\tboard_asset_tag\tNot Specified\n", "", False, ""),
    ],
)
def test_what_a_host_runs_on(lines: str, cloud: str, virtual: bool, instance: str) -> None:
    platform, _ = read(f"container\t\n{lines}processes\n")
    assert (platform.cloud, platform.virtual, platform.instance) == (cloud, virtual, instance)


def test_containers() -> None:
    lines = [
        f"running\tdocker-{ID}",
        f"running\tdocker/{ID}",
        f"running\tlibpod-{ID}",
        f"running\tcri-containerd-{ID}",
        "running\tlxc.payload.web-1",
    ]
    _, found = read("container\t\nengine\tdocker\nprocesses\n" + "\n".join(lines))
    assert found == ContainerEngines(
        ("docker", "podman", "containerd", "lxc"),
        (
            RunningContainer("docker", ID[:12]),
            RunningContainer("podman", ID[:12]),
            RunningContainer("containerd", ID[:12]),
            RunningContainer("lxc", "web-1"),
        ),
    )


def test_hidden_processes_are_a_gap() -> None:
    seen = parse("container\tdocker\nengine\tdocker\nhidden\n")
    assert [gap.fact for gap in seen.gaps] == ["ContainerEngines"]
    assert [type(fact) for fact in seen.facts] == [Platform]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "container\t\n",
        "processes\n",
        "container\t\nrunning\tvm-7\nprocesses\n",
        "container\t\nx\nprocesses\n",
    ],
)
def test_a_broken_answer_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        parse(text)


CLOUD = """{
 "ds": {
  "instance_id": "wrong",
  "password": "hunter2"
 },
 "v1": {
  "availability_zone": "eu-west-1a",
  "cloud_name": "aws",
  "instance-id": "i-0abc",
  "instance_id": "i-0abc",
  "region": "eu-west-1",
  "secret": "hunter2"
 },
 "vendordata": {
  "region": "wrong"
 }
}
"""


@pytest.mark.real
@pytest.mark.parametrize("shell", ["bash", "dash", "busybox"])
def test_a_planted_machine(tmp_path: Path, shell: str) -> None:
    (tmp_path / "cloud").write_text(CLOUD)
    (tmp_path / "cgroup").write_text(
        f"0::/system.slice/docker-{ID}.scope\n1:x:/lxc.payload.web-1/init.scope\n"
    )
    socket = "import socket; socket.socket(socket.AF_UNIX).bind('/run/docker.sock')"
    plant = f"""
    mount -t tmpfs tmpfs /sys/class
    mkdir -p /sys/class/dmi/id
    echo 'Amazon EC2' >/sys/class/dmi/id/sys_vendor
    echo ' t3.small ' >/sys/class/dmi/id/product_name
    mount -t tmpfs tmpfs /run
    mkdir /run/cloud-init
    cp {tmp_path}/cloud /run/cloud-init/instance-data.json
    python3 -c "{socket}"
    mount --bind {tmp_path}/cgroup /proc/$$/cgroup
    """
    section = answer(PROBE, plant, tmp_path, shell)
    assert section.status == 0
    assert "hunter2" not in section.text
    platform, engines = read(section.text)
    assert (platform.vendor, platform.product) == ("Amazon EC2", "t3.small")
    assert (platform.cloud, platform.instance, platform.region) == ("aws", "i-0abc", "eu-west-1")
    assert engines is not None
    assert "docker" in engines.engines
