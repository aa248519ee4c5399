"""How a test host starts and ends: namespaces of its own, and a first process that lives as long as the test.

The first process ends when the pipe to it closes, and all others of the host, its mounts and its
interface end with it: also where the test is killed, nothing is left.
"""

from __future__ import annotations

import select
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.lab.parts import program

START_SECONDS = 30.0

# A module, the clock, a reboot: what would reach past the host to the machine that it runs on.
_NOT_FOR_HOSTS = "-sys_module,-sys_boot,-sys_time,-sys_rawio,-mknod,-audit_control,-mac_admin,-mac_override"
LIMITED = ("setpriv", f"--bounding-set={_NOT_FOR_HOSTS}")
"""Before a command that enters a host."""

_INIT = r"""
set -e
folder=$1 lower=$2 name=$3 kernel=$4 before=$5 server=$6
read -r pid rest </proc/self/stat
mount -t tmpfs -o mode=0755,size=1g lab "$folder"
cd "$folder"
mkdir up under root
mount -t overlay overlay -o "lowerdir=$lower,upperdir=$folder/up,workdir=$folder/under" root
cd root
mount -t proc proc proc
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs sys
mount -t tmpfs -o mode=0755,nosuid,size=1m udev dev
mkdir -p dev/pts dev/shm run
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5,nosuid,noexec devpts dev/pts
mount -t tmpfs -o mode=1777,nosuid,nodev,noexec,size=16m shm dev/shm
mount -t tmpfs -o mode=0755,nosuid,nodev,size=16m run run
mkdir -p run/sshd run/lock
for device in null:3 zero:5 full:7 random:8 urandom:9; do
  mknod -m 666 "dev/${device%:*}" c 1 "${device#*:}"
done
mknod -m 666 dev/tty c 5 0
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s fd/0 dev/stdin; ln -s fd/1 dev/stdout; ln -s fd/2 dev/stderr
# kernel.*, fs.* and vm.* belong to the machine: only net.* of the host's own network may be written.
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount --bind /proc/sys/net proc/sys/net 2>/dev/null || mount -t proc proc proc
mount -o remount,bind,rw proc/sys/net
for setting in $kernel; do
  file=${setting%%=*}
  [ -e "proc/sys/$(printf %s "$file" | tr . /)" ] || continue
  mkdir -p "$folder/kernel"
  printf '%s\n' "${setting#*=}" >"$folder/kernel/$file"
  mount --bind "$folder/kernel/$file" "proc/sys/$(printf %s "$file" | tr . /)"
done
hostname "$name"
printf '%s\n' "$name" >etc/hostname
printf '127.0.0.1\tlocalhost\n127.0.1.1\t%s\n::1\tlocalhost\n' "$name" >etc/hosts
printf 'pid %s\n' "$pid"
read -r address
ip link set lo up
ip address add "$address" dev eth0
ip link set eth0 up
mkdir -p .old
pivot_root . .old
cd /
umount -l /.old
rmdir /.old
eval "$before"
exec /bin/sh -c '
  trap "exit 0" TERM
  eval "$1"
  echo ready
  { while read -r rest; do :; done; kill -TERM 1; } <&9 9<&- >/dev/null 2>&1 &
  exec </dev/null >/dev/null 2>&1 9<&-
  while :; do wait; done
' init "$server" 9<&0
"""


@dataclass(frozen=True)
class Started:
    """The first process of a host, as the machine sees it, and the process that made its namespaces."""

    process: subprocess.Popen[bytes]
    pid: int

    def go(self, address: str) -> None:
        """Tells it its address, once its interface is there."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{address}\n".encode())
        self.process.stdin.flush()

    def ready(self) -> None:
        """Returns when its SSH server was started."""
        assert read_line(self.process) == "ready"

    def end(self) -> None:
        """Ends it, and everything in it."""
        end(self.process)


def start(
    folder: Path,
    lowers: Sequence[Path],
    name: str,
    *,
    kernel: Mapping[str, str],
    before: str,
    server: str,
) -> subprocess.Popen[bytes]:
    """Starts the first process of a host; `Started` follows when it says its number."""
    below = ":".join(str(one) for one in lowers)
    settings = " ".join(f"{key}={value}" for key, value in kernel.items())
    own = [program("unshare"), "--mount", "--uts", "--ipc", "--net", "--pid", "--fork", "--kill-child"]
    return _opened([*own, "sh", "-c", _INIT, "init", str(folder), below, name, settings, before, server])


def started(process: subprocess.Popen[bytes]) -> Started:
    """The host whose process says its number now."""
    word, _, number = read_line(process).partition(" ")
    assert word == "pid"
    return Started(process, int(number))


def start_switch(address: str) -> tuple[subprocess.Popen[bytes], int]:
    """A network of its own with one bridge, on which the scanner sits with that address: no other route."""
    script = (
        "set -e\nread -r pid rest </proc/self/stat\nip link set lo up\n"
        "ip link add br0 type bridge forward_delay 0\n"
        f"ip address add {address} dev br0\nip link set br0 up\n"
        'echo "$pid"\nexec cat >/dev/null\n'
    )
    process = _opened([program("unshare"), "--net", "sh", "-c", script])
    return process, int(read_line(process))


def read_line(process: subprocess.Popen[bytes]) -> str:
    """The next line that a process prints; fails with what it said on stderr when there is none."""
    assert process.stdout is not None
    assert process.stderr is not None
    line = b""
    until = time.monotonic() + START_SECONDS
    while not line.endswith(b"\n"):
        waiting, _, _ = select.select([process.stdout], [], [], max(0.0, until - time.monotonic()))
        byte = process.stdout.read(1) if waiting else b""
        if not byte:
            process.kill()
            said = process.stderr.read().decode("utf-8", "replace").strip()
            raise AssertionError(f"a test host did not start: {said or 'no answer'}")
        line += byte
    return line.decode().rstrip("\n")


def end(process: subprocess.Popen[bytes]) -> None:
    """Closes the pipe on which the process waits, and sees it end."""
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)


def _opened(command: Sequence[str]) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0)
