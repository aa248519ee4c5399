"""One search of the local filesystems: what everybody may write to, what nobody owns, special rights."""

from __future__ import annotations

import re

from checks.facts.host.files import (
    OpenPath,
    OpenPaths,
    PrivilegedFile,
    PrivilegedFiles,
    UnownedPath,
    UnownedPaths,
)
from checks.facts.snapshot import Gap
from scanner.collect.collector import Collected
from scanner.collect.host.probe import ParseError, Probe

_PRUNED = (
    "/var/lib/docker",
    "/var/lib/containerd",
    "/var/lib/containers",
    "/var/lib/kubelet",
    "/var/lib/lxc",
    "/var/lib/lxd",
    "/var/lib/incus",
    "/var/lib/machines",
    "/var/snap/lxd",
    "/snap",
)
_LIMIT = 200
_SEARCH_SECONDS = 15
_KINDS = ("file", "folder", "unowned", "suid")
_OPEN = "-type f -perm -0002 -o -type d -perm -0002 ! -perm -1000"
_SPECIAL = "-type f -perm -4000 -o -type f -perm -2000"
_TESTS = f"{_OPEN} -o {_SPECIAL}"
_PRUNE = "( " + " -o ".join(f"-path {path}" for path in _PRUNED) + " )"
# Whose a file is costs a look into the accounts for each one: only what is not root's is told, and its
# numbers are held against the accounts once. BusyBox has no -printf: there stat tells the modes.
_FOUND = f"-xdev {_PRUNE} -prune -o ( {_TESTS} -o ! ( -user 0 -group 0 ) )"
_GNU = f"{_FOUND} -printf %m:%U:%G:%y: -print0"
_BUSYBOX = f"{_FOUND} -exec stat -c //%a:%u:%g:%F:%n {{}} +"
_SEARCH = r"""
places=$(awk '$2 == "/" || $3 ~ /^(ext[234]|xfs|btrfs|zfs|f2fs|jfs|bcachefs)$/ {
  # The subvolumes of btrfs share one device, and find takes each for a filesystem of its own.
  device = $1; if (match($4, /subvol=[^,]*/)) device = device " " substr($4, RSTART, RLENGTH)
  if ($2 == "/" || !(device in seen)) print $2; seen[device] = 1 }' /proc/mounts | sort -u | head -n 40)
set -f
others=$(printf '%s\n' "$places" | grep -vx /)
worst=0 form=gnu
find /dev/null -prune -printf '' 2>/dev/null || form=busybox
gnu() { "$@" @GNU@ 2>/dev/null; }
busybox() { "$@" @BUSYBOX@ 2>/dev/null; }
# After a whole record stands nothing and then this; where find was stopped, it follows a part of one.
gnu_end() { printf '\000//end\000'; }
busybox_end() { printf '\n//end\n'; }
# The search of / is one fixed command, so that sudo can allow exactly that.
search() {
  $form as_root ${LIMIT:+$LIMIT @SECONDS@} find "$@"
  ended=$?
  if [ "$ended" = 126 ]; then
    $form ${LIMIT:+$LIMIT @SECONDS@} find "$@"
    ended=$?
  fi
  [ "$ended" -le "$worst" ] || worst=$ended
  ${form}_end
}
found=$({
  search /
  [ -z "$others" ] || search $others
  printf '//ended:%s\n' "$worst" | if [ "$form" = gnu ]; then tr '\n' '\000'; else cat; fi
} | if [ "$form" = gnu ]; then tr '\n\000' '?\n'; else tr -d '\000'; fi |
  awk -v form="$form" -v limit=@LIMIT@ '
  function tell(kind, line) { if (++count[kind] <= limit) print kind ":" line; else more[kind] = 1 }
  # The name of an account or group; the files know most, and others are asked for once.
  function name(kind, number,  key, command, line) {
    key = kind ":" number
    if (!(key in known)) {
      known[key] = ""
      if (++asked <= 50) {
        command = "getent " kind " " number " 2>/dev/null"
        if ((command | getline line) > 0) { sub(/:.*/, "", line); known[key] = line }
        close(command)
      }
    }
    return known[key] == "" ? "#" number : known[key]
  }
  function one(record,  part, at, mode, open, user, group) {
    if (record == "") return
    for (at = 1; at < 5; at++) {
      part[at] = record; sub(/:.*/, "", part[at]); record = substr(record, length(part[at]) + 2)
    }
    if (record !~ /^\// || part[1] part[2] part[3] !~ /^[0-9]+$/) {
      print "bad:" substr(record, 1, 60)
      return
    }
    mode = "0000" part[1]; mode = substr(mode, length(mode) - 3)
    user = name("passwd", part[2]); group = name("group", part[3])
    open = substr(mode, 4) ~ /[2367]/
    if (part[4] ~ /^(f|regular)/ && open) tell("file", record)
    if (part[4] ~ /^d/ && open && mode !~ /^[1357]/) tell("folder", record)
    if (part[4] ~ /^(f|regular)/ && mode ~ /^[2-7]/) tell("suid", mode ":" user ":" group ":" record)
    if (user ~ /^#/ || group ~ /^#/) tell("unowned", user ":" group ":" record)
  }
  FILENAME == "/etc/passwd" || FILENAME == "/etc/group" {
    split($0, field, ":"); kind = FILENAME == "/etc/group" ? "group" : "passwd"
    if (!((kind ":" field[3]) in known)) known[kind ":" field[3]] = field[1]
    next
  }
  # A name may hold a newline, but no path holds two slashes, and what GNU find tells begins with a mode.
  $0 == "//end" {
    if (form == "gnu" ? last == "" : sub(/\?$/, "", last) > 0) one(last)
    else if (last != "") cut = 1
    last = ""; next
  }
  sub(/^\/\/ended:/, "") { end = $0; next }
  form == "gnu" { one(last); last = $0; next }
  /^\/\// { one(last); last = substr($0, 3); next }
  last != "" { last = last "?" $0 }
  END {
    for (kind in more) print "more:" kind
    if (cut && end == 0) print "bad:a part of a record"
    if (end != "") print "ended:" end
  }' /etc/passwd /etc/group -)
printf 'kinds:@KINDS@\n%s\n' "$found"
"""
# Who brought a program is asked once for all of them. Where /bin is a link to /usr/bin, a database may
# know either path.
_OWNERS = r"""
programs=$(printf '%s\n' "$found" | sed -n 's,^suid:[^/]*/,/,p')
[ -n "$programs" ] || { printf 'manager:asked\n'; exit 0; }
either=$(printf '%s\n' "$programs" | sed -n 'p; s,^/usr/,/,p'; printf '%s\n' "$programs" | sed 's,^/,/usr/,')
if [ -s /var/lib/dpkg/status ]; then
  set +f
  printf 'manager:dpkg\n'
  printf '%s\n' "$either" | grep -hxF -f - /var/lib/dpkg/info/*.list | sort -u | sed 's/^/owned:/'
  exit 0
fi
for file in /lib/apk/db/installed /usr/lib/apk/db/installed; do
  [ -s "$file" ] || continue
  printf 'manager:apk\n'
  printf '%s\n' "$either" | awk '
    NR == FNR { wanted[$0] = 1; next }
    /^F:/ { folder = "/" substr($0, 3) }
    /^R:/ { path = folder "/" substr($0, 3); if (path in wanted) print "owned:" path }' - "$file"
  exit 0
done
for folder in /var/lib/rpm /usr/lib/sysimage/rpm /usr/share/rpm; do
  [ -s "$folder/Packages" ] || [ -s "$folder/Packages.db" ] || [ -s "$folder/rpmdb.sqlite" ] || continue
  has rpm || break
  IFS='
'
  answer=$(rpm -qf --qf 'owned\n' $programs 2>&1)
  if ! printf '%s\n' "$answer" | grep -q '^error:'; then
    printf 'manager:rpm\n'
    strange=$(printf '%s\n' "$answer" | sed -n 's/^file \(.*\) is not owned by any package$/\1/p')
    # A slash alone is no program: without strange ones nothing is left out.
    printf '%s\n' "$programs" | grep -vxF -e "${strange:-/}" | sed 's/^/owned:/'
  fi
  exit 0
done
printf 'manager:none\n'
exit 0
"""
_TIMED_OUT = ("124", "137", "143")
_PRIVILEGE = f"/usr/bin/timeout -k 2 {_SEARCH_SECONDS} find / {_GNU}".replace(":", r"\:")


