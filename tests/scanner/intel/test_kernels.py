"""The running kernel: of which package it is, on each family of systems."""

from __future__ import annotations

import pytest

from checks.facts.host.packages import Package, Packages
from checks.facts.host.system import OperatingSystem
from checks.facts.host.updates import RebootState
from scanner.intel.kernels import Kernel, is_kernel, running_kernel


def system(identifier: str) -> OperatingSystem:
    return OperatingSystem(identifier, "1", identifier, (), "", "x86_64", "host")


def running(release: str, build: str = "") -> RebootState:
    return RebootState(release, (), build, "", False, (), "")


def image(release: str, version: str, source: str) -> Package:
    return Package(f"linux-image-{release}", version, "amd64", source, version)


def test_debian_says_the_version_that_runs_itself() -> None:
    packages = Packages(
        "dpkg",
        (
            image("6.1.0-25-amd64", "6.1.112-1", "linux-signed-amd64"),
            image("6.1.0-26-amd64", "6.1.128-1", "linux-signed-amd64"),
            image("6.9.0-1-cloud-amd64", "6.9.1-1", "linux-signed-amd64"),
            image("amd64", "6.1.128-1", "linux-signed-amd64"),
        ),
    )
    found = running_kernel(system("debian"), packages, running("6.1.0-25-amd64", "6.1.106-3"))
    assert found is not None
    # The package was upgraded under the same name: what counts is what was started.
    assert (found.source, found.version, found.newest) == ("linux", "6.1.106-3", "6.1.128-1")


def test_ubuntu_is_asked_by_the_name_of_its_package() -> None:
    packages = Packages("dpkg", (image("5.15.0-1065-aws", "5.15.0-1065.71", "linux-signed-aws"),))
    found = running_kernel(system("ubuntu"), packages, running("5.15.0-1065-aws"))
    assert found is not None
    assert (found.source, found.version) == ("linux-aws", "5.15.0-1065.71")
    generic = Packages("dpkg", (image("5.15.0-119-generic", "5.15.0-119.129", "linux-signed"),))
    found = running_kernel(system("ubuntu"), generic, running("5.15.0-119-generic"))
    assert found is not None
    assert found.source == "linux"
    assert running_kernel(system("ubuntu"), generic, running("5.15.0-1-generic")) is None


def test_rpm_has_the_version_in_the_name_of_the_release() -> None:
    def kernel(name: str, version: str, source: str = "kernel") -> Package:
        return Package(name, version, "x86_64", source, version)

    packages = Packages(
        "rpm",
        (kernel("kernel-core", "5.14.0-427.13.1.el9_4"), kernel("kernel-core", "5.14.0-503.11.1.el9_5")),
    )
    found = running_kernel(system("rhel"), packages, running("5.14.0-427.13.1.el9_4.x86_64"))
    assert found == Kernel(
        "kernel",
        ("kernel", "kernel-core", "kernel-modules-core"),
        "5.14.0-427.13.1.el9_4",
        "5.14.0-503.11.1.el9_5",
    )
    # A kernel that was removed while it runs still says what it is.
    found = running_kernel(system("rhel"), packages, running("5.14.0-70.el9.x86_64"))
    assert found is not None
    assert found.version == "5.14.0-70.el9"
    assert running_kernel(system("rhel"), packages, running("6.9.1-custom")) is None


def test_apk() -> None:
    packages = Packages("apk", (Package("linux-lts", "6.6.54-r0", "x86_64", "linux-lts", "6.6.54-r0"),))
    found = running_kernel(system("alpine"), packages, running("6.6.49-0-lts"))
    assert found == Kernel("linux-lts", ("linux-lts",), "6.6.49-r0", "6.6.54-r0")
    assert running_kernel(system("alpine"), packages, running("6.6.49-0-virt")) is None
    assert running_kernel(system("alpine"), packages, running("5.15.0-119-generic")) is None


@pytest.mark.parametrize(
    ("manager", "source", "kernel"),
    [
        ("dpkg", "linux", True),
        ("dpkg", "linux-signed-amd64", True),
        ("dpkg", "linux-aws-6.8", True),
        ("dpkg", "linux-firmware", False),
        ("dpkg", "linux-base", False),
        ("dpkg", "util-linux", False),
        ("rpm", "kernel", True),
        ("rpm", "kernel-rt", True),
        ("rpm", "kernel-srpm-macros", False),
        ("apk", "linux-lts", True),
        ("apk", "linux-pam", False),
        ("apk", "linux-headers", False),
    ],
)
def test_what_is_of_the_kernel(manager: str, source: str, kernel: bool) -> None:
    assert is_kernel(Package("x", "1", "all", source, "1"), manager) is kernel
