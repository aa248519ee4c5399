"""Logs: the journal, where they are sent, their rotation, and the last that was written."""

from __future__ import annotations

import re
from collections.abc import Iterable

from checks.facts.host.logging import Journald, LogActivity, LogForward, LogForwards, LogRotation
from checks.facts.snapshot import Fact, Gap
from scanner.collect.collector import Collected
from scanner.collect.host.probe import ParseError, Probe, rows

_LOGS = (
    *("/var/log/syslog", "/var/log/messages", "/var/log/auth.log", "/var/log/secure", "/var/log/kern.log"),
    *("/var/log/daemon.log", "/var/log/journal/*/system.journal", "/run/log/journal/*/system.journal"),
)
_SCHEDULES = (
    *("/etc/cron.daily/logrotate", "/etc/cron.hourly/logrotate", "/etc/cron.d/logrotate"),
    *("/etc/periodic/daily/logrotate", "/etc/periodic/daily/logrotate.cron"),
    *("/etc/systemd/system/timers.target.wants/logrotate.timer",),
    *("/usr/lib/systemd/system/timers.target.wants/logrotate.timer",),
)
# The files of rsyslog and syslog-ng may hold passwords of databases: of a rule only those of its
# parameters are told that are asked for by name.
_SCRIPT = r"""
journald=no
for file in /usr/lib/systemd/systemd-journald /lib/systemd/systemd-journald; do
  [ -e "$file" ] && journald=yes
done
folder=no
[ -d /var/log/journal ] && folder=yes
printf 'journald\t%s\t%s\n' "$journald" "$folder"
readable() {
  files=
  for file in "$@"; do
    if [ -r "$file" ]; then files="$files $file"
    elif [ -e "$file" ]; then printf 'unread\t%s\t%s\n' "$kind" "$file"; fi
  done
}
kind=journal
readable /etc/systemd/journald.conf /usr/lib/systemd/journald.conf /etc/systemd/journald.conf.d/*.conf \
  /run/systemd/journald.conf.d/*.conf /usr/lib/systemd/journald.conf.d/*.conf
for file in $files; do printf 'file\t%s\n' "$file"; done
[ -z "$files" ] || awk -F = 'FNR > 1000 { next }
  /^[ \t]*(Storage|ForwardToSyslog|SystemMaxUse|MaxRetentionSec)[ \t]*=/ {
    gsub(/[ \t]/, "", $1); gsub(/^[ \t]+|[ \t]+$/, "", $2)
    print "set\t" FILENAME "\t" $1 "\t" substr($2, 1, 100) }' $files
kind=forward
readable /etc/rsyslog.conf /etc/rsyslog.d/*.conf
[ -z "$files" ] || awk '
  function value(text, name,  low, at) {
    low = tolower(text)
    if (!match(low, "(^|[^a-z.])" name "[ \t]*=[ \t]*\"[^\"]*\"")) return ""
    text = substr(text, RSTART, RLENGTH); at = index(text, "\""); text = substr(text, at + 1)
    return substr(text, 1, length(text) - 1)
  }
  function tell() {
    if (tolower(rule) ~ /type[ \t]*=[ \t]*"om(fwd|relp)"/)
      printf "rsyslog\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", FILENAME, value(rule, "type"),
        value(rule, "target"), value(rule, "protocol"), value(rule, "streamdriver"),
        value(rule, "streamdriver[.]?mode"), value(rule, "tls")
    if (tolower(rule) ~ /^global/ && value(rule, "defaultnetstreamdriver") != "")
      printf "driver\t%s\n", value(rule, "defaultnetstreamdriver")
    rule = ""
  }
  FNR > 4000 { next }
  FNR == 1 { rule = "" }
  { sub(/^[ \t]+/, "") }
  /^#/ || /^$/ { next }
  rule != "" { rule = rule " " $0; if (/\)/ || length(rule) > 4000) tell(); next }
  tolower($0) ~ /(^|[ \t}])action[ \t]*\(/ || tolower($0) ~ /^global[ \t]*\(/ {
    rule = $0; if (/\)[^(]*$/) tell(); next }
  tolower($1) == "$defaultnetstreamdriver" { printf "driver\t%s\n", $2; next }
  tolower($1) == "$actionsendstreamdrivermode" { printf "mode\t%s\n", $2; next }
  $2 ~ /^(@|:omrelp:)/ { printf "line\t%s\t%s\n", FILENAME, substr($2, 1, 300) }' $files
readable /etc/syslog-ng/syslog-ng.conf /etc/syslog-ng/conf.d/*.conf
[ -z "$files" ] || awk '
  function tell(  one, way) {
    one = rule; way = ""
    if (rule ~ /transport[ \t]*\([ \t]*"?tcp/) way = "tcp"
    if (rule ~ /transport[ \t]*\([ \t]*"?(proxied-)?tls/) way = "tls"
    while (match(one, /(network|syslog|tcp6?|udp6?)[ \t]*\([ \t]*"[^"]*"/)) {
      printf "syslog-ng\t%s\t%s\t%s\n", FILENAME, substr(one, RSTART, RLENGTH), way
      one = substr(one, RSTART + RLENGTH)
    }
    rule = ""
  }
  FNR > 4000 { next }
  FNR == 1 { rule = "" }
  { sub(/#.*/, "") }
  rule != "" { rule = rule " " $0; if (/}[ \t]*;/ || length(rule) > 4000) tell(); next }
  /^[ \t]*destination[ \t]/ { rule = $0; if (/}[ \t]*;/) tell() }' $files
for unit in /etc/systemd/system/*.wants/systemd-journal-upload.service; do
  [ -L "$unit" ] || continue
  kind=forward
  readable /etc/systemd/journal-upload.conf /etc/systemd/journal-upload.conf.d/*.conf
  [ -z "$files" ] || awk -F = '/^[ \t]*URL[ \t]*=/ { gsub(/[ \t]/, "", $2)
    sub(/\/\/[^\/@]*@/, "//", $2); print "upload\t" FILENAME "\t" substr($2, 1, 300) }' $files
done
program=no configuration=no
has logrotate && program=yes
[ -e /etc/logrotate.conf ] && configuration=yes
printf 'rotation\t%s\t%s\n' "$program" "$configuration"
for file in @SCHEDULES@; do [ -e "$file" ] || [ -L "$file" ] && printf 'schedule\t%s\n' "$file"; done
for folder in /var/log /var/log/journal/*; do
  [ -e "$folder" ] && ! [ -x "$folder" ] && printf 'unread\tlogs\t%s\n' "$folder"
done
newest=$(stat -L -c '%Y %n' @LOGS@ 2>/dev/null | sort -rn | head -n 1)
if [ -n "$newest" ]; then
  printf 'newest\t%s\t%s\n' "$((($(date +%s) - ${newest%% *}) / 60))" "${newest#* }"
else printf 'newest\t\t\n'; fi
exit 0
"""
_PLACES = ("/etc/systemd", "/run/systemd", "/usr/lib/systemd")
_FACTS: dict[str, type[Fact]] = {"journal": Journald, "forward": LogForwards, "logs": LogActivity}


