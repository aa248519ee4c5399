"""Network interfaces and name servers."""

from __future__ import annotations

from checks.facts.host.interfaces import Interface, Interfaces, Resolvers
from checks.facts.snapshot import Absence, Gap
from scanner.collect.collector import Collected
from scanner.collect.host.probe import ParseError, Probe, rows

_SCRIPT = r"""
if [ -d /sys/class/net ]; then
  printf 'interfaces\n'
  for path in /sys/class/net/*; do
    [ -r "$path/flags" ] || continue
    read -r flags 2>/dev/null <"$path/flags" || continue
    read -r type 2>/dev/null <"$path/type" || continue
    kind=other
    if [ "$type" = 772 ]; then kind=loopback
    elif [ -e "$path/wireless" ] || [ -e "$path/phy80211" ]; then kind=wireless
    elif [ -d "$path/bridge" ]; then kind=bridge
    elif [ -e "$path/tun_flags" ] || [ "$type" != 1 ]; then kind=tunnel
    elif [ "$type" = 1 ]; then kind=ethernet
    fi
    port=
    if [ -e "$path/brport" ] || [ -e "/sys/class/net/ovs-system/lower_${path##*/}" ]; then port=bridge
    elif [ -e "$path/bonding_slave" ]; then
      for above in "$path"/upper_*; do [ -e "$above" ] && port=${above##*/upper_}; done
    fi
    printf 'interface\t%s\t%s\t%s\t%s\n' "${path##*/}" "$flags" "$kind" "$port"
  done
fi
set --
for file in /etc/resolv.conf /run/systemd/resolve/resolv.conf; do
  if [ -r "$file" ]; then printf 'names\t%s\n' "$file"; set -- "$@" "$file"
  elif [ -e "$file" ]; then printf 'unread\t%s\n' "$file"; fi
done
[ $# = 0 ] || awk '$1 == "nameserver" { print "server\t" FILENAME "\t" $2 }' "$@" | head -n 40
exit 0
"""
_MAIN = "/etc/resolv.conf"
_RESOLVED = "/run/systemd/resolve/resolv.conf"
_STUBS = ("127.0.0.53", "127.0.0.54")
_UP, _PROMISCUOUS = 0x1, 0x100


def parse(text: str) -> Collected:
    """The `Interfaces` and `Resolvers` in an answer."""
    told: list[tuple[str, int, str, str]] = []
    files: dict[str, list[str]] = {}
    unread: list[str] = []
    shown = False
    for row in rows(text):
        match row:
            case ["interfaces"]:
                shown = True
            case ["interface", name, flags, kind, port]:
                told.append((name, _bits(flags), kind, port))
            case ["names", file]:
                files.setdefault(file, [])
            case ["server", file, address] if file in files:
                files[file].append(address)
            case ["unread", file]:
                unread.append(file)
            case _:
                raise ParseError(f"unexpected line {row[0][:40]!r}")
    if not text.strip():
        raise ParseError("neither interfaces nor name servers were told")
    seen = _resolvers(files, unread)
    if not told:
        reason = "no interface was told" if shown else "/sys/class/net is not there"
        return Collected(seen.facts, (*seen.gaps, Gap("Interfaces", reason)), seen.absences)
    return Collected((_interfaces(told), *seen.facts), seen.gaps, seen.absences)


def _interfaces(told: list[tuple[str, int, str, str]]) -> Interfaces:
    listening = {name for name, bits, _, _ in told if bits & _PROMISCUOUS}
    return Interfaces(
        tuple(
            # A bond that listens makes its parts listen.
            Interface(name, kind, bool(bits & _UP), name in listening, port == "bridge" or port in listening)
            for name, bits, kind, port in told
        )
    )


def _resolvers(files: dict[str, list[str]], unread: list[str]) -> Collected:
    main = files.get(_MAIN)
    if main is None:
        if _MAIN in unread:
            return Collected(gaps=(Gap("Resolvers", f"{_MAIN} may not be read", needs=f"sudo: cat {_MAIN}"),))
        return Collected(absences=(Absence("Resolvers", f"there is no {_MAIN}"),))
    if main and all(address in _STUBS for address in main) and files.get(_RESOLVED):
        return Collected((Resolvers(tuple(dict.fromkeys(files[_RESOLVED])), _RESOLVED),))
    return Collected((Resolvers(tuple(dict.fromkeys(main)), _MAIN),))


def _bits(flags: str) -> int:
    try:
        return int(flags, 16)
    except ValueError:
        raise ParseError(f"no flags of an interface: {flags[:40]!r}") from None


PROBE = Probe(
    "interfaces",
    (Interfaces, Resolvers),
    _SCRIPT,
    parse,
    how="/sys/class/net and /etc/resolv.conf",
)
