"""The roots that test hosts stand on: made once from the Debian mirror of this machine's apt, then reused.

They lie in `$BARTIZAN_LAB`, or in `bartizan-lab` of the user's cache. A root has the digest of its recipe
in its name, so another recipe makes another root; it appears under its name only when it is whole.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache as cache_of_calls
from pathlib import Path

from tests.lab.parts import program

RELEASES = ("bullseye", "bookworm", "trixie")
_FIRST = ("ca-certificates", "iproute2", "openssh-server", "procps", "sudo")
_LATER = ("cron", "logrotate", "nftables", "python3", "python3-apt", "rsyslog", "systemd", "systemd-sysv")
"""Not by debootstrap itself: with systemd or cron among its packages a newer release does not come up."""
_VERSION = "1"
_MAKE_SECONDS = 1500
_KEPT_SECONDS = 7 * 86_400
_DIGITS = 12

APT = (
    "apt-get -qq -y --no-install-recommends -o Dpkg::Use-Pty=0 -o Acquire::Check-Valid-Until=false "
    "-o Acquire::Check-Date=false"
)
"""A mirror that stands still is good enough for a test host; its signatures are checked all the same."""

_FURNISH = """\
set -e
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
{apt} update
{apt} dist-upgrade
{apt} install {packages}
apt-get clean
useradd -m -s /bin/sh audit
chmod 700 /home/audit
rm -f /usr/sbin/policy-rc.d /etc/ssh/ssh_host_* /var/lib/dbus/machine-id
: >/etc/machine-id
{apt} -s install base-files >/dev/null
"""

_ADD = """\
set -e
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
{apt} install {packages}
rm -f /usr/sbin/policy-rc.d
"""


class RootError(AssertionError):
    """A root could not be made; a test that needs it fails with the reason."""


def cache() -> Path:
    """Where roots lie."""
    chosen = os.environ.get("BARTIZAN_LAB", "")
    folder = Path(chosen) if chosen else Path("~/.cache/bartizan-lab").expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def debian(release: str) -> Path:
    """The root of a Debian release.

    Raises:
        RootError: no mirror, or one without this release.

    """
    mirror = _repository("Debian", "")
    sources = _sources(release, mirror)
    recipe = "\n".join((_VERSION, release, *_FIRST, *_LATER, _FURNISH, APT, sources))
    with _made(release, recipe) as (folder, log):
        if folder is None:
            return log
        command = [program("debootstrap"), "--variant=minbase", f"--include={','.join(_FIRST)}"]
        _do([*command, release, str(folder), *([mirror] if mirror else [])], log, f"Debian {release}")
        (folder / "etc/apt/sources.list").write_text(sources)
        _chrooted(str(folder), _FURNISH.format(apt=APT, packages=" ".join(_LATER)), log, f"Debian {release}")
    return debian(release)


def layer(release: str, packages: Sequence[str], then: str = "") -> Path:
    """What more packages, and the shell commands after them, put over the root of that release."""
    below = debian(release)
    script = _ADD.format(apt=APT, packages=" ".join(packages)) + then
    name = f"{release}+{packages[0]}" if packages else f"{release}+commands"
    with _made(name, "\n".join((below.name, script))) as (folder, log):
        if folder is None:
            return log
        with _overlay(below, folder) as (mount, upper):
            _chrooted(mount, script, log, f"{' '.join(packages)} on Debian {release}")
            for one in Path(upper).iterdir():
                shutil.move(str(one), folder / one.name)
    return layer(release, packages, then)


@contextmanager
def made(name: str, recipe: str) -> Iterator[Path | None]:
    """A folder to fill, or None where a root of this recipe is there; see `root_of`."""
    with _made(name, recipe) as (folder, _):
        yield folder


def root_of(name: str, recipe: str) -> Path:
    """Where the root of that recipe lies, or will lie."""
    return cache() / f"{name}-{hashlib.sha256(recipe.encode()).hexdigest()[:_DIGITS]}"


@contextmanager
def _made(name: str, recipe: str) -> Iterator[tuple[Path | None, Path]]:
    """(a folder to fill, its log) for a root that is missing, or (None, the root).

    What a failure leaves is removed; two processes do not make the same root at once.
    """
    final = root_of(name, recipe)
    with (cache() / f".{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if final.is_dir():
            os.utime(final)
            yield None, final
            return
        _forget(final, name)
        draft = cache() / f".{final.name}.{os.getpid()}"
        log = draft.with_suffix(".log")
        try:
            draft.mkdir(mode=0o755)
            yield draft, log
            draft.chmod(0o755)
            draft.rename(final)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
            log.unlink(missing_ok=True)


def _forget(final: Path, name: str) -> None:
    """Removes roots of this name by older recipes that nobody has used for a week."""
    for one in cache().glob(f"{name}-*"):
        digest = one.name.removeprefix(f"{name}-")
        old = time.time() - one.stat().st_mtime > _KEPT_SECONDS
        if one != final and old and len(digest) == _DIGITS and one.is_dir():
            shutil.rmtree(one, ignore_errors=True)


@contextmanager
def _overlay(below: Path, folder: Path) -> Iterator[tuple[str, str]]:
    """(where `below` can be changed, where the changes land)."""
    work = folder.with_name(f"{folder.name}.work")
    try:
        upper, mount = work / "upper", work / "mount"
        for one in (upper, work / "work", mount):
            one.mkdir(parents=True)
        options = f"lowerdir={below},upperdir={upper},workdir={work / 'work'}"
        subprocess.run([program("mount"), "-t", "overlay", "lab", "-o", options, str(mount)], check=True)
        try:
            yield str(mount), str(upper)
        finally:
            subprocess.run([program("umount"), "-l", str(mount)], check=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _chrooted(root: str, script: str, log: Path, what: str) -> None:
    resolver = Path(root) / "etc/resolv.conf"
    before = resolver.read_bytes() if resolver.exists() else None
    resolver.write_bytes(Path("/etc/resolv.conf").read_bytes())
    inside = 'mount -t proc proc "$1/proc" && exec chroot "$1" /bin/sh -c "$2"'
    own = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
    _do([*own, "sh", "-c", inside, "sh", root, script], log, what)
    if before is None:
        resolver.unlink()
    else:
        resolver.write_bytes(before)


def _do(command: Sequence[str], log: Path, what: str) -> None:
    with log.open("ab") as out:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            timeout=_MAKE_SECONDS,
            check=False,
            env={**os.environ, "LC_ALL": "C", **_proxy()},
        )
    if done.returncode:
        said = log.read_text("utf-8", "replace")[-1500:]
        raise RootError(f"{what} cannot be made as a test host (status {done.returncode}):\n{said}")


def _sources(release: str, mirror: str) -> str:
    """The sources.list of a host: what debootstrap used, and the security repository of apt here."""
    lines = [f"deb {mirror} {release} main"] if mirror else []
    security = _repository("Debian", "Debian-Security")
    if security:
        lines.append(f"deb {security} {release}-security main")
    return "\n".join([*lines, ""])


@cache_of_calls
def _repository(origin: str, label: str) -> str:
    """The address of a repository that apt of this machine uses, or `` for debootstrap's own choice."""
    for attempt in range(2):
        for seen, name, address in _targets():
            if seen == origin and name == (label or origin):
                return address
        if attempt == 0:
            # A new machine may have the lists of a part of its repositories, and asks for the others later.
            _asked("apt-get", "update", "-qq", seconds=300)
    return ""


def _targets() -> Iterator[tuple[str, str, str]]:
    """Origin, label and address of each repository whose lists apt has here."""
    form = "$(ORIGIN)\t$(LABEL)\t$(REPO_URI)"
    for line in _asked("apt-get", "indextargets", "--format", form).splitlines():
        origin, label, address = line.split("\t")
        yield origin, label, address


def _proxy() -> dict[str, str]:
    """debootstrap does not ask apt for its proxy."""
    found = (
        _asked("apt-config", "shell", "proxy", "Acquire::http::Proxy").partition("=")[2].strip().strip("'")
    )
    return {"http_proxy": found} if found else {}


def _asked(*command: str, seconds: float = 60) -> str:
    if shutil.which(command[0]) is None:
        return ""
    return subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False).stdout


def architecture() -> str:
    """As Debian's package names write it."""
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
