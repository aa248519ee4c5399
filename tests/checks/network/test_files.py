from __future__ import annotations

import pytest

from checks.facts.network import OpenPort
from checks.facts.network.files import (
    NfsExport,
    NfsServer,
    NfsServers,
    RsyncModule,
    RsyncServer,
    RsyncServers,
)
from checks.model import Confidence, Outcome
from tests.checks.network.judging import answers, filled, hold_by, judge, open_ports, outcomes


def exported(*clients: str) -> NfsServers:
    return NfsServers((NfsServer("tcp/111", "tcp/20048", (NfsExport("/srv", clients),)),))


def module(*, opened: bool) -> RsyncServers:
    return RsyncServers((RsyncServer("tcp/873", (RsyncModule("backup", opened, "what was said"),)),))


@pytest.mark.parametrize(
    "clients",
    [
        (),
        ("*",),
        ("10.0.0.1", "0.0.0.0/0"),
        ("(everyone)",),
        ("::/0",),
        ("0.0.0.0/0.0.0.0",),
        ("128.0.0.0/1",),
        ("*.*",),
        ("*.com",),
        ("",),
    ],
)
def test_an_export_to_everybody_fails(clients: tuple[str, ...]) -> None:
    good = exported("10.0.0.0/8", "*.lab.test", "@trusted", "2001:db8::/32", "web-1", "192.0.2.7", "fe80::1")
    hold_by("network.files.nfs-exports", exported(*clients), good, "tcp/20048 /srv")


def test_an_open_module_fails() -> None:
    hold_by("network.files.rsync-modules", module(opened=True), module(opened=False), "tcp/873 backup")
    assert outcomes(judge("network.files.rsync-modules", RsyncServers(()))) == {"": Outcome.NOT_APPLICABLE}


def test_an_open_print_port_fails_and_only_a_reset_shows_that_it_is_closed() -> None:
    check = "network.files.printer-raw-port"
    [finding] = judge(check, open_ports(OpenPort(9100, "tcp", note="not asked")), answers())
    assert (finding.outcome, finding.on, finding.confidence) == (
        Outcome.FAIL,
        "tcp/9100",
        Confidence.LIKELY,
    )
    assert "nothing was sent" in finding.saw
    filled(check, finding)
    assert outcomes(judge(check, open_ports(), answers(closed=(9100,)))) == {"tcp/9100": Outcome.PASS}
    assert outcomes(judge(check, open_ports(), answers(silent=(9100,)))) == {"tcp/9100": Outcome.UNKNOWN}
    assert outcomes(judge(check, open_ports(), answers(closed=(1,)))) == {"": Outcome.NOT_APPLICABLE}
