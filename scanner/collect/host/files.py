"""Modes of the files that decide about a host, and what everybody may write to."""

from __future__ import annotations

import re
import shlex

from checks.facts.host.files import FileMode, FileModes, OpenPath, OpenPaths
from checks.facts.snapshot import Gap
from checks.host.files import WATCHED
from scanner.collect.collector import Collected
from scanner.collect.host.probe import ParseError, Probe, rows

_PATTERNS = tuple(sorted({pattern for watched in WATCHED for pattern in watched.paths}))
_STAT = "stat -L -c %a:%U:%G:%F:%n"
_MODES = r"""
look() {
  answer=$(@STAT@ "$1" 2>/dev/null) || answer=$(as_root @STAT@ "$1" 2>/dev/null) || return 1
  printf '%s\n' "$answer" | head -n 1
}
for pattern in @PATTERNS@; do
  folder=${pattern%/*}
  case $pattern in
    *\**)
      [ -e "$folder" ] || { printf 'missing:%s\n' "$pattern"; continue; }
      if ! [ -r "$folder" ] || ! [ -x "$folder" ]; then
        as_root find "$folder" -maxdepth 1 -type f -exec @STAT@ {} + 2>/dev/null ||
          printf 'unread:%s\n' "$pattern"
        continue
      fi
      found=
      for path in $folder/${pattern##*/}; do
        [ -f "$path" ] || continue
        found=yes
        look "$path" || printf 'unread:%s\n' "$path"
      done
      [ -n "$found" ] || printf 'missing:%s\n' "$pattern" ;;
    *)
      if look "$pattern"; then :
      elif [ -x "$folder" ] && ! [ -e "$pattern" ]; then printf 'missing:%s\n' "$pattern"
      elif ! [ -e "${folder%/*}" ] || { [ -x "${folder%/*}/" ] && ! [ -e "$folder" ]; }; then
        printf 'missing:%s\n' "$pattern"
      else printf 'unread:%s\n' "$pattern"; fi ;;
  esac
done
exit 0
"""
_PRUNED = (
    "/var/lib/docker",
    "/var/lib/containerd",
    "/var/lib/containers",
    "/var/lib/lxc",
    "/var/lib/lxd",
    "/var/snap/lxd",
    "/snap",
)
_LIMIT = 200
_SEARCH_SECONDS = 15
_TESTS = r"-type f -perm -0002 -print0 -o -type d -perm -0002 ! -perm -1000 -print0"
_OPEN = r"""
places=$(awk '$2 == "/" || $3 ~ /^(ext[234]|xfs|btrfs|zfs|f2fs|jfs)$/ {
  # The subvolumes of btrfs share one device, and find takes each for a filesystem of its own.
  device = $1; if (match($4, /subvol=[^,]*/)) device = device " " substr($4, RSTART, RLENGTH)
  if ($2 == "/" || !(device in seen)) print $2; seen[device] = 1 }' /proc/mounts | sort -u | head -n 40)
set -f
others=$(printf '%s\n' "$places" | grep -vx /)
worst=0
# The search of / is one fixed command, so that sudo can allow exactly that.
search() {
  as_root ${LIMIT:+$LIMIT @SECONDS@} find "$@" -xdev @PRUNE@ -prune -o @TESTS@ 2>/dev/null
  ended=$?
  if [ "$ended" = 126 ]; then
    ${LIMIT:+$LIMIT @SECONDS@} find "$@" -xdev @PRUNE@ -prune -o @TESTS@ 2>/dev/null
    ended=$?
  fi
  [ "$ended" -le "$worst" ] || worst=$ended
}
{
  search /
  [ -z "$others" ] || search $others
  printf 'ended:%s\000' "$worst"
} | tr '\n\000' '?\n' | head -n @MORE@ | while IFS= read -r path; do
  case $path in
    ended:*) printf '%s\n' "$path" ;;
    *) if [ -d "$path" ]; then printf 'folder:%s\n' "$path"; else printf 'file:%s\n' "$path"; fi ;;
  esac
done
exit 0
"""
_TIMED_OUT = ("124", "137", "143")


