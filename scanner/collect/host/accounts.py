"""Accounts, the states of their passwords (the hashes stay on the host), and sudo."""

from __future__ import annotations

import re

from checks.facts.host.accounts import (
    Account,
    Accounts,
    Password,
    Passwords,
    PasswordState,
    SudoDefault,
    Sudoers,
    SudoRule,
)
from checks.facts.snapshot import Absence, Gap
from scanner.collect.collector import Collected
from scanner.collect.host.probe import ParseError, Probe, number, rows

_ACCOUNTS = r"""
printf 'uid_min\t%s\n' "$(awk '$1 == "UID_MIN" { print $2 }' /etc/login.defs 2>/dev/null | tail -n 1)"
awk -F: '/^[[:space:]]*(#|$)/ { next }
  { p = ($2 == "x" || $2 ~ /^[*!]/) ? "shadow" : ($2 == "" ? "empty" : "hash")
    print "account\t" NF "\t" $1 "\t" p "\t" $3 "\t" $4 "\t" $6 "\t" $7 }' /etc/passwd || exit 1
exit 0
"""
_PASSWORDS = r"""
[ -e /etc/shadow ] || { printf 'none\n'; exit 0; }
lines=$(as_root cat /etc/shadow) || exit $?
printf '%s\n' "$lines" | awk -F: '/^[[:space:]]*(#|$)/ { next }
  { p = $2; state = p == "" ? "empty" : (p ~ /^[!*]/ ? "locked" : "set"); sub(/^[!*]+/, "", p)
    if (p == "" || p == "NP" || p == "LK") scheme = ""
    else if (match(p, /^\$[A-Za-z0-9_-]+\$/)) scheme = substr(p, 2, RLENGTH - 2)
    else if (p ~ /^_/) scheme = "bsdi"
    else if (length(p) == 13) scheme = "des"
    else scheme = "other"
    print "password\t" $1 "\t" state "\t" scheme }'
exit 0
"""
_SUDOERS = r"""
if ! [ -e /etc/sudoers ] && ! has sudo; then printf 'none\n'; exit 0; fi
folder=
[ -d /etc/sudoers.d ] && folder=/etc/sudoers.d
lines=$(as_root grep -RH ^ /etc/sudoers $folder) || exit $?
# Comments stay on the host; #include and #1000 (a user id) are none. An empty line ends a continued one.
printf '%s\n' "$lines" | sed 's/^\([^:]*:[[:space:]]*\)#[^i0-9].*/\1#/'
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
_DEFAULT_UID_MIN = 1000
"""What useradd itself takes where login.defs names none."""
_ALIAS = re.compile(r"(User|Runas|Host|Cmnd|Cmd)_Alias\b")
_INCLUDE = re.compile(r"[@#]include(dir)?\s+(\S+)")
_STANDARD_FOLDER = "/etc/sudoers.d"
_NAME = r'!*\s*(?:"[^"]*"|(?:\\.|[^\s,"\\])+)'
_NAMES = re.compile(rf"{_NAME}(?:\s*,\s*{_NAME})*")
"""One name or several with commas, as users, hosts and commands are listed."""
_SETTING = re.compile(r'(?:"[^"]*"|\\.|[^,"])+')


def parse_accounts(text: str) -> Collected:
    """The `Accounts` in an answer."""
    found: list[Account] = []
    gaps: list[Gap] = []
    uid_min = _DEFAULT_UID_MIN
    for row in rows(text):
        match row:
            case ["uid_min", value]:
                uid_min = number(value, "UID_MIN") if value else uid_min
            case ["account", _, name, _, *_] if name.startswith(("+", "-")):
                gaps.append(
                    Gap("Accounts", f"the line {name!r} takes accounts in from NIS", where="/etc/passwd")
                )
            case ["account", "7", name, password, uid, gid, home, shell]:
                here, empty = password != "shadow", password == "empty"
                ids = number(uid, "a uid"), number(gid, "a gid")
                found.append(Account(name, *ids, home, shell, here, empty))
            case _:
                raise ParseError("a line of /etc/passwd has not seven fields")
    if not found:
        raise ParseError("/etc/passwd names nobody")
    return Collected((Accounts(tuple(found), uid_min),), tuple(gaps))


def parse_passwords(text: str) -> Collected:
    """The `Passwords` in an answer."""
    found: list[Password] = []
    for row in rows(text):
        match row:
            case ["none"]:
                return Collected(absences=(Absence("Passwords", "the host has no /etc/shadow"),))
            case ["password", name, state, scheme] if name and state in set(PasswordState):
                found.append(Password(name, PasswordState(state), _SCHEMES.get(scheme, "unrecognised")))
            case _:
                raise ParseError("a line of /etc/shadow has an unexpected form")
    if not found:
        raise ParseError("/etc/shadow names nobody")
    return Collected((Passwords(tuple(found)),))


def parse_sudoers(text: str) -> Collected:
    """The `Sudoers` in an answer; included files outside the standard folder are gaps."""
    if text.strip() == "none":
        return Collected(absences=(Absence("Sudoers", "there is neither /etc/sudoers nor a sudo program"),))
    rules: list[SudoRule] = []
    defaults: list[SudoDefault] = []
    gaps: list[Gap] = []
    for file, line in _logical(text):
        if include := _INCLUDE.match(line):
            if include[2].rstrip("/") != _STANDARD_FOLDER:
                gaps.append(Gap("Sudoers", "rules are included from there, unread", where=include[2]))
        elif _ALIAS.match(line):
            continue
        elif line.startswith("Defaults"):
            more = _defaults(file, line)
            defaults += more
            # What is not understood may be the setting that matters.
            odd = [one for one in more if " " in one.setting.partition("=")[0]]
            gaps += [Gap("Sudoers", f"a setting of another form: {one.setting[:60]}", file) for one in odd]
        else:
            who, equals, grants = line.partition("=")
            named = _NAMES.match(who.strip())
            if not equals or not named:
                gaps.append(Gap("Sudoers", f"a line of another form: {line[:60]}", where=file))
                continue
            grants = " ".join(grants.split())
            name = re.sub(r"\s*,\s*", ",", named[0])
            rules.append(SudoRule(file, name, grants, bool(re.search(r"\bNOPASSWD\s*:", grants))))
    if not (rules or defaults):
        raise ParseError("sudoers holds no rule and no setting")
    return Collected((Sudoers(tuple(rules), tuple(defaults)),), tuple(gaps))


def _defaults(file: str, line: str) -> list[SudoDefault]:
    """The settings of one Defaults line, each with whom or what it is for."""
    rest = line.removeprefix("Defaults")
    scope = ""
    if rest[:1] in (":", "@", ">", "!"):
        named = _NAMES.match(rest[1:].lstrip())
        scope = named[0] if named else ""
        rest = rest[1:].lstrip()[len(scope) :]
        scope = line[len("Defaults")] + re.sub(r"\s*,\s*", ",", scope)
    settings = [" ".join(one.split()) for one in _SETTING.findall(rest)]
    tidy = [re.sub(r"^! ", "!", re.sub(r"\s*([+-]?=)\s*", r"\1", one)) for one in settings if one]
    return [SudoDefault(file, scope, one) for one in tidy]


def _logical(text: str) -> list[tuple[str, str]]:
    """(file, line) with continued lines joined; files that sudo passes over are left out."""
    found: list[tuple[str, str]] = []
    before, last = "", ""
    for raw in text.splitlines():
        file, colon, line = raw.partition(":")
        if not colon or not file.startswith("/"):
            raise ParseError(f"no file before the line {raw[:40]!r}")
        folder, _, name = file.rpartition("/")
        if file.startswith(_STANDARD_FOLDER + "/") and (
            "." in name or name.endswith("~") or folder != _STANDARD_FOLDER
        ):
            continue
        if file != last and before:
            # The end of a file ends a line, whatever the backslash says.
            found += _rule(last, before)
            before = ""
        last = file
        if line.endswith("\\") and not _is_comment(line):
            before += line[:-1] + " "
            continue
        found += _rule(file, before + line)
        before = ""
    return found + (_rule(last, before) if before else [])


def _rule(file: str, line: str) -> list[tuple[str, str]]:
    whole = line.strip()
    if not whole or _is_comment(whole):
        return []
    return [(file, re.sub(r'("[^"]*")|\s+#(?!\d).*$', lambda found: found[1] or "", whole))]


def _is_comment(line: str) -> bool:
    # A hash begins a comment, but #include is a word and #1000 a user id.
    bare = line.strip()
    return bare.startswith("#") and not (_INCLUDE.match(bare) or re.match(r"#\d", bare))


ACCOUNTS = Probe("accounts", (Accounts,), _ACCOUNTS, parse_accounts, how="/etc/passwd", limit=1_048_576)
PASSWORDS = Probe(
    "passwords",
    (Passwords,),
    _PASSWORDS,
    parse_passwords,
    how="/etc/shadow, hashes left out",
    privileges=("/usr/bin/cat /etc/shadow",),
    limit=524_288,
)
SUDOERS = Probe(
    "sudoers",
    (Sudoers,),
    _SUDOERS,
    parse_sudoers,
    how="/etc/sudoers and /etc/sudoers.d",
    privileges=("/usr/bin/grep -RH ^ /etc/sudoers /etc/sudoers.d",),
)
