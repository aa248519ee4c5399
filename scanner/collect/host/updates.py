"""Pending updates as the package manager already knows them; nothing is refreshed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime

from checks.facts.host.updates import PendingUpdates, Update
from checks.facts.snapshot import Gap
from checks.versions import VersionError, compare
from scanner.collect.collector import Collected
from scanner.collect.host.probe import ParseError, Probe, rows

_SCRIPT = r"""
told() { # NAME COMMAND...: its output line by line, or that it refused
  name=$1; shift
  if answer=$("$@" 2>/dev/null); then printf '%s\n' "$answer" | sed "s/^/$name	/"; printf 'asked\n'
  else printf 'refused\t%s\t%s\n' "$1" "$("$@" 2>&1 >/dev/null | tail -n 1 | tr '\t' ' ')"; fi
}
dated() { # FILE...: repository lists by the time at which they were written
  for file in "$@"; do
    [ -r "$file" ] && printf 'list\t\t\t%s\n' "$(date -u -r "$file" +%Y-%m-%dT%H:%M:%SZ 2>/dev/null)"
  done
}
if has apt-get; then
  printf 'manager\tapt\n'
  for list in /var/lib/apt/lists /var/lib/apt/lists/*Release; do
    if [ -e "$list" ] && [ ! -r "$list" ]; then
      printf 'refused\tapt\t%s may not be read\n' "$list"
      exit 0
    fi
  done
  dates=$(awk -F ': ' 'function tell() {
      if (file != "") print "list\t" v["Suite"] "\t" v["Label"] "\t" v["Date"] "\t" file }
    FNR == 1 { tell(); file = FILENAME; over = 0; split("", v) }
    /^(MD5Sum|SHA1|SHA256|SHA512):/ { over = 1 }
    !over { v[$1] = $2 }
    END { tell() }' /dev/null \
    $(for list in /var/lib/apt/lists/*Release; do [ -r "$list" ] && printf '%s ' "$list"; done))
  printf '%s\n' "$dates" | cut -f 1-4
  has apt-mark && apt-mark showhold 2>/dev/null | sed 's/^/held\t/'
  # What the lists of security updates offer is compared with what is installed; apt itself would first
  # build its cache anew, which takes a second. Compressed lists only apt reads.
  set --
  packed=
  for list in $(printf '%s\n' "$dates" | grep -iE -- '-security|Debian-Security|UbuntuESM' | cut -f 5); do
    offered=
    for file in "${list%Release}" "${list%InRelease}"; do
      for file in "$file"*_Packages "$file"*_Packages.*; do
        [ -e "$file" ] || continue
        offered=yes
        case $file in
          *_Packages)
            [ -r "$file" ] || { printf 'refused\tapt\t%s may not be read\n' "$file"; exit 0; }
            set -- "$@" "$file"
            ;;
          *) [ -e "${file%.*}" ] || packed=yes ;;
        esac
      done
    done
    # A list of security updates without its packages offers nothing, and says nothing.
    [ "$offered" ] || { printf 'refused\tapt\t%s has no list of packages\n' "$list"; exit 0; }
  done
  if [ -z "$packed" ] && has dpkg-query; then
    dpkg-query -W -f '${db:Status-Status}\t${Package}\t${Architecture}\t${Version}\n' | awk '
      function tell(   k) {
        k = name "\t" arch
        if (name != "" && k in have && have[k] != version && !((k, version) in told)) {
          told[k, version] = 1; n = split(FILENAME, part, "/")
          print "newer\t" name "\t" have[k] "\t" version "\t" part[n]
        }
        name = ""
      }
      FILENAME == "-" { n = split($0, w, "\t"); if (w[1] == "installed") have[w[2] "\t" w[3]] = w[4]; next }
      /^Package: / { name = substr($0, 10); arch = ""; version = "" }
      /^Version: / { version = substr($0, 10) }
      /^Architecture: / { arch = substr($0, 15) }
      /^$/ { tell() }
      END { tell(); print "asked" }' - "$@"
  else
    # Without the two caches apt writes nothing.
    told apt apt-get -s -o Debug::NoLocking=1 -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= \
      --with-new-pkgs --ignore-hold upgrade | grep -E '^(apt	Inst |asked|refused)'
  fi
elif has dnf; then
  printf 'manager\tdnf\n'
  sed -n 's/^\([^#!].*\)-[0-9][0-9]*:.*/held\t\1/p' /etc/dnf/plugins/versionlock.list 2>/dev/null
  dated /var/cache/dnf/*/repodata/repomd.xml /var/cache/libdnf5/*/repodata/repomd.xml
  for file in /var/cache/dnf/*/repodata/*updateinfo* /var/cache/libdnf5/*/repodata/*updateinfo*; do
    [ -r "$file" ] && { printf 'security\n'; break; }
  done
  told dnf dnf -q -C updateinfo list --security
elif has zypper; then
  printf 'manager\tzypper\n'
  sed -n 's/^solvable_name: */held\t/p' /etc/zypp/locks 2>/dev/null
  dated /var/cache/zypp/raw/*/repodata/repomd.xml
  for file in /var/cache/zypp/raw/*/repodata/*updateinfo*; do
    [ -r "$file" ] && { printf 'security\n'; break; }
  done
  told zypper zypper --non-interactive --no-refresh list-patches --category security
elif has apk; then
  printf 'manager\tapk\n'
  dated /var/cache/apk/APKINDEX.*.tar.gz /etc/apk/cache/APKINDEX.*.tar.gz
  told apk apk version -l '<'
else
  printf 'manager\tnone\n'
fi
exit 0
"""
_INST = re.compile(r"Inst (\S+) (?:\[([^\]]*)\] )?\((\S+) (.*?) ?\[[^\]]*\]\)")
_DNF = re.compile(r"(\S+)\s+(\S+/Sec\.|\S*[Ss]ecurity\S*)\s+(\S+)-([^-\s]+-[^-\s]+)(?:\s|$)")
_APK = re.compile(r"(\S+)-(\d\S*-r\d+)\s+<\s+(\S+)")
_SECURITY = re.compile(r"-security\b|Debian-Security|UbuntuESM", re.IGNORECASE)
_NEEDS = (
    ("may not be read", "read access to /var/lib/apt/lists for the login"),
    ("has no list of packages", "apt-get update on the host"),
)
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@dataclass(slots=True)
class _Seen:
    manager: str = ""
    lists: int = 0
    dates: list[str] = field(default_factory=list)
    security_dates: list[str] = field(default_factory=list)
    security: bool = False
    held: list[str] = field(default_factory=list)
    newer: list[tuple[str, str, str, str]] = field(default_factory=list)
    answer: list[str] = field(default_factory=list)
    asked: bool = False
    refused: str = ""


def parse(text: str) -> Collected:
    """The `PendingUpdates` in an answer; a package manager that refused is a gap."""
    seen = _Seen()
    for row in rows(text):
        _line(row, seen)
    if seen.manager == "none":
        gap = Gap("PendingUpdates", "none of apt, dnf, zypper and apk is on the host")
        return Collected(gaps=(gap,))
    if seen.refused:
        needs = next((need for said, need in _NEEDS if seen.refused.endswith(said)), "")
        return Collected(gaps=(Gap("PendingUpdates", seen.refused, needs=needs),))
    if not seen.manager or not seen.asked:
        raise ParseError("the package manager gave no whole answer")
    readers = {"apt": _apt, "dnf": _dnf, "zypper": _zypper, "apk": _apk}
    if seen.manager not in readers:
        raise ParseError(f"unknown package manager {seen.manager[:20]!r}")
    held = frozenset(seen.held)
    pending = [one for line in seen.answer if line.strip() for one in readers[seen.manager](line, held)]
    pending += _newest(seen.newer, held)
    fact = PendingUpdates(
        manager=seen.manager,
        pending=tuple(dict.fromkeys(pending)),
        lists=seen.lists,
        lists_at=max(seen.dates, default=""),
        security_source=seen.security,
        tells_security=seen.manager != "apk",
        held=tuple(sorted(held)),
        security_at=max(seen.security_dates, default=""),
    )
    return Collected((fact,))


def _line(row: list[str], seen: _Seen) -> None:
    match row:
        case ["manager", name]:
            seen.manager = name
        case ["list", suite, label, date]:
            seen.lists += 1
            security = bool(_SECURITY.search(f"{suite} {label}"))
            seen.security |= security
            seen.dates += [_date(date)] if date else []
            seen.security_dates += [_date(date)] if date and security else []
        case ["security"]:
            seen.security = True
        case ["held", package]:
            seen.held.append(package)
        case ["newer", package, installed, candidate, list_]:
            seen.newer.append((package, installed, candidate, list_))
        case ["asked"]:
            seen.asked = True
        case ["refused", command, said]:
            seen.refused = f"{command} gave no answer: {said[:200] or 'it only failed'}"
        case ["apt" | "dnf" | "zypper" | "apk" as name] if name == seen.manager:
            pass
        case ["apt" | "dnf" | "zypper" | "apk" as name, *answer] if name == seen.manager:
            seen.answer.append(" ".join(answer))
        case _:
            raise ParseError(f"unexpected line {row[0][:40]!r}")


def _date(text: str) -> str:
    if _ISO.fullmatch(text):
        return text
    try:
        # Release files write the zone as UTC, which the parser of mail dates reads as unknown.
        moment = parsedate_to_datetime(text)
    except ValueError:
        raise ParseError(f"a package list has no readable date: {text[:40]!r}") from None
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return aware.strftime("%Y-%m-%dT%H:%M:%SZ")


def _apt(line: str, held: frozenset[str]) -> list[Update]:
    found = _INST.match(line)
    if not found:
        raise ParseError(f"no line of apt-get: {line[:80]!r}")
    package, installed, candidate, origin = found.groups()
    security = bool(_SECURITY.search(origin))
    return [Update(package, installed or "", candidate, origin, security, package.partition(":")[0] in held)]


def _newest(found: list[tuple[str, str, str, str]], held: frozenset[str]) -> list[Update]:
    """What the lists of security updates offer beyond what is installed, at its newest version."""
    best: dict[tuple[str, str], tuple[str, str]] = {}
    for package, installed, candidate, list_ in found:
        key = package, installed
        try:
            newer = compare("dpkg", candidate, best[key][0] if key in best else installed) > 0
        except VersionError as error:
            raise ParseError(str(error)) from None
        if newer:
            best[key] = candidate, list_
    return [
        Update(package, installed, candidate, list_, security=True, held=package in held)
        for (package, installed), (candidate, list_) in best.items()
    ]


def _dnf(line: str, _held: frozenset[str]) -> list[Update]:
    if line.split(maxsplit=1)[0] in ("Name", "ID"):
        return []
    found = _DNF.match(line)
    if not found:
        raise ParseError(f"no line of dnf updateinfo: {line[:80]!r}")
    advisory, _, package, version = found.groups()
    return [Update(package, "", version, advisory, security=True)]


def _zypper(line: str, _held: frozenset[str]) -> list[Update]:
    cells = [cell.strip() for cell in line.split("|")]
    if len(cells) < 6 or "security" not in cells[2:4] or "needed" not in cells:
        return []
    return [Update(cells[1], "", cells[1], cells[0], security=True)]


def _apk(line: str, _held: frozenset[str]) -> list[Update]:
    if line.startswith("Installed:"):
        return []
    found = _APK.match(line)
    if not found:
        raise ParseError(f"no line of apk version: {line[:80]!r}")
    return [Update(found[1], found[2], found[3], "", security=False)]


PROBE = Probe(
    "updates",
    (PendingUpdates,),
    _SCRIPT,
    parse,
    how="lists of security updates (or apt-get -s, dnf -C updateinfo, zypper list-patches, apk version)",
    seconds=45,
    limit=1_048_576,
)
