"""Integrity tools, and the trusted programs held against what their packages say."""

from __future__ import annotations

import base64
import binascii
import re

from checks.facts.host.integrity import ChangedProgram, IntegrityTools, PackagedPrograms
from checks.facts.snapshot import Gap
from scanner.collect.collector import Collected
from scanner.collect.host.files import STAT_PRIVILEGE
from scanner.collect.host.probe import ParseError, Probe, rows

_DATABASES = ("/var/lib/aide/aide.db", "/var/lib/aide/aide.db.gz", "/var/lib/samhain/samhain_file")
_SCHEDULES = (
    *("/etc/cron.daily/dailyaidecheck", "/etc/cron.daily/aide", "/etc/cron.weekly/aide"),
    *("/etc/cron.daily/tripwire", "/etc/periodic/daily/aide"),
    *("/etc/systemd/system/timers.target.wants/dailyaidecheck.timer",),
    *("/etc/systemd/system/timers.target.wants/aidecheck.timer",),
    *("/etc/systemd/system/timers.target.wants/aide-check.timer",),
)
_TOOLS = r"""
for tool in aide tripwire samhain; do has "$tool" && printf 'tool\t%s\n' "$tool"; done
for file in @DATABASES@ /var/lib/tripwire/*.twd; do
  if [ -e "$file" ]; then printf 'database\t%s\n' "$file"
  elif [ -e "${file%/*}" ] && ! [ -x "${file%/*}" ]; then
    as_root stat -L -c %a:%U:%G:%F:%n "$file" >/dev/null 2>&1
    case $? in
      0) printf 'database\t%s\n' "$file" ;;
      126) printf 'hidden\t%s\n' "${file%/*}" ;;
    esac
  fi
done
for file in @SCHEDULES@; do [ -e "$file" ] || [ -L "$file" ] && printf 'schedule\t%s\n' "$file"; done
set --
for file in /etc/crontab /etc/cron.d/* /var/spool/cron/root /var/spool/cron/crontabs/root; do
  if [ -f "$file" ] && [ -r "$file" ]; then set -- "$@" "$file"
  elif [ -e "$file" ] || { [ -d "${file%/*}" ] && ! [ -x "${file%/*}" ]; }; then
    printf 'unseen\t%s\n' "$file"
  fi
done
[ $# = 0 ] ||
  grep -lsE '^[^#]*(aide[^#]* (--check|-C|--update)|tripwire[^#]* (--check|-m c)|samhain)' "$@" |
  sed 's/^/schedule\t/'
printf 'asked\n'
exit 0
"""


_WORDS = ("tool", "database", "schedule", "hidden", "unseen", "asked")


def parse_tools(text: str) -> Collected:
    """The `IntegrityTools` in an answer; a database that may not be looked for is a gap."""
    found: dict[str, list[str]] = {word: [] for word in _WORDS}
    for row in rows(text):
        match row:
            case ["asked"]:
                found["asked"].append("")
            case [word, value] if word in found:
                found[word].append(value)
            case _:
                raise ParseError(f"unexpected line {row[0][:40]!r}")
    if not found["asked"]:
        raise ParseError("the answer has no end")
    if found["hidden"] and found["tool"]:
        reason = f"{found['hidden'][0]} may not be entered, so whether a database is there is not known"
        return Collected(gaps=(Gap(IntegrityTools.__name__, reason, needs=f"sudo: {STAT_PRIVILEGE}"),))
    parts = (tuple(found[word]) for word in ("tool", "database", "schedule", "unseen"))
    return Collected((IntegrityTools(*parts),))


