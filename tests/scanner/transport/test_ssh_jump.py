"""Through other hosts: real servers, each judged, each logged in to, and the scope over all of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from checks.model import Kind
from scanner.collect.collector import CollectError, Context, Failure
from scanner.collect.run import Options, Worker
from scanner.collect.ssh_way import ssh_access
from scanner.scope import HostScope, Plan, ScopeError, plan
from scanner.scope.load import read_scope
from scanner.transport.secrets import SecretReader
from scanner.transport.ssh import ScriptResult, SshAccess, run_script
from scanner.transport.ssh_keys import Logins
from tests.lab.parts import LOOPBACK, free_port
from tests.lab.ssh import LabServer, new_key, running_sshd
from tests.lab.ssh_faults import Fault, faulty_ssh

pytestmark = pytest.mark.real
NOW = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LabServer, LabServer, LabServer]]:
    """A bastion, a second one behind it, and a host."""
    folders = [tmp_path_factory.mktemp(name) for name in ("bastion", "second", "inner")]
    with (
        running_sshd(folders[0]) as bastion,
        running_sshd(folders[1]) as second,
        running_sshd(folders[2]) as inner,
    ):
        yield bastion, second, inner


def run(access: SshAccess, script: str = "echo fine", limit: int = 1_000_000) -> ScriptResult:
    return run_script(access, script, limit_bytes=limit, context=Context())


def refused(access: SshAccess, script: str = "echo fine") -> CollectError:
    with pytest.raises(CollectError) as caught:
        run(access, script)
    assert "\n" not in str(caught.value)
    return caught.value


def counts(server: LabServer) -> tuple[int, int, int]:
    return tuple(server.logged(w) for w in ("Connection from", "Starting session", "auth-agent"))  # type: ignore[return-value]


def test_a_script_runs_through_two_jumps_with_one_connection_each(
    lab: tuple[LabServer, LabServer, LabServer],
) -> None:
    bastion, second, inner = lab
    before = [counts(one) for one in lab]
    access = inner.access(jumps=(bastion.access(), second.access()))
    result = run(access, "#" + "x" * 200_000 + "\nhead -c 300000 /dev/zero; echo err >&2; exit 3")
    assert (len(result.stdout), result.stderr, result.exit_status) == (300_000, b"err\n", 3)
    assert result.host_key_fingerprint == inner.fingerprint
    after = [counts(one) for one in lab]
    assert [tuple(a - b for a, b in zip(*pair, strict=True)) for pair in zip(after, before, strict=True)] == [
        (1, 0, 0),
        (1, 0, 0),
        (1, 1, 0),
    ]


def test_the_key_of_each_jump_is_checked_before_anything_is_sent(
    lab: tuple[LabServer, LabServer, LabServer], tmp_path: Path
) -> None:
    bastion, second, inner = lab
    before = [one.logged("userauth-request") for one in lab]
    unknown = bastion.access(known_hosts=(tmp_path / "none",))
    error = refused(inner.access(jumps=(unknown, second.access())))
    assert error.failure is Failure.HOST_KEY
    assert f"on the way to {LOOPBACK}:{inner.port}" in str(error)
    assert [one.logged("userauth-request") for one in lab] == before
    error = refused(inner.access(known_hosts=(tmp_path / "none",), jumps=(bastion.access(),)))
    assert error.failure is Failure.HOST_KEY
    assert inner.logged("userauth-request") == before[2]


def test_a_jump_that_refuses_the_login_is_named(
    lab: tuple[LabServer, LabServer, LabServer], tmp_path: Path
) -> None:
    bastion, _, inner = lab
    stranger = bastion.access(key_files=(new_key(tmp_path / "stranger"),))
    error = refused(inner.access(jumps=(stranger,)))
    assert error.failure is Failure.AUTHENTICATION
    assert str(error).startswith(f"{LOOPBACK}:{bastion.port}:")


def test_a_host_that_the_jump_does_not_reach(lab: tuple[LabServer, LabServer, LabServer]) -> None:
    bastion, _, inner = lab
    error = refused(inner.access(port=free_port(), jumps=(bastion.access(),), retry_seconds=0.1))
    assert error.failure is Failure.UNREACHABLE
    assert "does not reach it" in str(error)


def test_a_jump_that_forwards_nothing_is_said_to(
    tmp_path: Path, lab: tuple[LabServer, LabServer, LabServer]
) -> None:
    _, _, inner = lab
    with running_sshd(tmp_path, "AllowTcpForwarding no") as closed:
        error = refused(inner.access(jumps=(closed.access(),)))
    assert error.failure is Failure.PROTOCOL
    assert "forwards no connection" in str(error)
    assert "AllowTcpForwarding" in error.needs


def test_deadlines_hold_through_jumps_and_nothing_is_left(
    lab: tuple[LabServer, LabServer, LabServer],
) -> None:
    bastion, second, inner = lab
    threads = threading.active_count()
    began = time.monotonic()
    access = inner.access(jumps=(bastion.access(), second.access()), total_seconds=1.5)
    assert refused(access, "while :; do echo x; sleep 0.05; done").failure is Failure.TIMEOUT
    assert time.monotonic() - began < 4
    until = time.monotonic() + 3
    while threading.active_count() > threads and time.monotonic() < until:
        time.sleep(0.05)
    assert threading.active_count() <= threads


@pytest.mark.parametrize("fault", [Fault.RESETS, Fault.SILENT, Fault.NOT_SSH, Fault.RESETS_IN_EXCHANGE])
def test_a_jump_that_fails_has_a_name_and_an_end(
    lab: tuple[LabServer, LabServer, LabServer], tmp_path: Path, fault: Fault
) -> None:
    with faulty_ssh(fault, tmp_path) as faulty:
        jump = SshAccess(
            LOOPBACK, faulty.port, "root", (faulty.key,), (faulty.known_hosts,), connect_seconds=0.5
        )
        error = refused(lab[2].access(jumps=(jump,), total_seconds=3, retry_seconds=0.1))
    assert error.failure in {Failure.RESET, Failure.SILENT, Failure.PROTOCOL}
    assert f"on the way to {LOOPBACK}:{lab[2].port}" in str(error)
    assert str(error).startswith(f"{LOOPBACK}:{faulty.port}:")


def test_a_jump_that_speaks_only_what_the_system_speaks(
    lab: tuple[LabServer, LabServer, LabServer], tmp_path: Path
) -> None:
    with running_sshd(tmp_path, "KexAlgorithms sntrup761x25519-sha512@openssh.com") as foreign:
        result = run(lab[2].access(jumps=(foreign.access(),)))
    assert result.stdout == b"fine\n"
    assert result.host_key_fingerprint == lab[2].fingerprint


# --- the scope over the way ---

SCOPE = """\
version: 1
organisation: Lab
authorisation: {by: Somebody, reference: "1", until: 2099-12-31}
hosts:
  - name: inner
    address: <inner_host>
    leads_to: [127.0.0.3]
    port: <inner>
    user: root
    key: "file:<key>"
    known_hosts: "file:<known>"
    jump: <jump>
