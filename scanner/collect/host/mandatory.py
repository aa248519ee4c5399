"""Mandatory access control, as the running kernel applies it."""

from __future__ import annotations

from checks.facts.host.kernel import AppArmorProfiles, MandatoryAccess
from checks.facts.snapshot import Absence, Gap
from scanner.collect.collector import Collected
from scanner.collect.host.probe import ParseError, Probe, rows

_PROFILES = "/sys/kernel/security/apparmor/profiles"
_PRIVILEGE = f"/usr/bin/cat {_PROFILES}"
_SCRIPT = r"""
printf 'container\t%s\n' "$(container)"
if [ -r /sys/module/apparmor/parameters/enabled ]; then
  read -r enabled </sys/module/apparmor/parameters/enabled
  printf 'apparmor\t%s\n' "$enabled"
else
  [ -d /sys/module ] && printf 'apparmor\tabsent\n'
fi
if [ -r /sys/fs/selinux/enforce ]; then
  printf 'selinux\t%s\n' "$(cat /sys/fs/selinux/enforce)"
elif grep -q selinuxfs /proc/filesystems && has getenforce; then
  printf 'selinux\t%s\n' "$(getenforce 2>/dev/null)"
else
  [ -r /proc/filesystems ] && printf 'selinux\tabsent\n'
fi
[ -r /etc/selinux/config ] &&
  printf 'configured\t%s\n' "$(sed -n 's/^SELINUX=//p' /etc/selinux/config | tail -n 1 | tr -d ' \t\r')"
profiles=/sys/kernel/security/apparmor/profiles
if [ "${enabled:-}" = Y ]; then
  if text=$(cat $profiles 2>/dev/null) || text=$(as_root cat $profiles 2>/dev/null); then
    printf 'profiles\tread\n'
    printf '%s\n' "$text" | head -n 1000 | sed -n 's/^\(.*\) (\([a-z]*\))$/profile\t\2\t\1/p'
  else printf 'profiles\tunread\n'; fi
fi
exit 0
"""
_APPARMOR = {"Y": "enabled", "N": "disabled", "absent": "absent"}
_SELINUX = {
    "1": "enforcing",
    "0": "permissive",
    "Enforcing": "enforcing",
    "Permissive": "permissive",
    "Disabled": "absent",
    "absent": "absent",
}


def parse(text: str) -> Collected:
    """The `MandatoryAccess` and the `AppArmorProfiles` in an answer."""
    told = rows(text)
    said = {row[0]: row[1] for row in told if len(row) == 2}
    try:
        fact = MandatoryAccess(
            apparmor=_APPARMOR[said["apparmor"]],
            selinux=_SELINUX[said["selinux"]],
            selinux_configured=said.get("configured", ""),
            container=said["container"],
        )
    except KeyError as error:
        raise ParseError(f"no usable answer about {error.args[0]!r}") from None
    if fact.apparmor != "enabled":
        return Collected((fact,), absences=(Absence("AppArmorProfiles", f"AppArmor is {fact.apparmor}"),))
    if said.get("profiles") != "read":
        gap = Gap("AppArmorProfiles", f"{_PROFILES} may not be read", needs=f"sudo: {_PRIVILEGE}")
        return Collected((fact,), (gap,))
    modes: dict[str, list[str]] = {}
    for row in told:
        if row[0] == "profile" and len(row) == 3:
            modes.setdefault(row[1], []).append(row[2])
    return Collected((fact, AppArmorProfiles({mode: tuple(sorted(names)) for mode, names in modes.items()})))


PROBE = Probe(
    "mandatory-access",
    (MandatoryAccess, AppArmorProfiles),
    _SCRIPT,
    parse,
    how="the kernel's state of AppArmor and SELinux",
    privileges=(_PRIVILEGE,),
)
