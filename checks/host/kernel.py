"""Protections of the kernel: its settings, and mandatory access control."""

from __future__ import annotations

from dataclasses import dataclass

from checks.check import Check, check, make_check
from checks.facts.host.kernel import MandatoryAccess, Sysctls
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.model import Impact, Severity, Surface
from checks.verdict import Verdicts, expect, not_applicable, unknown

_REFERENCE = "https://docs.kernel.org/admin-guide/sysctl/"


@dataclass(frozen=True, slots=True)
class Setting:
    """One kernel setting: its dotted name, and the values that are good, the one to set first."""

    name: str
    good: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Family:
    """Settings that one check judges together."""

    id: str
    title: str
    why: str
    settings: tuple[Setting, ...]
    severity: Severity = Severity.LOW
    surface: Surface = Surface.LOCAL
    impact: Impact | None = None


def _both(version: str, setting: str, *good: str) -> tuple[Setting, ...]:
    return tuple(Setting(f"net.{version}.conf.{scope}.{setting}", good) for scope in ("all", "default"))


_FAMILIES = (
    _Family(
        "aslr",
        "The kernel places programs at random addresses",
        "Without random addresses a memory bug in any program becomes code execution at the first try.",
        (Setting("kernel.randomize_va_space", ("2",)),),
        Severity.MEDIUM,
    ),
    _Family(
        "log-reading",
        "Only root reads the kernel log",
        "The kernel log holds addresses and device data that make local exploits reliable.",
        (Setting("kernel.dmesg_restrict", ("1",)),),
    ),
    _Family(
        "addresses-hidden",
        "The kernel hides its addresses",
        "An attacker with a local account needs kernel addresses for most privilege escalations.",
        (Setting("kernel.kptr_restrict", ("1", "2")),),
    ),
    _Family(
        "ptrace",
        "A program may trace only its own children",
        "Free tracing lets malware in one process read keys and passwords out of all others of the user.",
        (Setting("kernel.yama.ptrace_scope", ("1", "2", "3")),),
    ),
    _Family(
        "links",
        "Hard and symbolic links in shared folders are guarded",
        "A link planted in a shared folder makes a privileged program write where the attacker wants.",
        (Setting("fs.protected_hardlinks", ("1",)), Setting("fs.protected_symlinks", ("1",))),
        Severity.MEDIUM,
    ),
    _Family(
        "core-dumps",
        "Privileged programs leave no core dumps",
        "The core of a privileged program holds what it had in memory: password hashes and keys.",
        (Setting("fs.suid_dumpable", ("0",)),),
        Severity.MEDIUM,
    ),
    _Family(
        "bpf",
        "Ordinary users load no BPF programs",
        "The BPF verifier has been the source of a row of local root exploits.",
        (Setting("kernel.unprivileged_bpf_disabled", ("1", "2")),),
        Severity.MEDIUM,
    ),
    _Family(
        "syn-cookies",
        "SYN cookies keep services reachable under a SYN flood",
        "Without them a single sender of half-open connections takes the services of the host away.",
        (Setting("net.ipv4.tcp_syncookies", ("1", "2")),),
        Severity.MEDIUM,
        Surface.DATA,
    ),
    _Family(
        "redirects-accepted",
        "The host accepts no ICMP redirects",
        "A forged redirect leads the traffic of the host through the machine of an attacker in the segment.",
        (*_both("ipv4", "accept_redirects", "0"), *_both("ipv6", "accept_redirects", "0")),
        Severity.MEDIUM,
        Surface.DATA,
    ),
    _Family(
        "redirects-sent",
        "The host sends no ICMP redirects",
        "Only routers send redirects; a host that does helps to map and to misdirect its neighbours.",
        _both("ipv4", "send_redirects", "0"),
        surface=Surface.DATA,
    ),
    _Family(
        "source-routes",
        "The host refuses source-routed packets",
        "A sender that chooses the route gets around filters and speaks from addresses that are not its own.",
        (*_both("ipv4", "accept_source_route", "0"), *_both("ipv6", "accept_source_route", "0", "-1")),
        Severity.MEDIUM,
        Surface.DATA,
    ),
    _Family(
        "reverse-path",
        "Packets with impossible senders are dropped",
        "Without the check forged sender addresses pass, and rules that trust inner addresses with them.",
        _both("ipv4", "rp_filter", "1", "2"),
        Severity.MEDIUM,
        Surface.DATA,
    ),
    _Family(
        "broadcast-ping",
        "The host answers no pings to broadcast addresses",
        "Answers to a broadcast ping with a forged sender amplify an attack on that sender.",
        (Setting("net.ipv4.icmp_echo_ignore_broadcasts", ("1",)),),
        surface=Surface.DATA,
    ),
)

