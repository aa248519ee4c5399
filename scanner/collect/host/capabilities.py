"""Programs with capabilities in their file."""

from __future__ import annotations

import re

from checks.facts.host.files import CapableFile, CapableFiles
from checks.facts.snapshot import Gap
from scanner.collect.collector import Collected
from scanner.collect.host.probe import ParseError, Probe

_LIMIT = 200
# getcap asks about every file that it is shown: /usr/lib is too large for that, and has its programs near
# the top.
_SCRIPT = r"""
has getcap || { printf 'missing\n'; exit 0; }
folders= libraries=
for folder in /bin /sbin /usr/bin /usr/sbin /usr/local /usr/libexec /opt; do
  [ -d "$folder" ] && ! [ -L "$folder" ] && folders="$folders $folder"
done
for folder in /usr/lib /usr/lib64; do
  [ -d "$folder" ] && ! [ -L "$folder" ] && libraries="$libraries $folder"
done
printf 'searched\t%s\n' "$(echo $folders $libraries)"
{
  [ -z "$folders" ] || getcap -r $folders
  [ -z "$libraries" ] ||
    find $libraries -maxdepth 2 -xdev -type f -perm -0100 ! -name '*.so*' -exec getcap {} +
  echo ended
} 2>/dev/null | head -n @MORE@
exit 0
"""
_LINE = re.compile(r"(/.*?)(?: =)? ((?:(?:all|cap_[a-z0-9_,]+)?[=+-][eip]+ ?)+)(?: \[rootid=\d+\])?")
_NEEDS = "getcap on the host (libcap2-bin, libcap or libcap-progs)"


def parse(text: str) -> Collected:
    """The `CapableFiles` in an answer; a host without getcap is a gap."""
    lines = [line for line in text.splitlines() if line.strip()]
    if lines == ["missing"]:
        reason = "the host has no getcap to ask for file capabilities"
        return Collected(gaps=(Gap(CapableFiles.__name__, reason, needs=_NEEDS),))
    if not lines or not lines[0].startswith("searched\t/"):
        raise ParseError("it does not say where was searched")
    searched = tuple(lines[0].partition("\t")[2].split())
    ended = lines[-1] == "ended"
    found = [_file(line) for line in lines[1 : -1 if ended else None]]
    if not ended and len(found) < _LIMIT:
        raise ParseError("the search has no end")
    gaps = () if ended else (Gap(CapableFiles.__name__, f"only the first {_LIMIT} programs were read"),)
    return Collected((CapableFiles(tuple(found[:_LIMIT]), searched, not ended),), gaps)


def _file(line: str) -> CapableFile:
    found = _LINE.fullmatch(line)
    if found is None:
        raise ParseError(f"no line of getcap: {line[:60]!r}")
    return CapableFile(found[1], found[2].strip())


PROBE = Probe(
    "capabilities",
    (CapableFiles,),
    _SCRIPT.replace("@MORE@", str(_LIMIT + 1)),
    parse,
    how="getcap",
)
