"""Sockets that wait for others."""

from __future__ import annotations

import re
from ipaddress import ip_address

from checks.facts.host.services import Listener, ListeningServices
from scanner.collect.collector import Collected
from scanner.collect.host.probe import ParseError, Probe, number

_SCRIPT = r"""
if has ss; then
  if answer=$(as_root ss -lntup 2>/dev/null) || answer=$(ss -lntup 2>/dev/null); then
    printf 'form ss\n%s\n' "$answer"
    exit 0
  fi
fi
printf 'form proc\n'
for table in tcp tcp6 udp udp6; do
  [ -r "/proc/net/$table" ] || continue
  awk -v table="$table" 'NR > 1 && $4 == (table ~ /^tcp/ ? "0A" : "07") { print table, $2 }' \
    "/proc/net/$table" || exit 1
done
[ -r /proc/net/tcp ] || exit 1
exit 0
"""
_PROGRAM = re.compile(r'users:\(\("([^"]*)"')


def parse(text: str) -> Collected:
    """The `ListeningServices` in an answer of ss, or of the kernel's own tables."""
    first, _, rest = text.partition("\n")
    readers = {"form ss": _of_ss, "form proc": _of_proc}
    if first not in readers:
        raise ParseError(f"unexpected line {first[:40]!r}")
    found = {found for line in rest.splitlines() if line.strip() for found in readers[first](line)}
    return Collected((ListeningServices(tuple(sorted(found, key=_order))),))


def _order(one: Listener) -> tuple[str, int, str, str]:
    return one.protocol, one.port, one.address, one.program


def _of_ss(line: str) -> list[Listener]:
    words = line.split(None, 6)
    if words[0] == "Netid":
        return []
    if len(words) < 6 or words[0] not in ("tcp", "udp"):
        raise ParseError(f"no line of ss: {line[:60]!r}")
    address, colon, port = words[4].rpartition(":")
    if not colon:
        raise ParseError(f"no address in a line of ss: {words[4][:60]!r}")
    program = _PROGRAM.search(words[6]) if len(words) > 6 else None
    return [Listener(words[0], _address(address), number(port, "a port"), program[1] if program else "")]


def _of_proc(line: str) -> list[Listener]:
    table, _, local = line.partition(" ")
    raw, _, port = local.partition(":")
    try:
        packed = b"".join(bytes.fromhex(raw[i : i + 8])[::-1] for i in range(0, len(raw), 8))
        address = str(ip_address(packed))
        decoded = int(port, 16)
    except ValueError:
        raise ParseError(f"no line of /proc/net: {line[:60]!r}") from None
    if table not in ("tcp", "tcp6", "udp", "udp6"):
        raise ParseError(f"no table of /proc/net: {table[:20]!r}")
    return [Listener(table[:3], _address(address), decoded, "")]


def _address(text: str) -> str:
    bare = text.partition("%")[0].strip("[]")
    return "*" if bare in ("0.0.0.0", "::", "*", "") else bare  # noqa: S104 - read, not bound


PROBE = Probe(
    "listening",
    (ListeningServices,),
    _SCRIPT,
    parse,
    how="ss -lntup, or /proc/net",
    privileges=("/usr/bin/ss -lntup", "/usr/sbin/ss -lntup"),
    limit=262_144,
)
