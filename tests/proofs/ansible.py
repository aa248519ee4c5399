"""Runs Ansible snippets on a real host: each a task of one playbook, over an SSH server of the test's own."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import yaml

from checks.fix import Language
from checks.model import Finding
from tests.lab.hosts import Host
from tests.lab.parts import program
from tests.proofs.proving import Key, snippet_of

PORT = 2022
# Ansible gives a new file the attributes of the old one. Those of the layer below do not exist in the
# host's own filesystem, which is memory; what was opened for writing once lies there.
_COPIED = "find /etc /root -xdev -type f -exec sh -c 'for file; do : >>\"$file\"; done' sh {} +"
_SERVER = (
    "mkdir -p /run/ansible && cp {authorized} /run/ansible/keys && chmod 600 /run/ansible/keys && "
    "/usr/sbin/sshd -f /dev/null -p {port} -h /etc/ssh/ssh_host_ed25519_key -o PidFile=/run/ansible/pid "
    "-o PermitRootLogin=yes -o StrictModes=no -o UsePAM=no -o AuthorizedKeysFile=/run/ansible/keys "
    "-o MaxSessions=50 -o Subsystem='sftp internal-sftp'"
)


@dataclass(frozen=True)
class Task:
    """What became of one snippet: whether it failed, and its message."""

    check: str
    on: str
    failed: bool
    message: str


def run_playbook(host: Host, chosen: Iterable[tuple[Key, Finding]], *, check: bool) -> list[Task]:
    """Runs the snippets as tasks of one playbook, in Ansible's dry run or in earnest."""
    blocks = [_block(number, key, finding) for number, (key, finding) in enumerate(chosen)]
    folder = host.lab.folder / f"playbook-{host.name}"
    folder.mkdir(exist_ok=True)
    play = "- hosts: all\n  gather_facts: true\n  tasks:\n" + "".join(text for _, text in blocks)
    (folder / "play.yaml").write_text(play)
    (folder / "hosts").write_text(f"{host.name} ansible_host={host.address} ansible_port={PORT}\n")
    host.run(_COPIED)
    host.run(_SERVER.format(authorized="/root/.ssh/authorized_keys", port=PORT))
    try:
        return _ran(host, folder, [key for key, _ in blocks], check=check)
    finally:
        host.run("kill $(cat /run/ansible/pid); rm -r /run/ansible", check=False)


def _block(number: int, key: Key, finding: Finding) -> tuple[Key, str]:
    """The snippet inside a block that goes on after a failure; its name carries the number."""
    snippet = snippet_of(finding, Language.ANSIBLE)
    assert snippet is not None
    lines = ["    " * 2 + line for line in snippet.do.splitlines()]
    head = f"    - name: proof-{number}\n      ignore_errors: true\n      block:\n"
    return key, head + "\n".join([*lines, ""])


def _ran(host: Host, folder: Path, keys: list[Key], *, check: bool) -> list[Task]:
    known = folder / "known"
    public = host.path("/etc/ssh/ssh_host_ed25519_key.pub").read_text()
    known.write_text(f"[{host.address}]:{PORT} {public}")
    env = {
        **os.environ,
        "ANSIBLE_STDOUT_CALLBACK": "json",
        "ANSIBLE_PIPELINING": "True",
        "ANSIBLE_REMOTE_USER": "root",
        "ANSIBLE_PRIVATE_KEY_FILE": str(host.lab.key),
        "ANSIBLE_SSH_ARGS": f"-o ControlMaster=auto -o ControlPersist=30 -o ControlPath={folder}/c "
        f"-o UserKnownHostsFile={known} -o IdentitiesOnly=yes",
        "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"),
        "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3",
    }
    command = [program("ansible-playbook"), "-i", str(folder / "hosts"), str(folder / "play.yaml")]
    done = subprocess.run(
        [*host.lab.enter, *command, *(["--check"] if check else [])],
        capture_output=True,
        text=True,
        env=env,
        timeout=400,
        check=False,
    )
    assert done.stdout.lstrip().startswith("{"), f"{done.stdout[-1500:]}{done.stderr[-1500:]}"
    report = json.loads(done.stdout)
    tasks = [task for play in report["plays"] for task in play["tasks"]][1:]
    return _told(keys, folder, tasks)


def _told(keys: list[Key], folder: Path, tasks: list[dict[str, object]]) -> list[Task]:
    """The tasks of each snippet together: Ansible reports them in order, and a block by its tasks."""
    sizes = [
        len(block["block"]) for block in yaml.load((folder / "play.yaml").read_text(), _Loader)[0]["tasks"]
    ]
    told: list[Task] = []
    at = 0
    for key, size in zip(keys, sizes, strict=True):
        results = [task["hosts"] for task in tasks[at : at + size]]
        failed = [
            str(one.get("msg", ""))
            for hosts in results
            if isinstance(hosts, dict)
            for one in hosts.values()
            if one.get("failed") or one.get("unreachable")
        ]
        # After a failure Ansible leaves the rest of the block out of its report.
        at += len(results) if not failed else _until_failed(tasks[at : at + size])
        told.append(Task(*key, bool(failed), "; ".join(failed)[:300]))
    return told


def _until_failed(tasks: list[dict[str, object]]) -> int:
    for number, task in enumerate(tasks):
        hosts = task["hosts"]
        if isinstance(hosts, dict) and any(one.get("failed") for one in hosts.values()):
            return number + 1
    return len(tasks)


class _Loader(yaml.SafeLoader):
    """YAML as Ansible reads it."""


def _unsafe(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


_Loader.add_constructor("!unsafe", _unsafe)
