"""Data stores that serve whoever asks."""

from __future__ import annotations

from checks.check import check
from checks.facts.network import LOOPBACK, OpenPorts
from checks.facts.network.databases import DatabaseServers, Encryption
from checks.facts.network.logins import (
    ElasticsearchLogins,
    MemcachedLogins,
    MongoLogins,
    PostgresLogins,
    RedisLogins,
)
from checks.facts.network.messages import CassandraLogins
from checks.fix import Disruption, Effort, Fix, Language, Snippet
from checks.model import Exploit, Impact, Severity, Surface, Weakness
from checks.network.logins import logins
from checks.verdict import Verdicts, expect, unknown


@check(
    "network.databases.redis-login",
    title="Every Redis server asks for a password",
    severity=Severity.CRITICAL,
    impact=Impact.TOTAL,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    surface=Surface.SERVICE,
    weakness=Weakness.WORLD_READABLE_STORE,
    fix=Fix(
        action="Give Redis a password and bind it to loopback",
        do="Set `requirepass` (or ACL users) and `bind 127.0.0.1 -::1` in redis.conf, keep `protected-mode "
        "yes`, "
        "and restart Redis. Give the password to its clients first.",
        verify="timeout 5 redis-cli -h @{target} -p @{port} ping   # NOAUTH Authentication required",
        effort=Effort(setup=1.0, each=0.5),
        disruption=Disruption.RESTART,
        undo="Put the old redis.conf back and restart Redis.",
        snippets=(
            Snippet(
                Language.SHELL,
                "# On @{target}, for the server on port @{port}:\n"
                "cp -p /etc/redis/redis.conf /etc/redis/redis.conf.before\n"
                "printf 'bind 127.0.0.1 -::1\\nprotected-mode yes\\nrequirepass %s\\n' "
                '"$(openssl rand -hex 32)" >> /etc/redis/redis.conf\n'
                "systemctl restart redis-server && redis-cli -p @{port} ping",
                "mv /etc/redis/redis.conf.before /etc/redis/redis.conf && systemctl restart redis-server",
            ),
        ),
        key="redis:@{target}:@{on}",
    ),
    refs=("https://redis.io/docs/latest/operate/oss_and_stack/management/security/",),
)
def redis_login(found: RedisLogins) -> Verdicts:
    """A Redis without a password gives away its data and lets its user's files be written: a takeover."""
    yield from logins(found.servers)


@check(
    "network.databases.memcached-login",
    title="Every memcached server keeps strangers out",
    severity=Severity.HIGH,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    surface=Surface.SERVICE,
    weakness=Weakness.WORLD_READABLE_STORE,
    fix=Fix(
        action="Bind memcached to loopback",
        do="Start memcached with `-l 127.0.0.1 -U 0`; where several servers share it, use SASL and a "
        "firewall.",
        verify="printf 'version\\r\\n' | nc -w 2 @{target} @{port}   # no answer",
        effort=Effort(setup=0.5, each=0.25),
        disruption=Disruption.RESTART,
        undo="Put the old memcached.conf back and restart memcached.",
        snippets=(
            Snippet(
                Language.SHELL,
                "# On @{target}, for the server on port @{port}:\n"
                "cp -p /etc/memcached.conf /etc/memcached.conf.before\n"
                "sed -i -E 's/^-l .*/-l 127.0.0.1/' /etc/memcached.conf\n"
                "grep -q '^-l' /etc/memcached.conf || echo '-l 127.0.0.1' >> /etc/memcached.conf\n"
                "grep -q '^-U' /etc/memcached.conf || echo '-U 0' >> /etc/memcached.conf\n"
                "systemctl restart memcached",
                "mv /etc/memcached.conf.before /etc/memcached.conf && systemctl restart memcached",
            ),
        ),
        key="memcached:@{target}:@{on}",
    ),
)
def memcached_login(found: MemcachedLogins) -> Verdicts:
    """Memcached serves and forgets for anybody who reaches it: sessions leak, and pages can be replaced."""
    yield from logins(found.servers)


