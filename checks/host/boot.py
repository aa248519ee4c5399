"""How a host boots: its menu, its rescue modes, the kernel's parameters, its firmware and processor."""

from __future__ import annotations

import re

from checks.check import check
from checks.facts.host.boot import BootMenu, BootParameters, Firmware, ProcessorFlaws, RescueShells
from checks.facts.host.platform import Platform
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.model import Impact, Severity
from checks.verdict import Verdicts, expect, not_applicable, unknown

_WEAKENING = (
    "mitigations=off",
    "nopti",
    "pti=off",
    "kpti=(0|off|n|no)",
    "nospectre_v[12]",
    "spectre_v2=off",
    "spectre_v2_user=off",
    "spectre_bhi=off",
    "nospec_store_bypass_disable",
    "spec_store_bypass_disable=off",
    "(l1tf|mds|tsx_async_abort|mmio_stale_data|retbleed|srbds|gather_data_sampling)=off",
    "(reg_file_data_sampling|spec_rstack_overflow)=off",
    "nosmap|nosmep|nokaslr",
    "noexec=off",
    "(selinux|apparmor|enforcing|module[.]sig_enforce)=0",
    "systemd[.]debug[-_]shell(=.*)?",
    "rd[.]shell(=1)?",
)
_BAD = re.compile("|".join(_WEAKENING))
_RESCUE = "/etc/systemd/system/@{on}.service.d/zz-password.conf"


def _of_machine(platform: Platform) -> str:
    return f"this is a container ({platform.container}): the machine around it boots, not this one"


@check(
    "host.boot.menu-password",
    title="Changing an entry of the boot menu asks for a password",
    severity=Severity.LOW,
    impact=Impact.TOTAL,
    fix=Fix(
        action="Protect the boot menu with a password",
        do="Make a hash with `grub-mkpasswd-pbkdf2` and name a superuser with it in /etc/grub.d/40_custom "
        "(RHEL: `grub2-setpassword`), mark the plain entries --unrestricted, and write the menu anew. A "
        "person must choose the password and keep it.",
        verify="grep -c password_pbkdf2 @{file}   # 1 or more",
        effort=Effort(setup=0.5, each=0.25),
        undo="Take the lines out again and write the menu anew.",
    ),
    refs=("https://www.gnu.org/software/grub/manual/grub/html_node/Security.html",),
)
def menu_password(found: BootMenu, platform: Platform) -> Verdicts:
    """Who sits at the console adds one word to an entry and has a root shell without any password."""
    if platform.container:
        yield not_applicable("boot menu", _of_machine(platform))
        return
    who = "a superuser" if found.superusers else "no superuser"
    yield expect(
        found.superusers and found.password,
        on="boot menu",
        saw=f"{who}, {'a' if found.password else 'no'} password in {found.file}",
        want="a superuser with a password",
        # The console of a virtual machine is behind the login of its hypervisor.
        severity=Severity.INFO if platform.virtual else None,
        values={"file": found.file},
        cite=found.file,
    )


@check(
    "host.boot.rescue-password",
    title="Rescue modes ask for the password of root",
    severity=Severity.LOW,
    impact=Impact.TOTAL,
    fix=Fix(
        action="Let rescue modes ask for the password of root",
        do=f"Write a drop-in file {_RESCUE} that starts sulogin and forces nothing. Root needs a password "
        f"for it: with a locked one nobody gets in there, which is safe, too.",
        verify="systemctl cat @{on}.service   # the last ExecStart is a sulogin",
        effort=Effort(setup=0.25, each=0.05),
        undo="Remove the drop-in file.",
        snippets=(
            Snippet(
                Language.SHELL,
                "unit=@{on}\nfolder=/etc/systemd/system/$unit.service.d\n"
                "for shell in /usr/lib/systemd/systemd-sulogin-shell /lib/systemd/systemd-sulogin-shell; do\n"
                '  [ -x "$shell" ] && break\ndone\n'
                '[ -x "$shell" ] || exit 1\n'
                'mkdir -p "$folder"\n'
                "printf '[Service]\\nEnvironment=SYSTEMD_SULOGIN_FORCE=0\\nExecStart=\\nExecStart=-%s %s\\n' "
                '"$shell" "$unit" >"$folder/zz-password.conf"\n'
                "systemctl daemon-reload || true",
                "unit=@{on}\nfolder=/etc/systemd/system/$unit.service.d\n"
                'rm -f "$folder/zz-password.conf"\n'
                'rmdir "$folder" 2>/dev/null\nsystemctl daemon-reload || true',
            ),
        ),
    ),
)
def rescue_password(found: RescueShells) -> Verdicts:
    """Who can restart the machine, or break its start, would get a root shell at the console for nothing."""
    for shell in found.shells:
        how = shell.program or "nothing"
        held = shell.program in ("", "sulogin") and not shell.forced
        yield expect(
            held,
            on=shell.unit,
            saw=f"{how}, forced without a password" if shell.forced else how,
            want="sulogin, which is not forced",
            cite=f"{shell.unit}.service",
        )


