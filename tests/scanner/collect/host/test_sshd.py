"""When an SSH server read its configuration, and the options that it is asked about."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from checks.facts.host.sshd import Sshd, SshdStart, SshdStarts
from checks.host import ssh_server
from checks.model import Finding, Outcome
from scanner.collect.collector import Context
from scanner.collect.host import sshd
from scanner.collect.host.probe import ParseError
from scanner.collect.host.script import compose
from scanner.collect.host.sections import split
from scanner.transport.local import run_local
from tests.checks.host.judging import judged
from tests.lab.hosts import lab
from tests.lab.parts import free_port, program
from tests.lab.services import wait_for
from tests.lab.ssh import LabServer, running_sshd

NONCE = "0123456789abcdef" * 2
ROWS = """server\t1\t/etc/ssh/sshd_config\tyes\tyes
started\t1\t1790000000
time\t1\t1790000500\t/run/sshd.pid
time\t1\t1790000400\t/etc/ssh/sshd_config
time\t1\t1790000100\t/etc/ssh/sshd_config.d
pid\t1\t/run/sshd.pid
"""


def judge(server: LabServer) -> Finding:
    result = run_local(compose([sshd.PROBE], NONCE), limit_bytes=2_000_000, context=Context())
    [starts] = [
        fact for fact in sshd.parse(split(result.stdout, NONCE).sections["sshd"].text).facts
        if isinstance(fact, SshdStarts)
    ]  # fmt: skip
    [finding] = [
        one for one in judged(ssh_server.running_configuration, starts) if one.on == str(server.config)
    ]
    return finding


@pytest.mark.real
def test_a_change_is_loaded_by_a_reload_and_the_repair_is_one(tmp_path: Path) -> None:
    with running_sshd(tmp_path, "AllowUsers ann\nAllowUsers bob root\n") as server:
        os.utime(server.config, (time.time() - 60, time.time() - 60))
        assert judge(server).outcome is Outcome.PASS
        # A second is the unit of all clocks here.
        time.sleep(1.1)
        server.config.touch()
        bad = judge(server)
        assert bad.outcome is Outcome.FAIL
        subprocess.run(["sh", "-c", bad.fix.snippets[0].do], check=True, capture_output=True)
        assert judge(server).outcome is Outcome.PASS
        assert server.pid == int((tmp_path / "pid").read_text())


def seen_servers(folder: Path) -> list[Path]:
    """The configurations under that folder that the script finds, each of a server that runs."""
    result = run_local(compose([sshd.PROBE], NONCE), limit_bytes=2_000_000, context=Context())
    lines = split(result.stdout, NONCE).sections["sshd"].text.splitlines()
    found = [line.split("\t")[2:4] for line in lines if line.startswith("server\t")]
    return sorted(Path(config) for config, runs in found if folder in Path(config).parents and runs == "yes")


@pytest.mark.real
@pytest.mark.parametrize("words", [("-T", "-f"), ("-t", "-f"), ("-Tf",), ("-dtf",)])
def test_whoever_asks_sshd_for_its_settings_is_no_server(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Another scan does it at the same time, and so does whoever tries a configuration before a reload."""
    # It stays at the pipe, as a configuration that nobody writes.
    tried = tmp_path / "tried_config"
    os.mkfifo(tried)
    command = [program("sshd"), *words, str(tried)]
    with running_sshd(tmp_path) as server, subprocess.Popen(command, stderr=subprocess.DEVNULL) as asking:
        try:
            assert seen_servers(tmp_path) == [server.config]
            assert asking.poll() is None
        finally:
            asking.kill()