_PROGRAMS = (
    "sshd ssh sudo su login passwd bash dash sh ls ps top find grep ss netstat ip lsof cron crond crontab "
    "rsyslogd mount umount useradd usermod cat id who w kill pkill pgrep stat sha256sum md5sum unix_chkpwd "
    "agetty nologin apt-get dpkg rpm dnf apk gpgv systemctl journalctl busybox bbsuid doas"
)
_DPKG = (
    "bash dash coreutils login login.defs passwd util-linux sudo openssh-server openssh-client "
    "libpam-modules libpam-modules-bin libpam0g libpam-runtime libc6 libcrypt1 systemd procps iproute2 "
    "net-tools findutils grep cron rsyslog mount lsof apt dpkg gpgv"
)
_RPM = "bash coreutils util-linux shadow-utils sudo openssh-server pam procps-ng findutils grep cronie"
_VERIFY = f"rpm -V --nodeps --noscripts --nomtime {_RPM}"
_LIBRARIES = (
    r"(pam_[a-z_]*[.]so|libpam[a-z_]*[.]so[.0-9]*|libc[.]so[.]6|libcrypt[.]so[.0-9]*|ld-linux[^/]*|"
    r"libc[.]musl[^/]*|ld-musl[^/]*|systemd/systemd(-logind|-journald)?|openssh/[^/]*)"
)
_PACKAGED = r"""
wanted='(usr/)?(s?bin/(@PROGRAMS@)|lib(64)?/(.*/)?@LIBRARIES@)$'
if [ -s /var/lib/dpkg/status ]; then
  printf 'manager\tdpkg\n'
  set --
  for name in @DPKG@; do
    for file in /var/lib/dpkg/info/$name.md5sums /var/lib/dpkg/info/$name:*.md5sums; do
      [ -r "$file" ] && set -- "$@" "$file"
    done
  done
  [ $# = 0 ] ||
    grep -hE "^[0-9a-f]{32}  $wanted" "$@" | (cd / && md5sum -c 2>/dev/null) |
    sed -n 's,^,/,; s/^\(.*\): \(OK\|FAILED.*\)$/\2\t\1/p' | while IFS='	' read -r said path; do
      case $said in *open*) [ -x "${path%/*}" ] && ! [ -e "$path" ] && said=GONE ;; esac
      printf '%s\t%s\n' "$said" "$path"
    done
  sed 's/^/diverted\t/' /var/lib/dpkg/diversions 2>/dev/null | head -n 600
  printf 'ended\n'
  exit 0
fi
for folder in /var/lib/rpm /usr/lib/sysimage/rpm /usr/share/rpm; do
  [ -s "$folder/Packages" ] || [ -s "$folder/Packages.db" ] || [ -s "$folder/rpmdb.sqlite" ] || continue
  has rpm || break
  printf 'manager\trpm\n'
  for name in @RPM@; do printf 'package\t%s\n' "$name"; done
  { as_root @VERIFY@ 2>/dev/null; [ $? != 126 ] || @VERIFY@ 2>/dev/null; } | head -n 2000 | sed 's/^/rpm\t/'
  printf 'ended\n'
  exit 0
done
for file in /lib/apk/db/installed /usr/lib/apk/db/installed; do
  [ -s "$file" ] || continue
  printf 'manager\tapk\n'
  known=$(awk -v wanted="^/$wanted" '/^F:/ { folder = "/" substr($0, 3) }
    /^R:/ { path = folder "/" substr($0, 3) }
    /^Z:Q1/ && path ~ wanted { print substr($0, 5) "\t" path; path = "" }' "$file")
  set --
  IFS='
'
  for line in $known; do
    path=${line#*	}
    # The digest of a link is one of its target: the target is compared by itself.
    if [ -L "$path" ]; then continue; fi
    printf 'apk\t%s\n' "$line"
    if [ -e "$path" ]; then set -- "$@" "$path"; else printf 'gone\t%s\n' "$path"; fi
  done
  [ $# = 0 ] || sha1sum "$@" 2>/dev/null | sed 's/^/sha1\t/'
  printf 'ended\n'
  exit 0
done
printf 'none\n'
exit 0
"""
_NAME = PackagedPrograms.__name__


def parse_programs(text: str) -> Collected:
    """The `PackagedPrograms` in an answer; a host without digests of its packages is a gap."""
    lines = [row for row in rows(text) if row]
    if lines == [["none"]]:
        return Collected(gaps=(Gap(_NAME, "none of dpkg, rpm and apk has a database here"),))
    match lines:
        case [["manager", "dpkg" | "rpm" | "apk" as manager], *rest, ["ended"]]:
            pass
        case _:
            raise ParseError("the comparison has no beginning or no end")
    checked, changed, unread = {"dpkg": _dpkg, "rpm": _rpm, "apk": _apk}[manager](rest)
    if not checked:
        reason = f"{manager} keeps no digest of a program that could be compared"
        return Collected(gaps=(Gap(_NAME, reason),))
    gaps = tuple(
        Gap(_NAME, f"{path} may not be read, so it was not compared", path, "root") for path in unread[:20]
    )
    return Collected((PackagedPrograms(manager, checked, tuple(changed)),), gaps)