@check(
    "network.databases.mongodb-login",
    title="Every MongoDB server asks for a login",
    severity=Severity.CRITICAL,
    impact=Impact.TOTAL,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    surface=Surface.SERVICE,
    weakness=Weakness.WORLD_READABLE_STORE,
    fix=Fix(
        action="Turn on authorization in MongoDB",
        do="Create an administrator, set `security.authorization: enabled` in mongod.conf, bind to "
        "loopback or "
        "the application network, and restart mongod.",
        verify="mongosh --host @{target} --port @{port} --eval 'db.adminCommand({listDatabases: 1})'   "
        "# requires authentication",
        effort=Effort(setup=2.0, each=1.0),
        disruption=Disruption.RESTART,
        undo="Set `security.authorization: disabled` and restart mongod.",
        snippets=(
            Snippet(
                Language.SHELL,
                "# On @{target} (port @{port}), after the users were created:\n"
                "cp -p /etc/mongod.conf /etc/mongod.conf.before\n"
                "printf 'security:\\n  authorization: enabled\\n' >> /etc/mongod.conf\n"
                "systemctl restart mongod",
                "mv /etc/mongod.conf.before /etc/mongod.conf && systemctl restart mongod",
            ),
        ),
        key="mongodb:@{target}:@{on}",
    ),
)
def mongodb_login(found: MongoLogins) -> Verdicts:
    """MongoDB servers without a login are found, copied and held to ransom by machines within hours."""
    yield from logins(found.servers)


@check(
    "network.databases.elasticsearch-login",
    title="Every Elasticsearch or OpenSearch node asks for a login",
    severity=Severity.CRITICAL,
    impact=Impact.SERIOUS,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    surface=Surface.SERVICE,
    weakness=Weakness.WORLD_READABLE_STORE,
    fix=Fix(
        action="Turn on security in Elasticsearch",
        do="Set `xpack.security.enabled: true` with TLS between nodes and for clients, set the passwords, "
        "and "
        "restart the nodes one by one.",
        verify="curl -s -m 5 -o /dev/null -w '%{http_code}\\n' http://@{target}:@{port}/   # 401",
        effort=Effort(setup=4.0, each=1.0),
        disruption=Disruption.RESTART,
        undo="Set `xpack.security.enabled: false` and restart the nodes.",
        snippets=(
            Snippet(
                Language.SHELL,
                "# On @{target} (port @{port}):\n"
                "cp -p /etc/elasticsearch/elasticsearch.yml /etc/elasticsearch/elasticsearch.yml.before\n"
                "sed -i '/^xpack.security.enabled:/d' /etc/elasticsearch/elasticsearch.yml\n"
                "echo 'xpack.security.enabled: true' >> /etc/elasticsearch/elasticsearch.yml\n"
                "systemctl restart elasticsearch",
                "mv /etc/elasticsearch/elasticsearch.yml.before /etc/elasticsearch/elasticsearch.yml\n"
                "systemctl restart elasticsearch",
            ),
        ),
        key="elasticsearch:@{target}:@{on}",
    ),
)
def elasticsearch_login(found: ElasticsearchLogins) -> Verdicts:
    """An open search node hands out and deletes every index it has."""
    yield from logins(found.servers)


@check(
    "network.databases.postgres-login",
    title="No PostgreSQL server lets its superuser in without a password",
    severity=Severity.CRITICAL,
    impact=Impact.TOTAL,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    surface=Surface.SERVICE,
    weakness=Weakness.ADMIN_PORT_NO_PASSWORD,
    fix=Fix(
        action="Replace trust by scram-sha-256 in pg_hba.conf",
        do="Set passwords for the roles, replace `trust` by `scram-sha-256` in every host line of "
        "pg_hba.conf, "
        "and reload PostgreSQL.",
        verify="PGCONNECT_TIMEOUT=5 PGPASSWORD= psql -w -h @{target} -p @{port} -U postgres -c 'select "
        "1'   # no password "
        "supplied",
        effort=Effort(setup=1.0, each=0.5),
        disruption=Disruption.NONE,
        undo="Put the old pg_hba.conf back and reload PostgreSQL.",
        snippets=(
            Snippet(
                Language.SHELL,
                "# On @{target}, for the server on port @{port}:\n"
                "file=$(sudo -u postgres psql -p @{port} -Atc 'show hba_file')\n"
                'cp -p "$file" "$file.before"\n'
                "sed -i -E 's/^(host[a-z]*[[:space:]].*[[:space:]])trust([[:space:]]*)$/"
                '\\1scram-sha-256\\2/\' "$file"\n'
                "sudo -u postgres psql -p @{port} -c "
                "'select * from pg_hba_file_rules where error is not null'\n"
                "sudo -u postgres psql -p @{port} -c 'select pg_reload_conf()'",
                "file=$(sudo -u postgres psql -p @{port} -Atc 'show hba_file')\n"
                'mv "$file.before" "$file"\n'
                "sudo -u postgres psql -p @{port} -c 'select pg_reload_conf()'",
            ),
        ),
        key="postgresql:@{target}:@{on}",
    ),
)
def postgres_login(found: PostgresLogins) -> Verdicts:
    """The superuser of PostgreSQL runs commands on the machine; `trust` makes everybody the superuser."""
    yield from logins(found.servers)


