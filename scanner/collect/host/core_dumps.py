"""What becomes of core dumps."""

from __future__ import annotations

from checks.facts.host.kernel import CoreDumps
from checks.facts.snapshot import Gap
from scanner.collect.collector import Collected
from scanner.collect.host.probe import ParseError, Probe, rows

_SCRIPT = r"""
# `read` takes the files of /proc/sys byte by byte, and gets no more than the first.
value=$(cat /proc/sys/kernel/core_pattern 2>/dev/null)
case $value in
  '|'*) value=${value#|}; value=${value%% *}; printf 'handler\t%s\n' "${value##*/}" ;;
  ?*) printf 'handler\t\n' ;;
esac
set --
for file in /etc/security/limits.conf /usr/lib/security/limits.conf /etc/security/limits.d/*.conf \
  /usr/lib/systemd/coredump.conf /etc/systemd/coredump.conf /usr/lib/systemd/coredump.conf.d/*.conf \
  /run/systemd/coredump.conf.d/*.conf /etc/systemd/coredump.conf.d/*.conf; do
  [ -e "$file" ] || continue
  if [ -r "$file" ]; then set -- "$@" "$file"; else printf 'unread\t%s\n' "$file"; fi
done
[ $# = 0 ] || awk -v OFS='\t' '
  FILENAME ~ /coredump/ {
    if (/^[ \t]*Storage[ \t]*=/) { sub(/^[^=]*=/, ""); gsub(/[ \t]/, ""); print "storage", FILENAME, $0 }
    next }
  $1 == "*" && ($2 == "hard" || $2 == "-") && $3 == "core" && NF >= 4 { print "limit", FILENAME, $4 }' "$@"
printf 'ended\n'
exit 0
"""


def parse(text: str) -> Collected:
    """The `CoreDumps` in an answer."""
    handler: str | None = None
    limits: list[tuple[str, str]] = []
    storage: list[tuple[str, str]] = []
    unread: list[str] = []
    ended = False
    for row in rows(text):
        match row:
            case ["handler", name]:
                handler = name
            case ["limit", file, value]:
                limits.append((file, value))
            case ["storage", file, value]:
                storage.append((file, value))
            case ["unread", file]:
                unread.append(file)
            case ["ended"]:
                ended = True
            case _:
                raise ParseError(f"unexpected line {row[0][:40]!r}")
    if not ended:
        raise ParseError("the answer has no end")
    if handler is None:
        return Collected(gaps=(Gap("CoreDumps", "/proc/sys/kernel/core_pattern may not be read"),))
    if unread:
        gap = Gap("CoreDumps", f"{unread[0]} may not be read", needs=f"sudo: cat {unread[0]}")
        return Collected(gaps=(gap,))
    # Each later file overrules the earlier ones; drop-in files come last, in the order of their names.
    kept = sorted(
        storage, key=lambda one: (".d/" in one[0], one[0].rpartition("/")[2] if ".d/" in one[0] else "")
    )
    last = kept[-1][1].lower() if kept else ""
    return Collected((CoreDumps(limits[-1][1] if limits else "", last, handler),))


PROBE = Probe(
    "core-dumps",
    (CoreDumps,),
    _SCRIPT,
    parse,
    how="limits.conf, coredump.conf and kernel.core_pattern",
    limit=16_384,
)
