"""The kernel that runs, the kernels that are installed, and the host's own wish for a reboot."""

from __future__ import annotations

import re

from checks.facts.host.updates import RebootState
from scanner.collect.collector import Collected
from scanner.collect.host.probe import ParseError, Probe, rows

_SCRIPT = r"""
release=$(uname -r)
printf 'running\t%s\t%s\n' "$release" "$(uname -v | tr '\t' ' ')"
printf 'container\t%s\n' "$(container)"
found=
for file in /boot/vmlinuz-[0-9]*; do
  [ -e "$file" ] && found=yes && printf 'kernel\t%s\n' "${file#/boot/vmlinuz-}"
done
if [ -z "$found" ]; then
  for folder in /lib/modules/[0-9]*; do
    [ -d "$folder/kernel" ] && printf 'kernel\t%s\n' "${folder#/lib/modules/}"
  done
fi
has dpkg-query && printf 'build\t%s\n' "$(dpkg-query -W -f '${Version}' "linux-image-$release" 2>/dev/null)"
for file in /run/reboot-required /var/run/reboot-required; do
  [ -e "$file" ] || continue
  printf 'requested\n'
  [ -r "$file.pkgs" ] && sort -u "$file.pkgs" | head -n 50 | sed 's/^/by\t/'
  break
done
exit 0
"""
_BUILD = re.compile(r"\bDebian (\S+)")


def parse(text: str) -> Collected:
    """The `RebootState` in an answer."""
    running: list[str] = []
    container: str | None = None
    installed: list[str] = []
    on_disk = ""
    by: list[str] = []
    requested = False
    for row in rows(text):
        match row:
            case ["running", release, version]:
                running = [release, version]
            case ["container", kind]:
                container = kind
            case ["kernel", name]:
                installed.append(name)
            case ["build", version]:
                on_disk = version
            case ["requested"]:
                requested = True
            case ["by", package]:
                by.append(package)
            case _:
                raise ParseError(f"unexpected line {row[0][:40]!r}")
    if not running or container is None:
        raise ParseError("no answer about the running kernel")
    in_memory = _BUILD.search(running[1])
    fact = RebootState(
        running=running[0],
        installed=tuple(installed),
        running_build=in_memory[1] if in_memory else "",
        installed_build=on_disk,
        requested=requested,
        requested_by=tuple(by),
        container=container,
    )
    return Collected((fact,))


PROBE = Probe(
    "reboot", (RebootState,), _SCRIPT, parse, how="uname, /boot, /run/reboot-required", limit=16_384
)
