"""Roots of another family than Debian's: BusyBox with Dropbear, and a database of rpm packages."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.lab.hosts_roots import debian, layer, made, root_of
from tests.lab.parts import program

_DROPBEAR = "/usr/sbin/dropbear -r /etc/dropbear/key"
BUSYBOX = {
    "root": _DROPBEAR,
    # -w: no logins as root.
    "plain": f"{_DROPBEAR} -w",
    "sudo": f"{_DROPBEAR} -w",
    "all": f"{_DROPBEAR} -w",
}
"""How the SSH server of a BusyBox host starts, by login; such a host has no sudo."""

_FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\naudit:x:1000:1000::/home/audit:/bin/sh\n"
    "nobody:x:65534:65534:nobody:/:/bin/false\n",
    "etc/group": "root:x:0:\nshadow:x:42:\naudit:x:1000:\nnogroup:x:65534:\n",
    "etc/shadow": "root:*:20000:0:::::\naudit:*:20000:0:99999:7:::\nnobody:*:20000:0:::::\n",
    "etc/shells": "/bin/sh\n",
    "etc/os-release": 'NAME="Buildroot"\nID=buildroot\nVERSION_ID=2024.02\nPRETTY_NAME="Buildroot 2024.02"\n',
}


def busybox() -> Path:
    """A root with BusyBox, Dropbear and the libraries of both, and with nothing else: no bash, no sudo."""
    programs = {program("busybox"): "bin/busybox", program("dropbear"): "usr/sbin/dropbear"}
    programs[program("dropbearkey")] = "usr/bin/dropbearkey"
    recipe = repr((sorted(programs.items()), _FILES, [Path(one).stat()[6:9:2] for one in programs]))
    with made("busybox", recipe) as root:
        if root is not None:
            _busybox(root, programs)
    return root_of("busybox", recipe)


def _busybox(root: Path, programs: dict[str, str]) -> None:
    folders = "bin sbin usr/bin usr/sbin etc/dropbear root home/audit proc sys dev run tmp var/log lib lib64"
    for one in folders.split():
        (root / one).mkdir(parents=True, exist_ok=True)
    (root / "tmp").chmod(0o1777)
    for one in ("root", "home/audit"):
        (root / one).chmod(0o700)
    shutil.chown(root / "home/audit", 1000, 1000)
    for path, text in _FILES.items():
        (root / path).write_text(text)
    (root / "etc/shadow").chmod(0o640)
    shutil.chown(root / "etc/shadow", 0, 42)
    for source, goal in programs.items():
        shutil.copy2(source, root / goal)
        shown = subprocess.run([program("ldd"), source], capture_output=True, text=True, check=False).stdout
        for library in re.findall(r"(/\S+) \(0x", shown):
            (root / library.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(library, root / library.lstrip("/"))
    listed = subprocess.run(
        [program("busybox"), "--list-full"], capture_output=True, text=True, check=True
    ).stdout
    for applet in listed.split():
        link = root / applet
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.exists():
            link.symlink_to("/bin/busybox")


RPMS = (
    ("almalinux-release", "9.4", "1.el9"),
    ("bash", "5.1.8", "9.el9"),
    ("glibc", "2.34", "100.el9_4.2"),
    ("kernel-core", "5.14.0", "427.13.1.el9_4"),
    ("openssh-server", "8.7p1", "38.el9"),
    ("openssl-libs", "3.0.7", "27.el9"),
    ("sudo", "1.9.5p2", "10.el9_3"),
)
"""Name, version and release of the packages in the database of the `rpm` host."""

_RELEASE = """\
NAME="AlmaLinux"
VERSION="9.4 (Seafoam Ocelot)"
ID="almalinux"
ID_LIKE="rhel centos fedora"
VERSION_ID="9.4"
PLATFORM_ID="platform:el9"
PRETTY_NAME="AlmaLinux 9.4 (Seafoam Ocelot)"
"""
_SPEC = """\
Name: {name}
Version: {version}
Release: {release}
Summary: A package of a test host
License: GPL
Vendor: AlmaLinux
%description
A package of a test host.
%install
mkdir -p %{{buildroot}}/usr/share/lab
echo {name} >%{{buildroot}}/usr/share/lab/{name}
%files
/usr/share/lab/{name}
"""
# Debian's rpm keeps its database in a folder of its own; on the host it lies where rpm's family has it.
_MACROS = "%_dbpath /var/lib/rpm\n%_db_backend sqlite\n"
_BECOME = f"""\
mkdir -p /etc/rpm /var/lib/rpm
printf '{_MACROS.replace("%", "%%")}' >/etc/rpm/macros
printf '{_RELEASE}' >/usr/lib/os-release
rm -f /etc/debian_version /etc/apt/sources.list /usr/bin/dpkg* /usr/bin/apt*
rm -rf /var/lib/dpkg /var/lib/apt /etc/apt /var/cache/apt
"""


def rpm_family() -> list[Path]:
    """The layers of a host whose packages are those of a real rpm database, built here by rpmbuild."""
    host = layer("bookworm", ("rpm",), _BECOME)
    recipe = repr((RPMS, _SPEC, _MACROS))
    with made("rpm-database", recipe) as root:
        if root is not None:
            with tempfile.TemporaryDirectory() as folder:
                packages = [_built(Path(folder), *one) for one in RPMS]
                into = ["--root", str(root), "--dbpath", "/var/lib/rpm", "--define", "_db_backend sqlite"]
                _rpm(["rpm", *into, "--install", "--nodeps", "--ignorearch", *packages])
    return [root_of("rpm-database", recipe), host, debian("bookworm")]


def _built(folder: Path, name: str, version: str, release: str) -> str:
    spec = folder / f"{name}.spec"
    spec.write_text(_SPEC.format(name=name, version=version, release=release))
    _rpm(["rpmbuild", "--quiet", "-bb", "--define", f"_topdir {folder}", "--define", "debug_package %{nil}",
          "--target", "x86_64", str(spec)])  # fmt: skip
    [one] = (folder / "RPMS").rglob(f"{name}-{version}-{release}*.rpm")
    return str(one)


def _rpm(command: list[str]) -> None:
    done = subprocess.run(
        [program(command[0]), *command[1:]], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr[-1500:]}"
