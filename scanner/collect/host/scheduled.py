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
  for path in /etc/systemd/system/*.service /etc/systemd/system/*.service.d/*.conf; do
    [ ! -f "$path" ] || [ -h "$path" ] || [ -r "$path" ] || printf 'unread:%s\n' "$path"
  done
  grep -HsE '^[ \t]*(Exec(Start|Stop|Reload)[A-Za-z]*|User|DynamicUser)[ \t]*=' \
    /etc/systemd/system/*.service /etc/systemd/system/*.service.d/*.conf
  # Whom a unit of a package runs as, where there is a drop-in for it.
  set --
  for path in /etc/systemd/system/*.service.d; do
    path=${path##*/}
    for file in /usr/lib/systemd/system/"${path%.d}" /lib/systemd/system/"${path%.d}"; do
      [ -f "$file" ] && set -- "$@" "$file" && break
    done
  done
  [ $# -eq 0 ] || grep -HsE '^[ \t]*(User|DynamicUser)[ \t]*=' "$@"
} | awk '
  function unit(file) { sub(/\.d\/[^\/]*$/, "", file); sub(/^.*\//, "", file); return file }
  function known(file, w,   name) {
    if (!match(w, /^\$[A-Za-z_][A-Za-z0-9_]*/)) return w
    name = substr(w, 2, RLENGTH - 1)
    if (name == "HOME") return "/root" substr(w, RLENGTH + 1)
    return (file, name) in value ? value[file, name] substr(w, RLENGTH + 1) : w }
  function job(file) { if (!(file in jobs)) { jobs[file] = 1; print "job\t" file } }
  function tell(file, path, first, called) {
    sub(/[,:]+$/, "", path); sub(/\/+$/, "", path)
    # What stands for several files is as good as the folder that holds them all.
    if (path ~ /[*?[]/ && (first || called)) {
      sub(/\/[^\/]*[*?[].*$/, "", path); called = "run-parts" }
    if (path == "" || path ~ /[$*?%\\]/ || path ~ /^\/dev\// || (file, path) in told) return
    told[file, path] = 1; print "program\t" file "\t" path "\t" first "\t" called }
  function command(file, text,   n, i, word, w, first, called, here, option, base, name) {
    job(file)
    while (match(text, /\$\{[A-Za-z_][A-Za-z0-9_]*\}/))
      text = substr(text, 1, RSTART) substr(text, RSTART + 2, RLENGTH - 3) substr(text, RSTART + RLENGTH)
    gsub(/\\%/, " ", text); sub(/%.*/, "", text)
    gsub(/[0-9]*[<>]+&?[ \t]*[^ \t;|&)]*/, " ", text)
    gsub(/["'"'"']/, " ", text); gsub(/[;|&(){}`]/, " ; ", text)
    n = split(text, word, " "); first = 1; called = ""; here = "/root"
    for (i = 1; i <= n; i++) { w = word[i]
      if (w == ";") { first = 1; called = ""; option = 0; continue }
      if (w ~ /^-/) { option = 1
        if (called ~ /^(sh|bash|dash|ash|ksh|zsh)$/ && w ~ /^-[a-z]*c$/) {
          first = 1; called = ""; option = 0 }
        continue }
      if (first && match(w, /^[A-Za-z_][A-Za-z0-9_]*=/)) {
        name = substr(w, 1, RLENGTH - 1); if (w ~ /=\//) value[file, name] = substr(w, RLENGTH + 1)
        continue }
      if (first || called) { sub(/^~\//, "/root/", w); w = known(file, w) }
      if (called == "cd") { here = w ~ /^\// ? w : here "/" w
        sub(/\/+$/, "", here); called = ""; continue }
      # A program below the folder that the line went into; a bare name is one of the search path.
      if ((first && w ~ /\// || called) && w ~ /^[A-Za-z0-9_.][A-Za-z0-9_.\/-]*$/ &&
        w !~ /(^|\/)\.\.(\/|$)/) {
        sub(/^\.\//, "", w); w = here "/" w }
      if (w ~ /^\//) { tell(file, w, first, called)
        # What follows the script are its arguments; what follows an option may belong to that.
        if (!first && called && called != "run-parts" && !option) called = "" }
      option = 0
      if (first) { base = w; sub(/^.*\//, "", base)
        called = base ~ /^(sh|bash|dash|ash|ksh|zsh|python[0-9.]*|perl|ruby|php[0-9.]*)$/ ||
          base ~ /^(node|source|\.|run-parts|cd)$/ ? base : ""
        if (base !~ /^(nice|ionice|env|sudo|nohup|time|exec|setsid|chronic|if|then|else|do|while|!)$/)
          first = 0 } } }
  /^unread:/ { sub(/^unread:/, ""); print "unread\t" $0; next }
  /^closed:/ { sub(/^closed:/, ""); closed[$0] = 1; next }
  /^file:/ { sub(/^file:/, ""); folder = $0; sub(/\/[^\/]*$/, "", folder); listed[folder] = 1
    if ($0 !~ /\/(\.placeholder|\.[^\/]*)$/) { job($0); tell($0, $0, 1, "") }
    next }
  { at = index($0, ":"); file = substr($0, 1, at - 1); line = substr($0, at + 1); sub(/^[ \t]+/, "", line) }
  line ~ /^(#|$)/ { if (file !~ /\/systemd\/system\//) next }
  file ~ /\/systemd\/system\// { key = line; sub(/[ \t]*=.*/, "", key); sub(/^[^=]*=[ \t]*/, "", line)
    if (key == "User") user[unit(file)] = line
    else if (key == "DynamicUser") { if (line ~ /^(yes|true|1|on)/) user[unit(file)] = "dynamic" }
    else { exec[++execs] = line; of[execs] = file }
    next }
  match(line, /^[A-Za-z_][A-Za-z0-9_]*[ \t]*=/) {
    name = substr(line, 1, RLENGTH); gsub(/[ \t=]/, "", name); line = substr(line, RLENGTH + 1)
    gsub(/["'"'"' \t]/, "", line); if (line ~ /^\//) value[file, name] = line
    next }
  file == "/etc/anacrontab" {
    if (sub(/^[^ \t]+[ \t]+[^ \t]+[ \t]+[^ \t]+[ \t]+/, "", line)) command(file, line)
    next }
  { if (line ~ /^@/) sub(/^[^ \t]+[ \t]+/, "", line)
    else sub(/^[^ \t]+[ \t]+[^ \t]+[ \t]+[^ \t]+[ \t]+[^ \t]+[ \t]+[^ \t]+[ \t]+/, "", line) }
  file == "/etc/crontab" || file ~ /^\/etc\/cron\.d\// { who = line; sub(/[ \t].*$/, "", who)
    if (who != "root" || !sub(/^[^ \t]+[ \t]+/, "", line)) next }
  { command(file, line) }
  END { for (i = 1; i <= execs; i++) { who = user[unit(of[i])]; match(exec[i], /^[-@:+!|]*/)
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
