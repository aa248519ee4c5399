"""Docker's settings as the fragment tells them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from checks.facts.host.containers import DockerContainer, DockerContainers, DockerDaemon, EngineSocket
from scanner.collect.host import containers
from scanner.collect.host.probe import ParseError
from scanner.collect.host.script import TOOLS
from tests.lab.parts import program

CANARY = "canary-19ab"
ID = "0123456789abcdef" * 4


def test_no_docker_is_an_absence() -> None:
    seen = containers.parse("none\nend\n")
    assert {one.fact for one in seen.absences} == {"DockerDaemon", "DockerContainers"}


def test_the_socket_of_another_engine_is_told_without_docker() -> None:
    seen = containers.parse("socket:666:root:root:/run/podman/podman.sock\nnone\nend\n")
    assert seen.facts == (
        DockerDaemon((), False, (), (EngineSocket("/run/podman/podman.sock", "0666", "root", "root"),)),
    )
    assert [one.fact for one in seen.absences] == ["DockerContainers"]


def test_settings_of_file_and_command_line_add_up() -> None:
    seen = containers.parse(
        "socket:660:root:docker:/run/docker.sock\nruns\nflags\nflag\thost\tfd://\nflag\ttlsverify\ttrue\n"
        'json\thosts\t["tcp://0.0.0.0:2375", "unix:///x"]\njson\tinsecure-registries\t["a:5000"]\n'
        "json\ttlsverify\tfalse\nflag\tinsecure-registry\tb:5000\nlisted\nend\n"
    )
    assert seen.gaps == ()
    assert seen.facts[0] == DockerDaemon(
        ("tcp://0.0.0.0:2375", "unix:///x", "fd://"),
        False,
        ("a:5000", "b:5000"),
        (EngineSocket("/run/docker.sock", "0660", "root", "docker"),),
    )


@pytest.mark.parametrize(
    ("text", "fact", "reason"),
    [
        ("unread\t/etc/docker/daemon.json\nlisted\nend\n", "DockerDaemon", "may not be read"),
        ("runs\nlisted\nend\n", "DockerDaemon", "command line"),
        ("hidden\nend\n", "DockerContainers", "only root"),
        ('json\tdata-root\t"/data/docker"\nlisted\nend\n', "DockerContainers", "/data/docker"),
        ("flag\tdata-root\t/data/docker\nlisted\nend\n", "DockerContainers", "/data/docker"),
    ],
)
def test_what_is_hidden_is_a_gap(text: str, fact: str, reason: str) -> None:
    [gap] = containers.parse(text).gaps
    assert gap.fact == fact
    assert reason in gap.reason


@pytest.mark.parametrize(
    "text", ["", "listed\n", "noise\nend\n", "container\tx\nend\n", "socket:x:a:b:/c\nend\n"]
)
def test_half_an_answer_or_a_foreign_line_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        containers.parse(text)


@pytest.mark.real
@pytest.mark.parametrize("shell", ["dash", "bash", "busybox sh"])
def test_a_planted_docker_is_read_and_its_secrets_stay(tmp_path: Path, shell: str) -> None:
    etc, var = tmp_path / "docker", tmp_path / "lib"
    etc.mkdir()
    settings = {
        "hosts": ["tcp://0.0.0.0:2375"],
        "insecure-registries": ["registry.example:5000"],
        "http-proxy": f"http://user:{CANARY}@proxy",
        "tlsverify": True,
    }
    (etc / "daemon.json").write_text(json.dumps(settings, indent=2))
    for number, privileged in enumerate((True, False)):
        folder = var / "docker" / "containers" / f"{number}{ID[1:]}"
        folder.mkdir(parents=True)
        one = {"Binds": [CANARY], "Privileged": privileged}
        (folder / "hostconfig.json").write_text(json.dumps(one, separators=(",", ":")))
    script = tmp_path / "script"
    script.write_text(f"ROOT=root\n{TOOLS}\n{containers.PROBE.script}")
    name, *more = shell.split()
    inside = (
        "mount -t tmpfs none /mnt && mkdir /mnt/etc /mnt/bin && cp -a /etc/. "
        "/mnt/etc/ && "
        f"cp -r {etc} /mnt/etc/ && mount --bind /mnt/etc /etc && mount --bind {var} /var/lib && "
        "cp /bin/true /mnt/bin/dockerd && PATH=/mnt/bin:$PATH && "
        f"exec {' '.join((program(name), *more))} {script}"
    )
    done = subprocess.run(
        [program("unshare"), "--mount", "sh", "-c", inside], capture_output=True, check=True, timeout=30
    )
    assert done.stderr == b""
    text = done.stdout.decode()
    assert CANARY not in text
    seen = containers.parse(text)
    assert seen.gaps == ()
    daemon, inside_it = seen.facts
    assert isinstance(daemon, DockerDaemon)
    assert (daemon.hosts, daemon.verifies) == (("tcp://0.0.0.0:2375",), True)
    assert daemon.insecure_registries == ("registry.example:5000",)
    assert isinstance(inside_it, DockerContainers)
    assert {one.id: one.privileged for one in inside_it.containers} == {
        f"0{ID[1:12]}": True,
        f"1{ID[1:12]}": False,
    }
    assert DockerContainer(f"0{ID[1:12]}", True) in inside_it.containers
