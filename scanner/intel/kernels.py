"""Tells which package the running kernel is of, and which packages are the kernel's at all."""

from __future__ import annotations

import re
from dataclasses import dataclass

from checks.facts.host.packages import Package, Packages
from checks.facts.host.system import OperatingSystem
from checks.facts.host.updates import RebootState
from checks.versions import KEYS, VersionError

_DPKG = re.compile(
    r"linux(-(signed|meta|latest|restricted|aws|azure|gcp|gke|gkeop|oracle|hwe|kvm|lowlatency|raspi|ibm|oem|"
    r"nvidia|intel|riscv|realtime|lts)[a-z0-9.+-]*)?"
)
_RPM = re.compile(r"kernel(-(rt|uek|default|azure|64k|debug))?")
_APK = re.compile(r"linux-(lts|virt|edge|rpi|stable|hardened)")
_APK_RELEASE = re.compile(r"(\d[\w.]*)-(\d+)-([a-z]+)")
_FLAVOUR = {"rt": "kernel-rt", "64k": "kernel", "debug": "kernel"}
_SOURCES = {"dpkg": _DPKG, "rpm": _RPM, "apk": _APK}


@dataclass(frozen=True, slots=True)
class Kernel:
    """The running kernel: its source, the names of its binary packages, its version, the newest installed."""

    source: str
    packages: tuple[str, ...]
    version: str
    newest: str


def is_kernel(package: Package, manager: str) -> bool:
    """Whether a package is built from a kernel: what runs counts for these, not what is installed."""
    return _SOURCES[manager].fullmatch(package.source) is not None


def running_kernel(system: OperatingSystem, packages: Packages, state: RebootState) -> Kernel | None:
    """The package behind the running kernel, or None where it is of no package of the distribution."""
    match packages.manager:
        case "dpkg":
            return _dpkg(system, packages, state)
        case "rpm":
            return _rpm(packages, state)
        case _:
            return _apk(packages, state)


def _dpkg(system: OperatingSystem, packages: Packages, state: RebootState) -> Kernel | None:
    names = tuple(f"linux-image-{kind}{state.running}" for kind in ("", "unsigned-"))
    images = [p for p in packages.packages if p.name in names]
    version = state.running_build if system.id == "debian" else ""
    if not version and images:
        version = images[0].version
    if not version:
        return None
    source = "linux"
    if system.id == "ubuntu" and images:
        source = images[0].source.replace("linux-signed", "linux")
    flavour = _flavour(state.running)
    rivals = [
        p.version
        for p in packages.packages
        if p.name.startswith("linux-image-")
        and p.name.removeprefix("linux-image-").removeprefix("unsigned-")[:1].isdigit()
        and _flavour(p.name) == flavour
    ]
    return Kernel(source, names, version, _newest("dpkg", [*rivals, version]))


def _flavour(name: str) -> str:
    """`cloud-amd64` of `6.1.0-25-cloud-amd64`."""
    text = name.removeprefix("linux-image-").removeprefix("unsigned-")
    return "-".join(part for part in text.split("-") if part and not part[0].isdigit())


def _rpm(packages: Packages, state: RebootState) -> Kernel | None:
    release, _, flavour = state.running.partition("+")
    source = _FLAVOUR.get(flavour, "kernel")
    version = release.rpartition(".")[0]
    owners = [
        p
        for p in packages.packages
        if _RPM.fullmatch(p.source) and f"{_plain(p.version)}.{p.architecture}" == release
    ]
    if owners:
        source = owners[0].source
    elif ".el" not in release and ".amzn" not in release and ".fc" not in release:
        return None
    names = (source, f"{source}-core", f"{source}-modules-core")
    rivals = [_plain(p.version) for p in packages.packages if p.name in names and p.source == source]
    return Kernel(source, names, version, _newest("rpm", [*rivals, version]))


def _plain(version: str) -> str:
    return version.rpartition(":")[2]


def _apk(packages: Packages, state: RebootState) -> Kernel | None:
    found = _APK_RELEASE.fullmatch(state.running)
    if found is None:
        return None
    name, version = f"linux-{found[3]}", f"{found[1]}-r{found[2]}"
    rivals = [p.version for p in packages.packages if p.name == name]
    return Kernel(name, (name,), version, _newest("apk", [*rivals, version])) if rivals else None


def _newest(manager: str, versions: list[str]) -> str:
    try:
        return max(versions, key=KEYS[manager])
    except VersionError:
        return versions[-1]