@pytest.mark.real
@pytest.mark.parametrize("name", ["bash", "-sh", "/bin/sh"])
def test_a_login_that_became_its_shell_is_no_server(tmp_path: Path, name: str) -> None:
    """It was called sshd when the processes were listed; what it runs is read a moment later."""
    shell = tmp_path / "sshd"
    shutil.copy("/bin/sh", shell)
    words = [name, "-c", "echo; read line"]
    with running_sshd(tmp_path) as server:
        alone = seen_servers(Path("/"))
        assert server.config in alone
        with subprocess.Popen(
            words, executable=shell, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as login:
            try:
                assert login.stdout is not None
                login.stdout.readline()
                assert Path(f"/proc/{login.pid}/comm").read_text() == "sshd\n"
                assert seen_servers(Path("/")) == alone
                assert login.poll() is None
            finally:
                login.kill()


@pytest.mark.real
def test_options_of_a_server_may_stand_in_one_word(tmp_path: Path) -> None:
    with running_sshd(tmp_path) as server:
        other, port = tmp_path / "other_config", free_port()
        lines = server.config.read_text().replace(f"Port {server.port}", f"Port {port}")
        other.write_text(lines.replace(f"{tmp_path}/pid", f"{tmp_path}/other_pid"))
        command = [program("sshd"), "-De4f", str(other)]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as started:
            try:
                wait_for(port, started)
                assert seen_servers(tmp_path) == [other, server.config]
            finally:
                started.terminate()


def starts(text: str) -> tuple[SshdStart, ...]:
    [fact] = [one for one in sshd.parse(text).facts if isinstance(one, SshdStarts)]
    return fact.servers


def test_a_reload_shows_in_the_pid_file() -> None:
    [one] = starts(ROWS)
    assert (one.started_at, one.loaded_at) == ("2026-09-21T14:13:20Z", "2026-09-21T14:21:40Z")
    assert (one.changed_at, one.changed_file) == ("2026-09-21T14:20:00Z", "/etc/ssh/sshd_config")
    assert one.reloads_seen


def test_without_the_pid_file_only_the_start_is_known() -> None:
    [one] = starts("\n".join(line for line in ROWS.split("\n") if "pid" not in line))
    assert one.loaded_at == one.started_at
    assert not one.reloads_seen


def test_a_pid_file_that_was_not_looked_at_shows_no_reload() -> None:
    [one] = starts("\n".join(line for line in ROWS.split("\n") if "1790000500" not in line))
    assert not one.reloads_seen


@pytest.mark.parametrize("left_out", ["started", "1790000400"])
def test_a_server_that_does_not_tell_is_a_gap(left_out: str) -> None:
    seen = sshd.parse("\n".join(line for line in ROWS.split("\n") if left_out not in line))
    assert "SshdStarts" in {gap.fact for gap in seen.gaps}
    assert not any(isinstance(fact, SshdStarts) for fact in seen.facts)


def test_a_server_that_does_not_run_has_no_start() -> None:
    assert starts(ROWS.replace("\tyes\tyes", "\tno\tyes")) == ()


@pytest.mark.parametrize("line", ["started\t1", "time\t1\tsoon\t/x", "pid\t1\ta\tb", "started\t9\t1"])
def test_a_broken_line_is_refused(line: str) -> None:
    with pytest.raises(ParseError):
        sshd.parse(f"{ROWS}{line}\n")


@pytest.mark.real
def test_options_that_are_printed_line_by_line_are_joined(tmp_path: Path) -> None:
    with running_sshd(tmp_path, "AllowUsers ann\nAllowUsers bob root\nBanner none\n") as server:
        result = run_local(compose([sshd.PROBE], NONCE), limit_bytes=2_000_000, context=Context())
        facts = sshd.parse(split(result.stdout, NONCE).sections["sshd"].text).facts
        [found] = [fact for fact in facts if isinstance(fact, Sshd)]
        [mine] = [one for one in found.servers if one.config == str(server.config)]
        options = mine.settings[0].options
        assert options["allowusers"] == "ann bob root"
        assert options["banner"] == "none"
        assert "allowgroups" not in options
        assert options["hostkey"] == str(tmp_path / "host_key")


@pytest.mark.real
def test_a_newer_server_shows_an_ordinary_login_what_holds_for_everybody() -> None:
    block = "printf 'Match User bob\n PasswordAuthentication yes\n' >>/etc/ssh/sshd_config"
    with lab() as net:
        seen = net.host("trixie", login="plain", plant=block).scan(frozenset({Sshd}))
        shut = net.host("trixie", login="plain", plant="chmod 600 /etc/ssh/sshd_config").scan(
            frozenset({Sshd})
        )
    found = seen.get(Sshd)
    assert isinstance(found, Sshd)
    [settings] = found.servers[0].settings
    assert (settings.condition, settings.permit_root_login) == ("", "prohibit-password")
    assert [gap.where for gap in seen.gaps] == ["/etc/ssh/sshd_config: Match User bob"]
    assert shut.get(Sshd) is None
    assert shut.gaps


@pytest.mark.real
def test_match_lines_of_the_vendors_folder_are_asked_about() -> None:
    lines = "Match Address 10.9.0.0/16\\n  PermitRootLogin yes\\n"
    plant = (
        "mkdir -p /usr/etc/ssh/sshd_config.d && "
        f"printf '{lines}' >/usr/etc/ssh/sshd_config.d/50-vendor.conf && "
        "printf 'Include /usr/etc/ssh/sshd_config.d/*.conf\\n' >>/etc/ssh/sshd_config"
    )
    with lab() as net:
        seen = net.host("bookworm", plant=plant).look(frozenset({Sshd}))
    assert seen.gaps == ()
    found = seen.facts["Sshd"]
    assert isinstance(found, Sshd)
    [server] = found.servers
    assert [(one.condition, one.permit_root_login) for one in server.settings] == [
        ("", "prohibit-password"),
        ("Match Address 10.9.0.0/16", "yes"),
    ]


@pytest.mark.real
@pytest.mark.parametrize("kind", ["busybox", "bookworm"])
def test_a_program_of_an_account_that_calls_itself_sshd_is_not_believed(kind: str) -> None:
    plant = """
    mkdir -p /tmp/x; printf 'PermitEmptyPasswords yes\\n' >/tmp/x/config
    printf '#!/bin/sh\\nwhile :; do read -r line <>/tmp/x/wait; done\\n' >/tmp/x/sshd
    chmod 755 /tmp/x/sshd; mkfifo /tmp/x/wait; chmod 666 /tmp/x/wait
    """
    start = "su -s /bin/sh audit -c '/tmp/x/sshd -f /tmp/x/config -p 2222' </dev/null >/dev/null 2>&1 &"
    with lab() as net:
        host = net.host(kind, plant=plant + start)
        seen = host.look(frozenset({Sshd}))
        assert host.run("grep -l sshd /proc/[0-9]*/comm | wc -l").out.strip() != "0"
    found = seen.get(Sshd)
    named = {one.config for one in found.servers} if isinstance(found, Sshd) else set()
    assert "/tmp/x/config" not in named
    assert [gap for gap in seen.gaps if "calls itself sshd" in gap.reason]
