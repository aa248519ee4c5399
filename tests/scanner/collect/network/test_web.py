"""The bounded HTTP client against servers that lie about everything HTTP lets them lie about."""

from __future__ import annotations

import asyncio
import gzip
import socket
import tracemalloc
import zlib
from collections.abc import Callable
from ipaddress import ip_address
from time import monotonic, sleep

import pytest

from scanner.collect.network import web, web_head
from scanner.collect.network.talk import TalkError
from scanner.collect.network.web_body import BODY_LIMIT, unpacked
from scanner.transport.sent import Sent
from tests.lab.asking import LOCAL, line
from tests.lab.services import Handler, resetting, serving

OK = b"HTTP/1.1 200 OK\r\n"


def heard_request(connection: socket.socket) -> bytes:
    """One request, and not a byte of the next one, which a client that was told too much sends early."""
    heard = b""
    while not heard.endswith(b"\r\n\r\n"):
        more = connection.recv(1)
        if not more:
            return b""
        heard += more
    return heard


def replying(*parts: bytes, hold: bool = False) -> Handler:
    """Answers the first request with these bytes, then closes, or stays silent where it holds."""

    def handle(connection: socket.socket) -> None:
        heard_request(connection)
        for part in parts:
            connection.sendall(part)
        if hold:
            connection.recv(1)

    return handle


def keeping(answer: Callable[[bytes], bytes], most: int = 1_000) -> Handler:
    """Answers so many requests on one connection."""

    def handle(connection: socket.socket) -> None:
        for _ in range(most):
            heard = heard_request(connection)
            if not heard:
                return
            connection.sendall(answer(heard))
            if b"\r\nConnection: close" in heard:
                return

    return handle


def exchange(
    handler: Handler, *paths: str, seconds: float = 4.0, log: list[Sent] | None = None
) -> tuple[web.Response | TalkError, ...]:
    with serving(handler) as port:
        requests = [web.Request(path) for path in paths or ("/",)]
        over = line(seconds, log)
        return asyncio.run(web.exchange(over, LOCAL, port, tls=False, requests=requests, keep=BODY_LIMIT))


def one(handler: Handler, seconds: float = 4.0) -> web.Response:
    [answer] = exchange(handler, seconds=seconds)
    assert isinstance(answer, web.Response), answer
    return answer


def refused(handler: Handler, seconds: float = 4.0) -> str:
    [answer] = exchange(handler, seconds=seconds)
    assert isinstance(answer, TalkError)
    return str(answer)


def sized(body: bytes, *headers: bytes) -> bytes:
    lines = (b"Content-Length: %d" % len(body), *headers)
    return OK + b"\r\n".join(lines) + b"\r\n\r\n" + body


# --- where a body ends ---


def test_a_body_ends_where_its_length_its_chunks_or_its_connection_do() -> None:
    chunked = OK + b"Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: x\r\n\r\n"
    for reply, hold in ((sized(b"abcde"), True), (chunked, True), (OK + b"\r\nabcde", False)):
        began = monotonic()
        answer = one(replying(reply, hold=hold))
        assert (answer.body, answer.whole) == (b"abcde", True)
        assert monotonic() - began < 2, "the length was known, there was nothing to wait for"


@pytest.mark.parametrize(
    "reply",
    [
        OK + b"Content-Length: 100\r\n\r\nabc",
        OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
        OK + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFF\r\nabc",
        OK + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nabc",
        OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"0" * 2_000,
        OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: y\r\n" * 1_025,
    ],
)
def test_a_length_or_a_chunk_that_lies_gives_what_came_and_says_so(reply: bytes) -> None:
    answer = one(replying(reply))
    assert not answer.whole
    assert b"abc".startswith(answer.body) or answer.body.startswith(b"abc")


