"""Docker's daemon and its containers, judged."""

from __future__ import annotations

from typing import Any

import pytest

from checks.check import Check
from checks.facts.host.containers import DockerContainer, DockerContainers, DockerDaemon, EngineSocket
from checks.host import containers
from checks.model import Outcome, Severity
from tests.checks.host.judging import checks_of, failing, judged, says_unknown


def daemon(*hosts: str, verifies: bool = False, registries: tuple[str, ...] = (), mode: str = "0660") -> Any:
    socket = EngineSocket("/run/docker.sock", mode, "root", "docker")
    return DockerDaemon(hosts, verifies, registries, (socket,))


@pytest.mark.parametrize("check", checks_of(containers))
def test_what_could_not_be_read_is_unknown(check: Check[Any]) -> None:
    says_unknown(check)


@pytest.mark.parametrize(
    ("hosts", "verifies", "severity"),
    [
        (("fd://",), False, None),
        ((), False, None),
        (("tcp://0.0.0.0:2375",), False, Severity.CRITICAL),
        (("tcp://127.0.0.1:2375",), False, Severity.HIGH),
        (("fd://", "tcp://0.0.0.0:2376"), True, None),
        (("tcp://:2375",), False, Severity.CRITICAL),
    ],
)
def test_the_api(hosts: tuple[str, ...], verifies: bool, severity: Severity | None) -> None:
    [finding] = judged(containers.api_guarded, daemon(*hosts, verifies=verifies))
    assert (finding.severity if finding.outcome is Outcome.FAIL else None) == severity
    if severity:
        assert finding.port == "tcp/2375"


def test_registries() -> None:
    assert failing(containers.registries, daemon()) == []
    found = daemon(registries=("registry.example:5000",))
    assert failing(containers.registries, found) == ["registry.example:5000"]
    allowed = frozenset({"registry.example:5000"})
    assert failing(containers.registries, found, allowed=allowed) == []


@pytest.mark.parametrize(
    ("mode", "group", "fails"),
    [("0660", "docker", False), ("0666", "docker", True), ("0660", "users", True), ("0600", "users", False)],
)
def test_the_socket(mode: str, group: str, fails: bool) -> None:
    found = DockerDaemon((), False, (), (EngineSocket("/run/docker.sock", mode, "root", group),))
    assert bool(failing(containers.socket, found)) is fails


def test_privileged_containers() -> None:
    found = DockerContainers((DockerContainer("0a1b2c3d4e5f", True), DockerContainer("1a1b2c3d4e5f", False)))
    assert failing(containers.privileged, found) == ["0a1b2c3d4e5f"]
    assert failing(containers.privileged, found, allowed=frozenset({"0a1b2c3d4e5f"})) == []
    assert failing(containers.privileged, DockerContainers(())) == []
