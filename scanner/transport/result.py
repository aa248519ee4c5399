"""What a script gave, wherever it ran."""

from __future__ import annotations

from dataclasses import dataclass

from scanner.collect.collector import Context

STDERR_LIMIT = 65_536
"""Bytes of a script's error output that are kept; the rest is read and dropped."""


@dataclass(frozen=True, slots=True)
class ScriptResult:
    """The whole output of a script that ran to its end.

    `host_key_fingerprint` is `SHA256:…` of the key that the host proved to have, `remote_address` the
    address that was connected to; both are empty for this machine.
    """

    stdout: bytes
    stderr: bytes
    exit_status: int
    host_key_fingerprint: str = ""
    remote_address: str = ""


@dataclass(frozen=True, slots=True)
class Errand:
    """What is to be done on a host: a script, and the bounds of it. `deadline` is on the monotonic clock."""

    script: bytes
    limit: int
    deadline: float
    context: Context
