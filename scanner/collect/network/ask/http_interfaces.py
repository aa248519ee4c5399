"""How an HTTP interface receives a stranger: one read that needs a login where things are in order. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from checks.facts.network import OpenPort
from checks.facts.network.consoles import Guard
from checks.fix import printable
from scanner.collect.network import web
from scanner.collect.network.ask.http_page import short, text, title
from scanner.collect.network.ask.http_redirects import Followed, bare
from scanner.collect.network.talk import TalkError

LOOKED_AT = 100_000
"""Bytes of an answer in which a mark is looked for."""
SAID_OF_A_PAGE = 20_000
BUSY = frozenset({408, 425, 429})
"""Statuses of a server that would answer otherwise at another time."""
_TO_LOGIN = re.compile(
    r"log-?in(?![a-z])|log_in|sign-?in(?![a-z])|(?<![a-z])(?:auth|sso)(?![a-z])|authori[sz]e(?![a-z])|authenticat"
    r"|oauth|openid|saml",
    re.IGNORECASE,
)
_OK = frozenset({200})


_NOTHING: Mapping[web.Request, web.Response | TalkError] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Interface:
    """One API or page of administration.

    `known_by` is found in a line of `Told.head` of its front page, or one of the words `on_page`, in lower
    case, on the page itself. `read` is the request that decides, `serves` the mark of
    an answer without a login (with a status of `statuses`), `what` the words for it; `asks` is the mark of
    an answer that asks for one. Where `read` is missing, only its presence can be told. On `ports` it is
    asked also where nothing names it, and a refusal counts as its own; on `maybe` too, but there it must
    name itself. A `weak` mark is one that others have too: it counts where the interface is known by words
    alone. `closed` are statuses that only one which asks for a login gives there. Where every path gives
    the same page, as `anywhere` says, it is not held against a page that cannot exist. On its `ports`,
    `first` is asked together with the front page, so that it names itself.
    """

    name: str
    product: str
    known_by: re.Pattern[str] | None = None
    read: web.Request | None = None
    serves: re.Pattern[bytes] | None = None
    what: str = ""
    statuses: frozenset[int] = _OK
    asks: re.Pattern[bytes] | None = None
    version: re.Pattern[bytes] | None = None
    ports: frozenset[int] = frozenset()
    maybe: frozenset[int] = frozenset()
    on_page: tuple[str, ...] = ()
    weak: bool = False
    closed: frozenset[int] = frozenset()
    anywhere: bool = False
    first: web.Request | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What a front page told: titles and headers of all answers on the way, line by line, and its text.

    Both are short, because every pattern of the tables looks at them; `page` is in lower case.
    """

    head: str
    page: str

    def says(self, *words: str) -> bool:
        """Whether one of these words, in lower case, is in either."""
        return any(word in self.page or word in self.head.lower() for word in words)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An interface that may be at a port; `words` are those by which it was recognised, if any were."""

    interface: Interface
    words: str = ""


@dataclass(frozen=True, slots=True)
class Reception:
    """How it received us: `answer` is the deciding part of the reply, `version` what it said of itself.

    `lost` is true where an answer might yet have decided it: none came, or one that tells nothing.
    """

    guard: Guard
    answer: str
    version: str = ""
    lost: bool = False


def said(
    port: OpenPort, followed: Followed, first: Mapping[web.Request, web.Response | TalkError] = _NOTHING
) -> Told:
    """What the front page told, and the answers to what was asked `first`: further questions rest on it."""
    lines = _identified(port)
    # What another port answered is asked there.
    for answer in followed.own or followed.answers:
        lines += _head(answer)
        lines += [f"cookie: {raw.partition('=')[0][:60]}" for raw in answer.cookies]
    lines.append(f"landed: {followed.landed_here}")
    lines += [
        f"{asked.path}: {printable(text(answer.body[:200]))}"
        for asked, answer in first.items()
        if isinstance(answer, web.Response) and answer.status == 200
    ]
    return Told("\n".join(lines), text(followed.page.body[:SAID_OF_A_PAGE]).lower())


def hints(table: Iterable[Interface], port: OpenPort) -> dict[str, None]:
    """The names of the interfaces that the port alone hints at: by its number, or by what identified it."""
    found = candidates(table, port.number, Told("\n".join(_identified(port)), ""))
    named = (one.name for one in table if one.name == port.service)
    return dict.fromkeys((*(one.interface.name for one in found), *named))


def _identified(port: OpenPort) -> list[str]:
    return [f"port: {port.number}", f"product: {port.product}", f"service: {port.service}"]


def _head(answer: web.Response) -> list[str]:
    headers = (f"{name}: {short(value)}" for name, value in answer.headers.items())
    unnamed = () if "server" in answer.headers else ("server: ",)
    return [f"title: {title(answer.body)}", *headers, *unnamed]


def candidates(table: Iterable[Interface], number: int, told: Told) -> tuple[Candidate, ...]:
    """The interfaces of a table that may be at this port."""
    found = []
    for one in table:
        words = _known(one, told)
        if words:
            found.append(Candidate(one, words))
        elif number in one.ports | one.maybe and not (one.read and one.read.body):
            found.append(Candidate(one))
    return tuple(found)


def _known(one: Interface, told: Told) -> str:
    """The words by which an interface is known; empty where it is not."""
    match = one.known_by.search(told.head) if one.known_by else None
    if match:
        return printable(match[0].strip())[:80] or one.product
    return next((word for word in one.on_page if word in told.page), "")


def reception(
    candidate: Candidate, number: int, answer: web.Response | TalkError, control: web.Response | TalkError
) -> Reception | None:
    """How an interface received us, held against a page that cannot exist; None where it is not there."""
    one = candidate.interface
    sure = bool(candidate.words) or number in one.ports
    asked = one.read.words if one.read else ""
    if isinstance(answer, TalkError):
        return Reception(Guard.UNDECIDED, f"{asked}: {answer}", lost=True) if sure else None
    reply = f"{asked}: status {answer.status}"
    version = _version(one, answer.body[:LOOKED_AT])
    if _serves(one, answer) and (candidate.words or not one.weak):
        return _open(one, control, reply, version)
    if _asks(candidate, answer, control, sure=sure):
        return Reception(Guard.LOGIN, f"{reply}, a login is asked for", version)
    lost = tells_nothing(answer, LOOKED_AT)
    if candidate.words or (lost and number in one.ports):
        return Reception(Guard.UNDECIDED, f"{reply}, which decides nothing", lost=lost)
    return None


def _open(one: Interface, control: web.Response | TalkError, reply: str, version: str) -> Reception:
    """What an answer without a login means, held against a page that cannot exist."""
    if one.anywhere:
        return Reception(Guard.NONE, f"{reply}, {one.what}", version)
    if isinstance(control, TalkError):
        said_so = f"{reply}, but a page that cannot exist: {control}"
        return Reception(Guard.UNDECIDED, said_so, lost=True)
    if _serves(one, control):
        said_so = f"{reply}, but a page that cannot exist looks the same"
        return Reception(Guard.UNDECIDED, said_so, version, lost=True)
    return Reception(Guard.NONE, f"{reply}, {one.what}", version)


def tells_nothing(answer: web.Response, enough: int) -> bool:
    """True for a server that is busy or broken, and for a page of which too little came."""
    if answer.status in BUSY or answer.status >= 500:
        return True
    return answer.status == 200 and not answer.whole and len(answer.body) < enough


def _serves(one: Interface, answer: web.Response) -> bool:
    marked = one.serves is not None and one.serves.search(answer.body[:LOOKED_AT]) is not None
    return marked and answer.status in one.statuses


def _asks(
    candidate: Candidate, answer: web.Response, control: web.Response | TalkError, *, sure: bool
) -> bool:
    """Whether the answer asks for a login: by its mark, its status, or a way to a login page."""
    one = candidate.interface
    if one.asks and one.asks.search(answer.body[:LOOKED_AT]):
        return True
    if answer.status in (401, 403):
        page = text(answer.body[:SAID_OF_A_PAGE]).lower()
        return sure or bool(_known(one, Told("\n".join(_head(answer)), page)))
    if answer.status in one.closed and isinstance(control, web.Response) and control.status != answer.status:
        return bool(candidate.words)
    # The name of a host and what is carried along as a query are no way to a login.
    way = re.sub(r"^[A-Za-z]{1,10}://[^/]{0,300}", "", bare(answer.headers.get("location", "")))
    return bool(300 <= answer.status < 400 and _TO_LOGIN.search(way) and candidate.words)


def _version(one: Interface, data: bytes) -> str:
    found = one.version.search(data) if one.version else None
    return printable(found[1].decode("utf-8", "replace"))[:30] if found else ""
