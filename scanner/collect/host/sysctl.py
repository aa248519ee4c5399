"""Settings of the running kernel, and what the files would set at the next boot."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase

from checks.facts.host.kernel import PlannedSysctl, SysctlFiles, Sysctls
from checks.host.kernel import READ_BESIDES, SETTINGS
from scanner.collect.collector import Collected
from scanner.collect.host.probe import ParseError, Probe, rows

_NAMES = tuple(sorted({*(setting.name for setting in SETTINGS), *READ_BESIDES}))
_FOLDERS = ("/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d")
_MAIN = "/etc/sysctl.conf"
_OF_INTERFACES = (
    *(f"net/ipv4/conf/*/{name}" for name in ("accept_redirects", "secure_redirects", "send_redirects")),
    *(f"net/ipv6/conf/*/{name}" for name in ("accept_redirects", "accept_source_route", "accept_ra")),
    "net/ipv6/conf/*/disable_ipv6",
)
_BUILT_IN = {
    "CONFIG_SECURITY_DMESG_RESTRICT": ("kernel.dmesg_restrict", "1", "0"),
    "CONFIG_BPF_UNPRIV_DEFAULT_OFF": ("kernel.unprivileged_bpf_disabled", "2", "0"),
    "CONFIG_LDISC_AUTOLOAD": ("dev.tty.ldisc_autoload", "1", "0"),
}
_SCRIPT = r"""
{
set --
for name in @NAMES@; do
  file=/proc/sys/$name
  if [ -r "$file" ]; then set -- "$@" "$file"
  elif ! [ -d /proc/sys/kernel ]; then echo "unread $name"
  elif ! [ -e "$file" ]; then echo "absent $name"
  elif value=$(as_root cat "$file" 2>/dev/null) && [ -n "$value" ]; then echo "value $name $value"
  else echo "unread $name"; fi
done
# One process for all: `read` takes these files byte by byte, and gets no more than the first.
for file do echo "asked ${file#/proc/sys/}"; done
[ $# = 0 ] || grep -H '' "$@" 2>/dev/null | sed -e 's|^/proc/sys/||' -e 's/:/ /' -e 's/^/value /'
# Interfaces have values of their own; of all that there are only those that are not 0.
grep -Hsv '^0$' @INTERFACES@ |
  sed -e '/conf\/\(all\|default\|lo\|veth[^/]*\|cali[^/]*\)\//d' -e 's|^/proc/sys/||' \
    -e 's|^\(net/ipv[46]/conf/[^./]*\)[.]|\1:|' -e 's|:\([^:]*\)$| \1|' -e 's/^/value /' | head -n 300
} | awk '{ word = $1; name = $2; gsub("/", ".", name); gsub(":", "/", name); $1 = $2 = ""; sub(/^ +/, "")
  if (word == "asked") { open[name]; next }
  if (word == "value" && $0 == "") word = "unread"
  delete open[name]; print word "\t" name ($0 == "" ? "" : "\t" $0) }
  END { for (name in open) print "unread\t" name }'
reader=other
if [ -e /usr/lib/systemd/systemd-sysctl ] || [ -e /lib/systemd/systemd-sysctl ]; then reader=systemd; fi
printf 'reader\t%s\n' "$reader"
ufw=
grep -qi '^ENABLED=yes' /etc/ufw/ufw.conf 2>/dev/null && ufw=/etc/ufw/sysctl.conf
set --
for file in @FILES@ /etc/sysctl.conf $ufw; do
  [ -e "$file" ] || continue
  printf 'file\t%s\n' "$file"
  if [ -r "$file" ]; then [ -c "$file" ] || set -- "$@" "$file"; else printf 'unread-file\t%s\n' "$file"; fi
