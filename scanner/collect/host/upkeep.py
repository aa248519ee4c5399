"""How a host is kept up: automatic updates, replaced libraries in use, uptime, paid support."""

from __future__ import annotations

import re
import shlex

from checks.facts.host.upkeep import (
    AutomaticUpdates,
    LivePatching,
    PaidSupport,
    StaleProgram,
    StalePrograms,
    Uptime,
)
from checks.facts.snapshot import Absence, Gap
from scanner.collect.collector import Collected
from scanner.collect.host.probe import ParseError, Probe, as_sudoers, number, rows

_AUTOMATIC = r"""
ran() { # FILE...: the newest time at which one of these was written
  for file in "$@"; do [ -e "$file" ] && date -u -r "$file" +%Y-%m-%dT%H:%M:%SZ; done 2>/dev/null |
    sort | tail -n 1 | sed 's/^/ran\t/'
}
if [ -e /usr/bin/unattended-upgrade ] || [ -e /usr/bin/unattended-upgrades ]; then
  printf 'tool\tunattended-upgrades\n'
  has apt-config && apt-config dump 2>/dev/null |
    awk '{ name = tolower($1); gsub(/[";]/, "", $2) }
      name == "apt::periodic::unattended-upgrade" { setting = "setting\t" $1 "\t" $2 }
      # This one stops all the others.
      name == "apt::periodic::enable" && $2 == "0" { off = "setting\t" $1 "\t0" }
      END { if (off != "" || setting != "") print (off != "" ? off : setting) }'
  ran /var/lib/apt/periodic/unattended-upgrades-stamp /var/lib/apt/periodic/upgrade-stamp \
    /var/log/unattended-upgrades/unattended-upgrades.log
elif [ -e /etc/dnf/automatic.conf ]; then
  printf 'tool\tdnf-automatic\n'
  awk -F '=' '/^[ \t]*apply_updates[ \t]*=/ { gsub(/[ \t]/, "", $2); print "setting\tapply_updates\t" $2 }' \
    /etc/dnf/automatic.conf
  ran /var/lib/systemd/timers/stamp-dnf-automatic.timer \
    /var/lib/systemd/timers/stamp-dnf-automatic-install.timer
elif [ -e /usr/sbin/transactional-update ]; then
  printf 'tool\ttransactional-update\nsetting\ttransactional-update.timer\t%s\n' \
    "$(systemctl is-enabled transactional-update.timer 2>/dev/null)"
  ran /var/lib/systemd/timers/stamp-transactional-update.timer
elif [ -e /usr/lib/YaST2/bin/online_update ]; then
  printf 'tool\tyast2-online-update\n'
elif grep -qsE '(^|[[:space:];&])apk.*upgrade' /etc/periodic/daily/* /etc/periodic/weekly/* \
  /etc/crontabs/root; then
  printf 'tool\tapk by cron\nsetting\tcron\tyes\n'
else
  printf 'tool\t\n'
fi
exit 0
"""
_STALE_FIND = (
    "find", "/proc", "-maxdepth", "2", "-path", "/proc/[1-9]*/maps", "-exec", "grep", "-sHF", "-e",
    "(deleted)", "{}", "+",
)  # fmt: skip
_STALE_PRIVILEGE = f"/usr/bin/{as_sudoers(*_STALE_FIND)}"
_STALE = r"""
[ -r /proc/1/comm ] || { printf 'hidden\n'; exit 0; }
# Fewer than two files would make grep leave the name out: -H.
lines=$(as_root @FIND@)
ended=$?
[ "$ended" = 126 ] && exit 126
printf '%s\n' "$lines" | awk '
  / r.x. .* \/(usr\/|lib|opt\/|s?bin\/).* \(deleted\)$/ {
    at = index($0, ":"); if (!at) next
    split(substr($0, 1, at - 1), p, "/"); n = split($0, w, " ")
    path = w[6]; for (i = 7; i < n; i++) path = path " " w[i]
    if (!((p[3], path) in seen)) { seen[p[3], path] = 1; print p[3] "\t" path } }' |
head -n 2000 | while IFS='	' read -r pid path; do
  read -r name 2>/dev/null <"/proc/$pid/comm" || continue
  printf 'stale\t%s\t%s\n' "$name" "$path"
done | sort -u | head -n 400
printf 'looked\n'
exit 0
""".replace("@FIND@", shlex.join(_STALE_FIND))
_STATE = r"""
printf 'uptime\t%s\t%s\n' "$(cut -d . -f 1 /proc/uptime)" "$(container)"
if [ -r /var/lib/ubuntu-advantage/status.json ]; then
  tr -d ' \n' </var/lib/ubuntu-advantage/status.json | head -c 65536 |
    sed -e 's/"attached":\(true\|false\)/\npro\t\1\n/g' \
      -e 's/{[^{}]*"name":"\([a-z-]*\)"[^{}]*"status":"enabled"[^{}]*}/\nservice\t\1\n/g' |
    grep -E '^(pro|service)	'
elif has pro; then printf 'pro\tfalse\n'
elif has subscription-manager; then
  found=no
  for file in /etc/pki/consumer/cert.pem; do [ -e "$file" ] && found=yes; done
  printf 'subscription\t%s\n' "$found"
fi
for folder in /sys/kernel/livepatch/*; do
  [ -d "$folder" ] && printf 'livepatch\t%s\n' "${folder##*/}"
done
if has canonical-livepatch; then printf 'livetool\tcanonical-livepatch\n'
elif has kpatch; then printf 'livetool\tkpatch\n'
elif has klp; then printf 'livetool\tklp\n'; fi
exit 0
"""
_WHEN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_STATE_WORDS = ("uptime", "pro", "service", "subscription", "livepatch", "livetool")
_ON = frozenset({"1", "yes", "true", "enabled"})


