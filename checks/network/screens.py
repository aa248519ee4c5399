"""Remote screens: what a session begins with, and who may look."""

from __future__ import annotations

from checks.check import check
from checks.facts.network.screens import RdpServers, X11Servers
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.model import Exploit, Impact, Severity, Surface, Weakness
from checks.verdict import Verdicts, expect

_FIRST_DISPLAY = 6000
_XRDP = Snippet(
    Language.SHELL,
    "# On @{target} (port @{port}), for xrdp:\n"
    "cp -p /etc/xrdp/xrdp.ini /etc/xrdp/xrdp.ini.before\n"
    "sed -i -E 's/^security_layer=.*/security_layer=tls/' /etc/xrdp/xrdp.ini\n"
    "systemctl restart xrdp",
    "mv /etc/xrdp/xrdp.ini.before /etc/xrdp/xrdp.ini && systemctl restart xrdp",
)


@check(
    "network.screens.rdp-login",
    title="Remote desktops ask for a login before the session",
    severity=Severity.HIGH,
    impact=Impact.TOTAL,
    exploit=Exploit.POC_AUTOMATABLE,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Require network-level authentication",
        do="Turn network-level authentication on (Windows: system properties, remote, or the group policy "
        "that requires user authentication for remote connections). xrdp has no such login: let only a VPN "
        "or "
        "a gateway reach it.",
        verify="nmap -Pn -p @{port} --script rdp-enum-encryption @{target}   # CredSSP (NLA), and no native "
        "RDP",
        effort=Effort(setup=0.5, each=0.25),
        disruption=Disruption.NONE,
        undo="Turn the setting off again.",
        snippets=(
            Snippet(
                Language.SHELL,
                "# On @{target}, where the server on port @{port} has no such login. 192.0.2.0/24 stands "
                "for\n"
                "# the network of the gateway: put yours there.\n"
                "nft add table inet bartizan_@{port}\n"
                "nft add chain inet bartizan_@{port} input '{ type filter hook input priority -10; }'\n"
                "nft add rule inet bartizan_@{port} input iifname lo accept\n"
                "nft add rule inet bartizan_@{port} input tcp dport @{port} ip saddr != 192.0.2.0/24 drop",
                "nft delete table inet bartizan_@{port}",
            ),
        ),
        key="rdp-login:@{target}:@{on}",
    ),
)
def rdp_login(found: RdpServers) -> Verdicts:
    """Without a login before it, everybody gets a session, and with it every flaw of the server behind it."""
    for server in found.servers:
        early = [name for name, taken in (("RDP security", server.standard), ("TLS", server.tls)) if taken]
        yield expect(
            not early,
            on=server.port,
            saw=f"{' and '.join(early)} accepted without a login first" if early else "a login comes first",
            want="only with a login first",
            port=server.port,
        )


@check(
    "network.screens.rdp-tls",
    title="Remote desktops speak nothing but TLS",
    severity=Severity.MEDIUM,
    impact=Impact.SERIOUS,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Refuse RDP's own encryption",
        do="Set the security layer of remote connections to TLS (Windows: group policy, require use of "
        "specific security layer; xrdp: `security_layer=tls`).",
        verify="nmap -Pn -p @{port} --script rdp-enum-encryption @{target}   # no native RDP",
        effort=Effort(setup=0.5, each=0.25),
        disruption=Disruption.RESTART,
        undo="Set the old security layer again.",
        snippets=(_XRDP,),
        key="rdp-tls:@{target}:@{on}",
    ),
)
def rdp_tls(found: RdpServers) -> Verdicts:
    """RDP's own encryption proves no identity: whoever is on the way reads the screen and the password."""
    for server in found.servers:
        yield expect(
            not server.standard,
            on=server.port,
            saw="RDP's own encryption is accepted" if server.standard else "RDP's own encryption is refused",
            want="only TLS",
            port=server.port,
        )


@check(
    "network.screens.x11-access",
    title="X11 displays take no client without a key",
    severity=Severity.HIGH,
    impact=Impact.TOTAL,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    surface=Surface.SERVICE,
    weakness=Weakness.ADMIN_PORT_NO_PASSWORD,
    fix=Fix(
        action="Close the X11 display to the network",
        do="Start the X server with `-nolisten tcp` and without `-ac`, take `xhost +` out of login scripts, "
        "and "
        "use X11 forwarding over SSH.",
        verify="timeout 10 xdpyinfo -display @{target}:@{display}   # unable to open display",
        effort=Effort(setup=0.5, each=0.25),
        disruption=Disruption.RESTART,
        undo="Start the X server with the old options.",
        snippets=(
            Snippet(
                Language.SHELL,
                "# On @{target} (port @{port}), as the user of the display: ends access for everybody at "
                "once.\n"
                "xhost -\n"
                "# Then start the X server with -nolisten tcp and without -ac.",
                "xhost +",
            ),
        ),
        key="x11:@{target}:@{on}",
    ),
)
def x11_access(found: X11Servers) -> Verdicts:
    """Whoever may talk to an X11 display sees the screen, reads every key and types by himself."""
    for server in found.servers:
        yield expect(
            not server.open,
            on=server.port,
            saw=server.answer,
            want="a key is asked for",
            port=server.port,
            values={"display": str(max(0, int(server.port.rpartition("/")[2]) - _FIRST_DISPLAY))},
        )
