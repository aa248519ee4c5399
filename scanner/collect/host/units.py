"""Units of the init system, and running programs."""

from __future__ import annotations

from checks.facts.host.units import Process, Processes, Unit, Units
from checks.facts.snapshot import Gap
from scanner.collect.collector import Collected
from scanner.collect.host.probe import ParseError, Probe, number, rows

_UNITS = r"""
if has systemctl; then
  printf 'manager\tsystemd\t%s\n' "$([ -d /run/systemd/system ] && echo booted)"
  # What systemctl would tell of each unit file, from the links that decide it: where systemd does not run,
  # systemctl takes half a second to read every file. A find that cannot tell where a link leads cannot say.
  if ! find /dev/null -prune -printf '' 2>/dev/null; then
    files=$(systemctl list-unit-files --no-legend --no-pager --full \
      --type=service,socket,timer 2>/dev/null) || exit 1
    printf '%s\n' "$files" | awk 'NF > 1 { print "file\t" $1 "\t" $2 }'
  else {
    find /etc/systemd/system /run/systemd/system /usr/lib/systemd/system /lib/systemd/system -maxdepth 2 \
      \( -name '*.service' -o -name '*.socket' -o -name '*.timer' \) ! -type d \
      -printf 'unit\t%H\t%P\t%l\n' 2>/dev/null
    grep -lsE '^\[Install\]' /usr/lib/systemd/system/*.service /usr/lib/systemd/system/*.socket \
      /usr/lib/systemd/system/*.timer /lib/systemd/system/*.service /lib/systemd/system/*.socket \
      /lib/systemd/system/*.timer /etc/systemd/system/*.service /etc/systemd/system/*.socket \
      /etc/systemd/system/*.timer | sed 's/^/install\t/'
    ls /etc/rc[2345].d 2>/dev/null | sed -n 's/^S[0-9][0-9]/rc\t/p' | sort -u
  } | awk -F '\t' '
    $1 == "install" { n = split($2, p, "/"); install[p[n]] = 1; next }
    $1 == "rc" { rc[$2 ".service"] = 1; next }
    { n = split($3, p, "/"); name = p[n]; runtime = $2 ~ /^\/run/ }
    n == 2 && p[1] ~ /\.(wants|requires)$/ && $2 ~ /^\/(etc|run)/ {
      if (!(name in wanted) || !runtime) wanted[name] = runtime ? "enabled-runtime" : "enabled"
      if (sub(/@[^.]*\./, "@.", name)) wanted[name] = "enabled"
      next
    }
    n == 1 {
      known[name] = 1
      if ($4 == "/dev/null") masked[name] = 1
      else if ($4 != "") { m = split($4, q, "/"); if (q[m] != name) alias[name] = 1 }
    }
    END {
      for (name in wanted) known[name] = 1
      for (name in rc) if (!(name in known)) { known[name] = 1; wanted[name] = "enabled" }
      for (name in known)
        print "file\t" name "\t" (name in masked ? "masked" : name in wanted ? wanted[name] : \
          name in alias ? "alias" : name in install ? "disabled" : "static")
    }'
  fi
  [ -d /run/systemd/system ] || exit 0
  units=$(systemctl list-units --all --plain --no-legend --no-pager --full \
    --type=service,socket,timer 2>/dev/null) || exit 1
  printf '%s\n' "$units" | awk 'NF > 3 && $2 != "not-found" { print "unit\t" $1 "\t" $3 }'
elif has rc-update; then
  printf 'manager\topenrc\t%s\n' "$([ -e /run/openrc/softlevel ] && echo booted)"
  ls /etc/init.d | sed 's/^/service\t/'
  rc-update show 2>/dev/null | awk -F '|' 'NF > 1 && $2 ~ /[a-z]/ { gsub(/ /, "", $1); print "file\t" $1 }'
  [ -e /run/openrc/softlevel ] && ls /run/openrc/started 2>/dev/null | sed 's/^/unit\t/'
elif [ -d /etc/init.d ]; then
  printf 'manager\tsysv\t\n'
  ls /etc/init.d | sed 's/^/service\t/'
  ls /etc/rc[2345].d 2>/dev/null | sed -n 's/^S[0-9][0-9]/file\t/p' | sort -u
else
  printf 'manager\tnone\t\n'
fi
exit 0
"""
_PROCESSES = r"""
[ -r /proc/1/status ] || { printf 'hidden\n'; exit 0; }
# Who has a second number in NSpid lives in a container; who has no VmSize is a thread of the kernel.
cat /proc/[0-9]*/status 2>/dev/null | awk '
  function tell() { if (name != "" && size && spaces < 3) print "process\t" uid "\t" name }
  /^Name:\t/ { tell(); name = substr($0, 7); size = 0; spaces = 0 }
  /^Uid:\t/ { uid = $3 }
  /^NSpid:\t/ { spaces = NF }
  /^VmSize:\t/ { size = 1 }
  END { tell() }' | sort -u
exit 0
"""


def parse_units(text: str) -> Collected:
    """The `Units` in an answer; a host without an init system that we know is a gap."""
    manager, booted = "", False
    enabled: dict[str, str] = {}
    active: dict[str, str] = {}
    for row in rows(text):
        match row:
            case ["manager", name, *state] if not manager:
                manager, booted = name, state == ["booted"]
            case ["file", unit, state]:
                enabled[unit] = state
            case ["unit", unit, state]:
                active[unit] = state if state in ("active", "failed") else "inactive"
            case ["service", name]:
                enabled.setdefault(f"{name}.service", "disabled")
            case ["file", name]:
                enabled[f"{name}.service"] = "enabled"
            case ["unit", name]:
                active[f"{name}.service"] = "active"
            case _:
                raise ParseError(f"unexpected line {row[0][:40]!r}")
    if manager == "none":
        return Collected(gaps=(Gap("Units", "the host has neither systemd, OpenRC nor /etc/init.d"),))
    if manager not in ("systemd", "openrc", "sysv") or not enabled:
        raise ParseError("no unit was told")
    rest = "inactive" if booted else ""
    units = (Unit(name, enabled.get(name, ""), active.get(name, rest)) for name in {**enabled, **active})
    return Collected((Units(manager, booted, tuple(sorted(units, key=lambda u: u.name))),))


def parse_processes(text: str) -> Collected:
    """The `Processes` in an answer; a login that sees only its own is a gap."""
    found: set[tuple[str, int]] = set()
    for row in rows(text):
        match row:
            case ["hidden"]:
                reason = "the processes of others are hidden from this login"
                return Collected(gaps=(Gap("Processes", reason, needs="a login that sees all processes"),))
            case ["process", uid, *name]:
                found.add(("\t".join(name), number(uid, "a uid")))
            case _:
                raise ParseError(f"unexpected line {row[0][:40]!r}")
    if not found:
        raise ParseError("no process was told")
    return Collected((Processes(tuple(Process(name, uid) for name, uid in sorted(found))),))


UNITS = Probe(
    "units",
    (Units,),
    _UNITS,
    parse_units,
    how="unit files and systemctl list-units (or OpenRC, /etc/init.d)",
    seconds=20,
    limit=262_144,
)
PROCESSES = Probe("processes", (Processes,), _PROCESSES, parse_processes, how="/proc/*/status", limit=131_072)
