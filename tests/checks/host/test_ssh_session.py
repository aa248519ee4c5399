"""What an SSH server lets a connection do, judged."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from checks.check import Check
from checks.facts.host.sshd import Sshd
from checks.facts.snapshot import Absence
from checks.host import ssh_server, ssh_session
from checks.model import Outcome
from tests.checks.host.judging import checks_of, failing, judged, outcomes, says_unknown
from tests.checks.host.test_ssh import SAFE, server

OPTIONS = {
    "maxstartups": "10:30:60",
    "disableforwarding": "yes",
    "allowtcpforwarding": "yes",
    "allowstreamlocalforwarding": "yes",
    "allowagentforwarding": "yes",
    "permittunnel": "no",
    "banner": "/etc/issue.net",
    "usepam": "yes",
    "strictmodes": "yes",
    "allowgroups": "staff",
}
GOOD = msgspec.structs.replace(SAFE, client_alive_interval=300, options=OPTIONS)
CHECKS = {
    check.id: check
    for check in (
        *checks_of(ssh_session),
        ssh_server.allow_list,
        ssh_server.pam,
        ssh_server.strict_modes,
    )
}


def sshd(**changes: Any) -> Sshd:
    return Sshd((server(msgspec.structs.replace(GOOD, **changes)),))


def options(**changes: str) -> Sshd:
    return sshd(options={name: value for name, value in {**OPTIONS, **changes}.items() if value})


BAD: list[tuple[str, str, Sshd]] = [
    ("host.ssh-session.max-sessions", "MaxSessions", sshd(max_sessions=11)),
    ("host.ssh-session.max-startups", "MaxStartups", options(maxstartups="10:30:100")),
    ("host.ssh-session.max-startups", "MaxStartups", options(maxstartups="10:20:60")),
    ("host.ssh-session.max-startups", "MaxStartups", options(maxstartups="60:100:60")),
    ("host.ssh-session.idle", "ClientAliveInterval", sshd(client_alive_interval=0)),
    ("host.ssh-session.idle", "ClientAliveInterval", sshd(client_alive_interval=301)),
    ("host.ssh-session.idle", "ClientAliveCountMax", sshd(client_alive_count_max=0)),
    ("host.ssh-session.forwarding", "DisableForwarding", options(disableforwarding="no")),
    ("host.ssh-session.forwarding", "DisableForwarding", options(disableforwarding="")),
    ("host.ssh-session.tunnels", "PermitTunnel", options(permittunnel="ethernet")),
    ("host.ssh-session.banner", "Banner", options(banner="none")),
    ("host.ssh-server.allow-list", "AllowUsers or AllowGroups", options(allowgroups="")),
    ("host.ssh-server.allow-list", "AllowUsers or AllowGroups", options(allowgroups="*")),
    ("host.ssh-server.pam", "UsePAM", options(usepam="no")),
    ("host.ssh-server.strict-modes", "StrictModes", options(strictmodes="no")),
]


@pytest.mark.parametrize(("check", "on", "found"), BAD)
def test_a_bad_value_fails(check: str, on: str, found: Sshd) -> None:
    assert failing(CHECKS[check], found) == [on]


@pytest.mark.parametrize("check", CHECKS)
def test_a_careful_server_passes_and_every_check_has_a_failing_case(check: str) -> None:
    assert failing(CHECKS[check], sshd()) == []
    assert check in {one for one, _, _ in BAD}


@pytest.mark.parametrize("check", CHECKS.values(), ids=list(CHECKS))
def test_what_could_not_be_read_is_unknown_and_no_server_is_none(check: Check[Any]) -> None:
    says_unknown(check)
    [finding] = judged(check, absences=[Absence("Sshd", "no sshd is installed")])
    assert finding.outcome is Outcome.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("check", "option"),
    [
        (ssh_session.max_startups, "maxstartups"),
        (ssh_session.tunnels, "permittunnel"),
        (ssh_session.banner, "banner"),
        (ssh_server.strict_modes, "strictmodes"),
    ],
)
def test_an_option_that_the_server_does_not_tell_is_unknown(check: Check[Any], option: str) -> None:
    [finding] = judged(check, options(**{option: ""}))
    assert finding.outcome is Outcome.UNKNOWN


def test_a_server_without_pam_is_no_matter_of_pam() -> None:
    [finding] = judged(ssh_server.pam, options(usepam=""))
    assert finding.outcome is Outcome.NOT_APPLICABLE


def test_forwarding_that_is_off_kind_by_kind_passes_and_roles_are_let() -> None:
    off = {"disableforwarding": "no", "allowstreamlocalforwarding": "no", "allowagentforwarding": "no"}
    assert failing(ssh_session.forwarding, options(**off, allowtcpforwarding="no")) == []
    assert failing(ssh_session.forwarding, options(**off)) == ["DisableForwarding"]
    tcp = frozenset({"AllowTcpForwarding"})
    assert failing(ssh_session.forwarding, options(**off), allowed=tcp) == []
    # One that is open for local connections only is open.
    assert failing(ssh_session.forwarding, options(**off, allowtcpforwarding="local")) == [
        "DisableForwarding"
    ]


def test_a_match_block_that_opens_a_tunnel_is_found_and_its_fix_goes_into_the_block() -> None:
    block = msgspec.structs.replace(
        GOOD, options={**OPTIONS, "permittunnel": "yes"}, condition="Match Group net", part=1
    )
    found = judged(ssh_session.tunnels, Sshd((server(GOOD, block),)))
    assert outcomes(found) == {
        "PermitTunnel": Outcome.PASS,
        "PermitTunnel in Match Group net": Outcome.FAIL,
    }
    assert "block='Match Group net'" in found[1].fix.snippets[0].do


def test_what_is_open_to_others_than_root_is_no_block_of_the_file() -> None:
    others = msgspec.structs.replace(
        GOOD, options={**OPTIONS, "banner": "none"}, condition="logins of others than root", part=1
    )
    [_, bad] = judged(ssh_session.banner, Sshd((server(GOOD, others),)))
    assert "block=''" in bad.fix.snippets[0].do
