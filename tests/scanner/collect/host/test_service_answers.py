"""Spoilt answers about services: refused, or read, and never a crash."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.collect.collector import Collected
from scanner.collect.host import containers, firewall, listening, saved_firewall, service_configs
from scanner.collect.host.probe import ParseError, Probe

_FIREWALL = """tool\tnft
ipv6\tyes
nft: table inet f {
nft: \tset web {
nft: \t\ttype inet_service
nft: \t\telements = { 80, 443 }
nft: \t}
nft: \tchain input {
nft: \t\ttype filter hook input priority filter; policy drop;
nft: \t\tct state vmap { established : accept, related : accept, new : jump fresh }
nft: \t\ttcp dport @web limit rate 3/minute burst 5 packets accept
nft: \t\tfib saddr . iif oif missing drop
nft: \t\ttcp flags & (fin|syn) == fin|syn drop
nft: \t}
nft: }
iptables: *filter
iptables: :INPUT DROP [0:0]
iptables: -A INPUT -p tcp -m multiport --dports 22,80:90 -m state ! --state INVALID -j ACCEPT
iptables: -A INPUT -m recent --update --seconds 30 --hitcount 6 -j DROP
iptables: COMMIT
"""
_SAVED = "file\t/etc/nftables.conf\n" + "".join(
    f"saved: {line}\n"
    for line in ("table ip x {", "chain in {", "type filter hook input priority 0;", "}", "}")
)
_CONFIGS = """runs\tnginx
file\tnginx\t/etc/nginx/nginx.conf
nginx\t/etc/nginx/nginx.conf\t{ http
nginx\t/etc/nginx/nginx.conf\tinclude /etc/nginx/conf.d/*.conf
nginx\t/etc/nginx/nginx.conf\t{ server
nginx\t/etc/nginx/nginx.conf\tlisten 443 ssl
nginx\t/etc/nginx/nginx.conf\t}
nginx\t/etc/nginx/nginx.conf\t}
file\tapache\t/etc/apache2/apache2.conf
apache\t/etc/apache2/apache2.conf\t<VirtualHost *:443>
apache\t/etc/apache2/apache2.conf\tSSLProtocol all -SSLv3
apache\t/etc/apache2/apache2.conf\t</VirtualHost>
file\texports\t/etc/exports
exports\t/etc/exports\t"/my data" host (rw) *(ro,sync)
file\tsamba\t/etc/samba/smb.conf
samba\t/etc/samba/smb.conf\t[global]
samba\t/etc/samba/smb.conf\tread only = no
file\tsnmp\t/etc/snmp/snmpd.conf
snmp\t/etc/snmp/snmpd.conf\trocommunity default anywhere
file\tsquid\t/etc/squid/squid.conf
squid\t/etc/squid/squid.conf\thttp_access allow all
squid\t/etc/squid/squid.conf\tacl x src 10.0.0.0/8
file\tmysql\t/etc/my.cnf
mysql\t/etc/my.cnf\t[mysqld]
mysql\t/etc/my.cnf\tbind-address = ::
file\thba\t/etc/postgresql/15/main/pg_hba.conf
hba\t/etc/postgresql/15/main/pg_hba.conf\thost all all 10.0.0.0 255.0.0.0 md5
file\tpostgres\t/etc/postgresql/15/main/postgresql.conf
postgres\t/etc/postgresql/15/main/postgresql.conf\tlisten_addresses = '*'
file\tredis\t/etc/redis.conf
redis\t/etc/redis.conf\tport 6379
redis\t/etc/redis.conf\tuser default nopass
file\tmongo\t/etc/mongod.conf
mongo\t/etc/mongod.conf\tbindIp: 0.0.0.0
file\telastic\t/etc/elasticsearch/elasticsearch.yml
elastic\t/etc/elasticsearch/elasticsearch.yml\tnetwork.host: [ "a", "b" ]
unread\t/etc/squid
cut\t/etc/redis.conf
end
"""
_DOCKER = """socket:660:root:docker:/run/docker.sock
runs
flags
flag\thost\ttcp://0.0.0.0:2375
json\tinsecure-registries\t["a:5000", "b"]
listed
container\t0123456789ab/hostconfig.json:Privileged":true
end
"""
_SOCKETS = """form ss
tcp   LISTEN 0 511 0.0.0.0:80 0.0.0.0:* users:(("nginx",pid=5,fd=6),("nginx",pid=4,fd=6))
uid\t4\t0
contained\t5
exe\t4\t/usr/sbin/nginx
manager\tdpkg
owned\tnginx\t/usr/sbin/nginx
programs
"""
_ANSWERS = (
    (firewall.PROBE, _FIREWALL),
    (saved_firewall.PROBE, f"{_SAVED}end\n"),
    (service_configs.PROBE, _CONFIGS),
    (containers.PROBE, _DOCKER),
    (listening.PROBE, _SOCKETS),
)


@pytest.mark.parametrize(("probe", "text"), _ANSWERS, ids=lambda one: getattr(one, "topic", ""))
def test_the_answers_are_whole_as_they_stand(probe: Probe, text: str) -> None:
    seen = probe.parse(text)
    told = {type(fact).__name__ for fact in seen.facts} | {gap.fact for gap in seen.gaps}
    assert told | {one.fact for one in seen.absences} == {fact.__name__ for fact in probe.facts}
    assert seen.facts


@pytest.mark.parametrize(("probe", "text"), _ANSWERS, ids=lambda one: getattr(one, "topic", ""))
@given(data=st.data())
def test_a_spoilt_answer_is_refused_or_read_and_nothing_else(
    probe: Probe, text: str, data: st.DataObject
) -> None:
    lines = text.splitlines()
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(lines) - 1))
        spoil = data.draw(st.sampled_from(["drop", "double", "cut", "noise", "words"]))
        if spoil == "drop" and len(lines) > 1:
            del lines[at]
        elif spoil == "double":
            lines.insert(at, lines[at])
        elif spoil == "cut":
            lines[at] = lines[at][: data.draw(st.integers(0, len(lines[at])))]
        elif spoil == "words":
            words = lines[at].split(" ")
            del words[data.draw(st.integers(0, len(words) - 1))]
            lines[at] = " ".join(words)
        else:
            lines.insert(at, data.draw(st.text(max_size=30)))
    with suppress(ParseError):
        assert isinstance(probe.parse("\n".join(lines)), Collected)
