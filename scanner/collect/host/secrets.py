"""Passwords in command histories and in configuration that everybody reads; none of them leaves the host."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from checks.facts.host.files import FileMode
from checks.facts.host.secrets import ApplicationSecrets, Histories, HistoryLine
from checks.facts.snapshot import Gap
from scanner.collect.collector import Collected
from scanner.collect.host.homes import LIST, NEAR, SEEN, uncovered
from scanner.collect.host.probe import ParseError, Probe, as_sudoers, number

_HISTORIES = (
    ".bash_history",
    ".zsh_history",
    ".zhistory",
    ".sh_history",
    ".ash_history",
    ".ksh_history",
    ".histfile",
    ".history",
    ".mysql_history",
    ".mariadb_history",
    ".psql_history",
    ".rediscli_history",
    ".python_history",
    ".node_repl_history",
)
# A value may begin with a quote; one that begins with $ or < is a variable or a file, and no secret.
_VALUE = "[^a-zA-Z0-9$<({ ]?[a-zA-Z0-9]"


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of secret on a command line.

    `seen` is the ERE that finds it, `known` the awk pattern that knows its matches again. What `seen` matches
    goes no further than the first character of the secret, so that not even sudo shows it to the login.
    """

    name: str
    seen: str
    known: str


_KINDS = (
    _Kind(
        "token", "(gh[pousr]_|glpat-|xox[abprs]-|sk_live_|AKIA)[A-Za-z0-9]{4}", "^(gh._|glpat|xox|sk_l|AKIA)"
    ),
    _Kind("password in an address", "://[^/ :@]+:[^/0-9 @$][^/ ]", "^://"),
    _Kind("passphrase of openssl", f"pass:{_VALUE}", "^pass:"),
    _Kind(
        "header with a token", f"(Authorization|X-Api-Key|PRIVATE-TOKEN): *[A-Za-z]* *{_VALUE}", "^(a|x|p).*:"
    ),
    _Kind("password piped to a program", "[|] *(sudo -S|chpasswd|passwd --stdin)", "^[|]"),
    _Kind("password of sshpass", f"sshpass +-p *{_VALUE}", "^sshpass"),
    _Kind(
        "password of a database program",
        f"(mysql|mariadb)[a-z]*( [^|;]*)? -p{_VALUE}",
        "^(mysql|mariadb)[a-z]* ",
    ),
    _Kind(
        "user and password of curl or wget",
        f"(curl|wget) ([^|;]* )?(-u|--user) *[^ :|;]+:{_VALUE}",
        "^(curl|wget)",
    ),
    _Kind("password of docker login", f"docker +login [^|;]*-p *{_VALUE}", "^docker"),
    _Kind("password of an LDAP program", f"ldap[a-z]+ ([^|;]* )?-w *{_VALUE}", "^ldap"),
    _Kind(
        "password option",
        f"--(db-|http-|user-|admin-|proxy-)?(password|passwd|passphrase|secret|token|api-key)[= ]{_VALUE}",
        "^--",
    ),
    _Kind("password in an SQL command", f"IDENTIFIED +BY +{_VALUE}", "^identified"),
    _Kind(
        "password in a variable",
        f"[A-Za-z_]*(PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|API_?KEY|ACCESS_?KEY|[A-Z]_PWD|[A-Z]_PASS)={_VALUE}",
        "=",
    ),
)
_HISTORY_LIMIT = 200


def _search(starts: tuple[str, ...], depth: int, first: tuple[str, ...] = ()) -> tuple[str, ...]:
    names = [word for name in _HISTORIES for word in ("-o", "-name", name)]
    seen = "|".join(kind.seen for kind in _KINDS)
    return (
        *("find", *starts, "-xdev", "-maxdepth", str(depth), *first, "-type", "f", "(", *names[1:], ")"),
        *("-print", "-exec", "grep", "-Hc", ".", "{}", "+"),
        *("-exec", "grep", "-HnioE", seen, "{}", "+"),
    )


