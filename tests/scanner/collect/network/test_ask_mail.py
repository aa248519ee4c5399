"""Relays and mailboxes: a real Postfix, and servers that are made of words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from checks.facts.network import OpenPort
from checks.facts.network.mail import SmtpRelays, SmtpUsers
from checks.facts.snapshot import Fact
from scanner.collect.collector import Collected
from scanner.collect.network.ask import mail
from scanner.collect.network.ask.mail import SENDER
from tests.lab.asking import ask, only, reason
from tests.lab.daemons import daemon
from tests.lab.services import answering, certificate, inside_tls, saying, serving

QUESTIONS = {fact: one.ask for one in mail.QUESTIONS for fact in one.facts}


def probe(fact: type[Fact], number: int, *, tls: bool = False, seconds: float = 5.0) -> Collected:
    return ask(QUESTIONS[fact], OpenPort(number, "tcp", "smtp", tls=tls), fact, seconds=seconds)


@pytest.fixture(scope="module")
def open_relay() -> Iterator[int]:
    with daemon("postfix-relay") as running:
        yield running.tcp[0]


@pytest.fixture(scope="module")
def closed_relay() -> Iterator[int]:
    with daemon("postfix-good") as running:
        yield running.tcp[0]


@pytest.mark.real
def test_a_real_postfix_that_passes_everything_on(open_relay: int) -> None:
    [relay] = only(probe(SmtpRelays, open_relay), SmtpRelays).servers
    assert relay.accepted
    assert relay.answer.startswith("RCPT: 250 ")
    [user] = only(probe(SmtpUsers, open_relay), SmtpUsers).servers
    assert user.answer.startswith("VRFY: 252 and ")


@pytest.mark.real
def test_a_real_postfix_that_is_closed_is_asked_inside_tls(closed_relay: int) -> None:
    [relay] = only(probe(SmtpRelays, closed_relay), SmtpRelays).servers
    assert not relay.accepted
    assert "Relay access denied" in relay.answer
    [user] = only(probe(SmtpUsers, closed_relay), SmtpUsers).servers
    assert not user.tells


def smtp(answers: dict[bytes, bytes], heard: list[bytes] | None = None) -> Callable[[bytes], bytes]:
    """A server that answers by the beginning of each command, and with 250 to the rest."""

    def reply(data: bytes) -> bytes:
        if heard is not None:
            heard.append(data)
        for start, answer in answers.items():
            if data.startswith(start):
                return answer
        return b"250 ok\r\n"

    return reply


GREETING = b"220-mx\r\n220 ready\r\n"


def test_the_conversation_ends_before_any_mail() -> None:
    heard: list[bytes] = []
    with serving(answering(smtp({}, heard), GREETING)) as number:
        assert only(probe(SmtpRelays, number), SmtpRelays).servers[0].accepted
    assert [words.split()[0] for words in heard[:3]] == [b"EHLO", b"MAIL", b"RCPT"]
    assert heard[3:] == [b"RSET\r\nQUIT\r\n"]
    assert b"DATA" not in b"".join(heard)


@pytest.mark.parametrize(
    ("answers", "accepted"),
    [
        ({b"RCPT": b"251 will forward\r\n"}, True),
        ({b"RCPT": b"554 5.7.1 Relay access denied\r\n"}, False),
        ({b"RCPT": b"454 4.7.1 <b@example.org>: Relay access denied\r\n"}, False),
        ({b"RCPT": b"550 5.7.1 Unable to relay\r\n"}, False),
        ({b"MAIL": b"530 5.7.0 Authentication required\r\n"}, False),
        ({b"MAIL FROM:<b": b"550 no such sender\r\n", b"RCPT": b"250 ok\r\n"}, True),
        ({b"RCPT": b"550 relay not permitted\r\n"}, False),
        ({b"RCPT": b"550 Administrative prohibition\r\n"}, False),
        ({b"RCPT": b"554 5.7.1 mx.lab.test: Relay access denied\r\n"}, False),
        ({b"RCPT": b"550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain\r\n"}, False),
        ({b"RCPT": b"550 I cannot deliver mail for <b@example.org>\r\n"}, False),
        ({b"RCPT": b"553 sorry, that domain isn't in my list of allowed rcpthosts\r\n"}, False),
    ],
)
def test_answers_about_relaying(answers: dict[bytes, bytes], accepted: bool) -> None:
    with serving(answering(smtp(answers), GREETING)) as number:
        assert only(probe(SmtpRelays, number), SmtpRelays).servers[0].accepted is accepted


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({b"RCPT": b"450 4.2.0 Greylisted, come back later\r\n"}, "another reason"),
        ({b"RCPT": b"454 4.3.0 try again\r\n"}, "decides nothing"),
        ({b"RCPT": b"556 5.1.10 does not accept mail\r\n"}, "recipient's domain"),
        ({b"RCPT": b"550 5.1.2 bad destination\r\n"}, "recipient's domain"),
        ({b"MAIL": b"550 go away\r\n"}, "no sender was taken"),
        ({b"RCPT": b"550 5.7.27 Sender address rejected\r\n"}, "no sender was taken"),
        ({b"RCPT": b"554 5.7.1 Client host blocked using a list\r\n"}, "another reason"),
        ({b"RCPT": b"504 5.5.2 <bartizan.invalid>: Helo command rejected\r\n"}, "another reason"),
        ({b"MAIL": b"530 Must issue a STARTTLS command first\r\n"}, "no sender was taken"),
        ({b"EHLO": b"502 what\r\n"}, "502"),
        ({b"RCPT": b"550 Unrouteable address\r\n"}, "another reason"),
        ({b"RCPT": b"550 5.7.1 Reverse DNS lookup failed\r\n"}, "another reason"),
        ({b"RCPT": b"550 5.7.1 SPF check failed\r\n"}, "another reason"),
        ({b"RCPT": b"554 no\r\n"}, "decides nothing"),
        ({b"RCPT": b"501 5.1.3 Bad recipient address syntax\r\n"}, "decides nothing"),
        ({b"RCPT": b"421 too busy\r\n"}, "busy"),
        ({b"RCPT": b"hello\r\n"}, "no answer of SMTP"),
        ({b"RCPT": b"250-more\r\n" * 100}, "more than 60 lines"),
        ({b"EHLO": b"250-mx\r\n250 STARTTLS\r\n", b"STARTTLS": b"454 not now\r\n"}, "454"),
        ({b"RCPT": b""}, "closed"),
    ],
)
def test_answers_about_relaying_that_decide_nothing(answers: dict[bytes, bytes], words: str) -> None:
    with serving(answering(smtp(answers), GREETING)) as number:
        assert words in reason(probe(SmtpRelays, number), SmtpRelays)


def test_a_sender_that_is_minded_only_at_the_recipient_is_left_out() -> None:
    senders: list[bytes] = []

    def reply(data: bytes) -> bytes:
        if data.startswith(b"MAIL"):
            senders.append(data)
        minded = data.startswith(b"RCPT") and SENDER in senders[-1]
        return b"550 5.7.27 Sender address rejected: no mail\r\n" if minded else b"250 ok\r\n"

    with serving(answering(reply, GREETING)) as number:
        assert only(probe(SmtpRelays, number), SmtpRelays).servers[0].accepted
    assert senders[-1] == b"MAIL FROM:<>\r\n"


@pytest.mark.parametrize(
    ("known", "made_up", "tells"),
    [
        (b"252 ok\r\n", b"550 no\r\n", True),
        (b"252 ok\r\n", b"252 ok\r\n", False),
        (b"250 <postmaster@x>\r\n", b"252 perhaps\r\n", True),
        (b"502 no\r\n", b"502 no\r\n", False),
    ],
)
def test_answers_about_mailboxes(known: bytes, made_up: bytes, tells: bool) -> None:
    answers = {b"VRFY post": known, b"VRFY": made_up, b"EXPN": b"502 no\r\n"}
    with serving(answering(smtp(answers), GREETING)) as number:
        [user] = only(probe(SmtpUsers, number), SmtpUsers).servers
    assert user.tells is tells


def test_a_list_that_is_expanded_tells_too_and_one_that_is_put_off_does_not() -> None:
    answers = {b"VRFY": b"502 no\r\n", b"EXPN post": b"250-a@x\r\n250 b@x\r\n", b"EXPN": b"550 no\r\n"}
    with serving(answering(smtp(answers), GREETING)) as number:
        assert only(probe(SmtpUsers, number), SmtpUsers).servers[0].tells
    with serving(answering(smtp({b"VRFY": b"450 later\r\n"}), GREETING)) as number:
        assert "put off" in reason(probe(SmtpUsers, number), SmtpUsers)


def test_inside_tls_from_the_first_byte(tmp_path: Path) -> None:
    made = certificate(tmp_path, bits=0)
    with serving(inside_tls(made, answering(smtp({b"RCPT": b"554 no relay\r\n"}), GREETING))) as number:
        assert not only(probe(SmtpRelays, number, tls=True), SmtpRelays).servers[0].accepted
    with serving(saying(b"554 no service\r\n")) as number:
        assert "554" in reason(probe(SmtpRelays, number), SmtpRelays)
