"""Joins the fragments of probes into the one script that a host runs."""

from __future__ import annotations

from collections.abc import Iterable

from scanner.collect.host.probe import Probe

FORMAT = 1
"""Version of the form of the script's output."""

TOOLS = r"""
LC_ALL=C; export LC_ALL
PATH="/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin${PATH:+:$PATH}"; export PATH
has() { command -v "$1" >/dev/null 2>&1; }
as_root() {
  if [ "$ROOT" = root ]; then "$@"; return; fi
  [ "$ROOT" = sudo ] || return 126
  exec 5>&1
  said=$( { sudo -n -- "$@" >&5 5>&-; } 2>&1 ); ended=$?
  exec 5>&-
  case $said in
    "sudo: "*|*"
sudo: "*|*"is not allowed to "*|*"may not run sudo"*) return 126 ;;
  esac
  [ -z "$said" ] || printf '%s\n' "$said" >&2
  return $ended
}
container() {
  if [ -n "${container:-}" ]; then echo "$container"
  elif [ -e /.dockerenv ]; then echo docker
  elif [ -e /run/.containerenv ]; then echo podman
  elif has systemd-detect-virt; then systemd-detect-virt -c 2>/dev/null | sed 's/^none$//'
  elif grep -qE '/(docker|lxc|kubepods)' /proc/1/cgroup 2>/dev/null; then echo container
  fi
}
processes() {
  for folder in /proc/[0-9]*; do
    [ -r "$folder/comm" ] && read -r command 2>/dev/null <"$folder/comm" && echo "${folder#/proc/} $command"
  done
}
"""
"""What fragments may use: `has NAME`, `as_root COMMAND...` (126: root is needed), `container`,
`processes`, and `$LIMIT`, the words before the seconds of a command with a time limit, or nothing."""

_HEAD = r"""# Bartizan reads the settings of this host with the commands below. It changes nothing.
main() {
MARK='@NONCE@'
if [ "$(id -u)" = 0 ]; then ROOT=root
elif command -v sudo >/dev/null 2>&1 && sudo -n -l >/dev/null 2>&1; then ROOT=sudo
else ROOT=none; fi
export ROOT
LIMIT=
if timeout -k 2 2 true >/dev/null 2>&1; then LIMIT='timeout -k 2'
elif timeout 2 true >/dev/null 2>&1; then LIMIT=timeout
fi
export LIMIT
TOOLS=$(cat <<'END_OF_TOOLS'
@TOOLS@
END_OF_TOOLS
)
# run TOPIC SECONDS BYTES FRAGMENT: one byte more than the limit shows that there was more. What this costs
# in processes is paid for every topic of every host: the shell that runs the fragment, its clock and the cut.
run() {
  printf '%s begin %s\n' "$MARK" "$1"
  { ended=$(
    { { ${LIMIT:+$LIMIT "$2"} @SHELL@ -c "$TOOLS
$4" </dev/null 3>&- 4>&-; echo $? >&3; } | head -c "$(($3 + 1))" >&4 3>&-; } 3>&1
  ); } 4>&1
  printf '\n%s end %s %s\n' "$MARK" "$1" "$ended"
}
printf '%s bartizan @FORMAT@ %s %s\n' "$MARK" "$(id -u)" "$ROOT"
"""

_SECTION = """
run @TOPIC@ @SECONDS@ @BYTES@ @FRAGMENT@
"""

_TAIL = r"""
printf '%s done\n' "$MARK"
}
main </dev/null
"""


def compose(probes: Iterable[Probe], nonce: str, shell: str = "sh") -> str:
    """The script that asks these probes, with `nonce` (32 hex digits) in every mark of its output.

    All of it stands in one function, so a host that got half of it runs nothing. `shell` is the
    POSIX shell that runs the fragments.
    """
    parts = [
        _HEAD.replace("@NONCE@", mark(nonce))
        .replace("@TOOLS@", TOOLS.strip())
        .replace("@SHELL@", shell)
        .replace("@FORMAT@", str(FORMAT))
    ]
    for probe in probes:
        parts.append(
            _SECTION.replace("@TOPIC@", probe.topic)
            .replace("@SECONDS@", str(probe.seconds))
            .replace("@BYTES@", str(probe.limit))
            .replace("@FRAGMENT@", _quoted(probe.script.strip()))
        )
    return "".join(parts) + _TAIL


def _quoted(fragment: str) -> str:
    """The fragment as one word of the script: quoted, because a here-document costs two processes more."""
    return "'" + fragment.replace("'", "'\\''") + "'"


def mark(nonce: str) -> str:
    """How the lines that frame the answers begin."""
    return f"#{nonce}"
