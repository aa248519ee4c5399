"""The configurations of servers: planted on a real host, read on every shell, and no secret comes out."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from checks.facts.host.databases import HbaLine, MongoDb, MySql, PostgreSql, Redis, RedisServer, SearchEngine
from checks.facts.host.shares import (
    FtpDaemons,
    FtpServer,
    NfsExport,
    NfsExports,
    Samba,
    SambaShare,
    SnmpAgent,
    SnmpCommunity,
)
from checks.facts.host.web import ProxyAccess, ProxyRule, WebListing, WebServers, WebSite
from checks.facts.snapshot import Fact
from scanner.collect.collector import Collected
from scanner.collect.host import service_configs
from scanner.collect.host.probe import ParseError
from scanner.collect.host.script import TOOLS
from tests.lab.parts import program

CANARY = "canary-7f3a"
PLANTED = {
    "nginx/nginx.conf": f"""user www-data;
events {{ worker_connections 768; }}
http {{
  log_format main '$remote_addr {{ - "$x" ;'
                  "{CANARY}";
  proxy_set_header Authorization "Basic {CANARY}";
  ssl_protocols TLSv1 TLSv1.2; # POODLE }}
  include /etc/nginx/mime.types;
  include /etc/nginx/conf.d/*.conf;
  include /etc/nginx/sites-enabled/*;
  include /opt/more/*.conf;
}}
""",
    "nginx/mime.types": "types { text/html html; }\n",
    "nginx/sites-available/app": f"""server {{ listen 443 ssl http2; server_name app.example www;
  ssl_protocols TLSv1.2 TLSv1.3; server_tokens off;
  location /files {{ autoindex on; fastcgi_param DB_PASSWORD {CANARY}; }} }}
server {{ listen 80; server_name plain; }}
server {{
  listen [::]:443 ssl;
}}
""",
    "nginx/sites-available/off": "server { listen 80; autoindex on; }\n",
    "apache2/apache2.conf": """ServerTokens OS
IncludeOptional mods-enabled/*.load
IncludeOptional mods-enabled/*.conf
IncludeOptional sites-enabled/*.conf
Include conf-missing/x.conf
<Directory /var/www/>
\tOptions Indexes FollowSymLinks
</Directory>
<Directory /srv/>
\tOptions -Indexes
</Directory>
""",
    "apache2/mods-enabled/ssl.conf": f"SSLProtocol all -SSLv3\nSSLPassPhraseDialog {CANARY}\n",
    "apache2/sites-enabled/s.conf": """<VirtualHost *:443>
 ServerName s.example
 SSLEngine on
 SSLProtocol -all +TLSv1.2 +TLSv1.3
</VirtualHost>
<VirtualHost *:8443>
 SSLEngine on
</VirtualHost>
""",
    "vsftpd.conf": "anonymous_enable=YES\nwrite_enable=YES\nanon_upload_enable=YES\n",
    "proftpd/proftpd.conf": "<Anonymous ~ftp>\n User ftp\n</Anonymous>\n",
    "exports": '/srv *(rw,no_root_squash) 10.0.0.0/8(ro)\n"/my data" host (rw)\n'
    "/long \\\n  a(rw)\n# /no *(rw)\n",
    "samba/smb.conf": """[global]
   Server Min Protocol = NT1
   passdb backend = ldapsam:{CANARY}
   ; guest ok = yes
[Public]
   public = yes
   read only = no
[homes]
   read only = yes
""",
    "snmp/snmpd.conf": f"rocommunity {CANARY} 10.0.0.0/8\nrwcommunity private\ncom2sec ro default public\n"
    f"createUser bob SHA {CANARY} AES {CANARY}\n",
    "squid/squid.conf": "acl localnet src 10.0.0.0/8\nacl world src 0.0.0.0/0\nhttp_access allow world\n"
    f"http_access deny all\ncache_peer x parent 1 1 login={CANARY}\n",
    "mysql/mariadb.conf.d/50-server.cnf": f"[client]\npassword = {CANARY}\nbind-address = 10.0.0.1\n"
    "[mysqld]\nbind_address = 0.0.0.0\nskip-grant-tables\n",
    "redis/redis.conf": f"bind 0.0.0.0\nprotected-mode no\nport 6380\nrequirepass {CANARY}\n"
    f"user bob on >{CANARY} ~* +@all\nmasterauth {CANARY}\n",
    "redis/two.conf": "bind 0.0.0.0\nprotected-mode no\nuser default on nopass ~* +@all\n",
    "elasticsearch/elasticsearch.yml": f"network.host: 0.0.0.0\nxpack.security.enabled: false\nx: {CANARY}\n",
    "mongod.conf": 'security:\n  authorization: "disabled" # x\n'
    f"  keyFoo: {CANARY}\nnet:\n  bindIp: 0.0.0.0\n",
    "postgresql/15/main/pg_hba.conf": "local all postgres peer\nhost all all 0.0.0.0/0 trust # why\n"
    'host "my db" all 10.0.0.0 255.0.0.0 md5\n'
    f"host all all ::/0 ldap ldapserver=x ldapbindpasswd={CANARY}\n",
    "postgresql/15/main/postgresql.conf": "listen_addresses = '*'  # all\nport = 5432\n#x\n",
}
HBA = "/etc/postgresql/15/main/pg_hba.conf"


@pytest.fixture(scope="module")
def etc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that takes the place of /etc, in a mount of the test's own."""
    folder = tmp_path_factory.mktemp("etc")
    for name, text in PLANTED.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.replace("{CANARY}", CANARY))
    enabled = folder / "nginx" / "sites-enabled"
    enabled.mkdir()
    (enabled / "app").symlink_to("../sites-available/app")
    for needed in ("passwd", "group"):
        (folder / needed).write_bytes(Path("/etc", needed).read_bytes())
    subprocess.run(["cp", "-a", "/etc/alternatives", str(folder)], check=True)
    return folder


def answer(etc: Path, shell: str, root: str = "root", before: str = "") -> str:
    script = f"ROOT={root}\n{TOOLS}\n{service_configs.PROBE.script}"
    inside = f"mount --bind {etc} /etc && {before} exec {shell} -s"
    done = subprocess.run(
        [program("unshare"), "--mount", "sh", "-c", inside],
        input=script.encode(),
        capture_output=True,
        check=True,
        timeout=30,
    )
    assert done.stderr == b""
    return done.stdout.decode()


def facts(seen: Collected) -> dict[type[Fact], Fact]:
    return {type(fact): fact for fact in seen.facts}


@pytest.mark.real
@pytest.mark.parametrize("shell", ["dash", "bash", "busybox sh"])
def test_every_shell_reads_what_was_planted_and_lets_no_secret_out(etc: Path, shell: str) -> None:
    name, *more = shell.split()
    text = answer(etc, " ".join((program(name), *more)))
    assert CANARY not in text
    seen = service_configs.parse(text)
    found = facts(seen)
    assert set(found) == set(service_configs.PROBE.facts)
    assert [(gap.fact, gap.where) for gap in seen.gaps] == [
        ("WebServers", "/etc/nginx/nginx.conf"),
        ("WebServers", "/etc/apache2/apache2.conf"),
    ]
    assert "/opt/more/*.conf" in seen.gaps[0].reason
    assert found[ProxyAccess] == ProxyAccess(
        (
            ProxyRule("/etc/squid/squid.conf", True, ("world",)),
            ProxyRule("/etc/squid/squid.conf", False, ("all",)),
        ),
        ("all", "world"),
    )
    assert found[FtpDaemons] == FtpDaemons(
        (
            FtpServer("vsftpd", "/etc/vsftpd.conf", True, True, False, "anonymous_enable=yes"),
            FtpServer("proftpd", "/etc/proftpd/proftpd.conf", True, False, False, "<Anonymous ~ftp>"),
        )
    )
    assert found[NfsExports] == NfsExports(
        tuple(
            NfsExport("/etc/exports", *one)
            for one in (
                ("/srv", "*", ("rw", "no_root_squash")),
                ("/srv", "10.0.0.0/8", ("ro",)),
                ("/my data", "host", ()),
                ("/my data", "*", ("rw",)),
                ("/long", "a", ("rw",)),
            )
        )
    )
    samba = found[Samba]
    assert isinstance(samba, Samba)
    assert dict(samba.settings) == {"server min protocol": "nt1"}
    assert samba.shares == (SambaShare("public", True, True), SambaShare("homes", False, False))
    assert found[SnmpAgent] == SnmpAgent(
        tuple(
            SnmpCommunity("/etc/snmp/snmpd.conf", *one)
            for one in ((False, False, "10.0.0.0/8"), (True, True, "anywhere"), (True, False, "anywhere"))
        )
    )
    assert found[MySql] == MySql("/etc/mysql/mariadb.conf.d/50-server.cnf", "0.0.0.0", False, True)
    assert found[Redis] == Redis(
        (
            RedisServer("/etc/redis/redis.conf", ("0.0.0.0",), 6380, True, False),
            RedisServer("/etc/redis/two.conf", ("0.0.0.0",), 6379, False, False),
        )
    )
    assert found[MongoDb] == MongoDb("/etc/mongod.conf", "0.0.0.0", False)
    assert found[SearchEngine] == SearchEngine(
        "elasticsearch", "/etc/elasticsearch/elasticsearch.yml", ("0.0.0.0",), "off"
    )
    assert found[PostgreSql] == PostgreSql(
        (
            HbaLine(HBA, "local", "all", "postgres", "", "peer"),
            HbaLine(HBA, "host", "all", "all", "0.0.0.0/0", "trust"),
            HbaLine(HBA, "host", "my_db", "all", "10.0.0.0/255.0.0.0", "md5"),
            HbaLine(HBA, "host", "all", "all", "::/0", "ldap"),
        ),
        (("/etc/postgresql/15/main/postgresql.conf", "*"),),
    )
    web = found[WebServers]
    assert isinstance(web, WebServers)
    app, apache = "/etc/nginx/sites-enabled/app", "/etc/apache2/apache2.conf"
    site = "/etc/apache2/sites-enabled/s.conf"
    old, new = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"), ("TLSv1.2", "TLSv1.3")
    assert web.sites == (
        WebSite("nginx", app, "server app.example", True, new, "off"),
        WebSite("nginx", app, "server plain", False, ("TLSv1", "TLSv1.2"), ""),
        WebSite("nginx", app, "server without a name", True, ("TLSv1", "TLSv1.2"), ""),
        WebSite("apache", apache, "main server", False, old, "OS"),
        WebSite("apache", site, "VirtualHost *:443 s.example", True, new, "OS"),
        WebSite("apache", site, "VirtualHost *:8443", True, old, "OS"),
    )
    assert web.listings == (
        WebListing("nginx", app, "server app.example"),
        WebListing("apache", apache, "Directory /var/www/"),
    )


@pytest.mark.real
def test_an_ordinary_login_is_told_which_files_it_may_not_read(etc: Path) -> None:
    guarded = [etc / "redis", etc / "snmp" / "snmpd.conf", etc / "postgresql/15/main/pg_hba.conf"]
    etc.chmod(0o755)
    modes = {path: path.stat().st_mode for path in guarded}
    for path in guarded:
        path.chmod(0o700 if path.is_dir() else 0o600)
    plain = f"{program('setpriv')} --reuid=65534 --regid=65534 --clear-groups sh"
    try:
        text = answer(etc, plain, root="none", before="cd / &&")
    finally:
        for path, mode in modes.items():
            path.chmod(mode)
    seen = service_configs.parse(text)
    hidden = {gap.fact: gap for gap in seen.gaps if gap.fact not in ("WebServers",)}
    assert {name: gap.where for name, gap in hidden.items()} == {
        "Redis": "/etc/redis",
        "SnmpAgent": "/etc/snmp/snmpd.conf",
        "PostgreSql": HBA,
    }
    assert hidden["Redis"].needs.startswith("sudo: /usr/bin/grep -rsH ^ ")
    assert Redis not in facts(seen)
    assert MongoDb in facts(seen)


def test_what_has_no_configuration_is_absent_unless_it_runs() -> None:
    seen = service_configs.parse("end\n")
    assert {one.fact for one in seen.absences} == {fact.__name__ for fact in service_configs.PROBE.facts}
    running = service_configs.parse("runs\tredis-server\nend\n")
    assert [gap.fact for gap in running.gaps] == ["Redis"]
    assert "container" in running.gaps[0].reason


def test_a_file_that_is_too_long_is_a_gap() -> None:
    seen = service_configs.parse(
        "file\tredis\t/etc/redis.conf\nredis\t/etc/redis.conf\tport 1\ncut\t/etc/redis.conf\nend\n"
    )
    assert [(gap.fact, gap.where) for gap in seen.gaps] == [("Redis", "/etc/redis.conf")]


@pytest.mark.parametrize(
    "text",
    ["", "file\tredis\t/etc/redis.conf\n", "redis\t/etc/redis.conf\tport 1\nend\n", "noise\nend\n"],
)
def test_half_an_answer_or_a_foreign_line_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        service_configs.parse(text)


def lines(kind: str, file: str, *found: str) -> Collected:
    text = f"file\t{kind}\t{file}\n" + "".join(f"{kind}\t{file}\t{line}\n" for line in found)
    return service_configs.parse(text + "end\n")


@pytest.mark.parametrize(
    "found",
    [
        ("{ http", "{ server", "listen 80", "}"),
        ("{ http", "}", "}"),
        ("{ http", "unended"),
    ],
)
def test_blocks_that_do_not_fit_together_are_a_gap(found: tuple[str, ...]) -> None:
    seen = lines("nginx", "/etc/nginx/nginx.conf", *found)
    assert seen.facts == () or not [f for f in seen.facts if isinstance(f, WebServers)]
    assert [gap.fact for gap in seen.gaps] == ["WebServers"]


def test_files_that_take_in_each_other_end() -> None:
    seen = lines("nginx", "/etc/nginx/nginx.conf", "include nginx.conf", "include nginx.conf")
    assert {gap.reason for gap in seen.gaps} == {"the configuration takes in too much to be followed"}


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("SSLProtocol all -SSLv3", ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")),
        ("SSLProtocol TLSv1.2", ("TLSv1.2",)),
        ("SSLProtocol -all +TLSv1.3", ("TLSv1.3",)),
        ("SSLProtocol all -TLSv1 -TLSv1.1", ("TLSv1.2", "TLSv1.3")),
        ("SSLProtocol +SSLv3 +TLSv1.2", ("SSLv3", "TLSv1.2")),
        ("ServerTokens Prod", ()),
    ],
)
def test_what_apache_allows(line: str, found: tuple[str, ...]) -> None:
    [web] = lines("apache", "/etc/apache2/apache2.conf", "SSLEngine on", line).facts
    assert isinstance(web, WebServers)
    assert web.sites[0].protocols == found


@pytest.mark.parametrize(
    ("options", "bind", "local", "no_logins"),
    [
        (("[mysqld]", "bind-address = 127.0.0.1"), "127.0.0.1", False, False),
        (("[mysqld]", "skip-networking"), "", True, False),
        (("[mysqld]", "skip-networking=0"), "", False, False),
        (("[mysqld]", "loose-skip-grant-tables"), "", False, True),
        (
            ("[client]", "skip-grant-tables", "[mariadb-10.11]", "bind-address=10.0.0.1"),
            "10.0.0.1",
            False,
            False,
        ),
    ],
)
def test_options_of_mysql(options: tuple[str, ...], bind: str, local: bool, no_logins: bool) -> None:
    assert lines("mysql", "/etc/my.cnf", *options).facts == (MySql("/etc/my.cnf", bind, local, no_logins),)


def test_the_options_of_clients_are_no_server() -> None:
    seen = lines("mysql", "/etc/my.cnf", "[client]", "port=3306")
    assert "MySql" in {one.fact for one in seen.absences}


@pytest.mark.parametrize(
    ("settings", "password", "protected"),
    [
        (("bind *",), False, True),
        (("bind *", "requirepass"), True, True),
        (("bind *", "user default"), True, True),
        (("bind *", "user default nopass", "protected-mode no"), False, False),
    ],
)
def test_logins_of_redis(settings: tuple[str, ...], password: bool, protected: bool) -> None:
    [redis] = lines("redis", "/etc/redis.conf", *settings).facts
    assert isinstance(redis, Redis)
    assert (redis.servers[0].password, redis.servers[0].protected) == (password, protected)


@pytest.mark.parametrize("line", ["host all all 10.0.0.0/8", "include other.conf", "host"])
def test_a_line_of_access_that_is_not_understood_is_a_gap(line: str) -> None:
    seen = lines("hba", "/etc/postgresql/15/main/pg_hba.conf", line, "local all all peer")
    assert [gap.where for gap in seen.gaps] == [HBA]


def test_settings_that_are_taken_in_from_elsewhere_are_gaps() -> None:
    assert lines("samba", "/etc/samba/smb.conf", "[global]", "include = /opt/x").gaps[0].fact == "Samba"
    assert lines("redis", "/etc/redis.conf", "port 1", "include /opt/x").gaps[0].fact == "Redis"
    assert lines("elastic", "/etc/elasticsearch/elasticsearch.yml", "network:").gaps[0].fact == "SearchEngine"


def read_planted(tmp_path: Path, **planted: str) -> Collected:
    """What is read of files below /etc; `__` in a name stands for a folder, `_` for a dot."""
    for needed in ("passwd", "group"):
        (tmp_path / needed).write_bytes(Path("/etc", needed).read_bytes())
    subprocess.run(["cp", "-a", "/etc/alternatives", str(tmp_path)], check=True)
    for name, text in planted.items():
        file = tmp_path / name.replace("__", "/").replace("_", ".")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return service_configs.parse(answer(tmp_path, program("dash")))


@pytest.mark.real
def test_unusual_ways_to_write_a_weakness_are_read(tmp_path: Path) -> None:
    seen = read_planted(
        tmp_path,
        samba__smb_conf="[globals]\nservermin  protocol = NT1\n[x]\nGuestOk=yes\nREADONLY = no\n",
        snmp__snmpd_conf="com2sec -Cn c ro default public # not used\nROCommunity6 private ::/0\n"
        "includeDir /opt/snmp\n",
        nginx__nginx_conf='http { add_header X "a #b; c";#d\n autoindex on;#x\n'
        "server { listen 443 ssl; # don't\nssl_protocols TLSv1; } }\n",
        my_cnf="[mysqld]\nbind-address = 0.0.0.0 # all\n!includedir /opt/mysql/\n",
        elasticsearch__elasticsearch_yml="network.host: 127.0.0.1 # here\nxpack.security.enabled: true # x\n",
        redis__redis_conf="bind 10.0.0.1\nrequirepass ''\n",
        exports="/srv 10.0.0.0/8(ro) # was *(rw)\n",
        apache2__apache2_conf="SSLEngine on\nSSLProtocol -all \\\n  +TLSv1\n"
        "<Directory /x>\nOptions \\\n Indexes\n",
        squid__squid_conf="acl SSL_ports port 443\nacl CONNECT method CONNECT\n"
        "acl anyone src 0.0.0.0/0.0.0.0\nhttp_access allow CONNECT SSL_ports\n",
    )
    found = facts(seen)
    samba, snmp = found[Samba], found[SnmpAgent]
    assert isinstance(samba, Samba)
    assert dict(samba.settings) == {"server min protocol": "nt1"}
    assert samba.shares == (SambaShare("x", guest=True, writable=True),)
    assert isinstance(snmp, SnmpAgent)
    assert [(one.guessable, one.source) for one in snmp.communities] == [(True, "anywhere")] * 2
    web = found[WebServers]
    assert isinstance(web, WebServers)
    assert [(one.server, one.tls, one.protocols) for one in web.sites] == [
        ("nginx", True, ("TLSv1",)),
        ("apache", True, ("TLSv1",)),
    ]
    assert [one.place for one in web.listings] == ["http", "Directory /x"]
    assert found[MySql] == MySql("/etc/my.cnf", "0.0.0.0", local_only=False, no_logins=False)
    assert found[SearchEngine] == SearchEngine(
        "elasticsearch", "/etc/elasticsearch/elasticsearch.yml", ("127.0.0.1",), "on"
    )
    redis = found[Redis]
    assert isinstance(redis, Redis)
    assert redis.servers[0].password is False
    assert found[NfsExports] == NfsExports((NfsExport("/etc/exports", "/srv", "10.0.0.0/8", ("ro",)),))
    proxy = found[ProxyAccess]
    assert isinstance(proxy, ProxyAccess)
    assert proxy.everybody == ("all", "anyone")
    assert proxy.whoever == ("SSL_ports", "CONNECT")
    # What runs on the machine of the test has no configuration here.
    assert {(gap.fact, gap.where) for gap in seen.gaps if gap.where} == {
        ("SnmpAgent", "/etc/snmp/snmpd.conf"),
        ("MySql", "/etc/my.cnf"),
    }


def test_what_hides_a_site_is_a_gap_with_its_own_remedy_and_no_absence() -> None:
    text = (
        "file\tnginx\t/etc/nginx/nginx.conf\n"
        "nginx\t/etc/nginx/nginx.conf\tinclude /etc/nginx/http.d/*.conf\n"
        "unread\t/etc/nginx/http.d\nunread\t/etc/redis/redis.conf\nend\n"
    )
    seen = service_configs.parse(text)
    needs = {gap.fact: gap.needs for gap in seen.gaps}
    assert needs["WebServers"] == "read access to /etc/nginx/http.d"
    assert needs["Redis"].startswith("sudo: /usr/bin/grep")
    assert not {one.fact for one in seen.absences} & {"WebServers", "Redis"}