_FIXED = _search(NEAR, 2, SEEN)
_FREE = _search(("@STARTS@",), 1)
_SCRIPT = (
    LIST
    + r"""
{
  [ "$ROOT" != sudo ] || as_root @FIXED@ 2>/dev/null
  [ -z "$starts" ] || @FREE@ 2>/dev/null
  printf 'searched\n'
} | awk '/^(unsearched:.*|searched)$/ { print; next }
  /^\/(root|home)\/\.$/ { sub(/\/\.$/, ""); print "covered:" $0; next }
  { sub(/\/\.\//, "/") }
  # A path, a path with the count of its lines, or a path with a number and a match.
  !/^[^:]*:/ { print "file\t" $0; next }
  /^[^:]*:[0-9]+$/ { sub(/:[0-9]+$/, ""); print "read\t" $0; next }
  match($0, /^[^:]*:[0-9]+:/) { split($0, part, ":"); said = tolower(substr($0, RLENGTH + 1))
    kind = @KINDS@
    place = part[1] "\t" part[2]
    if (kind && !(place in told) && ++lines <= @MAX@) { told[place] = 1; print "line\t" place "\t" kind } }'
exit 0
"""
)
_FOLDERS = ("/opt", "/srv", "/var/www", "/usr/local/etc", "/home")
_APP_NAMES = (
    ".env",
    ".env.*",
    "*.env",
    "wp-config.php",
    "config.php",
    "settings.php",
    "local_settings.py",
    "settings.py",
    "configuration.php",
    "parameters.y*ml",
    "application*.y*ml",
    "application*.properties",
    "appsettings*.json",
    "database.y*ml",
    "secrets.y*ml",
    "docker-compose*.y*ml",
    "compose.y*ml",
    "credentials*",
    "*.conf",
)
_PRUNED = ("node_modules", ".git", "vendor", "site-packages", "dist-packages", ".cache")
_APP_SECRET = (
    "(pass(word|wd|phrase)?|secret(_key)?|(api|access|private|auth)_?key|token|_pwd)"
    "[\"']?[] \t)]*([=:]>?|,)[ \t]*[\"']?[^ \t\"'$<({%#,;]{4}"
    "|://[^/ :@]+:[^/ @${<]+@|BEGIN [A-Z ]*PRIVATE KEY"
)
_APP_SECONDS = 10
_APP_LIMIT = 300


def _applications() -> str:
    names = " -o ".join(f"-name {shlex.quote(name)}" for name in _APP_NAMES)
    pruned = " -o ".join(f"-name {shlex.quote(name)}" for name in _PRUNED)
    # A folder that others may not search hides what is in it, whatever its files' modes say.
    return (
        rf"-xdev -maxdepth 5 -type d \( ! -perm -0001 -o {pruned} \) -prune -o "
        rf"-type f -perm -0004 -size -512k \( {names} \) -exec grep -liE {shlex.quote(_APP_SECRET)} {{}} +"
    )


_APP_SCRIPT = r"""
set --
for folder in @FOLDERS@; do
  [ -d "$folder" ] || continue
  printf 'folder:%s\n' "$folder"
  set -- "$@" "$folder"
done
ended=whole
if [ $# -gt 0 ]; then
  found=$(${LIMIT:+$LIMIT @SECONDS@} find "$@" @TESTS@ 2>&1)
  case $? in 124|137|143) ended=stopped ;; *) case $found in *"find: "*) ended=denied ;; esac ;; esac
  found=$(printf '%s\n' "$found" | grep '^/' | head -n @MAX@)
  [ -z "$found" ] || printf '%s\n' "$found" | tr '\n' '\000' | xargs -0 stat -c 'file:%a:%U:%G:%F:%n'
fi
printf 'ended:%s\n' "$ended"
exit 0
"""
_FILE = re.compile(r"file:([0-7]{1,4}):([^:]*):([^:]*):([^:]*):(/.*)")


