"""Rules for new passwords, what the start files of shells set, and root's search path."""

from __future__ import annotations

import re

from checks.facts.host.files import FileMode
from checks.facts.host.login_rules import LoginDefs, PathEntry, RootPath, ShellSetting, ShellStart
from scanner.collect.collector import Collected
from scanner.collect.host.probe import ParseError, Probe, rows

_RULES = r"""
set --
defs=
for file in /etc/login.defs /usr/etc/login.defs; do
  [ -z "$defs" ] && [ -e "$file" ] && { [ -r "$file" ] || exit 126; defs=$file; set -- "$file"; }
done
for file in /etc/login.defs.d/*.defs /etc/default/useradd /etc/profile /etc/profile.d/*.sh /etc/bash.bashrc \
  /etc/bashrc /etc/bash/bashrc /etc/pam.d/*; do
  if [ -r "$file" ] && [ -f "$file" ]; then set -- "$@" "$file"
  elif [ -f "$file" ]; then printf 'unread\t%s\n' "$file"; fi
done
[ -z "$defs" ] || printf 'present\t%s\n' "$defs"
[ $# -gt 0 ] && awk '/^[ \t]*#/ { next }
  FILENAME ~ /login\.defs/ { if (NF > 1 && $1 ~ /^(PASS_|UMASK|ENCRYPT|HOME_MODE|USERGROUPS)/)
      print "defs\t" $1 "\t" $2
    next }
  FILENAME ~ /useradd$/ { if (match($0, /^[A-Z_]+=/)) print "useradd\t" substr($0, 1, RLENGTH - 1) "\t" \
    substr($0, RLENGTH + 1); next }
  FILENAME ~ /pam\.d/ { if (/pam_umask/) { value = ""
      if (match($0, /[ \t]umask=[^ \t]+/)) value = substr($0, RSTART + 7, RLENGTH - 7)
      print "pam\t" FILENAME "\t" value }
    next }
  { sub(/[ \t]#.*$/, "") }
  { rest = $0; gsub(/["'"'"']/, "", rest)
    while (match(rest, /(^|[ \t;&|{(])umask[ \t]+[0-7ugoa$][^ \t;&|})]*/)) {
      value = substr(rest, RSTART, RLENGTH); rest = substr(rest, RSTART + RLENGTH)
      sub(/^.*umask[ \t]+/, "", value); print "umask\t" FILENAME "\t" value }
    rest = $0; gsub(/["'"'"']/, "", rest)
    while (match(rest, /(^|[^A-Za-z0-9_$])TMOUT=[^ \t;&|})]*/)) {
      value = substr(rest, RSTART, RLENGTH); rest = substr(rest, RSTART + RLENGTH)
      sub(/^.*TMOUT=/, "", value); print "tmout\t" FILENAME "\t" value } }
  /(readonly|(declare|typeset)[ \t]+-[a-z]*r)[^;#]*TMOUT/ { print "fixed\t" FILENAME }' "$@"
printf 'end\n'
exit 0
"""
_OWN = (
    "/root/.profile",
    "/root/.bash_profile",
    "/root/.bash_login",
    "/root/.bashrc",
    "/etc/sudoers",
    "/etc/sudoers.d",
    "/var/spool/cron/crontabs/root",
    "/var/spool/cron/root",
    "/var/spool/cron/tabs/root",
    "/etc/crontabs/root",
)
_PATH = r"""
set -- /etc/environment /etc/login.defs /etc/profile /etc/profile.d/*.sh /etc/bash.bashrc /etc/bashrc \
  /etc/crontab /etc/cron.d/*
found=$({
  for file in "$@"; do [ ! -f "$file" ] || [ -r "$file" ] || printf 'unread:%s\n' "$file"; done
  grep -HsE 'PATH|pathmunge' "$@"
  as_root grep -RHsE 'PATH|secure_path|pathmunge' @OWN@
  # Some of them is always missing, which is status 2; 1 is sudo that refused and said more than that.
  case $?:$ROOT in 126:*|1:sudo)
    for file in @OWN@; do
      above=${file%/*}
      [ -e "$file" ] || { [ -e "$above" ] && [ ! -x "$above" ]; } || continue
      printf 'unread:%s\n' "$file"
    done ;;
  esac
} | awk '
  function entries(value,   n, i, part) {
    gsub(/["'"'"']/, "", value)
    gsub(/\$\{PATH[^}]*\}|\$PATH/, "@", value)
    gsub(/\$\{?HOME\}?|~/, "/root", value)
    n = split(value, part, ":")
    if (n == 0) { n = 1; part[1] = "" }
    for (i = 1; i <= n; i++) {
      if (part[i] == "@") continue
      sub(/@$/, "", part[i]); sub(/^@/, "", part[i])
      if (part[i] != "$1" && !((file, part[i]) in seen)) print "entry\t" file "\t" part[i]
      seen[file, part[i]] = 1 } }
  /^unread:/ { sub(/^unread:/, ""); print "unread\t" $0; next }
  { at = index($0, ":"); file = substr($0, 1, at - 1); line = substr($0, at + 1) }
  line ~ /^[ \t]*#/ { next }
  file ~ /sudoers/ { if (match(line, /secure_path[ \t]*\+?=[ \t]*("[^"]*"|[^ \t,]+)/)) {
      value = substr(line, RSTART, RLENGTH); sub(/^[^=]*=[ \t]*/, "", value); entries(value) }
    next }
  file ~ /login\.defs$/ { if (match(line, /^[ \t]*ENV_(SUPATH|ROOTPATH)[ \t]+(PATH=)?/))
      { value = substr(line, RLENGTH + 1); sub(/[ \t].*$/, "", value); entries(value) }
    next }
  match(line, /(^|[ \t;&{(])pathmunge[ \t]+[^ \t;()]+/) { value = substr(line, RSTART, RLENGTH)
    sub(/^.*pathmunge[ \t]+/, "", value); entries(value) }
  { while (match(line, /(^|[ \t;&{(])PATH\+?=("[^"]*"|[^ \t;]*)/)) {
      value = substr(line, RSTART, RLENGTH); line = substr(line, RSTART + RLENGTH)
      more = value ~ /PATH\+=/; sub(/^[^=]*=/, "", value); entries((more ? "$PATH" : "") value) } }')
printf '%s\n' "$found"
IFS='
'
set -f
folders=$(printf '%s\n' "$found" | awk -F '\t' '$1 == "entry" && $3 ~ /^\// && $3 !~ /[$`]/ {
  path = $3; sub(/\/+$/, "", path); if (path == "") path = "/"
  while (!(path in seen)) { seen[path] = 1; print path
    sub(/\/[^\/]*$/, "", path); if (path == "") path = "/" } }')
there=
for path in $folders; do
  if [ -e "$path" ]; then there="$there$path
"
  elif [ -x "${path%/*}/" ] || [ ! -e "${path%/*}/" ]; then printf 'absent\t%s\n' "$path"
  else printf 'unseen\t%s\n' "$path"; fi
done
[ -z "$there" ] || stat -L -c 'folder:%a:%U:%G:%F:%n' $there
printf 'end\n'
exit 0
"""
_FOLDER = re.compile(r"folder:([0-7]{1,4}):([^:]*):([^:]*):([^:]*):(/.*)")


