"""Private keys below /etc: where they lie and who may read them, never what they are."""

from __future__ import annotations

import re

from msgspec.structs import replace

from checks.facts.host.files import KeyFile, KeyFiles
from checks.facts.snapshot import Gap
from scanner.collect.collector import Collected
from scanner.collect.host.files import STAT_PRIVILEGE
from scanner.collect.host.probe import ParseError, Probe

_LIMIT = 300
_NAMES = ("*.key", "*.pem", "*.p8", "*.priv")
_TESTS = "-xdev -type f -size -128k ( " + " -o ".join(f"-name {name}" for name in _NAMES) + " )"
_FIND = f"find /etc {_TESTS}"
_STAT = "stat -L -c %a:%U:%G:%n"
_SCRIPT = r"""
listed=$({
  as_root @FIND@ 2>/dev/null
  ended=$?
  if [ "$ended" = 126 ]; then @FIND@ 2>/dev/null; ended=$?; fi
  printf 'ended:%s\n' "$ended"
} | head -n @MORE@)
set -f
IFS='
'
closed=
for path in $listed; do
  case $path in
    ended:*) printf '%s\n' "$path" ;;
    *) if [ -r "$path" ]; then set -- "$@" "$path"; else closed="$closed
$path"; fi ;;
  esac
done
# Only the names of the files that hold a key come back from grep.
keys=
[ $# = 0 ] || keys=$(grep -ls -e '-----BEGIN .*PRIVATE KEY-----' -- "$@")
[ -z "$keys" ] || @STAT@ -- $keys 2>/dev/null | sed 's/^/key:/'
folders=
for path in $keys; do
  folder=${path%/*}
  while [ -n "$folder" ]; do
    case "
$folders
" in *"
$folder
"*) break ;; esac
    folders="$folders
$folder"
    folder=${folder%/*}
  done
done
[ -z "$folders" ] || @STAT@ -- $folders 2>/dev/null | sed 's/^/folder:/'
[ -z "$closed" ] || {
  @STAT@ -- $closed 2>/dev/null || as_root @FULL@ $closed 2>/dev/null
} | awk '!seen[$0]++ { print "closed:" $0 }'
exit 0
"""
_LINE = re.compile(r"(key|closed|folder):([0-7]{1,4}):([^:]+):([^:]+):(?:regular (?:empty )?file:)?(/.*)")
_PRIVILEGE = "/usr/bin/" + _FIND.replace("*", r"\*")


def parse(text: str) -> Collected:
    """The `KeyFiles` in an answer; a folder that could not be searched is a gap besides."""
    found: list[KeyFile] = []
    closed: set[str] = set()
    ended = ""
    for line in text.splitlines():
        if (match := _LINE.fullmatch(line)) and match[1] == "folder":
            if not int(match[2], 8) & 0o001:
                closed.add(match[5])
        elif match:
            found.append(KeyFile(match[5], match[2].zfill(4), match[3], match[4], match[1] == "key"))
        elif (match := re.fullmatch(r"ended:(\d{1,3})", line)) and not ended:
            ended = match[1]
        elif line.strip():
            raise ParseError(f"unexpected line {line[:60]!r}")
    name = KeyFiles.__name__
    if not ended and not found:
        raise ParseError("the search has no end")
    gaps: tuple[Gap, ...] = ()
    if not ended:
        gaps = (Gap(name, f"only the first {_LIMIT} files below /etc were looked at"),)
    elif ended != "0":
        reason = "the search for keys could not look into every folder below /etc"
        gaps = (Gap(name, reason, needs=f"sudo: {_PRIVILEGE}"),)
    placed = tuple(replace(one, closed=_closed(one.path, closed)) for one in found)
    return Collected((KeyFiles(placed, not ended),), gaps)


def _closed(path: str, closed: set[str]) -> str:
    parts = path.split("/")
    above = ("/".join(parts[:end]) for end in range(2, len(parts)))
    return next((folder for folder in above if folder in closed), "")


PROBE = Probe(
    "keys",
    (KeyFiles,),
    _SCRIPT.replace("@FIND@", _FIND.replace("( ", r"\( ").replace(" )", r" \)").replace("*", r"\*"))
    .replace("@FULL@", "stat -L -c %a:%U:%G:%F:%n")
    .replace("@STAT@", _STAT)
    .replace("@MORE@", str(_LIMIT + 1)),
    parse,
    how="find /etc for private keys",
    privileges=(_PRIVILEGE, STAT_PRIVILEGE),
    limit=131_072,
)
