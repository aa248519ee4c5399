"""Modules of the kernel: which there are, which are loaded, and which may not be."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from checks.facts.host.modules import KernelModule, KernelModules
from checks.host.kernel_modules import MODULES
from scanner.collect.collector import Collected
from scanner.collect.host.probe import ParseError, Probe, rows

_FOLDERS = (
    "/etc/modprobe.d",
    "/run/modprobe.d",
    "/usr/local/lib/modprobe.d",
    "/usr/lib/modprobe.d",
    "/lib/modprobe.d",
)
_SCRIPT = r"""
folder=/lib/modules/$(uname -r)
if [ -r "$folder/modules.dep" ]; then
  printf 'presence\tread\n'
  grep -oE '^[^:]*/(@NAMES@)\.ko[.a-z0-9]*:' "$folder/modules.dep" | sed 's/^/present\t/; s/:$//'
  grep -oE '/(@NAMES@)\.ko' "$folder/modules.builtin" 2>/dev/null | sed 's/^/builtin\t/'
elif [ -d /lib/modules ] && [ -x /lib/modules ] && ! [ -d "$folder" ]; then printf 'presence\tnone\n'
elif ! [ -e /lib/modules ]; then printf 'presence\tnone\n'
else printf 'presence\tunread\n'; fi
if [ -r /proc/modules ]; then
  printf 'loads\tyes\n'
  grep -oE '^(@NAMES@) ' /proc/modules | sed 's/^/loaded\t/; s/ $//'
elif [ -e /proc/modules ] || ! [ -r /proc/filesystems ]; then printf 'loads\tunread\n'
else printf 'loads\tno\n'; fi
grep -howE '@NAMES@' /proc/filesystems 2>/dev/null | sed 's/^/active\t/'
awk '{ print "active\t" tolower($1) }' /proc/net/protocols 2>/dev/null | grep -xE 'active.(@NAMES@)' | sort -u
[ -d /sys/bus/usb/drivers/usb-storage ] && printf 'active\tusb_storage\n'
value=
[ -r /proc/sys/kernel/modules_disabled ] && read -r value </proc/sys/kernel/modules_disabled
printf 'locked\t%s\n' "$value"
value=
[ -r /sys/module/module/parameters/sig_enforce ] && read -r value </sys/module/module/parameters/sig_enforce
printf 'signed\t%s\n' "$value"
value=
[ -r /sys/kernel/security/lockdown ] && IFS= read -r value </sys/kernel/security/lockdown
printf 'lockdown\t%s\n' "$value"
set --
for file in @FILES@; do
  [ -e "$file" ] || continue
  printf 'file\t%s\n' "$file"
  if [ -r "$file" ]; then [ -c "$file" ] || set -- "$@" "$file"; else printf 'unread\t%s\n' "$file"; fi
