"""Docker on a host: the settings of its daemon, the sockets of engines, and what containers may do."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from checks.facts.host.containers import DockerContainer, DockerContainers, DockerDaemon, EngineSocket
from checks.facts.snapshot import Absence, Gap
from scanner.collect.collector import Collected
from scanner.collect.host.probe import ParseError, Probe, rows

_LIST = (
    "find /var/lib/docker/containers -maxdepth 2 -name hostconfig.json "
    "-exec grep -oHE -e Privileged..true -e Privileged..false {} +"
)
_SCRIPT = r"""
sockets=
for path in /run/docker.sock /run/podman/podman.sock /run/containerd/containerd.sock /run/crio/crio.sock; do
  [ -S "$path" ] && sockets="$sockets $path"
done
[ "$sockets" ] && stat -c 'socket:%a:%U:%G:%n' $sockets
runs=
cat /proc/[0-9]*/comm 2>/dev/null | grep -qx dockerd && runs=yes && printf 'runs\n'
if ! [ "$runs" ] && ! has dockerd && ! [ -S /run/docker.sock ]; then printf 'none\nend\n'; exit 0; fi
pid=
[ -r /run/docker.pid ] && read -r pid </run/docker.pid
if [ "$pid" ] && [ -r "/proc/$pid/cmdline" ]; then
  tr '\0' '\n' <"/proc/$pid/cmdline" | awk '
    NR == 1 { if ($0 !~ /dockerd$/) exit; print "flags"; next }
    wanted != "" { print "flag\t" wanted "\t" $0; wanted = ""; next }
    $0 == "-H" || $0 == "--host" { wanted = "host"; next }
    $0 == "--insecure-registry" || $0 == "--data-root" { wanted = substr($0, 3); next }
    /^(-H=?|--host=)./ { sub(/^(-H=?|--host=)/, ""); print "flag\thost\t" $0 }
    /^--(insecure-registry|data-root)=/ { at = index($0, "=")
      print "flag\t" substr($0, 3, at - 3) "\t" substr($0, at + 1) }
    /^--tlsverify(=true)?$/ { print "flag\ttlsverify\ttrue" }'
fi
file=/etc/docker/daemon.json
if [ -e "$file" ]; then
  if [ -r "$file" ]; then lines=$(head -c 65536 "$file"); else lines=$(as_root cat "$file"); fi
  [ $? = 126 ] && printf 'unread\t%s\n' "$file"
  # Of the whole file only these settings come out.
  printf '%s\n' "$lines" | tr '\n\t' '  ' | awk '
    function tell(name, shape,  text) {
      if (match($0, "\"" name "\" *: *" shape)) {
        text = substr($0, RSTART, RLENGTH); sub(/^[^:]*: */, "", text); print "json\t" name "\t" text
      }
    }
    { tell("hosts", "\\[[^]]*\\]"); tell("insecure-registries", "\\[[^]]*\\]")
      tell("tlsverify", "(true|false)"); tell("data-root", "\"[^\"]*\"") }'
fi
if [ -d /var/lib/docker ]; then
  lines=$(as_root @LIST@ 2>/dev/null)
  if [ $? = 126 ]; then printf 'hidden\n'
  else
    printf 'listed\n'
    printf '%s\n' "$lines" | sed -n 's|^/var/lib/docker/containers/|container\t|p' | head -n 5000
  fi
else printf 'listed\n'; fi
printf 'end\n'
exit 0
""".replace("@LIST@", _LIST)
_FIND = f"/usr/bin/{_LIST}"
_CONTAINER = re.compile(r'([0-9a-f]{12})[0-9a-f]*/hostconfig\.json:Privileged":(true|false)')
_QUOTED = re.compile(r'"([^"]*)"')


@dataclass(slots=True)
class _Seen:
    sockets: list[EngineSocket] = field(default_factory=list)
    containers: list[DockerContainer] = field(default_factory=list)
    values: dict[str, list[str]] = field(default_factory=dict)
    words: set[str] = field(default_factory=set)
    unread: str = ""


def parse(text: str) -> Collected:
    """The `DockerDaemon` and `DockerContainers` in an answer."""
    seen = _Seen()
    for row in rows(text):
        _row(row, seen)
    if "end" not in seen.words:
        raise ParseError("the settings of Docker were not told to their end")
    names = DockerDaemon.__name__, DockerContainers.__name__
    if "none" in seen.words:
        reason = "there is no Docker daemon on the host"
        if seen.sockets:
            # Another engine is there, and whoever may write to its socket commands it.
            others = DockerDaemon((), False, (), tuple(seen.sockets))
            return Collected((others,), absences=(Absence(names[1], reason),))
        return Collected(absences=tuple(Absence(name, reason) for name in names))
    gaps: list[Gap] = []
    if seen.unread:
        needs = f"sudo: /usr/bin/cat {seen.unread}"
        gaps.append(Gap(names[0], f"{seen.unread} may not be read", where=seen.unread, needs=needs))
    if "runs" in seen.words and "flags" not in seen.words:
        gaps.append(Gap(names[0], "the command line of the running daemon is not to be seen"))
    verifies = seen.values.get("tlsverify", [""])[-1] == "true"
    registries = tuple(seen.values.get("insecure-registries", []) + seen.values.get("insecure-registry", []))
    hosts = tuple(seen.values.get("hosts", []) + seen.values.get("host", []))
    daemon = DockerDaemon(hosts, verifies, registries, tuple(seen.sockets))
    if hidden := _hidden(seen):
        return Collected((daemon,), (*gaps, hidden))
    return Collected((daemon, DockerContainers(tuple(seen.containers))), tuple(gaps))


def _hidden(seen: _Seen) -> Gap | None:
    name = DockerContainers.__name__
    root = seen.values.get("data-root", ["/var/lib/docker"])[-1]
    if "hidden" in seen.words:
        return Gap(name, "only root sees the settings of containers", needs=f"sudo: {_FIND}")
    if root != "/var/lib/docker":
        return Gap(name, f"Docker keeps its containers in {root}, which is not looked into")
    return None if "listed" in seen.words else Gap(name, "the containers were not told")


def _row(row: list[str], seen: _Seen) -> None:
    match row:
        case ["runs" | "none" | "flags" | "hidden" | "listed" | "end" as word]:
            seen.words.add(word)
        case ["unread", file]:
            seen.unread = file
        case ["flag", name, value]:
            seen.values.setdefault(name, []).append(value)
        case ["json", name, value]:
            many = _QUOTED.findall(value) if '"' in value else [] if value.startswith("[") else [value]
            seen.values.setdefault(name, []).extend(many)
        case ["container", line] if found := _CONTAINER.fullmatch(line):
            seen.containers.append(DockerContainer(found[1], found[2] == "true"))
        case [line] if len(parts := line.split(":", 4)) == 5 and parts[0] == "socket" and parts[1].isdigit():
            seen.sockets.append(EngineSocket(parts[4], f"{parts[1]:0>4}", parts[2], parts[3]))
        case _:
            raise ParseError(f"unexpected line {row[0][:40]!r}")


PROBE = Probe(
    "containers",
    (DockerDaemon, DockerContainers),
    _SCRIPT,
    parse,
    how="Docker's daemon.json and command line, hostconfig.json of its containers",
    privileges=("/usr/bin/cat /etc/docker/daemon.json", _FIND),
    limit=262_144,
)
