"""The sockets of a host: which are planned, which programs stand behind them, and as whom these run."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from checks.check import check
from checks.facts.host.services import Listener, ListeningPrograms, ListeningServices
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.model import Confidence, Exploit, Impact, Severity, Surface
from checks.verdict import Verdicts, expect, unknown

_SEES_PROGRAMS = "sudo: /usr/bin/ss -lntup"
_MAIL = frozenset({25, 465, 587})
_ROOTS = frozenset(
    {
        "sshd",
        "dropbear",
        "systemd",
        "init",
        "master",
        "dhclient",
        "dhcpcd",
        "udhcpc",
        "NetworkManager",
        "systemd-network",
        "docker-proxy",
        "smbd",
        "nmbd",
        "rpc.mountd",
        "rpc.statd",
        "keepalived",
    }
)
"""Programs that cannot do their work but as root, or that hand it on to others."""


def _each_port(listeners: Iterable[Listener]) -> dict[str, list[Listener]]:
    """The listeners by `tcp/22`: IPv4 and IPv6, and several processes, are one object."""
    found: dict[str, list[Listener]] = {}
    for one in listeners:
        found.setdefault(one.name, []).append(one)
    return found


def _programs(listeners: Iterable[Listener]) -> str:
    return ", ".join(sorted({one.program for one in listeners if one.program})) or "a program"


@check(
    "host.listening.known-ports",
    title="Every port that is open on all interfaces is planned",
    severity=Severity.LOW,
    impact=Impact.MINOR,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Close, bind or plan the ports that nobody has planned",
        do="Find out what `@{program}` offers on @{on}. Switch it off where nobody needs it, let it "
        "listen on "
        "one address where one network needs it, or put the port on the list of the host's role (threshold "
        "`allowed`). Which of the three is right depends on who uses the service, so a person decides.",
        verify="ss -Hlntu sport = :@{port}   # nothing, or a named address",
        effort=Effort(setup=0.5, each=0.25),
        disruption=Disruption.RESTART,
        undo="Set the former listen address back and restart the service.",
        key="port:@{on}",
    ),
)
def known_ports(
    found: ListeningServices,
    *,
    allowed: frozenset[str] = frozenset({"tcp/22", "tcp/80", "tcp/443", "udp/443", "udp/68", "udp/546"}),
) -> Verdicts:
    """What listens without a plan is patched by nobody, and every service of it is one more way in."""
    open_ones = _each_port(one for one in found.listeners if one.address == "*" and one.name not in allowed)
    for name, group in open_ones.items():
        yield expect(
            False,
            on=name,
            saw=f"{_programs(group)} listens on all interfaces",
            want="a port of the host's role, or one address",
            port=name,
            values={"program": _programs(group)},
            cite=f":{group[0].port} ",
        )
    if not open_ones:
        yield expect(True, on="listening services", saw="only planned ports", want="only planned ports")


@check(
    "host.listening.packaged",
    title="Every program that listens comes from a package",
    severity=Severity.HIGH,
    impact=Impact.SERIOUS,
    exploit=Exploit.HARDENING,
    fix=Fix(
        action="Find out where programs come from that no package brought",
        do="`@{path}` belongs to no package. Find out who put it there: it may be a back door, or software "
        "that no update reaches. Keep a copy before you stop it; then install it as a package, or name its "
        "path in the threshold `allowed`. What is right depends on what it is, so a person decides.",
        verify="dpkg -S @{path} || rpm -qf @{path}   # a package",
        effort=Effort(setup=0.5, each=0.5),
        undo="Start the program again.",
        key="unpackaged:@{path}",
    ),
)
def packaged(
    listening: ListeningServices,
    programs: ListeningPrograms,
    *,
    allowed: frozenset[str] = frozenset(),
) -> Verdicts:
    """Back doors listen from files that no package brought, and what no package brought gets no updates."""
    by_pid = {one.pid: one for one in programs.programs}
    owned: set[str] = set()
    for name, group in _each_port(one for one in listening.listeners if not one.loopback).items():
        pids = {pid for one in group for pid in one.pids}
        if not pids & by_pid.keys():
            yield unknown(name, f"no process is seen behind {name}: the kernel's own, or hidden", port=name)
        for one in {by_pid[pid].path: by_pid[pid] for pid in sorted(pids) if pid in by_pid}.values():
            if one.contained:
                yield unknown(f"{name}: {one.path}", f"{one.path} stands in a container, not on the host")
            elif one.package or any(fnmatchcase(one.path, path) for path in allowed):
                owned.add(one.path)
            else:
                yield expect(
                    False,
                    on=f"{name}: {one.path}",
                    saw="deleted from the disk while it runs" if one.deleted else "belongs to no package",
                    want="a file of a package",
                    port=name,
                    values={"path": one.path},
                    cite=one.path,
                )
    if owned:
        yield expect(True, on="listening programs", saw=f"{len(owned)} from packages", want="from packages")


@check(
    "host.listening.not-root",
    title="Services that listen do not run as root",
    severity=Severity.MEDIUM,
    impact=Impact.TOTAL,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Run services under accounts of their own",
        do="Give `@{program}` an account of its own (`User=` in a drop-in of its unit, with "
        "`AmbientCapabilities=CAP_NET_BIND_SERVICE` for a port below 1024), and its files to that account. "
        "What else the service needs is not to be seen from outside, so a person makes and tries it.",
        verify="ps -o user= -C @{program}   # not root",
        effort=Effort(setup=1, each=0.5),
        disruption=Disruption.RESTART,
        undo="Remove the drop-in and restart the service.",
        key="root-service:@{program}",
    ),
)
def not_root(
    found: ListeningServices,
    *,
    allowed: frozenset[str] = _ROOTS,
) -> Verdicts:
    """A hole in a service that runs as root gives the whole host, not one account with few rights."""
    judged = 0
    for name, group in _each_port(one for one in found.listeners if not one.loopback).items():
        unseen = [one for one in group if not one.uids]
        bad = [one for one in group if one.uids and set(one.uids) == {0} and one.program not in allowed]
        judged += len(group) - len(unseen) - len(bad)
        for program in sorted({one.program or "a program" for one in bad}):
            yield expect(
                False,
                on=f"{name}: {program}",
                saw="all its processes run as root",
                want="an account of its own",
                port=name,
                values={"program": program},
                cite=f":{group[0].port} ",
            )
        if unseen and not bad:
            yield unknown(name, f"the processes behind {name} are not seen", needs=_SEES_PROGRAMS, port=name)
    if judged:
        yield expect(
            True, on="listening services", saw=f"{judged} not as root, or meant to", want="not as root"
        )


@check(
    "host.listening.mail-local",
    title="The mail agent takes mail only from the host itself",
    severity=Severity.MEDIUM,
    impact=Impact.PARTIAL,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Let mail agents listen on loopback only",
        do="Set `inet_interfaces = loopback-only` in Postfix (`dc_local_interfaces` in Exim), or put "
        "the host "
        "on the list of mail servers (threshold `allowed`).",
        verify="ss -Hlnt sport = :@{port}   # 127.0.0.1 and [::1] only",
        effort=Effort(setup=0.5, each=0.1),
        disruption=Disruption.RESTART,
        undo="Set the former value back and restart the mail agent.",
        snippets=(
            Snippet(
                Language.SHELL,
                "file=/etc/postfix/main.cf\n"
                "[ -f \"$file\" ] || { echo 'not Postfix: set its listen address by hand' >&2; exit 1; }\n"
                'sed -i "s/^inet_interfaces[[:space:]]*=.*/#before inet_interfaces: &/" "$file" &&\n'
                "  printf 'inet_interfaces = loopback-only\\n' >>\"$file\" && postfix check &&\n"
                "  { postfix stop; postfix start; } >/dev/null 2>&1 || true",
                "file=/etc/postfix/main.cf\n"
                'sed -i -e "/^inet_interfaces = loopback-only\\$/d" '
                '-e "s/^#before inet_interfaces: //" "$file"\n'
                "{ postfix stop; postfix start; } >/dev/null 2>&1 || true",
            ),
            Snippet(
                Language.ANSIBLE,
                "- name: Let Postfix listen on loopback only\n"
                "  ansible.builtin.lineinfile:\n"
                "    path: /etc/postfix/main.cf\n"
                "    regexp: '^inet_interfaces\\s*='\n"
                "    line: inet_interfaces = loopback-only\n"
                "    backup: true",
            ),
        ),
    ),
)
def mail_local(found: ListeningServices, *, allowed: frozenset[str] = frozenset()) -> Verdicts:
    """A mail agent that strangers reach relays spam when it is set wrongly, and is attacked all day."""
    mail = {
        name: group
        for name, group in _each_port(
            one for one in found.listeners if one.protocol == "tcp" and one.port in _MAIL and not one.loopback
        ).items()
        if name not in allowed
    }
    for name, group in mail.items():
        yield expect(
            False,
            on=name,
            saw=f"{_programs(group)} listens on {', '.join(sorted({one.address for one in group}))}",
            want="127.0.0.1 and ::1",
            port=name,
            confidence=Confidence.CONFIRMED if any(one.program for one in group) else Confidence.LIKELY,
            cite=f":{group[0].port} ",
        )
    if not mail:
        yield expect(True, on="mail ports", saw="none beyond loopback", want="none beyond loopback")
