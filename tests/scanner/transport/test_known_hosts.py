"""Who is known, by which name, under which key."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from scanner.transport.known_hosts import append, fingerprint, key_type, known_name, line_for, lookup

KEY = base64.b64encode(b"a public key").decode()
OTHER = base64.b64encode(b"another key").decode()


@pytest.mark.parametrize(
    ("names", "name", "known"),
    [
        ("web", "web", True),
        ("web", "WEB", True),
        ("web,10.0.0.5", "10.0.0.5", True),
        ("web", "web2", False),
        ("*.example", "db.example", True),
        ("*.example,!db.example", "db.example", False),
        ("[web]:2222", "[web]:2222", True),
        ("[web]:2222", "web", False),
        ("web", "[web]:2222", False),
        ("[web]:*", "[web]:2222", True),
        ("|1|AAAA|AAAA", "web", False),
        ("|1|!!|!!", "web", False),
        ("|2|AAAA|AAAA", "web", False),
        ("|", "web", False),
    ],
)
def test_names_match_as_openssh_matches_them(tmp_path: Path, names: str, name: str, known: bool) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(f"# a comment\n\n{names} ssh-ed25519 {KEY} a comment\n")
    assert (lookup([file], name).accepted != ()) is known


def test_all_keys_of_a_name_count_from_all_files(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text(f"web ssh-ed25519 {KEY}\nweb ssh-rsa {OTHER}\n")
    two.write_text(f"web ssh-ed25519 {OTHER}\n")
    found = lookup([one, two, tmp_path / "none"], "web")
    assert len(found.accepted) == 3
    assert found.types == ("ssh-ed25519", "ssh-rsa")


@pytest.mark.parametrize(
    "line", ["web", "web ssh-ed25519", "web ssh-ed25519 %%%", "@cert-authority web ssh-ed25519 " + KEY]
)
def test_lines_of_another_form_make_nobody_known(tmp_path: Path, line: str) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(line + "\n")
    assert lookup([file], "web").accepted == ()


def test_a_revoked_key_is_kept_apart(tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(f"@revoked web ssh-ed25519 {KEY}\n")
    found = lookup([file], "web")
    assert found.accepted == ()
    assert found.revoked == {b"a public key"}


def test_the_name_says_the_port_only_off_22() -> None:
    assert known_name("web", 22) == "web"
    assert known_name("web", 2222) == "[web]:2222"


def test_a_fingerprint_has_the_form_of_ssh_keygen() -> None:
    assert fingerprint(b"a public key").startswith("SHA256:")
    assert not fingerprint(b"a public key").endswith("=")


def test_an_authority_is_kept_apart_from_the_keys_of_hosts(tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    file.write_text(f"@cert-authority *.example ssh-ed25519 {KEY}\nweb.example ssh-ed25519 {OTHER}\n")
    found = lookup([file], "web.example")
    assert found.authorities == (("ssh-ed25519", b"a public key"),)
    assert found.accepted == (("ssh-ed25519", b"another key"),)
    assert lookup([file], "web.other").authorities == ()


def test_what_is_added_is_found_again_and_nothing_else_changes(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "known_hosts"
    append(file, [line_for("[web]:22", "ssh-ed25519", b"a public key")])
    append(file, [line_for("db", "ssh-ed25519", b"another key")])
    assert lookup([file], "[web]:22").accepted == (("ssh-ed25519", b"a public key"),)
    assert lookup([file], "db").accepted == (("ssh-ed25519", b"another key"),)
    assert file.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in file.parent.iterdir()] == ["known_hosts"]


def test_a_link_to_known_hosts_stays_a_link_and_bytes_that_are_no_text_stay_as_they_are(
    tmp_path: Path,
) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_text("")
    link.symlink_to(real)
    append(link, [line_for("web", "ssh-ed25519", b"k")])
    assert link.is_symlink()
    assert real.read_text().startswith("web ")
    real.write_bytes(b"\xff\xfe")
    with pytest.raises(OSError, match="not UTF-8"):
        append(real, ["x"])
    assert real.read_bytes() == b"\xff\xfe"


@pytest.mark.parametrize(
    "key", [b"", b"\x00\x00\x00\x00", b"\x00\x00\x00\x03a b", b"\x00\x00\x00\x02\xff\xff"]
)
def test_a_key_that_names_no_type_is_none(key: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        key_type(key)
    assert key_type(b"\x00\x00\x00\x0bssh-ed25519rest") == "ssh-ed25519"