def parse(text: str) -> Collected:
    """The facts about logs in an answer; a file that may not be read is a gap of its fact."""
    words: dict[str, list[str]] = {}
    files: list[str] = []
    settings: list[tuple[str, str, str]] = []
    schedules: list[str] = []
    sent: list[list[str]] = []
    gaps: list[Gap] = []
    for row in rows(text):
        match row:
            case ["journald" | "rotation" | "newest" as word, first, second] if word not in words:
                words[word] = [first, second]
            case ["file", file]:
                files.append(file)
            case ["set", file, name, value]:
                settings.append((file, name, value.lower()))
            case ["unread", kind, path] if kind in _FACTS:
                gaps.append(
                    Gap(_FACTS[kind].__name__, f"{path} may not be read", path, f"read access to {path}")
                )
            case ["schedule", path]:
                schedules.append(path)
            case ["rsyslog" | "line" | "syslog-ng" | "upload" | "driver" | "mode", *_]:
                sent.append(row)
            case _:
                raise ParseError(f"unexpected line {row[0][:40]!r}")
    if set(words) != {"journald", "rotation", "newest"}:
        raise ParseError("the answer has not all its parts")
    installed, folder = (_yes(word) for word in words["journald"])
    program, configuration = (_yes(word) for word in words["rotation"])
    minutes, path = words["newest"]
    if bool(path) != bool(re.fullmatch(r"-?\d{1,9}", minutes)):
        raise ParseError(f"no age of a log: {minutes[:20]!r}")
    facts = (
        Journald(installed, _effective(files, settings), folder),
        LogForwards(tuple(_forwards(sent))),
        LogRotation(program, configuration, tuple(schedules)),
        LogActivity(path, int(minutes) if path else 0),
    )
    return Collected(facts, tuple(gaps))


