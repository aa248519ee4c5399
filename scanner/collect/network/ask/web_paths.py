"""What a web server gives out at well-known paths, held against a page that cannot exist."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from checks.facts.network import OpenPort
from checks.facts.network.web import Shown, WebPath
from scanner.collect.network import web
from scanner.collect.network.ask.http_interfaces import Told, tells_nothing
from scanner.collect.network.ask.http_redirects import Place, other_site
from scanner.collect.network.ask.web_marks import LOOKED_AT, THINGS, Thing
from scanner.collect.network.talk import TalkError

TRACE = "trace"
_TRACE_HEADER = "X-Bartizan-Echo"
_REFUSALS = frozenset({405, 501})
_NOT_UNDERSTOOD = frozenset({400, 421})
"""Statuses of a server that serves nothing to who calls it by its address: given to every path, they say
nothing of any."""
Answer = web.Response | TalkError


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked of one web server besides its front page.

    `control` is a path that cannot exist; `trace` a request whose echo would hold `word`, which nobody
    could know.
    """

    things: tuple[Thing, ...]
    control: web.Request
    trace: web.Request
    word: str

    @property
    def requests(self) -> tuple[web.Request, ...]:
        """In the order in which they are put; the page that cannot exist first."""
        asked = tuple(web.Request(t.path) for t in self.things if t.path)
        return (self.control, *asked, self.trace) if self.things else (self.control,)


def plan(told: Told, *, all_of_them: bool) -> Plan:
    """What to ask of a server whose front page told this (`http_interfaces.said`).

    Without `all_of_them` only the page that cannot exist, which other questions need too.
    """
    word = secrets.token_hex(8)
    chosen = tuple(t for t in THINGS if all_of_them and (t.hint is None or t.hint(told)))
    trace = web.Request("/", "TRACE", ((_TRACE_HEADER, word),))
    return Plan(chosen, web.Request(f"/bartizan-{secrets.token_hex(6)}"), trace, word)


def judged(
    port: OpenPort, here: Place, made: Plan, front: web.Response, answers: Mapping[web.Request, Answer]
) -> tuple[WebPath, ...]:
    """One record for each thing of the plan, and one for TRACE; `here` is the port, `front` its page."""
    control = answers[made.control]
    paths = []
    for thing in made.things:
        answer = _answer(thing, front, control, answers)
        path = "/" if thing.on_front_page else thing.path or "a page that does not exist"
        shown, saw = _judge(here, thing, answer, control)
        paths.append(WebPath(port.name, port.tls, thing.name, path, shown, saw))
    return (*paths, _trace(port, made, answers[made.trace]))


def lines(paths: Sequence[WebPath]) -> str:
    """The evidence: what was found at each path, in words that hold nothing of its contents."""
    return "\n".join(f"{p.port} {p.thing} {p.path}: {p.saw}" for p in paths)


def _answer(
    thing: Thing, front: web.Response, control: Answer, answers: Mapping[web.Request, Answer]
) -> Answer:
    if thing.on_front_page:
        return front
    return answers[web.Request(thing.path)] if thing.path else control


def _judge(here: Place, thing: Thing, answer: Answer, control: Answer) -> tuple[Shown, str]:
    """Whether the thing was given out, and the words for it."""
    if isinstance(answer, TalkError):
        return Shown.UNDECIDED, str(answer)
    if thing.mark(answer):
        return _held_against(thing, answer, control)
    if name := other_site(answer, here):
        return Shown.UNDECIDED, f"status {answer.status}, to the site {name}, which was not asked by its name"
    refused = answer.status in _NOT_UNDERSTOOD and _status(control) == answer.status
    cut = answer.status == thing.status and not answer.whole and len(answer.body) < LOOKED_AT
    if cut or refused or tells_nothing(answer, 0):
        return Shown.UNDECIDED, _nothing(answer, cut=cut)
    return Shown.NO, f"status {answer.status}, not {thing.said}"


def _held_against(thing: Thing, answer: web.Response, control: Answer) -> tuple[Shown, str]:
    """Whether a marked answer is the thing: not where a page that cannot exist has the mark too."""
    if answer is control:
        return Shown.YES, f"status {answer.status}: {thing.said}"
    if isinstance(control, TalkError):
        return Shown.UNDECIDED, f"{thing.said}, but a page that cannot exist was not answered: {control}"
    if control.status == 200 and not control.whole and not control.body:
        return Shown.UNDECIDED, f"{thing.said}, but a page that cannot exist could not be read"
    if thing.mark(control):
        return Shown.UNDECIDED, f"{thing.said}, but a page that cannot exist looks the same"
    return Shown.YES, f"status {answer.status}: {thing.said}"


def _trace(port: OpenPort, made: Plan, answer: Answer) -> WebPath:
    if isinstance(answer, TalkError):
        shown, saw = Shown.UNDECIDED, str(answer)
    elif answer.status == 200 and made.word.encode() in answer.body:
        shown, saw = Shown.YES, "status 200: the request came back as it was sent"
    elif answer.status not in _REFUSALS and tells_nothing(answer, LOOKED_AT):
        shown, saw = Shown.UNDECIDED, _nothing(answer, cut=answer.status == 200)
    else:
        shown, saw = Shown.NO, f"status {answer.status}, no echo"
    return WebPath(port.name, port.tls, TRACE, "/", shown, saw)


def _status(answer: Answer) -> int:
    return 0 if isinstance(answer, TalkError) else answer.status


def _nothing(answer: web.Response, *, cut: bool) -> str:
    return f"status {answer.status}, {'a page that was cut' if cut else 'which tells nothing'}"
