"""What the banners of a host tell about it."""

from __future__ import annotations

from checks.facts.host.banners import Banner, Banners
from scanner.collect.collector import Collected
from scanner.collect.host.probe import ParseError, Probe, rows

_PATHS = ("/etc/issue", "/etc/issue.net", "/etc/motd")
_SCRIPT = r"""
set --
for file in @PATHS@; do
  if [ -r "$file" ]; then printf 'file\t%s\n' "$file"; set -- "$@" "$file"
  elif [ -e "$file" ]; then printf 'unread\t%s\n' "$file"
  else printf 'missing\t%s\n' "$file"; fi
done
# The text stays here; told is only which sequences and which names of systems stand in it.
[ $# = 0 ] || awk -v OFS='\t' '
  FNR > 60 { next }
  { if (/[^ \t\r]/) print "text", FILENAME
    low = tolower($0)
    for (at = 1; at <= split("\\m \\r \\s \\S \\v", escapes, " "); at++)
      if (index($0, escapes[at])) print "escape", FILENAME, escapes[at]
    for (at = 1; at <= split("@NAMES@", names, "|"); at++)
      if (low ~ "(^|[^a-z])" names[at] "([^a-z]|$)") print "word", FILENAME, names[at] }' "$@" | sort -u
exit 0
"""
_NAMES = (
    "debian",
    "ubuntu",
    "red hat",
    "rhel",
    "centos",
    "rocky linux",
    "almalinux",
    "fedora",
    "oracle linux",
    "amazon linux",
    "suse",
    "opensuse",
    "alpine",
    "arch linux",
    "gnu/linux",
    "linux kernel",
)


def parse(text: str) -> Collected:
    """The `Banners` in an answer."""
    told: dict[str, list[str]] = {"file": [], "missing": [], "unread": []}
    texts: set[str] = set()
    escapes: dict[str, list[str]] = {}
    words: dict[str, list[str]] = {}
    for row in rows(text):
        match row:
            case ["file" | "missing" | "unread" as state, path] if path in _PATHS:
                told[state].append(path)
            case ["text", path]:
                texts.add(path)
            case ["escape", path, sequence]:
                escapes.setdefault(path, []).append(sequence)
            case ["word", path, name]:
                words.setdefault(path, []).append(name)
            case _:
                raise ParseError(f"unexpected line {row[0][:40]!r}")
    if silent := set(_PATHS) - {path for paths in told.values() for path in paths}:
        raise ParseError(f"no answer about {min(silent)}")
    banners = (
        Banner(path, path not in texts, tuple(escapes.get(path, ())), tuple(words.get(path, ())))
        for path in dict.fromkeys(told["file"])
    )
    return Collected((Banners(tuple(banners), tuple(told["missing"]), tuple(told["unread"])),))


PROBE = Probe(
    "banners",
    (Banners,),
    _SCRIPT.replace("@PATHS@", " ".join(_PATHS)).replace("@NAMES@", "|".join(_NAMES)),
    parse,
    how="/etc/issue, /etc/issue.net and /etc/motd",
    limit=16_384,
)