@pytest.mark.parametrize("length", [b"-1", b"1e3", b"5, 5", b"9" * 400, b"\xb2", b"3\r\nContent-Length: 5"])
def test_a_length_that_is_none_leaves_the_end_to_the_connection_and_is_not_the_whole(length: bytes) -> None:
    answer = one(replying(OK + b"Content-Length: " + length + b"\r\n\r\nabcde"))
    assert (answer.body, answer.whole, answer.reusable) == (b"abcde", False, False)


def test_endless_bodies_are_cut_at_the_limit() -> None:
    def endless(connection: socket.socket) -> None:
        heard_request(connection)
        connection.sendall(OK + b"\r\n")
        while True:
            connection.sendall(b"A" * 65_536)

    def endless_chunks(connection: socket.socket) -> None:
        heard_request(connection)
        connection.sendall(OK + b"Transfer-Encoding: chunked\r\n\r\n")
        while True:
            connection.sendall(b"1\r\nA\r\n" * 10_000)

    def huge(connection: socket.socket) -> None:
        heard_request(connection)
        connection.sendall(OK + b"Content-Length: 999999999999\r\n\r\n")
        while True:
            connection.sendall(b"A" * 65_536)

    for handler in (endless, endless_chunks, huge):
        answer = one(handler)
        assert not answer.whole
        assert 0 < len(answer.body) <= BODY_LIMIT


def test_endless_headers_and_endless_interim_answers_are_refused() -> None:
    def headers(connection: socket.socket) -> None:
        heard_request(connection)
        connection.sendall(OK)
        while True:
            connection.sendall(b"X-More: yes\r\n" * 1_000)

    assert "headers without an end" in refused(headers)
    assert "interim" in refused(replying(b"HTTP/1.1 100 Continue\r\n\r\n" * 50))
    assert one(replying(b"HTTP/1.1 103 Early Hints\r\n\r\n" + sized(b"x"))).body == b"x"


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 \xb2\xb2\xb2 OK\r\n\r\n",
        b"HTTP/1.1  200 OK\r\n\r\n",
        b"HTTP/11 200 OK\r\n\r\n",
        b"ICY 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"\x00\xff\x1b[31m\r\n\r\n",
        b"",
    ],
)
def test_a_status_line_that_is_none_is_no_answer(reply: bytes) -> None:
    assert "HTTP" in refused(replying(reply))


def test_a_stall_and_a_reset_are_no_answers() -> None:
    assert "no complete answer within" in refused(replying(OK, hold=True), seconds=0.5)
    assert "reset" in refused(resetting(1))


# --- what is in a body ---


def test_packed_bodies_are_unpacked() -> None:
    plain = b"<title>Hello</title>" * 100
    raw = zlib.compressobj(wbits=-15)
    packed = {
        b"gzip": gzip.compress(plain, mtime=0),
        b"X-GZIP": gzip.compress(plain, mtime=0),
        b"deflate": zlib.compress(plain),
        b"Deflate": raw.compress(plain) + raw.flush(),
        b"identity": plain,
    }
    for name, body in packed.items():
        answer = one(replying(sized(body, b"Content-Encoding: " + name)))
        assert (answer.body, answer.whole) == (plain, True), name


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        (b"gzip", b"this is not packed"),
        (b"gzip", gzip.compress(b"x" * 5_000, mtime=0)[:-12]),
        (b"br", b"\x0b\x02\x80abc"),
        (b"gzip, gzip", gzip.compress(gzip.compress(b"x", mtime=0), mtime=0)),
        (b"deflate", b"\xff" * 50),
    ],
)
def test_bodies_that_cannot_be_unpacked_are_not_whole(encoding: bytes, body: bytes) -> None:
    assert not one(replying(sized(body, b"Content-Encoding: " + encoding))).whole


def bomb(size: int) -> bytes:
    """A gzip stream of so many zeros."""
    machine = zlib.compressobj(9, wbits=31)
    block = bytes(1 << 20)
    return b"".join(machine.compress(block) for _ in range(size >> 20)) + machine.flush()


