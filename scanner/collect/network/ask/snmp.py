"""Whether an SNMP agent tells its description to whoever says `public` or `private`; nothing is written."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

from checks.facts.network.snmp import USUAL_COMMUNITIES, SnmpServer, SnmpServers
from checks.facts.snapshot import source
from checks.fix import printable
from scanner.collect.collector import Collected
from scanner.collect.network.ask.ber import BerError
from scanner.collect.network.ask.datagram import answer_or_silence, answer_to, speaks
from scanner.collect.network.ask.question import Asked, Question, undecided
from scanner.collect.network.ask.snmp_wire import V1, V2C, V3, SnmpAnswer, discovery, get_request, read_answer
from scanner.collect.network.talk import TalkError

DESCRIPTION_LIMIT = 200
_NAMES = {V1: "v1", V2C: "v2c", V3: "v3"}
_NO_ACCESS = 16
"""The error with which an agent may refuse instead of keeping silent (authorizationError)."""


async def _ask(asked: Asked) -> Collected:
    try:
        server = await _agent(asked)
    except TalkError as error:
        return undecided(SnmpServers, asked, str(error))
    said = (
        f"{server.port} answers in {', '.join(server.versions)}; told its description to "
        f"{', '.join(server.communities) or 'nobody'}: {server.description or 'nothing'}"
    )
    how = f"a GET of sysDescr.0 with {' and '.join(USUAL_COMMUNITIES)} from {asked.address} {asked.port.name}"
    evidence = source(SnmpServers, how, asked.at, said, server.port)
    return Collected((SnmpServers((server,)),), sources=(evidence,))


async def _agent(asked: Asked) -> SnmpServer:
    found: dict[tuple[int, str], SnmpAnswer] = {}
    for community in USUAL_COMMUNITIES:
        for version in (V2C, V1):
            told = await _told(asked, version, community)
            if told:
                found[version, community] = told
    engine = await _told(asked, V3, "")
    versions = {version for version, _ in found} | ({V3} if engine else set())
    if not versions:
        raise TalkError("it does not answer any more, in no version of SNMP")
    if not engine:
        # Silence is this protocol's no; it counts only from an agent that is still there.
        await answer_to(asked, *_question(*next(iter(found))))
    given = tuple(c for c in USUAL_COMMUNITIES if any(a.told for a in _to(found, c)))
    words = next((a.value for a in found.values() if a.value), b"")
    return SnmpServer(
        port=asked.port.name,
        communities=given,
        refused=tuple(c for c in USUAL_COMMUNITIES if c not in given and _is_refused(_to(found, c))),
        versions=tuple(_NAMES[v] for v in sorted(versions)),
        description=printable(words[:400].decode("utf-8", "backslashreplace").strip())[:DESCRIPTION_LIMIT],
    )


def _to(found: Mapping[tuple[int, str], SnmpAnswer], community: str) -> list[SnmpAnswer]:
    return [one for (_, name), one in found.items() if name == community]


def _is_refused(heard: Sequence[SnmpAnswer]) -> bool:
    """Silence, or the word of refusal; another error may well be the answer to a community that is known."""
    return not heard or any(one.error == _NO_ACCESS for one in heard)


async def _told(asked: Asked, version: int, community: str) -> SnmpAnswer | None:
    """What it answered in that version to that community, be it an error; None where it kept silent."""
    data = await answer_or_silence(asked, *_question(version, community))
    return read_answer(data) if data else None


def _question(version: int, community: str) -> tuple[bytes, Callable[[bytes], bool]]:
    """The datagram, and what is an answer to it: the same version and number."""
    request = 1 + int.from_bytes(os.urandom(3), "big")
    payload = (
        discovery(request) if version == V3 else get_request(version, community.encode("ascii"), request)
    )

    def accept(data: bytes) -> bool:
        try:
            told = read_answer(data)
        except BerError:
            return False
        return (told.version, told.request) == (version, request)

    return payload, accept


QUESTIONS = (
    Question(
        frozenset({SnmpServers}),
        speaks("snmp"),
        _ask,
        "an SNMP GET of the system's description with the communities public and private; never a SET",
    ),
)
