"""Package sources: signed ones, encrypted ones, known ones."""

from __future__ import annotations

import msgspec
import pytest

from checks.facts.host.sources import PackageSource, PackageSources
from checks.facts.host.system import OperatingSystem
from checks.host import sources
from checks.model import Outcome
from tests.checks.host.judging import checks_of, failing, judged, outcomes, says_unknown

DEBIAN = OperatingSystem("debian", "12", "Debian 12", (), "6.1", "x86_64", "web-1")


def source(uri: str = "http://deb.debian.org/debian", *, verified: bool = True) -> PackageSource:
    return PackageSource("/etc/apt/sources.list", f"{uri} bookworm", uri, "bookworm", verified)


def found(*some: PackageSource, unverified: tuple[str, ...] = ()) -> PackageSources:
    return PackageSources("apt", some, unverified)


@pytest.mark.parametrize("check", checks_of(sources), ids=lambda c: c.id)
def test_without_the_sources_nothing_is_known(check: object) -> None:
    says_unknown(check)  # type: ignore[arg-type]


def test_a_source_without_a_check_of_its_signature_fails() -> None:
    good, bad = source(), source("https://example.org/apt", verified=False)
    assert failing(sources.verified, found(good, bad)) == [bad.name]
    assert failing(sources.verified, found(good)) == []


@pytest.mark.parametrize(
    ("setting", "file"),
    [
        ("apt configuration: APT::Get::AllowUnauthenticated true", "/etc/apt/apt.conf"),
        ("/etc/dnf/dnf.conf: gpgcheck is off", "/etc/dnf/dnf.conf"),
    ],
)
def test_a_general_setting_that_lets_unsigned_packages_in_fails(setting: str, file: str) -> None:
    [bad] = judged(sources.verified, found(source(), unverified=(setting,)))
    assert (bad.outcome, bad.on) == (Outcome.FAIL, setting)
    assert file in bad.fix.do


def test_plain_http_is_bad_only_where_nobody_checks() -> None:
    bad = source("http://example.org/apt", verified=False)
    assert failing(sources.encrypted, found(source(), bad)) == [bad.name]
    assert failing(sources.encrypted, found(source())) == []
    [one] = judged(sources.encrypted, found(bad))
    assert one.fix.snippets[0].do.startswith("file=/etc/apt/sources.list\nuri=http://example.org/apt\n")


def test_sources_of_strangers_are_listed_and_a_mirror_can_be_named() -> None:
    own = source("https://debian.example.net/debian")
    false_friend = source("https://notdebian.org/x")
    assert failing(sources.third_party, DEBIAN, found(source(), own, false_friend)) == [
        own.name,
        false_friend.name,
    ]
    assert failing(sources.third_party, DEBIAN, found(own), known=frozenset({"example.net"})) == []
    strange = msgspec.structs.replace(DEBIAN, id="strange")
    [one] = judged(sources.third_party, strange, found(source()))
    assert one.confidence == "possible"


@pytest.mark.parametrize("check", [sources.verified, sources.encrypted])
def test_where_no_repository_is_enabled_the_question_makes_no_sense(check: object) -> None:
    assert outcomes(judged(check, found())) == {"package sources": Outcome.NOT_APPLICABLE}  # type: ignore[arg-type]
