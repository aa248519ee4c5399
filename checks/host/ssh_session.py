"""What an SSH server lets a connection do: how many, how long, and what passes through it."""

from __future__ import annotations

import re
from operator import attrgetter

from checks.check import check
from checks.facts.host.sshd import Sshd
from checks.host.ssh_options import MANUAL, each_server, judged, option_fix, told
from checks.model import Severity, Surface
from checks.verdict import Verdicts, unknown

_STARTUPS = re.compile(r"(\d+):(\d+):(\d+)")
_BANNER = "/etc/ssh/login-banner"
_WORDS = "Authorised users only. What is done here is recorded."


@check(
    "host.ssh-session.max-sessions",
    title="SSH opens a few sessions for a connection at most",
    severity=Severity.LOW,
    surface=Surface.SERVICE,
    fix=option_fix("Limit the sessions of an SSH connection"),
    refs=(f"{MANUAL}MaxSessions",),
)
def max_sessions(sshd: Sshd, *, limit: int = 10) -> Verdicts:
    """One login that opens sessions without end takes memory and processes away from everybody else."""
    for server, settings, on in each_server(sshd, "MaxSessions", attrgetter("max_sessions")):
        yield judged(
            settings.max_sessions <= limit,
            server,
            settings,
            on=on,
            option="MaxSessions",
            saw=settings.max_sessions,
            want=f"at most {limit}",
            good=str(limit),
        )


@check(
    "host.ssh-session.max-startups",
    title="SSH turns connections away before they take its places",
    severity=Severity.LOW,
    surface=Surface.SERVICE,
    fix=option_fix("Limit the connections of SSH that have not logged in"),
    refs=(f"{MANUAL}MaxStartups",),
)
def max_startups(sshd: Sshd, *, start: int = 10, rate: int = 30, full: int = 60) -> Verdicts:
    """Connections that never log in hold the server's places; early refusals leave some for people."""
    want = f"{start}:{rate}:{full} or tighter"
    for server, settings, on in each_server(sshd, "MaxStartups", told("MaxStartups")):
        saw = told("MaxStartups")(settings)
        found = _STARTUPS.fullmatch(saw)
        if not found:
            yield unknown(on, f"the server tells MaxStartups as {saw!r}", port=f"tcp/{server.ports[0]}")
            continue
        first, share, last = (int(one) for one in found.groups())
        # Where all are refused from the start on, the share does not matter.
        held = first <= start and last <= full and (share >= rate or first >= last)
        yield judged(
            held,
            server,
            settings,
            on=on,
            option="MaxStartups",
            saw=saw,
            want=want,
            good=f"{start}:{rate}:{full}",
        )


@check(
    "host.ssh-session.idle",
    title="SSH ends sessions whose other side is gone",
    severity=Severity.LOW,
    surface=Surface.SERVICE,
    fix=option_fix("End SSH sessions whose other side is gone"),
    refs=(f"{MANUAL}ClientAliveInterval", f"{MANUAL}ClientAliveCountMax"),
)
def idle(sshd: Sshd, *, interval: int = 300, count: int = 3) -> Verdicts:
    """A session that outlives the connection of its user stays open for whoever takes over the line."""
    limits = (
        ("ClientAliveInterval", "client_alive_interval", interval, " s"),
        ("ClientAliveCountMax", "client_alive_count_max", count, ""),
    )
    for option, name, limit, unit in limits:
        value = attrgetter(name)
        for server, settings, on in each_server(sshd, option, value):
            seen = int(value(settings))
            yield judged(
                1 <= seen <= limit,
                server,
                settings,
                on=on,
                option=option,
                saw=f"{seen}{unit}" if seen else "0, which means never",
                want=f"1 to {limit}{unit}",
                good=str(limit),
            )


@check(
    "host.ssh-session.forwarding",
    title="SSH forwards no connections",
    severity=Severity.LOW,
    surface=Surface.SERVICE,
    fix=option_fix(
        "Switch off forwarding over SSH",
        "People who reach databases or other hosts through this one need another way first.",
    ),
    refs=(f"{MANUAL}DisableForwarding", f"{MANUAL}AllowTcpForwarding"),
)
def forwarding(sshd: Sshd, *, allowed: frozenset[str] = frozenset()) -> Verdicts:
    """Whoever has a login gets past the firewall through the host, and root there uses forwarded agents."""
    kinds = [one for one in _FORWARDING if one.lower() not in {name.lower() for name in allowed}]

    def open_kinds(settings: object) -> tuple[str, ...]:
        options = attrgetter("options")(settings)
        if options.get("disableforwarding") == "yes":
            return ()
        # A kind that the server does not tell may be open.
        return tuple(one for one in kinds if options.get(one.lower(), "yes") != "no")

    for server, settings, on in each_server(sshd, "DisableForwarding", open_kinds):
        bad = open_kinds(settings)
        yield judged(
            not bad,
            server,
            settings,
            on=on,
            option="DisableForwarding",
            saw=bad or "none open",
            want=f"none of {', '.join(kinds)}" if kinds else "any",
            good="yes",
        )


_FORWARDING = ("AllowTcpForwarding", "AllowStreamLocalForwarding", "AllowAgentForwarding")


@check(
    "host.ssh-session.tunnels",
    title="SSH joins no networks",
    severity=Severity.MEDIUM,
    surface=Surface.SERVICE,
    fix=option_fix("Switch off network tunnels over SSH"),
    refs=(f"{MANUAL}PermitTunnel",),
)
def tunnels(sshd: Sshd) -> Verdicts:
    """A tunnel device joins a foreign network to this one beside every firewall, for any program."""
    for server, settings, on in each_server(sshd, "PermitTunnel", told("PermitTunnel")):
        saw = told("PermitTunnel")(settings)
        if not saw:
            yield unknown(on, "the server does not tell PermitTunnel", port=f"tcp/{server.ports[0]}")
            continue
        yield judged(
            saw == "no", server, settings, on=on, option="PermitTunnel", saw=saw, want="no", good="no"
        )


@check(
    "host.ssh-session.banner",
    title="SSH shows a notice before the login",
    severity=Severity.LOW,
    surface=Surface.SERVICE,
    fix=option_fix(
        "Show a notice before SSH logins",
        "Let whoever is responsible for the law choose the words; those of the snippet are neutral.",
        before=f"[ -e {_BANNER} ] || {{ echo '{_WORDS}' >{_BANNER}; chmod 0644 {_BANNER}; }}\n",
        after_undo=f"\nif grep -qxF '{_WORDS}' {_BANNER}; then rm -f {_BANNER}; fi",
    ),
    refs=(f"{MANUAL}Banner",),
)
def banner(sshd: Sshd) -> Verdicts:
    """In several countries an intruder is easier to hold to account where a notice stood before the login."""
    for server, settings, on in each_server(sshd, "Banner", told("Banner")):
        saw = told("Banner")(settings)
        if not saw:
            yield unknown(on, "the server does not tell Banner", port=f"tcp/{server.ports[0]}")
            continue
        yield judged(
            saw != "none", server, settings, on=on, option="Banner", saw=saw, want="a file", good=_BANNER
        )
