"""Home folders, and the files in them where programs keep passwords."""

from __future__ import annotations

import re
import shlex

from checks.facts.host.files import FileMode
from checks.facts.host.homes import Homes
from checks.facts.host.secrets import CredentialFiles
from checks.facts.snapshot import Gap
from scanner.collect.collector import Collected
from scanner.collect.host.probe import ParseError, Probe, as_sudoers, number

LIST = r"""
IFS='
'
set -f
# Homes of accounts with a shell. Sudo allows one fixed search, of /root and /home; root searches them all.
homes=$(awk -F: '!/^[ \t]*(#|$|[+-])/ && $6 ~ /^\/./ && !seen[$6]++ &&
  $7 !~ /\/(nologin|false|true|sync|shutdown|halt)$/ { print $6 }' /etc/passwd | head -n 2000)
there= starts=
for home in $homes; do
  if [ -d "$home" ]; then
    there="$there$home
"
    case $ROOT:$home in
      sudo:/home/*/*) ;;
      sudo:/root|sudo:/home/*) [ -h "$home" ] || { printf 'near:%s\n' "$home"; continue; } ;;
    esac
    if [ -r "$home" ] && [ -x "$home" ]; then
      starts="$starts$home/.
"
    else printf 'unsearched:%s\n' "$home"; fi
  elif [ -x "${home%/*}/" ]; then printf 'missing:%s\n' "$home"
  else printf 'unseen:%s\n' "$home"; fi
done
"""
"""What fragments about homes begin with: it tells the homes that cannot be looked at, and leaves the others
in `$there`, and those to search, one start of find a line, in `$starts`."""

NEAR = ("/root/.", "/home/.")
SEEN = ("(", "-path", NEAR[0], "-o", "-path", NEAR[1], ")", "-print", "-o")
"""What the fixed search begins with: that it tells its own starts is the proof that sudo let it run."""
_NAMES = (
    ".netrc",
    ".pgpass",
    ".my.cnf",
    ".git-credentials",
    ".npmrc",
    ".pypirc",
    ".s3cfg",
    ".boto",
    ".vault-token",
    ".aws/credentials",
    ".docker/config.json",
    ".kube/config",
    ".m2/settings.xml",
    ".composer/auth.json",
    ".gem/credentials",
    ".cargo/credentials.toml",
    ".azure/accessTokens.json",
    ".terraform.d/credentials.tfrc.json",
    ".config/gcloud/application_default_credentials.json",
    ".config/gcloud/credentials.db",
    ".config/gh/hosts.yml",
    ".config/rclone/rclone.conf",
)
_INSIDE = (
    'pass|secret|token|private_key|client-key-data|"auth"|_auth|'
    "^[^:]*:[^:]*:[^:]*:[^:]*:.|://[^/ ]*:[^/ ]*@|^[a-z]*[.][A-Za-z0-9._-]{20,}$|^SQLite"
)
_STAT = "%a:%U:%G:%F:%n"
_OUTER = ("gcloud", "rclone", "gh")
_LINE = re.compile(r"(home|item):([0-7]{1,4}):([^:]*):([^:]*):([^:]*):(/.*)")
_CREDENTIAL = re.compile(r"/(" + "|".join(re.escape(name) for name in _NAMES) + r")$")
_COUNT = re.compile(r"(/.+):(\d{1,9})")
_MAX = 4000
_BOTH = ("Homes", "CredentialFiles")


def uncovered(near: list[str], covered: list[str]) -> list[str]:
    """The homes of the fixed search that it did not get to; `covered` are the starts that it told."""
    return [home for home in near if ("/root" if home == "/root" else "/home") not in covered]


