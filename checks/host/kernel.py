"""Protections of the kernel: its settings, and mandatory access control."""

from __future__ import annotations

from checks.check import Check, check
from checks.facts.host.kernel import CoreDumps, MandatoryAccess, SysctlFiles, Sysctls
from checks.facts.host.platform import ContainerEngines, Platform
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.host.fixes import line
from checks.host.kernel_families import KERNEL, NETWORK, NETWORK_STACK
from checks.host.kernel_settings import FIX, NAMESPACES_FIX, Family, Setting, family_check, verdicts
from checks.model import Impact, Severity
from checks.verdict import Verdicts, expect, not_applicable, unknown

_REFERENCE = "https://docs.kernel.org/admin-guide/sysctl/"
FORWARDING = (
    Setting("net.ipv4.ip_forward", ("0",), "0"),
    Setting("net.ipv6.conf.all.forwarding", ("0",), "0"),
)
"""What makes a router of a host."""
SETTINGS: tuple[Setting, ...] = (
    *(setting for family in (*KERNEL, *NETWORK, *NETWORK_STACK) for setting in family.settings),
    *FORWARDING,
)
"""Every kernel setting that is judged by its value alone, running and in the files."""
_NAMESPACES = (
    Setting("kernel.unprivileged_userns_clone", ("0",)),
    Setting("kernel.apparmor_restrict_unprivileged_userns", ("1",)),
    Setting("user.max_user_namespaces", ("0",)),
)
READ_BESIDES: tuple[str, ...] = (
    *(setting.name for setting in _NAMESPACES),
    "net.ipv6.conf.all.disable_ipv6",
    "net.ipv6.conf.default.disable_ipv6",
)
"""Settings that checks need to know for another question."""


def _made(family: Family) -> Check[[Sysctls, Platform]]:
    def judge(found: Sysctls, platform: Platform) -> Verdicts:
        yield from verdicts(found, family.settings, platform.container)

    return family_check(judge, "kernel", family, _REFERENCE)


def _made_of_network(family: Family) -> Check[[Sysctls]]:
    def judge(found: Sysctls) -> Verdicts:
        yield from verdicts(found, family.settings)

    return family_check(judge, "kernel", family, _REFERENCE)


FAMILIES: tuple[Check[[Sysctls, Platform]] | Check[[Sysctls]], ...] = (
    *map(_made, KERNEL),
    *map(_made_of_network, NETWORK),
)
"""One check for each family of kernel settings; those of the network belong to a container, too."""


@check(
    "host.kernel.persistent",
    title="Settings of the kernel are the same now and after the next boot",
    severity=Severity.LOW,
    fix=FIX,
    refs=("https://www.freedesktop.org/software/systemd/man/latest/sysctl.d.html",),
)
def persistent(running: Sysctls, files: SysctlFiles, platform: Platform) -> Verdicts:
    """What was set by hand is gone with the next boot; what only stands in a file is not in force."""
    on = "settings of the kernel"
    if platform.container:
        yield not_applicable(on, f"this is a container ({platform.container}): nothing loads its files")
        return
    for setting in SETTINGS:
        now = running.values.get(setting.name)
        planned = files.planned.get(setting.name)
        after = planned.value if planned else files.built_in.get(setting.name, setting.default)
        if now is None or not after:
            # The check of the setting itself says what could not be read; an unknown default is no answer.
            continue
        if now not in setting.good and (planned is None or setting in FORWARDING):
            # Where no file sets it, a bad value now says nothing about files, and its own check tells of it;
            # forwarding is switched on by programs that need it.
            continue
        if files.unread:
            # It may be the one that is read last.
            hidden = files.unread[0]
            yield unknown(setting.name, f"{hidden} may not be read", needs=f"sudo: cat {hidden}")
            continue
        where = f"in {planned.file}" if planned else "by the kernel's default, no file sets it"
        yield expect(
            (now in setting.good) == (after in setting.good),
            on=setting.name,
            saw=f"{now} now, {after} after a boot {where}",
            want=f"{' or '.join(setting.good)} in both",
            values={"good": now if now in setting.good else after, "before": now},
        )


@check(
    "host.kernel.user-namespaces",
    title="Ordinary users make no user namespaces where nothing needs them",
    severity=Severity.LOW,
    impact=Impact.PARTIAL,
    fix=NAMESPACES_FIX,
    refs=("https://man7.org/linux/man-pages/man7/user_namespaces.7.html",),
)
def user_namespaces(found: Sysctls, engines: ContainerEngines, platform: Platform) -> Verdicts:
    """In a namespace of its own every user is root, and reaches code in which root exploits are found."""
    known = [setting for setting in _NAMESPACES if setting.name in found.values]
    closed = next((one for one in known if found.values[one.name] in one.good), None)
    if platform.container:
        reason = f"this is a container ({platform.container}): the machine around it decides"
        yield not_applicable("user namespaces", reason)
    elif not known:
        reason = "no setting about user namespaces could be read"
        yield unknown("user namespaces", reason, needs="sudo: cat /proc/sys/user/max_user_namespaces")
    else:
        one = closed or known[0]
        yield expect(
            closed is not None,
            on=one.name,
            saw=found.values[one.name],
            want=one.good[0],
            severity=Severity.INFO if engines.engines else None,
            values={"good": one.good[0], "before": found.values[one.name]},
        )


@check(
    "host.kernel.core-limit",
    title="Programs that crash leave no core dumps",
    severity=Severity.LOW,
    fix=Fix(
        action="Limit core dumps",
        do="Write `@{line}` into /etc/security/limits.d/zz-core-dumps.conf, or set Storage=none in a file "
        "of /etc/systemd/coredump.conf.d where systemd-coredump takes the cores.",
        verify="grep -rhE '^[*][[:space:]]+(hard|-)[[:space:]]+core' /etc/security   # * hard core 0",
        effort=Effort(setup=0.25, each=0.05),
        undo="Take the line out again.",
        snippets=line("/etc/security/limits.d/zz-core-dumps.conf"),
    ),
)
def core_limit(found: CoreDumps) -> Verdicts:
    """A core dump holds all that the program had in memory: passwords, keys and the data of customers."""
    said = [f"hard limit {found.hard_limit or 'not set'}"]
    said += [f"handler {found.handler}, storage {found.storage or 'not set'}"] if found.handler else []
    stored = found.handler != "systemd-coredump" or found.storage != "none"
    dropped = found.handler in ("false", "true")
    yield expect(
        found.hard_limit == "0" or not stored or dropped,
        on="core dumps",
        saw="; ".join(said),
        want="a hard limit of 0 for everybody, or a handler that stores nothing",
        values={"line": "* hard core 0"},
    )


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
                "config=/etc/selinux/config\n"
                'if [ -e "$config" ]; then\n'
                '  [ -e "$config.before" ] || cp -p "$config" "$config.before"\n'
                "  sed -i 's/^SELINUX=.*/SELINUX=enforcing/' \"$config\"\n"
                '  [ "$(getenforce)" = Disabled ] && touch /.autorelabel || setenforce 1\n'
                "else\n"
                "  apt-get install -y apparmor && systemctl enable apparmor\n"
                "fi",
                "config=/etc/selinux/config\n"
                'if [ -e "$config.before" ]; then\n'
                '  mv "$config.before" "$config"\n'
                '  grep -q ^SELINUX=enforcing "$config" || setenforce 0\n'
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