def parse_automatic(text: str) -> Collected:
    """The `AutomaticUpdates` in an answer."""
    tool: str | None = None
    installs, setting, last = False, "", ""
    for row in rows(text):
        match row:
            case ["tool", name]:
                tool = name
            case ["tool"]:
                tool = ""
            case ["setting", name, value]:
                # apt counts days: every number but 0 is on.
                installs = value in _ON or (value.isascii() and value.isdigit() and int(value) > 0)
                setting = f"{name} {value}"
            case ["ran", moment] if _WHEN.fullmatch(moment):
                last = moment
            case _:
                raise ParseError(f"unexpected line {row[0][:40]!r}")
    if tool is None:
        raise ParseError("no answer about automatic updates")
    return Collected((AutomaticUpdates(tool, installs, setting, last),))


def parse_stale(text: str) -> Collected:
    """The `StalePrograms` in an answer."""
    found: list[StaleProgram] = []
    looked = False
    for row in rows(text):
        match row:
            case ["hidden"]:
                reason = "the processes of others are hidden from this login"
                return Collected(
                    gaps=(Gap("StalePrograms", reason, needs="a login that sees all processes"),)
                )
            case ["stale", program, library]:
                found.append(StaleProgram(program, library))
            case ["looked"]:
                looked = True
            case _:
                raise ParseError(f"unexpected line {row[0][:40]!r}")
    if not looked:
        raise ParseError("the search has no end")
    return Collected((StalePrograms(tuple(found)),))


def parse_state(text: str) -> Collected:
    """The `Uptime`, `PaidSupport` and `LivePatching` in an answer."""
    said: dict[str, list[str]] = {word: [] for word in _STATE_WORDS}
    for row in rows(text):
        word, *rest = row
        if word not in said or not rest:
            raise ParseError(f"unexpected line {word[:40]!r}")
        said[word].append("\t".join(rest))
    if not said["uptime"]:
        raise ParseError("no uptime was told")
    seconds, _, container = said["uptime"][0].partition("\t")
    uptime = Uptime(number(seconds, "an uptime") // 86_400, container)
    scheme = "Ubuntu Pro" if said["pro"] else "subscription" if said["subscription"] else ""
    attached = said["pro"][:1] == ["true"] or said["subscription"][:1] == ["yes"]
    services, applied, tool = said["service"], said["livepatch"], "".join(said["livetool"][:1])
    absences = []
    facts: list[Uptime | PaidSupport | LivePatching] = [uptime]
    if scheme:
        facts.append(PaidSupport(scheme, attached, tuple(sorted(services))))
    else:
        absences.append(Absence("PaidSupport", "this system has no paid support that the host would know of"))
    if tool or applied:
        facts.append(LivePatching(tool, tuple(applied)))
    else:
        absences.append(Absence("LivePatching", "no tool for live patches is installed, and none is applied"))
    return Collected(tuple(facts), absences=tuple(absences))


AUTOMATIC = Probe(
    "automatic-updates",
    (AutomaticUpdates,),
    _AUTOMATIC,
    parse_automatic,
    how="settings of unattended-upgrades or dnf-automatic, and when it last ran",
    limit=8_192,
)
STALE = Probe(
    "stale-programs",
    (StalePrograms,),
    _STALE,
    parse_stale,
    how="/proc/*/maps for files that were replaced",
    privileges=(_STALE_PRIVILEGE,),
    limit=131_072,
)
STATE = Probe(
    "upkeep",
    (Uptime, PaidSupport, LivePatching),
    _STATE,
    parse_state,
    how="/proc/uptime, support contracts, live patches",
    limit=16_384,
)
