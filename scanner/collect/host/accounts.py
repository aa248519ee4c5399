"""Accounts, the states of their passwords (the hashes stay on the host)."""

from __future__ import annotations

from datetime import UTC, datetime

from checks.facts.host.accounts import (
    Account,
    Accounts,
    Group,
    Groups,
    Logins,
    Password,
    Passwords,
    PasswordState,
)
from checks.facts.snapshot import Absence, Gap
from scanner.collect.collector import Collected, stamp
from scanner.collect.host.probe import ParseError, Probe, number, rows

_ACCOUNTS = r"""
[ -r /etc/passwd ] || exit 1
set --
for file in /etc/login.defs /etc/nsswitch.conf /etc/group /etc/passwd; do
  [ -r "$file" ] && set -- "$@" "$file"
done
awk -F: 'FILENAME == "/etc/login.defs" { if (split($0, word, " ") > 1 && word[1] == "UID_MIN") min = word[2]
    next }
  FILENAME == "/etc/nsswitch.conf" { if (!/^[ \t]*passwd:/) next
    sub(/^[ \t]*passwd:/, ""); sub(/#.*/, ""); gsub(/\[[^]]*\]/, " ")
    n = split($0, word, " "); for (i = 1; i <= n; i++) print "source\t" word[i]
    next }
  /^[ \t]*(#|$)/ { next }
  FILENAME == "/etc/group" { print "group\t" NF "\t" $1 "\t" $3 "\t" $4; next }
  { p = ($2 == "x" || $2 ~ /^[*!]/) ? "shadow" : ($2 == "" ? "empty" : "hash")
    print "account\t" NF "\t" $1 "\t" p "\t" $3 "\t" $4 "\t" $6 "\t" $7 }
  END { print "uid_min\t" min }' "$@" || exit 1
exit 0
"""
_PASSWORDS = r"""
[ -e /etc/shadow ] || { printf 'none\n'; exit 0; }
lines=$(as_root cat /etc/shadow) || exit $?
# Hashes are compared here: what leaves is a number that equal ones share.
printf '%s\n' "$lines" | awk -F: '/^[ \t]*(#|$)/ { next }
  { p = $2; state = p == "" ? "empty" : (p ~ /^[!*]/ ? "locked" : "set"); sub(/^[!*]+/, "", p)
    if (p == "" || p == "NP" || p == "LK") scheme = ""
    else if (match(p, /^\$[A-Za-z0-9_-]+\$/)) scheme = substr(p, 2, RLENGTH - 2)
    else if (p ~ /^_/) scheme = "bsdi"
    else if (length(p) == 13) scheme = "des"
    else scheme = "other"
    told[++n] = "password\t" $1 "\t" state "\t" scheme
    ages[n] = $3 "\t" $4 "\t" $5 "\t" $6 "\t" $7 "\t" $8
    if (scheme != "") { hash[n] = p; count[p]++ } }
  END { for (i = 1; i <= n; i++) {
    twins = 0
    if (i in hash && count[hash[i]] > 1) {
      if (!(hash[i] in number)) number[hash[i]] = ++groups
      twins = number[hash[i]] }
    print told[i] "\t" twins "\t" ages[i] } }'
exit 0
"""
_LOGINS = r"""
TZ=UTC0; export TZ
printf 'asking\t%s\n' "$(id -un 2>/dev/null)"
dates() { awk 'NR == 1 && $1 == "Username" { next }
  /\*\*Never logged in\*\*/ { print "login\t" $1 "\t"; next }
  { for (i = NF - 3; i > 1; i--) if ($i ~ /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)$/) break
    if (i > 1) print "login\t" $1 "\t" $(i + 1) "\t" $(i + 2) "\t" $(i + 3) "\t" $NF }'; }
if [ -s /var/log/lastlog ] && has lastlog; then
  printf 'record\tlastlog\n'
  lastlog 2>/dev/null | dates
elif [ -s /var/lib/lastlog/lastlog2.db ] && has lastlog2; then
  printf 'record\tlastlog2\n'
  lastlog2 2>/dev/null | dates
elif [ -s /var/log/wtmp ] && last -F -w -n 1 >/dev/null 2>&1; then
  printf 'record\twtmp\n'
  last -F -w 2>/dev/null | head -n 50000 | awk '
    $2 == "begins" { print "since\t" $4 "\t" $5 "\t" $6 "\t" $7; next }
    $1 in seen || $1 == "reboot" || $1 == "shutdown" || $1 == "runlevel" { next }
    { for (i = 2; i < NF; i++) if ($i ~ /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)$/) {
        seen[$1] = 1; print "login\t" $1 "\t" $(i + 1) "\t" $(i + 2) "\t" $(i + 3) "\t" $(i + 4); break } }'
else printf 'record\tnone\n'; fi
printf 'end\n'
exit 0
"""
_SCHEMES = {
    "1": "md5",
    "2": "bcrypt",
    "2a": "bcrypt",
    "2b": "bcrypt",
    "2x": "bcrypt",
    "2y": "bcrypt",
    "3": "nt",
    "5": "sha256",
    "6": "sha512",
    "7": "scrypt",
    "y": "yescrypt",
    "gy": "gost-yescrypt",
    "md5": "sunmd5",
    "sha1": "sha1",
    "argon2id": "argon2",
    "des": "des",
    "bsdi": "bsdi",
    "other": "unrecognised",
    "": "",
}
_LOCAL = frozenset({"files", "compat", "systemd", "altfiles", "db", "mymachines", "cache"})
"""Sources of accounts in nsswitch.conf that are this host itself."""
_AGES = 6
_DEFAULT_UID_MIN = 1000
"""What useradd itself takes where login.defs names none."""