def test_a_compression_bomb_is_stopped_while_it_unfolds() -> None:
    # Each of these streams unfolds by a thousand: 160 in a row are 10 MB that stand for 10 GB.
    [answer] = exchange(replying(sized(small := bomb(1 << 26), b"Content-Encoding: gzip")))
    assert isinstance(answer, web.Response)
    assert (len(answer.body), answer.whole) == (BODY_LIMIT, False)
    packed = small * 160
    assert len(packed) > 10_000_000
    tracemalloc.start()
    began = monotonic()
    plain, whole = unpacked(packed, "gzip")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (len(plain), whole) == (BODY_LIMIT, False)
    assert peak < 40_000_000
    assert monotonic() - began < 1


# --- headers ---


def test_a_hundred_cookies_are_fifty_names_and_no_values_elsewhere() -> None:
    cookies = [b"Set-Cookie: n%d=secret%d; Secure" % (n, n) for n in range(100)]
    answer = one(replying(sized(b"", *cookies)))
    assert len(answer.cookies) == web_head.COOKIE_LIMIT
    assert "set-cookie" not in answer.headers
    assert not any("secret" in value for value in answer.headers.values())


def test_headers_are_printable_bounded_and_joined() -> None:
    odd = (
        b"Server: x\x1b[31m\x00\xe2\x80\xae",
        b"X-A: 1",
        b"x-a: 2",
        b"X-Long: " + b"y" * 20_000,
        b"no colon",
    )
    many = tuple(b"X-%d: 1" % n for n in range(2_000))
    answer = one(replying(sized(b"ok", *odd, *many)))
    assert all(
        value.isprintable() and len(value) <= web_head.VALUE_LIMIT for value in answer.headers.values()
    )
    assert answer.headers["x-a"] == "1, 2"
    assert len(answer.headers) <= web_head.HEADER_LIMIT
    assert answer.body == b"ok"


# --- several requests ---


def test_requests_share_a_connection_for_as_long_as_it_is_kept() -> None:
    log: list[Sent] = []
    paths = tuple(f"/{n}" for n in range(8))
    answers = exchange(keeping(lambda heard: sized(heard.split(b" ")[1])), *paths, log=log)
    assert [a.body.decode() for a in answers if isinstance(a, web.Response)] == list(paths)
    assert len(log) == 1
    log.clear()
    answers = exchange(keeping(lambda heard: sized(heard.split(b" ")[1]), most=3), *paths, log=log)
    assert [a.body.decode() for a in answers if isinstance(a, web.Response)] == list(paths)
    assert len(log) == 3
    log.clear()
    closing = keeping(lambda heard: sized(heard.split(b" ")[1], b"Connection: close"), most=1)
    answers = exchange(closing, *paths, log=log)
    assert [a.body.decode() for a in answers if isinstance(a, web.Response)] == list(paths)
    assert len(log) == len(paths)


def test_what_a_server_says_beyond_its_answer_is_not_the_next_one() -> None:
    """A second answer that nobody asked for must not stand for that to the second request."""
    extra = sized(b"first") + sized(b"smuggled")
    first, second = exchange(
        keeping(lambda heard: extra if b"/one" in heard else sized(b"second")), "/one", "/two"
    )
    assert isinstance(first, web.Response)
    assert isinstance(second, web.Response)
    assert (first.body, second.body) == (b"first", b"second")


@pytest.mark.parametrize("pause", [0.0, 0.02, 0.1])
def test_an_answer_that_comes_late_never_stands_for_that_to_another_request(pause: float) -> None:
    """One answer too many shifts all that follow; whenever it comes, each path gets its own in the end."""

    def handle(connection: socket.socket) -> None:
        while heard := heard_request(connection):
            path = heard.split(b" ")[1]
            connection.sendall(sized(path))
            if path == b"/1":
                sleep(pause)
                connection.sendall(sized(b"smuggled"))
            if b"Connection: close" in heard:
                return

    paths = tuple(f"/{n}" for n in range(5))
    answers = exchange(handle, *paths)
    assert [a.body.decode() for a in answers if isinstance(a, web.Response)] == list(paths)


