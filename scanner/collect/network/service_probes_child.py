"""The process that compares replies: `python -m scanner.collect.network.service_probes_child FILE`.

Thousands of regular expressions meet bytes that a target chose: what takes too long is broken off here, and
never holds up the conversations. It takes questions as JSON lines on standard input, answers on standard
output (`service_probes_wire`), and ends when its input does.
"""

from __future__ import annotations

import contextlib
import resource
import sys
from pathlib import Path

import msgspec

from scanner.collect.network.service_probes import FILE_LIMIT, parse
from scanner.collect.network.service_probes_match import Matcher
from scanner.collect.network.service_probes_wire import LINE_LIMIT, Compare, Compared

MEMORY_LIMIT = 1024 * 1024 * 1024
MOST_KEPT = 2_000
"""Answers that are kept: many machines of a network say the same."""


def main(arguments: list[str]) -> None:
    """Answers until the input ends."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with Path(arguments[0]).open("rb") as file:
        matcher = Matcher(parse(file.read(FILE_LIMIT)))
    for name in ("NULL", "GetRequest"):
        matcher.warm("tcp", name)
    kept: dict[tuple[str, str, bytes], Compared] = {}
    with contextlib.suppress(BrokenPipeError):
        while line := sys.stdin.buffer.readline(LINE_LIMIT):
            asked = msgspec.json.decode(line, type=Compare)
            key = (asked.protocol, asked.probe, asked.reply)
            answer = kept.get(key)
            if answer is None:
                found = matcher.match(*key)
                answer = Compared(asked.number, found.named, found.further, found.given_up)
                if len(kept) < MOST_KEPT:
                    kept[key] = answer
            sys.stdout.buffer.write(
                msgspec.json.encode(msgspec.structs.replace(answer, number=asked.number)) + b"\n"
            )
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
