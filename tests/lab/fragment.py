"""Runs the fragment of one probe on this machine as if other files stood there, and changes nothing."""

from __future__ import annotations

import subprocess
from pathlib import Path

from scanner.collect.host.probe import Probe
from scanner.collect.host.script import compose
from scanner.collect.host.sections import Section, split
from tests.lab.parts import program

_NONCE = "0123456789abcdef" * 2


def answer(probe: Probe, plant: str, folder: Path, shell: str = "dash") -> Section:
    """What the probe answers under that shell (bash, dash or busybox) after the commands of `plant`.

    They run in a mount namespace of their own, in which they may lay a tmpfs or a bind mount over any folder;
    `folder` is an empty one for the script.
    """
    script, planting, ash = folder / "script.sh", folder / "plant.sh", folder / "ash"
    name = program(shell)
    if shell == "busybox":
        if not ash.exists():
            ash.symlink_to(name)
        name = str(ash)
    script.write_text(compose([probe], _NONCE, name))
    planting.write_text(f"set -e\n{plant}\n")
    inside = 'sh "$1" && exec "$2" "$3"'
    done = subprocess.run(
        [program("unshare"), "--mount", "sh", "-c", inside, "sh", str(planting), name, str(script)],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return split(done.stdout, _NONCE).sections[probe.topic]