done
[ $# = 0 ] || awk -v names=' @DOTTED@ ' '
  /^[ \t]*[#;]/ || !/[^ \t]/ { next }
  { cut = index($0, "="); key = cut ? substr($0, 1, cut - 1) : $0; value = cut ? substr($0, cut + 1) : ""
    gsub(/[ \t\r]/, "", key); gsub("/", ".", key)
    gsub(/^[ \t]+|[ \t\r]+$/, "", value); gsub(/\t/, " ", value)
    plain = key; sub(/^-/, "", plain)
    if (key ~ /[*?[]/ || index(names, " " plain " ")) print "line\t" FILENAME "\t" key "\t" value }' "$@"
release=$(uname -r)
for config in "/boot/config-$release" "/lib/modules/$release/config"; do
  [ -r "$config" ] || continue
  printf 'config\tread\n'
  grep -E '^@OPTIONS@=y' "$config" | sed 's/^/config\t/; s/=y$//'
  break
done
exit 0
"""


def parse(text: str) -> Collected:
    """The `Sysctls` and `SysctlFiles` in an answer; a setting that may not be read is named in the fact.

    A gap would hide it from the checks that never ask about it, too.
    """
    values: dict[str, str] = {}
    absent: list[str] = []
    unread: list[str] = []
    rest: list[list[str]] = []
    for row in rows(text):
        match row:
            case ["value", name, value] if value:
                values[name] = value
            case ["absent", name]:
                absent.append(name)
            case ["unread", name]:
                unread.append(name)
            case _:
                rest.append(row)
    if missing := sorted(set(_NAMES) - values.keys() - set(absent) - set(unread)):
        raise ParseError(f"no answer about {missing[0]}")
    return Collected((Sysctls(values, tuple(absent), tuple(unread)), _files(rest)))


def _files(told: Iterable[list[str]]) -> SysctlFiles:
    files: list[str] = []
    hidden: list[str] = []
    lines: dict[str, list[tuple[str, str]]] = {}
    reader, built_in = "", set[str]()
    for row in told:
        match row:
            case ["reader", "systemd" | "other" as reader]:
                pass
            case ["file", path]:
                files.append(path)
            case ["unread-file", path]:
                hidden.append(path)
            case ["line", path, key, value]:
                lines.setdefault(path, []).append((key, value))
            case ["config", option]:
                built_in.add(option)
            case _:
                raise ParseError(f"unexpected line {row[0][:40]!r}")
    if not reader:
        raise ParseError("not told who reads the files")
    order = _order(files, reader)
    planned = _planned([(path, key, value) for path in order for key, value in lines.get(path, [])])
    defaults = {
        name: yes if option in built_in else no
        for option, (name, yes, no) in _BUILT_IN.items()
        if "read" in built_in
    }
    return SysctlFiles(planned, defaults, tuple(path for path in order if path in hidden))


def _order(files: list[str], reader: str) -> list[str]:
    """The files in the order in which they are loaded; a name in an earlier folder hides a later one."""
    by_name: dict[str, str] = {}
    for path in files:
        folder, _, name = path.rpartition("/")
        if folder in _FOLDERS:
            by_name.setdefault(name, path)
    last = [] if reader == "systemd" else [_MAIN]
    beside = [path for path in files if path.rpartition("/")[0] not in _FOLDERS and path != _MAIN]
    return [by_name[name] for name in sorted(by_name)] + [one for one in last if one in files] + beside


def _planned(lines: Iterable[tuple[str, str, str]]) -> dict[str, PlannedSysctl]:
    """What the lines come to: the last one holds, and one with the very name before one with a pattern."""
    exact: dict[str, PlannedSysctl] = {}
    patterns: dict[str, PlannedSysctl] = {}
    excluded: set[str] = set()
    for path, key, value in lines:
        name = key.removeprefix("-")
        if not value:
            excluded.add(name)
        elif re.search(r"[*?[]", name):
            patterns[name] = PlannedSysctl(value, path)
        else:
            exact[name] = PlannedSysctl(value, path)
    found: dict[str, PlannedSysctl] = {}
    for name in _NAMES:
        match = [one for pattern, one in patterns.items() if fnmatchcase(name, pattern)]
        if name in exact:
            found[name] = exact[name]
        elif match and name not in excluded:
            found[name] = match[-1]
    return found


PROBE = Probe(
    "sysctl",
    (Sysctls, SysctlFiles),
    _SCRIPT.replace("@NAMES@", " ".join(name.replace(".", "/") for name in _NAMES))
    .replace("@INTERFACES@", " ".join(f"/proc/sys/{one}" for one in _OF_INTERFACES))
    .replace("@DOTTED@", " ".join(_NAMES))
    .replace("@FILES@", " ".join(f"{folder}/*.conf" for folder in _FOLDERS))
    .replace("@OPTIONS@", f"({'|'.join(_BUILT_IN)})"),
    parse,
    how="/proc/sys and the files of sysctl.d",
    privileges=tuple(
        f"/usr/bin/cat /proc/sys/{name.replace('.', '/')}"
        for name in _NAMES
        if name.startswith("fs.protected_") or name == "net.core.bpf_jit_harden"
    ),
)
