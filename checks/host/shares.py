"""What a host shares: files over FTP, NFS and SMB, and its state over SNMP."""

from __future__ import annotations

import re

from checks.check import check
from checks.facts.host.packages import Packages
from checks.facts.host.shares import FtpDaemons, NfsExport, NfsExports, Samba, SnmpAgent
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.model import Exploit, Impact, Severity, Surface
from checks.verdict import Verdicts, expect, unknown

_EVERYBODY = frozenset({"*", "*.*.*.*", "0.0.0.0/0", "0.0.0.0/0.0.0.0", "0/0", "::/0"})
_SMB1 = frozenset({"core", "coreplus", "lanman1", "lanman2", "nt1"})
_SMB2_BY_DEFAULT = (4, 11)
"""The first Samba that speaks no SMB 1 where no line says otherwise."""


@check(
    "host.shares.ftp-anonymous",
    title="FTP lets nobody in without a password",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Switch off anonymous FTP",
        do="Set `anonymous_enable=NO` in @{file} (in ProFTPD take the <Anonymous> block out, in Pure-FTPd "
        "set NoAnonymous to yes), and restart the server.",
        verify="grep -i anonymous @{file}   # anonymous_enable=NO",
        effort=Effort(setup=0.25, each=0.1),
        disruption=Disruption.RESTART,
        undo="Put the former line back, which stands beside the new one as a comment, and restart.",
        snippets=(
            Snippet(
                Language.SHELL,
                "file=@{file}\nprogram=@{program}\n"
                '[ "$program" = vsftpd ] || { echo "edit $file by hand" >&2; exit 1; }\n'
                'sed -i "s/^[[:space:]]*anonymous_enable[[:space:]]*=.*/#before anonymous_enable: &/I" '
                '"$file" &&\n'
                "  printf 'anonymous_enable=NO\\n' >>\"$file\"\n"
                "systemctl try-restart vsftpd >/dev/null 2>&1 || true",
                "file=@{file}\n"
                'sed -i -e "/^anonymous_enable=NO\\$/d" -e "s/^#before anonymous_enable: //" "$file"\n'
                "systemctl try-restart vsftpd >/dev/null 2>&1 || true",
            ),
        ),
        key="ftp:anonymous:@{program}",
    ),
)
def ftp_anonymous(found: FtpDaemons) -> Verdicts:
    """Anonymous FTP shows files to everybody, and where it takes uploads it is used to store stolen goods."""
    for server in found.servers:
        saw = "anonymous logins" + (" that may write" if server.uploads else "")
        how = server.line or "the default"
        yield expect(
            not server.anonymous,
            on=server.file,
            saw=f"{saw} ({how})" if server.anonymous else "none",
            want="none",
            port="tcp/21",
            severity=Severity.CRITICAL if server.uploads else None,
            values={"file": server.file, "program": server.program},
            cite="anonymous",
        )


@check(
    "host.shares.nfs-exports",
    title="NFS exports are for named hosts, and root there is not root here",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Limit NFS exports to named hosts",
        do="In @{file}, name the hosts or networks that need @{path} instead of `@{client}`, take "
        "`no_root_squash` out, and load it with `exportfs -ra`. Who needs the folder a person has to say.",
        verify="exportfs -v | grep -F @{path}   # root_squash, and no * or <world>",
        effort=Effort(setup=0.5, each=0.25),
        disruption=Disruption.RESTART,
        undo="Put the former line back and run `exportfs -ra`.",
        key="nfs:@{path}",
    ),
)
def nfs_exports(found: NfsExports) -> Verdicts:
    """Whoever reaches an export to all mounts it, and with no_root_squash plants programs that make root."""
    for one in found.exports:
        faults = _export_faults(one)
        yield expect(
            not faults,
            on=f"{one.path} to {one.client}",
            saw=faults or one.options or "the default options",
            want="named hosts, root_squash",
            port="tcp/2049",
            severity=Severity.MEDIUM if faults == ["everybody may read"] else None,
            values={"file": one.file, "path": one.path, "client": one.client},
            cite=one.path,
        )
    if not found.exports:
        yield expect(True, on="NFS exports", saw="nothing is exported", want="named hosts, root_squash")


def _export_faults(one: NfsExport) -> list[str]:
    faults = []
    everybody = one.client in _EVERYBODY
    flavours = [kind for option in one.options if option.startswith("sec=") for kind in option[4:].split(":")]
    kerberos = bool(flavours) and all(kind.startswith("krb5") for kind in flavours)
    if everybody and not kerberos:
        faults.append("everybody may write" if "rw" in one.options else "everybody may read")
    if "no_root_squash" in one.options:
        faults.append("root there is root here")
    return faults


@check(
    "host.shares.samba-guests",
    title="Samba shares ask who is there",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Close Samba shares to guests",
        do="Take `guest ok` out of the share [@{share}] in @{file}, name its users (`valid users`), "
        "test with "
        "`testparm -s`, and reload Samba. Who needs the share a person has to say.",
        verify="testparm -s --section-name @{share} 2>/dev/null | grep -i guest   # nothing",
        effort=Effort(setup=0.5, each=0.25),
        undo="Put `guest ok = yes` back and reload Samba.",
        key="samba:guest:@{share}",
    ),
)
def samba_guests(found: Samba) -> Verdicts:
    """A share for guests shows its files to every machine; where it is writable they are soon encrypted."""
    bad = [share for share in found.shares if share.guest]
    for share in bad:
        yield expect(
            False,
            on=f"[{share.name}]",
            saw="guests may write" if share.writable else "guests may read",
            want="users only",
            port="tcp/445",
            severity=None if share.writable else Severity.MEDIUM,
            values={"share": share.name, "file": found.file},
            cite="guest",
        )
    if not bad:
        yield expect(True, on="Samba shares", saw="no share for guests", want="users only")


