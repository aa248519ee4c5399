"""Time servers that answer more than the time."""

from __future__ import annotations

from checks.check import check
from checks.facts.network import OpenPorts
from checks.facts.network.datagrams import UdpAnswers
from checks.facts.network.time import NtpServers
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.model import Exploit, Severity, Surface
from checks.network.udp import usual_port
from checks.verdict import Verdicts, expect

_PORT = 123
_CONF = "conf=/etc/ntp.conf; [ ! -f /etc/ntpsec/ntp.conf ] || conf=/etc/ntpsec/ntp.conf\n"
_NO_QUERY = (
    f"# On @{{target}}, for ntpd on port @{{port}}:\n{_CONF}"
    "cp -p $conf $conf.before\n"
    "sed -i -E '/^(restrict (-[46] )?default|disable monitor)/d' $conf\n"
    "printf 'restrict default kod limited nomodify notrap nopeer noquery\nrestrict 127.0.0.1\n"
    "restrict ::1\ndisable monitor\n' >> $conf\n"
    "systemctl try-restart 'ntp*.service'"
)
_BACK = f"{_CONF}mv $conf.before $conf && systemctl try-restart 'ntp*.service'"


def _fix(action: str, verify: str) -> Fix:
    return Fix(
        action=action,
        do="Set `restrict default kod limited nomodify notrap nopeer noquery` and `disable monitor` in "
        "ntp.conf, or replace ntpd by chrony, which answers neither question; update old devices.",
        verify=verify,
        effort=Effort(setup=0.5, each=0.25),
        disruption=Disruption.RESTART,
        undo="Put the old ntp.conf back and restart the server.",
        snippets=(Snippet(Language.SHELL, _NO_QUERY, _BACK),),
        key="ntp-queries:@{target}:@{on}",
    )


@check(
    "network.ntp.monlist",
    title="No time server lists its last clients",
    severity=Severity.HIGH,
    exploit=Exploit.POC_AUTOMATABLE,
    surface=Surface.SERVICE,
    fix=_fix(
        "Stop time servers from listing their clients",
        "ntpdc -n -c monlist @{target}   # timed out, nothing received",
    ),
    refs=("https://nvd.nist.gov/vuln/detail/CVE-2013-5211",),
)
def monlist(found: NtpServers, ports: OpenPorts, answers: UdpAnswers) -> Verdicts:
    """The list of clients is a map of the network, and a long answer that floods whom a forger names."""
    for server in found.servers:
        yield expect(
            not server.monlist,
            on=server.port,
            saw="the list came" if server.monlist else "no list, and it tells the time",
            want="no list of clients",
            port=server.port,
        )
    yield from usual_port(_PORT, "ntp", ports, answers)


@check(
    "network.ntp.control-queries",
    title="No time server tells its variables",
    severity=Severity.MEDIUM,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.SERVICE,
    fix=_fix(
        "Stop time servers from answering control queries",
        "ntpq -c rv @{target}   # timed out, nothing received",
    ),
)
def control_queries(found: NtpServers, ports: OpenPorts, answers: UdpAnswers) -> Verdicts:
    """Control queries tell strangers a version, and their long answers flood whom a forger names."""
    for server in found.servers:
        refused = "no variables, and it tells the time"
        yield expect(
            not server.control,
            on=server.port,
            saw=f"variables came: {server.variables}" if server.control else refused,
            want="no answer to control queries",
            port=server.port,
        )
    yield from usual_port(_PORT, "ntp", ports, answers)
