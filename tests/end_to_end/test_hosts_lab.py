"""Real hosts over SSH: a bad one of which everything is told, a clean one of which nothing false is told.

BusyBox with Dropbear, an rpm database and other releases answer the same script.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from checks.facts.host.packages import Packages
from checks.facts.host.system import OperatingSystem
from checks.facts.snapshot import Snapshot
from checks.model import Finding, Outcome
from tests.lab.hosts import Lab, lab
from tests.lab.hosts_kinds import RPMS
from tests.lab.planted import PLANTINGS, bad_host, clean_host
from tests.proofs.proving import facts, judged

pytestmark = pytest.mark.real

NOT_THE_HOSTS: dict[str, str] = {
    "host.audit.boot": "the kernel's command line is the machine's",
    "host.audit.daemon": "the audit of the kernel is the machine's; no daemon can run in a host",
    "host.boot.processor-flaws": "the processor is the machine's",
    "host.boot.parameters": "the kernel's command line is the machine's",
    "host.kernel.mandatory-access": "the kernel is the machine's",
    "host.services.time-sync": "the clock is the machine's",
    "host.integrity.malware-scanner": "a matter of policy; none is installed",
    "host.sudo.no-password": "the scanner's own account, which a waiver names",
    "host.sudo-rules.wildcards": "the scanner's own account, which a waiver names",
    "host.sudo-rules.shell-escape": "the scanner's own account, which a waiver names",
    "host.sudo-rules.open-places": "the scanner's own account, which a waiver names",
}
"""What may fail on the clean host, and why it is no false failure."""


@pytest.fixture(scope="module")
def net() -> Iterator[Lab]:
    with lab() as made:
        yield made


@pytest.fixture(scope="module")
def bad(net: Lab) -> Snapshot:
    return bad_host(net).scan(facts())


@pytest.fixture(scope="module")
def clean(net: Lab) -> Snapshot:
    return clean_host(net).scan(facts())


def failing(snapshot: Snapshot) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = {}
    for one in judged(snapshot).values():
        if one.outcome is Outcome.FAIL:
            found.setdefault(one.check, []).append(one)
    return found


def test_everything_that_is_planted_is_told(bad: Snapshot) -> None:
    told = failing(bad)
    missed = [f"{one.topic} ({one.expects})" for one in PLANTINGS if one.expects not in told]
    assert len(PLANTINGS) >= 80
    assert not missed, "not told: " + ", ".join(missed)


def test_no_check_stops_on_a_real_host(bad: Snapshot, clean: Snapshot) -> None:
    stopped = [
        f"{one.check}: {one.reason}"
        for snapshot in (bad, clean)
        for one in judged(snapshot).values()
        if one.outcome is Outcome.ERROR
    ]
    assert not stopped


def test_nothing_false_is_told_of_a_clean_host(clean: Snapshot) -> None:
    false = [
        f"{one.check} on {one.on}: {one.saw}"
        for check, found in failing(clean).items()
        if check not in NOT_THE_HOSTS
        for one in found
    ]
    assert not false, "\n".join(false)


def test_a_clean_host_is_told_to_be_clean(clean: Snapshot) -> None:
    passed = [one for one in judged(clean).values() if one.outcome is Outcome.PASS]
    assert len(passed) >= 250


def test_no_planted_secret_leaves_the_host(bad: Snapshot) -> None:
    everything = repr(bad) + repr(judged(bad))
    assert "Canary" not in everything


@pytest.mark.parametrize("login", ["plain", "root"])
def test_a_busybox_host_answers(net: Lab, login: str) -> None:
    host = net.host("busybox", login="plain" if login == "plain" else "root")
    snapshot = host.scan(facts())
    assert [one for one in snapshot.identities if one.startswith("machine-id:")]
    system = snapshot.facts["OperatingSystem"]
    assert isinstance(system, OperatingSystem)
    not_understood = [gap for gap in snapshot.gaps if "not understood" in gap.reason]
    assert not not_understood
    outcomes = {str(one.outcome) for one in judged(snapshot).values()}
    assert "error" not in outcomes


def test_an_rpm_database_is_read(net: Lab) -> None:
    snapshot = net.host("rpm").scan(facts())
    packages = snapshot.facts["Packages"]
    assert isinstance(packages, Packages)
    assert {name for name, _, _ in RPMS} <= {one.name for one in packages.packages}
    assert not [gap for gap in snapshot.gaps if "not understood" in gap.reason]


@pytest.mark.parametrize("release", ["bullseye", "trixie"])
def test_the_release_before_and_the_one_after_answer(net: Lab, release: str) -> None:
    snapshot = net.host(release).scan(facts())
    assert not [gap for gap in snapshot.gaps if "not understood" in gap.reason]
    assert [one for one in judged(snapshot).values() if one.outcome is Outcome.PASS]


def test_a_login_without_rights_passes_nothing_that_it_cannot_see(net: Lab) -> None:
    """The same bad host as root and without: nothing turns from failed to passed."""
    plantings = [one for one in PLANTINGS if "sshd" not in one.topic and one.expects != "host.ssh-keys.files"]
    host = bad_host(net, plantings, login="plain", name="bad-plain")
    seen, whole = judged(host.scan(facts())), judged(host.look(facts()))
    wrong = [
        key
        for key, one in seen.items()
        if one.outcome is Outcome.PASS and key in whole and whole[key].outcome is Outcome.FAIL
    ]
    assert not wrong


def test_sixty_four_hosts_stand_in_seconds(net: Lab) -> None:
    began = time.monotonic()
    hosts = net.hosts(64)
    assert time.monotonic() - began < 60
    ids = {host.path("/etc/machine-id").read_text() for host in hosts}
    keys = {host.path("/etc/ssh/ssh_host_ed25519_key.pub").read_text() for host in hosts}
    assert len(ids) == len(keys) == 64


def test_a_host_cannot_change_the_machine(net: Lab) -> None:
    host = net.host("bookworm")
    assert host.run("sysctl -w kernel.domainname=changed", check=False).status != 0
    assert host.run("ip route add default via 10.77.0.1 && ping -c 1 -W 1 192.0.2.1", check=False).status != 0
    assert host.run("date -s 2001-01-01", check=False).status != 0


def test_nothing_is_left_when_the_lab_is_killed(tmp_path: Path) -> None:
    script = (
        "import time\nfrom tests.lab.hosts import lab\n"
        "with lab() as net:\n    print(net.host('bookworm').pid, flush=True)\n    time.sleep(60)\n"
    )
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        text=True,
        env=env,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    pid = int(process.stdout.readline())
    assert Path(f"/proc/{pid}").exists()
    process.kill()
    process.wait(10)
    until = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < until:
        time.sleep(0.1)
    assert not Path(f"/proc/{pid}").exists()
    assert str(tmp_path) not in Path("/proc/mounts").read_text()
