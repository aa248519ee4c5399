"""The HTTP APIs whose login is checked: what an open one gives away, and how to close it."""

from __future__ import annotations

from dataclasses import dataclass

from checks.model import Impact, Severity, Weakness

_MANAGEMENT = Weakness.UNAUTHENTICATED_MANAGEMENT
_STORE = Weakness.WORLD_READABLE_STORE
_CLOSE = (
    "nft add table inet bartizan_@{port}\n"
    "nft add chain inet bartizan_@{port} input '{ type filter hook input priority -10; }'\n"
    "nft add rule inet bartizan_@{port} input iifname lo accept\n"
    "# 192.0.2.0/24 stands for the network that may still come in: put yours there.\n"
    "nft add rule inet bartizan_@{port} input tcp dport @{port} ip saddr != 192.0.2.0/24 drop\n"
    "nft add rule inet bartizan_@{port} input tcp dport @{port} meta nfproto ipv6 drop"
)
_OPEN_AGAIN = "nft delete table inet bartizan_@{port}"


@dataclass(frozen=True, slots=True)
class Api:
    """One API, by the name that the collector gives it.

    `path` is asked to verify, `expected` the answer then; `snippet` and `back` are commands on its machine,
    by default those that close its port to all but one network.
    """

    name: str
    title: str
    why: str
    action: str
    do: str
    path: str
    severity: Severity = Severity.CRITICAL
    impact: Impact = Impact.TOTAL
    weakness: Weakness = _MANAGEMENT
    expected: str = "401 or 403; 000 where the port is closed to you"
    hours: float = 2.0
    snippet: str = _CLOSE
    back: str = _OPEN_AGAIN
    reference: str = ""