SETTINGS: tuple[Setting, ...] = tuple(setting for family in _FAMILIES for setting in family.settings)
"""Every kernel setting that a check here judges; the collector reads exactly these."""

_FIX = Fix(
    action="Set the kernel's protections in sysctl.d",
    do="Write `@{on} = @{good}` into /etc/sysctl.d/60-hardening.conf and load it with `sysctl --system`.",
    verify="sysctl -n @{on}   # @{good}",
    effort=Effort(setup=0.5, each=0.05),
    undo="Take the line out of the file and set `@{on}` back to @{saw}.",
    snippets=(
        Snippet(
            Language.SHELL,
            "setting=@{on}\nvalue=@{good}\n"
            'sysctl -w "$setting=$value" &&\n'
            '  printf \'%s = %s\\n\' "$setting" "$value" >>/etc/sysctl.d/60-hardening.conf',
            'setting=@{on}\nsed -i "/^$setting = /d" /etc/sysctl.d/60-hardening.conf\n'
            "before=@{saw}\n"
            'sysctl -w "$setting=$before"',
        ),
        Snippet(
            Language.ANSIBLE,
            "- name: Set a protection of the kernel\n"
            "  ansible.posix.sysctl:\n"
            "    name: @{on}\n"
            "    value: @{good}\n"
            "    sysctl_file: /etc/sysctl.d/60-hardening.conf\n"
            "    sysctl_set: true",
        ),
    ),
    key="sysctl:hardening",
)


def _made(family: _Family) -> Check[[Sysctls]]:
    def judge(found: Sysctls) -> Verdicts:
        for setting in family.settings:
            if setting.name in found.values:
                value = found.values[setting.name]
                yield expect(
                    value in setting.good,
                    on=setting.name,
                    saw=value,
                    want=" or ".join(setting.good),
                    values={"good": setting.good[0]},
                )
            elif setting.name in found.absent:
                yield not_applicable(setting.name, f"this kernel has no {setting.name}")
            else:
                path = f"/proc/sys/{setting.name.replace('.', '/')}"
                yield unknown(setting.name, f"{path} may not be read", needs=f"sudo: cat {path}")

    return make_check(
        judge,
        f"host.kernel.{family.id}",
        title=family.title,
        why=family.why,
        severity=family.severity,
        impact=family.impact,
        surface=family.surface,
        fix=_FIX,
        refs=(_REFERENCE,),
    )


FAMILIES = tuple(_made(family) for family in _FAMILIES)
"""One check for each family of kernel settings."""


@check(
    "host.kernel.mandatory-access",
    title="AppArmor or SELinux confines programs",
    severity=Severity.MEDIUM,
    impact=Impact.PARTIAL,
    fix=Fix(
        action="Switch on AppArmor or SELinux",
        do="Install the distribution's mandatory access control (AppArmor on Debian, Ubuntu and SUSE, "
        "SELinux on the RHEL family), switch it on for the next boot, and watch its log for a week "
        "before enforcing.",
        verify="cat /sys/module/apparmor/parameters/enabled; getenforce   # Y, or Enforcing",
        effort=Effort(setup=4, each=0.5),
        disruption=Disruption.REBOOT,
        undo="Boot with `apparmor=0`, or set SELINUX=permissive in /etc/selinux/config and reboot.",
        snippets=(
            Snippet(
                Language.SHELL,
                "if [ -e /etc/selinux/config ]; then\n"
                "  sed -i.before 's/^SELINUX=.*/SELINUX=enforcing/' /etc/selinux/config\n"
                '  [ "$(getenforce)" = Disabled ] && touch /.autorelabel || setenforce 1\n'
                "else\n"
                "  apt-get install -y apparmor && systemctl enable apparmor\n"
                "fi",
                "before=/etc/selinux/config.before\n"
                'if [ -e "$before" ]; then cp -p "$before" /etc/selinux/config\n'
                "else systemctl disable apparmor; fi",
            ),
        ),
    ),
    refs=("https://docs.kernel.org/admin-guide/LSM/",),
)
def mandatory_access(found: MandatoryAccess) -> Verdicts:
    """Without it a hole in one service gives all that the service's user may touch."""
    on = "mandatory access control"
    running = found.apparmor == "enabled" or found.selinux == "enforcing"
    if found.container and not running:
        yield unknown(
            on, f"this is a container ({found.container}): its host decides, and does not tell here"
        )
    elif found.selinux == "enforcing" and found.selinux_configured not in ("", "enforcing"):
        yield expect(
            False,
            on=on,
            saw=f"SELinux {found.selinux_configured} from the next boot",
            want="enforcing in both",
        )
    else:
        saw = f"AppArmor {found.apparmor}, SELinux {found.selinux}"
        yield expect(running, on=on, saw=saw, want="AppArmor enabled or SELinux enforcing")
