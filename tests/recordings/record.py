"""Makes the recordings of the lab's hosts anew: `python -m tests.recordings.record [NAME...]`, as root.

Each is the whole output of the collection script over SSH, as a scan gets it. Keys and addresses are those of
the lab. What the machine under the lab shines through with (its kernel's name, its name server, who made the
login key) is replaced, so that a recording says nothing about where it was made. It begins with the time
at which it was made, which no reader of the output looks at.
"""

from __future__ import annotations

import platform
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from scanner.collect.collector import Context
from scanner.collect.host import identity
from scanner.collect.host.collect import PROBES
from scanner.collect.host.script import compose
from scanner.transport.ssh import run_script
from tests.lab.hosts import Lab, Login, lab

FOLDER = Path(__file__).parent / "host"
_NONCE = "0123456789abcdef" * 2
_LIMIT = 4_000_000
_KERNEL = "6.12.0-lab"
_LARGEST = 150_000


@dataclass(frozen=True)
class Kind:
    """One host to record: its release in the lab, and as whom the scanner logs in."""

    name: str
    release: str
    login: Login = "root"


KINDS = (
    Kind("debian-13", "trixie"),
    Kind("debian-11", "bullseye", login="sudo"),
    Kind("busybox", "busybox"),
    Kind("alma-9-rpm", "rpm"),
)


def record(net: Lab, kind: Kind) -> bytes:
    """The output of the script on a new host of this kind."""
    host = net.host(kind.release, login=kind.login, name=kind.name)
    script = compose((identity.PROBE, *PROBES), _NONCE)
    access = host.access()
    said = net.inside(lambda: run_script(access, script, limit_bytes=_LIMIT, context=Context()))
    return f"recorded {Context().now()}\n".encode() + _neutral(said.stdout)


def _neutral(output: bytes) -> bytes:
    """The same without what belongs to the machine under the lab."""
    text = output.decode("utf-8", "replace").replace(platform.release(), _KERNEL)
    text = re.sub(r"(?m)^(server\t/etc/resolv\.conf\t).*$", r"\g<1>10.77.0.1", text)
    text = re.sub(r"(?m)^(key\t/\S+\t\d+\tssh-ed25519\t\S+\t[^\t]*\t[^\t]*\t).*$", r"\g<1>scanner", text)
    text = re.sub(r"(?m)^uptime\t\d+", "uptime\t864000", text)
    # Of the disks of that machine one is enough.
    text = re.sub(r"(?m)^device\t(?:loop|zram)\d+\t.*\n", "", text)
    return text.encode()


def main(names: list[str]) -> None:
    """Writes the recordings of these names, or all."""
    with lab() as net:
        for kind in KINDS:
            if names and kind.name not in names:
                continue
            output = record(net, kind)
            assert len(output) < _LARGEST, f"{kind.name} has {len(output):,} bytes"
            (FOLDER / f"{kind.name}.txt").write_bytes(output)


if __name__ == "__main__":
    main(sys.argv[1:])
