"""Web servers and proxies, judged."""

from __future__ import annotations

from typing import Any

import pytest

from checks.check import Check
from checks.facts.host.packages import Package, Packages
from checks.facts.host.units import Process, Processes
from checks.facts.host.web import ProxyAccess, ProxyRule, WebListing, WebServers, WebSite
from checks.host import web
from checks.model import Outcome, Severity
from tests.checks.host.judging import checks_of, failing, judged, says_unknown


def site(*protocols: str, server: str = "nginx", tls: bool = True, banner: str = "off") -> WebSite:
    return WebSite(server, f"/etc/{server}/x.conf", "server a", tls, protocols, banner)


def servers(*sites: WebSite, listings: tuple[WebListing, ...] = ()) -> WebServers:
    return WebServers(sites, listings)


def packages(**versions: str) -> Packages:
    return Packages(
        "dpkg", tuple(Package(name, version, "amd64", name, version) for name, version in versions.items())
    )


@pytest.mark.parametrize("check", checks_of(web))
def test_what_could_not_be_read_is_unknown(check: Check[Any]) -> None:
    says_unknown(check)


@pytest.mark.parametrize(
    ("protocols", "severity"),
    [(("SSLv3", "TLSv1.2"), Severity.HIGH), (("TLSv1", "TLSv1.2"), Severity.MEDIUM), (("TLSv1.2",), None)],
)
def test_old_versions_of_tls_fail(protocols: tuple[str, ...], severity: Severity | None) -> None:
    [finding] = judged(web.tls_versions, servers(site(*protocols)), packages(nginx="1.22.1"))
    assert (finding.outcome is Outcome.FAIL) == (severity is not None)
    if severity:
        assert finding.severity is severity
        assert "value='TLSv1.2 TLSv1.3'" in finding.fix.snippets[0].do


@pytest.mark.parametrize(
    ("version", "outcome"),
    [("1.22.1-9", Outcome.FAIL), ("1.27.3-1", Outcome.PASS), ("1:1.20.1-14.el9", Outcome.FAIL)],
)
def test_without_a_line_the_version_of_nginx_decides(version: str, outcome: Outcome) -> None:
    [finding] = judged(web.tls_versions, servers(site()), packages(nginx=version))
    assert finding.outcome is outcome
    [unknown] = judged(web.tls_versions, servers(site()), packages(bash="5"))
    assert unknown.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("versions", "outcome"),
    [
        ({"httpd": "2.4.57-11.el9_4"}, Outcome.UNKNOWN),
        ({"httpd": "2.4.62-1.el10"}, Outcome.UNKNOWN),
        ({"httpd": "2.4.6-99.el7"}, Outcome.FAIL),
        ({"apache2": "2.4.57-2"}, Outcome.FAIL),
    ],
)
def test_without_a_line_the_policy_of_the_system_may_decide_for_apache(
    versions: dict[str, str], outcome: Outcome
) -> None:
    [finding] = judged(web.tls_versions, servers(site(server="apache")), packages(**versions))
    assert finding.outcome is outcome
    assert outcome is Outcome.FAIL or "policy" in finding.reason


def test_a_site_without_tls_is_not_asked_about_its_versions() -> None:
    [finding] = judged(web.tls_versions, servers(site("SSLv3", tls=False)), packages())
    assert finding.outcome is Outcome.NOT_APPLICABLE


def test_listings() -> None:
    bad = (WebListing("apache", "/etc/apache2/apache2.conf", "Directory /var/www/"),)
    assert failing(web.listing, servers(site())) == []
    assert failing(web.listing, servers(site(), listings=bad)) == [
        "Directory /var/www/ in /etc/apache2/apache2.conf"
    ]


def test_one_site_that_tells_the_version_fails_its_server() -> None:
    found = servers(site(banner="off"), site(banner=""), site(server="apache", banner="off"))
    assert failing(web.version_hidden, found) == ["nginx"]
    assert failing(web.version_hidden, servers(site(server="apache", banner="OS"))) == ["apache"]


@pytest.mark.parametrize(
    ("uids", "outcome"), [((0,), Outcome.FAIL), ((0, 33), Outcome.PASS), ((33,), Outcome.PASS)]
)
@pytest.mark.parametrize("program", ["nginx", "php-fpm8.2", "apache2"])
def test_workers(program: str, uids: tuple[int, ...], outcome: Outcome) -> None:
    [finding] = judged(web.worker_user, Processes(tuple(Process(program, uid) for uid in uids)))
    assert (finding.on, finding.outcome) == (program, outcome)


def test_without_a_web_server_there_are_no_workers() -> None:
    [finding] = judged(web.worker_user, Processes((Process("sshd", 0),)))
    assert finding.outcome is Outcome.NOT_APPLICABLE


def rule(text: str) -> ProxyRule:
    word, *lists = text.split()
    return ProxyRule("/etc/squid/squid.conf", word == "allow", tuple(lists))


@pytest.mark.parametrize(
    ("rules", "outcome"),
    [
        (["allow localnet", "deny all"], Outcome.PASS),
        (["allow all"], Outcome.FAIL),
        (["deny !Safe_ports", "allow world", "deny all"], Outcome.FAIL),
        (["deny all", "allow all"], Outcome.PASS),
        (["deny !Safe_ports"], Outcome.FAIL),
        (["allow localnet"], Outcome.PASS),
        ([], Outcome.PASS),
        (["allow all localnet"], Outcome.PASS),
        (["allow !bad_sites", "deny all"], Outcome.FAIL),
        (["allow CONNECT SSL_ports", "deny all"], Outcome.FAIL),
        (["allow Safe_ports !bad_sites", "deny all"], Outcome.FAIL),
        (["deny CONNECT !SSL_ports", "allow localnet", "deny all"], Outcome.PASS),
        (["allow CONNECT localnet", "deny all"], Outcome.PASS),
    ],
)
def test_who_may_use_the_proxy(rules: list[str], outcome: Outcome) -> None:
    whoever = ("SSL_ports", "Safe_ports", "CONNECT")
    found = ProxyAccess(tuple(rule(one) for one in rules), ("all", "world"), whoever)
    [finding] = judged(web.proxy, found)
    assert finding.outcome is outcome
