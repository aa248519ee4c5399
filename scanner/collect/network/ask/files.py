"""rsync: which modules take a client without a login. Nothing is listed within them, nothing is moved."""

from __future__ import annotations

from checks.facts.network.files import RsyncModule, RsyncServer, RsyncServers
from checks.facts.snapshot import Gap
from checks.fix import printable
from scanner.collect.collector import Collected
from scanner.collect.network.ask.databases import shown_answer
from scanner.collect.network.ask.frames import Frames, concluded, conversation, speaks
from scanner.collect.network.ask.question import Asked, Question, undecided
from scanner.collect.network.talk import TalkError

MODULES = 16
"""Modules that are tried at most: each is a connection of its own."""
NAME_LIMIT = 80
_LINES = 500


class _TurnedAwayError(Exception):
    """The module lets no client in that comes from this address."""


_VERSION = b"@RSYNCD: 31.0\n"


async def _ask(asked: Asked) -> Collected:
    """The list in one conversation, then each module in one of its own, left before any file is named."""
    found = Collected()
    try:
        names = await _listed(asked)
    except TalkError as error:
        return undecided(RsyncServers, asked, str(error))
    modules: list[RsyncModule] = []
    for name in names[:MODULES]:
        try:
            modules.append(await _tried(asked, name))
        except _TurnedAwayError as error:
            # Other addresses may be let in without a login.
            found += undecided(RsyncServers, asked, str(error))
        except TalkError as error:
            found += undecided(RsyncServers, asked, f"module {printable(name)[:NAME_LIMIT]}: {error}")
            break
    if len(names) > MODULES:
        reason = f"{len(names) - MODULES} of {len(names)} modules were not tried"
        found += Collected(gaps=(Gap("RsyncServers", reason, asked.port.name, "a look at its rsyncd.conf"),))
    if not modules and names:
        return found
    fact = RsyncServers((RsyncServer(asked.port.name, tuple(modules)),))
    said = "; ".join(f"{one.name}: {one.answer}" for one in modules) or "it lists no module"
    return concluded(fact, asked, "an rsync list of modules", said) + found


async def _listed(asked: Asked) -> list[str]:
    """The names of the modules that the server lists."""
    async with conversation(asked) as talk:
        frames = Frames(talk)
        await _greeted(frames)
        await talk.send(_VERSION + b"#list\n")
        names: list[str] = []
        for _ in range(_LINES):
            line = await frames.line()
            if line == b"@RSYNCD: EXIT":
                return names
            if line.startswith(b"@ERROR"):
                raise TalkError(f"the list was refused: {shown_answer(line)}")
            name, mark, _ = line.partition(b"\t")
            # The words of the day come before the list and have no tabulator.
            if mark and name.strip():
                names.append(name.strip().decode("utf-8", "surrogateescape"))
    raise TalkError(f"more than {_LINES} lines")


async def _tried(asked: Asked, name: str) -> RsyncModule:
    """What the server says to a client that wants this module and shows no login."""
    raw = name.encode("utf-8", "surrogateescape")
    shown = printable(raw.decode("utf-8", "backslashreplace"))[:NAME_LIMIT]
    async with conversation(asked) as talk:
        frames = Frames(talk)
        await _greeted(frames)
        await talk.send(_VERSION + raw + b"\n")
        for _ in range(_LINES):
            line = await frames.line()
            if line.startswith(b"@RSYNCD: AUTHREQD"):
                return RsyncModule(shown, open=False, answer="a login is asked for")
            if line == b"@RSYNCD: OK":
                return RsyncModule(shown, open=True, answer="let in without a login")
            if line.startswith(b"@ERROR"):
                if b"access denied" in line:
                    raise _TurnedAwayError(f"module {shown} turns this address away: {shown_answer(line)}")
                raise TalkError(f"an answer that decides nothing: {shown_answer(line)}")
    raise TalkError(f"more than {_LINES} lines")


async def _greeted(frames: Frames) -> None:
    line = await frames.line()
    if not line.startswith(b"@RSYNCD: "):
        raise TalkError("no greeting of rsync")


QUESTIONS = (
    Question(
        frozenset({RsyncServers}),
        speaks(frozenset({"rsync"}), frozenset({873})),
        _ask,
        "the list of modules of rsync servers, and a knock at each without a login",
    ),
)
