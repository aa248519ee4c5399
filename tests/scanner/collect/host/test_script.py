"""The script on real shells: limits, root, and nothing that leaks from one section into another."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from scanner.collect.collector import Collected, Context
from scanner.collect.host.collect import PROBES
from scanner.collect.host.probe import Probe
from scanner.collect.host.script import compose
from scanner.collect.host.sections import Answers, split
from scanner.transport.local import run_local
from tests.lab.parts import program

pytestmark = pytest.mark.real
NONCE = "0123456789abcdef" * 2
SHELLS = ("bash", "dash", "busybox")


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A real shell, under a name that makes BusyBox one."""
    link = tmp_path / "ash"
    link.symlink_to(program(request.param))
    return str(link) if request.param == "busybox" else program(request.param)


def probe(script: str, *, topic: str = "one", seconds: int = 5, limit: int = 1000) -> Probe:
    return Probe(topic, (), script, lambda _: Collected(), how=topic, seconds=seconds, limit=limit)


def answers(shell: str, *probes: Probe) -> Answers:
    script = compose(probes, NONCE, shell)
    return split(run_local(script, limit_bytes=3_000_000, context=Context(), shell=shell).stdout, NONCE)


def test_the_status_of_each_fragment_is_its_own(shell: str) -> None:
    found = answers(
        shell, probe("echo a; exit 0"), probe("echo b; exit 3", topic="two"), probe(":", topic="three")
    )
    assert {name: (s.text, s.status) for name, s in found.sections.items()} == {
        "one": ("a\n", 0),
        "two": ("b\n", 3),
        "three": ("", 0),
    }
    assert found.whole
    assert found.ran_as == "uid 0, root"


def test_a_fragment_that_hangs_is_ended_and_the_next_one_runs(shell: str) -> None:
    started = time.monotonic()
    found = answers(shell, probe("echo a; sleep 30", seconds=1), probe("echo b; exit 0", topic="two"))
    assert time.monotonic() - started < 6
    assert found.sections["one"].status in (124, 137, 143)
    assert found.sections["two"].text == "b\n"


def test_a_fragment_that_says_too_much_is_cut_one_byte_after_the_limit(shell: str) -> None:
    found = answers(shell, probe("while :; do echo xxxxxxxx; done", limit=5000), probe("echo b", topic="two"))
    assert found.sections["one"].size == 5001
    assert found.sections["two"].text == "b\n"


def test_a_fragment_cannot_read_the_rest_of_the_script(shell: str) -> None:
    found = answers(shell, probe('cat; read -r line; echo "<$line>"; exit 0'), probe("echo b", topic="two"))
    assert found.sections["one"].text == "<>\n"
    assert found.sections["two"].text == "b\n"


def test_a_fragment_does_not_know_the_nonce(shell: str) -> None:
    found = answers(shell, probe("set; env; cat /proc/$$/cmdline; exit 0", limit=100_000))
    assert found.sections["one"].status == 0
    assert NONCE not in found.sections["one"].text


def test_settings_of_one_fragment_do_not_reach_the_next(shell: str) -> None:
    found = answers(shell, probe("set -f; cd /tmp; X=1; exit 0"), probe('echo "[$X]" $-; pwd', topic="two"))
    assert found.sections["two"].text.startswith("[]")
    assert "/tmp" not in found.sections["two"].text