_Compared = tuple[int, list[ChangedProgram], list[str]]


def _dpkg(lines: list[list[str]]) -> _Compared:
    diverted = {row[1] for row in lines if row[0] == "diverted" and len(row) == 2}
    checked, changed, unread = 0, [], []
    for row in lines:
        match row:
            case ["diverted", *_]:
                pass
            # A diverted path belongs to another package than the digest.
            case [_, path] if path in diverted:
                pass
            case ["OK", _]:
                checked += 1
            case ["FAILED open or read", path]:
                unread.append(path)
            case ["FAILED" | "GONE" as said, path]:
                checked += 1
                changed.append(ChangedProgram(path, gone=said == "GONE"))
            case _:
                raise ParseError(f"unexpected line {row[0][:40]!r}")
    return checked, changed, unread


_RPM_LINE = re.compile(r"(missing|[.?SM5DLUGTPCV]{8,13})\s+(?:([cdglr])\s+)?(/.*?)(?: \(.*\))?")


def _rpm(lines: list[list[str]]) -> _Compared:
    packages: set[str] = set()
    changed: list[ChangedProgram] = []
    unread: list[str] = []
    for row in lines:
        match row:
            case ["package", name]:
                packages.add(name)
            case ["rpm", said] if absent := re.fullmatch(r"package (\S+) is not installed", said):
                packages.discard(absent[1])
            case ["rpm", said] if found := _RPM_LINE.fullmatch(said):
                flags, kind, path = found.groups()
                if kind is None and flags == "missing":
                    changed.append(ChangedProgram(path, gone=True))
                elif kind is None and flags[2] == "5":
                    changed.append(ChangedProgram(path, gone=False))
                elif kind is None and flags[2] == "?":
                    unread.append(path)
            case _:
                raise ParseError(f"unexpected line {' '.join(row)[:60]!r}")
    return len(packages), changed, unread


def _apk(lines: list[list[str]]) -> _Compared:
    wanted: dict[str, str] = {}
    seen: dict[str, str] = {}
    changed: list[ChangedProgram] = []
    for row in lines:
        match row:
            case ["apk", digest, path]:
                wanted[path] = _hex(digest)
            case ["sha1", said] if found := re.fullmatch(r"([0-9a-f]{40}) [ *](/.*)", said):
                seen[found[2]] = found[1]
            case ["gone", path]:
                changed.append(ChangedProgram(path, gone=True))
            case _:
                raise ParseError(f"unexpected line {row[0][:40]!r}")
    gone = {one.path for one in changed}
    changed += [ChangedProgram(p, gone=False) for p in wanted if p in seen and seen[p] != wanted[p]]
    unread = [path for path in wanted if path not in seen and path not in gone]
    return len(wanted) - len(unread), changed, unread


def _hex(digest: str) -> str:
    try:
        return base64.b64decode(digest, validate=True).hex()
    except binascii.Error as error:
        raise ParseError(f"no digest: {digest[:40]!r}") from error


TOOLS = Probe(
    "integrity",
    (IntegrityTools,),
    _TOOLS.replace("@DATABASES@", " ".join(_DATABASES)).replace("@SCHEDULES@", " ".join(_SCHEDULES)),
    parse_tools,
    how="aide, tripwire and samhain: programs, databases and schedules",
    privileges=(STAT_PRIVILEGE,),
)
PROGRAMS = Probe(
    "packaged-programs",
    (PackagedPrograms,),
    _PACKAGED.replace("@PROGRAMS@", _PROGRAMS.replace(" ", "|"))
    .replace("@LIBRARIES@", _LIBRARIES)
    .replace("@DPKG@", _DPKG)
    .replace("@VERIFY@", _VERIFY)
    .replace("@RPM@", _RPM),
    parse_programs,
    how="the digests of packages (md5sum -c, rpm -V, sha1sum)",
    privileges=(f"/usr/bin/{_VERIFY}",),
    seconds=15,
    limit=262_144,
)