class _Seen:
    """What the lines of an answer say, line by line."""

    def __init__(self) -> None:
        self.open: list[OpenPath] = []
        self.unowned: list[UnownedPath] = []
        self.special: list[tuple[str, str, str, str]] = []
        self.owned: set[str] = set()
        self.more: set[str] = set()
        self.words: dict[str, str] = {}

    def read(self, line: str) -> None:
        word, _, rest = line.partition(":")
        if word in ("kinds", "ended", "manager") and word not in self.words:
            self.words[word] = rest
        elif word in ("file", "folder") and rest.startswith("/"):
            self.open.append(OpenPath(rest, word == "folder"))
        elif word == "unowned" and (found := re.fullmatch(r"(#?)([^:]+):(#?)([^:]+):(/.*)", rest)):
            self.unowned.append(UnownedPath(found[5], found[2], found[4], not found[1], not found[3]))
        elif word == "suid" and (found := re.fullmatch(r"([0-7]{4}):([^:]+):([^:]+):(/.*)", rest)):
            owner, group = (name.removeprefix("#") for name in found.group(2, 3))
            self.special.append((found[4], found[1], owner, group))
        elif word == "owned" and rest.startswith("/"):
            self.owned.add(rest)
        elif word == "more" and rest in _KINDS:
            self.more.add(rest)
        else:
            raise ParseError(f"unexpected line {line[:60]!r}")