APIS = (
    Api(
        name="etcd",
        title="No etcd hands its keys to strangers",
        why="etcd holds the whole state of a cluster with its secrets; who writes to it owns every machine.",
        action="Require client certificates at etcd",
        do="Set `--client-cert-auth`, `--trusted-ca-file` and TLS listeners, or switch on its own users "
        "(`etcdctl auth enable`), and let only the control plane reach port @{port}.",
        path='/v3/kv/range\' -d \'{"key":"AA==","limit":"1","keys_only":true}',
        expected="000, 400 or 401",
        hours=4.0,
        reference="https://etcd.io/docs/latest/op-guide/security/",
    ),
    Api(
        name="kubernetes",
        title="No Kubernetes API serves strangers",
        why="An API server that lets anonymous callers read shows, and often changes, everything that runs.",
        action="Take the rights of anonymous callers away",
        do="Delete every role binding of `system:anonymous` and `system:unauthenticated`, and start the API "
        "server with `--anonymous-auth=false` where no health check needs it.",
        path="/api/v1/namespaces",
        hours=2.0,
        snippet="kubectl get clusterrolebindings -o wide | grep -E 'system:(anonymous|unauthenticated)'\n"
        "# Then, for each that was found, after a copy of it:\n"
        "kubectl get clusterrolebinding NAME -o yaml > NAME.yaml && kubectl delete clusterrolebinding NAME",
        back="kubectl apply -f NAME.yaml",
        reference="https://kubernetes.io/docs/reference/access-authn-authz/authentication/#anonymous-requests",
    ),
    Api(
        name="consul",
        title="No Consul agent shows its configuration to strangers",
        why="An open Consul shows all services and keys, and registers checks that run commands.",
        action="Switch on Consul's access control",
        do='Set `acl.enabled = true` and `acl.default_policy = "deny"`, bootstrap the tokens, and bind the '
        "HTTP API to loopback.",
        path="/v1/agent/self",
        hours=8.0,
        reference="https://developer.hashicorp.com/consul/docs/security/acl",
    ),
    Api(
        name="prometheus",
        title="No Prometheus shows its configuration to strangers",
        why="The configuration and targets of Prometheus are a map of the estate, at times with passwords.",
        action="Put a login before Prometheus",
        do="Give it a `--web.config.file` with `basic_auth_users` and TLS, or a proxy with a login, and bind "
        "it to the monitoring network.",
        path="/api/v1/status/config",
        severity=Severity.MEDIUM,
        impact=Impact.PARTIAL,
        reference="https://prometheus.io/docs/prometheus/latest/configuration/https/",
    ),
    Api(
        name="couchdb",
        title="No CouchDB lists its databases to strangers",
        why="An open CouchDB gives away every document, and lets anybody become its administrator.",
        action="Require a login at CouchDB",
        do="Create an administrator, set `require_valid_user = true` in section `[chttpd]` of local.ini, and "
        "bind it to loopback or to its application's network.",
        path="/_all_dbs",
        weakness=_STORE,
        snippet="cp -p /opt/couchdb/etc/local.ini /opt/couchdb/etc/local.ini.before\n"
        "printf '[chttpd]\\nrequire_valid_user = true\\n' >> /opt/couchdb/etc/local.ini\n"
        "systemctl restart couchdb",
        back="mv /opt/couchdb/etc/local.ini.before /opt/couchdb/etc/local.ini && systemctl restart couchdb",
    ),
    Api(
        name="influxdb",
        title="No InfluxDB answers queries of strangers",
        why="An InfluxDB without authentication lets everybody read, change and drop its databases.",
        action="Switch on authentication in InfluxDB",
        do="Create an administrator, set `auth-enabled = true` in section `[http]` of influxdb.conf, and "
        "restart.",
        path="/query?q=SHOW%20DATABASES",
        weakness=_STORE,
        snippet="cp -p /etc/influxdb/influxdb.conf /etc/influxdb/influxdb.conf.before\n"
        "sed -i -E 's/^[# ]*auth-enabled = .*/  auth-enabled = true/' /etc/influxdb/influxdb.conf\n"
        "systemctl restart influxdb",
        back="mv /etc/influxdb/influxdb.conf.before /etc/influxdb/influxdb.conf "
        "&& systemctl restart influxdb",
    ),
    Api(
        name="solr",
        title="No Solr shows its settings to strangers",
        why="An open Solr gives away its indices, and its configuration API has run commands more than once.",
        action="Switch on authentication in Solr",
        do="Add security.json with BasicAuthPlugin, `blockUnknown: true` and RuleBasedAuthorizationPlugin, "
        "and set SOLR_JETTY_HOST to loopback where it is used on the machine only.",
        path="/solr/admin/info/system",
        weakness=_STORE,
        reference="https://solr.apache.org/guide/solr/latest/deployment-guide/basic-authentication-plugin.html",
    ),
    Api(
        name="clickhouse",
        title="No ClickHouse answers queries of strangers",
        why="The user `default` without a password reads and drops every table.",
        action="Give ClickHouse's default user a password",
        do="Set `password_sha256_hex` and `networks` for the user `default` in a file below users.d, and use "
        "users of their own for applications.",
        path="/?query=SELECT%201",
        weakness=_STORE,
        snippet="umask 077\n"
        "hash=$(head -c 24 /dev/urandom | base64 | tee /root/clickhouse-default.password | "
        "tr -d '\\n' | sha256sum | cut -d' ' -f1)\n"
        'printf \'<clickhouse><users><default><password remove="1"/><password_sha256_hex>%s'
        '</password_sha256_hex></default></users></clickhouse>\\n\' "$hash" '
        "> /etc/clickhouse-server/users.d/10-default.xml\n"
        "chown clickhouse: /etc/clickhouse-server/users.d/10-default.xml",
        back="rm /etc/clickhouse-server/users.d/10-default.xml",
    ),
    Api(
        name="jupyter",
        title="No Jupyter server lets strangers in",
        why="A Jupyter server runs whatever its visitors type: without a token, everybody has a shell.",
        action="Give Jupyter its token back",
        do="Remove `--ServerApp.token=''` and `password=''` from its options, set a password with "
        "`jupyter server password`, and bind it to loopback behind SSH or a proxy.",
        path="/api/sessions",
        hours=0.5,
    ),
    Api(
        name="jenkins",
        title="No Jenkins lets strangers in",
        why="Jenkins builds and deploys with the credentials of many systems; its script console is a shell.",
        action="Close Jenkins to anonymous users",
        do="Choose a security realm, and an authorization strategy in which anonymous users have no rights "
        "(Manage Jenkins, Security).",
        path="/api/json",
        hours=1.0,
        reference="https://www.jenkins.io/doc/book/security/managing-security/",
    ),
    Api(
        name="yarn",
        title="No Hadoop YARN takes orders from strangers",
        why="Whoever reaches an open ResourceManager submits applications: commands on every node.",
        action="Switch on Kerberos in Hadoop",
        do="Set `hadoop.security.authentication` to kerberos and `hadoop.http.authentication.type` too, and "
        "let only the cluster's edge reach port @{port}.",
        path="/ws/v1/cluster/info",
        hours=16.0,
    ),
    Api(
        name="spark",
        title="No Spark shows its applications to strangers",
        why="An open Spark shows settings with keys, and an open master takes everybody's applications.",
        action="Put a login before Spark",
        do="Set `spark.authenticate true` and `spark.ui.filters` with a login, and let only the cluster "
        "reach its ports.",
        path="/api/v1/applications",
        severity=Severity.HIGH,
        impact=Impact.SERIOUS,
        hours=4.0,
        reference="https://spark.apache.org/docs/latest/security.html",
    ),
    Api(
        name="minio",
        title="No MinIO lists its buckets to strangers",
        why="A bucket that anonymous callers may list gives away every object in it.",
        action="Take anonymous access to buckets away",
        do="Set the anonymous policy of each bucket to none (`mc anonymous set none`), and share single "
        "objects by signed addresses.",
        path="/",
        severity=Severity.HIGH,
        impact=Impact.SERIOUS,
        weakness=_STORE,
        hours=1.0,
    ),
    Api(
        name="docker-registry",
        title="No Docker registry lists its images to strangers",
        why="An open registry gives away the software in its images with the secrets baked in, and mostly "
        "takes new images too.",
        action="Put a login before the registry",
        do="Set `auth: htpasswd` (or token) and TLS in the registry's config.yml, or a proxy with a login.",
        path="/v2/_catalog",
        severity=Severity.HIGH,
        impact=Impact.SERIOUS,
        weakness=_STORE,
        reference="https://distribution.github.io/distribution/about/configuration/#auth",
    ),
    Api(
        name="portainer",
        title="No Portainer waits for its first administrator",
        why="Whoever comes first becomes the administrator of Portainer, and of all its containers.",
        action="Finish or stop the installation of Portainer",
        do="Create the administrator at once, over loopback or SSH, or start Portainer with "
        "`--admin-password-file`; look for users that nobody here made.",
        path="/api/users/admin/check",
        expected="204",
        hours=0.5,
    ),
    Api(
        name="nomad",
        title="No Nomad agent shows its configuration to strangers",
        why="An open Nomad runs whatever job it is handed, on every machine of its cluster.",
        action="Switch on Nomad's access control",
        do="Set `acl { enabled = true }`, bootstrap the tokens, and require TLS between agents.",
        path="/v1/agent/self",
        hours=8.0,
        reference="https://developer.hashicorp.com/nomad/docs/secure/acl",
    ),
    Api(
        name="netdata",
        title="No Netdata shows its machine to strangers",
        why="Netdata shows users, processes and connections of its machine by the second.",
        action="Bind Netdata to loopback",
        do="Set `bind to = localhost` in section `[web]` of netdata.conf, or `allow connections from` with "
        "the monitoring network.",
        path="/api/v1/info",
        severity=Severity.MEDIUM,
        impact=Impact.PARTIAL,
        expected="000: no answer",
        hours=0.5,
        snippet="cp -p /etc/netdata/netdata.conf /etc/netdata/netdata.conf.before\n"
        "printf '[web]\\n    bind to = localhost\\n' >> /etc/netdata/netdata.conf\n"
        "systemctl restart netdata",
        back="mv /etc/netdata/netdata.conf.before /etc/netdata/netdata.conf && systemctl restart netdata",
    ),
)
