"""What runs as root at set times, and who may set such times. The commands themselves stay on the host."""

from __future__ import annotations

import re

from checks.facts.host.files import FileMode
from checks.facts.host.scheduled import Allowed, ScheduleAccess, ScheduledJobs, ScheduledProgram
from scanner.collect.collector import Collected
from scanner.collect.host.probe import ParseError, Probe, rows

_TABLES = (
    "/var/spool/cron/crontabs/root",
    "/var/spool/cron/root",
    "/var/spool/cron/tabs/root",
    "/etc/crontabs/root",
)
"""Where the several crons keep root's own table."""
_FOLDERS = (
    "/etc/cron.hourly",
    "/etc/cron.daily",
    "/etc/cron.weekly",
    "/etc/cron.monthly",
    "/etc/periodic/15min",
    "/etc/periodic/hourly",
    "/etc/periodic/daily",
    "/etc/periodic/weekly",
    "/etc/periodic/monthly",
)
_READ = f"grep -RHs ^ /etc/crontab /etc/anacrontab /etc/cron.d {' '.join(_TABLES)}"
_LIST = f"find -L {' '.join(_FOLDERS)} -maxdepth 1 -type f"
_JOBS = r"""
found=$({
  as_root @READ@
  # Some table is always missing, which is status 2; 1 is sudo that refused and said more than that.
  case $?:$ROOT in 126:*|1:sudo)
    for path in /etc/crontab /etc/anacrontab /etc/cron.d; do
      [ ! -e "$path" ] || [ -r "$path" ] || printf 'unread:%s\n' "$path"
    done
    grep -RHs ^ /etc/crontab /etc/anacrontab /etc/cron.d
    ls -d /var/spool/cron /etc/crontabs 2>/dev/null | sed 's/^/unread:/' ;;
  esac
  as_root @LIST@ 2>/dev/null | sed 's/^/file:/'
  for path in @FOLDERS@; do
    [ ! -d "$path" ] || [ "$ROOT" = root ] || { [ -r "$path" ] && [ -x "$path" ]; } ||
      printf 'closed:%s\n' "$path"
  done
  [ "$ROOT" = root ] || @LIST@ 2>/dev/null | sed 's/^/file:/'
  [ ! -f /etc/rc.local ] || printf 'file:/etc/rc.local\n'
  for path in /etc/systemd/system/*.service; do
    [ ! -f "$path" ] || [ -h "$path" ] || [ -r "$path" ] || printf 'unread:%s\n' "$path"
  done
  grep -HsE '^[ \t]*(Exec(Start|Stop|Reload)[A-Za-z]*|User|DynamicUser)[ \t]*=' /etc/systemd/system/*.service
} | awk '
  function job(file) { if (!(file in jobs)) { jobs[file] = 1; print "job\t" file } }
  function tell(file, path, first, called) {
    sub(/[,:]+$/, "", path); sub(/\/+$/, "", path)
    if (path == "" || path ~ /[$*?%\\]/ || path ~ /^\/dev\// || (file, path) in told) return
    told[file, path] = 1; print "program\t" file "\t" path "\t" first "\t" called }
  function command(file, text,   n, i, word, w, first, called) {
    job(file)
    gsub(/\\%/, " ", text); sub(/%.*/, "", text)
    gsub(/[0-9]*[<>]+&?[ \t]*[^ \t;|&)]*/, " ", text)
    gsub(/["'"'"']/, " ", text); gsub(/[;|&(){}`]/, " ; ", text)
    n = split(text, word, " "); first = 1; called = ""
    for (i = 1; i <= n; i++) { w = word[i]
      if (w == ";") { first = 1; called = ""; continue }
      if (w ~ /^-/ || (first && w ~ /^[A-Za-z_][A-Za-z0-9_]*=/)) continue
      if (w ~ /^\//) tell(file, w, first, called)
      if (first) { base = w; sub(/^.*\//, "", base)
        called = base ~ /^(sh|bash|dash|ash|ksh|zsh|python[0-9.]*|perl|ruby|php[0-9.]*)$/ ||
          base ~ /^(node|source|\.|run-parts)$/ ? base : ""
        if (base !~ /^(nice|ionice|env|sudo|nohup|time|exec|setsid|chronic|if|then|else|do|while|!)$/)
          first = 0 } } }
  /^unread:/ { sub(/^unread:/, ""); print "unread\t" $0; next }
  /^closed:/ { sub(/^closed:/, ""); closed[$0] = 1; next }
  /^file:/ { sub(/^file:/, ""); folder = $0; sub(/\/[^\/]*$/, "", folder); listed[folder] = 1
    if ($0 !~ /\/(\.placeholder|\.[^\/]*)$/) { job($0); tell($0, $0, 1, "") }
    next }
  { at = index($0, ":"); file = substr($0, 1, at - 1); line = substr($0, at + 1); sub(/^[ \t]+/, "", line) }
  line ~ /^(#|$)/ { if (file !~ /^\/etc\/systemd/) next }
  file ~ /^\/etc\/systemd/ { key = line; sub(/[ \t]*=.*/, "", key); sub(/^[^=]*=[ \t]*/, "", line)
    if (key == "User") user[file] = line
    else if (key == "DynamicUser") { if (line ~ /^(yes|true|1|on)/) user[file] = "dynamic" }
    else { exec[++execs] = line; of[execs] = file }
    next }
  line ~ /^[A-Za-z_][A-Za-z0-9_]*[ \t]*=/ { next }
  file == "/etc/anacrontab" {
    if (sub(/^[^ \t]+[ \t]+[^ \t]+[ \t]+[^ \t]+[ \t]+/, "", line)) command(file, line)
    next }
  { if (line ~ /^@/) sub(/^[^ \t]+[ \t]+/, "", line)
    else sub(/^[^ \t]+[ \t]+[^ \t]+[ \t]+[^ \t]+[ \t]+[^ \t]+[ \t]+[^ \t]+[ \t]+/, "", line) }
  file == "/etc/crontab" || file ~ /^\/etc\/cron\.d\// { who = line; sub(/[ \t].*$/, "", who)
    if (who != "root" || !sub(/^[^ \t]+[ \t]+/, "", line)) next }
  { command(file, line) }
  END { for (i = 1; i <= execs; i++) { who = user[of[i]]; match(exec[i], /^[-@:+!|]*/)
      sign = substr(exec[i], 1, RLENGTH); line = substr(exec[i], RLENGTH + 1)
      if (who == "" || who == "root" || who == "0" || sign ~ /[+!]/) command(of[i], line) }
    for (folder in closed) if (!(folder in listed)) print "unread\t" folder }')
printf '%s\n' "$found"
IFS='
'
set -f
there=
for path in $(printf '%s\n' "$found" | awk -F '\t' '$1 == "program" && !seen[$3]++ { print $3 }'); do
  [ ! -e "$path" ] || there="$there$path
"
done
links=
if [ -n "$there" ]; then
  links=$(realpath $there 2>/dev/null)
  printf '%s' "$there" | sed 's/^/there\t/'
  [ -z "$links" ] || printf '%s\n' "$links" | sed 's/^/target\t/'
fi
steps=$(printf '%s\n%s\n' "$found" "$links" | awk -F '\t' '$1 == "program" { $0 = $3 }
  /^\// { path = $0
    while (!(path in seen)) { seen[path] = 1; print path
      sub(/\/[^\/]*$/, "", path); if (path == "") path = "/" } }')
[ -z "$steps" ] || stat -L -c 'step:%a:%U:%G:%F:%n' $steps 2>/dev/null
printf 'end\n'
exit 0
"""
_ACCESS = r"""
names() { awk '!/^[ \t]*(#|$)/ { printf "%s%s", n++ ? "," : "", $1 } END { print "" }' "$1" 2>/dev/null; }
for scheduler in cron at; do
  installed=no
  # The shell of BusyBox would name its own applets, whether they are linked or not.
  case $scheduler in
    cron) programs='/usr/bin/crontab /usr/sbin/cron /usr/sbin/crond /usr/sbin/fcron /usr/sbin/bcron-start' ;;
    at) programs='/usr/bin/at /usr/sbin/atd' ;;
  esac
  for program in $programs; do [ ! -e "$program" ] || installed=yes; done
  case $scheduler:$(readlink /usr/bin/crontab 2>/dev/null) in cron:*busybox) installed=busybox ;; esac
  printf 'scheduler\t%s\t%s\n' "$scheduler" "$installed"
  for kind in allow deny; do
    file=/etc/$scheduler.$kind
    [ -e "$file" ] || continue
    if [ -r "$file" ]; then printf '%s\t%s\n' "$kind" "$(names "$file")"
    elif answer=$(as_root cat "$file" 2>/dev/null); then
      printf '%s\t%s\n' "$kind" "$(printf '%s\n' "$answer" | names /dev/stdin)"
    else printf 'unread\t%s\n' "$file"; fi
  done
done
printf 'end\n'
exit 0
"""
_STEP = re.compile(r"step:([0-7]{1,4}):([^:]*):([^:]*):([^:]*):(/.*)")


