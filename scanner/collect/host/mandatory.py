"""Mandatory access control, as the running kernel applies it."""

from __future__ import annotations

from checks.facts.host.kernel import MandatoryAccess
from scanner.collect.collector import Collected
from scanner.collect.host.probe import ParseError, Probe, rows

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
    """The `MandatoryAccess` in an answer."""
    said = {row[0]: row[1] for row in rows(text) if len(row) == 2}
    try:
        fact = MandatoryAccess(
            apparmor=_APPARMOR[said["apparmor"]],
            selinux=_SELINUX[said["selinux"]],
            selinux_configured=said.get("configured", ""),
            container=said["container"],
        )
    except KeyError as error:
        raise ParseError(f"no usable answer about {error.args[0]!r}") from None
    return Collected((fact,))


PROBE = Probe(
    "mandatory-access",
    (MandatoryAccess,),
    _SCRIPT,
    parse,
    how="the kernel's state of AppArmor and SELinux",
    limit=4_096,
)
