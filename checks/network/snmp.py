"""SNMP agents that tell or take more than they should."""

from __future__ import annotations

from checks.check import check
from checks.facts.network import OpenPorts
from checks.facts.network.datagrams import UdpAnswers
from checks.facts.network.snmp import USUAL_COMMUNITIES, SnmpServer, SnmpServers
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.model import Exploit, Impact, Severity, Surface, Weakness
from checks.network.udp import usual_port
from checks.verdict import Verdict, Verdicts, expect, unknown

_PORT = 161
_VERSION_3 = (
    "# On @{target}, for Net-SNMP on port @{port}; the passphrases are asked for:\n"
    "cp -p /etc/snmp/snmpd.conf /etc/snmp/snmpd.conf.before\n"
    "systemctl stop snmpd\n"
    "sed -i -E 's/^[[:space:]]*(ro|rw)community6?/# &/; s/^[[:space:]]*com2sec6?/# &/' /etc/snmp/snmpd.conf\n"
    "net-snmp-create-v3-user -ro -a SHA-256 -x AES monitor\n"
    "sed -i 's/^rouser monitor$/& priv/' /etc/snmp/snmpd.conf\n"
    "systemctl start snmpd"
)
_BACK = "systemctl stop snmpd\nmv /etc/snmp/snmpd.conf.before /etc/snmp/snmpd.conf\nsystemctl start snmpd"


def _fix(action: str, do: str, verify: str) -> Fix:
    return Fix(
        action=action,
        do=do,
        verify=verify,
        effort=Effort(setup=2.0, each=0.5),
        disruption=Disruption.RESTART,
        undo="Put the old snmpd.conf back and restart the agent.",
        snippets=(Snippet(Language.SHELL, _VERSION_3, _BACK),),
        key="snmp:@{target}:@{on}",
    )


def _refused(server: SnmpServer) -> str:
    return f"silent to {', '.join(server.refused)}, and there"


def _unclear(server: SnmpServer) -> Verdict | None:
    """Unknown where a usual word was answered with an error: it may be known, and see little."""
    known = {*server.communities, *server.refused}
    words = [word for word in USUAL_COMMUNITIES if word not in known]
    if not words:
        return None
    reason = f"{', '.join(words)}: answered with an error that tells nothing, neither a value nor a refusal"
    return unknown(server.port, reason, needs="the agent's configuration", port=server.port)


@check(
    "network.snmp.default-community-read",
    title="No SNMP agent answers to public or private",
    severity=Severity.HIGH,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    surface=Surface.SERVICE,
    weakness=Weakness.WORLD_READABLE_STORE,
    fix=_fix(
        "Take the default communities out of the SNMP agent",
        "Remove the communities `public` and `private` and use SNMPv3 with a user, authentication and "
        "encryption; let only the monitoring reach port @{port}.",
        "snmpget -v2c -c public -t 2 @{target}:@{port} 1.3.6.1.2.1.1.1.0   # no response",
    ),
)
def default_community_read(found: SnmpServers, ports: OpenPorts, answers: UdpAnswers) -> Verdicts:
    """The words that every agent comes with open its addresses, routes, processes and users to anybody."""
    for server in found.servers:
        if not server.communities and (unclear := _unclear(server)):
            yield unclear
            continue
        told = f"told to {', '.join(server.communities)}: {server.description or 'an answer'}"
        saw = told if server.communities else _refused(server)
        yield expect(
            not server.communities,
            on=server.port,
            saw=f"{saw}; asked from {answers.vantage}",
            want="no answer to the communities public and private",
            port=server.port,
        )
    yield from usual_port(_PORT, "snmp", ports, answers)


@check(
    "network.snmp.default-community-write",
    title="No SNMP agent can be changed with public or private",
    severity=Severity.CRITICAL,
    impact=Impact.TOTAL,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    surface=Surface.SERVICE,
    weakness=Weakness.UNAUTHENTICATED_MANAGEMENT,
    fix=_fix(
        "Take write access by community out of the SNMP agent",
        "Remove every community with write access; change devices over SSH, or by SNMPv3 with a user of its "
        "own.",
        "snmpget -v2c -c private -t 2 @{target}:@{port} 1.3.6.1.2.1.1.1.0   # no response",
    ),
)
def default_community_write(found: SnmpServers, ports: OpenPorts, answers: UdpAnswers) -> Verdicts:
    """Who may write by SNMP changes routes and whole configurations. This scan never tries it."""
    for server in found.servers:
        if server.communities:
            reason = f"{', '.join(server.communities)} may read; whether it may write was not tested"
            yield unknown(server.port, reason, needs="the agent's configuration", port=server.port)
        elif unclear := _unclear(server):
            yield unclear
        else:
            saw = f"{_refused(server)}; asked from {answers.vantage}"
            yield expect(True, on=server.port, saw=saw, want="no access by default", port=server.port)
    yield from usual_port(_PORT, "snmp", ports, answers)


@check(
    "network.snmp.version",
    title="SNMP agents speak version 3 only",
    severity=Severity.MEDIUM,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.SERVICE,
    fix=_fix(
        "Replace SNMP versions 1 and 2c by version 3",
        "Create a user for SNMPv3 with authentication and encryption, move the monitoring to it, and remove "
        "all communities.",
        "snmpget -v2c -c public -t 2 @{target}:@{port} 1.3.6.1.2.1.1.1.0   # no response, whatever the "
        "community",
    ),
)
def version(found: SnmpServers, ports: OpenPorts, answers: UdpAnswers) -> Verdicts:
    """Versions 1 and 2c send the community, their only password, in the clear with every question."""
    for server in found.servers:
        old = [name for name in server.versions if name != "v3"]
        if old:
            saw = f"answers in {', '.join(old)}"
            yield expect(False, on=server.port, saw=saw, want="version 3 only", port=server.port)
        else:
            reason = "it answers in v3; whether it knows a community in v1 or v2c was not guessed"
            yield unknown(server.port, reason, needs="the agent's configuration", port=server.port)
    yield from usual_port(_PORT, "snmp", ports, answers)