def parse(text: str) -> Collected:
    """What the search found, by kind; a search that did not get everywhere is a gap of each besides."""
    seen = _Seen()
    for line in text.splitlines():
        if line.strip():
            seen.read(line)
    if seen.words.get("kinds") != " ".join(_KINDS):
        raise ParseError("it does not say what was searched for")
    if not re.fullmatch(r"\d{1,3}", seen.words.get("ended", "")):
        raise ParseError("the search has no end")
    manager = seen.words.get("manager", "")
    if manager not in ("dpkg", "rpm", "apk", "asked", "none", ""):
        raise ParseError(f"unknown package database {manager[:20]!r}")
    files = tuple(
        PrivilegedFile(path, mode, owner, group, _packaged(path, seen.owned))
        for path, mode, owner, group in seen.special
    )
    known = "" if manager in ("asked", "none") else manager
    facts = (
        OpenPaths(tuple(seen.open), bool(seen.more & {"file", "folder"})),
        UnownedPaths(tuple(seen.unowned), "unowned" in seen.more),
        PrivilegedFiles(files, known, "suid" in seen.more),
    )
    gaps = [gap for fact in facts for gap in _unsearched(type(fact).__name__, seen.words["ended"])]
    cut = [f"only the first {_LIMIT} of a kind were read" if fact.more else "" for fact in facts]
    gaps += [Gap(type(fact).__name__, reason) for fact, reason in zip(facts, cut, strict=True) if reason]
    return Collected(facts, tuple(gaps))


def _packaged(path: str, owned: set[str]) -> bool:
    return not owned.isdisjoint({path, path.removeprefix("/usr"), f"/usr{path}"})


def _unsearched(fact: str, ended: str) -> tuple[Gap, ...]:
    """What the exit status of find says about folders that it did not see."""
    if ended == "0":
        return ()
    if ended in _TIMED_OUT:
        return (Gap(fact, f"the search was stopped after {_SEARCH_SECONDS} s"),)
    return (Gap(fact, "the search could not look into every folder", needs=f"sudo: {_PRIVILEGE}"),)


def _in_shell(expression: str) -> str:
    return expression.replace("( ", r"\( ").replace(" )", r" \)").replace("!", r"\!")


PROBE = Probe(
    "open-paths",
    (OpenPaths, UnownedPaths, PrivilegedFiles),
    (_SEARCH + _OWNERS)
    .replace("@GNU@", _in_shell(_GNU))
    .replace("@BUSYBOX@", _in_shell(_BUSYBOX))
    .replace("@SECONDS@", str(_SEARCH_SECONDS))
    .replace("@LIMIT@", str(_LIMIT))
    .replace("@KINDS@", " ".join(_KINDS)),
    parse,
    how="find / -xdev for open, unowned, SUID and SGID files",
    privileges=(_PRIVILEGE,),
    seconds=4 * _SEARCH_SECONDS + 5,
    limit=524_288,
)
