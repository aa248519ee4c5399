"""What is demanded of web servers, their APIs, their pages of administration, and of WinRM."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import pytest

from checks.facts.network.consoles import Console, Consoles, Guard, RemoteManagement, RemoteManagements
from checks.facts.network.logins import ApiLogin, ApiLogins
from checks.facts.network.web import Cookie, HttpAnswer, HttpAnswers, Shown, WebPath, WebPaths
from checks.facts.snapshot import Snapshot, decode, encode
from checks.model import Finding, Kind, Outcome, Target
from checks.network.apis import CHECKS as API_CHECKS
from checks.network.apis_table import APIS
from checks.network.web_files import LEAKS
from scanner.collect.network.ask import http_apis, web_marks, web_paths
from tests.checks.network.judging import CATALOGUE, hold_by, judge, outcomes


def web(*more: Mapping[str, object], port: str = "tcp/443", tls: bool = True) -> HttpAnswers:
    """One answer of a server, or several."""
    answer = HttpAnswer(port, tls, 200, content_type="text/html")
    return HttpAnswers(tuple(msgspec.structs.replace(answer, **one) for one in more or ({},)))


def only(findings: tuple[Finding, ...]) -> Finding:
    [finding] = findings
    return finding


# --- redirects to HTTPS ---

SECURE = {"port": "tcp/443", "tls": True}
PLAIN = {"port": "tcp/80", "tls": False}


def test_plain_http_beside_https_must_lead_to_it() -> None:
    leads = {"status": 301, "location": "https://10.0.0.5/"}
    hold_by("network.http.https-redirect", web(SECURE, PLAIN), web(SECURE, PLAIN | leads), "tcp/80")


def test_a_server_without_https_has_nowhere_to_lead_to() -> None:
    found = judge("network.http.https-redirect", web(PLAIN))
    assert outcomes(found) == {"": Outcome.NOT_APPLICABLE}


@pytest.mark.parametrize(
    ("more", "outcome"),
    [
        ({"status": 302, "location": "/in", "landed": "http://10.0.0.5:80/in"}, Outcome.FAIL),
        ({"status": 302, "location": "/in", "landed": "https://10.0.0.5:443/in"}, Outcome.PASS),
        ({"status": 302, "location": "/in", "astray": "reset"}, Outcome.UNKNOWN),
        ({"status": 302, "location": "http://elsewhere.test/"}, Outcome.UNKNOWN),
        ({"status": 404}, Outcome.UNKNOWN),
        (
            {"status": 301, "location": "https://10.0.0.5/", "astray": "https://10.0.0.5:443/: refused"},
            Outcome.UNKNOWN,
        ),
        (
            {"status": 301, "location": "https://a.test/", "astray": "the redirect leads to the name a.test"},
            Outcome.PASS,
        ),
        ({"status": 401}, Outcome.UNKNOWN),
    ],
)
def test_where_the_plain_page_leads_decides(more: dict[str, object], outcome: Outcome) -> None:
    assert outcomes(judge("network.http.https-redirect", web(SECURE, PLAIN | more))) == {"tcp/80": outcome}


# --- the password form behind a redirect (network.plaintext.web-login) ---


@pytest.mark.parametrize(
    ("more", "outcome"),
    [
        ({"landed": "http://10.0.0.5:80/in", "password_form": True}, Outcome.FAIL),
        ({"landed": "https://10.0.0.5:443/in", "password_form": True}, Outcome.PASS),
        ({"landed": "http://10.0.0.5:80/in", "password_form": False}, Outcome.PASS),
        ({"landed": "http://10.0.0.5:80/in", "whole": False}, Outcome.UNKNOWN),
        ({"astray": "the redirects lead round in a circle"}, Outcome.UNKNOWN),
    ],
)
def test_the_page_where_redirects_end_is_the_one_that_is_judged(
    more: dict[str, object], outcome: Outcome
) -> None:
    fact = web(PLAIN | {"status": 302, "location": "/in"} | more)
    assert outcomes(judge("network.plaintext.web-login", fact)) == {"tcp/80": outcome}


# --- what browsers are told ---

PROTECTED = {"content_type_options": "nosniff", "frame_options": "deny", "referrer_policy": "no-referrer"}


def test_missing_headers_are_listed() -> None:
    hold_by("network.http-headers.protection", web(), web(PROTECTED), "tcp/443")
    found = only(judge("network.http-headers.protection", web(PROTECTED | {"referrer_policy": ""})))
    assert found.saw == "missing: Referrer-Policy"


def test_a_policy_stands_for_the_old_header_and_nonsense_for_none() -> None:
    check = "network.http-headers.protection"
    assert only(
        judge(check, web(PROTECTED | {"frame_options": "", "frame_ancestors": "'self'"}))
    ).outcome is (Outcome.PASS)
    for odd in ({"frame_options": "allowall"}, {"content_type_options": "sniff"}):
        assert only(judge(check, web(PROTECTED | odd))).outcome is Outcome.FAIL


@pytest.mark.parametrize(
    ("more", "outcome"),
    [
        ({"frame_options": "sameorigin, sameorigin"}, Outcome.PASS),
        ({"frame_options": "deny, allowall"}, Outcome.FAIL),
        ({"content_type_options": "nosniff, nosniff"}, Outcome.PASS),
        ({"frame_ancestors": "*"}, Outcome.FAIL),
        ({"frame_ancestors": "https: http:"}, Outcome.FAIL),
        ({"frame_ancestors": "*, 'self'"}, Outcome.PASS),
        ({"frame_options": "", "frame_ancestors": "'none'"}, Outcome.PASS),
        ({"referrer_policy": "unsafe-url"}, Outcome.FAIL),
        ({"referrer_policy": "what-i-like"}, Outcome.FAIL),
        ({"referrer_policy": "no-referrer, strict-origin-when-cross-origin"}, Outcome.PASS),
    ],
)
def test_a_header_that_protects_nobody_is_none(more: dict[str, object], outcome: Outcome) -> None:
    assert only(judge("network.http-headers.protection", web(PROTECTED | more))).outcome is outcome


@pytest.mark.parametrize("status", [400, 421, 429, 500, 503])
def test_a_front_page_that_is_broken_tells_nothing_of_headers(status: int) -> None:
    for check in ("network.http.hsts", "network.http-headers.cross-origin"):
        assert only(judge(check, web({"status": status}))).outcome is Outcome.UNKNOWN, check
    kept = web({"status": status, "hsts": "max-age=31536000"})
    assert only(judge("network.http.hsts", kept)).outcome is Outcome.PASS


def test_a_first_page_that_was_cut_is_not_known_to_be_another() -> None:
    check = "network.http.default-page"
    assert only(judge(check, web({"whole": False}))).outcome is Outcome.UNKNOWN
    assert only(judge(check, web({"whole": False, "title": "Our shop"}))).outcome is Outcome.PASS
    assert only(judge(check, web({"status": 403, "default_page": "a distribution"}))).outcome is Outcome.FAIL


def test_tokens_that_scripts_must_read_need_secure_alone() -> None:
    token = web({"cookies": (Cookie("XSRF-TOKEN", True, False),)})
    assert only(judge("network.http-headers.cookies", token)).outcome is Outcome.PASS
    bare = web({"cookies": (Cookie("csrftoken", False, True),)})
    assert only(judge("network.http-headers.cookies", bare)).outcome is Outcome.FAIL


def test_the_origin_of_a_sandboxed_frame_is_everybodys() -> None:
    null = web({"cors_origin": "null", "cors_credentials": True})
    assert only(judge("network.http-headers.cross-origin", null)).outcome is Outcome.FAIL


@pytest.mark.parametrize("more", [{"status": 301}, {"content_type": "application/json"}, {"status": 404}])
def test_headers_are_asked_of_pages_alone(more: dict[str, object]) -> None:
    assert outcomes(judge("network.http-headers.protection", web(more))) == {"": Outcome.NOT_APPLICABLE}


def test_bare_cookies_over_tls_fail() -> None:
    bare = web({"cookies": (Cookie("id", True, True), Cookie("theme", False, True))})
    hold_by("network.http-headers.cookies", bare, web({"cookies": (Cookie("id", True, True),)}), "tcp/443")
    assert only(judge("network.http-headers.cookies", bare)).saw == "without Secure or HttpOnly: theme"
    for none in (web(), web({"cookies": (Cookie("id", False, False),)}, tls=False)):
        assert outcomes(judge("network.http-headers.cookies", none)) == {"": Outcome.NOT_APPLICABLE}


def test_an_origin_that_nobody_named_with_credentials_fails() -> None:
    echoed = {"cors_origin": "https://nobody.invalid", "cors_credentials": True}
    hold_by("network.http-headers.cross-origin", web(echoed), web(), "tcp/443")
    for fine in ({"cors_origin": "*", "cors_credentials": True}, echoed | {"cors_credentials": False},
                 {"cors_origin": "https://app.example", "cors_credentials": True}):  # fmt: skip
        assert only(judge("network.http-headers.cross-origin", web(fine))).outcome is Outcome.PASS


def test_the_first_page_of_a_package_fails() -> None:
    hold_by("network.http.default-page", web({"default_page": "nginx"}), web(), "tcp/443")
    assert outcomes(judge("network.http.default-page", web({"status": 403}))) == {"": Outcome.NOT_APPLICABLE}


def test_an_old_snapshot_passes_nothing_by_what_it_could_not_tell() -> None:
    """Its answers lack the fields that were added since: unknown, never the default of a field."""
    target = Target(Kind.NETWORK, "10.0.0.5", "net:10.0.0.5")
    facts = {"HttpAnswers": HttpAnswers((HttpAnswer("tcp/443", True, 200), HttpAnswer("tcp/80", False, 200)))}
    old = msgspec.json.decode(encode(Snapshot(target, "2026-11-20T10:00:00Z", ("x",), facts=facts)))
    was = {"port", "tls", "status", "server", "powered_by", "authenticate", "hsts", "location", "title",
           "password_form"}  # fmt: skip
    for answer in old["facts"]["HttpAnswers"]["answers"]:
        for name in set(answer) - was:
            del answer[name]
    read = decode(msgspec.json.encode(old), {"HttpAnswers": HttpAnswers}).facts["HttpAnswers"]
    for check in ("network.http-headers.protection", "network.http-headers.cookies",
                  "network.http-headers.cross-origin", "network.http.default-page",
                  "network.plaintext.web-login"):  # fmt: skip
        assert {f.outcome for f in judge(check, read)} == {Outcome.UNKNOWN}, check


# --- what is given out ---


def paths(*things: tuple[str, Shown], tls: bool = False) -> WebPaths:
    return WebPaths(
        tuple(WebPath("tcp/80", tls, thing, f"/{thing}", state, "seen") for thing, state in things)
    )


FAMILIES = {
    "version-control": ("git", "subversion"),
    "secret-files": ("env", "wordpress-backup"),
    "information-pages": ("server-status", "phpinfo", "ds-store"),
    "directory-listing": ("listing",),
    "debug-consoles": ("django-debug", "rails-debug", "werkzeug", "symfony-profiler", "laravel-ignition",
                       "actuator", "pprof"),
    "trace": ("trace",),
}  # fmt: skip


def test_every_thing_that_is_asked_for_is_judged_by_one_check() -> None:
    judged = [thing for things in FAMILIES.values() for thing in things]
    assert sorted(judged) == sorted([*(thing.name for thing in web_marks.THINGS), web_paths.TRACE])
    assert {leak.id for leak in LEAKS} == {f"network.web-files.{name}" for name in FAMILIES}


@pytest.mark.parametrize(("name", "thing"), [(n, t) for n, things in FAMILIES.items() for t in things])
def test_what_is_given_out_fails(name: str, thing: str) -> None:
    hold_by(f"network.web-files.{name}", paths((thing, Shown.YES)), paths((thing, Shown.NO)), "tcp/80")


def test_what_could_not_be_decided_never_passes_and_never_hides_a_failure() -> None:
    check = "network.web-files.version-control"
    open_question = ("subversion", Shown.UNDECIDED)
    assert only(judge(check, paths(("git", Shown.NO), open_question))).outcome is Outcome.UNKNOWN
    found = only(judge(check, paths(open_question, ("git", Shown.YES))))
    assert (found.outcome, found.saw) == (Outcome.FAIL, "/git: seen")
    assert "http://10.0.0.5:80/git" in found.fix.verify
    assert "https://" in only(judge(check, paths(("git", Shown.YES), tls=True))).fix.verify


# --- APIs ---


def test_every_api_that_is_asked_has_its_check() -> None:
    asked = {api.name for api in http_apis.APIS}
    assert {api.name for api in APIS} == asked
    assert {check.id for check in API_CHECKS} == {f"network.apis.{name}-login" for name in asked}
    assert all(check.id in CATALOGUE.checks for check in API_CHECKS)


def apis(name: str, *, needed: bool, decided: bool = True) -> ApiLogins:
    return ApiLogins((ApiLogin("tcp/1234", name, needed, "status 200", "1.0", decided),))


@pytest.mark.parametrize("name", [api.name for api in APIS])
def test_an_api_that_serves_strangers_fails(name: str) -> None:
    check = f"network.apis.{name}-login"
    hold_by(check, apis(name, needed=False), apis(name, needed=True), "tcp/1234")
    undecided = judge(check, apis(name, needed=False, decided=False))
    assert outcomes(undecided) == {"tcp/1234": Outcome.UNKNOWN}
    assert outcomes(judge(check, apis("another", needed=False))) == {"": Outcome.NOT_APPLICABLE}


# --- pages of administration ---


def consoles(guard: Guard) -> Consoles:
    return Consoles(("tcp/80",), (Console("tcp/80", "Grafana", guard, "title: Grafana", "GET /api/org"),))


def test_a_console_without_a_login_fails() -> None:
    on = "tcp/80"
    hold_by("network.consoles.login", consoles(Guard.NONE), consoles(Guard.LOGIN), on)
    assert outcomes(judge("network.consoles.login", consoles(Guard.UNDECIDED))) == {on: Outcome.UNKNOWN}
    assert outcomes(judge("network.consoles.login", consoles(Guard.NOT_ASKED))) == {
        "": Outcome.NOT_APPLICABLE
    }


@pytest.mark.parametrize("guard", list(Guard))
def test_a_console_that_is_there_is_reachable_whatever_it_asks(guard: Guard) -> None:
    found = judge("network.consoles.reachable", consoles(guard))
    assert outcomes(found) == {"tcp/80": Outcome.FAIL}
    assert only(found).fix_key == "close:10.0.0.5:tcp/80"


def test_a_port_without_a_known_console_passes() -> None:
    two = msgspec.structs.replace(consoles(Guard.LOGIN), looked=("tcp/80", "tcp/8080"))
    found = outcomes(judge("network.consoles.reachable", two))
    assert found == {"tcp/80": Outcome.FAIL, "tcp/8080": Outcome.PASS}


def test_winrm_without_tls_fails() -> None:
    def listener(port: str, *, tls: bool) -> RemoteManagements:
        return RemoteManagements((RemoteManagement(port, tls, ("negotiate",), "status 401 at /wsman"),))

    plain, inside = listener("tcp/5985", tls=False), listener("tcp/5985", tls=True)
    hold_by("network.management.winrm-http", plain, inside, "tcp/5985")
    assert outcomes(judge("network.management.winrm-http", RemoteManagements(()))) == {
        "": Outcome.NOT_APPLICABLE
    }


def test_of_two_consoles_at_one_port_the_open_one_counts() -> None:
    found = (
        Console("tcp/80", "Vault", Guard.LOGIN, "title: Vault", "asks"),
        Console("tcp/80", "Grafana", Guard.NONE, "title: Grafana", "its organisation"),
    )
    one = only(judge("network.consoles.login", Consoles(("tcp/80",), found)))
    assert (one.outcome, one.saw) == (Outcome.FAIL, "Grafana: its organisation")
    assert one.fix.action == "Turn on the login of Grafana"
