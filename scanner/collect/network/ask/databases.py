"""Whether a data store serves a stranger: one harmless read, no password, no write."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Awaitable, Callable

from checks.facts.network import OpenPort
from checks.facts.network.logins import (
    ElasticsearchLogins,
    Login,
    MemcachedLogins,
    MongoLogins,
    PostgresLogins,
    RedisLogins,
)
from checks.facts.snapshot import Fact, source
from checks.fix import printable
from scanner.collect.collector import Collected
from scanner.collect.network import web
from scanner.collect.network.ask.question import Asked, Question, undecided
from scanner.collect.network.talk import Talk, TalkError

ANSWER_LIMIT = 160
_POSTGRES_REQUESTS = frozenset({2, 3, 5, 6, 7, 9, 10})
"""The kinds of login that PostgreSQL asks for."""
SSL_REQUEST = struct.pack("!II", 8, 80_877_103)
"""The question of a PostgreSQL client whether the server speaks TLS."""
LoginFact = Callable[[tuple[Login, ...]], Fact]


def decided(
    fact: type[Fact], build: LoginFact, how: str, decide: Callable[[Asked, Talk], Awaitable[Login]]
) -> Callable[[Asked], Awaitable[Collected]]:
    """The probe that holds one such conversation and turns its end into a fact or a gap."""

    async def ask(asked: Asked) -> Collected:
        try:
            async with asked.line.talk(asked.address, asked.port.number) as talk:
                if asked.port.tls:
                    await talk.tls(web.client_context())
                login = await decide(asked, talk)
        except TalkError as error:
            return undecided(fact, asked, str(error))
        said = f"{login.port} answered: {login.answer}"
        asking = f"{how} to {asked.address} {asked.port.name}"
        return Collected((build((login,)),), sources=(source(fact, asking, asked.at, said, login.port),))

    return ask


def shown_answer(data: bytes) -> str:
    """The start of an answer, as people may see it."""
    return printable(data[:400].decode("utf-8", "backslashreplace").strip())[:ANSWER_LIMIT]


async def _redis(asked: Asked, talk: Talk) -> Login:
    await talk.send(b"*1\r\n$4\r\nPING\r\n")
    answer = await talk.until(lambda data: b"\n" in data)
    if answer.startswith((b"-NOAUTH", b"-NOPERM", b"-WRONGPASS", b"-DENIED")):
        return Login(asked.port.name, needed=True, answer=shown_answer(answer))
    if not answer.startswith(b"+PONG"):
        raise TalkError(f"an answer to PING that decides nothing: {shown_answer(answer)}")
    await talk.send(b"*2\r\n$4\r\nINFO\r\n$6\r\nserver\r\n")
    told = await talk.heard(1.0)
    version = re.search(rb"redis_version:([\w.]{1,30})", told)
    if not version:
        # PING alone may be for health checks, or a proxy's own answer: the size of the data decides.
        await talk.send(b"*1\r\n$6\r\nDBSIZE\r\n")
        size = await talk.until(lambda data: b"\n" in data)
        if size.startswith((b"-NOPERM", b"-NOAUTH")):
            return Login(asked.port.name, needed=True, answer=f"+PONG, but {shown_answer(size)}")
        if not re.match(rb":\d+\r?\n", size):
            raise TalkError(f"+PONG, and an answer to DBSIZE that decides nothing: {shown_answer(size)}")
    return Login(asked.port.name, needed=False, answer="+PONG", version=_version(version))


async def _memcached(asked: Asked, talk: Talk) -> Login:
    await talk.send(b"version\r\n")
    answer = await talk.until(lambda data: b"\n" in data)
    version = re.match(rb"VERSION ([\w.+-]{1,30})", answer)
    if version:
        return Login(asked.port.name, needed=False, answer=shown_answer(answer), version=_version(version))
    if answer.startswith(b"CLIENT_ERROR unauthenticated"):
        return Login(asked.port.name, needed=True, answer=shown_answer(answer))
    raise TalkError(f"an answer to version that decides nothing: {shown_answer(answer)}")


async def _mongo(asked: Asked, talk: Talk) -> Login:
    body = _bson(
        (b"\x10", b"listDatabases", struct.pack("<i", 1)),
        (b"\x08", b"nameOnly", b"\x01"),
        (b"\x02", b"$db", struct.pack("<i", 6) + b"admin\x00"),
    )
    message = struct.pack("<I", 0) + b"\x00" + body
    await talk.send(struct.pack("<iiii", 16 + len(message), 1, 0, 2013) + message)
    head = await talk.until(lambda data: len(data) >= 16)
    length, _, _, operation = struct.unpack_from("<iiii", head)
    if not 36 <= length <= 60_000 or operation != 2013:
        raise TalkError("no message of MongoDB came back")
    answer = head + await talk.exactly(length - len(head)) if len(head) < length else head
    if b"\x02codeName\x00" in answer and (b"Unauthorized" in answer or b"AuthenticationFailed" in answer):
        return Login(asked.port.name, needed=True, answer="listDatabases: Unauthorized")
    if b"\x04databases\x00" in answer:
        return Login(asked.port.name, needed=False, answer="listDatabases: a list of databases")
    raise TalkError("an answer to listDatabases that decides nothing")


async def _elasticsearch(asked: Asked, talk: Talk) -> Login:
    answers = await web.get_each(talk, asked.address, asked.port.number, "/", "/_cat/indices?h=index")
    response, listed = answers[0], answers[1:]
    if response.status == 401:
        return Login(asked.port.name, needed=True, answer="status 401")
    try:
        told = json.loads(response.body)
    except (ValueError, RecursionError):
        # A 403 of something in front may be meant for this address alone.
        raise TalkError(f"status {response.status} and no JSON") from None
    if response.status == 403:
        return Login(asked.port.name, needed=True, answer="status 403")
    if response.status != 200 or not isinstance(told, dict) or "tagline" not in told:
        raise TalkError(f"status {response.status} and no greeting of a search node")
    version = told.get("version")
    number = version.get("number", "") if isinstance(version, dict) else ""
    said = f"status 200: {printable(str(told['tagline']))[:ANSWER_LIMIT]}"
    if listed and listed[0].status in (401, 403):
        # A stranger may be let as far as the greeting and no further.
        return Login(
            asked.port.name, needed=True, answer=f"{said}, but status {listed[0].status} for indices"
        )
    if listed and listed[0].status == 200:
        said = f"{said}, {len(listed[0].body.split())} indices listed"
    return Login(asked.port.name, needed=False, answer=said, version=printable(str(number))[:30])


async def _postgres(asked: Asked, talk: Talk) -> Login:
    await talk.send(SSL_REQUEST)
    if await talk.exactly(1) == b"S":
        await talk.tls(web.client_context())
    parameters = b"user\x00postgres\x00database\x00postgres\x00application_name\x00bartizan\x00\x00"
    await talk.send(struct.pack("!II", 8 + len(parameters), 196_608) + parameters)
    head = await talk.until(lambda data: len(data) >= 9)
    kind, length, number = head[:1], *struct.unpack_from("!II", head, 1)
    if kind == b"R" and length >= 8 and number == 0:
        await talk.send(b"X" + struct.pack("!I", 4))
        return Login(asked.port.name, needed=False, answer="the user postgres is in without a password")
    if kind == b"R" and length >= 8 and number in _POSTGRES_REQUESTS:
        return Login(asked.port.name, needed=True, answer=f"authentication request {number}")
    if kind != b"E" or not 8 <= length <= 8_192:
        raise TalkError("no message of PostgreSQL came back")
    whole = head + await talk.exactly(1 + length - len(head)) if len(head) <= length else head
    return _postgres_error(asked.port.name, whole)


def _postgres_error(port: str, data: bytes) -> Login:
    state = re.search(rb"\x00C(\w{5})\x00", data)
    message = re.search(rb"\x00M([^\x00]{1,200})", data)
    code, said = state[1] if state else b"", shown_answer(message[1]) if message else "no message"
    if code == b"3D000":
        # The name of the database is looked at after the login: it was granted.
        return Login(port, needed=False, answer=f"in without a password; {said}")
    if code.startswith(b"28"):
        # No login was asked for: this address is turned away, or the role is not there. Others may be let in.
        raise TalkError(f"the server turns this address or the user postgres away: {said}")
    raise TalkError(f"an answer to the start that decides nothing: {said}")


def _bson(*elements: tuple[bytes, bytes, bytes]) -> bytes:
    content = b"".join(kind + name + b"\x00" + value for kind, name, value in elements)
    return struct.pack("<i", len(content) + 5) + content + b"\x00"


def _version(found: re.Match[bytes] | None) -> str:
    return found[1].decode("ascii", "replace") if found else ""


def service(*names: str) -> Callable[[OpenPort], bool]:
    """Whether a TCP port speaks one of these services."""
    return lambda port: port.protocol == "tcp" and port.service in names


QUESTIONS = (
    Question(
        frozenset({RedisLogins}),
        service("redis"),
        decided(RedisLogins, RedisLogins, "PING", _redis),
        "a Redis PING without a login",
    ),
    Question(
        frozenset({MemcachedLogins}),
        service("memcached"),
        decided(MemcachedLogins, MemcachedLogins, "version", _memcached),
        "a memcached version request without a login",
    ),
    Question(
        frozenset({MongoLogins}),
        service("mongodb"),
        decided(MongoLogins, MongoLogins, "listDatabases", _mongo),
        "a MongoDB listDatabases without a login",
    ),
    Question(
        frozenset({ElasticsearchLogins}),
        service("elasticsearch"),
        decided(ElasticsearchLogins, ElasticsearchLogins, "GET /", _elasticsearch),
        "an HTTP GET of / at search nodes without a login",
    ),
    Question(
        frozenset({PostgresLogins}),
        service("postgresql"),
        decided(PostgresLogins, PostgresLogins, "a start message", _postgres),
        "a PostgreSQL start message for the user postgres without a password",
    ),
)
