"""Sockets that wait for others, and the programs behind them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address

from checks.facts.host.services import Listener, ListeningProgram, ListeningPrograms, ListeningServices
from checks.facts.snapshot import Gap
from scanner.collect.collector import Collected
from scanner.collect.host.probe import ParseError, Probe, number

_SCRIPT = r"""
owners() { # LINES of exe: who owns the files, by the package database that the host has
  both=$(printf '%s\n' "$1" | awk '{ sub(/^exe\t[0-9]+\t/, ""); sub(/ \(deleted\)$/, "") } seen[$0]++ { next }
    { print } /^\/usr\// { print substr($0, 5); next } { print "/usr" $0 }')
  if [ -s /var/lib/dpkg/status ]; then
    printf 'manager\tdpkg\n'
    grep -xF -e "$both" /var/lib/dpkg/info/*.list /dev/null |
      sed -n 's|^/var/lib/dpkg/info/\([^:/]*\)[^/]*\.list:|owned\t\1\t|p'
  elif [ -s /lib/apk/db/installed ]; then
    printf 'manager\tapk\n'
    awk -v both="$both" 'BEGIN { n = split(both, list, "\n"); for (i = 1; i <= n; i++) want[list[i]] = 1 }
      /^P:/ { p = substr($0, 3) } /^F:/ { f = "/" substr($0, 3) }
      /^R:/ && (f "/" substr($0, 3)) in want { print "owned\t" p "\t" f "/" substr($0, 3) }' \
      /lib/apk/db/installed
  elif has rpm && { [ -e /var/lib/rpm ] || [ -e /usr/lib/sysimage/rpm ]; }; then
    printf 'manager\trpm\n'
    paths=$(printf '%s\n' "$both" | awk 'NR % 2' |
      while read -r path; do [ -e "$path" ] && printf '%s\n' "$path"; done)
    # One answer for each path in one call; where two packages share a file, one by one.
    zipped=$(printf '%s\n' "$paths" | tr '\n' '\0' | xargs -0 rpm -qf --qf 'owned\t%{NAME}\n' 2>/dev/null |
      awk -v paths="$paths" 'BEGIN { n = split(paths, list, "\n") } { line[NR] = $0 "\t" list[NR] }
        END { if (NR != n) exit 1; for (i = 1; i <= n; i++) if (line[i] ~ /^owned/) print line[i] }') ||
      zipped=$(printf '%s\n' "$paths" | while read -r path; do
        rpm -qf --qf 'owned\t%{NAME}\n' "$path" 2>/dev/null | sed -n "/^owned/{p;q;}" | tr '\n' '\t'
        printf '%s\n' "$path"
      done | grep '^owned')
    printf '%s\n' "$zipped"
  else printf 'manager\tnone\n'; fi
}
programs() {
  pids=$(printf '%s\n' "$answer" | awk '{ while (match($0, /pid=[0-9]+/)) {
    pid = substr($0, RSTART + 4, RLENGTH - 4); $0 = substr($0, RSTART + RLENGTH)
    if (!seen[pid]++ && ++count <= 400) print pid } }')
  status= links=
  for pid in $pids; do
    [ -r "/proc/$pid/status" ] && status="$status /proc/$pid/status" && links="$links /proc/$pid/exe"
  done
  [ "$status" ] && awk '/^Pid:/ { pid = $2 } /^Uid:/ { print "uid\t" pid "\t" $3 }
    /^NSpid:/ && NF > 2 { print "contained\t" pid }' $status 2>/dev/null
  case $ROOT in
    root) if [ "$links" ]; then links=$(ls -l $links 2>/dev/null); fi ;;
    sudo) links=$(as_root find /proc -mindepth 2 -maxdepth 2 -name exe -exec ls -l {} + 2>/dev/null)
      [ $? = 126 ] && return ;;
    *) return ;;
  esac
  seen=$(printf '%s\n' "$links" | awk -v pids="$pids" '
    BEGIN { n = split(pids, list, /[ \n]+/); for (i = 1; i <= n; i++) want[list[i]] = 1 }
    match($0, /^[^\/]*\/proc\/[0-9]+\/exe -> /) {
      path = substr($0, RLENGTH + 1); pid = substr($0, 1, RLENGTH - 8); sub(/.*\//, "", pid)
      if (pid in want) print "exe\t" pid "\t" path }')
  if [ "$seen" ]; then printf '%s\n' "$seen"; owners "$seen"; fi
  printf 'programs\n'
}
if has ss; then
  if answer=$(as_root ss -lntup 2>/dev/null) || answer=$(ss -lntup 2>/dev/null); then
    printf 'form ss\n%s\n' "$answer"
    programs
    exit 0
  fi
fi
printf 'form proc\n'
for table in tcp tcp6 udp udp6; do
  [ -r "/proc/net/$table" ] || continue
  awk -v table="$table" 'NR > 1 && $4 == (table ~ /^tcp/ ? "0A" : "07") { print table, $2 }' \
    "/proc/net/$table" || exit 1
done
[ -r /proc/net/tcp ] || exit 1
exit 0
"""
_PROGRAM = re.compile(r'users:\(\("([^"]*)"')
_PID = re.compile(r"\bpid=(\d+)")
_FIND = "/usr/bin/find /proc -mindepth 2 -maxdepth 2 -name exe -exec ls -l {} +"
_NEEDS = f"sudo: {_FIND}"
_TOLD = frozenset({"uid", "contained", "exe", "manager", "owned", "programs"})
_DELETED = " (deleted)"


@dataclass(slots=True)
class _Seen:
    listeners: set[Listener] = field(default_factory=set)
    uids: dict[int, int] = field(default_factory=dict)
    contained: set[int] = field(default_factory=set)
    paths: dict[int, str] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    manager: str = ""
    twice: bool = False
    whole: bool = False


def parse(text: str) -> Collected:
    """The `ListeningServices` in an answer of ss, or of the kernel's own tables, and their programs."""
    first, _, rest = text.partition("\n")
    readers = {"form ss": _of_ss, "form proc": _of_proc}
    if first not in readers:
        raise ParseError(f"unexpected line {first[:40]!r}")
    seen = _Seen()
    for line in rest.splitlines():
        if line.partition("\t")[0] in _TOLD:
            _program(line.split("\t"), seen)
        elif line.strip():
            seen.listeners.update(readers[first](line))
    found = {_with_uids(one, seen.uids) for one in seen.listeners}
    programs = _programs(found, seen)
    services = ListeningServices(tuple(sorted(found, key=_order)))
    if isinstance(programs, Gap):
        return Collected((services,), (programs,))
    return Collected((services, programs))


def _order(one: Listener) -> tuple[str, int, str, str]:
    return one.protocol, one.port, one.address, one.program


def _with_uids(one: Listener, uids: dict[int, int]) -> Listener:
    known = sorted({uids[pid] for pid in one.pids if pid in uids})
    whole = all(pid in uids for pid in one.pids)
    return Listener(one.protocol, one.address, one.port, one.program, one.pids, tuple(known) if whole else ())


def _program(row: list[str], seen: _Seen) -> None:
    match row:
        case ["uid", pid, uid]:
            seen.uids[number(pid, "a pid")] = number(uid, "a uid")
        case ["contained", pid]:
            seen.contained.add(number(pid, "a pid"))
        case ["exe", pid, *path]:
            known = number(pid, "a pid")
            # The name of a file may look like the line of another process.
            seen.twice |= known in seen.paths
            seen.paths[known] = "\t".join(path)
        case ["manager", manager]:
            seen.manager = manager
        case ["owned", package, path]:
            seen.owners[path] = package
        case ["programs"]:
            seen.whole = True
        case _:
            raise ParseError(f"unexpected line {row[0][:40]!r}")


def _programs(listeners: Iterable[Listener], seen: _Seen) -> ListeningPrograms | Gap:
    name = ListeningPrograms.__name__
    if seen.twice:
        return Gap(name, "the name of a program's file looks like that of another process")
    if not seen.whole:
        return Gap(name, "the files of other users' processes are hidden from this login", needs=_NEEDS)
    if seen.paths and seen.manager in ("", "none"):
        return Gap(name, "none of dpkg, rpm and apk has a database here, so no file has an owner")
    pids = sorted({pid for one in listeners for pid in one.pids})
    return ListeningPrograms(tuple(_of_pid(pid, seen) for pid in pids if pid in seen.paths), seen.manager)


def _of_pid(pid: int, seen: _Seen) -> ListeningProgram:
    path = seen.paths[pid]
    bare = path.removesuffix(_DELETED)
    # /bin and /usr/bin are one folder on most systems, and the database may name either.
    other = bare.removeprefix("/usr") if bare.startswith("/usr/") else f"/usr{bare}"
    package = seen.owners.get(bare) or seen.owners.get(other, "")
    return ListeningProgram(pid, bare, path != bare, package, pid in seen.contained)


def _of_ss(line: str) -> list[Listener]:
    words = line.split(None, 6)
    if words[0] == "Netid":
        return []
    if len(words) < 6 or words[0] not in ("tcp", "udp"):
        raise ParseError(f"no line of ss: {line[:60]!r}")
    address, colon, port = words[4].rpartition(":")
    if not colon:
        raise ParseError(f"no address in a line of ss: {words[4][:60]!r}")
    users = words[6] if len(words) > 6 else ""
    program = _PROGRAM.search(users)
    pids = tuple(sorted({number(pid, "a pid") for pid in _PID.findall(users)}))
    name = program[1] if program else ""
    return [Listener(words[0], _address(address), number(port, "a port"), name, pids)]


def _of_proc(line: str) -> list[Listener]:
    table, _, local = line.partition(" ")
    raw, _, port = local.partition(":")
    try:
        packed = b"".join(bytes.fromhex(raw[i : i + 8])[::-1] for i in range(0, len(raw), 8))
        address = str(ip_address(packed))
        decoded = int(port, 16)
    except ValueError:
        raise ParseError(f"no line of /proc/net: {line[:60]!r}") from None
    if table not in ("tcp", "tcp6", "udp", "udp6"):
        raise ParseError(f"no table of /proc/net: {table[:20]!r}")
    return [Listener(table[:3], _address(address), decoded, "")]


def _address(text: str) -> str:
    bare = text.partition("%")[0].strip("[]")
    return "*" if bare in ("0.0.0.0", "::", "*", "") else bare  # noqa: S104 - read, not bound


PROBE = Probe(
    "listening",
    (ListeningServices, ListeningPrograms),
    _SCRIPT,
    parse,
    how="ss -lntup, or /proc/net",
    privileges=("/usr/bin/ss -lntup", "/usr/sbin/ss -lntup", _FIND),
    limit=262_144,
)
