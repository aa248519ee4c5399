"""The fixes of services and of the packet filter on a real host: done they pass, undone they fail again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from baselines.evaluate import evaluate
from baselines.resolve import Demand
from checks.check import Check
from checks.fix import Language
from checks.host import (
    databases,
    firewall,
    firewall_rules,
    listening,
    postgresql,
    services,
    shares,
    unwanted_services,
    web,
)
from checks.model import Finding, Outcome
from tests.checks.host.judging import NOW, checks_of
from tests.lab.hosts import Host, lab
from tests.lab.planting import PACKAGES

pytestmark = pytest.mark.real
CHECKS: dict[str, Check[Any]] = {
    check.id: check
    for check in checks_of(
        databases,
        firewall,
        firewall_rules,
        listening,
        postgresql,
        services,
        shares,
        unwanted_services,
        web,
    )
}
FILES = {
    "/etc/nginx/conf.d/a.conf": """server {
  listen 8443 ssl;
  ssl_certificate /etc/ssl/certs/x.pem;
  ssl_certificate_key /etc/ssl/private/x.key;
  location / {
    autoindex on; deny 192.0.2.1;
  }
}
""",
    "/etc/postgresql/15/main/pg_hba.conf": "local all all trust\nhost trustees all 0.0.0.0/0 trust # why\n",
    "/etc/postgresql/15/main/postgresql.conf": "listen_addresses = '*'\t# all\n",
    "/etc/samba/smb.conf": "[global]\n  server min protocol = NT1\n  workgroup = x\n[pub]\n path = /srv\n",
    "/etc/vsftpd.conf": "listen=NO\nanonymous_enable=YES\n",
    "/etc/redis/redis.conf": "bind 0.0.0.0\nprotected-mode no\nport 6379\n",
}
RULES = """flush ruleset
table inet filter {
  chain input {
    type filter hook input priority 0; policy drop;
    ct state established,related accept
    tcp dport 22 accept
  }
}
"""
PLANT = (
    "sed -i -e 's/# server_tokens off;/server_tokens on;/' "
    "-e 's/ssl_protocols .*/ssl_protocols TLSv1 TLSv1.2; ssl_session_timeout 7m;/' /etc/nginx/nginx.conf; "
    "openssl req -x509 -newkey rsa:2048 -nodes -keyout /etc/ssl/private/x.key -out /etc/ssl/certs/x.pem "
    "-subj /CN=a -days 30 2>/dev/null; systemctl disable cron nftables 2>/dev/null"
)
PROVEN = (
    "host.databases.redis-password",
    "host.firewall.persistent",
    "host.firewall-rules.loopback",
    "host.postgresql.trust",
    "host.postgresql.address",
    "host.services.scheduler",
    "host.shares.ftp-anonymous",
    "host.shares.samba-protocol",
    "host.shares.samba-signing",
    "host.web.tls-versions",
    "host.web.listing",
    "host.web.version-hidden",
)


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with lab() as net:
        found = net.host("bookworm", packages=PACKAGES, plant=PLANT)
        for path, text in FILES.items():
            found.run(f"mkdir -p $(dirname {path}) && cat >{path}", stdin=text.encode())
        found.run("nft -f -", stdin=RULES.encode())
        yield found


def findings(host: Host, identifier: str) -> dict[str, Finding]:
    check = CHECKS[identifier]
    defaults = {name: option.default for name, option in check.options.items()}
    demand = Demand(check, defaults, check.severity, {}, "test", "level-1")
    return {one.on: one for one in evaluate([demand], host.look(frozenset(check.needs)), now=NOW)}


def state(host: Host) -> str:
    """What could be changed: all configuration with its owners and modes, and the rules."""
    files = "find /etc \\( -type f -o -type l \\) ! -name '*.cache' | sort"
    return host.run(
        f"{files} | xargs ls -ld --time-style=+; {files} | xargs cat | cksum; nft -s list ruleset"
    ).out


@pytest.mark.parametrize("identifier", PROVEN)
def test_a_fix_closes_its_finding_and_its_undo_restores_everything(host: Host, identifier: str) -> None:
    bad = [one for one in findings(host, identifier).values() if one.outcome is Outcome.FAIL]
    assert bad
    for finding in bad:
        [snippet] = [one for one in finding.fix.snippets if one.language is Language.SHELL]
        before = state(host)
        host.run(snippet.do)
        after = findings(host, identifier).get(finding.on)
        assert after is None or after.outcome is Outcome.PASS, after
        host.run(snippet.undo)
        assert state(host) == before
        assert findings(host, identifier)[finding.on].outcome is Outcome.FAIL


def test_a_removed_server_takes_what_depends_on_it_along_and_says_which(host: Host) -> None:
    found = findings(host, "host.unwanted-services.rpcbind")["rpcbind"]
    assert found.outcome is Outcome.FAIL
    [snippet] = [one for one in found.fix.snippets if one.language is Language.SHELL]
    host.run(snippet.do)
    [after] = findings(host, "host.unwanted-services.rpcbind").values()
    assert after.outcome is Outcome.PASS
    gone = host.path("/root/removed-with-rpcbind").read_text().split()
    assert {"rpcbind", "nfs-kernel-server"} <= set(gone)


def test_a_program_that_no_package_brought_is_left_to_people(host: Host) -> None:
    host.run("cp /bin/sleep /tmp/in.telnetd && /tmp/in.telnetd 60 >/dev/null 2>&1 &")
    [bad] = findings(host, "host.unwanted-services.telnet").values()
    assert (bad.on, bad.outcome) == ("in.telnetd", Outcome.FAIL)
    done = host.run(bad.fix.snippets[0].do, check=False)
    assert done.status == 1
    assert "by hand" in done.err


@pytest.mark.parametrize(
    ("identifier", "file", "kept"),
    [
        ("host.web.listing", "/etc/nginx/conf.d/a.conf", "autoindex off; deny 192.0.2.1;"),
        ("host.web.tls-versions", "/etc/nginx/nginx.conf", "TLSv1.2 TLSv1.3; ssl_session_timeout 7m;"),
        (
            "host.postgresql.trust",
            "/etc/postgresql/15/main/pg_hba.conf",
            "host trustees all 0.0.0.0/0 scram-sha-256 # why",
        ),
    ],
)
def test_a_fix_changes_nothing_else_on_its_line(host: Host, identifier: str, file: str, kept: str) -> None:
    finding = next(one for one in findings(host, identifier).values() if one.outcome is Outcome.FAIL)
    snippet = next(one for one in finding.fix.snippets if one.language is Language.SHELL)
    host.run(snippet.do)
    written = host.path(file).read_text()
    host.run(snippet.undo)
    assert kept in written


def test_the_rules_of_the_fix_stand_beside_those_that_are_there(host: Host) -> None:
    [snippet] = firewall.default_drop.fix.snippets
    host.run(f"nft -f - <<'END'\n{RULES}END")
    before = host.run("nft list ruleset").out
    # The job that takes the rules away again is left waiting.
    host.run("cat >/run/fix; sh /run/fix >/dev/null 2>&1 </dev/null", stdin=snippet.do.encode())
    assert host.run("nft list ruleset").out.startswith(before.rstrip())
    host.run(snippet.undo)
    assert host.run("nft list ruleset").out == before
    host.run("nft flush ruleset")
