"""How a host boots, and what it starts when it cannot."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from checks.facts.host.boot import (
    BootMenu,
    BootParameters,
    Firmware,
    ProcessorFlaws,
    RescueShell,
    RescueShells,
)
from checks.facts.snapshot import Absence, Fact, Gap
from scanner.collect.collector import Collected
from scanner.collect.host.probe import ParseError, Probe, number, rows

_WORDS = (
    "mitigations|nopti|pti|kpti|nospectre_v1|nospectre_v2|spectre_v2|spectre_v2_user|spectre_bhi|nospectre_bhb|"
    "spec_store_bypass_disable|nospec_store_bypass_disable|l1tf|mds|tsx_async_abort|mmio_stale_data|retbleed|"
    "srbds|gather_data_sampling|reg_file_data_sampling|spec_rstack_overflow|nosmap|nosmep|noexec|nokaslr|"
    "selinux|enforcing|apparmor|security|lsm|audit|audit_backlog_limit|lockdown|module.sig_enforce|ima_appraise|"
    "systemd.debug-shell|systemd.debug_shell|rd.shell|slab_nomerge|init_on_alloc|init_on_free|vsyscall|debugfs|"
    "modprobe.blacklist|module_blacklist|nomodule|ipv6.disable"
)
_MENUS = ("/boot/grub/grub.cfg", "/boot/grub2/grub.cfg")
_USER = "/boot/grub2/user.cfg"
_READ = "head -c 524288"
_UNITS = ("/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system")
_VENDOR = ("/usr/lib/systemd/system", "/lib/systemd/system")
_SCRIPT = r"""
set --
[ -r /proc/cmdline ] && { printf 'cmdline\n'; set -- /proc/cmdline; }
for file in /sys/devices/system/cpu/vulnerabilities/*; do [ -r "$file" ] && set -- "$@" "$file"; done
# Of the command line only known words leave the host.
[ $# = 0 ] || awk '
  FILENAME != "/proc/cmdline" { name = FILENAME; sub(".*/", "", name); print "flaw\t" name "\t" $0; next }
  { for (at = 1; at <= NF; at++) {
    # The kernel takes the marks of a quotation away, and a dash in a name for an underscore.
    gsub(/"/, "", $at); name = $at; sub(/=.*/, "", name); rest = substr($at, length(name) + 1)
    if (name !~ /^systemd/) gsub(/-/, "_", name)
    $at = name rest
    if ($at ~ /^(@WORDS@)(=[A-Za-z0-9_,.:-]*)?$/) print "word\t" $at
  } }' "$@"
if [ -d /sys/firmware/efi ]; then
  printf 'firmware\tefi\n'
  for file in /sys/firmware/efi/efivars/SecureBoot-*; do
    [ -r "$file" ] && printf 'secure\t%s\n' "$(tail -c 1 "$file" | tr '\000\001' '01')"
  done
elif [ -d /sys/firmware ]; then printf 'firmware\tbios\n'
fi
# look FILE PATTERN...: how often each pattern stands in the file; nothing of the file itself leaves the host.
look() {
  folder=${1%/*}
  if [ -r "$1" ]; then text=$(@READ@ "$1")
  elif ! [ -e "$folder" ] && [ -x /boot ]; then printf 'no-menu\t%s\n' "$1"; return
  elif [ -x "$folder" ] && ! [ -e "$1" ]; then printf 'no-menu\t%s\n' "$1"; return
  elif text=$(as_root @READ@ "$1" 2>/dev/null); then :
  elif [ $? = 126 ]; then printf 'menu-unread\t%s\n' "$1"; return
  else printf 'no-menu\t%s\n' "$1"; return; fi
  printf '%s\n' "$text" | awk -v file="$1" -v OFS='\t' '
    /^[ \t]*#/ { next }
    /^[ \t]*set[ \t]+superusers=.*[A-Za-z0-9]/ { users++ }
    /^[ \t]*password(_pbkdf2)?[ \t]/ { if (/\$/) later++; else word++ }
    /^[ \t]*GRUB2_PASSWORD=grub/ { user++ }
    END { print "menu", file, users + 0, word + 0, later + 0, user + 0 }'
}
if [ -d /boot ]; then for file in @MENUS@ @USER@; do look "$file"; done; else printf 'no-boot\n'; fi
set --
for folder in @FOLDERS@; do for unit in rescue emergency; do
  for file in "$folder/$unit.service" "$folder/$unit.service.d"/*.conf; do
    [ -e "$file" ] || continue
    printf 'unit\t%s\n' "$file"
    if [ -c "$file" ]; then printf 'nothing\t%s\n' "$file"
    elif [ -r "$file" ]; then set -- "$@" "$file"; else printf 'unit-unread\t%s\n' "$file"; fi
  done
done; done
[ $# = 0 ] || awk -v OFS='\t' '
  /^ExecStart=/ { line = substr($0, 11); gsub(/^[ \t@!:+-]+/, "", line); split(line, word); name = word[1]
    sub(".*/", "", name); if (line ~ /sulogin/) name = "sulogin"; print "exec", FILENAME, name }
  /^Environment=.*SYSTEMD_SULOGIN_FORCE=/ { line = $0; sub(/.*SYSTEMD_SULOGIN_FORCE=/, "", line)
    print "force", FILENAME, line ~ /^(1|y|yes|t|true|on)([" \t]|$)/ ? 1 : 0 }' "$@"
exit 0
"""


@dataclass
class _Told:
    """What the lines said."""

    cmdline: bool = False
    boot: bool = True
    words: list[str] = field(default_factory=list)
    flaws: dict[str, str] = field(default_factory=dict)
    firmware: str = ""
    secure: str = ""
    menus: dict[str, tuple[int, ...]] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)
    units: list[str] = field(default_factory=list)
    lines: dict[str, list[tuple[str, str]]] = field(default_factory=dict)


def parse(text: str) -> Collected:
    """The facts about booting in an answer; what could not be read of them is a gap of its own."""
    told = _told(text)
    parts = (_parameters(told), _flaws(told), _firmware(told), _menu(told), _rescue(told))
    return Collected(
        tuple(part for part in parts if isinstance(part, Fact)),
        tuple(part for part in parts if isinstance(part, Gap)),
        tuple(part for part in parts if isinstance(part, Absence)),
    )


def _told(text: str) -> _Told:
    told = _Told()
    for row in rows(text):
        if not (_of_start(row, told) or _of_menu(row, told) or _of_unit(row, told)):
            raise ParseError(f"unexpected line {row[0][:40]!r}")
    if not text.strip():
        raise ParseError("nothing about booting was told")
    return told


def _of_start(row: list[str], told: _Told) -> bool:
    match row:
        case ["cmdline"]:
            told.cmdline = True
        case ["word", word]:
            told.words.append(word)
        case ["flaw", name, state] if state:
            told.flaws[name] = state
        case ["firmware", "efi" | "bios" as kind]:
            told.firmware = kind
        case ["secure", value]:
            told.secure = value
        case _:
            return False
    return True


def _of_menu(row: list[str], told: _Told) -> bool:
    match row:
        case ["no-boot"]:
            told.boot = False
        case ["no-menu", _]:
            pass
        case ["menu", file, *counts] if len(counts) == 4:
            told.menus[file] = tuple(number(one, "a count") for one in counts)
        case ["menu-unread" | "unit-unread", file]:
            told.unread.append(file)
        case _:
            return False
    return True


def _of_unit(row: list[str], told: _Told) -> bool:
    match row:
        case ["unit", file]:
            told.units.append(file)
        case ["nothing", file]:
            told.lines[file] = [("nothing", "")]
        case ["exec" | "force" as word, file, value]:
            told.lines.setdefault(file, []).append((word, value))
        case _:
            return False
    return True


def _parameters(told: _Told) -> Fact | Gap:
    if not told.cmdline:
        return Gap("BootParameters", "/proc/cmdline may not be read")
    return BootParameters(tuple(told.words))


def _flaws(told: _Told) -> Fact | Gap:
    if not told.flaws:
        return Gap("ProcessorFlaws", "this kernel does not tell about flaws of the processor")
    return ProcessorFlaws(told.flaws)


def _firmware(told: _Told) -> Fact | Gap:
    if not told.firmware:
        return Gap("Firmware", "/sys/firmware is not there")
    if told.firmware == "bios":
        return Firmware("bios", "")
    if told.secure not in ("0", "1"):
        return Gap("Firmware", "the variable SecureBoot may not be read", needs="a mount of efivarfs")
    return Firmware("efi", "on" if told.secure == "1" else "off")


def _menu(told: _Told) -> Fact | Gap | Absence:
    unread = [file for file in told.unread if file in (*_MENUS, _USER)]
    file = next((one for one in _MENUS if one in told.menus), "")
    if not told.boot or (not file and not unread):
        return Absence("BootMenu", "the host has no configuration of GRUB's menu")
    if not file:
        return Gap("BootMenu", f"{unread[0]} may not be read", needs=f"sudo: {_PRIVILEGES[0]}")
    users, plain, later, _ = told.menus[file]
    # A password from a file beside the menu is one only where that file has it.
    beside = told.menus.get(_USER, (0, 0, 0, 0))[3]
    if users and later and not plain and not beside and _USER in unread:
        return Gap("BootMenu", f"{_USER} may not be read", needs=f"sudo: /usr/bin/{_READ} {_USER}")
    return BootMenu(file, bool(users), bool(users and (plain or (later and beside))))


def _rescue(told: _Told) -> Fact | Gap | Absence:
    unread = [file for file in told.unread if ".service" in file]
    if unread:
        return Gap("RescueShells", f"{unread[0]} may not be read", needs=f"sudo: cat {unread[0]}")
    shells = [_shell(unit, told) for unit in ("rescue", "emergency") if _main(unit, told.units)]
    if not shells:
        return Absence("RescueShells", "the host has no rescue mode of systemd")
    return RescueShells(tuple(shells))


def _shell(unit: str, told: _Told) -> RescueShell:
    """The last word of the unit's file and its drop-ins, in the order in which systemd reads them."""
    program, forced = "", False
    for file in (_main(unit, told.units), *_drop_ins(unit, told.units)):
        for word, value in told.lines.get(file, ()):
            if word == "nothing":
                return RescueShell(unit, "", forced=False)
            if word == "exec":
                program = value
            else:
                forced = value == "1"
    return RescueShell(unit, program, forced)


def _main(unit: str, files: Iterable[str]) -> str:
    known = set(files)
    paths = (f"{folder}/{unit}.service" for folder in (*_UNITS, *_VENDOR))
    return next((path for path in paths if path in known), "")


def _drop_ins(unit: str, files: list[str]) -> list[str]:
    by_name: dict[str, str] = {}
    for folder in (*_UNITS, *_VENDOR):
        for path in files:
            if path.rpartition("/")[0] == f"{folder}/{unit}.service.d":
                by_name.setdefault(path.rpartition("/")[2], path)
    return [by_name[name] for name in sorted(by_name)]


_PRIVILEGES = tuple(f"/usr/bin/{_READ} {file}" for file in (*_MENUS, _USER))
PROBE = Probe(
    "boot",
    (BootParameters, ProcessorFlaws, Firmware, BootMenu, RescueShells),
    _SCRIPT.replace("@WORDS@", _WORDS.replace(".", "[.]"))
    .replace("@READ@", _READ)
    .replace("@MENUS@", " ".join(_MENUS))
    .replace("@USER@", _USER)
    .replace("@FOLDERS@", " ".join((*_UNITS, *_VENDOR))),
    parse,
    how="/proc/cmdline, /sys/firmware, the boot menu and the rescue units",
    privileges=_PRIVILEGES,
)
