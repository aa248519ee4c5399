"""Signs of backups, and programs that came past the package manager."""

from __future__ import annotations

import re

from checks.facts.host.upkeep import Backups, BackupTrace, Unpackaged
from scanner.collect.collector import Collected
from scanner.collect.host.probe import ParseError, Probe, rows

_BACKUPS = r"""
names='borgmatic|borg|restic|resticprofile|autorestic|duplicity|duply|duplicati|rsnapshot|kopia|bacula-fd'
names="$names|bareos-fd|urbackupclient|veeamservice|veeamdeployment|dsmcad|backupninja|amandad|rdiff-backup"
names="$names|proxmox-backup-client|backuppc"
for file in /etc/systemd/system/*.timer /usr/lib/systemd/system/*.timer /lib/systemd/system/*.timer; do
  [ -e "$file" ] || continue
  name=${file##*/}
  case $name in *backup*|*borg*|*restic*|*duplic*|*kopia*|*rsnapshot*) ;; *) continue ;; esac
  [ "$name" = dpkg-db-backup.timer ] && continue
  [ -e "/etc/systemd/system/timers.target.wants/$name" ] || continue
  printf 'trace\t%s\tunit\t%s\n' "${name%.timer}" \
    "$(date -u -r "/var/lib/systemd/timers/stamp-$name" +%Y-%m-%d 2>/dev/null)"
done
cat /etc/crontab /etc/cron.d/* /etc/cron.daily/* /etc/cron.weekly/* /etc/periodic/daily/* 2>/dev/null |
  grep -v '^[[:space:]]*#' | grep -oE "(^|[/[:space:]])($names)([[:space:]]|$)" | tr -d '/ \t' | sort -u |
  sed 's/.*/trace\t&\tcron\t/'
cat /proc/[0-9]*/comm 2>/dev/null | grep -xE "$names" | sort -u | sed 's/.*/trace\t&\trunning\t/'
printf 'looked\n'
exit 0
"""
_UNPACKAGED = r"""
{
  for folder in /opt/*/; do
    [ -d "$folder" ] && printf 'program\t/opt\t%s\n' "$(basename "$folder")"
  done
  find /usr/local/bin /usr/local/sbin -maxdepth 1 -type f 2>/dev/null | sed 's/^/program\tlocal\t/'
  for folder in /usr/local/lib/python3*/dist-packages /usr/local/lib/python3*/site-packages \
    /usr/local/lib64/python3*/site-packages; do
    [ -d "$folder" ] && ls "$folder" |
      sed -n 's/^\(.*\)-\([0-9][^-]*\)\.\(dist\|egg\)-info$/program\tpip\t\1 \2/p'
  done
  for folder in /usr/local/lib/node_modules/*/ /usr/lib/node_modules/*/; do
    [ -e "${folder}package.json" ] || continue
    printf 'program\tnpm\t%s %s\n' "$(basename "$folder")" \
      "$(sed -n 's/^  "version": "\([^"]*\)".*/\1/p' "${folder}package.json" | head -n 1)"
  done
} | head -n 201
printf 'looked\n'
exit 0
"""
_MOST = 200
_DAY = re.compile(r"(\d{4}-\d\d-\d\d)?")


def parse_backups(text: str) -> Collected:
    """The `Backups` in an answer."""
    found: list[BackupTrace] = []
    looked = False
    for row in rows(text):
        match row:
            case ["trace", program, how, *last] if _DAY.fullmatch("".join(last)):
                found.append(BackupTrace(program, how, "".join(last)))
            case ["looked"]:
                looked = True
            case _:
                raise ParseError(f"unexpected line {row[0][:40]!r}")
    if not looked:
        raise ParseError("the search for backups has no end")
    return Collected((Backups(tuple(dict.fromkeys(found))),))


def parse_unpackaged(text: str) -> Collected:
    """The `Unpackaged` in an answer."""
    found: list[str] = []
    looked = False
    for row in rows(text):
        match row:
            case ["program", "local", path]:
                found.append(path)
            case ["program", where, name]:
                found.append(f"{where}: {name}")
            case ["looked"]:
                looked = True
            case _:
                raise ParseError(f"unexpected line {row[0][:40]!r}")
    if not looked:
        raise ParseError("the search has no end")
    return Collected((Unpackaged(tuple(found[:_MOST]), len(found) > _MOST),))


BACKUPS = Probe(
    "backups",
    (Backups,),
    _BACKUPS,
    parse_backups,
    how="timers, jobs and programs of backup tools",
    limit=16_384,
)
UNPACKAGED = Probe(
    "unpackaged",
    (Unpackaged,),
    _UNPACKAGED,
    parse_unpackaged,
    how="/opt, /usr/local, pip and npm",
    limit=65_536,
)