done
# Of a command that stands in the place of a module only whether it does nothing is told.
awk -v OFS='\t' '
  FILENAME == "/proc/cmdline" {
    for (at = 1; at <= NF; at++) if (sub(/^module_blacklist=/, "", $at)) {
      count = split($at, names, ",")
      for (one = 1; one <= count; one++) print "rule", FILENAME, "install", names[one], "nothing" }
    next }
  { line = held $0; held = "" }
  line ~ /\\$/ { held = substr(line, 1, length(line) - 1) " "; next }
  { count = split(line, word) }
  word[1] == "install" && count > 2 {
    effect = word[3] ~ /^(\/usr)?\/s?bin\/(true|false|nologin)$/ ? "nothing" : "something"
    print "rule", FILENAME, "install", word[2], effect }
  word[1] == "blacklist" && count > 1 { print "rule", FILENAME, "blacklist", word[2], "nothing" }' \
  "$@" $([ -r /proc/cmdline ] && echo /proc/cmdline) </dev/null | grep -E '(@NAMES@)|[*?[]'
exit 0
"""


@dataclass
class _Told:
    """What the lines said."""

    presence: str = ""
    loads: str = ""
    present: set[str] = field(default_factory=set)
    builtin: set[str] = field(default_factory=set)
    loaded: set[str] = field(default_factory=set)
    active: set[str] = field(default_factory=set)
    states: dict[str, str] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    rules: list[tuple[str, str, str, str]] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)


def parse(text: str) -> Collected:
    """The `KernelModules` in an answer."""
    told = _told(text)
    if not told.presence or not told.loads or {"locked", "signed", "lockdown"} - told.states.keys():
        raise ParseError("the answer has no beginning or no end")
    level = re.search(r"\[(\w+)\]", told.states["lockdown"])
    fact = KernelModules(
        tuple(_module(name, told) for name in MODULES),
        loads=told.loads != "no",
        locked=told.states["locked"] == "1",
        signed_only=told.states["signed"] in ("Y", "1"),
        lockdown=level[1] if level else "",
    )
    return Collected((fact,))


def _told(text: str) -> _Told:
    told = _Told()
    for row in rows(text):
        match row:
            case ["presence", "read" | "none" | "unread" as state]:
                told.presence = state
            case ["loads", "yes" | "no" | "unread" as state]:
                told.loads = state
            case ["present", path]:
                told.present.add(_name(path))
            case ["builtin", path]:
                told.builtin.add(_name(path))
            case ["loaded", name]:
                told.loaded.add(_under(name))
            case ["active", name]:
                told.active.add(_under(name))
            case ["locked" | "signed" | "lockdown" as word, *value]:
                told.states[word] = " ".join(value)
            case ["file", path]:
                told.files.append(path)
            case ["unread", path]:
                told.unread.append(path)
            case ["rule", path, "install" | "blacklist" as kind, pattern, effect]:
                told.rules.append((path, kind, _under(pattern), effect))
            case _:
                raise ParseError(f"unexpected line {row[0][:40]!r}")
    return told


def _module(name: str, told: _Told) -> KernelModule:
    if name in told.present:
        presence = "file"
    elif name in told.builtin or (name in told.active and name not in told.loaded):
        presence = "builtin"
    elif told.presence == "unread" or told.loads == "unread":
        presence = "unread"
    else:
        presence = "absent"
    rule, file = _rule(name, told)
    if not rule and told.unread:
        # What stands in a file that may not be read is not known; the check says so.
        rule, file = "unread", told.unread[0]
    return KernelModule(name, presence, name in told.loaded or name in told.active, rule, file)


def _rule(name: str, told: _Told) -> tuple[str, str]:
    """What the files say about loading the module: the first `install` line for it holds."""
    by_name: dict[str, str] = {}
    for path in told.files:
        by_name.setdefault(path.rpartition("/")[2], path)
    order = [*("/proc/cmdline",), *(by_name[one] for one in sorted(by_name))]
    mine = [
        (path, kind, effect)
        for wanted in order
        for path, kind, pattern, effect in told.rules
        if path == wanted and fnmatchcase(name, pattern)
    ]
    for path, _, effect in (one for one in mine if one[1] == "install"):
        return ("blocked", path) if effect == "nothing" else ("", "")
    return next((("blacklisted", path) for path, kind, _ in mine if kind == "blacklist"), ("", ""))


def _name(path: str) -> str:
    return _under(re.sub(r"\.ko[.a-z0-9]*$", "", path.rpartition("/")[2]))


def _under(name: str) -> str:
    return name.replace("-", "_")


PROBE = Probe(
    "modules",
    (KernelModules,),
    _SCRIPT.replace("@NAMES@", "|".join(name.replace("_", "[-_]") for name in MODULES)).replace(
        "@FILES@", " ".join(f"{folder}/*.conf" for folder in _FOLDERS)
    ),
    parse,
    how="modprobe.d, /proc/modules and /lib/modules",
)
