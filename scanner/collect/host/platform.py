"""The machine below the system, and the containers on it."""

from __future__ import annotations

from checks.facts.host.platform import ContainerEngines, Platform, RunningContainer
from checks.facts.snapshot import Gap
from scanner.collect.collector import Collected
from scanner.collect.host.probe import ParseError, Probe, rows

_SCRIPT = r"""
printf 'container\t%s\n' "$(container)"
for name in sys_vendor product_name bios_vendor board_asset_tag chassis_asset_tag; do
  value=
  [ -r "/sys/class/dmi/id/$name" ] && IFS= read -r value 2>/dev/null <"/sys/class/dmi/id/$name"
  [ -z "$value" ] || printf 'dmi\t%s\t%s\n' "$name" "$value"
done
grep -qm1 -E '^flags.* hypervisor( |$)' /proc/cpuinfo 2>/dev/null && printf 'hypervisor\n'
[ -e /sys/hypervisor/type ] && printf 'hypervisor\n'
value=
[ -r /var/lib/cloud/data/instance-id ] && IFS= read -r value </var/lib/cloud/data/instance-id
[ -z "$value" ] || printf 'cloud\tinstance_id\t%s\n' "$value"
# Of what cloud-init keeps only names are told, and only those that it sums up itself.
[ -r /run/cloud-init/instance-data.json ] && head -c 262144 /run/cloud-init/instance-data.json | awk -F '"' '
  /^ "v1": \{/ { on = 1 } on && /^ \}/ { on = 0 }
  on && /^  "(instance_id|cloud_name|region)": "/ { print "cloud\t" $2 "\t" $4 }'
for pair in docker:/run/docker.sock podman:/run/podman/podman.sock \
  containerd:/run/containerd/containerd.sock cri-o:/run/crio/crio.sock \
  lxd:/var/lib/lxd/unix.socket lxd:/var/snap/lxd/common/lxd/unix.socket \
  incus:/var/lib/incus/unix.socket; do
  [ -S "${pair#*:}" ] && printf 'engine\t%s\n' "${pair%%:*}"
done
if [ -r /proc/1/cgroup ]; then
  printf 'processes\n'
  cat /proc/[0-9]*/cgroup 2>/dev/null | grep -oE \
    '(docker[-/]|libpod-|cri-containerd[-:]|crio-)[0-9a-f]{64}|lxc\.payload\.[A-Za-z0-9_-]+' |
    sort -u | head -n 500 | sed 's/^/running\t/'
else printf 'hidden\n'; fi
exit 0
"""
_CLOUDS = (
    ("amazon", "aws"),
    ("google", "gcp"),
    ("digitalocean", "digitalocean"),
    ("hetzner", "hetzner"),
    ("openstack", "openstack"),
    ("alibaba", "alibaba"),
    ("oraclecloud", "oracle"),
    ("scaleway", "scaleway"),
    ("linode", "linode"),
    ("akamai", "linode"),
    ("vultr", "vultr"),
    ("exoscale", "exoscale"),
    ("upcloud", "upcloud"),
)
_AZURE = "7783-7084-3265-9085-8269-3286-77"
_HYPERVISORS = ("qemu", "kvm", "vmware", "xen", "innotek", "virtual machine", "bochs", "parallels", "bhyve")
_ENGINES = {
    "docker-": "docker",
    "docker/": "docker",
    "libpod-": "podman",
    "cri-containerd-": "containerd",
    "cri-containerd:": "containerd",
    "crio-": "cri-o",
    "lxc.payload.": "lxc",
}


def parse(text: str) -> Collected:
    """The `Platform` and `ContainerEngines` in an answer."""
    firmware: dict[str, str] = {}
    cloud: dict[str, str] = {}
    engines: list[str] = []
    running: list[RunningContainer] = []
    container: list[str] = []
    virtual = seen = hidden = False
    for row in rows(text):
        match row:
            case ["container", kind]:
                container.append(kind)
            case ["dmi", name, *value] if value:
                firmware[name] = " ".join(value).strip()
            case ["hypervisor"]:
                virtual = True
            case ["cloud", name, *value] if value:
                cloud[name] = " ".join(value)
            case ["engine", name]:
                engines.append(name)
            case ["processes"]:
                seen = True
            case ["hidden"]:
                hidden = True
            case ["running", name]:
                running.append(_container(name))
            case _:
                raise ParseError(f"unexpected line {row[0][:40]!r}")
    if len(container) != 1 or not (seen or hidden):
        raise ParseError("the answer has no beginning or no end")
    platform = _platform(firmware, cloud, container[0], virtual)
    if hidden:
        gap = Gap("ContainerEngines", "the processes of others are hidden from this login")
        return Collected((platform,), (gap,))
    names = tuple(dict.fromkeys([*engines, *(one.engine for one in running)]))
    return Collected((platform, ContainerEngines(names, tuple(dict.fromkeys(running)))))


def _platform(firmware: dict[str, str], cloud: dict[str, str], container: str, virtual: bool) -> Platform:
    words = " ".join(firmware.values()).lower()
    provider = next((short for word, short in _CLOUDS if word in words), "")
    if firmware.get("chassis_asset_tag") == _AZURE:
        provider = "azure"
    provider = provider or cloud.get("cloud_name", "").lower()
    provider = "" if provider in ("none", "nocloud", "unknown", "configdrive") else provider
    tag = firmware.get("board_asset_tag", "")
    return Platform(
        vendor=firmware.get("sys_vendor", ""),
        product=firmware.get("product_name", ""),
        virtual=virtual or any(word in words for word in _HYPERVISORS),
        container=container,
        cloud=provider,
        instance=cloud.get("instance_id", "") or (tag if tag.startswith("i-") else ""),
        region=cloud.get("region", ""),
    )


def _container(name: str) -> RunningContainer:
    for prefix, engine in _ENGINES.items():
        if name.startswith(prefix):
            rest = name.removeprefix(prefix)
            return RunningContainer(engine, rest if engine == "lxc" else rest[:12])
    raise ParseError(f"no name of a container: {name[:60]!r}")


PROBE = Probe(
    "platform",
    (Platform, ContainerEngines),
    _SCRIPT,
    parse,
    how="/sys/class/dmi, the names that cloud-init keeps, and the cgroups of processes",
)
