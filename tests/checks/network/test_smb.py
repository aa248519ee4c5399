from __future__ import annotations

from checks.facts.network.smb import (
    SmbOne,
    SmbOneServers,
    SmbServer,
    SmbServers,
    SmbSession,
    SmbSessions,
)
from checks.model import Outcome, Severity
from tests.checks.network.judging import CATALOGUE, hold_by, judge, outcomes


def one(*, spoken: bool = False, answered: bool = True) -> SmbOneServers:
    return SmbOneServers((SmbOne("tcp/445", spoken, answered, "what was said"),))


def server(*, required: bool = True, enabled: bool = True) -> SmbServers:
    return SmbServers((SmbServer("tcp/445", "3.1.1", enabled, required, ""),))


def session(kind: str = "", *, ipc: bool = False, told: tuple[str, ...] = ()) -> SmbSessions:
    return SmbSessions((SmbSession("tcp/445", kind, ipc, "what was said", told),))


def test_a_server_that_speaks_smb_1_fails() -> None:
    hold_by("network.smb.version-1", one(spoken=True), one(), "tcp/445")
    assert CATALOGUE.checks["network.smb.version-1"].severity is Severity.CRITICAL


def test_a_server_that_leaves_without_a_word_is_unknown() -> None:
    [finding] = judge("network.smb.version-1", one(answered=False))
    assert (finding.outcome, finding.on) == (Outcome.UNKNOWN, "tcp/445")
    assert "EnableSMB1Protocol" in finding.needs


def test_messages_that_nobody_has_to_sign_fail() -> None:
    hold_by("network.smb.signing", server(required=False), server(), "tcp/445")
    [finding] = judge("network.smb.signing", server(required=False, enabled=False))
    assert finding.saw == "SMB 3.1.1, signing off"


def test_a_session_without_a_name_fails_where_it_reaches_something() -> None:
    hold_by("network.smb.null-session", session("null", ipc=True), session(), "tcp/445")
    assert outcomes(judge("network.smb.null-session", session("guest", ipc=True))) == {
        "tcp/445": Outcome.FAIL
    }
    assert outcomes(judge("network.smb.null-session", session("null"))) == {"tcp/445": Outcome.PASS}


def test_names_and_versions_that_are_told_fail() -> None:
    told = session(told=("computer FILES", "version 10.0.20348"))
    hold_by("network.smb.version-told", told, session(), "tcp/445")