def parse_histories(text: str) -> Collected:
    """The `Histories` in an answer."""
    there: list[str] = []
    read: set[str] = set()
    lines: list[HistoryLine] = []
    unsearched: list[str] = []
    near: list[str] = []
    covered: list[str] = []
    ended = False
    for line in text.splitlines():
        match line.split("\t"):
            case ["file", path] if path.startswith("/"):
                there.append(path)
            case ["read", path] if path.startswith("/"):
                read.add(path)
            case ["line", path, at, kind] if path.startswith("/") and kind in _NAMED:
                lines.append(HistoryLine(path, number(at, "a line"), kind))
            case ["searched"]:
                ended = True
            case [word] if word.startswith(("unsearched:/", "unseen:/")):
                unsearched.append(word.partition(":")[2])
            case [word] if word.startswith("near:/"):
                near.append(word.partition(":")[2])
            case [word] if word.startswith("covered:/"):
                covered.append(word.partition(":")[2])
            case [word] if word.startswith("missing:/") or not word:
                continue
            case _:
                raise ParseError(f"unexpected line {line[:40]!r}")
    if not ended:
        raise ParseError("the search of the histories has no end")
    unsearched += uncovered(near, covered)
    unsearched += [path for path in there if path not in read]
    found = tuple(lines[:_HISTORY_LIMIT])
    more = len(lines) > _HISTORY_LIMIT
    return Collected((Histories(tuple(sorted(read)), found, more, tuple(dict.fromkeys(unsearched))),))


def parse_applications(text: str) -> Collected:
    """The `ApplicationSecrets` in an answer; a search that did not get everywhere is a gap besides."""
    folders: list[str] = []
    files: list[FileMode] = []
    ended = ""
    for line in text.splitlines():
        word, _, rest = line.partition(":")
        if found := _FILE.fullmatch(line):
            mode, owner, group, kind, path = found.groups()
            files.append(FileMode(path, mode.zfill(4), owner, group, kind))
        elif word == "folder" and rest.startswith("/"):
            folders.append(rest)
        elif word == "ended" and rest in ("whole", "stopped", "denied"):
            ended = rest
        elif line.strip():
            raise ParseError(f"unexpected line {line[:40]!r}")
    if not ended:
        raise ParseError("the search has no end")
    gaps: tuple[Gap, ...] = ()
    if ended == "stopped":
        gaps = (Gap("ApplicationSecrets", f"the search was stopped after {_APP_SECONDS} s"),)
    elif ended == "denied":
        # Others may enter such a folder by name, yet not list it: what lies there was not seen.
        reason = "the login could not look into every folder that others may enter"
        gaps = (Gap("ApplicationSecrets", reason, needs="a run as root"),)
    more = len(files) > _APP_LIMIT
    return Collected((ApplicationSecrets(tuple(folders), tuple(files[:_APP_LIMIT]), more),), gaps)


_NAMED = frozenset(kind.name for kind in _KINDS)


def _classes() -> str:
    """The awk expression that names what a match is; the first pattern that knows it decides."""
    told = '""'
    for kind in reversed(_KINDS):
        pattern = kind.known.lower().replace("/", r"\/")
        told = f'(said ~ /{pattern}/ ? "{kind.name}" : {told})'
    return told


def _quoted(words: tuple[str, ...]) -> str:
    return " ".join("$starts" if word == "@STARTS@" else shlex.quote(word) for word in words)


HISTORIES = Probe(
    "histories",
    (Histories,),
    _SCRIPT.replace("@FIXED@", _quoted(_FIXED))
    .replace("@FREE@", _quoted(_FREE))
    .replace("@KINDS@", _classes())
    .replace("@MAX@", str(_HISTORY_LIMIT + 1)),
    parse_histories,
    how="find and grep in the command histories, secrets left out",
    privileges=(f"/usr/bin/{as_sudoers(*_FIXED)}",),
    seconds=15,
    limit=524_288,
)
APPLICATIONS = Probe(
    "application-secrets",
    (ApplicationSecrets,),
    _APP_SCRIPT.replace("@FOLDERS@", " ".join(_FOLDERS))
    .replace("@TESTS@", _applications())
    .replace("@SECONDS@", str(_APP_SECONDS))
    .replace("@MAX@", str(_APP_LIMIT + 1)),
    parse_applications,
    how="find and grep for secrets in what everybody may read",
    seconds=_APP_SECONDS + 10,
    limit=262_144,
)
