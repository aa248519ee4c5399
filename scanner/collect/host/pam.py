"""The files of PAM and the settings of its modules."""

from __future__ import annotations

import re

from checks.facts.host.pam import Pam, PamFile, PamRule
from checks.facts.snapshot import Absence
from scanner.collect.collector import Collected
from scanner.collect.host.probe import ParseError, Probe, rows

_MODULES = (
    "pam_unix",
    "pam_unix2",
    "pam_pwquality",
    "pam_cracklib",
    "pam_passwdqc",
    "pam_faillock",
    "pam_tally2",
    "pam_tally",
    "pam_pwhistory",
    "pam_wheel",
    "pam_umask",
    "pam_sss",
)
"""Modules whose arguments are read; none of them takes a secret there."""
_SCRIPT = r"""
if ! [ -d /etc/pam.d ] && ! [ -d /usr/lib/pam.d ]; then
  # All services in one file is a form that no distribution uses any more.
  [ -e /etc/pam.conf ] && exit 1
  printf 'none\n'; exit 0
fi
if has authselect && [ -e /etc/authselect/authselect.conf ]; then printf 'profiles\tauthselect\n'
elif has pam-auth-update && [ -d /usr/share/pam-configs ]; then printf 'profiles\tpam-auth-update\n'; fi
set -- /usr/lib/pam.d/* /usr/etc/pam.d/* /etc/pam.d/*
for name in pwquality faillock pwhistory; do
  main=/etc/security/$name.conf
  for vendor in /usr/etc/security /usr/lib/security; do
    [ -e "$main" ] || [ ! -e "$vendor/$name.conf" ] || main=$vendor/$name.conf
  done
  # The module reads its folder first, and its file has the last word.
  set -- "$@" "/etc/security/$name.conf.d"/*.conf "$main"
done
for file in "$@"; do
  shift
  if [ -r "$file" ] && [ -f "$file" ]; then set -- "$@" "$file"
  elif [ -f "$file" ]; then printf 'unread\t%s\n' "$file"; fi
done
[ $# -gt 0 ] || exit 126
awk 'function told(line,   kind, control, module) {
    sub(/^[ \t]+/, "", line)
    if (line ~ /^#/ || line == "") return
    sub(/[ \t]#.*$/, "", line)
    if (FILENAME ~ /^\/(usr\/)?(etc|lib)\/security\//) {
      name = FILENAME; sub(/^.*\/security\//, "", name); sub(/\.conf.*$/, "", name)
      value = line; sub(/[ \t]*=.*$/, "", line); sub(/[ \t]+$/, "", line)
      if (value ~ /=/) sub(/^[^=]*=[ \t]*/, "", value); else value = ""
      print "set\t" name "\t" line "\t" value; return }
    if (line ~ /^@include/) { split(line, word, " ")
      print "rule\t" FILENAME "\t\t@include\t" word[2] "\t"; return }
    match(line, /^[^ \t]+/); kind = substr(line, 1, RLENGTH); line = substr(line, RLENGTH + 1)
    sub(/^[ \t]+/, "", line)
    if (!match(line, /^\[[^]]*\]/) && !match(line, /^[^ \t]+/)) { print "odd\t" FILENAME; return }
    control = substr(line, 1, RLENGTH); line = substr(line, RLENGTH + 1); sub(/^[ \t]+/, "", line)
    if (!match(line, /^[^ \t]+/)) { print "odd\t" FILENAME; return }
    module = substr(line, 1, RLENGTH); line = substr(line, RLENGTH + 1); sub(/^[ \t]+/, "", line)
    gsub(/[ \t]+/, " ", control); gsub(/[ \t]+/, " ", line)
    if (control != "include" && control != "substack") { sub(/^.*\//, "", module); sub(/\.so$/, "", module) }
    print "rule\t" FILENAME "\t" kind "\t" control "\t" module "\t" (module ~ /^(@MODULES@)$/ ? line : "") }
  FNR == 1 { rest = ""; count++ }
  /\\$/ { rest = rest substr($0, 1, length($0) - 1) " "; next }
  { told(rest $0); rest = "" }
  END { print "read\t" count }' "$@"
exit 0
"""
_LEFT_OVER = re.compile(
    r"(~|\.(dpkg-\w+|ucf-\w+|rpm(new|save|orig)|pam-(old|new)|bak|old|orig|swp|before|new))$"
)
"""What packages and people leave beside a file: no service is called so."""
_KINDS = frozenset({"auth", "account", "password", "session"})
_FOLDERS = ("/etc/pam.d", "/usr/etc/pam.d", "/usr/lib/pam.d")
"""Where files of PAM lie; a file in an earlier folder hides the one of that name in a later."""


def parse(text: str) -> Collected:
    """The `Pam` in an answer."""
    if text.strip() == "none":
        return Collected(absences=(Absence("Pam", "the host has no PAM: there is no /etc/pam.d"),))
    files: dict[str, list[PamRule]] = {}
    settings: dict[str, dict[str, str]] = {}
    unread: list[str] = []
    profiles, ended = "", False
    for row in rows(text):
        match row:
            case ["profiles", name]:
                profiles = name
            case ["unread", path] if path.startswith("/"):
                unread.append(path)
            case ["odd", path] if path.startswith("/"):
                files.setdefault(path, [])
            case ["set", name, key, value] if key:
                settings.setdefault(name, {})[key] = value
            case ["rule", path, kind, control, module, arguments] if path.startswith("/") and module:
                kind = kind.removeprefix("-").lower()
                if kind not in _KINDS and control != "@include":
                    raise ParseError(f"no kind of rule: {kind[:40]!r}")
                words = tuple(_ARGUMENT.findall(arguments))
                files.setdefault(path, []).append(PamRule(path, kind, control, module, words))
            case ["read", _]:
                ended = True
            case _:
                raise ParseError(f"unexpected line {row[0][:40]!r}")
    if not ended or not files:
        raise ParseError("the rules of PAM have no end")
    return Collected((Pam(_in_force(files), settings, tuple(unread), profiles),))


_ARGUMENT = re.compile(r"\[[^\]]*\]|[^ ]+")


def _in_force(files: dict[str, list[PamRule]]) -> tuple[PamFile, ...]:
    found: dict[str, PamFile] = {}
    for folder in _FOLDERS:
        for path, rules in files.items():
            place, _, name = path.rpartition("/")
            if place == folder and not _LEFT_OVER.search(name):
                found.setdefault(name, PamFile(name, tuple(rules)))
    return tuple(found[name] for name in sorted(found))


PROBE = Probe(
    "pam",
    (Pam,),
    _SCRIPT.replace("@MODULES@", "|".join(_MODULES)),
    parse,
    how="/etc/pam.d and the settings of PAM's modules",
    limit=524_288,
)
