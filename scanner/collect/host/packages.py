"""The packages that are installed, as the host's own package manager has them."""

from __future__ import annotations

from collections.abc import Callable

from checks.facts.host.packages import Package, Packages
from checks.facts.snapshot import Gap
from scanner.collect.collector import Collected
from scanner.collect.host.probe import ParseError, Probe, rows

# A database is looked for before its tool is asked: rpm makes an empty one where there is none, and a
# tool of another system (rpm on Debian) says nothing about this one. Each tool writes straight into
# the answer, so that its own exit status is that of the fragment.
_SCRIPT = r"""
if [ -s /var/lib/dpkg/status ] && has dpkg-query; then
  printf 'manager\tdpkg\n'
  source='${source:Package}\t${source:Version}'
  dpkg-query -W -f '${db:Status-Status}\t${Package}\t${Version}\t${Architecture}\t'"$source\n"
  exit $?
fi
for file in /var/lib/rpm /usr/lib/sysimage/rpm /usr/share/rpm; do
  [ -s "$file/Packages" ] || [ -s "$file/Packages.db" ] || [ -s "$file/rpmdb.sqlite" ] || continue
  has rpm || break
  module=
  case $(rpm --querytags 2>/dev/null) in
    *MODULARITYLABEL*) module='%|MODULARITYLABEL?{%{MODULARITYLABEL}}|' ;;
  esac
  printf 'manager\trpm\n'
  rpm -qa --qf "%{NAME}\t%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\t%{ARCH}\t%{SOURCERPM}\t$module\n"
  exit $?
done
for file in /lib/apk/db/installed /usr/lib/apk/db/installed; do
  [ -s "$file" ] || continue
  printf 'manager\tapk\n'
  awk '
    function tell() { if (p != "") printf "%s\t%s\t%s\t%s\n", p, v, a, o; p = v = a = o = "" }
    /^$/ { tell() } /^P:/ { p = substr($0, 3) } /^V:/ { v = substr($0, 3) }
    /^A:/ { a = substr($0, 3) } /^o:/ { o = substr($0, 3) } END { tell() }' "$file"
  exit $?
done
printf 'none\n'
exit 0
"""
# The files of these are on the disk, also where an upgrade has stopped half-way.
_ON_DISK = frozenset({"installed", "triggers-awaited", "triggers-pending", "unpacked", "half-configured"})
_NOT_ON_DISK = frozenset({"config-files", "half-installed", "not-installed"})
_NOTHING = "none of dpkg, rpm and apk has a database here, so what is installed is not known"


def parse(text: str) -> Collected:
    """The `Packages` in an answer; a host without a package database that is understood is a gap."""
    lines = rows(text)
    match lines[:1]:
        case [["none"]] if len(lines) == 1:
            return Collected(gaps=(Gap(Packages.__name__, _NOTHING),))
        case [["manager", manager]] if manager in _READERS:
            found = tuple(p for row in lines[1:] if (p := _READERS[manager](row)) is not None)
        case _:
            raise ParseError("it does not begin with the name of a package manager")
    if not found:
        raise ParseError(f"{manager} knows not one installed package")
    return Collected((Packages(manager, found),))


def _dpkg(row: list[str]) -> Package | None:
    match row:
        case [status, name, version, architecture, source, source_version] if status in _ON_DISK:
            return _package(name, version, architecture, (source, source_version))
        case [status, *_] if status in _NOT_ON_DISK:
            return None
        case _:
            raise ParseError(f"unexpected line {' '.join(row)[:60]!r}")


def _rpm(row: list[str]) -> Package | None:
    match row:
        case ["gpg-pubkey", *_]:
            return None
        case [name, version, architecture, source_rpm, *more] if len(more) < 2:
            # name:stream:version:context: what tells one stream from another is the beginning.
            module = ":".join("".join(more).split(":")[:2])
            return _package(name, version, architecture, _source_rpm(source_rpm), module)
        case _:
            raise ParseError(f"unexpected line {' '.join(row)[:60]!r}")


def _source_rpm(file: str) -> tuple[str, str]:
    """`openssl` and `1.1.1k-9.el8` of `openssl-1.1.1k-9.el8.src.rpm`; nothing of what has another form."""
    stem = file.removesuffix(".rpm").removesuffix(".src").removesuffix(".nosrc")
    name, _, rest = stem.partition("-")
    parts = stem.rsplit("-", 2)
    if not file.endswith("src.rpm") or len(parts) != 3 or not name or not rest:
        return "", ""
    return parts[0], f"{parts[1]}-{parts[2]}"


def _apk(row: list[str]) -> Package | None:
    match row:
        case [name, version, architecture, *origin] if len(origin) < 2:
            return _package(name, version, architecture, ("".join(origin), version))
        case _:
            raise ParseError(f"unexpected line {' '.join(row)[:60]!r}")


def _package(
    name: str, version: str, architecture: str, source: tuple[str, str], module: str = ""
) -> Package:
    if not name or not version or not (name + version).isprintable() or " " in name + version:
        raise ParseError(f"no package and version: {name[:40]!r} {version[:40]!r}")
    return Package(name, version, architecture, source[0] or name, source[1] or version, module)


_READERS: dict[str, Callable[[list[str]], Package | None]] = {"dpkg": _dpkg, "rpm": _rpm, "apk": _apk}
PROBE = Probe(
    "packages",
    (Packages,),
    _SCRIPT,
    parse,
    how="the list of installed packages",
    limit=1_048_576,
)