def _search(
    starts: tuple[str, ...], depth: int, below: tuple[str, ...], first: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """The search for dot files and credentials; `below` matches what lies in a home, at any depth."""
    either: list[str] = []
    for name in _NAMES:
        either += ["-o", "-path", f"*/{name}"]
    credentials = ("(", *either[1:], ")")
    inside: list[str] = []
    deeper: list[str] = []
    for pattern in below:
        inside += ["-o", "-path", pattern]
        deeper += ["!", "-path", f"{pattern}/*"]
    outer = [word for name in _OUTER for word in ("!", "-name", name)]
    return (
        *("find", *starts, "-xdev", "-maxdepth", str(depth), *first),
        *("-type", "d", "(", *inside[1:], ")"),
        *("(", "-name", ".cache", "-o", "!", "-name", ".*", *outer, ")", "-prune", "-o"),
        *("(", "-type", "f", "-o", "-type", "d", ")"),
        *("(", "-name", ".?*", *deeper, "-o", "-type", "f", *credentials, ")"),
        *("-exec", "stat", "-c", f"item:{_STAT}", "{}", "+"),
        *("-type", "f", *credentials, "-exec", "grep", "-HicE", _INSIDE, "{}", "+"),
    )


_FIXED = _search(NEAR, 4, ("/root/./*", "/home/./*/*"), SEEN)
_FREE = _search(("@STARTS@",), 3, ("*/./*",))
_SCRIPT = (
    LIST
    + r"""
{
  [ -z "$there" ] || stat -L -c home:@STAT@ $there
  printf 'search\n'
  [ "$ROOT" != sudo ] || as_root @FIXED@ 2>/dev/null
  [ -z "$starts" ] || @FREE@ 2>/dev/null
  printf 'searched\n'
} | awk '
  $0 == "searched" && lines > @MAX@ { print "more"; next }
  $0 == "search" || $0 == "searched" { searching = 1; print; next }
  !searching { print; if (match($0, /^home:[0-7]+:[^:]*:[^:]*:[^:]*:/)) {
    path = substr($0, RLENGTH + 1); split($0, part, ":"); owner[path] = part[3] }
    next }
  /^\/(root|home)\/\.$/ { sub(/\/\.$/, ""); print "covered:" $0; next }
  { sub(/\/\.\//, "/") }
  /^item:/ { if (match($0, /^item:[0-7]+:[^:]*:[^:]*:[^:]*:/) == 0) next
    path = substr($0, RLENGTH + 1); split($0, part, ":"); home = path; sub(/\/[^\/]*$/, "", home)
    open = part[2] ~ /[2367]$/ || part[2] ~ /[2367].$/
    odd = home in owner && owner[home] != part[3] && part[3] != "root"
    if (!(open || odd || path ~ /\/\.forward$/ || path ~ /@CREDENTIAL@/)) next }
  /^(item:|unsearched:|\/)/ && ++lines <= @MAX@' | head -n @LINES@
exit 0
"""
)


def _quoted(words: tuple[str, ...]) -> str:
    return " ".join("$starts" if word == "@STARTS@" else shlex.quote(word) for word in words)


def parse(text: str) -> Collected:
    """The `Homes` and `CredentialFiles` in an answer."""
    homes: dict[str, FileMode] = {}
    items: dict[str, FileMode] = {}
    named: dict[str, list[str]] = {
        word: [] for word in ("missing", "unseen", "unsearched", "near", "covered")
    }
    counts: dict[str, int] = {}
    ended = more = False
    for line in text.splitlines():
        word, _, path = line.partition(":")
        if found := _LINE.fullmatch(line):
            kind, mode, owner, group, what, path = found.groups()
            (homes if kind == "home" else items)[path] = FileMode(path, mode.zfill(4), owner, group, what)
        elif word in named and path.startswith("/"):
            named[word].append(path)
        elif counted := _COUNT.fullmatch(line):
            counts[counted[1]] = number(counted[2], "a count")
        elif line in ("searched", "more"):
            ended, more = True, line == "more"
        elif line.strip() and line != "search":
            raise ParseError(f"unexpected line {line[:60]!r}")
    if not ended:
        raise ParseError("the search of the homes has no end")
    known = [file for path, file in items.items() if _CREDENTIAL.search(path)]
    passed = uncovered(named["near"], named["covered"]) + named["unsearched"]
    unsearched = tuple(dict.fromkeys(passed + named["unseen"]))
    dots = tuple(file for path, file in items.items() if path.rpartition("/")[0] in homes)
    return Collected(
        (
            Homes(
                tuple(homes.values()),
                tuple(named["missing"]),
                tuple(named["unseen"]),
                tuple(file for file in dots if file.path.rpartition("/")[2].startswith(".")),
                tuple(dict.fromkeys(passed)),
            ),
            CredentialFiles(
                tuple(file for file in known if counts.get(file.path)),
                tuple(file for file in known if file.path not in counts),
                unsearched,
            ),
        ),
        tuple(Gap(name, f"only the first {_MAX:,} files were read") for name in _BOTH if more),
    )


PROBE = Probe(
    "homes",
    (Homes, CredentialFiles),
    _SCRIPT.replace("@STAT@", _STAT)
    .replace("@FIXED@", _quoted(_FIXED))
    .replace("@FREE@", _quoted(_FREE))
    .replace("@CREDENTIAL@", _CREDENTIAL.pattern.replace("/", r"\/").replace(r"\-", "-"))
    .replace("@MAX@", str(_MAX))
    .replace("@LINES@", str(_MAX + 5000)),
    parse,
    how="stat and find in the home folders",
    privileges=(f"/usr/bin/{as_sudoers(*_FIXED)}",),
    seconds=15,
    limit=1_048_576,
)
