"""What every question about a service survives: silence, resets, dripping, garbage, endless words."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import pytest

from checks.facts.network import OpenPort
from checks.facts.snapshot import Fact
from scanner.collect.network.ask import (
    databases_greet,
    files,
    ldap,
    mail,
    messages,
    nfs,
    rdp,
    smb,
    x11,
)
from scanner.collect.network.ask.question import Question
from tests.lab.asking import ask, reason
from tests.lab.services import dripping, endless, endless_lines, mute, resetting, saying, serving

QUESTIONS: tuple[Question, ...] = tuple(
    question
    for topic in (smb, rdp, x11, ldap, files, nfs, databases_greet, messages, mail)
    for question in topic.QUESTIONS
)
HOSTILE = {
    "mute": mute,
    "dripping": dripping,
    "resetting": resetting(1),
    "garbage": saying(b"\x00\xff\x1b[31m\xe2\x80\xae" * 40 + b"\r\n"),
    "long": saying(b"\xff" * 4_000),
    "endless": endless,
    "endless-lines": endless_lines,
    "leaving": lambda connection: connection.close(),
}
SECONDS = 0.5


@pytest.fixture(scope="module")
def ports() -> Iterator[dict[str, int]]:
    with contextlib.ExitStack() as stack:
        yield {name: stack.enter_context(serving(server)) for name, server in HOSTILE.items()}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_server_gives_gaps_in_time_and_never_a_fact(ports: dict[str, int], name: str) -> None:
    def hold(question: Question) -> None:
        kinds: tuple[type[Fact], ...] = tuple(question.facts)
        found = ask(question.ask, OpenPort(ports[name], "tcp"), *kinds, seconds=SECONDS)
        for kind in kinds:
            assert reason(found, kind).isprintable(), kind
        assert found.facts == ()

    began = monotonic()
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(hold, QUESTIONS))
    assert monotonic() - began < 25
