"""Modules of the kernel that a server does not need, and the locking of the rest."""

from __future__ import annotations

from dataclasses import dataclass

from checks.check import Check, check, make_check
from checks.facts.host.modules import KernelModule, KernelModules
from checks.facts.host.platform import Platform
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.model import Severity, Surface
from checks.verdict import Verdict, Verdicts, expect, not_applicable, unknown

_WANT = "absent, or blocked and not loaded"
_REFERENCE = "https://man7.org/linux/man-pages/man5/modprobe.d.5.html"


@dataclass(frozen=True, slots=True)
class _Unneeded:
    """Modules that one check judges together."""

    id: str
    title: str
    why: str
    modules: tuple[str, ...]
    surface: Surface = Surface.LOCAL


_FAMILIES = (
    _Unneeded(
        "filesystems",
        "Rare filesystems cannot be mounted",
        "The code of filesystems that nobody uses is hardly tested, and a prepared image or stick is enough "
        "to reach its holes.",
        ("cramfs", "freevxfs", "hfs", "hfsplus", "jffs2", "udf"),
    ),
    _Unneeded(
        "usb-storage",
        "USB storage cannot be connected",
        "A stick carries data out of the house and malware into it, past every filter of the network.",
        ("usb_storage",),
    ),
    _Unneeded(
        "protocols",
        "Rare network protocols cannot be loaded",
        "The kernel loads such a protocol when any user opens its socket, and several local root exploits "
        "began with that.",
        ("dccp", "sctp", "rds", "tipc"),
    ),
)
MODULES: tuple[str, ...] = tuple(name for family in _FAMILIES for name in family.modules)
"""Every module that a check asks about, with underscores; the collector looks for exactly these."""

_FIX = Fix(
    action="Keep the kernel from loading modules that nobody needs",
    do="Write `install @{on} /bin/false` and `blacklist @{on}` into /etc/modprobe.d/@{on}.conf and unload "
    "the module. Only another kernel is without what is built in.",
    verify="modprobe -n -v @{on}   # install /bin/false",
    effort=Effort(setup=0.5, each=0.05),
    undo="Remove /etc/modprobe.d/@{on}.conf.",
    snippets=(
        Snippet(
            Language.SHELL,
            "module=@{on}\nfile=/etc/modprobe.d/$module.conf\n"
            "mkdir -p /etc/modprobe.d\n"
            '[ ! -e "$file" ] || [ -e "$file.before" ] || cp -p "$file" "$file.before"\n'
            'printf \'install %s /bin/false\\nblacklist %s\\n\' "$module" "$module" >"$file"\n'
            'if grep -q "^$module " /proc/modules; then modprobe -r "$module" || rmmod "$module"; fi',
            "module=@{on}\nfile=/etc/modprobe.d/$module.conf\n"
            'if [ -e "$file.before" ]; then mv "$file.before" "$file"; else rm -f "$file"; fi',
        ),
        Snippet(
            Language.ANSIBLE,
            "- name: Keep the kernel from loading a module\n"
            "  vars:\n    module: @{on}\n"
            "  ansible.builtin.copy:\n"
            '    dest: "/etc/modprobe.d/{{ module }}.conf"\n'
            '    content: "install {{ module }} /bin/false\\nblacklist {{ module }}\\n"\n'
            '    mode: "0644"\n'
            "    backup: true",
        ),
    ),
    key="modules:blocked",
)


def _made(family: _Unneeded) -> Check[[KernelModules, Platform]]:
    def judge(found: KernelModules, platform: Platform) -> Verdicts:
        for module in found.modules:
            if module.name in family.modules:
                yield _judged(module, found, platform)

    return make_check(
        judge,
        f"host.kernel-modules.{family.id}",
        title=family.title,
        why=family.why,
        severity=Severity.LOW,
        surface=family.surface,
        fix=_FIX,
        refs=(_REFERENCE,),
    )


def _judged(module: KernelModule, found: KernelModules, platform: Platform) -> Verdict:
    on = module.name
    if platform.container:
        reason = f"this is a container ({platform.container}): its kernel is that of the machine around it"
        return not_applicable(on, reason)
    bad, good = _reachable(module), _unreachable(module, found)
    # Files write the name with a dash or with an underscore.
    cite = on.partition("_")[0]
    if bad or good:
        return expect(not bad, on=on, saw=bad or good, want=_WANT, cite=cite)
    if module.presence == "unread":
        lists = "/lib/modules/*/modules.dep"
        return unknown(on, "the list of modules may not be read", needs=f"sudo: cat {lists}")
    if module.rule == "unread":
        return unknown(on, f"{module.file} may not be read", needs=f"sudo: cat {module.file}")
    listed = f"only blacklisted by {module.file}: loading it by its name works"
    saw = listed if module.rule else "can be loaded"
    return expect(False, on=on, saw=saw, want=_WANT, cite=cite)


def _reachable(module: KernelModule) -> str:
    if module.presence == "builtin":
        return "built into the kernel"
    return "loaded" if module.loaded else ""


def _unreachable(module: KernelModule, found: KernelModules) -> str:
    if module.rule == "blocked":
        return f"blocked by {module.file}"
    if module.presence == "absent":
        return "no module of that name for this kernel" if found.loads else "this kernel loads no modules"
    return "no module can be loaded until the next boot" if found.locked else ""


FAMILIES = tuple(_made(family) for family in _FAMILIES)
"""One check for each family of modules."""


@check(
    "host.kernel-modules.signed",
    title="The kernel takes only signed modules, or none any more",
    severity=Severity.INFO,
    fix=Fix(
        action="Let the kernel take only signed modules",
        do="Add `lockdown=integrity` to the kernel's command line, or `module.sig_enforce=1`, and reboot. "
        "Drivers from outside the distribution must be signed first or they stay away, so a person decides, "
        "host by host.",
        verify="cat /sys/kernel/security/lockdown   # none [integrity] confidentiality",
        effort=Effort(setup=2, each=0.5),
        disruption=Disruption.REBOOT,
        undo="Take the word out of the command line and reboot.",
    ),
    refs=("https://docs.kernel.org/admin-guide/module-signing.html",),
)
def signed(found: KernelModules, platform: Platform) -> Verdicts:
    """An attacker who is root hides for good with a module of their own, below everything that looks."""
    on = "modules"
    if platform.container:
        reason = f"this is a container ({platform.container}): its kernel is that of the machine around it"
        yield not_applicable(on, reason)
        return
    reasons = {
        "this kernel loads no modules": not found.loads,
        "loading is switched off until the next boot": found.locked,
        "a signature is enforced": found.signed_only,
        f"lockdown is {found.lockdown}": found.lockdown in ("integrity", "confidentiality"),
    }
    held = [reason for reason, holds in reasons.items() if holds]
    yield expect(
        bool(held),
        on=on,
        saw="; ".join(held) or "any module of root's is loaded",
        want="lockdown, an enforced signature, or no loading",
    )
