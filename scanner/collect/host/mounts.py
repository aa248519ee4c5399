"""Mounts, free space and block devices."""

from __future__ import annotations

import re
from collections.abc import Iterable

from checks.facts.host.disks import BlockDevice, BlockDevices
from checks.facts.host.mounts import FreeSpace, Mount, Mounts, Space, TableLine
from checks.facts.snapshot import Gap
from scanner.collect.collector import Collected
from scanner.collect.host.probe import ParseError, Probe, number, rows

_SCRIPT = r"""
# Options with a value stay here: those of network filesystems may hold passwords. So do the many mounts
# of containers and packages.
awk -v OFS='\t' '
  FILENAME == "/etc/fstab" {
    sub(/#.*/, "")
    if (NF >= 4) { gsub(/[^,]*=[^,]*/, "", $4); print "table", $2, $3, $4 }
    next
  }
  $5 ~ /^\/(proc|sys|snap|dev\/.+|run\/.+|var\/snap)\// { next }
  $5 ~ /^\/var\/lib\/(docker|containers?|containerd|kubelet|lxc|lxd|incus)\// { next }
  { for (at = 7; at < NF && $at != "-"; at++); source = $(at + 2)
    if (source !~ /^\/dev\//) source = $(at + 1)
    print "mount", $5, source, $(at + 1), $3, $4, $6 }' \
  /proc/self/mountinfo $([ -r /etc/fstab ] && echo /etc/fstab)
[ -e /etc/fstab ] && ! [ -r /etc/fstab ] && printf 'table-unread\n'
for folder in /tmp /var/tmp /dev/shm /home /var /var/log; do
  [ -e "$folder" ] || printf 'absent\t%s\n' "$folder"
done
{
  df -P / /boot /var /var/log /var/log/audit /home /tmp 2>/dev/null
  df -P -i / /boot /var /var/log /var/log/audit /home /tmp 2>/dev/null
} | awk '/^Filesystem/ { kind = kind ? "inodes" : "space"; next }
  NF == 6 { sub("%", "", $5); print kind "\t" $6 "\t" $5 }' | sort -u
if [ -d /sys/class/block ]; then
  printf 'blocks\n'
  for path in /sys/block/*/slaves/*; do
    [ -e "$path" ] || continue
    whole=${path#/sys/block/}
    printf 'below\t%s\t%s\n' "${whole%%/*}" "${path##*/}"
  done
  grep -H . /sys/class/block/*/dev /sys/class/block/dm-*/dm/name /sys/class/block/dm-*/dm/uuid 2>/dev/null |
    sed -n -e 's|^/sys/class/block/\([^/]*\)/dev:|device\t\1\t|p' \
      -e 's|^/sys/class/block/\([^/]*\)/dm/name:|mapped\t\1\t|p' \
      -e 's|^/sys/class/block/\([^/]*\)/dm/uuid:CRYPT-.*|crypt\t\1|p'
fi
exit 0
"""


def parse(text: str) -> Collected:
    """The `Mounts`, `FreeSpace` and `BlockDevices` in an answer."""
    mounts: dict[str, Mount] = {}
    table: list[TableLine] = []
    rest: list[list[str]] = []
    gaps: list[Gap] = []
    absent: list[str] = []
    for row in rows(text):
        match row:
            case ["mount", point, source, kind, device, root, options] if point.startswith("/"):
                if not re.fullmatch(r"\d{1,7}:\d{1,7}", device):
                    raise ParseError(f"no number of a device: {device[:40]!r}")
                words = tuple(options.split(","))
                # A later mount on the same point hides the one before it.
                mounts[_plain(point)] = Mount(
                    _plain(point), _plain(source), kind, device, _plain(root), words
                )
            case ["table", point, kind, options]:
                table.append(TableLine(_plain(point), kind, tuple(w for w in options.split(",") if w)))
            case ["absent", folder]:
                absent.append(folder)
            case ["table-unread"]:
                gaps.append(Gap("Mounts", "/etc/fstab may not be read", where="/etc/fstab"))
            case _:
                rest.append(row)
    if "/" not in mounts:
        raise ParseError("no mount of / was told")
    spaces, others = _spaces(rest)
    blocks, more = _blocks(others)
    gaps += more
    if not spaces:
        gaps.append(Gap("FreeSpace", "df told nothing"))
    facts = (
        Mounts(tuple(mounts.values()), tuple(table), tuple(absent)),
        *([FreeSpace(spaces)] if spaces else []),
        *blocks,
    )
    return Collected(facts, tuple(gaps))


def _spaces(told: Iterable[list[str]]) -> tuple[tuple[Space, ...], list[list[str]]]:
    blocks: dict[str, int] = {}
    inodes: dict[str, int] = {}
    rest: list[list[str]] = []
    for row in told:
        match row:
            case ["space", point, used]:
                if used != "-":
                    blocks[point] = number(used, "a share")
            case ["inodes", point, used]:
                inodes[point] = 0 if used == "-" else number(used, "a share")
            case _:
                rest.append(row)
    spaces = tuple(Space(point, used, inodes.get(point, 0)) for point, used in sorted(blocks.items()))
    return spaces, rest


def _blocks(told: Iterable[list[str]]) -> tuple[tuple[BlockDevices, ...], list[Gap]]:
    numbers: dict[str, str] = {}
    mapped: dict[str, str] = {}
    crypt: set[str] = set()
    below: dict[str, list[str]] = {}
    shown = False
    for row in told:
        match row:
            case ["blocks"]:
                shown = True
            case ["device", name, device]:
                numbers[name] = device
            case ["mapped", name, label]:
                mapped[name] = label
            case ["crypt", name]:
                crypt.add(name)
            case ["below", name, part]:
                below.setdefault(name, []).append(part)
            case _:
                raise ParseError(f"unexpected line {row[0][:40]!r}")
    if not shown:
        return (), [Gap("BlockDevices", "/sys/class/block is not there")]
    for name in numbers:
        whole = re.sub(r"p?\d+$", "", name)
        # A partition of a device that is itself made of others (md0p1) lies on that device.
        if whole != name and whole in numbers:
            below.setdefault(name, []).append(whole)
    devices = (
        BlockDevice(name, device, mapped.get(name, ""), name in crypt, tuple(below.get(name, ())))
        for name, device in sorted(numbers.items())
    )
    return (BlockDevices(tuple(devices)),), []


def _plain(text: str) -> str:
    """The path with the octal escapes of /proc undone."""
    return re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), text)


PROBE = Probe(
    "mounts",
    (Mounts, FreeSpace, BlockDevices),
    _SCRIPT,
    parse,
    how="/proc/self/mountinfo, /etc/fstab, df and /sys/class/block",
    limit=131_072,
)