_DEFAULTS = ("/etc/default/useradd",)


def parse_rules(text: str) -> Collected:
    """The `LoginDefs` and the `ShellStart` in an answer."""
    defs: dict[str, str] = {}
    useradd: dict[str, str] = {}
    found: dict[str, list[ShellSetting]] = {"umask": [], "tmout": [], "pam": []}
    unread: list[str] = []
    present = fixed = ended = False
    for row in rows(text):
        match row:
            case ["present", _]:
                present = True
            case ["defs", key, value]:
                defs[key] = value
            case ["useradd", key, value]:
                useradd[key] = value.strip("\"'")
            case ["umask" | "tmout" | "pam" as word, file, value] if file.startswith("/"):
                found[word].append(ShellSetting(file, value))
            case ["fixed", _]:
                fixed = True
            case ["unread", path] if path.startswith("/"):
                unread.append(path)
            case ["end"]:
                ended = True
            case _:
                raise ParseError(f"unexpected line {row[0][:40]!r}")
    if not ended:
        raise ParseError("the rules for logins have no end")
    shells = {word: tuple(dict.fromkeys(settings)) for word, settings in found.items()}
    return Collected(
        (
            LoginDefs(present, defs, useradd, tuple(one for one in unread if one in _DEFAULTS)),
            ShellStart(shells["umask"], shells["tmout"], fixed, shells["pam"], tuple(unread)),
        )
    )


def parse_path(text: str) -> Collected:
    """The `RootPath` in an answer."""
    entries: list[PathEntry] = []
    folders: list[FileMode] = []
    named: dict[str, list[str]] = {"absent": [], "unseen": [], "unread": []}
    ended = False
    for row in rows(text):
        match row:
            case ["entry", file, folder] if file.startswith("/"):
                entries.append(PathEntry(file, folder))
            case ["absent" | "unseen" | "unread" as word, path] if path.startswith("/"):
                named[word].append(path)
            case ["end"]:
                ended = True
            case [line] if found := _FOLDER.fullmatch(line):
                mode, owner, group, kind, path = found.groups()
                folders.append(FileMode(path, mode.zfill(4), owner, group, kind))
            case _:
                raise ParseError(f"unexpected line {row[0][:40]!r}")
    if not ended:
        raise ParseError("the search path has no end")
    lists = {word: tuple(paths) for word, paths in named.items()}
    return Collected(
        (RootPath(tuple(entries), tuple(folders), lists["absent"], lists["unseen"], lists["unread"]),)
    )


RULES = Probe(
    "login-rules",
    (LoginDefs, ShellStart),
    _RULES,
    parse_rules,
    how="/etc/login.defs, useradd's defaults and the start files of shells",
    limit=131_072,
)
PATH = Probe(
    "root-path",
    (RootPath,),
    _PATH.replace("@OWN@", " ".join(_OWN)),
    parse_path,
    how="the files that set root's search path",
    privileges=(f"/usr/bin/grep -RHsE PATH|secure_path|pathmunge {' '.join(_OWN)}",),
    limit=262_144,
)