def _yes(word: str) -> bool:
    if word not in ("yes", "no"):
        raise ParseError(f"neither yes nor no: {word[:20]!r}")
    return word == "yes"


def _effective(files: Iterable[str], settings: Iterable[tuple[str, str, str]]) -> dict[str, str]:
    """The settings in force: drop-ins come after the file, by name; one in /etc hides its namesakes."""
    first: dict[str, str] = {}
    for file in files:
        name = file.rpartition("/")[2] if ".conf.d/" in file else ""
        first[name] = min(file, first.get(name, file), key=_place)
    chosen: dict[str, str] = {}
    for name in sorted(first):
        chosen.update({key: value for file, key, value in settings if file == first[name]})
    return chosen


def _place(file: str) -> int:
    return next((at for at, place in enumerate(_PLACES) if file.startswith(f"{place}/")), len(_PLACES))


def _forwards(sent: list[list[str]]) -> Iterable[LogForward]:
    drivers = [row[1].strip('"').lower() for row in sent if row[0] == "driver"]
    secure = bool(drivers) and drivers[-1] in ("gtls", "ossl")
    modes = [row[1].strip('"') for row in sent if row[0] == "mode"]
    for row in sent:
        match row:
            case ["rsyslog", file, kind, target, protocol, driver, mode, tls]:
                relp = kind.lower() == "omrelp"
                encrypted = (driver.lower() in ("gtls", "ossl") or (secure and not driver)) and mode == "1"
                protocol = "relp" if relp else protocol.lower() or "udp"
                encrypted = tls.lower() == "on" if relp else encrypted and protocol == "tcp"
                yield LogForward("rsyslogd", file, target or "?", protocol, encrypted)
            case ["line", file, action]:
                yield _legacy(file, action, secure and "1" in modes)
            case ["syslog-ng", file, driver, transport]:
                kind, _, target = driver.partition("(")
                kind = kind.strip()
                protocol = "udp" if kind.startswith("udp") or (kind == "syslog" and not transport) else "tcp"
                yield LogForward("syslog-ng", file, target.strip(' "'), protocol, transport == "tls")
            case ["upload", file, url] if url:
                encrypted = url.startswith("https://") or "://" not in url
                target = re.sub(r"^[a-z]+://", "", url)
                protocol = "https" if encrypted else "http"
                yield LogForward("systemd-journal-upload", file, target, protocol, encrypted)
            case ["driver" | "mode" | "upload", *_]:
                pass
            case _:
                raise ParseError(f"unexpected line {row[0][:40]!r}")


def _legacy(file: str, action: str, secure: bool) -> LogForward:
    """A forward in the short form: @host, @@host:port, :omrelp:host:port, with options and a template."""
    found = re.match(r"(@@?|:omrelp:)(?:\([^)]*\))?([^;]+)", action)
    if found is None:
        raise ParseError(f"no target: {action[:40]!r}")
    protocol = {"@": "udp", "@@": "tcp"}.get(found[1], "relp")
    return LogForward("rsyslogd", file, found[2], protocol, secure and protocol == "tcp")


PROBE = Probe(
    "logging",
    (Journald, LogForwards, LogRotation, LogActivity),
    _SCRIPT.replace("@LOGS@", " ".join(_LOGS)).replace("@SCHEDULES@", " ".join(_SCHEDULES)),
    parse,
    how="the configuration of journald, rsyslog, syslog-ng and logrotate, and the newest log",
)
