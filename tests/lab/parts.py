"""What every real part needs: its program, and a free port on loopback."""

from __future__ import annotations

import os
import shutil
import socket

LOOPBACK = "127.0.0.1"


def program(name: str) -> str:
    """The path of a program that must be installed: a test of a real part fails loudly without it."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    assert found, f"{name} is not installed; it is a real part of this test"
    return found


def free_port() -> int:
    """A port on loopback on which nobody listens."""
    with socket.socket() as one:
        one.bind((LOOPBACK, 0))
        return int(one.getsockname()[1])
