"""Keys around SSH: what the fragment sees on a planted machine, and what is made of its answers."""

from __future__ import annotations

import base64
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.facts.host.ssh_keys import AuthorizedKeys, HostKeys, PrivateKeys, TrustFiles
from checks.facts.snapshot import Fact
from scanner.collect.collector import Collected, Permission
from scanner.collect.host import ssh_keys
from scanner.collect.host.probe import ParseError
from scanner.collect.host.public_key import public_key
from scanner.collect.host.script import compose
from scanner.collect.host.sections import split
from scanner.needs import sudoers
from tests.lab.parts import program
from tests.lab.ssh import fingerprint_of, new_key

SHELLS = ("bash", "dash", "busybox")
NONCE = "0123456789abcdef" * 2
SECRET = "do-not-tell"
F = TypeVar("F", bound=Fact)

PLANT = r"""
set -e
mount -t tmpfs none /home; mount -t tmpfs none /root; mount --bind "$1/passwd" /etc/passwd
for user in ann bob eve; do mkdir -m 700 "/home/$user"; mkdir -m 700 "/home/$user/.ssh"; done
mkdir -m 700 /root/.ssh
cp "$1"/root_keys /root/.ssh/authorized_keys
cp "$1"/bob_keys /home/bob/.ssh/authorized_keys; chmod 664 /home/bob/.ssh/authorized_keys
cp "$1"/private/* /home/ann/.ssh/
ln -s /etc/shadow /home/eve/.ssh/authorized_keys
mkdir /home/ann/.ssh/more; cp "$1"/private/pem_open /home/ann/.ssh/more/deep
cp "$1"/private/pem_open /home/ann/.ssh/.hidden
ln -s /home/ann/.ssh/more /home/eve/.ssh/elsewhere; ln -s /proc/kmsg /home/eve/.ssh/never
ln -s /proc/kmsg /home/eve/.ssh/authorized_keys2
touch /home/bob/.rhosts
chown -R 2001 /home/ann; chown -R 2002 /home/bob; chown -Rh 2003 /home/eve
chmod 600 /home/ann/.ssh/* /home/ann/.ssh/.hidden; chmod 700 /home/ann/.ssh/more
chmod 644 /home/ann/.ssh/pem_open
cd /
"""


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is planted: three accounts, the keys that open them, and private keys of every form."""
    folder = tmp_path_factory.mktemp("planted")
    private = folder / "private"
    private.mkdir()
    people = "".join(
        f"{n}:x:{u}:{u}::/home/{n}:/bin/sh\n" for n, u in (("ann", 2001), ("bob", 2002), ("eve", 2003))
    )
    (folder / "passwd").write_text(
        f"root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/none:/bin/false\n{people}"
    )
    for name, options in {
        "ed_open": ["-t", "ed25519", "-N", ""],
        "id_ed25519": ["-t", "ed25519", "-N", SECRET],
        "id_rsa": ["-t", "rsa", "-b", "1024", "-N", ""],
        "pem_open": ["-t", "rsa", "-b", "2048", "-m", "PEM", "-N", ""],
        "pem_shut": ["-t", "ecdsa", "-m", "PEM", "-N", SECRET],
        "pkcs8_open": ["-t", "ecdsa", "-m", "PKCS8", "-N", ""],
        "pkcs8_shut": ["-t", "ecdsa", "-m", "PKCS8", "-N", SECRET],
    }.items():
        target = private / name
        subprocess.run(
            [program("ssh-keygen"), "-q", *options, "-C", f"comment of {name}", "-f", str(target)], check=True
        )
        shutil.move(f"{target}.pub", folder / f"{name}.pub")
    (private / "notes").write_text(f"no key, but {SECRET}\n")
    ed, rsa = (folder / "ed_open.pub").read_text(), (folder / "id_rsa.pub").read_text()
    (folder / "root_keys").write_text(ed)
    (folder / "bob_keys").write_text(
        f"# a comment\n\n{rsa}"
        f'from="10.0.0.0/8,*.x",command="echo \\"{SECRET}\\" , x",no-pty {ed}'
        f'restrict,environment="A={SECRET}" {rsa}'
        f"{SECRET} is no key\n"
    )
    return folder


def run(planted: Path, shell: str, *, before: str = "", login: str = "") -> tuple[str, Collected]:
    """The answer of the fragment inside of the planted machine, as root or through `login`."""
    script = planted / "script"
    script.write_text(compose([ssh_keys.PROBE], NONCE, shell))
    inside = f"{PLANT}\n{before}\nexec {login} {shell} -s <{script}"
    done = subprocess.run(
        [program("unshare"), "--mount", "sh", "-c", inside, "sh", str(planted)],
        capture_output=True,
        check=True,
        timeout=60,
    )
    section = split(done.stdout, NONCE).sections["ssh-keys"]
    assert section.status == 0
    assert SECRET not in section.text
    return section.text, ssh_keys.parse(section.text)


def one(seen: Collected, kind: type[F]) -> F:
    [found] = [fact for fact in seen.facts if isinstance(fact, kind)]
    return found


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> str:
    return f"{program('busybox')} sh" if request.param == "busybox" else program(request.param)


NOBODY = "setpriv --reuid=65534 --regid=65534 --clear-groups"


@pytest.mark.real
def test_what_root_sees_on_every_shell(planted: Path, shell: str) -> None:
    _, seen = run(planted, shell)
    keys = one(seen, AuthorizedKeys)
    ed, rsa = fingerprint_of(planted / "ed_open.pub"), fingerprint_of(planted / "id_rsa.pub")
    bob = "/home/bob/.ssh/authorized_keys"
    assert [(k.account, k.file, k.line, k.fingerprint, k.kind, k.bits) for k in keys.keys] == [
        ("root", "/root/.ssh/authorized_keys", 1, ed, "ed25519", 256),
        ("bob", bob, 3, rsa, "rsa", 1024),
        ("bob", bob, 4, ed, "ed25519", 256),
        ("bob", bob, 5, rsa, "rsa", 1024),
    ]
    assert [(k.options, k.origin) for k in keys.keys[2:]] == [
        (("from=", "command=", "no-pty"), "10.0.0.0/8,*.x"),
        (("restrict", "environment="), ""),
    ]
    assert keys.keys[0].comment == "comment of ed_open"
    assert keys.patterns == (".ssh/authorized_keys", ".ssh/authorized_keys2")
    modes = {file.path: file.mode for file in keys.files}
    assert modes[bob] == "0664"
    assert [(file.account, file.path) for file in one(seen, TrustFiles).files] == [
        ("bob", "/home/bob/.rhosts")
    ]
    assert {(gap.fact, gap.where) for gap in seen.gaps} == {
        ("AuthorizedKeys", bob),
        ("AuthorizedKeys", "/home/eve/.ssh/authorized_keys"),
    }


@pytest.mark.real
def test_a_link_to_a_file_of_root_tells_nothing_of_it(planted: Path) -> None:
    text, _ = run(planted, program("dash"))
    for line in Path("/etc/shadow").read_text().splitlines():
        assert line not in text


@pytest.mark.real
def test_the_head_of_a_private_key_says_whether_it_is_guarded(planted: Path, shell: str) -> None:
    text, seen = run(planted, shell)
    found = {key.path.rpartition("/")[2]: (key.kind, key.encrypted) for key in one(seen, PrivateKeys).keys}
    assert found == {
        "ed_open": ("ed25519", False),
        "id_ed25519": ("", True),
        "id_rsa": ("rsa", False),
        "pem_open": ("rsa", False),
        "pem_shut": ("ecdsa", True),
        "pkcs8_open": ("", False),
        "pkcs8_shut": ("", True),
        "deep": ("rsa", False),
        ".hidden": ("rsa", False),
    }
    assert {key.path.split("/")[2] for key in one(seen, PrivateKeys).keys} == {"ann"}
    assert {key.mode for key in one(seen, PrivateKeys).keys} == {"0600", "0644"}
    # Not one line of a key leaves the host; of its second line, what stands before all that is secret.
    for path in (planted / "private").iterdir():
        for line in filter(None, path.read_text().splitlines()[1:-1]):
            assert line not in text or line.startswith("b3BlbnNzaC1rZXktdjEAAAAABG5vbmUA")


@pytest.mark.real
def test_an_ordinary_login_is_told_which_homes_it_did_not_see(planted: Path, shell: str) -> None:
    _, seen = run(planted, shell, login=NOBODY)
    assert one(seen, AuthorizedKeys).keys == ()
    hidden = {(gap.fact, gap.where): gap.needs for gap in seen.gaps}
    for home in ("/home/ann", "/home/bob", "/root"):
        assert ("AuthorizedKeys", f"{home}/.ssh/authorized_keys") in hidden
    assert hidden["PrivateKeys", "/home/ann"].startswith("sudo: /usr/bin/find /home /root ")
    assert ("TrustFiles", "/home/bob") in hidden
    assert one(seen, HostKeys).keys


@pytest.mark.real
def test_sudo_opens_the_homes_with_the_printed_rules_and_no_link(planted: Path, tmp_path: Path) -> None:
    asked = [Permission("sudo", command, ()) for command in ssh_keys.PROBE.privileges]
    rules = tmp_path / "sudoers"
    rules.write_text(sudoers(asked, "nobody"))
    rules.chmod(0o440)
    subprocess.run([program("visudo"), "-cf", str(rules)], check=True, capture_output=True)
    before = f"mount --bind {rules} /etc/sudoers; mount -t tmpfs none /etc/sudoers.d"
    text, seen = run(planted, program("dash"), before=before, login=NOBODY)
    assert "searched\tlogin" in text
    keys = one(seen, AuthorizedKeys)
    assert sorted((key.account, key.line) for key in keys.keys) == [
        ("bob", 3),
        ("bob", 4),
        ("bob", 5),
        ("root", 1),
    ]
    assert {key.comment for key in keys.keys} == {"comment of ed_open", "comment of id_rsa"}
    assert [file.path for file in one(seen, TrustFiles).files] == ["/home/bob/.rhosts"]
    private = one(seen, PrivateKeys)
    assert private.by_name
    assert {(key.path, key.kind, key.encrypted) for key in private.keys} == {
        ("/home/ann/.ssh/id_ed25519", "", True),
        ("/home/ann/.ssh/id_rsa", "rsa", False),
    }
    # Behind a link root may not look for this login.
    assert {gap.where for gap in seen.gaps} == {
        "/home/eve/.ssh/authorized_keys",
        "/home/eve/.ssh/authorized_keys2",
    }


@pytest.mark.real
def test_the_rules_for_sudo_show_no_other_file(planted: Path, tmp_path: Path) -> None:
    asked = [Permission("sudo", command, ()) for command in ssh_keys.PROBE.privileges]
    rules = tmp_path / "sudoers"
    rules.write_text(sudoers(asked, "nobody"))
    rules.chmod(0o440)
    for bad in (
        "sudo -n find /etc -name shadow",
        "sudo -n find /home /root -maxdepth 3 -type f -exec cat {} +",
        "sudo -n find /home /root -maxdepth 3 ( -name .rhosts -o -name .shosts ) -exec id +",
    ):
        quoted = bad.replace("(", "\\(").replace(")", "\\)")
        inside = (
            f"mount --bind {rules} /etc/sudoers; mount -t tmpfs none /etc/sudoers.d; cd /; {NOBODY} {quoted}"
        )
        done = subprocess.run(
            [program("unshare"), "--mount", "sh", "-c", inside], capture_output=True, check=False, timeout=30
        )
        assert done.returncode != 0
        assert done.stdout == b""


@pytest.mark.real
def test_other_places_of_keys_are_found_in_the_configuration(planted: Path, tmp_path: Path) -> None:
    (tmp_path / "sshd_config").write_text(
        'AuthorizedKeysFile "/etc/ssh/keys/%u" .ssh/authorized_keys\n'
        "Match User bob\n AuthorizedKeysFile=%h/own\n"
    )
    (tmp_path / "keys").mkdir()
    shutil.copy(planted / "root_keys", tmp_path / "keys" / "ann")
    before = f"mount --bind {tmp_path} /etc/ssh; chmod 755 /etc/ssh; cp {planted}/root_keys /home/bob/own"
    _, seen = run(planted, program("dash"), before=before)
    keys = one(seen, AuthorizedKeys)
    assert keys.patterns == ("/etc/ssh/keys/%u", ".ssh/authorized_keys", "%h/own")
    assert {("ann", "/etc/ssh/keys/ann"), ("bob", "/home/bob/own")} <= {
        (key.account, key.file) for key in keys.keys
    }
    assert [one.fact for one in seen.absences] == ["HostKeys"]


@pytest.mark.real
def test_one_file_for_all_accounts_is_read_once(planted: Path, tmp_path: Path) -> None:
    (tmp_path / "sshd_config").write_text("AuthorizedKeysFile /etc/ssh/keys\n")
    shutil.copy(planted / "root_keys", tmp_path / "keys")
    before = f"mount --bind {tmp_path} /etc/ssh; chmod 755 /etc/ssh"
    text, seen = run(planted, program("dash"), before=before)
    assert text.count("key\t/etc/ssh/keys\t") == 1
    keys = one(seen, AuthorizedKeys)
    assert sorted(key.account for key in keys.keys) == ["ann", "bob", "eve", "nobody", "root"]


@pytest.mark.real
def test_a_name_with_a_line_break_forges_nothing(planted: Path) -> None:
    name = "x\ntrust\troot\t/root/.rhosts"
    before = f"mkdir -p '/home/ann/.ssh/{name.rpartition('/')[0]}'; touch '/home/ann/.ssh/{name}'"
    _, seen = run(planted, program("dash"), before=before)
    assert [file.path for file in one(seen, TrustFiles).files] == ["/home/bob/.rhosts"]
    assert "/home/ann/.ssh" in {gap.where for gap in seen.gaps}


# --- answers ---

KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIJVn5TocRKXjw32EAPNwXqN34Cjwged1Y4VKHe2bYAhH"
WHOLE = f"""pattern\t.ssh/authorized_keys
file\tann\t/home/ann/.ssh/authorized_keys
inside\tann\t/home/ann/.ssh/id_rsa
closed\tbob\t/home/bob
hidden\tbob\t/home/bob/.ssh/authorized_keys
stat\t600\tann\t1790000000\t/home/ann/.ssh/authorized_keys
key\t/home/ann/.ssh/authorized_keys\t1\tssh-ed25519\t{KEY}\tno-pty\t\tann
own\t600\tann\t/home/ann/.ssh/id_rsa
head\t/home/ann/.ssh/id_rsa:BEGIN RSA PRIVATE KEY
host\t/etc/ssh/ssh_host_ed25519_key\tssh-ed25519\t{KEY}
"""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "file\tann\t/x\n",
        WHOLE + "noise\n",
        WHOLE.replace("stat\t600", "stat\t9x"),
        WHOLE.replace("1790000000", "soon"),
        WHOLE + "host\t/etc/ssh/ssh_host_rsa_key\tssh-rsa\t%%\n",
    ],
)
def test_a_broken_answer_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        ssh_keys.parse(text)


def test_the_answer_is_read() -> None:
    seen = ssh_keys.parse(WHOLE)
    [key] = one(seen, AuthorizedKeys).keys
    assert (key.account, key.kind, key.options, key.comment) == ("ann", "ed25519", ("no-pty",), "ann")
    [file] = one(seen, AuthorizedKeys).files
    assert (file.mode, file.owner, file.changed_at) == ("0600", "ann", "2026-09-21T14:13:20Z")
    assert {(gap.fact, gap.where) for gap in seen.gaps} == {
        ("AuthorizedKeys", "/home/bob/.ssh/authorized_keys"),
        ("PrivateKeys", "/home/bob"),
        ("TrustFiles", "/home/bob"),
    }


def test_a_line_that_is_no_key_hides_itself_and_no_other() -> None:
    bad = f"key\t/home/ann/.ssh/authorized_keys\t2\tssh-rsa\t{KEY}\t\t\tx\n"
    seen = ssh_keys.parse(WHOLE + bad)
    assert len(one(seen, AuthorizedKeys).keys) == 1
    assert ("/home/ann/.ssh/authorized_keys", "1 of its lines have another form") in {
        (gap.where, gap.reason) for gap in seen.gaps
    }


def test_a_comment_with_odd_separators_stays_one_line() -> None:
    odd = WHOLE.replace("\tann\nown", "\tann\x0b\x1c\x85\u2028key\nown")
    [key] = one(ssh_keys.parse(odd), AuthorizedKeys).keys
    assert key.comment == "ann\x0b\x1c\x85\u2028key"


def test_what_sudo_found_elsewhere_than_in_a_home_counts_for_nobody() -> None:
    forged = (
        "searched\tlogin\nsearched\tnames\nsearched\theads\n"
        f"key\t/home/bob/evil/authorized_keys\t1\tssh-ed25519\t{KEY}\t\t\tx\n"
        "heads\t/home/bob/evil/id_rsa:BEGIN RSA PRIVATE KEY\n"
        "names\t/home/bob/evil/.rhosts\n"
    )
    seen = ssh_keys.parse(WHOLE + forged)
    assert {key.account for key in one(seen, AuthorizedKeys).keys} == {"ann"}
    assert [key.path for key in one(seen, PrivateKeys).keys] == ["/home/ann/.ssh/id_rsa"]
    assert one(seen, TrustFiles).files == ()
    assert seen.gaps == ()


def test_an_unread_configuration_and_too_much_of_all_are_gaps() -> None:
    unread = ssh_keys.parse("unread\t/etc/ssh/sshd_config\n" + WHOLE)
    assert "AuthorizedKeysFile" in {gap.where for gap in unread.gaps}
    assert "AuthorizedKeysFile" not in {
        gap.where for gap in ssh_keys.parse("unread\t/etc/ssh/sshd_config\nsettings\n" + WHOLE).gaps
    }
    assert {"AuthorizedKeys", "PrivateKeys", "TrustFiles"} <= {
        gap.fact for gap in ssh_keys.parse(WHOLE + "more\n").gaps if gap.where == ""
    }


def test_a_file_that_was_too_large_or_went_away_is_a_gap() -> None:
    gone = "\n".join(line for line in WHOLE.split("\n") if not line.startswith(("stat", "key")))
    assert "/home/ann/.ssh/authorized_keys" in {gap.where for gap in ssh_keys.parse(gone).gaps}


def test_very_many_closed_homes_are_not_as_many_findings() -> None:
    closed = "".join(f"closed\tu{at}\t/home/u{at}\n" for at in range(300))
    gaps = [gap for gap in ssh_keys.parse(WHOLE + closed).gaps if gap.fact == "TrustFiles"]
    assert len(gaps) == 41
    assert gaps[-1].where.startswith("261 more, such as /home/u")


@given(st.data())
def test_a_spoilt_answer_is_refused_or_read(data: st.DataObject) -> None:
    lines = WHOLE.split("\n")
    at = data.draw(st.integers(0, len(lines) - 1))
    cut = data.draw(st.integers(0, len(lines[at])))
    lines[at] = data.draw(
        st.sampled_from([lines[at][:cut], lines[at] + "\t", data.draw(st.text(max_size=30))])
    )
    with suppress(ParseError):
        assert isinstance(ssh_keys.parse("\n".join(lines)), Collected)


@pytest.mark.real
@pytest.mark.parametrize("kind", ["rsa", "ecdsa", "ed25519"])
def test_a_public_key_reads_as_ssh_keygen_reads_it(tmp_path: Path, kind: str) -> None:
    path = new_key(tmp_path / "key", kind)
    name, blob, *_ = path.with_suffix(".pub").read_text().split()
    told = subprocess.run(
        [program("ssh-keygen"), "-lf", str(path)], check=True, capture_output=True, text=True
    ).stdout.split()
    found = public_key(name, blob)
    assert (str(found.bits), found.fingerprint) == (told[0], told[1])
    assert found.kind == told[-1].strip("()").lower()


@pytest.mark.parametrize(
    ("kind", "blob"),
    [
        ("ssh-rsa", KEY),
        ("ssh-ed25519", "%%"),
        ("ssh-ed25519", ""),
        ("ssh-ed25519", base64.b64encode(b"\x00\x00\xff\xffx").decode()),
        ("ssh-rsa", base64.b64encode(b"\x00\x00\x00\x07ssh-rsa").decode()),
    ],
)
def test_what_is_no_public_key_is_refused(kind: str, blob: str) -> None:
    with pytest.raises(ValueError, match="a public key"):
        public_key(kind, blob)
