"""FTP, NFS, Samba and SNMP, judged."""

from __future__ import annotations

from typing import Any

import pytest

from checks.check import Check
from checks.facts.host.packages import Package, Packages
from checks.facts.host.shares import (
    FtpDaemons,
    FtpServer,
    NfsExport,
    NfsExports,
    Samba,
    SambaShare,
    SnmpAgent,
    SnmpCommunity,
)
from checks.host import shares
from checks.model import Outcome, Severity
from tests.checks.host.judging import checks_of, failing, judged, says_unknown


def samba(*found: SambaShare, **settings: str) -> Samba:
    return Samba(
        "/etc/samba/smb.conf", {key.replace("_", " "): value for key, value in settings.items()}, found
    )


def version(text: str) -> Packages:
    return Packages("dpkg", (Package("samba", text, "amd64", "samba", text),))


@pytest.mark.parametrize("check", checks_of(shares))
def test_what_could_not_be_read_is_unknown(check: Check[Any]) -> None:
    says_unknown(check)


def test_anonymous_ftp() -> None:
    def server(anonymous: bool, uploads: bool = False) -> FtpDaemons:
        return FtpDaemons((FtpServer("vsftpd", "/etc/vsftpd.conf", anonymous, uploads, False, ""),))

    assert failing(shares.ftp_anonymous, server(False)) == []
    [reads] = judged(shares.ftp_anonymous, server(True))
    [writes] = judged(shares.ftp_anonymous, server(True, True))
    assert (reads.severity, writes.severity) == (Severity.HIGH, Severity.CRITICAL)
    assert "the default" in reads.saw


@pytest.mark.parametrize(
    ("client", "options", "severity"),
    [
        ("*", ("rw",), Severity.HIGH),
        ("*", ("ro",), Severity.MEDIUM),
        ("10.0.0.0/8", ("rw",), None),
        ("10.0.0.5", ("rw", "no_root_squash"), Severity.HIGH),
        ("*", ("rw", "sec=krb5p"), None),
        ("0.0.0.0/0", (), Severity.MEDIUM),
        ("0.0.0.0/0.0.0.0", ("rw",), Severity.HIGH),
        ("0/0", ("rw",), Severity.HIGH),
        ("*.*.*.*", ("rw",), Severity.HIGH),
        ("*", ("rw", "sec=krb5p:sys"), Severity.HIGH),
        ("*", ("rw", "sec=krb5:krb5i"), None),
    ],
)
def test_exports(client: str, options: tuple[str, ...], severity: Severity | None) -> None:
    found = NfsExports((NfsExport("/etc/exports", "/srv", client, options),))
    [finding] = judged(shares.nfs_exports, found)
    assert finding.on == f"/srv to {client}"
    assert (finding.severity if finding.outcome is Outcome.FAIL else None) == severity


def test_no_export_is_a_pass() -> None:
    assert failing(shares.nfs_exports, NfsExports(())) == []


def test_shares_for_guests() -> None:
    found = samba(
        SambaShare("pub", True, True), SambaShare("read", True, False), SambaShare("own", False, True)
    )
    assert failing(shares.samba_guests, found) == ["[pub]", "[read]"]
    assert [one.severity for one in judged(shares.samba_guests, found)] == [Severity.HIGH, Severity.MEDIUM]
    assert failing(shares.samba_guests, samba(SambaShare("own", False, True))) == []


@pytest.mark.parametrize(
    ("value", "package", "outcome"),
    [
        ("nt1", "2:4.17.12", Outcome.FAIL),
        ("smb2", "2:4.17.12", Outcome.PASS),
        ("smb3_11", "4.20", Outcome.PASS),
        ("", "2:4.17.12", Outcome.PASS),
        ("", "4.10.16-24.el7", Outcome.FAIL),
        ("", "odd", Outcome.UNKNOWN),
    ],
)
def test_smb_1(value: str, package: str, outcome: Outcome) -> None:
    found = samba(server_min_protocol=value) if value else samba()
    [finding] = judged(shares.samba_protocol, found, version(package))
    assert finding.outcome is outcome


@pytest.mark.parametrize(
    ("settings", "outcome"),
    [
        ({"server_signing": "mandatory"}, Outcome.PASS),
        ({"server_smb_encrypt": "required"}, Outcome.PASS),
        ({"server_signing": "auto"}, Outcome.FAIL),
        ({}, Outcome.FAIL),
    ],
)
def test_signing(settings: dict[str, str], outcome: Outcome) -> None:
    [finding] = judged(shares.samba_signing, samba(**settings))
    assert finding.outcome is outcome


def test_communities() -> None:
    def agent(*found: tuple[bool, bool, str]) -> SnmpAgent:
        return SnmpAgent(tuple(SnmpCommunity("/etc/snmp/snmpd.conf", *one) for one in found))

    assert failing(shares.snmp_communities, agent()) == []
    assert failing(shares.snmp_communities, agent((False, False, "10.0.0.0/8"))) == []
    [bad] = judged(shares.snmp_communities, agent((True, False, "anywhere"), (False, True, "10.0.0.5")))
    assert (bad.on, bad.severity) == ("/etc/snmp/snmpd.conf", Severity.HIGH)
    assert "may write" in bad.saw
    [local] = judged(shares.snmp_communities, agent((True, False, "localhost")))
    assert local.severity is Severity.LOW
