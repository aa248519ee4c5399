"""Collects definitions of tasks: the newest of each family, and those by which tasks run now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from posixpath import normpath

from checks.facts.cloud.ecs import Task, Tasks
from scanner.collect.cloud.calls import Call, Collector, NotRead, Place
from scanner.collect.cloud.fields import Raw, flag, group, items, some, text
from scanner.collect.cloud.secrets import find
from scanner.collect.cloud.variables import secret_names
from scanner.collect.collector import Collected

FAMILIES = Call("ecs", "ListTaskDefinitionFamilies", (Tasks,), page=100)
TASK = Call("ecs", "DescribeTaskDefinition", (Tasks,))
CLUSTERS = Call("ecs", "ListClusters", (Tasks,), key="clusterArns", page=100)
RUNNING = Call("ecs", "ListTasks", (Tasks,), key="taskArns", page=100)
STARTED = Call("ecs", "DescribeTasks", (Tasks,), key="tasks")

_AT_ONCE = 100

_ROOT = frozenset({"0", "root"})
_STAYING = frozenset({"json-file", "none"})
"""Log drivers that leave the log where the container ran: it goes with it."""
_HARMLESS_TO_READ = frozenset({"/boot", "/proc", "/sys", "/usr"})
"""Paths that hand the machine over only to those who may write there; agents read them."""
_POWERFUL = frozenset(
    {
        "/",
        "/boot",
        "/dev",
        "/etc",
        "/proc",
        "/root",
        "/run",
        "/run/containerd/containerd.sock",
        "/run/docker.sock",
        "/sys",
        "/usr",
        "/var",
        "/var/lib/docker",
        "/var/run",
        "/var/run/docker.sock",
    }
)
"""Paths of a machine that hand it over: its runtime's socket, its devices, its programs and settings."""


def tasks(place: Place) -> Collected:
    """The newest active definition of each family, and each other one of which a task runs."""
    pages = place.pages(FAMILIES, status="ACTIVE")
    names = sorted(str(one) for page in pages for one in some(page, "families"))
    empty = Collected(facts=(Tasks(place.account, (place.region,), ()),))
    newest = place.each([(place.where(name), TASK, partial(_newest, place, name)) for name in names])
    known = {one.arn for fact in newest.facts if isinstance(fact, Tasks) for one in fact.tasks}
    running: set[str] = set()
    hidden = _running(place, running)
    others = [(arn, TASK, partial(_of_running, place, arn)) for arn in sorted(running - known)]
    return empty + newest + hidden + place.each(others)


def _running(place: Place, found: set[str]) -> Collected:
    """Adds the definitions of the tasks that run; what could not be read of them is in the answer."""
    try:
        clusters = [str(one) for page in place.pages(CLUSTERS) for one in some(page, CLUSTERS.key)]
    except NotRead as lost:
        return place.lost(CLUSTERS, lost.refused, place.where("running tasks"))
    return place.each([(arn, RUNNING, partial(_of_cluster, place, arn, found)) for arn in sorted(clusters)])


def _of_cluster(place: Place, cluster: str, found: set[str]) -> Collected:
    arns = [str(one) for page in place.pages(RUNNING, cluster=cluster) for one in some(page, RUNNING.key)]
    for at in range(0, len(arns), _AT_ONCE):
        # One that has ended since is among the failures, and no task any more.
        answer = place.one(STARTED, cluster=cluster, tasks=arns[at : at + _AT_ONCE])
        found |= {text(one, "taskDefinitionArn") for one in items(answer, STARTED.key)}
    return Collected()


def _newest(place: Place, family: str) -> Collected:
    raw = group(place.one(TASK, taskDefinition=family), "taskDefinition")
    if text(raw, "status", "ACTIVE") != "ACTIVE":
        # Taken away since the list was made: nobody can start it.
        return Collected()
    return _task(place, raw)


def _of_running(place: Place, arn: str) -> Collected:
    return _task(place, group(place.one(TASK, taskDefinition=arn), "taskDefinition"))


def _task(place: Place, raw: Raw) -> Collected:
    containers = items(raw, "containerDefinitions")
    # Windows knows neither users by number nor files that are read-only.
    system = text(group(raw, "runtimePlatform"), "operatingSystemFamily", "LINUX")
    linux = () if system.startswith("WINDOWS") else containers

    def named(held: Iterable[Raw]) -> tuple[str, ...]:
        return tuple(sorted(text(one, "name") for one in held))

    record = Task(
        arn=text(raw, "taskDefinitionArn"),
        name=text(raw, "family"),
        region=place.region,
        host=text(raw, "networkMode", "bridge") == "host",
        privileged=named(c for c in containers if flag(c, "privileged", False)),
        root=named(c for c in linux if text(c, "user", "").partition(":")[0] in _ROOT),
        unnamed=named(c for c in linux if not text(c, "user", "")),
        writable=named(c for c in linux if not flag(c, "readonlyRootFilesystem", False)),
        unlogged=named(c for c in containers if not _logged(group(c, "logConfiguration"))),
        secrets=tuple(sorted(at for c in containers for at in _secrets(c))),
        shared=_shared(raw),
        mounts=_mounts(raw, containers),
    )
    return place.found(Tasks(place.account, (place.region,), (record,)), TASK, (record,), where=record.arn)


def _logged(logging: Raw) -> bool:
    return bool(logging) and text(logging, "logDriver") not in _STAYING


def _secrets(container: Raw) -> Iterable[str]:
    name, logging = text(container, "name"), group(container, "logConfiguration")
    variables = {text(one, "name"): text(one, "value", "") for one in some(container, "environment")}
    yield from (f"{name}/{variable}" for variable in secret_names(variables))
    options = {str(key): str(value) for key, value in group(logging, "options").items()}
    yield from (f"{name}/{option}" for option in secret_names(options))
    lines = {key: some(container, key) for key in ("entryPoint", "command")}
    lines["healthCheck"] = some(group(container, "healthCheck"), "command")
    for key, words in lines.items():
        if find(" ".join(str(word) for word in words).encode()):
            yield f"{name} {key}"


def _shared(raw: Raw) -> tuple[str, ...]:
    """What the containers share with the machine; AWS shares nothing unless it is told to."""
    kinds: Mapping[str, str] = {"ipcMode": "memory", "pidMode": "processes"}
    return tuple(kind for key, kind in kinds.items() if text(raw, key, "") == "host")


def _mounts(raw: Raw, containers: Iterable[Raw]) -> tuple[str, ...]:
    """The powerful paths of the machine that some container really mounts."""
    paths = {text(one, "name"): text(group(one, "host"), "sourcePath", "") for one in some(raw, "volumes")}
    found = set()
    for mount in (one for container in containers for one in some(container, "mountPoints")):
        if path := paths.get(text(mount, "sourceVolume", "")):
            # Of two slashes at the beginning the library keeps both.
            place = "/" + normpath(path).lstrip("/")
            if not (flag(mount, "readOnly", False) and place in _HARMLESS_TO_READ):
                found.add(place)
    return tuple(sorted(found & _POWERFUL))


def collectors() -> Iterable[Collector]:
    """The collectors of this topic."""
    yield Collector("ecs tasks", True, (FAMILIES, TASK, CLUSTERS, RUNNING, STARTED), tasks)
