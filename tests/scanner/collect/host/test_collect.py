"""A whole look at a host: this machine, a host over SSH, and what a person ran by hand."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.facts.host.accounts import Accounts, Passwords
from checks.facts.host.files import FileModes, OpenPaths
from checks.facts.host.firewall import Firewall
from checks.facts.host.kernel import MandatoryAccess, Sysctls
from checks.facts.host.services import ListeningServices, TimeKeeping
from checks.facts.host.sshd import Sshd
from checks.facts.host.sudoers import Sudoers
from checks.facts.host.system import OperatingSystem
from checks.facts.host.updates import PendingUpdates, RebootState
from checks.facts.network import OpenPorts
from checks.facts.snapshot import Fact, Snapshot, decode, encode
from checks.model import Kind, Target
from scanner.collect.collector import CollectError, Context, Failure
from scanner.collect.host.collect import PROBES, collect, parse_output, permissions, script_for
from scanner.needs import sudoers
from tests.lab.parts import program
from tests.lab.ssh import LabServer, running_dropbear, running_sshd

RECORDINGS = Path(__file__).parents[3] / "recordings" / "host"
EVERYTHING: frozenset[type[Fact]] = frozenset(fact for probe in PROBES for fact in probe.facts)
HERE = Target(Kind.HOST, "here", "local", zone="lab")
AT = "2026-11-23T18:00:00Z"


def recorded(name: str, wanted: frozenset[type[Fact]] = EVERYTHING) -> Snapshot:
    return parse_output(HERE, wanted, (RECORDINGS / f"{name}.txt").read_bytes(), AT)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    planted = "PermitRootLogin yes\nX11Forwarding yes\nMatch User deploy\n  PasswordAuthentication yes\n"
    with running_sshd(tmp_path_factory.mktemp("sshd"), planted) as running:
        yield running


@pytest.mark.real
def test_a_whole_host_over_ssh(server: LabServer) -> None:
    progress: list[tuple[int, int]] = []
    context = Context(progress=lambda done, total: progress.append((done, total)))
    target = Target(Kind.HOST, "web-1", "ssh://root@127.0.0.1", zone="dmz")
    seen = collect(target, EVERYTHING, server.access(), context)
    assert progress == [(0, 1), (1, 1)]
    assert seen.target == target
    hidden = {gap.fact for gap in seen.gaps} | {one.fact for one in seen.absences}
    assert {fact.__name__ for fact in EVERYTHING} <= set(seen.facts) | hidden
    sshd = seen.facts["Sshd"]
    assert isinstance(sshd, Sshd)
    [mine] = [one for one in sshd.servers if server.port in one.ports]
    assert mine.config == str(server.config)
    assert mine.running
    assert not mine.system
    assert mine.settings[0].permit_root_login == "yes"
    assert mine.settings[0].x11_forwarding
    assert [(one.condition, one.user) for one in mine.settings[1:]] == [("Match User deploy", "deploy")]
    listening = seen.facts["ListeningServices"]
    assert isinstance(listening, ListeningServices)
    assert ("127.0.0.1", server.port, "sshd") in {(o.address, o.port, o.program) for o in listening.listeners}
    assert f"ssh-host-key:{server.fingerprint}" in seen.identities
    assert seen.identities[0].startswith(("machine-id:", "ssh-host-key:"))
    assert not set(seen.addresses) & {"127.0.0.1", "::1"}
    assert server.logged("Starting session: command") == 1


@pytest.mark.real
def test_this_machine_is_the_same_host_without_ssh() -> None:
    seen = collect(HERE, frozenset({OperatingSystem, Accounts}), None, Context())
    assert set(seen.facts) == {"OperatingSystem", "Accounts"}
    assert seen.gaps == ()
    assert seen.addresses[-2:] == ("127.0.0.1", "::1")
    release = dict(
        line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line
    )
    system = seen.facts["OperatingSystem"]
    assert isinstance(system, OperatingSystem)
    assert system.id == release["ID"].strip('"')
    accounts = seen.facts["Accounts"]
    assert isinstance(accounts, Accounts)
    passwd = [line.split(":")[0] for line in Path("/etc/passwd").read_text().splitlines()]
    assert [account.name for account in accounts.accounts] == passwd


@pytest.mark.real
def test_no_hash_leaves_the_host(tmp_path: Path) -> None:
    canary = "$6$canarysalt$canaryhash"
    (tmp_path / "shadow").write_text(
        f"root:{canary}:19000:0:99999:7:::\nbob::19000:0:99999:7:::\nold:abcdefghijklm:1::::::\n"
    )
    script = tmp_path / "script"
    script.write_text(script_for(frozenset({Passwords})))
    inside = f"mount --bind {tmp_path}/shadow /etc/shadow && exec sh -s <{script}"
    done = subprocess.run(["unshare", "--mount", "sh", "-c", inside], capture_output=True, check=True)
    assert b"canary" not in done.stdout + done.stderr
    fact = parse_output(HERE, frozenset({Passwords}), done.stdout, AT).facts["Passwords"]
    assert isinstance(fact, Passwords)
    assert [(p.name, p.state.value, p.scheme) for p in fact.passwords] == [
        ("root", "set", "sha512"),
        ("bob", "empty", ""),
        ("old", "set", "des"),
    ]


@pytest.mark.real
def test_a_bare_container_leaves_gaps_and_never_a_crash(tmp_path: Path) -> None:
    root = tmp_path / "root"
    for folder in ("bin", "etc", "proc", "tmp", "lib64", "dev"):
        (root / folder).mkdir(parents=True)
    (root / "dev" / "null").touch()
    busybox = program("busybox")
    linked = subprocess.run(["ldd", busybox], capture_output=True, text=True, check=False).stdout
    for library in [word for word in linked.split() if word.startswith("/")]:
        copy = root / library.lstrip("/")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, copy)
    shutil.copy(busybox, root / "bin" / "busybox")
    (root / "etc" / "passwd").write_text("root:x:0:0::/:/bin/sh\n")
    inside = (
        f"mount -t proc proc {root}/proc && cd {root} && mount --bind /dev/null dev/null && "
        f"chroot . /bin/busybox --install -s /bin && exec chroot . /bin/sh -s"
    )
    done = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "sh", "-c", inside],
        input=script_for(EVERYTHING).encode(),
        capture_output=True,
        check=True,
        timeout=60,
    )
    seen = parse_output(HERE, EVERYTHING, done.stdout, AT)
    gaps = {gap.fact: gap.reason for gap in seen.gaps}
    absences = {one.fact: one.reason for one in seen.absences}
    assert {fact.__name__ for fact in EVERYTHING} == set(seen.facts) | set(gaps) | set(absences)
    assert {"Sshd", "Passwords", "Sudoers", "Pam", "RescueShells"} <= set(absences)
    # Nothing is said to be absent and hidden at once.
    assert not set(absences) & set(gaps)
    assert "no OpenSSH server is installed" in absences["Sshd"]
    assert "os-release" in gaps["OperatingSystem"]
    assert "none of apt, dnf, zypper and apk" in gaps["PendingUpdates"]
    firewall = seen.facts["Firewall"]
    assert isinstance(firewall, Firewall)
    assert (firewall.tools, firewall.chains) == ((), ())


@pytest.mark.real
def test_the_dropbear_of_a_small_host_is_not_taken_for_no_ssh(tmp_path: Path) -> None:
    with running_dropbear(tmp_path) as dropbear:
        seen = collect(HERE, frozenset({Sshd}), dropbear.access(), Context())
    assert "Dropbear serves SSH here; its options are not read" in {gap.reason for gap in seen.gaps}
    assert seen.absences == ()


@pytest.mark.real
@pytest.mark.parametrize("sshd_lines", ["ForceCommand echo only this"])
def test_a_login_that_runs_something_else_is_an_error_of_the_target(tmp_path: Path, sshd_lines: str) -> None:
    with running_sshd(tmp_path, sshd_lines) as forced, pytest.raises(CollectError) as caught:
        collect(HERE, frozenset({Accounts}), forced.access(), Context())
    assert caught.value.failure is Failure.PROTOCOL
    assert "only this" in str(caught.value)


@pytest.mark.real
def test_what_a_person_ran_by_hand_gives_the_same_facts(tmp_path: Path) -> None:
    wanted: frozenset[type[Fact]] = frozenset({Accounts, Sysctls, FileModes})
    file = tmp_path / "by-hand.sh"
    file.write_text(script_for(wanted))
    output = subprocess.run(["sh", str(file)], capture_output=True, check=True).stdout
    assert parse_output(HERE, wanted, output, AT).facts == collect(HERE, wanted, None, Context()).facts


def test_debian() -> None:
    seen = recorded("debian-12")
    assert seen.gaps == ()
    absences = {one.fact for one in seen.absences}
    assert set(seen.facts) | absences == {fact.__name__ for fact in EVERYTHING}
    assert absences == {
        *("AppArmorProfiles", "AuditRuleFiles", "AuditSettings", "BootMenu", "DockerContainers"),
        *("DockerDaemon", "LivePatching", "LoadedAuditRules", "MongoDb", "MySql", "NfsExports"),
        *("PaidSupport", "ProxyAccess", "Samba", "SearchEngine", "SnmpAgent", "WebServers"),
    }
    updates = seen.facts["PendingUpdates"]
    assert isinstance(updates, PendingUpdates)
    assert updates.security_source
    assert updates.lists_at == "2026-11-22T02:09:05Z"
    assert any(one.security for one in updates.pending)
    assert not all(one.security for one in updates.pending)
    firewall = seen.facts["Firewall"]
    assert isinstance(firewall, Firewall)
    assert [(c.family, c.policy, c.rules, c.rest) for c in firewall.chains] == [("inet", "drop", 5, "refuse")]
    assert seen.addresses == ("198.51.100.12",)
    assert "address:lab/198.51.100.12" in seen.identities


def test_ubuntu_with_everything_planted() -> None:
    seen = recorded("ubuntu-24.04")
    assert seen.addresses == ("10.20.0.14", "172.17.0.1")
    assert "address:lab/172.17.0.1" not in seen.identities
    sshd = seen.facts["Sshd"]
    assert isinstance(sshd, Sshd)
    assert [(s.ports, s.system, len(s.settings)) for s in sshd.servers] == [
        ((22,), True, 2),
        ((2222,), False, 1),
    ]
    assert sshd.servers[0].settings[0].permit_root_login == "prohibit-password"
    assert sshd.servers[0].settings[1].condition == "Match Address 10.0.0.0/8"
    sudo = seen.facts["Sudoers"]
    assert isinstance(sudo, Sudoers)
    assert [rule.who for rule in sudo.rules if rule.no_password] == ["OPS", "ubuntu"]
    assert "/etc/sudoers.local" in {gap.where for gap in seen.gaps if gap.fact == "Sudoers"}
    firewall = seen.facts["Firewall"]
    assert isinstance(firewall, Firewall)
    assert {c.family: c.rest for c in firewall.chains} == {"ip": "refuse", "ip6": "accept"}
    updates = seen.facts["PendingUpdates"]
    assert isinstance(updates, PendingUpdates)
    assert [one.package for one in updates.pending if one.held] == ["openssl"]
    reboot = seen.facts["RebootState"]
    assert isinstance(reboot, RebootState)
    assert reboot.requested_by == ("linux-image-6.8.0-101-generic", "libc6")


def test_rhel_through_sudo() -> None:
    seen = recorded("rhel-9")
    mandatory = seen.facts["MandatoryAccess"]
    assert mandatory == MandatoryAccess("absent", "enforcing", "permissive", "")
    updates = seen.facts["PendingUpdates"]
    assert isinstance(updates, PendingUpdates)
    assert {one.package for one in updates.pending if one.security} == {"openssl", "python3-libs"}
    firewall = seen.facts["Firewall"]
    assert isinstance(firewall, Firewall)
    assert [(c.policy, c.rest) for c in firewall.chains] == [("accept", "refuse")]
    time = seen.facts["TimeKeeping"]
    assert isinstance(time, TimeKeeping)
    assert time.answer == "synchronised"
    sysctls = seen.facts["Sysctls"]
    assert isinstance(sysctls, Sysctls)
    assert sysctls.unread == ("fs.protected_hardlinks",)
    reasons = {gap.fact: gap.reason for gap in seen.gaps}
    assert set(reasons) == {"IntegrityTools", "OpenPaths", "UnownedPaths", "PrivilegedFiles"}
    assert reasons["OpenPaths"] == "the search was stopped after 15 s"
    assert isinstance(seen.facts["OpenPaths"], OpenPaths)


def test_alpine_without_root_and_with_a_lost_end() -> None:
    seen = recorded("alpine-3.20")
    gaps = {gap.fact: gap for gap in seen.gaps}
    assert set(gaps) == {
        *("AuthorizedKeys", "CapableFiles", "Certificates", "Firewall", "KeyFiles", "ListeningPrograms"),
        *("Logins", "OpenPaths", "PackagedPrograms", "Passwords", "PrivateKeys", "PrivilegedFiles"),
        *("SavedFirewall", "Sshd", "SshdStarts", "StalePrograms", "TrustFiles", "UnownedPaths"),
        "WebServers",
    }
    assert gaps["Passwords"].needs == "sudo: /usr/bin/cat /etc/shadow"
    assert "needs root; the login has uid 1000, no root" in gaps["Firewall"].reason
    assert "nft -s list ruleset" in gaps["Firewall"].needs
    assert "sshd -T" in gaps["Sshd"].needs
    assert "cut off" in gaps["OpenPaths"].reason
    absences = {one.fact for one in seen.absences}
    assert {"Sudoers", "Pam", "RescueShells"} <= absences
    assert not absences & set(gaps)
    assert seen.identities == ("address:lab/10.40.0.3",)


@pytest.mark.parametrize("name", sorted(file.stem for file in RECORDINGS.glob("*.txt")))
def test_a_snapshot_is_stored_and_read_again(name: str) -> None:
    seen = recorded(name)
    types = {fact.__name__: fact for fact in EVERYTHING}
    assert decode(encode(seen), types) == seen


@given(st.data())
def test_a_cut_recording_never_changes_a_fact(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["debian-12", "ubuntu-24.04", "rhel-9", "opensuse-leap-15.6"]))
    whole = (RECORDINGS / f"{name}.txt").read_bytes()
    cut = data.draw(st.integers(min_value=0, max_value=len(whole)))
    try:
        seen = parse_output(HERE, EVERYTHING, whole[:cut], AT)
    except CollectError:
        return
    full = recorded(name)
    for fact, value in seen.facts.items():
        assert full.facts[fact] == value
    for fact in full.facts:
        assert fact in seen.facts or fact in {gap.fact for gap in seen.gaps}


@pytest.mark.parametrize(
    ("more", "status", "words"),
    [
        ("x" * 2_000_000, 0, "larger than 1,048,576 bytes"),
        ("", 124, "was stopped after 10 s"),
        ("", 137, "was stopped after 10 s"),
        ("", 1, "ended with status 1"),
        ("", 126, "needs root"),
    ],
)
def test_an_answer_that_is_not_whole_is_never_read(more: str, status: int, words: str) -> None:
    nonce = "0123456789abcdef" * 2
    text = "account\t7\troot\tshadow\t0\t0\t/root\t/bin/bash\n" + more
    output = f"#{nonce} bartizan 1 0 root\n#{nonce} begin accounts\n{text}\n#{nonce} end accounts {status}\n"
    seen = parse_output(HERE, frozenset({Accounts}), output.encode(), AT)
    assert seen.facts == {}
    assert [gap.fact for gap in seen.gaps] == ["Accounts"]
    assert words in seen.gaps[0].reason
    assert seen.identities == ("target:local",)


def test_only_the_wanted_is_asked_and_told() -> None:
    wanted = frozenset({Accounts})
    script = script_for(wanted)
    assert "/etc/passwd" in script
    assert "apt-get" not in script
    seen = recorded("debian-12", wanted)
    assert set(seen.facts) == {"Accounts"}
    assert {source.fact for source in seen.sources} == {"Accounts"}
    assert (seen.sources[0].how, seen.sources[0].at) == ("/etc/passwd and /etc/group", AT)


def test_a_fact_of_another_kind_is_a_gap() -> None:
    seen = recorded("debian-12", frozenset({Accounts, OpenPorts}))
    assert [(gap.fact, gap.reason) for gap in seen.gaps] == [
        ("OpenPorts", "no collector of hosts gives this fact")
    ]


def test_output_of_something_else_is_an_error() -> None:
    with pytest.raises(CollectError) as caught:
        parse_output(HERE, EVERYTHING, b"bash: sh: command not found\n", AT)
    assert caught.value.failure is Failure.PROTOCOL


def test_permissions_name_the_commands_and_what_they_serve() -> None:
    asked = {one.name: one.facts for one in permissions(frozenset({Passwords, Firewall, Accounts}))}
    assert asked == {
        "/usr/bin/cat /etc/shadow": ("Passwords",),
        "/usr/sbin/nft -s list ruleset": ("Firewall",),
        '/usr/sbin/iptables-save ""': ("Firewall",),
        '/usr/sbin/ip6tables-save ""': ("Firewall",),
    }


@pytest.mark.real
def test_exactly_these_permissions_are_enough_for_an_ordinary_login(tmp_path: Path) -> None:
    """The printed file goes to sudo as it is; then every fact of root is there."""
    rules = tmp_path / "sudoers"
    rules.write_text(sudoers(permissions(EVERYTHING), "nobody"))
    rules.chmod(0o440)
    subprocess.run([program("visudo"), "-cf", str(rules)], check=True, capture_output=True)
    script = tmp_path / "script"
    script.write_text(script_for(EVERYTHING))
    inside = (
        f"mount --bind {rules} /etc/sudoers && "
        "mount -t tmpfs none /etc/sudoers.d && chmod 750 /etc/sudoers.d && "
        f"exec setpriv --reuid=65534 --regid=65534 --clear-groups sh -s <{script}"
    )
    with running_sshd(tmp_path):
        done = subprocess.run(
            [program("unshare"), "--mount", "sh", "-c", inside],
            capture_output=True,
            check=True,
            timeout=90,
            cwd="/",
            stdin=subprocess.DEVNULL,
        )
    seen = parse_output(HERE, EVERYTHING, done.stdout, AT)
    # Homes elsewhere and the lab's own server are shown to no rule; what a rule could show is shown.
    assert not [gap for gap in seen.gaps if gap.needs.startswith("sudo: ")]
    hidden = {gap.fact for gap in seen.gaps}
    assert not hidden & {"Homes", "Histories", "StalePrograms", "KeyFiles", "BootMenu", "LoadedAuditRules"}
    assert {"Passwords", "Sudoers", "Firewall", "OpenPaths", "FileModes", "Sysctls"} <= set(seen.facts)
    modes, sysctls = seen.facts["FileModes"], seen.facts["Sysctls"]
    assert isinstance(modes, FileModes)
    assert isinstance(sysctls, Sysctls)
    assert modes.unread == ()
    assert sysctls.unread == ()
    assert {"/etc/shadow", "/etc/sudoers"} <= {file.path for file in modes.files}


def test_every_probe_has_a_topic_and_facts_of_its_own() -> None:
    topics = [probe.topic for probe in PROBES]
    facts = [fact for probe in PROBES for fact in probe.facts]
    assert len(set(topics)) == len(topics)
    assert len(set(facts)) == len(facts)


@pytest.mark.real
def test_match_lines_for_root_hide_nobody_else(tmp_path: Path) -> None:
    planted = (
        "PermitRootLogin no\nPasswordAuthentication yes\n"
        "Match User root\n  PasswordAuthentication no\n"
        "Match User nobody,root Address 10.0.0.0/8\n  PermitRootLogin yes\n"
        "Match Group adm*\n  X11Forwarding yes\n"
    )
    with running_sshd(tmp_path, planted) as running:
        seen = collect(HERE, frozenset({Sshd}), None, Context())
    sshd = seen.facts["Sshd"]
    assert isinstance(sshd, Sshd)
    [mine] = [one for one in sshd.servers if one.config == str(running.config)]
    found = {(one.condition, one.user): one for one in mine.settings}
    assert not found["", "root"].password_authentication
    assert found["logins of others than root", "somebody"].password_authentication
    assert found["Match User nobody,root Address 10.0.0.0/8", "root"].permit_root_login == "yes"
    assert f"{running.config}: Match Group adm*" in {gap.where for gap in seen.gaps}
