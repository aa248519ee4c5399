"""Management controllers that let people in without asking who they are."""

from __future__ import annotations

from checks.check import check
from checks.facts.network import OpenPorts
from checks.facts.network.controllers import IpmiCipherSuites, IpmiControllers
from checks.facts.network.datagrams import UdpAnswers
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.model import Confidence, Exploit, Impact, Severity, Surface, Weakness
from checks.network.udp import usual_port
from checks.verdict import Verdicts, expect

_PORT = 623
_WAYS = (
    "# On @{target} itself, whose controller answers on port @{port}; other makers have other ways:\n"
    "ipmitool lan print 1 > /root/ipmi-before\n"
    "for level in callback user operator admin; do ipmitool lan set 1 auth $level MD5; done\n"
    "ipmitool user list 1   # then, for each user without a name: ipmitool user disable ID"
)
_WAYS_BACK = (
    "# Each level gets the ways in that it had.\n"
    "sed -n -E 's/.*: (Callback|User|Operator|Admin) *: *([A-Z0-9].*[^ ]) *$/\\L\\1 \\U\\2/p' "
    "/root/ipmi-before |\n"
    "while read -r level ways; do\n"
    '  ipmitool lan set 1 auth "$level" "$(echo $ways | tr \' \' ,)" </dev/null\n'
    "done   # then, for each user that was disabled: ipmitool user enable ID"
)
_SUITES = (
    "# On @{target} itself, whose controller answers on port @{port}: suite 0 gets no privilege, the others "
    "keep theirs.\n"
    "ipmitool lan print 1 | grep 'Cipher Suite Priv Max' > /root/ipmi-suites-before\n"
    "ipmitool lan set 1 cipher_privs \"X$(sed 's/.*: .//' /root/ipmi-suites-before)\""
)
_SUITES_BACK = "ipmitool lan set 1 cipher_privs \"$(sed 's/.*: //' /root/ipmi-suites-before)\""


@check(
    "network.ipmi.anonymous-login",
    title="No management controller lets anybody in without a name or password",
    severity=Severity.CRITICAL,
    impact=Impact.TOTAL,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    surface=Surface.SERVICE,
    weakness=Weakness.UNAUTHENTICATED_MANAGEMENT,
    fix=Fix(
        action="Close the anonymous ways into management controllers",
        do="Disable the users without a name, take `none` out of the ways to log in, and move the controller "
        "into a network that only administrators reach.",
        verify="ipmitool lan print 1; ipmitool user list 1   # no NONE, no user without a name; on "
        "@{target} itself",
        effort=Effort(setup=1.0, each=0.5),
        disruption=Disruption.NONE,
        undo="Enable the users and ways to log in again.",
        snippets=(Snippet(Language.SHELL, _WAYS, _WAYS_BACK),),
        key="ipmi-anonymous:@{target}:@{on}",
    ),
)
def anonymous_login(found: IpmiControllers, ports: OpenPorts, answers: UdpAnswers) -> Verdicts:
    """Whoever is let in here switches the machine off, sees its console and starts it from other media."""
    for one in found.controllers:
        ways = (
            ("sessions without authentication", "none" in one.authentication),
            ("anonymous login", one.anonymous),
            ("users without a name", one.null_user),
        )
        open_ways = [words for words, there in ways if there]
        yield expect(
            not open_ways,
            on=one.port,
            saw=", ".join(open_ways) or f"IPMI {' and '.join(one.versions)} with names and passwords only",
            want="a name and a password are asked for",
            port=one.port,
            # It says what it offers; whether a user stands behind it, only a login would tell.
            confidence=Confidence.LIKELY if open_ways else Confidence.CONFIRMED,
        )
    yield from usual_port(_PORT, "ipmi", ports, answers)


@check(
    "network.ipmi.cipher-zero",
    title="No management controller offers cipher suite 0",
    severity=Severity.CRITICAL,
    impact=Impact.TOTAL,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    surface=Surface.SERVICE,
    weakness=Weakness.UNAUTHENTICATED_MANAGEMENT,
    fix=Fix(
        action="Take cipher suite 0 out of management controllers",
        do="Set the privilege of cipher suite 0 to none (the first letter of `cipher_privs` is X), and "
        "update the controller.",
        verify="ipmitool lan print 1 | grep 'Cipher Suite Priv Max'   # begins with X, on @{target} itself",
        effort=Effort(setup=1.0, each=0.5),
        disruption=Disruption.NONE,
        undo="Set `cipher_privs` to what it was.",
        snippets=(Snippet(Language.SHELL, _SUITES, _SUITES_BACK),),
        key="ipmi-cipher-zero:@{target}:@{on}",
    ),
    refs=("https://nvd.nist.gov/vuln/detail/CVE-2013-4782",),
)
def cipher_zero(found: IpmiCipherSuites, ports: OpenPorts, answers: UdpAnswers) -> Verdicts:
    """With cipher suite 0 any password opens the account of any user whose name is known."""
    for one in found.controllers:
        yield expect(
            0 not in one.suites,
            on=one.port,
            saw=f"suites {', '.join(map(str, one.suites))}",
            want="no suite 0",
            port=one.port,
            # Listed is not allowed: only a login, which is never tried, would tell.
            confidence=Confidence.LIKELY if 0 in one.suites else Confidence.CONFIRMED,
        )
    yield from usual_port(_PORT, "ipmi", ports, answers)
