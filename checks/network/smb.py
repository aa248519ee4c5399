"""Windows file sharing: old versions, messages that nobody signs, and sessions without a name."""

from __future__ import annotations

from checks.check import check
from checks.facts.network.smb import SmbOneServers, SmbServers, SmbSessions
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.model import Confidence, Exploit, Impact, Severity, Surface, Weakness
from checks.verdict import Verdicts, expect, unknown

_SAMBA_UNDO = "mv /etc/samba/smb.conf.before /etc/samba/smb.conf && systemctl restart smbd"


def _samba(*settings: str) -> Snippet:
    """The settings at the head of the global section, and the way back.

    Samba takes the last of several values, so the old ones go.
    """
    lines = "".join(f"\\n{setting}" for setting in settings)
    old = "|".join(setting.partition(" =")[0].replace("server min", "(server )?min") for setting in settings)
    return Snippet(
        Language.SHELL,
        "# On @{target} (port @{port}), for Samba, whose service is smbd on Debian and smb on RHEL:\n"
        "cp -p /etc/samba/smb.conf /etc/samba/smb.conf.before\n"
        f"sed -i -E -e '/^[[:space:]]*({old})[[:space:]]*=/Id' "
        f"-e 's/^[[:space:]]*\\[global\\][[:space:]]*$/[global]{lines}/' /etc/samba/smb.conf\n"
        "testparm -s >/dev/null && systemctl restart smbd",
        _SAMBA_UNDO,
    )


@check(
    "network.smb.version-1",
    title="No file server speaks SMB 1",
    severity=Severity.CRITICAL,
    impact=Impact.TOTAL,
    exploit=Exploit.POC_AUTOMATABLE,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Turn SMB 1 off",
        do="Find the clients that still need SMB 1 (Windows: `Set-SmbServerConfiguration -AuditSmb1Access "
        "$true`), replace them, then turn it off: `Set-SmbServerConfiguration -EnableSMB1Protocol $false` on "
        "Windows, `server min protocol = SMB2_10` in Samba.",
        verify="timeout 30 smbclient -N -U % -L @{target} -p @{port} --option='client min protocol=NT1' "
        "-m NT1 "
        "</dev/null   # protocol negotiation failed",
        effort=Effort(setup=2.0, each=0.5),
        disruption=Disruption.RESTART,
        undo="Allow SMB 1 again for the clients that turn out to need it.",
        snippets=(_samba("server min protocol = SMB2_10"),),
        key="smb-1:@{target}:@{on}",
    ),
    refs=(
        ""
        "https://learn.microsoft.com/windows-server/storage/file-server/troubleshoot/smbv1-not-installed-by-default-in-windows",
    ),
)
def version_1(found: SmbOneServers) -> Verdicts:
    """SMB 1 has flaws with which worms took whole networks in a day, and protects nothing that it carries."""
    for server in found.servers:
        if server.answered:
            yield expect(
                not server.spoken,
                on=server.port,
                saw=server.answer,
                want="SMB 1 is refused",
                port=server.port,
            )
        else:
            # Windows without SMB 1 does this, and so does a filter on the way: it is no evidence.
            needs = "the setting EnableSMB1Protocol, read on the host"
            yield unknown(server.port, f"the server {server.answer}", needs=needs, port=server.port)


@check(
    "network.smb.signing",
    title="File servers require signed messages",
    severity=Severity.HIGH,
    exploit=Exploit.POC_AUTOMATABLE,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Require SMB signing",
        do="Require signing: `Set-SmbServerConfiguration -RequireSecuritySignature $true` on Windows "
        "(for many "
        "machines by group policy: digitally sign communications, always), `server signing = mandatory` in "
        "Samba.",
        verify="nmap -Pn -p @{port} --script smb2-security-mode @{target}   # enabled and required",
        effort=Effort(setup=1.0, each=0.25),
        disruption=Disruption.RESTART,
        undo="Set the old value again.",
        snippets=(_samba("server signing = mandatory"),),
        key="smb-signing:@{target}:@{on}",
    ),
)
def signing(found: SmbServers) -> Verdicts:
    """Without signatures, whoever is on the way passes a login on to this server and comes in with it."""
    for server in found.servers:
        how = "required" if server.signing_required else "enabled" if server.signing_enabled else "off"
        yield expect(
            server.signing_required,
            on=server.port,
            saw=f"SMB {server.dialect}, signing {how}",
            want="signing required",
            port=server.port,
        )


@check(
    "network.smb.null-session",
    title="File servers give nobody a session without a name",
    severity=Severity.HIGH,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    surface=Surface.SERVICE,
    weakness=Weakness.WORLD_READABLE_STORE,
    fix=Fix(
        action="Refuse SMB sessions without a name",
        do="Set `restrict anonymous = 2` and `map to guest = never` in Samba; on Windows disable the Guest "
        "account and set RestrictAnonymous to 1 and RestrictNullSessAccess to 1.",
        verify="timeout 30 smbclient -N -U % -L @{target} -p @{port} </dev/null   # NT_STATUS_ACCESS_DENIED",
        effort=Effort(setup=1.0, each=0.5),
        disruption=Disruption.RESTART,
        undo="Put the old settings back and restart the service.",
        snippets=(_samba("restrict anonymous = 2", "map to guest = never"),),
        key="smb-anonymous:@{target}:@{on}",
    ),
)
def null_session(found: SmbSessions) -> Verdicts:
    """A session without a name lists shares, accounts and policies: the map with which an attack begins."""
    for server in found.servers:
        yield expect(
            not (server.kind and server.ipc),
            on=server.port,
            saw=server.answer,
            want="no session without a name",
            port=server.port,
            # What a session of nobody can read was not tried: some servers let it in and tell it nothing.
            confidence=Confidence.LIKELY if server.kind == "null" else Confidence.CONFIRMED,
        )


@check(
    "network.smb.version-told",
    title="File servers tell strangers neither names nor version",
    severity=Severity.LOW,
    exploit=Exploit.HARDENING,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Let only its clients reach the file server",
        do="SMB tells its names and its version before the login by design: let only the clients of this "
        "server reach its port.",
        verify="nmap -Pn -p @{port} @{target}   # filtered, asked from outside of the clients' network",
        effort=Effort(setup=0.5, each=0.25),
        disruption=Disruption.OUTAGE,
        undo="Open the port again for the clients that turn out to need it.",
        snippets=(
            Snippet(
                Language.SHELL,
                "# On @{target}. 192.0.2.0/24 stands for the network of the clients: put yours there.\n"
                "nft add table inet bartizan_@{port}\n"
                "nft add chain inet bartizan_@{port} input '{ type filter hook input priority -10; }'\n"
                "nft add rule inet bartizan_@{port} input iifname lo accept\n"
                "nft add rule inet bartizan_@{port} input tcp dport @{port} ip saddr != 192.0.2.0/24 drop",
                "nft delete table inet bartizan_@{port}",
            ),
        ),
        key="close:@{target}:@{on}",
    ),
)
def version_told(found: SmbSessions) -> Verdicts:
    """Names and versions tell an attacker which flaws and which accounts are worth trying."""
    for server in found.servers:
        yield expect(
            not server.told,
            on=server.port,
            saw=", ".join(server.told) or "nothing is told",
            want="nothing is told",
            port=server.port,
        )
