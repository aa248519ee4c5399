"""Databases, web servers, management interfaces, file transfer and mail."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from checks.facts.network import OpenPort
from checks.facts.network.databases import DatabaseServers, Encryption
from checks.facts.network.files import FtpServers
from checks.facts.network.logins import (
    ApiLogins,
    DockerLogins,
    ElasticsearchLogins,
    KubeletLogins,
    MemcachedLogins,
    MongoLogins,
    PostgresLogins,
    RedisLogins,
)
from checks.facts.network.mail import MailServers
from checks.facts.network.screens import VncServers
from checks.facts.network.web import HttpAnswers
from checks.facts.snapshot import Fact
from scanner.collect.collector import Collected
from scanner.collect.network.ask import databases, databases_greet, http, management, plain
from scanner.collect.network.ask.question import Asked
from tests.lab.asking import ask, only, reason, who
from tests.lab.services import (
    answering,
    certificate,
    dripping,
    inside_tls,
    memcached,
    mute,
    postgres,
    redis,
    resetting,
    saying,
    serving,
    vsftpd,
)
from tests.lab.services import http as page

QUESTIONS = {
    fact: question.ask
    for question in (*databases.QUESTIONS, *management.QUESTIONS, *plain.QUESTIONS, http.QUESTION)
    for fact in question.facts
}
Ask = Callable[[Asked], Awaitable[Collected]]


def probe(
    kind: type[Fact], number: int, *, service: str = "", tls: bool = False, seconds: float = 4.0
) -> Collected:
    return ask(QUESTIONS[kind], OpenPort(number, "tcp", service, tls=tls), kind, seconds=seconds)


@pytest.mark.real
def test_redis_with_and_without_a_password(tmp_path: Path) -> None:
    with redis(tmp_path) as number:
        [login] = only(probe(RedisLogins, number), RedisLogins).servers
    assert (login.port, login.needed, login.answer) == (f"tcp/{number}", False, "+PONG")
    assert login.version.startswith(("6.", "7.", "8."))
    with redis(tmp_path, "secret") as number:
        [login] = only(probe(RedisLogins, number), RedisLogins).servers
    assert login.needed
    assert "NOAUTH" in login.answer


@pytest.mark.real
@pytest.mark.parametrize(("rights", "needed"), [("-@all +ping", True), ("~* -@all +ping +@read", False)])
def test_redis_that_lets_strangers_ping_only(tmp_path: Path, rights: str, needed: bool) -> None:
    with redis(tmp_path) as number:
        with socket.create_connection(("127.0.0.1", number)) as line:
            line.sendall(f"ACL SETUSER default reset on nopass {rights}\r\n".encode())
            assert line.recv(100) == b"+OK\r\n"
        [login] = only(probe(RedisLogins, number), RedisLogins).servers
    assert login.needed is needed, login.answer


@pytest.mark.real
def test_memcached_tells_its_version() -> None:
    with memcached() as number:
        [login] = only(probe(MemcachedLogins, number), MemcachedLogins).servers
    assert not login.needed
    assert login.answer == f"VERSION {login.version}"


@pytest.mark.real
def test_postgresql_lets_in_asks_or_refuses() -> None:
    with postgres() as (number, allow):
        for method, needed, words in (
            ("trust", False, "in without a password"),
            ("scram-sha-256", True, "authentication request 10"),
            ("password", True, "authentication request 3"),
        ):
            allow(method)
            [login] = only(probe(PostgresLogins, number), PostgresLogins).servers
            assert login.needed is needed, method
            assert words in login.answer
        allow("reject")
        assert "turns this address" in reason(probe(PostgresLogins, number), PostgresLogins)
        port = OpenPort(number, "tcp", "postgresql")
        [question] = [one for one in databases_greet.QUESTIONS if one.applies(port)]
        [server] = only(ask(question.ask, port, DatabaseServers), DatabaseServers).servers
    assert (server.product, server.encryption) == ("PostgreSQL", Encryption.MISSING)


def test_a_missing_database_of_postgresql_is_looked_for_after_the_login() -> None:
    fields = b'SFATAL\x00C3D000\x00Mdatabase "postgres" does not exist\x00\x00'

    def reply(heard: bytes) -> bytes:
        return b"N" if len(heard) == 8 else b"E" + struct.pack("!I", 4 + len(fields)) + fields

    with serving(answering(reply)) as number:
        [login] = only(probe(PostgresLogins, number), PostgresLogins).servers
    assert not login.needed


@pytest.mark.parametrize(
    "message",
    [b'role "postgres" does not exist', "Rolle »postgres« existiert nicht".encode(), b"no pg_hba.conf entry"],
)
def test_a_refusal_of_postgresql_before_a_login_decides_nothing(message: bytes) -> None:
    """A missing role in whatever language was let in; a missing line may be there for other addresses."""
    fields = b"SFATAL\x00C28000\x00M" + message + b"\x00\x00"

    def reply(heard: bytes) -> bytes:
        return b"N" if len(heard) == 8 else b"E" + struct.pack("!I", 4 + len(fields)) + fields

    with serving(answering(reply)) as number:
        assert "turns this address" in reason(probe(PostgresLogins, number), PostgresLogins)


def test_a_request_of_postgresql_that_does_not_exist_decides_nothing() -> None:
    def reply(heard: bytes) -> bytes:
        return b"N" if len(heard) == 8 else b"R\x00\x00\x00\x08\xff" + bytes(3)

    with serving(answering(reply)) as number:
        assert reason(probe(PostgresLogins, number), PostgresLogins)


@pytest.mark.parametrize(
    ("info", "size", "needed"),
    [
        (b"-NOAUTH Authentication required.\r\n", b"-NOAUTH Authentication required.\r\n", True),
        (b"-ERR unknown command\r\n", b":12\r\n", False),
        (b"+PONG\r\n", b"+PONG\r\n", None),
        (b"-ERR no\r\n", b"-ERR no\r\n", None),
    ],
)
def test_a_pong_alone_decides_nothing(info: bytes, size: bytes, needed: bool | None) -> None:
    """Proxies answer PING by themselves, and traps answer everything."""

    def reply(heard: bytes) -> bytes:
        return info if b"INFO" in heard else size if b"DBSIZE" in heard else b"+PONG\r\n"

    with serving(answering(reply)) as number:
        found = probe(RedisLogins, number)
    if needed is None:
        assert "decides nothing" in reason(found, RedisLogins)
    else:
        assert only(found, RedisLogins).servers[0].needed is needed


def mongo(document: bytes) -> bytes:
    body = b"\x00\x00\x00\x00\x00" + struct.pack("<i", len(document) + 5) + document + b"\x00"
    return struct.pack("<iiii", 16 + len(body), 7, 1, 2013) + body


LISTED = b"\x04databases\x00\x05\x00\x00\x00\x00\x01ok\x00\x00\x00\x00\x00\x00\x00\xf0\x3f"
REFUSED = b"\x01ok\x00" + b"\x00" * 8 + b"\x02codeName\x00\x0d\x00\x00\x00Unauthorized\x00"


@pytest.mark.parametrize(("document", "needed"), [(LISTED, False), (REFUSED, True)])
def test_mongodb_lists_or_refuses(document: bytes, needed: bool) -> None:
    heard: list[bytes] = []

    def reply(data: bytes) -> bytes:
        heard.append(data)
        return mongo(document)

    with serving(answering(reply)) as number:
        [login] = only(probe(MongoLogins, number), MongoLogins).servers
    assert login.needed is needed
    [question] = heard
    length, _, _, operation = struct.unpack_from("<iiii", question)
    assert (length, operation) == (len(question), 2013)
    assert b"\x10listDatabases\x00\x01\x00\x00\x00" in question
    assert b"$db\x00\x06\x00\x00\x00admin\x00" in question


GREETING = json.dumps({"version": {"number": "8.11.1"}, "tagline": "You Know, for Search"}, indent=2)


def test_elasticsearch_greets_or_refuses() -> None:
    with serving(page(body=GREETING, X_elastic_product="Elasticsearch")) as number:
        found = who(number).port
        assert (found.service, found.version) == ("elasticsearch", "8.11.1")
        [login] = only(probe(ElasticsearchLogins, number), ElasticsearchLogins).servers
    assert (login.needed, login.version) == (False, "8.11.1")
    with serving(page("401 Unauthorized", "{}")) as number:
        assert only(probe(ElasticsearchLogins, number), ElasticsearchLogins).servers[0].needed
    with serving(page("403 Forbidden", '{"Message":"not authorized"}')) as number:
        assert only(probe(ElasticsearchLogins, number), ElasticsearchLogins).servers[0].needed
    # Something in front that turns this address away is no login.
    for status in ("200 OK", "403 Forbidden"):
        with serving(page(status, "<html>")) as number:
            assert "no JSON" in reason(probe(ElasticsearchLogins, number), ElasticsearchLogins)


def test_docker_answers_or_insists_on_a_certificate(tmp_path: Path) -> None:
    version = json.dumps({"Version": "24.0.5", "ApiVersion": "1.43"})
    with serving(page(body=version, Server="Docker/24.0.5 (linux)")) as number:
        found = who(number).port
        assert management.QUESTIONS[0].applies(found)
        [login] = only(probe(DockerLogins, number), DockerLogins).servers
    assert (login.needed, login.version) == (False, "24.0.5")
    made = certificate(tmp_path)
    guarded = inside_tls(made, page(body=version), verify_mode=ssl.CERT_REQUIRED)
    with serving(guarded) as number:
        [login] = only(probe(DockerLogins, number, tls=True), DockerLogins).servers
    assert login.needed
    assert "certificate" in login.answer
    with serving(page(body="{}")) as number:
        assert reason(probe(DockerLogins, number), DockerLogins) == "status 200 and no version of Docker"


def test_kubelets_list_or_refuse(tmp_path: Path) -> None:
    made = certificate(tmp_path)
    pods = '{"kind":"PodList","apiVersion":"v1","items":[' + '{"metadata":{}},' * 20_000
    with serving(inside_tls(made, page(body='{"kind": "PodList"}'))) as number:
        [login] = only(probe(KubeletLogins, number, tls=True), KubeletLogins).servers
    assert not login.needed
    with serving(inside_tls(made, page("401 Unauthorized", "Unauthorized"))) as number:
        assert only(probe(KubeletLogins, number, tls=True), KubeletLogins).servers[0].needed
    with serving(page("404 Not Found")) as number:
        assert "no list of pods" in reason(probe(KubeletLogins, number), KubeletLogins)
    with serving(page(body=pods)) as number:
        # Longer than a conversation may be: what was heard of it decides all the same.
        assert not only(probe(KubeletLogins, number), KubeletLogins).servers[0].needed


def rfb(greeting: bytes, types: bytes) -> Callable[[socket.socket], None]:
    def handle(connection: socket.socket) -> None:
        connection.sendall(greeting)
        if len(connection.recv(12)) == 12:
            connection.sendall(types)
        connection.recv(1)

    return handle


@pytest.mark.parametrize(
    ("greeting", "types", "protocol", "found"),
    [
        (b"RFB 003.008\n", b"\x02\x01\x02", "3.8", (1, 2)),
        (b"RFB 003.007\n", b"\x01\x02", "3.7", (2,)),
        (b"RFB 003.889\n", b"\x03\x1e\x02\x23", "3.889", (30, 2, 35)),
        (b"RFB 003.003\n", b"\x00\x00\x00\x01", "3.3", (1,)),
    ],
)
def test_vnc_names_its_security_types(
    greeting: bytes, types: bytes, protocol: str, found: tuple[int, ...]
) -> None:
    with serving(rfb(greeting, types)) as number:
        [server] = only(probe(VncServers, number), VncServers).servers
    assert (server.protocol, server.security_types) == (protocol, found)


@pytest.mark.parametrize(
    ("greeting", "types"),
    [
        (b"RFB 003.008\n", b"\x00\x00\x00\x00\x03no!"),
        (b"RFB 3.8    \n", b""),
        (b"RFB 003.003\n", b"\0\0\0\0"),
    ],
)
def test_vnc_that_refuses_is_a_gap(greeting: bytes, types: bytes) -> None:
    with serving(rfb(greeting, types)) as number:
        assert reason(probe(VncServers, number, seconds=1.0), VncServers)


@pytest.mark.real
@pytest.mark.parametrize("anonymous", [True, False])
def test_a_real_ftp_server_is_asked_for_tls_and_anonymous(tmp_path: Path, anonymous: bool) -> None:
    with vsftpd(tmp_path, anonymous=anonymous) as number:
        [server] = only(probe(FtpServers, number), FtpServers).servers
    assert (server.tls, server.anonymous) == (False, anonymous)


@pytest.mark.real
def test_anonymous_ftp_that_insists_on_tls_is_still_anonymous(tmp_path: Path) -> None:
    made = certificate(tmp_path)
    options = (
        "ssl_enable=YES",
        f"rsa_cert_file={made.certificate}",
        f"rsa_private_key_file={made.key}",
        "allow_anon_ssl=YES",
        "force_anon_logins_ssl=YES",
    )
    for anonymous in (True, False):
        with vsftpd(tmp_path, *options, anonymous=anonymous) as number:
            [server] = only(probe(FtpServers, number), FtpServers).servers
        assert (server.tls, server.anonymous) == (True, anonymous)


def test_ftp_with_tls_and_a_busy_one() -> None:
    answers = {b"AUTH": b"234 go ahead\r\n", b"USER": b"331-a\r\n331 word?\r\n", b"PASS": b"530 no\r\n"}
    with serving(answering(lambda heard: answers[heard[:4]], b"220-hello\r\n220 there\r\n")) as number:
        [server] = only(probe(FtpServers, number), FtpServers).servers
    assert (server.tls, server.anonymous) == (True, False)
    for greeting in (b"421 too many\r\n", b"220 ok\r\n"):
        with serving(answering(lambda _: b"421 too many\r\n", greeting)) as number:
            assert "421" in reason(probe(FtpServers, number), FtpServers)


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (b"AUTH", b"431 no certificate just now\r\n"),
        (b"USER", b"450 later\r\n"),
        (b"PASS", b"530 Sorry, the maximum number of clients (10) are connected\r\n"),
        (b"USER", b"220 what\r\n"),
    ],
)
def test_ftp_that_puts_off_decides_nothing(command: bytes, answer: bytes) -> None:
    answers = {b"AUTH": b"500 no\r\n", b"USER": b"331 word?\r\n", b"PASS": b"530 no\r\n", command: answer}
    with serving(answering(lambda heard: answers[heard[:4]], b"220 hello\r\n")) as number:
        assert reason(probe(FtpServers, number), FtpServers)


EHLO = b"250-mx\r\n250-SIZE 1\r\n"
CAPA = b"+OK\r\nTOP\r\n"


@pytest.mark.parametrize(
    ("service", "greeting", "answer", "starttls", "plain_login"),
    [
        ("smtp", b"220 mx ESMTP\r\n", EHLO + b"250 STARTTLS\r\n", True, False),
        ("smtp", b"220 mx ESMTP\r\n", EHLO + b"250-STARTTLS\r\n250 AUTH PLAIN LOGIN\r\n", True, True),
        ("smtp", b"220 mx ESMTP\r\n", EHLO + b"250 AUTH CRAM-MD5\r\n", False, False),
        ("pop3", b"+OK\r\n", CAPA + b"STLS\r\nUSER\r\n.\r\n", True, True),
        ("pop3", b"+OK\r\n", CAPA + b"STLS\r\n.\r\n", True, False),
        ("pop3", b"+OK\r\n", CAPA + b"SASL PLAIN\r\n.\r\n", False, True),
        ("imap", b"* OK\r\n", b"* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\na1 OK\r\n", True, False),
        ("imap", b"* OK\r\n", b"* CAPABILITY IMAP4rev1\r\na1 OK\r\n", False, True),
    ],
)
def test_mail_servers_tell_their_abilities(
    service: str, greeting: bytes, answer: bytes, starttls: bool, plain_login: bool
) -> None:
    with serving(answering(lambda _: answer, greeting)) as number:
        [server] = only(probe(MailServers, number, service=service), MailServers).servers
    assert (server.protocol, server.tls) == (service, False)
    assert (server.starttls, server.plain_login) == (starttls, plain_login)


@pytest.mark.parametrize(
    ("service", "greeting", "answer"),
    [
        ("smtp", b"554 go away\r\n", b""),
        ("smtp", b"220 mx\r\n", b"502 what\r\n"),
        ("pop3", b"+OK\r\n", b"-ERR unknown\r\n"),
        ("imap", b"* OK\r\n", b"a1 BAD\r\n"),
        ("imap", b"* BYE\r\n", b""),
    ],
)
def test_mail_servers_that_do_not_tell_are_gaps(service: str, greeting: bytes, answer: bytes) -> None:
    with serving(answering(lambda _: answer, greeting)) as number:
        assert reason(probe(MailServers, number, service=service), MailServers)


def test_mail_inside_tls_needs_no_question() -> None:
    [server] = only(probe(MailServers, 1, service="imap", tls=True), MailServers).servers
    assert server.tls


def test_a_web_page_is_read_and_its_redirect_is_not_followed() -> None:
    followed: list[bytes] = []

    def trap(connection: socket.socket) -> None:
        followed.append(connection.recv(100))

    form = "<html><TITLE>Log &lt;in&gt; \u202e</TITLE><input name=x  type = 'password'></html>"
    with serving(trap) as other, serving(
        page(
            "302 Found",
            form,
            Server="Apache/2.4.1 \x1b[31m",
            X_Powered_By="PHP/8.2",
            Location=f"http://127.0.0.1:{other}/",
            Strict_Transport_Security="max-age=1",
            WWW_Authenticate='Basic realm="a, Digest b", Negotiate',
        )
    ) as number:  # fmt: skip
        [answer] = only(probe(HttpAnswers, number), HttpAnswers).answers
    assert followed == []
    assert (answer.status, answer.tls, answer.title) == (302, False, "Log <in> \\u202e")
    assert answer.password_form
    assert answer.server == "Apache/2.4.1 \\u001b[31m"
    assert (answer.powered_by, answer.hsts) == ("PHP/8.2", "max-age=1")
    assert answer.location == f"http://127.0.0.1:{other}/"
    assert answer.authenticate == ("basic", "negotiate")


def test_a_chunked_page_is_joined_and_lying_chunks_are_left() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    good = b"7\r\n<title>\r\n5\r\nHello\r\n8\r\n</title>\r\n0\r\n\r\n"
    for body, title in ((good, "Hello"), (b"FFFFFF\r\n<title>x</title>", "x"), (b"-5\r\nabc", "")):
        reply = head + body

        def handle(connection: socket.socket, reply: bytes = reply) -> None:
            connection.recv(4096)
            connection.sendall(reply)

        with serving(handle) as number:
            [answer] = only(probe(HttpAnswers, number), HttpAnswers).answers
        assert answer.title == title


HOSTILE = (mute, dripping, resetting(1), saying(b"\x00\xff\x1b[31m" * 40 + b"\r\n"), lambda c: c.close())


def test_hostile_servers_give_a_gap_and_never_a_fact() -> None:
    def hold(kind: type[Fact], number: int) -> None:
        found = probe(kind, number, service="imap", seconds=0.5)
        assert reason(found, kind).isprintable(), kind
        assert found.facts == (), kind

    with contextlib.ExitStack() as stack, ThreadPoolExecutor(24) as pool:
        numbers = [stack.enter_context(serving(server)) for server in HOSTILE]
        # Of an API there is nothing to know where nothing hints at one.
        kinds = [kind for kind in QUESTIONS if kind is not ApiLogins]
        for done in [pool.submit(hold, kind, number) for kind in kinds for number in numbers]:
            done.result()
