"""What every real part needs: its program, and a free port on loopback."""

from __future__ import annotations

import os
import re
import shutil
import socket
from collections.abc import Iterator

LOOPBACK = "127.0.0.1"

_FIRST, _RANGE = 12_000, 5_000
"""Below the ports that the kernel gives to outgoing connections; each process of a test run has a range."""


def program(name: str) -> str:
    """The path of a program that must be installed: a test of a real part fails loudly without it."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    assert found, f"{name} is not installed; it is a real part of this test"
    return found


def worker() -> int:
    """Which of the processes of a test run this is, from 0; 0 where there is but one."""
    found = re.fullmatch(r"gw(\d+)", os.environ.get("PYTEST_XDIST_WORKER", ""))
    return int(found[1]) if found else 0


def _numbers() -> Iterator[int]:
    """The range of this process round and round, from a place of its own.

    Test runs beside each other have the same ranges: from the same place, both would get the same ports
    while the servers of neither listen yet.
    """
    first, place = _FIRST + worker() % 4 * _RANGE, os.getpid() * 37 % _RANGE
    while True:
        yield from range(first + place, first + _RANGE)
        place = 0


_NUMBERS = _numbers()


def free_port() -> int:
    """A port on loopback on which nobody listens, and which this process gets only once in a while."""
    for _ in range(_RANGE):
        number = next(_NUMBERS)
        with socket.socket() as one:
            try:
                one.bind((LOOPBACK, number))
            except OSError:
                continue
            return number
    raise AssertionError("every port of this process is taken")