def parse_modes(text: str) -> Collected:
    """The `FileModes` in an answer; a path that may not be looked at is named in the fact."""
    files: dict[str, FileMode] = {}
    missing: list[str] = []
    unread: list[str] = []
    for line in text.splitlines():
        if line.startswith("missing:"):
            missing.append(line.partition(":")[2])
        elif line.startswith("unread:"):
            unread.append(line.partition(":")[2])
        elif line.strip():
            mode, _, rest = line.partition(":")
            parts = rest.split(":", 3)
            if not re.fullmatch(r"[0-7]{1,4}", mode) or len(parts) != 4 or not parts[3].startswith("/"):
                raise ParseError(f"no line of stat: {line[:60]!r}")
            owner, group, kind, path = parts
            files[path] = FileMode(path, mode.zfill(4), owner, group, kind)
    if not files:
        raise ParseError("not one of the watched files could be looked at")
    return Collected((FileModes(tuple(files.values()), tuple(missing), tuple(unread)),))


def parse_open(text: str) -> Collected:
    """The `OpenPaths` in an answer; a search that did not get everywhere is a gap besides."""
    found: list[OpenPath] = []
    ended = ""
    for row in rows(text):
        word, colon, path = "\t".join(row).partition(":")
        if colon and word in ("file", "folder") and path.startswith("/"):
            found.append(OpenPath(path, word == "folder"))
        elif colon and word == "ended":
            ended = path
        else:
            raise ParseError(f"unexpected line {row[0][:60]!r}")
    more = not ended
    if more and len(found) < _LIMIT:
        raise ParseError("the search has no end")
    return Collected((OpenPaths(tuple(found[:_LIMIT]), more),), _unsearched(ended))


def _unsearched(ended: str) -> tuple[Gap, ...]:
    """What the exit status of find says about folders that it did not see (empty: cut at the limit)."""
    if ended == "0":
        return ()
    if not ended:
        reason = f"only the first {_LIMIT} paths were read"
    elif ended in _TIMED_OUT:
        reason = f"the search was stopped after {_SEARCH_SECONDS} s"
    else:
        reason = "the search could not look into every folder"
    return (Gap("OpenPaths", reason, needs="" if ended in ("", *_TIMED_OUT) else f"sudo: {_PRIVILEGE}"),)


def _prune() -> str:
    return "( " + " -o ".join(f"-path {path}" for path in _PRUNED) + " )"


_PRIVILEGE = f"/usr/bin/timeout -k 2 {_SEARCH_SECONDS} find / -xdev {_prune()} -prune -o {_TESTS}"
MODES = Probe(
    "file-modes",
    (FileModes,),
    _MODES.replace("@PATTERNS@", " ".join(shlex.quote(p) for p in _PATTERNS)).replace("@STAT@", _STAT),
    parse_modes,
    how="stat",
    privileges=(
        f"/usr/bin/{_STAT} *",
        *(
            f"/usr/bin/find {folder} -maxdepth 1 -type f -exec {_STAT} {{}} +"
            for folder in sorted({pattern.rpartition("/")[0] for pattern in _PATTERNS if "*" in pattern})
        ),
    ),
)
OPEN = Probe(
    "open-paths",
    (OpenPaths,),
    _OPEN.replace("@PRUNE@", _prune().replace("(", r"\(").replace(")", r"\)"))
    .replace("@TESTS@", _TESTS)
    .replace("@SECONDS@", str(_SEARCH_SECONDS))
    .replace("@MORE@", str(_LIMIT + 1)),
    parse_open,
    how="find / -xdev for what everybody may write to",
    privileges=(_PRIVILEGE,),
    seconds=4 * _SEARCH_SECONDS + 5,
    limit=262_144,
)