<more>"""


def planned(
    lab: tuple[LabServer, LabServer, LabServer], folder: Path, jump: str, more: str = "", **given: str
) -> Plan:
    """The plan of a scope with one host behind `jump`; all the servers accept the key of the inner one."""
    bastion, second, inner = lab
    public = inner.key.with_suffix(".pub").read_text()
    known = folder / "known"
    lines = []
    for server in lab:
        file = server.config.parent / "authorized_keys"
        if public not in file.read_text():
            file.write_text(file.read_text() + public)
        key = server.known_hosts.read_text().split()[1:]
        lines += [
            f"[{name}]:{server.port} {' '.join(key)}" for name in ("127.0.0.1", "127.0.0.2", "inner.lab")
        ]
    known.write_text("\n".join(lines) + "\n")
    names = {
        "jump": jump,
        "more": more,
        "inner": inner.port,
        "inner_host": "127.0.0.1",
        "key": inner.key,
        "known": known,
        "bastion": bastion.port,
        "second": second.port,
    } | given
    text = SCOPE
    for name, value in names.items():
        text = text.replace(f"<{name}>", str(value))
    scope = read_scope(text.encode(), "scope.yaml", folder / "scope.yaml")
    return plan(scope, [f"ssh://{names['inner_host']}:{inner.port}"], now=NOW)


def way(made: Plan, **options: object) -> SshAccess:
    [target] = made.targets
    assert isinstance(target.access, HostScope)
    return ssh_access(target.access, Options(**options), made.guard, SecretReader(), Logins())  # type: ignore[arg-type]


def test_a_jump_under_its_host_is_named_by_that_and_nothing_else_is(
    lab: tuple[LabServer, LabServer, LabServer], tmp_path: Path
) -> None:
    made = planned(lab, tmp_path, "[root@127.0.0.2:<bastion>]")
    access = way(made)
    assert [(one.address, one.user) for one in access.jumps] == [("127.0.0.2", "root")]
    # It may be passed through, and is no target.
    assert not made.guard.allows_address(access_address("127.0.0.2"))
    assert made.guard.of_jumps().allows_address(access_address("127.0.0.2"))


def access_address(text: str):  # type: ignore[no-untyped-def]
    from ipaddress import ip_address

    return ip_address(text)


def test_a_worker_goes_the_way_of_the_scope(
    lab: tuple[LabServer, LabServer, LabServer], tmp_path: Path
) -> None:
    from checks.facts.host.system import OperatingSystem
    from scanner.dispatch.jobs import Job

    made = planned(lab, tmp_path, "[root@127.0.0.1:<bastion>, 'ssh://root@127.0.0.1:<second>']")
    before = lab[0].logged("direct-tcpip")
    work = Worker(
        plan={one.target.spec: one for one in made.targets},
        wanted={Kind.HOST: frozenset({OperatingSystem})},
        guard=made.guard,
        options=Options(),
        context=Context(),
    )
    result = work(Job(1, made.targets[0].target))
    assert result.error is None
    assert set(result.snapshots[0].facts) == {"OperatingSystem"}
    assert lab[0].logged("direct-tcpip") > before


def test_a_host_of_the_scope_as_a_jump_logs_in_as_its_own_entry_says(
    lab: tuple[LabServer, LabServer, LabServer], tmp_path: Path
) -> None:
    more = (
        "  - {name: bastion, address: 127.0.0.2, port: <bastion>, user: audit, key: 'agent:', "
        "jump: ['root@127.0.0.2:<second>']}\n"
    )
    [one] = planned(lab, tmp_path, "[bastion]", more).targets
    assert isinstance(one.access, HostScope)
    second, bastion = one.access.jumps
    assert (bastion.user, bastion.use_agent, bastion.key_files) == ("audit", True, ())
    assert (second.user, second.port) == ("root", lab[1].port)


@pytest.mark.parametrize(
    ("jump", "more", "says"),
    [
        ("[root@127.0.0.2:22]", "exclude: [127.0.0.2]\n", "excludes its jump host"),
        ("[inner]", "", "in a circle"),
        ("[bastion]", "  - {name: bastion, address: 10.0.0.1, jump: [inner]}\n", "in a circle"),
    ],
)
def test_a_way_that_may_not_be_gone_is_refused_before_anything_is_sent(
    lab: tuple[LabServer, LabServer, LabServer], tmp_path: Path, jump: str, more: str, says: str
) -> None:
    with pytest.raises(ScopeError, match=says):
        planned(lab, tmp_path, jump, more)


@pytest.mark.parametrize("jump", ["[]", "[a b]", "7", "[7]", "['u@10.0.0.1', 'u@10.0.0.1']", "['net:x']"])
def test_what_is_no_jump_is_one_line(
    lab: tuple[LabServer, LabServer, LabServer], tmp_path: Path, jump: str
) -> None:
    from baselines.text import TextError

    with pytest.raises(TextError, match="jump"):
        planned(lab, tmp_path, jump)


def test_a_jump_of_the_configuration_must_be_in_the_scope(
    lab: tuple[LabServer, LabServer, LabServer], tmp_path: Path
) -> None:
    config = tmp_path / "config"
    config.write_text(f"Match originalhost 127.0.0.1\n  ProxyJump 127.0.0.2:{lab[0].port}\n")
    config.chmod(0o600)
    text = "networks:\n  - {name: lab, cidrs: [127.0.0.2/32]}\n"
    made = planned(lab, tmp_path, "none")
    [target] = made.targets
    assert way(made, ssh_config=config).jumps == ()
    for more, allowed in (("", False), (text, True)):
        made = planned(lab, tmp_path, "[x]", more)
        [target] = made.targets
        assert isinstance(target.access, HostScope)
        free = HostScope(
            **{k: getattr(target.access, k) for k in ("host", "port", "user", "key_files", "known_hosts")}
        )
        if allowed:
            led = ssh_access(free, Options(ssh_config=config), made.guard, SecretReader(), Logins())
            assert [one.address for one in led.jumps] == ["127.0.0.2"]
        else:
            with pytest.raises(CollectError, match="name it under jump: or hosts:") as caught:
                ssh_access(free, Options(ssh_config=config), made.guard, SecretReader(), Logins())
            assert caught.value.failure is Failure.OUT_OF_SCOPE


def test_no_name_is_left_to_a_jump_to_resolve(
    lab: tuple[LabServer, LabServer, LabServer], tmp_path: Path
) -> None:
    made = planned(lab, tmp_path, "[root@127.0.0.1:<bastion>]", inner_host="inner.lab.invalid")
    assert way(made).address == "127.0.0.3"
    made = planned(lab, tmp_path, "none", inner_host="inner.lab.invalid")
    with pytest.raises(CollectError, match="cannot be resolved"):
        way(made)