def parse_accounts(text: str) -> Collected:
    """The `Accounts` and `Groups` in an answer."""
    found: list[Account] = []
    sources: list[str] = []
    included: list[str] = []
    groups: list[list[str]] = []
    uid_min = _DEFAULT_UID_MIN
    for row in rows(text):
        match row:
            case ["uid_min", value]:
                uid_min = number(value, "UID_MIN") if value else uid_min
            case ["source", name] if name:
                sources.append(name)
            case ["group", *fields]:
                groups.append(fields)
            case ["account", _, name, _, *_] if name.startswith(("+", "-")):
                included.append(name)
            case ["account", "7", name, password, uid, gid, home, shell]:
                here, empty = password != "shadow", password == "empty"
                ids = number(uid, "a uid"), number(gid, "a gid")
                found.append(Account(name, *ids, home, shell, here, empty))
            case _:
                raise ParseError("a line of /etc/passwd has not seven fields")
    if not found:
        raise ParseError("/etc/passwd names nobody")
    directories = tuple(dict.fromkeys(name for name in sources if name not in _LOCAL))
    reason = "the line {!r} takes accounts in from NIS"
    gaps = tuple(Gap("Accounts", reason.format(name), where="/etc/passwd") for name in included)
    seen = Collected((Accounts(tuple(found), uid_min, directories, tuple(included)),), gaps)
    return seen + _groups(groups)


def _groups(lines: list[list[str]]) -> Collected:
    """The `Groups`; a line of another form is a gap and hides none of the accounts."""
    found: list[Group] = []
    included: list[str] = []
    gaps: list[Gap] = []
    for line in lines:
        match line:
            case [_, name, *_] if name.startswith(("+", "-")):
                included.append(name)
            case ["4", name, gid, members] if name and gid.isascii() and gid.isdigit() and len(gid) < 11:
                found.append(Group(name, int(gid), tuple(one for one in members.split(",") if one)))
            case _:
                gaps.append(Gap("Groups", "a line of /etc/group has another form", where="/etc/group"))
    if not found:
        return Collected(gaps=(Gap("Groups", "no group of /etc/group could be read"),))
    return Collected((Groups(tuple(found), tuple(included)),), tuple(gaps[:1]))


def parse_passwords(text: str) -> Collected:
    """The `Passwords` in an answer."""
    found: list[Password] = []
    included: list[str] = []
    for row in rows(text):
        match row:
            case ["none"]:
                return Collected(absences=(Absence("Passwords", "the host has no /etc/shadow"),))
            case ["password", name, *_] if name.startswith(("+", "-")):
                included.append(name)
            case ["password", name, state, scheme, twins, *ages] if (
                name and state in set(PasswordState) and len(ages) == _AGES
            ):
                known = _SCHEMES.get(scheme, "unrecognised")
                days = [_days(age) for age in ages]
                found.append(Password(name, PasswordState(state), known, number(twins, "twins"), *days))
            case _:
                raise ParseError("a line of /etc/shadow has an unexpected form")
    if not found:
        raise ParseError("/etc/shadow names nobody")
    return Collected((Passwords(tuple(found), tuple(included)),))


def _days(text: str) -> int | None:
    """A number of days; an empty field and a negative number both switch the rule off."""
    if text == "" or (text.startswith("-") and text[1:].isdigit()):
        return None
    return number(text, "a number of days")


def parse_logins(text: str) -> Collected:
    """The `Logins` in an answer; a host that keeps no record of logins is a gap."""
    record, asking, since, ended = "", "", "", False
    last: dict[str, str] = {}
    for row in rows(text):
        match row:
            case ["asking", name]:
                asking = name
            case ["record", name] if not record:
                record = name
            case ["since", *moment]:
                since = _moment(moment)
            case ["login", name, ""] if name:
                last.setdefault(name, "")
            case ["login", name, *moment] if name:
                last[name] = max(last.get(name, ""), _moment(moment))
            case ["end"]:
                ended = True
            case _:
                raise ParseError(f"unexpected line {row[0][:40]!r}")
    if not ended or not record:
        raise ParseError("the list of logins has no end")
    if record == "none":
        return Collected(gaps=(Gap("Logins", "the host keeps no record of logins that can be read"),))
    if not any(last.values()):
        return Collected(gaps=(Gap("Logins", f"the {record} of the host records no login at all"),))
    return Collected((Logins(record, last, since, asking),))


def _moment(words: list[str]) -> str:
    """`Nov`, `23`, `12:00:00`, `2026` as RFC 3339; the fragment asks for UTC."""
    try:
        return stamp(datetime.strptime(" ".join(words), "%b %d %H:%M:%S %Y").replace(tzinfo=UTC))
    except ValueError:
        raise ParseError(f"no time: {' '.join(words)[:40]!r}") from None


ACCOUNTS = Probe(
    "accounts",
    (Accounts, Groups),
    _ACCOUNTS,
    parse_accounts,
    how="/etc/passwd and /etc/group",
    limit=1_048_576,
)
LOGINS = Probe(
    "logins",
    (Logins,),
    _LOGINS,
    parse_logins,
    how="lastlog, lastlog2 or last",
    seconds=10,
    limit=524_288,
)
PASSWORDS = Probe(
    "passwords",
    (Passwords,),
    _PASSWORDS,
    parse_passwords,
    how="/etc/shadow, hashes left out",
    privileges=("/usr/bin/cat /etc/shadow",),
    limit=524_288,
)
