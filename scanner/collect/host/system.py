"""Which system the host runs."""

from __future__ import annotations

import shlex

from checks.facts.host.system import OperatingSystem
from scanner.collect.collector import Collected
from scanner.collect.host.probe import ParseError, Probe, rows

_SCRIPT = r"""
printf 'uname\t%s\t%s\t%s\n' "$(uname -r)" "$(uname -m)" "$(uname -n)"
for file in /etc/os-release /usr/lib/os-release; do
  [ -r "$file" ] || continue
  grep -E '^(ID|VERSION_ID|PRETTY_NAME|ID_LIKE)=' "$file" | sed 's/^/release\t/'
  break
done
exit 0
"""


def parse(text: str) -> Collected:
    """The `OperatingSystem` in an answer."""
    values: dict[str, str] = {}
    uname: list[str] = []
    for row in rows(text):
        match row:
            case ["uname", kernel, architecture, hostname]:
                uname = [kernel, architecture, hostname]
            case ["release", line]:
                name, _, value = line.partition("=")
                values[name] = _unquoted(value)
            case _:
                raise ParseError(f"unexpected line {row[0][:40]!r}")
    if not uname or not uname[0]:
        raise ParseError("uname gave no answer")
    if "ID" not in values:
        raise ParseError("there is no os-release file with an ID")
    fact = OperatingSystem(
        id=values["ID"],
        version=values.get("VERSION_ID", ""),
        name=values.get("PRETTY_NAME", values["ID"]),
        like=tuple(values.get("ID_LIKE", "").split()),
        kernel=uname[0],
        architecture=uname[1],
        hostname=uname[2],
    )
    return Collected((fact,))


def _unquoted(value: str) -> str:
    try:
        return " ".join(shlex.split(value))
    except ValueError:
        raise ParseError(f"os-release has an open quote: {value[:40]!r}") from None


PROBE = Probe("system", (OperatingSystem,), _SCRIPT, parse, how="os-release and uname", limit=8_192)
