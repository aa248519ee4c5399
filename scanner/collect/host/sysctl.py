"""Settings of the running kernel."""

from __future__ import annotations

from checks.facts.host.kernel import Sysctls
from checks.host.kernel import SETTINGS
from scanner.collect.collector import Collected
from scanner.collect.host.probe import ParseError, Probe, rows

_NAMES = tuple(sorted({setting.name for setting in SETTINGS}))
_SCRIPT = r"""
for name in @NAMES@; do
  file=/proc/sys/$(printf '%s' "$name" | tr . /)
  if ! [ -e "$file" ]; then
    if [ -d /proc/sys/kernel ]; then printf 'absent\t%s\n' "$name"; else printf 'unread\t%s\n' "$name"; fi
  elif value=$(cat "$file" 2>/dev/null) || value=$(as_root cat "$file" 2>/dev/null); then
    printf 'value\t%s\t%s\n' "$name" "$(printf '%s' "$value" | tr '\t\n' '  ')"
  else printf 'unread\t%s\n' "$name"; fi
done
exit 0
"""


def parse(text: str) -> Collected:
    """The `Sysctls` in an answer; a setting that may not be read is named in the fact.

    A gap would hide it from the checks that never ask about it, too.
    """
    values: dict[str, str] = {}
    absent: list[str] = []
    unread: list[str] = []
    for row in rows(text):
        match row:
            case ["value", name, value] if value:
                values[name] = value
            case ["absent", name]:
                absent.append(name)
            case ["unread", name]:
                unread.append(name)
            case _:
                raise ParseError(f"unexpected line {row[0][:40]!r}")
    if missing := sorted(set(_NAMES) - values.keys() - set(absent) - set(unread)):
        raise ParseError(f"no answer about {missing[0]}")
    return Collected((Sysctls(values, tuple(absent), tuple(unread)),))


PROBE = Probe(
    "sysctl",
    (Sysctls,),
    _SCRIPT.replace("@NAMES@", " ".join(_NAMES)),
    parse,
    how="/proc/sys",
    privileges=tuple(
        f"/usr/bin/cat /proc/sys/{name.replace('.', '/')}"
        for name in _NAMES
        if name.startswith("fs.protected_")
    ),
)
