"""Fixes of services: their commands do what they say, and the commands that verify them end by themselves."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from checks.fix import Snippet
from tests.checks.network.judging import CATALOGUE
from tests.lab.parts import program

TOPICS = ("smb", "screens", "directory", "files", "mail", "messages", "databases", "versions", "plaintext")
CHECKS = sorted(name for name in CATALOGUE.checks if name.split(".")[:1] == ["network"]
                and name.split(".")[1] in TOPICS)  # fmt: skip
BOUNDED = re.compile(
    r"\btimeout \d|curl [^|]*-m \d|nc -w \d|--contimeout=\d|nettimeout=\d|CONNECT_TIMEOUT=\d"
    r"|mosquitto_sub.* -W \d|^nmap -Pn|^swaks |^mongosh "
)
"""Commands that end by themselves: by an option of theirs, by `timeout`, or always."""
_DEBIAN = """[global]
   workgroup = WORKGROUP
   Server Min Protocol = NT1
   map to guest = bad user
   server signing = disabled
[homes]
   comment = Home Directories
"""


@pytest.mark.parametrize("name", CHECKS)
def test_verifying_ends_by_itself(name: str) -> None:
    assert BOUNDED.search(CATALOGUE.checks[name].fix.verify), CATALOGUE.checks[name].fix.verify


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("version-1", {"server min protocol": "SMB2"}),
        ("signing", {"server signing": "required"}),
        ("null-session", {"restrict anonymous": "2", "map to guest": "Never"}),
    ],
)
def test_samba_takes_the_new_settings_and_not_the_old_ones(
    tmp_path: Path, name: str, wanted: dict[str, str]
) -> None:
    config = tmp_path / "smb.conf"
    config.write_text(_DEBIAN)
    [snippet] = CATALOGUE.checks[f"network.smb.{name}"].fix.snippets
    run(snippet, config)
    for setting, value in wanted.items():
        command = [program("testparm"), "-s", f"--parameter-name={setting}", str(config)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout.strip().lower() == value.lower(), done.stderr


def run(snippet: Snippet, config: Path) -> None:
    """Only the line that edits, on this file."""
    [edit] = [line for line in snippet.do.splitlines() if line.startswith("sed ")]
    subprocess.run(["sh", "-c", edit.replace("/etc/samba/smb.conf", str(config))], check=True)
