"""Listening sockets with the processes, users, files and packages behind them."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from checks.facts.host.services import Listener, ListeningProgram, ListeningPrograms, ListeningServices
from checks.facts.snapshot import Fact
from scanner.collect.host import listening
from scanner.collect.host.probe import ParseError
from scanner.collect.host.script import TOOLS
from tests.lab.hosts import lab
from tests.lab.parts import free_port, program

SS = """form ss
Netid State  Recv-Q Send-Q Local Address:Port Peer Address:PortProcess
tcp   LISTEN 0 511   0.0.0.0:80   0.0.0.0:*    users:(("nginx",pid=5,fd=6),("nginx",pid=4,fd=6))
tcp   LISTEN 0      128             [::]:22           [::]:*    users:(("sshd",pid=9,fd=4))
udp   UNCONN 0      0            0.0.0.0:2049      0.0.0.0:*
"""
TOLD = (
    ""
    "uid\t4\t0\nuid\t5\t33\nuid\t9\t0\ncontained\t9\n"
    "exe\t4\t/usr/sbin/nginx\nexe\t5\t/usr/sbin/nginx (deleted)\n"
    "exe\t9\t/bin/odd name\nmanager\tdpkg\nowned\tnginx\t/usr/sbin/nginx\nprograms\n"
)


def facts(text: str) -> tuple[ListeningServices, ListeningPrograms]:
    services, programs = listening.parse(text).facts
    assert isinstance(services, ListeningServices)
    assert isinstance(programs, ListeningPrograms)
    return services, programs


def test_processes_users_files_and_packages_are_joined() -> None:
    services, programs = facts(SS + TOLD)
    assert services.listeners == (
        Listener("tcp", "*", 22, "sshd", (9,), (0,)),
        Listener("tcp", "*", 80, "nginx", (4, 5), (0, 33)),
        Listener("udp", "*", 2049, "", (), ()),
    )
    assert programs == ListeningPrograms(
        (
            ListeningProgram(4, "/usr/sbin/nginx", False, "nginx", False),
            ListeningProgram(5, "/usr/sbin/nginx", True, "nginx", False),
            ListeningProgram(9, "/bin/odd name", False, "", True),
        ),
        "dpkg",
    )


@pytest.mark.parametrize(("path", "owned"), [("/usr/bin/x", "/bin/x"), ("/bin/x", "/usr/bin/x")])
def test_a_file_is_found_under_the_other_name_of_its_folder(path: str, owned: str) -> None:
    _, programs = facts(f"{SS}exe\t9\t{path}\nmanager\tdpkg\nowned\tx\t{owned}\nprograms\n")
    assert [one.package for one in programs.programs] == ["x"]


def test_a_process_whose_user_is_not_told_leaves_its_socket_without_users() -> None:
    services, _ = facts(SS + "uid\t4\t0\nprograms\n")
    assert {one.port: one.uids for one in services.listeners} == {22: (), 80: (), 2049: ()}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (SS, "hidden from this login"),
        (SS + "uid\t4\t0\n", "hidden from this login"),
        (SS + "exe\t4\t/x\nexe\t4\t/usr/sbin/sshd\nmanager\tdpkg\nprograms\n", "looks like that of another"),
        (SS + "exe\t4\t/x\nmanager\tnone\nprograms\n", "no file has an owner"),
        ("form proc\ntcp 00000000:0016\n", "hidden from this login"),
    ],
)
def test_programs_that_are_not_told_are_a_gap_and_the_sockets_stay(text: str, reason: str) -> None:
    seen = listening.parse(text)
    assert [type(fact) for fact in seen.facts] == [ListeningServices]
    [gap] = seen.gaps
    assert gap.fact == "ListeningPrograms"
    assert reason in gap.reason


@pytest.mark.parametrize(
    "line",
    [
        "uid\t4\troot",
        "exe\tx\t/y",
        "owned\tx",
        'tcp LISTEN 0 1 *:80 *:* users:(("a\n",pid=1,fd=3))',
        ",pid=1",
    ],
)
def test_a_line_of_another_form_is_refused(line: str) -> None:
    with pytest.raises(ParseError):
        listening.parse(SS + line + "\nprograms\n")


@pytest.fixture
def odd(tmp_path: Path) -> Iterator[tuple[int, int, Path]]:
    """A program that no package brought, listening on loopback: its port, its process, its file."""
    path = tmp_path / "odd one" / "busybox"
    path.parent.mkdir()
    shutil.copy(program("busybox"), path)
    port = free_port()
    process = subprocess.Popen(
        [str(path), "httpd", "-f", "-p", f"127.0.0.1:{port}", "-h", str(tmp_path)], stdin=subprocess.PIPE
    )
    try:
        for _ in range(100):
            text = subprocess.run(["ss", "-Hlnt"], capture_output=True, text=True, check=True).stdout
            if f":{port} " in text:
                break
            time.sleep(0.02)
        yield port, process.pid, path
    finally:
        process.kill()
        process.wait()


@pytest.mark.real
@pytest.mark.parametrize("shell", ["dash", "bash", "busybox sh"])
def test_a_real_program_of_no_package_is_seen_on_every_shell(odd: tuple[int, int, Path], shell: str) -> None:
    port, pid, path = odd
    name, *more = shell.split()
    script = f"ROOT=root\n{TOOLS}\n{listening.PROBE.script}"
    done = subprocess.run(
        [program(name), *more, "-s"], input=script.encode(), capture_output=True, check=True, timeout=30
    )
    services, programs = facts(done.stdout.decode())
    [mine] = [one for one in services.listeners if one.port == port]
    assert (mine.address, mine.pids, mine.uids) == ("127.0.0.1", (pid,), (0,))
    [one] = [one for one in programs.programs if one.pid == pid]
    assert one == ListeningProgram(pid, str(path), False, "", False)


@pytest.mark.real
def test_the_packages_of_real_hosts_are_found_with_and_without_root() -> None:
    wanted: frozenset[type[Fact]] = frozenset({ListeningServices, ListeningPrograms})
    with lab() as net:
        for login in ("root", "sudo"):
            seen = net.host("bookworm", login=login).scan(wanted)
            assert seen.gaps == ()
            programs = seen.facts["ListeningPrograms"]
            assert isinstance(programs, ListeningPrograms)
            assert {(one.path, one.package) for one in programs.programs} == {
                ("/usr/sbin/sshd", "openssh-server")
            }
        plain = net.host("bookworm", login="plain").scan(wanted)
        assert [gap.fact for gap in plain.gaps] == ["ListeningPrograms"]
        assert "find /proc" in plain.gaps[0].needs
        busybox = net.host("busybox").look(wanted)
        assert "ListeningServices" in busybox.facts


@pytest.mark.real
def test_a_real_rpm_database_names_the_owners_in_one_call() -> None:
    script = listening.PROBE.script
    owners = script[script.index("owners() {") : script.index("programs() {")]
    asked = "exe\t1\t/usr/share/lab/bash\nexe\t2\t/nope (deleted)\nexe\t3\t/tmp/odd one"
    with lab() as net:
        host = net.host("rpm", plant="touch /usr/share/lab/bash '/tmp/odd one'")
        done = host.run(f"{TOOLS}\n{owners}\nowners '{asked}'")
    assert done.out == "manager\trpm\nowned\tbash\t/usr/share/lab/bash\n"