@check(
    "network.databases.cassandra-login",
    title="Every Cassandra node asks for a login",
    severity=Severity.CRITICAL,
    impact=Impact.SERIOUS,
    exploit=Exploit.NO_EXPLOIT_NEEDED,
    surface=Surface.SERVICE,
    weakness=Weakness.WORLD_READABLE_STORE,
    fix=Fix(
        action="Turn on logins in Cassandra",
        do="Set `authenticator: PasswordAuthenticator` and `authorizer: CassandraAuthorizer` in "
        "cassandra.yaml, "
        "make accounts for the applications, change the one that comes with it, and restart the nodes one by "
        "one.",
        verify="timeout 30 cqlsh @{target} @{port} -e 'describe cluster' </dev/null   # requires "
        "authentication",
        effort=Effort(setup=2.0, each=0.5),
        disruption=Disruption.RESTART,
        undo="Put the old cassandra.yaml back and restart the nodes.",
        snippets=(
            Snippet(
                Language.SHELL,
                "# On @{target} (port @{port}):\n"
                "cp -p /etc/cassandra/cassandra.yaml /etc/cassandra/cassandra.yaml.before\n"
                "sed -i -e 's/^authenticator:.*/authenticator: PasswordAuthenticator/' "
                "-e 's/^authorizer:.*/authorizer: CassandraAuthorizer/' /etc/cassandra/cassandra.yaml\n"
                "nodetool drain && systemctl restart cassandra",
                "mv /etc/cassandra/cassandra.yaml.before /etc/cassandra/cassandra.yaml\n"
                "nodetool drain && systemctl restart cassandra",
            ),
        ),
        key="cassandra:@{target}:@{on}",
    ),
)
def cassandra_login(found: CassandraLogins) -> Verdicts:
    """A Cassandra node without logins reads out and overwrites the data of the whole cluster for anybody."""
    yield from logins(found.servers)


@check(
    "network.databases.tls",
    title="Database servers offer TLS",
    severity=Severity.MEDIUM,
    impact=Impact.SERIOUS,
    exploit=Exploit.AUTOMATABLE,
    surface=Surface.SERVICE,
    fix=Fix(
        action="Give the databases TLS",
        do="Give the server a certificate and turn TLS on (PostgreSQL `ssl = on`, MySQL and MariaDB "
        "`ssl_cert`, "
        "`ssl_key` and `require_secure_transport`, Redis `tls-port` and `port 0`, SQL Server Force "
        "Encryption), then let the clients require it.",
        verify="timeout 10 openssl s_client -connect @{target}:@{port} </dev/null   # a certificate is "
        "shown; with "
        "-starttls postgres or mysql for those two",
        effort=Effort(setup=2.0, each=1.0),
        disruption=Disruption.RESTART,
        undo="Put the old configuration back and restart the server.",
        snippets=(
            Snippet(
                Language.SHELL,
                "# On @{target} (port @{port}), for PostgreSQL, with server.crt and server.key in its data "
                "folder:\n"
                "sudo -u postgres psql -p @{port} -c 'alter system set ssl = on' -c 'select "
                "pg_reload_conf()'",
                "sudo -u postgres psql -p @{port} -c 'alter system reset ssl' -c 'select pg_reload_conf()'",
            ),
        ),
        key="database-tls:@{target}:@{on}",
    ),
)
def tls(found: DatabaseServers, ports: OpenPorts) -> Verdicts:
    """A database without TLS sends its passwords and its rows past everybody on the way."""
    for server in found.servers:
        if ports.vantage == LOOPBACK:
            reason = "asked from the machine itself; whether others come in without TLS was not asked"
            yield unknown(server.port, reason, needs="a scan from another machine", port=server.port)
        elif server.encryption is Encryption.UNTOLD:
            reason = f"the first words of {server.product} do not tell whether it encrypts"
            yield unknown(server.port, reason, needs="its configuration, read on the host", port=server.port)
        else:
            yield expect(
                server.encryption is not Encryption.MISSING,
                on=server.port,
                saw=f"{server.product}: TLS {server.encryption}",
                want="TLS is offered",
                port=server.port,
            )
