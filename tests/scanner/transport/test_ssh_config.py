"""The OpenSSH client configuration, and the jump hosts that it names: against what `ssh -G` says."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from scanner.collect.collector import CollectError, Failure
from scanner.transport.ssh_access import SshAccess, resolved
from scanner.transport.ssh_config import read_ssh_config
from scanner.transport.ssh_config_file import SshConfigError
from tests.lab.parts import program


def written(folder: Path, text: str, name: str = "config") -> Path:
    file = folder / name
    file.write_text(text)
    file.chmod(0o600)
    return file


def by_openssh(config: Path, host: str) -> dict[str, list[str]]:
    """What the real client makes of it."""
    done = subprocess.run(
        [program("ssh"), "-F", str(config), "-G", host], check=True, capture_output=True, text=True
    )
    found: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        key, _, value = line.partition(" ")
        found.setdefault(key, []).append(value)
    return found


CASES = [
    "Host web\n  Port 2222\n  User me\nHost *\n  Port 23\n  User other\n",
    "Host *\n  User first\nHost web\n  User second\n",
    "Host *.example !db.example\n  Port 2201\nHost web db.example\n  Port 2202\n",
    "Host !web *\n  Port 2203\n",
    "Host w?b\n  Port 2204\n",
    "Host w[e]b\n  Port 2205\n",
    "Port=2206\nUser = me\n",
    'Host "web" # a comment\n  User "some"\n',
    "Host web\n  HostName %h.example\n  Port 2207\nMatch host web.example\n  User matched\n",
    "Match originalhost web user nobody\n  Port 2208\n",
    "User nobody\nMatch originalhost web user nobody\n  Port 2209\n",
    "Match !originalhost web\n  Port 2210\nMatch all\n  Port 2211\n",
    "Host web\n  HostName final.example\nMatch final host final.example\n  Port 2212\n",
    "Match localuser root,!web\n  Port 2213\n",
    "Host WEB\n  Port 2214\n",
    "HOST web\n  pOrT 2215\n",
]


@pytest.mark.real
@pytest.mark.parametrize("host", ["web", "db.example", "a.example"])
@pytest.mark.parametrize("text", CASES)
def test_it_is_read_as_the_real_client_reads_it(tmp_path: Path, text: str, host: str) -> None:
    config = written(tmp_path, text)
    ours, theirs = read_ssh_config(config).lookup(host), by_openssh(config, host)
    assert str(ours.port or 22) == theirs["port"][0]
    assert (ours.host_name or host) == theirs["hostname"][0]
    if ours.user:
        assert ours.user == theirs["user"][0]
    else:
        assert theirs["user"] == ["root"]


@pytest.mark.real
def test_keys_certificates_and_the_rest_are_read_as_the_real_client_reads_them(tmp_path: Path) -> None:
    config = written(
        tmp_path,
        "Host web\n  IdentityFile ~/one\n  IdentityFile /keys/%h-%r-%p-%n%%\n"
        "  CertificateFile ~/one-cert.pub\n"
        "  HostKeyAlias alias\n  UserKnownHostsFile /a /b\n  IdentitiesOnly yes\n"
        "Host *\n  IdentityFile /three\n  IdentityFile ~/one\n  HostName 192.0.2.1\n  User u\n  Port 24\n",
    )
    ours, theirs = read_ssh_config(config).lookup("web"), by_openssh(config, "web")
    assert [str(one) for one in ours.identity_files] == [
        str(Path(one).expanduser()) for one in ("~/one", "/keys/192.0.2.1-u-24-web%", "/three")
    ]
    # The real one repeats what is named twice.
    assert theirs["identityfile"][0] == "~/one"
    assert theirs["hostkeyalias"] == [ours.alias] == ["alias"]
    assert theirs["userknownhostsfile"] == [" ".join(map(str, ours.known_hosts))]
    assert [str(one) for one in ours.certificate_files] == [str(Path("~/one-cert.pub").expanduser())]
    assert ours.identities_only


def test_an_include_counts_only_where_it_stands(tmp_path: Path) -> None:
    inner = written(tmp_path, "User inner\nHost db\n  Port 2301\nHost *\n  Port 2302\n", "inner")
    config = written(
        tmp_path, f"Host web db\n  Include {inner}\n  IdentityFile /outer\nHost *\n  Port 2303\n"
    )
    read = read_ssh_config(config)
    assert (read.lookup("web").user, read.lookup("web").port) == ("inner", 2302)
    assert (read.lookup("db").port, read.lookup("db").identity_files) == (2301, (Path("/outer"),))
    assert (read.lookup("other").user, read.lookup("other").port) == ("", 2303)
    assert read_ssh_config(written(tmp_path, f"Include {tmp_path}/none*\nPort 25\n")).lookup("x").port == 25


def test_an_include_of_itself_ends(tmp_path: Path) -> None:
    config = written(tmp_path, f"Include {tmp_path}/config\n")
    with pytest.raises(SshConfigError, match="too deep"):
        read_ssh_config(config)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('Match exec "touch {mark}"\n  Port 1\n', "no command is run"),
        ('Match host web exec "touch {mark}"\n  Port 1\n', "no command is run"),
        ("Host web\n  ProxyCommand touch {mark}\n", "write ProxyJump"),
        ("CanonicalizeHostname yes\n", "CanonicalizeHostname"),
        ("Match localnetwork 10.0.0.0/8\n  Port 1\n", "localnetwork"),
        ("Host web\n  Port 70000\n", "a port is"),
        ("Host web\n  Port 0\n", "a port is"),
        ("Host web\n  User\n", "a keyword and its value"),
        ('Host "web\n', "quotes"),
        ("IdentityFile %Z\n", "%Z"),
        ("IdentityFile ${{NOT_SET_ANYWHERE}}\n", "NOT_SET_ANYWHERE"),
        ("ProxyJump a;id\n", "ProxyJump"),
    ],
)
def test_what_is_not_done_is_refused_in_one_line(tmp_path: Path, text: str, says: str) -> None:
    mark = tmp_path / "ran"
    config = written(tmp_path, text.format(mark=mark))
    with pytest.raises(CollectError) as caught:
        resolved(SshAccess("web", config=config))
    assert caught.value.failure is Failure.CREDENTIALS
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not mark.exists()


def test_what_is_refused_hinders_only_the_hosts_it_is_for(tmp_path: Path) -> None:
    text = (
        'Match host other exec "false"\n  Port 1\nHost other\n  ProxyCommand x\nHost *\n  ProxyCommand none\n'
    )
    assert read_ssh_config(written(tmp_path, text)).lookup("web").port == 0


@pytest.mark.parametrize("mode", [0o622, 0o606])
def test_a_file_that_others_may_change_is_refused(tmp_path: Path, mode: int) -> None:
    config = written(tmp_path, "Port 22\n")
    config.chmod(mode)
    with pytest.raises(SshConfigError, match="chmod go-w"):
        read_ssh_config(config)


def jumps(folder: Path, text: str, **given: object) -> list[str]:
    access = resolved(SshAccess("web", config=written(folder, text), **given))  # type: ignore[arg-type]
    return [f"{one.user}@{one.name}" for one in access.jumps]


def test_jumps_are_followed_as_the_real_client_does(tmp_path: Path) -> None:
    bastion = "Host bastion\n  HostName 192.0.2.9\n  Port 2022\n  User jump\n  IdentityFile /dev/null\n"
    assert jumps(tmp_path, "Host web\n  ProxyJump bastion\n" + bastion) == ["jump@192.0.2.9:2022"]
    assert jumps(tmp_path, "Host web\n  ProxyJump me@bastion:22\n" + bastion) == ["me@192.0.2.9:2022"]
    assert jumps(tmp_path, "Host web\n  ProxyJump none\nHost *\n  ProxyJump bastion\n" + bastion) == []
    assert jumps(tmp_path, "ProxyJump a,ssh://u@b:23\n", user="x") == ["x@a:22", "u@b:23"]
    # A jump host's own way counts for the first of the chain.
    chain = "Host web\n  ProxyJump a,b\nHost a\n  ProxyJump c\nHost b\n  ProxyJump d\n"
    assert jumps(tmp_path, chain, user="u") == ["u@c:22", "u@a:22", "u@b:22"]
    # `Host *` names the jump host for itself, too.
    assert jumps(tmp_path, "Host *\n  ProxyJump bastion\n" + bastion) == ["jump@192.0.2.9:2022"]


def test_jumps_in_a_circle_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CollectError, match="in a circle"):
        jumps(tmp_path, "Host web\n  ProxyJump a\nHost a\n  ProxyJump b\nHost b\n  ProxyJump a\n")


def test_a_jump_has_its_own_keys_and_else_those_of_the_target(tmp_path: Path) -> None:
    own, other = written(tmp_path, "", "own"), written(tmp_path, "", "other")
    text = f"Host web\n  ProxyJump a,b\nHost a\n  IdentityFile {own}\n"
    access = resolved(SshAccess("web", key_files=(other,), config=written(tmp_path, text)))
    assert [one.key_files for one in access.jumps] == [(own,), (other,)]
    assert access.key_files == (other,)