def parse_jobs(text: str) -> Collected:
    """The `ScheduledJobs` in an answer."""
    jobs: list[str] = []
    programs: list[tuple[str, str, bool, str]] = []
    there: list[str] = []
    targets: list[str] = []
    steps: dict[str, FileMode] = {}
    unread: list[str] = []
    ended = False
    for row in rows(text):
        match row:
            case ["job", file] if file.startswith("/"):
                jobs.append(file)
            case ["program", file, path, "0" | "1" as first, called] if path.startswith("/"):
                programs.append((file, path, first == "1", called))
            case ["there", path]:
                there.append(path)
            case ["target", path]:
                targets.append(path)
            case ["unread", path] if path.startswith("/"):
                unread.append(path)
            case ["end"]:
                ended = True
            case [line] if found := _STEP.fullmatch(line):
                mode, owner, group, kind, path = found.groups()
                steps[path] = FileMode(path, mode.zfill(4), owner, group, kind)
            case _:
                raise ParseError(f"unexpected line {row[0][:40]!r}")
    if not ended:
        raise ParseError("the list of jobs has no end")
    # One link that ends nowhere makes a name less, and then none can be matched to its path.
    real = dict(zip(there, targets, strict=True)) if len(there) == len(targets) else {}
    told = tuple(
        ScheduledProgram(file, path, real.get(path, path), first, called)
        for file, path, first, called in programs
    )
    return Collected((ScheduledJobs(len(jobs), told, tuple(steps.values()), tuple(dict.fromkeys(unread))),))


