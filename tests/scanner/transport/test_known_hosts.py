"""Who is known, by which name, under which key."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from scanner.transport.known_hosts import fingerprint, known_name, lookup

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