def test_without_timeout_the_script_still_answers(shell: str, tmp_path: Path) -> None:
    # The tools that the script needs, but no timeout.
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("cat", "id", "head", "tr", "sed", "grep", "awk", "sleep", "true"):
        (tools / name).symlink_to(program(name))
    script = compose([probe("has timeout || echo none; exit 0")], NONCE, shell)
    # Some builds of BusyBox have a timeout of their own, which no search path takes away.
    own = subprocess.run(
        [shell, "-c", "command -v timeout"], capture_output=True, check=False, env={"PATH": str(tools)}
    )
    only = script.replace(
        "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin${PATH:+:$PATH}", str(tools)
    )
    assert only != script
    done = subprocess.run(
        [shell, "-s"], input=only.encode(), capture_output=True, check=True, env={"PATH": str(tools)}
    )
    section = split(done.stdout, NONCE).sections["one"]
    assert section.status == 0
    assert section.text == ("" if own.returncode == 0 else "none\n")


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9, 0.99])
def test_half_a_script_runs_nothing(shell: str, kept: float, tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    script = compose([probe(f"touch {touched}; exit 0")], NONCE, shell)
    cut = script[: int(len(script) * kept)]
    subprocess.run([shell, "-s"], input=cut.encode(), capture_output=True, check=False)
    assert not touched.exists()


def test_the_real_fragments_give_the_same_answers_on_every_shell(tmp_path: Path) -> None:
    slow = ("updates", "open-paths", "listening", "sshd")
    # What runs, and for how long, is another answer a second later.
    moving = ("processes", "upkeep", "stale-programs", "mounts", "units")
    quick = [one for one in PROBES if one.topic not in slow + moving]
    link = tmp_path / "ash"
    link.symlink_to(program("busybox"))
    told = []
    for shell in (program("bash"), program("dash"), str(link)):
        found = answers(shell, *quick)
        assert {s.topic: s.status for s in found.sections.values() if s.status} == {}, shell
        # The order of folders and of tables is no part of an answer.
        told.append({one.topic: sorted(found.sections[one.topic].text.splitlines()) for one in quick})
    first, *others = told
    for other in others:
        for topic, lines in first.items():
            assert other[topic] == lines, topic


@pytest.mark.parametrize(
    "topic",
    ["updates", "open-paths", "listening", "sshd", "processes", "upkeep", "stale-programs", "mounts"],
)
def test_the_other_fragments_run_on_busybox(topic: str, tmp_path: Path) -> None:
    link = tmp_path / "ash"
    link.symlink_to(program("busybox"))
    [one] = [each for each in PROBES if each.topic == topic]
    section = answers(str(link), one).sections[topic]
    assert section.status == 0
    assert one.parse(section.text) is not None


AS_ROOT = 'as_root cat /etc/shadow >/dev/null; echo "$?"; exit 0'


def test_an_ordinary_login_without_sudo_is_told_so_and_never_asked() -> None:
    script = compose([probe(AS_ROOT)], NONCE)
    done = subprocess.run(
        [program("setpriv"), "--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-s"],
        input=script.encode(),
        capture_output=True,
        check=True,
        timeout=20,
        cwd="/",
    )
    found = split(done.stdout, NONCE)
    assert found.ran_as == "uid 65534, no root"
    assert found.sections["one"].text == "126\n"


@pytest.mark.parametrize(
    ("rule", "ran_as", "status"),
    [
        ("nobody ALL=(root) NOPASSWD: /usr/bin/cat /etc/shadow", "uid 65534, sudo", "0"),
        ("nobody ALL=(root) NOPASSWD: /usr/bin/id", "uid 65534, sudo", "126"),
        ("nobody ALL=(root) ALL", "uid 65534, no root", "126"),
    ],
    ids=["this command", "another command", "with a password"],
)
def test_sudo_is_used_where_it_asks_for_no_password(
    tmp_path: Path, rule: str, ran_as: str, status: str
) -> None:
    rules = tmp_path / "sudoers"
    rules.write_text(f"Defaults !lecture\n{rule}\n")
    rules.chmod(0o440)
    script = tmp_path / "script"
    script.write_text(compose([probe(AS_ROOT)], NONCE))
    assert program("sudo")
    # A mount of this test's own: the machine's rules stay as they are.
    inside = (
        f"mount --bind {rules} /etc/sudoers && "
        f"exec setpriv --reuid=65534 --regid=65534 --clear-groups sh -s <{script}"
    )
    done = subprocess.run(
        [program("unshare"), "--mount", "sh", "-c", inside],
        capture_output=True,
        check=True,
        timeout=30,
        cwd="/",
        stdin=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"]},
    )
    found = split(done.stdout, NONCE)
    assert found.ran_as == ran_as
    assert found.sections["one"].text == f"{status}\n"


def test_every_shell_knows_every_unit(shell: str) -> None:
    """The links and systemctl tell some states in other words, but no unit may be left out."""
    [one] = [each for each in PROBES if each.topic == "units"]
    section = answers(shell, one).sections["units"]
    assert section.status == 0
    told = {line.split("\t")[1] for line in section.text.splitlines() if line.startswith("file\t")}
    kept = Path("/usr/lib/systemd/system")
    there = {file.name for kind in ("service", "socket", "timer") for file in kept.glob(f"*.{kind}")}
    if there:
        assert there <= told
