"""The settings of the kernel that are judged: which values are good, and how one is set to last."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ParamSpec

from checks.check import Check, make_check
from checks.facts.host.kernel import Sysctls
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.model import Impact, Severity, Surface
from checks.verdict import Verdicts, expect, not_applicable, unknown

P = ParamSpec("P")

FILE = "/etc/sysctl.d/zz-hardening.conf"
"""Where fixes write. Files are read in the order of their names, and the last line about a setting holds."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One kernel setting: its dotted name, and the values that are good, the one to set first.

    `default` is what every kernel starts with, empty where that depends on how it was built.
    """

    name: str
    good: tuple[str, ...]
    default: str = ""


@dataclass(frozen=True, slots=True)
class Family:
    """Settings that one check judges together."""

    id: str
    title: str
    why: str
    settings: tuple[Setting, ...]
    severity: Severity = Severity.LOW
    surface: Surface = Surface.LOCAL
    impact: Impact | None = None


def both(version: str, setting: str, *good: str, default: str = "") -> tuple[Setting, ...]:
    """The setting for all interfaces that there are, and for those that come."""
    return tuple(
        Setting(f"net.{version}.conf.{scope}.{setting}", good, default) for scope in ("all", "default")
    )


_SHELL = Snippet(
    Language.SHELL,
    f"setting=@{{on}}\nvalue=@{{good}}\nfile={FILE}\n"
    'mkdir -p "${file%/*}" && sysctl -w "$setting=$value" &&\n'
    '  printf \'%s = %s\\n\' "$setting" "$value" >>"$file"',
    f"setting=@{{on}}\nvalue=@{{good}}\nbefore=@{{before}}\nfile={FILE}\n"
    "# Only the line that the fix has added, not one that was there before it.\n"
    'at=$(grep -nxF "$setting = $value" "$file" | tail -n 1 | cut -d : -f 1)\n'
    '[ -z "$at" ] || sed -i "${at}d" "$file"\n'
    '[ -s "$file" ] || rm -f "$file"\n'
    "# Some settings can only be made stricter until the next boot.\n"
    'sysctl -w "$setting=$before" || echo "a reboot brings $before back" >&2',
)
_ANSIBLE = Snippet(
    Language.ANSIBLE,
    "- name: Set a protection of the kernel\n"
    "  ansible.posix.sysctl:\n"
    "    name: @{on}\n"
    "    value: @{good}\n"
    f"    sysctl_file: {FILE}\n"
    "    sysctl_set: true",
)
FIX = Fix(
    action="Set the kernel's protections in sysctl.d",
    do=f"Write `@{{on}} = @{{good}}` into {FILE} and load it with `sysctl --system`; take the setting out "
    f"of files that set it otherwise.",
    verify="sysctl -n @{on}   # @{good}",
    effort=Effort(setup=0.5, each=0.05),
    undo="Take the line out of the file and set `@{on}` back to @{before}.",
    snippets=(
        _SHELL,
        _ANSIBLE,
    ),
    key="sysctl:hardening",
)
"""The one change that all findings about settings of the kernel share."""

FORWARDING_FIX = Fix(
    action="Stop routing between networks",
    do=f"Write `@{{on}} = @{{good}}` into {FILE} and load it, unless this host is a router, or runs "
    f"containers or virtual machines whose packets it passes on: those lose their network.",
    verify=FIX.verify,
    effort=Effort(setup=0.5, each=0.1),
    disruption=Disruption.OUTAGE,
    undo=FIX.undo,
    snippets=(
        Snippet(
            Language.SHELL,
            "if ip link show type bridge 2>/dev/null | grep -q .; then\n"
            '  echo "there are bridges: containers or virtual machines need it" >&2; exit 1\n'
            "fi\n" + _SHELL.do,
            _SHELL.undo,
        ),
        _ANSIBLE,
    ),
    key="sysctl:forwarding",
)
"""The same for forwarding, which some hosts are there for."""

NAMESPACES_FIX = Fix(
    action="Close user namespaces where nothing needs them",
    do=f"Find out whether containers without root, browsers or sandboxes of services run here; if not, "
    f"write `@{{on}} = @{{good}}` into {FILE} and load it.",
    verify=FIX.verify,
    effort=Effort(setup=1, each=0.1),
    disruption=Disruption.OUTAGE,
    undo=FIX.undo,
    snippets=(_SHELL, _ANSIBLE),
    key="sysctl:user-namespaces",
)
"""The same for user namespaces, which some programs need."""


_OWN = {
    "net.ipv4.conf.default.accept_redirects": "net.ipv4.ip_forward",
    "net.ipv4.conf.default.secure_redirects": "net.ipv4.ip_forward",
    "net.ipv4.conf.default.send_redirects": "",
    "net.ipv6.conf.default.accept_redirects": "net.ipv6.conf.all.forwarding",
    "net.ipv6.conf.default.accept_ra": "net.ipv6.conf.all.forwarding",
    "net.ipv6.conf.default.accept_source_route": "",
}
"""Settings that an interface decides for itself whatever `all` says, unless the other one is on."""


def verdicts(found: Sysctls, settings: Iterable[Setting], container: str = "") -> Verdicts:
    """One verdict for each setting.

    `container` is the kind of container where the settings belong to the machine around it.
    """
    off = all(found.values.get(f"net.ipv6.conf.{scope}.disable_ipv6") == "1" for scope in ("all", "default"))
    for setting in settings:
        value = found.values.get(setting.name)
        if container:
            reason = f"this is a container ({container}): the machine around it sets {setting.name}"
            yield not_applicable(setting.name, reason)
        elif setting.name in found.absent:
            yield not_applicable(setting.name, f"this kernel has no {setting.name}")
        elif off and setting.name.startswith("net.ipv6."):
            yield not_applicable(setting.name, "IPv6 is switched off")
        elif value is not None:
            yield expect(
                value in setting.good,
                on=setting.name,
                saw=value,
                want=" or ".join(setting.good),
                values={"good": setting.good[0], "before": value},
            )
        else:
            path = f"/proc/sys/{setting.name.replace('.', '/')}"
            yield unknown(setting.name, f"{path} may not be read", needs=f"sudo: cat {path}")
    if not container:
        yield from _interfaces(found, settings, off)


def _interfaces(found: Sysctls, settings: Iterable[Setting], off: bool) -> Verdicts:
    """Interfaces that go on as before although `all` and `default` are good."""
    for setting in settings:
        head, _, tail = setting.name.partition(".conf.default.")
        scopes = (setting.name, f"{head}.conf.all.{tail}")
        settled = setting.name in _OWN and all(found.values.get(one) in setting.good for one in scopes)
        if not settled or found.values.get(_OWN[setting.name], "0") != "0" or (off and "ipv6" in head):
            continue
        for name, value in found.values.items():
            own = name.removeprefix(f"{head}.conf.").removesuffix(f".{tail}")
            if name != f"{head}.conf.{own}.{tail}" or value in setting.good:
                continue
            if found.values.get(f"{head}.conf.{own}.disable_ipv6", "0") == "0":
                yield expect(
                    False,
                    on=name,
                    saw=f"{value}, whatever the setting for all says",
                    want=" or ".join(setting.good),
                    values={"good": setting.good[0], "before": value},
                )


def family_check(judge: Callable[P, Verdicts], topic: str, family: Family, reference: str) -> Check[P]:
    """The check of one family of settings; `judge` stands in the module of the topic, as every check does."""
    return make_check(
        judge,
        f"host.{topic}.{family.id}",
        title=family.title,
        why=family.why,
        severity=family.severity,
        impact=family.impact,
        surface=family.surface,
        fix=FIX,
        refs=(reference,),
    )
