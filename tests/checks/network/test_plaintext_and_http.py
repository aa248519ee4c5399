from __future__ import annotations

import msgspec
import pytest

from checks.facts.network import OpenPorts
from checks.facts.network.files import FtpServer, FtpServers
from checks.facts.network.mail import MailServer, MailServers
from checks.facts.network.web import HttpAnswer, HttpAnswers
from checks.model import Outcome
from tests.checks.network.judging import hold_by, judge, open_ports, outcomes


def ftp(*, tls: bool = True, anonymous: bool = False) -> FtpServers:
    return FtpServers((FtpServer("tcp/21", tls, anonymous),))


def mail(
    *, tls: bool = False, starttls: bool = True, plain: bool = False, protocol: str = "imap"
) -> MailServers:
    return MailServers((MailServer("tcp/143", protocol, tls, starttls, plain),))


def web(more: dict[str, object] | None = None, *, tls: bool = False) -> HttpAnswers:
    return HttpAnswers((msgspec.structs.replace(HttpAnswer("tcp/80", tls, 200), **(more or {})),))


def test_ftp_without_tls_fails() -> None:
    hold_by("network.plaintext.ftp-tls", ftp(tls=False), ftp(), "tcp/21")


def test_anonymous_ftp_fails() -> None:
    hold_by("network.plaintext.ftp-anonymous", ftp(anonymous=True), ftp(), "tcp/21")


def test_mail_passwords_before_tls_fail() -> None:
    hold_by("network.plaintext.mail-login", mail(plain=True), mail(), "tcp/143", open_ports())
    inside = mail(tls=True, starttls=False, plain=True)
    assert outcomes(judge("network.plaintext.mail-login", inside, open_ports())) == {"tcp/143": Outcome.PASS}


def test_mail_servers_that_trust_their_own_machine_are_not_judged_from_there() -> None:
    here: OpenPorts = msgspec.structs.replace(open_ports(), vantage="loopback")
    [finding] = judge("network.plaintext.mail-login", mail(plain=True), here)
    assert (finding.outcome, finding.needs) == (Outcome.UNKNOWN, "a scan from another machine")
    assert outcomes(judge("network.plaintext.mail-login", mail(), here)) == {"tcp/143": Outcome.PASS}


def test_mail_without_tls_fails() -> None:
    hold_by("network.plaintext.mail-starttls", mail(starttls=False), mail(), "tcp/143")
    [finding] = judge("network.plaintext.mail-starttls", mail(starttls=False, protocol="smtp"))
    assert "-starttls smtp " in finding.fix.verify


@pytest.mark.parametrize("asks", [{"password_form": True}, {"authenticate": ("negotiate", "basic")}])
def test_a_login_without_tls_fails(asks: dict[str, object]) -> None:
    hold_by("network.plaintext.web-login", web(asks), web({"authenticate": ("digest",)}), "tcp/80")
    assert outcomes(judge("network.plaintext.web-login", web(asks, tls=True))) == {"": Outcome.NOT_APPLICABLE}


@pytest.mark.parametrize(
    ("location", "outcome"),
    [
        ("https://10.0.0.5/", Outcome.PASS),
        ("/login", Outcome.UNKNOWN),
        ("http://10.0.0.5/login", Outcome.UNKNOWN),
        ("//10.0.0.5/https:", Outcome.UNKNOWN),
    ],
)
def test_a_front_page_that_leads_on_without_tls_says_nothing(location: str, outcome: Outcome) -> None:
    fact = web({"status": 302, "location": location})
    assert outcomes(judge("network.plaintext.web-login", fact)) == {"tcp/80": outcome}


@pytest.mark.parametrize("told", [{"server": "nginx/1.22.1"}, {"powered_by": "PHP/8.2.7"}])
def test_a_version_in_the_headers_fails(told: dict[str, object]) -> None:
    hold_by("network.http.version-disclosure", web(told), web({"server": "nginx"}), "tcp/80")


@pytest.mark.parametrize("value", ["", "max-age=0", "max-age=86400; includeSubDomains", "preload"])
def test_https_without_a_long_hsts_fails(value: str) -> None:
    good = web({"hsts": 'Max-Age="31536000"; preload'}, tls=True)
    hold_by("network.http.hsts", web({"hsts": value}, tls=True), good, "tcp/80")


def test_hsts_is_not_asked_of_plain_http() -> None:
    assert outcomes(judge("network.http.hsts", web())) == {"": Outcome.NOT_APPLICABLE}
