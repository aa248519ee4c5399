"""What a host tells before a login, judged."""

from __future__ import annotations

import pytest

from checks.facts.host.banners import Banner, Banners
from checks.host import banners
from checks.model import Outcome
from tests.checks.host.judging import failing, judged, outcomes, says_unknown

CLEAN = Banner("/etc/issue.net", empty=False, escapes=(), words=())


def test_what_could_not_be_read_is_unknown() -> None:
    says_unknown(banners.leak)


@pytest.mark.parametrize(
    ("escapes", "words", "empty", "ok"),
    [
        ((), (), False, True),
        ((), (), True, True),
        (("\\r",), (), False, False),
        ((), ("debian",), False, False),
    ],
)
def test_a_banner(escapes: tuple[str, ...], words: tuple[str, ...], empty: bool, ok: bool) -> None:
    one = Banner("/etc/issue", empty, escapes, words)
    assert failing(banners.leak, Banners((CLEAN, one), ())) == ([] if ok else ["/etc/issue"])


def test_a_file_that_is_missing_and_one_that_is_closed_differ() -> None:
    found = judged(banners.leak, Banners((CLEAN,), ("/etc/motd",), ("/etc/issue",)))
    assert outcomes(found) == {
        "/etc/issue.net": Outcome.PASS,
        "/etc/motd": Outcome.NOT_APPLICABLE,
        "/etc/issue": Outcome.UNKNOWN,
    }
