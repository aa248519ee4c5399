from __future__ import annotations

from checks.facts.network.screens import RdpServer, RdpServers, X11Server, X11Servers
from checks.model import Outcome
from tests.checks.network.judging import hold_by, judge, outcomes


def desktop(*, standard: bool = False, tls: bool = False) -> RdpServers:
    return RdpServers((RdpServer("tcp/3389", standard, tls, network_level=True),))


def test_a_desktop_without_a_login_first_fails() -> None:
    hold_by("network.screens.rdp-login", desktop(tls=True), desktop(), "tcp/3389")
    [finding] = judge("network.screens.rdp-login", desktop(standard=True, tls=True))
    assert finding.saw == "RDP security and TLS accepted without a login first"


def test_a_desktop_with_its_own_encryption_fails() -> None:
    hold_by("network.screens.rdp-tls", desktop(standard=True), desktop(tls=True), "tcp/3389")


def test_a_display_that_takes_everybody_fails() -> None:
    opened = X11Servers((X11Server("tcp/6000", open=True, answer="the setup succeeded"),))
    closed = X11Servers((X11Server("tcp/6000", open=False, answer="refused: no key"),))
    hold_by("network.screens.x11-access", opened, closed, "tcp/6000")
    [finding] = judge("network.screens.x11-access", X11Servers((X11Server("tcp/6003", True, "open"),)))
    assert "-display 10.0.0.5:3 " in finding.fix.verify
    assert outcomes(judge("network.screens.x11-access", X11Servers(()))) == {"": Outcome.NOT_APPLICABLE}
