from __future__ import annotations

import msgspec
import pytest

from checks.facts.network import OpenPort, OpenPorts
from checks.facts.network.mail import SmtpRelay, SmtpRelays, SmtpUser, SmtpUsers
from checks.model import Outcome
from tests.checks.network.judging import cannot_know, filled, hold_by, judge, open_ports, outcomes


def relay(*, accepted: bool) -> SmtpRelays:
    return SmtpRelays((SmtpRelay("tcp/25", accepted, "RCPT: what was said"),))


def seen_from(vantage: str) -> OpenPorts:
    return msgspec.structs.replace(open_ports(), vantage=vantage)


def test_a_relay_that_is_open_from_outside_fails() -> None:
    check = "network.mail.open-relay"
    [finding] = judge(check, relay(accepted=True), seen_from("outside"))
    assert (finding.outcome, finding.on) == (Outcome.FAIL, "tcp/25")
    filled(check, finding)
    assert outcomes(judge(check, relay(accepted=False), seen_from("outside"))) == {"tcp/25": Outcome.PASS}
    cannot_know(check, SmtpRelays)


@pytest.mark.parametrize("vantage", ["inside", "loopback", "office"])
def test_a_relay_that_serves_its_own_people_is_not_judged(vantage: str) -> None:
    check = "network.mail.open-relay"
    [finding] = judge(check, relay(accepted=True), seen_from(vantage))
    assert (finding.outcome, finding.needs) == (Outcome.UNKNOWN, "a scan from outside")
    assert vantage in finding.reason
    assert outcomes(judge(check, relay(accepted=False), seen_from(vantage))) == {"tcp/25": Outcome.PASS}


def test_a_server_that_tells_who_has_a_mailbox_fails() -> None:
    def user(*, tells: bool) -> SmtpUsers:
        return SmtpUsers((SmtpUser("tcp/25", tells, "VRFY: 252 and 550"),))

    hold_by("network.mail.user-names", user(tells=True), user(tells=False), "tcp/25")


@pytest.mark.parametrize(
    ("service", "banner", "version", "outcome"),
    [
        ("smtp", "220 mx.lab.test ESMTP Exim 4.96 Mon, 1 Jan 2026", "4.96", Outcome.FAIL),
        ("smtp", "220 mx ESMTP Sendmail 8.15.2/8.15.2; Mon", "", Outcome.FAIL),
        ("imap", "* OK Courier-IMAP ready v4.18.1", "", Outcome.FAIL),
        ("smtp", "220 mx-1.2.lab.test ESMTP Postfix (Debian/GNU)", "", Outcome.PASS),
        ("smtp", "220 [10.0.0.25] ESMTP", "", Outcome.PASS),
        ("pop3", "+OK Dovecot ready. <1.2.3.4@x>", "", Outcome.PASS),
    ],
)
def test_a_greeting_with_a_version_fails(service: str, banner: str, version: str, outcome: Outcome) -> None:
    found = open_ports(OpenPort(25, "tcp", service, version=version, banner=banner))
    assert outcomes(judge("network.mail.version-told", found)) == {"tcp/25": outcome}


def test_other_services_and_silent_ones_are_not_mail() -> None:
    found = open_ports(
        OpenPort(22, "tcp", "ssh", version="9.2", banner="SSH-2.0-9.2"), OpenPort(25, "tcp", "smtp")
    )
    assert outcomes(judge("network.mail.version-told", found)) == {"": Outcome.NOT_APPLICABLE}
    cannot_know("network.mail.version-told", OpenPorts)
