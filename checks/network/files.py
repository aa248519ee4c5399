"""File services that anybody may use, and printers that print what anybody sends."""

from __future__ import annotations

import re
from ipaddress import ip_network

from checks.check import check
from checks.facts.network import OpenPorts, PortAnswers
from checks.facts.network.files import NfsExport, NfsServers, RsyncServers
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.model import Confidence, Exploit, Severity, Surface, Weakness
from checks.verdict import Verdicts, expect, unknown

_EVERYBODY = frozenset({"", "(everyone)", "everyone", "world", "0/0"})
_TOO_WIDE = {4: 7, 6: 15}
"""The longest prefix, by version, of networks that stand for a good part of the world."""
_PRINTER = 9100


def _open_to_all(export: NfsExport) -> bool:
    return not export.clients or any(map(_is_everybody, export.clients))


def _is_everybody(client: str) -> bool:
    """True for wildcards with no more than the end of a name (`*`, `*.org`), and for very wide networks."""
    name = client.strip().lower()
    if name in _EVERYBODY or re.fullmatch(r"[*?.]+(?:[a-z]+)?", name):
        return True
    try:
        network = ip_network(name, strict=False)
    except ValueError:
        return False
    return "/" in name and network.prefixlen <= _TOO_WIDE[network.version]


@check(
    "network.files.nfs-exports",
    title="No NFS export is open to everybody",
    severity=Severity.HIGH,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    surface=Surface.SERVICE,
    weakness=Weakness.WORLD_READABLE_STORE,
    fix=Fix(
        action="Name the clients of each NFS export",
        do="Give every export the addresses of its clients in /etc/exports in the place of `*`, keep "
        "`root_squash`, and use Kerberos (`sec=krb5p`) where the files are sensitive.",
        verify="timeout 10 showmount -e @{target}   # every export names its clients",
        effort=Effort(setup=1.0, each=0.5),
        disruption=Disruption.NONE,
        undo="Put the old /etc/exports back and run `exportfs -ra`.",
        snippets=(
            Snippet(
                Language.SHELL,
                "# On @{target}. 192.0.2.0/24 stands for the network of the clients: put yours there.\n"
                "cp -p /etc/exports /etc/exports.before\n"
                "sed -i -E 's/([[:space:]])\\*\\(/\\1192.0.2.0\\/24(/g' /etc/exports\n"
                "exportfs -ra && exportfs -v",
                "mv /etc/exports.before /etc/exports && exportfs -ra",
            ),
        ),
        key="nfs-exports:@{target}",
    ),
)
def nfs_exports(found: NfsServers) -> Verdicts:
    """NFS believes whoever asks: an export to everybody gives its files to each machine that reaches it."""
    for server in found.servers:
        for export in server.exports:
            yield expect(
                not _open_to_all(export),
                on=f"{server.mountd} {export.path}",
                saw=f"exported to {', '.join(export.clients) or 'everybody'}",
                want="exported to clients that are named",
                port=server.mountd,
                cite=export.path,
            )


@check(
    "network.files.rsync-modules",
    title="No rsync module opens without a login",
    severity=Severity.HIGH,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    surface=Surface.SERVICE,
    weakness=Weakness.WORLD_READABLE_STORE,
    fix=Fix(
        action="Ask for a login at every rsync module",
        do="Set `auth users` with a `secrets file`, `hosts allow` with the addresses of the clients, and "
        "`list "
        "= no` in each module of rsyncd.conf; better, use rsync over SSH and stop the daemon.",
        verify="rsync --contimeout=5 --timeout=5 rsync://@{target}:@{port}/ </dev/null   # lists no module",
        effort=Effort(setup=1.0, each=0.5),
        disruption=Disruption.NONE,
        undo="Put the old rsyncd.conf back; the daemon reads it for each client.",
        snippets=(
            Snippet(
                Language.SHELL,
                "# On @{target} (port @{port}), for all modules that set nothing of their own:\n"
                "cp -p /etc/rsyncd.conf /etc/rsyncd.conf.before\n"
                "umask 077; printf 'backup:%s\\n' \"$(openssl rand -hex 32)\" > /etc/rsyncd.secrets\n"
                "sed -i '1i auth users = backup\\nsecrets file = /etc/rsyncd.secrets\\nlist = no' "
                "/etc/rsyncd.conf",
                "mv /etc/rsyncd.conf.before /etc/rsyncd.conf && rm /etc/rsyncd.secrets",
            ),
        ),
        key="rsync:@{target}:@{port}",
    ),
)
def rsync_modules(found: RsyncServers) -> Verdicts:
    """An open rsync module gives whole directories away, often backups with every password in them."""
    for server in found.servers:
        for module in server.modules:
            yield expect(
                not module.open,
                on=f"{server.port} {module.name}",
                saw=module.answer,
                want="a login is asked for",
                port=server.port,
                cite=module.name,
            )


@check(
    "network.files.printer-raw-port",
    title="No printer takes raw print jobs from everybody",
    severity=Severity.LOW,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Limit raw printing to the print server",
        do="Let only the print server reach port 9100 (an access list in the printer or a firewall), or turn "
        "raw printing off and use IPP over TLS.",
        verify="nmap -Pn -p @{port} @{target}   # closed or filtered",
        effort=Effort(setup=0.5, each=0.25),
        disruption=Disruption.OUTAGE,
        undo="Open the port again.",
        snippets=(
            Snippet(
                Language.SHELL,
                "# On the router in front of @{target}. 192.0.2.10 stands for the print server: put yours "
                "there.\n"
                "nft add table inet bartizan_@{port}\n"
                "nft add chain inet bartizan_@{port} forward '{ type filter hook forward priority -10; }'\n"
                "nft add rule inet bartizan_@{port} forward ip daddr @{target} tcp dport @{port} "
                "ip saddr != 192.0.2.10 drop",
                "nft delete table inet bartizan_@{port}",
            ),
        ),
        key="close:@{target}:@{on}",
    ),
)
def printer_raw_port(found: OpenPorts, answers: PortAnswers) -> Verdicts:
    """A raw print port prints, reconfigures or jams the printer for whoever sends it a line."""
    on = f"tcp/{_PRINTER}"
    if any(port.name == on for port in found.ports):
        # Whatever listens there, nothing was sent to it: a byte can print.
        yield expect(
            False,
            on=on,
            saw=f"open, reached from {found.vantage}; nothing was sent to it",
            want="closed to all but the print server",
            port=on,
            confidence=Confidence.LIKELY,
        )
    elif answers.is_closed(_PRINTER):
        yield expect(True, on=on, saw="closed", want="closed to all but the print server", port=on)
    elif answers.is_silent(_PRINTER):
        reason = f"no answer to two tries from {found.vantage}: a filter drops it, or it was lost"
        yield unknown(on, reason, needs=f"a view of {on} from the host itself", port=on)