def _global_option(action: str, caution: str) -> Fix:
    return Fix(
        action=action,
        do="Set `@{option} = @{good}` in [global] of @{file}, test with `testparm -s`, and reload Samba. "
        + caution,
        verify="testparm -sv 2>/dev/null | grep -i @{option}   # @{good}",
        effort=Effort(setup=0.5, each=0.1),
        disruption=Disruption.RESTART,
        undo="Put the former line back, which stands in the file as a comment, and reload Samba.",
        snippets=(
            Snippet(
                Language.SHELL,
                "file=@{file}\noption=@{option}\nvalue=@{good}\n"
                'sed -i -e "s/^[[:space:]]*$option[[:space:]]*=.*/#before $option: &/I" '
                '-e "s/^[[:space:]]*${option#server }[[:space:]]*=.*/#before $option: &/I" '
                '-e "s/^[[:space:]]*\\[global\\].*/&\\n$option = $value/I" "$file"\n'
                'if command -v testparm >/dev/null && ! testparm -s "$file" >/dev/null 2>&1; then\n'
                '  sed -i -e "/^$option = $value\\$/d" -e "s/^#before $option: //" "$file"; exit 1\nfi\n'
                "smbcontrol all reload-config >/dev/null 2>&1 || true",
                "file=@{file}\noption=@{option}\nvalue=@{good}\n"
                'sed -i -e "/^$option = $value\\$/d" -e "s/^#before $option: //" "$file"\n'
                "smbcontrol all reload-config >/dev/null 2>&1 || true",
            ),
        ),
        key="samba:@{option}",
    )


@check(
    "host.shares.samba-protocol",
    title="Samba speaks SMB 2 and newer only",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    surface=Surface.SERVICE,
    fix=_global_option("Switch off SMB 1 in Samba", "Very old printers and systems can no longer connect."),
)
def samba_protocol(found: Samba, packages: Packages) -> Verdicts:
    """SMB 1 has no protection against a machine in the middle, and worms have come through it."""
    on = "server min protocol"
    value = found.settings.get(on, "")
    if not value:
        versions = [one.version for one in packages.packages if one.name in ("samba", "samba-server")]
        shapes = [re.match(r"(?:\d+:)?(\d+)\.(\d+)", version) for version in versions]
        known = [(int(shape[1]), int(shape[2])) for shape in shapes if shape]
        if not known:
            yield unknown(on, "no line sets it, and the version of Samba is not known")
            return
        value = "smb2_02" if max(known) >= _SMB2_BY_DEFAULT else "lanman1"
    yield expect(
        value not in _SMB1,
        on=on,
        saw=value.upper(),
        want="SMB2 or newer",
        port="tcp/445",
        values={"option": on, "good": "SMB2", "file": found.file},
        cite="min protocol",
    )


@check(
    "host.shares.samba-signing",
    title="Samba demands signed connections",
    severity=Severity.LOW,
    impact=Impact.PARTIAL,
    surface=Surface.SERVICE,
    fix=_global_option(
        "Demand signed connections in Samba", "Clients without signing can no longer connect."
    ),
)
def samba_signing(found: Samba) -> Verdicts:
    """Without signatures an attacker in the segment relays the login of one machine to another."""
    on = "server signing"
    value = found.settings.get(on, "")
    encrypted = found.settings.get("server smb encrypt", "") in ("required", "mandatory")
    yield expect(
        value in ("mandatory", "required", "force", "forced", "enforced") or encrypted,
        on=on,
        saw=value or "not set",
        want="mandatory",
        port="tcp/445",
        values={"option": on, "good": "mandatory", "file": found.file},
        cite=on,
    )


@check(
    "host.shares.snmp-communities",
    title="The SNMP agent has no community that can be guessed, and none that writes",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Replace SNMP communities by users of version 3",
        do="Make a version 3 user with authentication and privacy for the monitoring, take the "
        "communities out "
        "of @{file}, and restart snmpd. The monitoring has to be changed with it, so a person does it.",
        verify="grep -cE '^ *(r[ow]community|com2sec)' @{file}   # 0",
        effort=Effort(setup=1, each=0.25),
        disruption=Disruption.RESTART,
        undo="Put the former lines back and restart snmpd.",
    ),
)
def snmp_communities(found: SnmpAgent) -> Verdicts:
    """Scanners try the usual names on every address; one that fits tells all of the host, or changes it."""
    bad = [one for one in found.communities if one.guessable or one.writes]
    for file in dict.fromkeys(one.file for one in bad):
        here = [one for one in bad if one.file == file]
        saw = ["a name that everybody tries" for one in here if one.guessable]
        saw += ["a community that may write" for one in here if one.writes]
        local = all(one.source in ("localhost", "127.0.0.1", "::1") for one in here)
        yield expect(
            False,
            on=file,
            saw=list(dict.fromkeys(saw)),
            want="none",
            port="udp/161",
            severity=Severity.LOW if local else None,
            values={"file": file},
            cite="community",
        )
    if not bad:
        count = len(found.communities)
        saw_all = f"{count} communities, none of them usual" if count else "no community"
        yield expect(True, on="SNMP communities", saw=saw_all, want="none that is usual or writes")
