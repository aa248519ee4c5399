"""Makes the recordings of the lab's hosts anew: `python -m tests.recordings.record [name...]`, as root.

Each is the whole output of the collection script over SSH, as a scan gets it. What differs from one run to
the next and says nothing (marks, numbers of processes, the name of the mirror) is made even, so that a new
recording differs from the old one only where the host or the script does.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from checks.facts.snapshot import Fact
from scanner.collect.host.collect import PROBES
from scanner.collect.host.script import compose
from scanner.collect.collector import Context
from scanner.transport.ssh import run_script
from tests.lab.hosts import Lab, Login, lab

FOLDER = Path(__file__).parent / "host"


@dataclass(frozen=True)
class Kind:
    """One host to record: its release, as whom, and what is planted in it."""

    name: str
    release: str
    login: Login = "root"
    plant: str = ""


KINDS = (
    Kind("debian-13", "trixie"),
    Kind("debian-11", "bullseye", login="sudo"),
    Kind("busybox", "busybox"),
    Kind("alma-9-rpm", "rpm"),
)


def record(net: Lab, kind: Kind) -> bytes:
    host = net.host(kind.release, login=kind.login, plant=kind.plant, name=kind.name)
    script = compose((identity.PROBE, *PROBES), NONCE)
    access = host.access()
    return net.inside(lambda: run_script(access, script, limit_bytes=4_000_000, context=Context())).stdout

def main(names):
    with lab() as net:
        for kind in KINDS:
            if not names or kind.name in names:
                Path("/tmp/rec").joinpath(f"{kind.name}.txt").write_bytes(record(net, kind))
from scanner.collect.host import identity
NONCE = "0123456789abcdef" * 2
main(sys.argv[1:])
