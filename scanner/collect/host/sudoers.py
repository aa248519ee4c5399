"""The rules of sudo: who may run what as whom, with aliases resolved."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from checks.facts.host.sudoers import SudoCommand, SudoDefault, Sudoers, SudoRule
from checks.facts.snapshot import Absence, Gap
from scanner.collect.collector import Collected
from scanner.collect.host.probe import ParseError, Probe

_SCRIPT = r"""
if ! [ -e /etc/sudoers ] && ! has sudo; then printf 'none\n'; exit 0; fi
folder=
[ -d /etc/sudoers.d ] && folder=/etc/sudoers.d
lines=$(as_root grep -RH ^ /etc/sudoers $folder) || exit $?
# The version decides only what holds where no line says so.
case $lines in
  *use_pty*) ;;
  *) has sudo && sudo -V 2>/dev/null | sed -n '1s/^[^0-9]*\([0-9][0-9.]*\).*/version\t\1/p' ;;
esac
sed -n 's/^[ \t]*sudoers:[ \t]*/sources\t/p' /etc/nsswitch.conf 2>/dev/null | sed 's/#.*//'
# Comments stay on the host; #include and #1000 (a user id) are none. An empty line ends a continued one.
printf '%s\n' "$lines" | sed 's/^\([^:]*:[[:space:]]*\)#[^i0-9].*/\1#/'
exit 0
"""
_INCLUDE = re.compile(r"[@#]include(dir)?\s+(\S+)")
_STANDARD_FOLDER = "/etc/sudoers.d"
_TOLD = re.compile(r"(version|sources)\t(.*)")
_NAME = r'!*\s*(?:"[^"]*"|(?:\\.|[^\s,"\\])+)'
_NAMES = re.compile(rf"{_NAME}(?:\s*,\s*{_NAME})*")
"""One name or several with commas, as users, hosts and commands are listed."""
_SETTING = re.compile(r'(?:"[^"]*"|\\.|[^,"])+')
_ALIAS = re.compile(r"(User|Runas|Host|Cmnd|Cmd)_Alias\b\s*(.*)")
_ALIAS_PART = re.compile(r"(?:^|\s*:\s*)([A-Z][A-Z0-9_]*)\s*=")
_ALIAS_NAME = re.compile(r"!*\s*[A-Z][A-Z0-9_]*")
_ITEM = re.compile(r'(?:\([^()]*\)|"[^"]*"|\\.|[^,(]|\()+')
"""What stands between two commas; a list of users in brackets has commas of its own."""
_OTHER_HOST = re.compile(r"\s:\s[^:=]+=")
_RUNAS = re.compile(r"\(([^)]*)\)\s*")
_TAG = re.compile(
    r"((?:NO)?(?:PASSWD|EXEC|FOLLOW|LOG_INPUT|LOG_OUTPUT|MAIL|SETENV|INTERCEPT))\s*:\s*"
    r"|(?:ROLE|TYPE|APPARMOR_PROFILE|PRIVS|LIMITPRIVS|CWD|CHROOT|TIMEOUT|NOTBEFORE|NOTAFTER)=\S+\s+"
)
_DIGEST = re.compile(r"sha\d{3}:\S+\s+")
_MOST_MEMBERS = 1000
_DEEPEST = 9


def parse(text: str) -> Collected:
    """The `Sudoers` in an answer; included files outside the standard folder are gaps."""
    if text.strip() == "none":
        return Collected(absences=(Absence("Sudoers", "there is neither /etc/sudoers nor a sudo program"),))
    told = {found[1]: found[2] for found in map(_TOLD.fullmatch, text.splitlines()) if found}
    lines = _in_order(_logical(text))
    aliases = _aliases(line for _, line in lines)
    rules: list[SudoRule] = []
    defaults: list[SudoDefault] = []
    gaps = _elsewhere(told.get("sources", ""))
    for file, line in lines:
        if include := _INCLUDE.match(line):
            if not _includes_folder(line):
                gaps.append(Gap("Sudoers", "rules are included from there, unread", where=include[2]))
        elif _ALIAS.match(line):
            continue
        elif line.startswith("Defaults"):
            more = _defaults(file, line)
            defaults += more
            # What is not understood may be the setting that matters.
            odd = [one for one in more if " " in one.setting.partition("=")[0]]
            gaps += [Gap("Sudoers", f"a setting of another form: {one.setting[:60]}", file) for one in odd]
        elif rule := _rule(file, line, aliases):
            rules.append(rule)
        else:
            gaps.append(Gap("Sudoers", f"a line of another form: {line[:60]}", where=file))
    if not (rules or defaults):
        raise ParseError("sudoers holds no rule and no setting")
    return Collected((Sudoers(tuple(rules), tuple(defaults), told.get("version", "")),), tuple(gaps))


def _elsewhere(sources: str) -> list[Gap]:
    """A gap for each source of rules besides the files, as nsswitch.conf names them."""
    reason = "/etc/nsswitch.conf takes rules in from {}; only those of the files were read"
    names = re.sub(r"\[[^\]]*\]", " ", sources).split()
    needs = "the rules that the directory itself gives"
    return [Gap("Sudoers", reason.format(one), where=one, needs=needs) for one in names if one != "files"]


def _rule(file: str, line: str, aliases: Mapping[str, tuple[str, ...]]) -> SudoRule | None:
    who, equals, grants = line.partition("=")
    named = _NAMES.match(who.strip())
    if not equals or not named:
        return None
    grants = " ".join(grants.split())
    name = re.sub(r"\s*,\s*", ",", named[0])
    return SudoRule(
        file,
        name,
        grants,
        bool(re.search(r"\bNOPASSWD\s*:", grants)),
        users=tuple(_resolved(_split(name), aliases)),
        commands=tuple(_commands(grants, aliases)),
    )


def _commands(grants: str, aliases: Mapping[str, tuple[str, ...]]) -> Iterator[SudoCommand]:
    """The commands of a rule; who they run as and their tags hold until the rule says otherwise."""
    for part in _OTHER_HOST.split(grants):
        runas, tags = "", dict[str, str]()
        for item in _split(part):
            rest = item
            if brackets := _RUNAS.match(rest):
                users, colon, groups = brackets[1].partition(":")
                runas = ",".join(_resolved(_split(users), aliases)) + colon + groups.strip()
                rest = rest[brackets.end() :]
            while tag := _TAG.match(rest):
                if tag[1]:
                    tags[tag[1].removeprefix("NO")] = tag[1]
                rest = rest[tag.end() :]
            for command in _resolved([_DIGEST.sub("", rest)], aliases):
                yield SudoCommand(command, runas, tuple(sorted(tags.values())))


def _split(text: str) -> list[str]:
    return [one.strip() for one in _ITEM.findall(text) if one.strip()]


def _aliases(lines: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The members of each alias. Names of different kinds of alias seldom meet; the later one stands."""
    found: dict[str, tuple[str, ...]] = {}
    for line in lines:
        if alias := _ALIAS.match(line):
            # ["", name, members, name, members, ...]
            parts = _ALIAS_PART.split(alias[2])
            for name, members in zip(parts[1::2], parts[2::2], strict=True):
                found[name] = tuple(" ".join(one.split()) for one in _split(members))
    return found