def test_over_an_open_connection_answers_that_are_mixed_up_are_none() -> None:
    async def work(port: int) -> tuple[web.Response, ...]:
        async with line().talk(LOCAL, port) as talk:
            return await web.get_each(talk, LOCAL, port, "/a", "/b")

    twice = keeping(lambda _: sized(b"x"))

    def handle(connection: socket.socket) -> None:
        heard_request(connection)
        connection.sendall(sized(b"x"))
        heard_request(connection)
        connection.sendall(sized(b"x") + sized(b"y"))

    with serving(twice) as port:
        assert len(asyncio.run(work(port))) == 2
    with serving(handle) as port, pytest.raises(TalkError, match="than was asked"):
        asyncio.run(work(port))


def test_a_body_packed_on_the_way_in_a_way_that_is_not_understood_tells_nothing() -> None:
    for way in (b"gzip, chunked", b"chunked, chunked", b"br"):
        answer = one(replying(OK + b"Transfer-Encoding: " + way + b"\r\n\r\n3\r\nabc\r\n0\r\n\r\n"))
        assert (answer.body, answer.whole) == (b"", False), way


def test_several_gzip_members_in_a_row_are_one_body() -> None:
    parts = gzip.compress(b"", mtime=0) + gzip.compress(b"ab") + gzip.compress(b"cd")
    assert unpacked(parts, "gzip") == (b"abcd", True)
    assert unpacked(parts + bytes(20), "gzip") == (b"abcd", True)
    assert unpacked(parts + b"more", "gzip") == (b"abcd", False)
    assert unpacked(gzip.compress(b"x", mtime=0) * 60, "gzip") == (b"x" * 50, False)


def test_many_long_answers_are_not_all_kept() -> None:
    long = keeping(lambda _: sized(gzip.compress(bytes(900_000)), b"Content-Encoding: gzip"))
    with serving(long) as port:
        requests = [web.Request(f"/{n}") for n in range(8)]
        answers = asyncio.run(web.exchange(line(), LOCAL, port, tls=False, requests=requests))
    for answer in answers:
        assert isinstance(answer, web.Response)
        assert (len(answer.body), answer.whole) == (web.KEPT, False)


def test_over_an_open_connection_there_are_as_many_answers_as_it_bears() -> None:
    async def work(port: int) -> tuple[web.Response, ...]:
        async with line().talk(LOCAL, port) as talk:
            return await web.get_each(talk, LOCAL, port, "/a", "/b")

    with serving(keeping(lambda heard: sized(heard.split(b" ")[1]))) as port:
        assert [answer.body for answer in asyncio.run(work(port))] == [b"/a", b"/b"]
    for handler in (replying(sized(b"x")), replying(sized(b"x", b"Connection: close"))):
        with serving(handler) as port:
            assert [answer.body for answer in asyncio.run(work(port))] == [b"x"]
    with serving(resetting(1)) as port, pytest.raises(TalkError, match="reset"):
        asyncio.run(work(port))


def test_an_address_of_ipv6_stands_in_brackets() -> None:
    assert b"\r\nHost: [::1]:8080\r\n" in web.request(ip_address("::1"), 8080)


def test_a_server_that_gives_nothing_is_not_asked_for_everything() -> None:
    log: list[Sent] = []
    began = monotonic()
    answers = exchange(replying(OK, hold=True), *(f"/{n}" for n in range(12)), seconds=0.3, log=log)
    assert all(isinstance(answer, TalkError) for answer in answers)
    assert len(log) == 2
    assert monotonic() - began < 2
    assert "not asked after: no complete answer" in str(answers[-1])
