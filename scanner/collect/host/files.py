"""Owners and modes of the files that decide about a host."""

from __future__ import annotations

import re

from checks.facts.host.files import FileMode, FileModes
from checks.host.watched_files import WATCHED
from scanner.collect.collector import Collected
from scanner.collect.host.probe import ParseError, Probe

_PATTERNS = tuple(sorted({pattern for watched in WATCHED for pattern in watched.paths}))
_STAT = "stat -L -c %a:%U:%G:%F:%n"
STAT_PRIVILEGE = f"/usr/bin/{_STAT} *".replace(":", r"\:")
"""Looking at the owner and mode of any file, as sudoers writes it."""
# The shell itself finds out what is there; one stat then looks at all of it.
_SCRIPT = r"""
there= hidden= folders=
# Whether the login can tell that this path is not there.
gone() {
  [ -L "$1" ] && { [ "$ROOT" = root ]; return; }
  above=${1%/*}
  [ -x "${above:-/}" ] && return
  while [ -n "$above" ] && ! [ -e "$above" ]; do above=${above%/*}; done
  [ "$above" != "${1%/*}" ] && [ -x "${above:-/}" ]
}
for pattern in @LITERALS@; do
  if [ -e "$pattern" ]; then there="$there $pattern"
  elif gone "$pattern"; then printf 'missing:%s\n' "$pattern"
  else hidden="$hidden $pattern"; fi
done
set -f
for pattern in @GLOBS@; do
  folder=${pattern%/*}
  if ! [ -e "$folder" ]; then
    if gone "$folder"; then printf 'missing:%s\n' "$pattern"; else folders="$folders $pattern"; fi
  elif ! [ -r "$folder" ] || ! [ -x "$folder" ]; then folders="$folders $pattern"
  else
    found=
    set +f
    for path in $folder/${pattern##*/}; do
      if [ -f "$path" ]; then set -- "$@" "$path"; found=yes
      elif [ -L "$path" ] && [ "$ROOT" != root ]; then printf 'unread:%s\n' "$path"; found=yes; fi
    done
    set -f
    [ -n "$found" ] || printf 'missing:%s\n' "$pattern"
  fi
done
@STAT@ $there "$@" 2>/dev/null
for path in $hidden; do
  as_root @STAT@ "$path" 2>/dev/null
  case $? in 0) ;; 126) printf 'unread:%s\n' "$path" ;; *) printf 'missing:%s\n' "$path" ;; esac
done
for pattern in $folders; do
  as_root find "${pattern%/*}" -maxdepth 1 -type f -exec @STAT@ {} + 2>/dev/null
  case $? in 0) ;; 126) printf 'unread:%s\n' "$pattern" ;; *) printf 'missing:%s\n' "$pattern" ;; esac
done
exit 0
"""


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


def _joined(star: bool) -> str:
    return " ".join(pattern for pattern in _PATTERNS if ("*" in pattern) is star)


MODES = Probe(
    "file-modes",
    (FileModes,),
    _SCRIPT.replace("@LITERALS@", _joined(star=False))
    .replace("@GLOBS@", _joined(star=True))
    .replace("@STAT@", _STAT),
    parse_modes,
    how="stat",
    privileges=(
        STAT_PRIVILEGE,
        *(
            f"/usr/bin/find {folder} -maxdepth 1 -type f -exec {_STAT} {{}} +".replace(":", r"\:")
            for folder in sorted({pattern.rpartition("/")[0] for pattern in _PATTERNS if "*" in pattern})
        ),
    ),
)