def _resolved(names: Iterable[str], aliases: Mapping[str, tuple[str, ...]]) -> list[str]:
    """These names with every alias replaced by its members; a `!` in front goes to each of them."""
    found: list[str] = []

    def take(name: str, negated: bool, depth: int) -> None:
        bare = name.lstrip("! ")
        negated ^= name[: len(name) - len(bare)].count("!") % 2 == 1
        members = aliases.get(bare) if _ALIAS_NAME.fullmatch(name) and depth < _DEEPEST else None
        for member in members or ():
            take(member, negated, depth + 1)
        if members is None and len(found) < _MOST_MEMBERS:
            found.append(f"!{bare}" if negated else bare)

    for one in names:
        take(one, False, 0)
    return found


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


def _in_order(lines: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The lines as sudo reads them, for the last setting wins: the folder by name, where it is included.

    A folder that is not included is not in force.
    """
    main = [pair for pair in lines if not pair[0].startswith(f"{_STANDARD_FOLDER}/")]
    folder = [pair for pair in lines if pair[0].startswith(f"{_STANDARD_FOLDER}/")]
    folder.sort(key=lambda pair: pair[0])
    at = next((i for i, (_, line) in enumerate(main) if _includes_folder(line)), None)
    return main if at is None else [*main[:at], *folder, *main[at:]]


def _includes_folder(line: str) -> bool:
    include = _INCLUDE.match(line)
    return include is not None and include[2].strip('"').rstrip("/") == _STANDARD_FOLDER


def _logical(text: str) -> list[tuple[str, str]]:
    """(file, line) with continued lines joined; files that sudo passes over are left out."""
    found: list[tuple[str, str]] = []
    before, last = "", ""
    for raw in text.splitlines():
        if _TOLD.fullmatch(raw):
            continue
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
            found += _whole(last, before)
            before = ""
        last = file
        if line.endswith("\\") and not _is_comment(line):
            before += line[:-1] + " "
            continue
        found += _whole(file, before + line)
        before = ""
    return found + (_whole(last, before) if before else [])


def _whole(file: str, line: str) -> list[tuple[str, str]]:
    bare = line.strip()
    if not bare or _is_comment(bare):
        return []
    return [(file, re.sub(r'("[^"]*")|\s+#(?!\d).*$', lambda found: found[1] or "", bare))]


def _is_comment(line: str) -> bool:
    # A hash begins a comment, but #include is a word and #1000 a user id.
    bare = line.strip()
    return bare.startswith("#") and not (_INCLUDE.match(bare) or re.match(r"#\d", bare))


PROBE = Probe(
    "sudoers",
    (Sudoers,),
    _SCRIPT,
    parse,
    how="/etc/sudoers and /etc/sudoers.d",
    privileges=("/usr/bin/grep -RH ^ /etc/sudoers /etc/sudoers.d",),
)
