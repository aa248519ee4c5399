"""The repositories of the package manager, as their files are really written."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.facts.host.sources import PackageSources
from scanner.collect.host.sources import PROBE, parse
from tests.lab.fragment import answer

SHELLS = ("dash", "bash", "busybox")
_EMPTY = "mount -t tmpfs none /etc/apt; mkdir /etc/apt/sources.list.d /etc/apt/apt.conf.d"


def seen(plant: str, folder: Path, shell: str = "dash") -> PackageSources:
    [fact] = parse(answer(PROBE, plant, folder, shell).text).facts
    assert isinstance(fact, PackageSources)
    return fact


def apt(lines: str, name: str = "x.list") -> str:
    return f"{_EMPTY}\ncat >'/etc/apt/sources.list.d/{name}' <<'EOF'\n{lines}\nEOF"


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    "options",
    [
        "[trusted=yes]", "[Trusted=true]", "[ trusted = 1 ]", "[arch=amd64 trusted=on]",
        "[allow-insecure=yes]", "[trusted=enable]",
    ],
)  # fmt: skip
def test_every_way_to_trust_a_source_unseen(options: str, shell: str, tmp_path: Path) -> None:
    [one] = seen(apt(f"deb\t{options} http://x.example/debian bookworm main"), tmp_path, shell).sources
    assert (one.uri, one.suite, one.verified) == ("http://x.example/debian", "bookworm", False)


@pytest.mark.parametrize("options", ["", "[trusted=no]", "[signed-by=/usr/share/trusted=yes.gpg]"])
def test_a_source_that_is_checked(options: str, tmp_path: Path) -> None:
    [one] = seen(apt(f"deb {options} http://x.example/debian bookworm main"), tmp_path).sources
    assert one.verified


@pytest.mark.parametrize(
    ("line", "verified"),
    [
        ("Trusted: 1", False),
        ("Trusted : yes ", False),
        ("Allow-Insecure: true", False),
        ("Trusted: no", True),
        ("Signed-By: /x", True),
    ],
)
def test_the_form_with_fields(line: str, verified: bool, tmp_path: Path) -> None:
    stanza = f"Types: deb\nURIs: http://x.example/debian\nSuites: bookworm\n bookworm-updates\n{line}"
    found = seen(apt(stanza, "x.sources"), tmp_path).sources
    assert [(one.suite, one.verified) for one in found] == [
        ("bookworm", verified),
        ("bookworm-updates", verified),
    ]


@pytest.mark.parametrize("word", ["no", "false", "0", "off"])
def test_a_source_that_is_off_is_none(word: str, tmp_path: Path) -> None:
    stanza = f"Types: deb\nURIs: http://x.example/debian\nSuites: bookworm\nEnabled: {word}"
    assert seen(apt(stanza, "x.sources"), tmp_path).sources == ()


def test_a_file_that_apt_passes_over_hides_no_other(tmp_path: Path) -> None:
    plant = apt("deb [trusted=yes] http://a.example/ x main", "a b.list") + "\n"
    plant += "echo 'deb [trusted=yes] http://z.example/ x main' >/etc/apt/sources.list.d/z.list"
    assert [one.uri for one in seen(plant, tmp_path).sources] == ["http://z.example/"]


def dnf(repository: str, settings: str | None) -> str:
    lines = [
        "for tool in apt-get; do mount --bind /dev/null /usr/bin/$tool; done",
        "mount -t tmpfs none /usr/local/bin",
        "printf '#!/bin/sh\\n' >/usr/local/bin/dnf",
        "chmod 755 /usr/local/bin/dnf",
        "mkdir -p /tmp/etc",
        "mount -t tmpfs none /tmp/etc",
        "cp -a /etc/. /tmp/etc/ 2>/dev/null || true",
        "mount --bind /tmp/etc /etc",
        "mkdir -p /etc/yum.repos.d /etc/dnf",
        f"printf '[main]\\n{settings}\\n' >/etc/dnf/dnf.conf" if settings is not None else ":",
        f"cat >/etc/yum.repos.d/x.repo <<'EOF'\n[base]\nname=Base\nbaseurl=https://x.example/\n{repository}\nEOF",
    ]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("repository", "settings", "verified"),
    [
        ("gpgcheck=1", "", True),
        ("gpgcheck = 0 ", "gpgcheck=1", False),
        ("gpgcheck=False", "gpgcheck=1", False),
        ("", "gpgcheck=1", True),
        ("", "gpgcheck = True", True),
        ("", "", False),
        ("", None, False),
        ("", "gpgcheck=0", False),
    ],
)
def test_dnf_checks_only_what_it_is_told_to(
    repository: str, settings: str | None, verified: bool, tmp_path: Path
) -> None:
    [one] = seen(dnf(repository, settings), tmp_path).sources
    assert (one.uri, one.verified) == ("https://x.example/", verified)