def parse_access(text: str) -> Collected:
    """The `ScheduleAccess` in an answer."""
    found: dict[str, dict[str, object]] = {}
    name, ended = "", False
    for row in rows(text):
        match row:
            case ["scheduler", "cron" | "at" as name, "yes" | "no" | "busybox" as program]:
                found[name] = {"program": program, "allow": None, "deny": None, "unread": False}
            case ["allow" | "deny" as kind, names] if name:
                found[name][kind] = tuple(one for one in names.split(",") if one)
            case ["unread", path] if name and path.startswith("/"):
                found[name]["unread"] = True
            case ["end"]:
                ended = True
            case _:
                raise ParseError(f"unexpected line {row[0][:40]!r}")
    if not ended or set(found) != {"cron", "at"}:
        raise ParseError("an answer about cron or at is missing")
    return Collected((ScheduleAccess(tuple(_allowed(name, of) for name, of in found.items())),))


def _allowed(name: str, of: dict[str, object]) -> Allowed:
    def names(kind: str) -> tuple[str, ...] | None:
        found = of[kind]
        return found if isinstance(found, tuple) else None

    installed, asks = of["program"] != "no", of["program"] != "busybox"
    return Allowed(name, installed, names("allow"), names("deny"), of["unread"] is True, asks)


JOBS = Probe(
    "scheduled-jobs",
    (ScheduledJobs,),
    _JOBS.replace("@READ@", _READ).replace("@LIST@", _LIST).replace("@FOLDERS@", " ".join(_FOLDERS)),
    parse_jobs,
    how="root's jobs in cron and in the host's own units, and the modes of what they run",
    privileges=(f"/usr/bin/{_READ}", f"/usr/bin/{_LIST}"),
    limit=524_288,
)
ACCESS = Probe(
    "schedule-access",
    (ScheduleAccess,),
    _ACCESS,
    parse_access,
    how="cron.allow and at.allow",
    privileges=tuple(
        f"/usr/bin/cat /etc/{name}.{kind}" for name in ("cron", "at") for kind in ("allow", "deny")
    ),
    limit=65_536,
)