@check(
    "host.boot.parameters",
    title="The kernel was started with its protections",
    severity=Severity.HIGH,
    impact=Impact.PARTIAL,
    fix=Fix(
        action="Start the kernel with its protections",
        do="Take @{on} out of the kernel's command line (GRUB_CMDLINE_LINUX in /etc/default/grub and "
        "`update-grub`; RHEL: `grubby --update-kernel=ALL --remove-args=...`) and reboot. Somebody has set "
        "it on purpose, so a person asks first what needed it.",
        verify="grep -cw @{on} /proc/cmdline   # 0",
        effort=Effort(setup=0.5, each=0.25),
        disruption=Disruption.REBOOT,
        undo="Add the word to the command line again and reboot.",
    ),
    refs=("https://docs.kernel.org/admin-guide/kernel-parameters.html",),
)
def parameters(found: BootParameters, platform: Platform) -> Verdicts:
    """One word there switches off what holds programs apart, or the access control of the whole system."""
    if platform.container:
        yield not_applicable("kernel command line", _of_machine(platform))
        return
    bad = [word for word in found.words if _weakens(word)]
    for word in bad:
        yield expect(False, on=word, saw="set at boot", want="not set")
    if not bad:
        yield expect(True, on="kernel command line", saw="no word that weakens", want="no word that weakens")


def _weakens(word: str) -> bool:
    if word.startswith("mitigations="):
        return "off" in word.partition("=")[2].split(",")
    return _BAD.fullmatch(word) is not None


@check(
    "host.boot.processor-flaws",
    title="Flaws of the processor are mitigated",
    severity=Severity.MEDIUM,
    fix=Fix(
        action="Mitigate the flaws of the processor",
        do="Install the newest kernel and microcode (intel-microcode, amd64-microcode, microcode_ctl) and "
        "reboot; in a virtual machine the hypervisor must have the microcode and pass it on. Which of these "
        "is missing only the machine's owner can tell.",
        verify="cat /sys/devices/system/cpu/vulnerabilities/@{on}   # Not affected, or Mitigation: ...",
        effort=Effort(setup=1, each=0.25),
        disruption=Disruption.REBOOT,
        undo="Boot the former kernel.",
        key="processor:microcode",
    ),
    refs=("https://docs.kernel.org/admin-guide/hw-vuln/index.html",),
)
def processor_flaws(found: ProcessorFlaws, platform: Platform) -> Verdicts:
    """A program of one user, or of another virtual machine, reads passwords and keys out of the processor."""
    if platform.container:
        yield not_applicable("processor", _of_machine(platform))
        return
    for name, state in sorted(found.states.items()):
        if state.startswith("Unknown"):
            needs = "the word of whoever runs the hypervisor"
            yield unknown(name, f"the kernel says: {state}", needs=needs)
        else:
            yield expect(
                not state.startswith("Vulnerable"), on=name, saw=state, want="not affected, or mitigated"
            )


@check(
    "host.boot.secure-boot",
    title="Only signed systems boot",
    severity=Severity.LOW,
    fix=Fix(
        action="Switch on secure boot",
        do="Switch secure boot on in the firmware's setup, or in the settings of the virtual machine. A "
        "person does it at the console and signs drivers from outside the distribution first, or they stay "
        "away.",
        verify="mokutil --sb-state   # SecureBoot enabled",
        effort=Effort(setup=1, each=0.5),
        disruption=Disruption.REBOOT,
        undo="Switch it off in the same place.",
    ),
)
def secure_boot(found: Firmware, platform: Platform) -> Verdicts:
    """Malware that starts before the kernel hides from all that runs later and outlives a new system."""
    on = "secure boot"
    if platform.container:
        yield not_applicable(on, _of_machine(platform))
    elif found.kind != "efi":
        yield not_applicable(on, "the machine was not started by EFI firmware")
    else:
        yield expect(found.secure_boot == "on", on=on, saw=found.secure_boot, want="on", cite="secure\t")
