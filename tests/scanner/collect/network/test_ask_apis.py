"""APIs and pages of administration: a real etcd, and fakes for those of which there is no package.

The fakes hold the marks of the products' own answers, as their documentation and sources show them.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from checks.facts.network import OpenPort
from checks.facts.network.consoles import Console, Consoles, Guard, RemoteManagements
from checks.facts.network.logins import ApiLogin, ApiLogins, ElasticsearchLogins
from scanner.collect.collector import Collected
from scanner.collect.network.ask import databases, http_apis, management
from scanner.collect.network.ask import http as question
from scanner.collect.network.ask.consoles_table import CONSOLES
from scanner.collect.network.ask.http_apis import APIS
from scanner.collect.network.ask.http_interfaces import Candidate, Told, candidates, reception
from scanner.collect.network.talk import TalkError
from scanner.collect.network.web import Request, Response
from tests.lab.asking import ask, only, reason
from tests.lab.daemons import DAEMONS, Place, daemon, folder, launch
from tests.lab.services import certificate, inside_tls, mute, resetting, serving

Handler = Callable[[socket.socket], None]
Pages = dict[str, tuple[str, str]]
"""Path → status with headers, and body. Every other path is not found."""


def site(pages: Pages) -> Handler:
    """A fake that answers these paths with these bytes and keeps its connections."""

    def handle(connection: socket.socket) -> None:
        heard = b""
        while True:
            while b"\r\n\r\n" not in heard:
                more = connection.recv(65_536)
                if not more:
                    return
                heard += more
            head, _, heard = heard.partition(b"\r\n\r\n")
            lines = head.decode("latin-1").split("\r\n")
            length = next((int(x[15:]) for x in lines if x.lower().startswith("content-length:")), 0)
            while len(heard) < length:
                heard += connection.recv(65_536)
            heard = heard[length:]
            status, body = pages.get(lines[0].split(" ")[1], ("404 Not Found", "404 page not found"))
            first = f"HTTP/1.1 {status}\r\nContent-Length: {len(body.encode())}\r\n\r\n"
            connection.sendall((first + body).encode())
            if "Connection: close" in lines:
                return

    return handle


def probe(number: int, *, tls: bool = False, service: str = "http") -> Collected:
    return ask(question.ask, OpenPort(number, "tcp", service, tls=tls), *question.FACTS)


def apis(pages: Pages) -> tuple[ApiLogin, ...]:
    with serving(site(pages)) as number:
        return only(probe(number), ApiLogins).apis


def consoles(pages: Pages) -> tuple[Console, ...]:
    with serving(site(pages)) as number:
        found = only(probe(number), Consoles)
        assert found.looked == (f"tcp/{number}",)
        return found.consoles


def titled(title: str, *headers: str) -> tuple[str, str]:
    return "\r\n".join(("200 OK", *headers)), f"<html><head><title>{title}</title></head></html>"


def fronted(name: str) -> Pages:
    """A front page by which the API is known."""
    return {
        "consul": {"/": ("301 Moved\r\nLocation: /ui/", ""), "/ui/": titled("Consul by HashiCorp")},
        "prometheus": {
            "/": ("302 Found\r\nLocation: /graph", ""),
            "/graph": titled("Prometheus Time Series"),
        },
        "couchdb": {"/": ("200 OK\r\nServer: CouchDB/3.3.2", '{"couchdb":"Welcome"}')},
        "influxdb": {"/": ("404 Not Found\r\nX-Influxdb-Version: 1.8.10", "404 page not found")},
        "solr": {"/": ("302 Found\r\nLocation: /solr/", ""), "/solr/": titled("Solr Admin")},
        "clickhouse": {"/": ("200 OK\r\nX-ClickHouse-Summary: {}", "Ok.\n")},
        "jupyter": {
            "/": ("302 Found\r\nLocation: /tree", ""),
            "/tree": titled("Home Page - Select or create"),
        },
        "jenkins": {"/": titled("Dashboard [Jenkins]", "X-Jenkins: 2.426.1")},
        "yarn": {"/": ("302 Found\r\nLocation: /cluster", ""), "/cluster": titled("All Applications")},
        "spark": {"/": titled("Spark Master at spark://x:7077")},
        "minio": {"/": ("403 Forbidden\r\nServer: MinIO", "<Error><Code>AccessDenied</Code></Error>")},
        "docker-registry": {"/": ("200 OK\r\nDocker-Distribution-Api-Version: registry/2.0", "")},
        "portainer": {"/": titled("Portainer")},
        "nomad": {"/": titled("Nomad")},
        "netdata": {"/": titled("netdata dashboard")},
        "kubernetes": {"/": ("403 Forbidden", '{"kind":"Status","message":"User \\"system:anonymous\\""}')},
        "etcd": {"/": ("200 OK", "etcdserver: not a page")},
    }[name]


OPEN: dict[str, tuple[str, str, str]] = {
    "kubernetes": ("/api/v1/namespaces?limit=1", "200 OK", '{"kind": "NamespaceList","items":[]}'),
    "consul": ("/v1/agent/self", "200 OK", '{"Config":{"Datacenter":"dc1","Version":"1.17.0"}}'),
    "prometheus": ("/api/v1/status/config", "200 OK", '{"status":"success","data":{"yaml":"global:"}}'),
    "couchdb": ("/_all_dbs", "200 OK", '["_users","shop"]\n'),
    "influxdb": ("/query?q=SHOW%20DATABASES", "200 OK", '{"results":[{"statement_id":0}]}'),
    "solr": ("/solr/admin/info/system?wt=json", "200 OK", '{"lucene":{"solr-spec-version":"9.4.0"}}'),
    "clickhouse": ("/?query=SELECT%20version()", "200 OK", "23.8.2.7\n"),
    "jupyter": ("/api/sessions", "200 OK", "[]"),
    "jenkins": ("/script", "200 OK", "<h1>Script Console</h1>"),
    "yarn": ("/ws/v1/cluster/info", "200 OK", '{"clusterInfo":{"resourceManagerVersion":"3.3.6"}}'),
    "spark": ("/json/", "200 OK", '{"url":"spark://x","aliveworkers":1}'),
    "minio": ("/", "200 OK\r\nServer: MinIO", "<ListAllMyBucketsResult></ListAllMyBucketsResult>"),
    "docker-registry": ("/v2/_catalog?n=1", "200 OK", '{"repositories":["app"]}'),
    "portainer": ("/api/users/admin/check", "404 Not Found", '{"message":"No administrator account found"}'),
    "nomad": ("/v1/agent/self", "200 OK", '{"config":{"Version":{"Version":"1.6.3"}},"member":{}}'),
    "netdata": ("/api/v1/info", "200 OK", '{"version":"v1.43.2","mirrored_hosts":["x"]}'),
    "etcd": ("/v3/kv/range", "200 OK", '{"header":{"cluster_id":"1","member_id":"2"}}'),
}
CLOSED: dict[str, tuple[str, str]] = {
    "influxdb": ("401 Unauthorized", '{"error":"unable to parse authentication credentials"}'),
    "clickhouse": ("403 Forbidden", "Code: 516. DB::Exception: default: Authentication failed"),
    "minio": ("403 Forbidden\r\nServer: MinIO", "<Error><Code>AccessDenied</Code></Error>"),
    "etcd": ("400 Bad Request", '{"error":"etcdserver: user name is empty","code":3}'),
}


def test_every_api_of_the_table_is_tested() -> None:
    assert set(OPEN) == {api.name for api in APIS}


@pytest.mark.parametrize("name", OPEN)
def test_an_api_that_serves_a_stranger_is_told_from_one_that_asks(name: str) -> None:
    path, status, body = OPEN[name]
    [login] = [a for a in apis({**fronted(name), path: (status, body)}) if a.api == name]
    assert (login.needed, login.decided) == (False, True), login
    assert f" {path}: status {status[:3]}" in login.answer
    closed = CLOSED.get(name, ("401 Unauthorized", "{}"))
    every = {api.read.path: closed for api in APIS if api.name == name and api.read}
    [login] = [a for a in apis({**fronted(name), **every}) if a.api == name]
    assert (login.needed, login.decided) == (True, True), login


@pytest.mark.parametrize("name", OPEN)
def test_an_api_whose_every_path_answers_alike_is_undecided(name: str) -> None:
    """A page that cannot exist has the mark as well: what answers is something in between."""
    _, status, body = OPEN[name]
    [row, *_] = [api for api in APIS if api.name == name]
    same = Response(int(status[:3]), {}, body.encode())
    if row.serves and row.serves.search(same.body):
        told = reception(Candidate(row, "known"), 80, same, same)
        assert told is not None
        assert told.guard is Guard.UNDECIDED
        assert "looks the same" in told.answer
    broken = reception(Candidate(row, "known"), 80, same, TalkError("the connection was reset"))
    assert broken is not None
    assert broken.guard is not Guard.NONE


def test_versions_are_told_by_those_that_show_them() -> None:
    versions = {}
    for name, (path, status, body) in OPEN.items():
        [login] = [a for a in apis({**fronted(name), path: (status, body)}) if a.api == name]
        versions[name] = login.version
    assert {n: v for n, v in versions.items() if v} == {
        "consul": "1.17.0", "solr": "9.4.0", "clickhouse": "23.8.2.7", "yarn": "3.3.6", "nomad": "1.6.3",
        "netdata": "v1.43.2",
    }  # fmt: skip


def test_an_api_that_breaks_off_or_answers_nonsense_is_undecided() -> None:
    for reply in (("500 Internal Server Error", "x"), ("200 OK", "<html>")):
        [login] = apis({**fronted("couchdb"), "/_all_dbs": reply})
        assert (login.api, login.decided, login.needed) == ("couchdb", False, False)
        assert "decides nothing" in login.answer


def test_a_plain_web_server_is_no_api_and_no_console() -> None:
    assert apis({"/": titled("Shop")}) == ()
    assert consoles({"/": titled("Shop")}) == ()


@pytest.mark.parametrize("name", [api.name for api in APIS if api.maybe])
def test_a_stranger_on_the_port_of_an_api_must_name_itself(name: str) -> None:
    """Ports that many programs use: a refusal there is nobody's in particular."""
    for row in (api for api in APIS if api.name == name and api.maybe):
        [number, *_] = sorted(row.maybe)
        [candidate] = [c for c in candidates([row], number, Told("port: x", "")) if c.interface is row]
        refusal = Response(401, {}, b"")
        assert reception(candidate, number, refusal, refusal) is None
        assert reception(candidate, number, TalkError("reset"), refusal) is None


@pytest.mark.parametrize("name", sorted({api.name for api in APIS if api.ports}))
def test_a_refusal_on_the_port_of_one_api_alone_is_its_own(name: str) -> None:
    row = next(api for api in APIS if api.name == name and api.read and not api.read.body)
    [number, *_] = sorted(row.ports)
    [candidate] = candidates([row], number, Told("port: x", ""))
    refusal = Response(401, {}, b"")
    told = reception(candidate, number, refusal, refusal)
    assert told is not None
    assert told.guard is Guard.LOGIN
    missing = Response(404, {}, b"404 page not found")
    assert reception(candidate, number, missing, missing) is None, "another program on the usual port"


def etcd_on(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes a free port stand for the usual one: the front page of etcd names nobody."""
    rows = tuple(replace(api, ports=frozenset({number})) for api in APIS if api.name == "etcd")
    monkeypatch.setattr(question, "APIS", rows)


def with_users(number: int) -> None:
    """Switches the users of an etcd on."""
    root = {"name": "root", "password": "of-this-test"}
    for path, body in (
        ("user/add", root), ("role/add", {"name": "root"}), ("user/grant", {"user": "root", "role": "root"}),
        ("enable", {}),
    ):  # fmt: skip
        whom = http.client.HTTPConnection("127.0.0.1", number, timeout=10)
        whom.request("POST", f"/v3/auth/{path}", json.dumps(body), {"Content-Type": "application/json"})
        assert whom.getresponse().status == 200
        whom.close()


@pytest.mark.real
def test_a_real_etcd_hands_out_its_keys_also_where_only_the_new_api_has_users(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with daemon("etcd") as etcd:
        number = etcd.tcp[0]
        etcd_on(number, monkeypatch)
        [login] = only(probe(number), ApiLogins).apis
        assert (login.api, login.needed, login.decided) == ("etcd", False, True)
        assert login.answer == "POST /v3/kv/range: status 200, a range of its keys"
        with_users(number)
        [login] = only(probe(number), ApiLogins).apis
    assert (login.needed, login.answer) == (False, "GET /v2/keys/: status 200, a list of its keys")


@pytest.mark.real
def test_a_real_etcd_with_users_asks_for_a_login(monkeypatch: pytest.MonkeyPatch) -> None:
    with folder() as own:
        place = Place(own)
        prepared = DAEMONS["etcd"](place)
        command = tuple(word for word in prepared.command if word != "--enable-v2")
        etcd = launch("etcd", place, replace(prepared, command=command))
        try:
            etcd.wait()
            with_users(etcd.tcp[0])
            etcd_on(etcd.tcp[0], monkeypatch)
            [login] = only(probe(etcd.tcp[0]), ApiLogins).apis
        finally:
            etcd.stop()
    assert (login.api, login.needed, login.decided) == ("etcd", True, True)
    assert "a login is asked for" in login.answer


def test_an_etcd_that_insists_on_a_client_certificate_asks_for_a_login(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    guarded = inside_tls(certificate(tmp_path), site({}), verify_mode=ssl.CERT_REQUIRED)
    with serving(guarded) as number:
        etcd_on(number, monkeypatch)
        found = probe(number, tls=True, service="")
    [login] = only(found, ApiLogins).apis
    assert (login.api, login.needed, login.tls) == ("etcd", True, True)
    assert "certificate" in login.answer
    assert found.gaps == (), "what speaks inside is not known to be a web server"


def test_a_handshake_that_fails_for_another_reason_asks_for_no_login(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that needs TLS 1.2 with a cipher which nobody offers also says that the handshake failed."""
    context = inside_tls(certificate(tmp_path), site({}), verify_mode=ssl.CERT_REQUIRED,
                         maximum_version=ssl.TLSVersion.TLSv1_2)  # fmt: skip
    with serving(context) as number:
        etcd_on(number, monkeypatch)
        found = probe(number, tls=True, service="")
    [login] = only(found, ApiLogins).apis
    assert (login.api, login.needed, login.decided) == ("etcd", False, False)
    assert found.gaps == ()


def test_a_front_page_that_failed_leaves_open_only_the_api_at_which_the_port_hints(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with serving(resetting(1)) as number:
        assert probe(number).facts == ()
        [named] = only(probe(number, service="couchdb"), ApiLogins).apis
        assert (named.api, named.decided, named.needed) == ("couchdb", False, False)
        etcd_on(number, monkeypatch)
        [usual] = only(probe(number), ApiLogins).apis
        assert (usual.api, usual.decided) == ("etcd", False)
        assert "reset" in usual.answer


def test_a_stranger_on_the_port_of_etcd_gets_nothing_but_reads_without_a_body(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard: list[bytes] = []

    def listening(connection: socket.socket) -> None:
        while more := connection.recv(65_536):
            heard.append(more)
            connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    with serving(listening) as number:
        etcd_on(number, monkeypatch)
        assert only(probe(number), ApiLogins).apis == ()
    assert {words.split(b" ")[0] for words in heard} == {b"GET", b"TRACE"}


def test_a_busy_server_on_the_port_of_an_api_is_undecided() -> None:
    row = next(api for api in APIS if api.name == "etcd" and api.read and not api.read.body)
    [candidate] = candidates([row], 2379, Told("port: x", ""))
    busy = Response(503, {}, b"later")
    told = reception(candidate, 2379, busy, busy)
    assert told is not None
    assert (told.guard, told.lost) == (Guard.UNDECIDED, True)


def test_a_way_that_was_not_answered_is_not_closed_by_the_refusal_of_another() -> None:
    pages = {**fronted("jenkins"), "/script": ("403 Forbidden", "")}
    [login] = apis({**pages, "/api/json?tree=mode": ("503 Busy", "")})
    assert (login.decided, login.needed) == (False, False)
    [login] = apis({**pages, "/api/json?tree=mode": ("404 Not Found", "")})
    assert (login.decided, login.needed) == (True, True), "a way that is not there decides nothing"


@pytest.mark.parametrize("name", [api.name for api in APIS if api.weak])
def test_a_list_is_the_mark_of_nobody_in_particular(name: str) -> None:
    """A program of one's own on a usual port may answer the same path with a list of its own."""
    row = next(api for api in APIS if api.name == name and api.weak)
    number = min(row.ports | row.maybe)
    missing = Response(404, {}, b"")
    [candidate] = candidates([row], number, Told("port: x", ""))
    assert reception(candidate, number, Response(200, {}, b"[]"), missing) is None
    told = reception(Candidate(row, "known"), number, Response(200, {}, b"[]"), missing)
    assert told is not None
    assert told.guard is Guard.NONE


def test_a_portainer_with_an_administrator_asks_for_a_login() -> None:
    pages = {**fronted("portainer"), "/api/users/admin/check": ("204 No Content", "")}
    [login] = [a for a in apis(pages) if a.api == "portainer"]
    assert (login.needed, login.decided) == (True, True)


@pytest.mark.parametrize(
    ("location", "guard"),
    [
        ("/login", Guard.LOGIN), ("https://sso.test/realms/x/openid-connect/auth?x=y", Guard.LOGIN),
        ("https://auth.test/api/org", Guard.UNDECIDED), ("/api/org/?from=/login", Guard.UNDECIDED),
        ("/authors", Guard.UNDECIDED),
    ],
)  # fmt: skip
def test_only_a_way_to_a_login_asks_for_one(location: str, guard: Guard) -> None:
    moved = (f"302 Found\r\nLocation: {location}", "")
    [console] = consoles({"/": titled("Grafana"), "/api/org": moved})
    assert console.guard is guard


def test_statistics_that_stand_at_every_path_are_open() -> None:
    page = titled("Statistics Report for HAProxy")
    known = next(row for row in CONSOLES if row.product == "HAProxy statistics")
    same = Response(200, {}, page[1].encode())
    told = reception(Candidate(known, "known"), 80, same, same)
    assert told is not None
    assert told.guard is Guard.NONE


def test_a_console_below_a_path_shows_itself_where_the_front_page_leads() -> None:
    inside = ("200 OK", '<title>x / phpMyAdmin</title><input name="pma_password">')
    [console] = consoles({"/": ("302 Found\r\nLocation: /pma/", ""), "/pma/": inside})
    assert (console.product, console.guard) == ("phpMyAdmin", Guard.LOGIN)


def test_a_vault_that_nobody_set_up_waits_for_whoever_comes() -> None:
    state = ("200 OK", '{"type":"shamir","initialized":false,"sealed":true}')
    [console] = consoles({"/": titled("Vault"), "/v1/sys/seal-status": state})
    assert console.guard is Guard.NONE


def test_nothing_of_an_answer_is_kept_but_its_mark() -> None:
    path, status, _ = OPEN["couchdb"]
    with serving(site({**fronted("couchdb"), path: (status, '["customers-of-2026"]')})) as number:
        assert "customers" not in repr(probe(number))


def test_reads_are_reads() -> None:
    """Every request but etcd's range, which is a read that needs a body, is a GET."""
    reads = [row.read for row in (*APIS, *CONSOLES) if row.read]
    assert {read.method for read in reads if not read.body} == {"GET"}
    [with_body] = [read for read in reads if read.body]
    assert json.loads(with_body.body)["limit"] == "1"
    assert json.loads(with_body.body)["keys_only"] is True
    assert all(read.path.startswith("/") and "\r" not in read.path for read in reads)
    assert isinstance(http_apis.APIS[0].read, Request)


# --- pages of administration ---

FREE: dict[str, tuple[Pages, str, str]] = {
    "Grafana": (
        {"/": ("302 Found\r\nLocation: /login", ""), "/login": titled("Grafana")},
        "/api/org",
        '{"id":1,"name":"Main Org."}',
    ),
    "Kibana": ({"/": ("302 Found\r\nkbn-name: kibana\r\nLocation: /app/home", "")}, "/api/status",
               '{"status":{"overall":{"level":"available"}}}'),
    "Alertmanager": ({"/": titled("Alertmanager")}, "/api/v2/status", '{"cluster":{"status":"ready"}}'),
    "cAdvisor": ({"/": titled("cAdvisor - /")}, "/api/v1.3/machine", '{"num_cores":4}'),
    "Airflow": ({"/": titled("Sign In - Airflow")}, "/api/v1/dags?limit=1", '{"dags":[]}'),
    "Flink": ({"/": titled("Apache Flink Dashboard")}, "/overview", '{"taskmanagers":1}'),
    "Node-RED": ({"/": titled("Node-RED")}, "/settings", '{"httpNodeRoot":"/"}'),
    "RabbitMQ": ({"/": titled("RabbitMQ Management")}, "/api/overview", '{"rabbitmq_version":"3.12"}'),
    "Traefik": ({"/": titled("Traefik")}, "/api/overview", '{"http":{"routers":{"total":1}}}'),
    "Proxmox": ({"/": titled("pve - Proxmox Virtual Environment")}, "/api2/json/version",
                '{"release":"8.1"}'),
}  # fmt: skip


@pytest.mark.parametrize("product", FREE)
def test_a_console_without_a_login_is_told_from_one_that_asks(product: str) -> None:
    pages, path, body = FREE[product]
    [open_one] = [c for c in consoles({**pages, path: ("200 OK", body)}) if c.product == product]
    assert open_one.guard is Guard.NONE, open_one
    [closed] = [c for c in consoles({**pages, path: ("401 Unauthorized", "")}) if c.product == product]
    assert closed.guard is Guard.LOGIN
    leads = "302 Found\r\nLocation: /login?next=x"
    [led] = [c for c in consoles({**pages, path: (leads, "")}) if c.product == product]
    assert led.guard is Guard.LOGIN
    [odd] = [c for c in consoles({**pages, path: ("500 Error", "")}) if c.product == product]
    assert odd.guard is Guard.UNDECIDED


@pytest.mark.parametrize(
    ("body", "guard"),
    [
        ('<title>x / phpMyAdmin 5.2</title><div id="pma_navigation">', Guard.NONE),
        ('<title>phpMyAdmin</title><input name="pma_password">', Guard.LOGIN),
        ("<title>phpMyAdmin</title>", Guard.UNDECIDED),
    ],
)
def test_phpmyadmin_shows_on_its_front_page_who_is_in(body: str, guard: Guard) -> None:
    [console] = consoles({"/": ("200 OK", body)})
    assert (console.product, console.guard) == ("phpMyAdmin", guard)


@pytest.mark.parametrize(
    ("front", "product"),
    [
        (titled('" + ID_EESX_Welcome + "'), "VMware ESXi"),
        (titled('" + ID_VC_Welcome + "'), "VMware vCenter"),
        (titled("vSphere Client"), "VMware vCenter"),
        (titled("Login to Webmin"), "Webmin"),
        (titled("x", "Server: MiniServ/2.105"), "Webmin"),
        (titled("RouterOS router configuration page"), "MikroTik RouterOS"),
        (titled("pfSense - Login"), "pfSense"),
        (titled("Login | OPNsense"), "OPNsense"),
        (titled("OpenWrt - LuCI"), "OpenWrt"),
        (titled("FRITZ!Box"), "FRITZ!Box"),
        (titled("HP Color LaserJet MFP M479"), "HP printer"),
        (titled("Brother MFC-L2710DW"), "Brother printer"),
        (titled("Web Image Monitor"), "Ricoh printer"),
        (titled("iDRAC9 - Login"), "iDRAC"),
        (titled("iLO 5"), "iLO"),
        (titled("Login - Adminer"), "Adminer"),
        (titled("pgAdmin 4"), "pgAdmin"),
        (titled("Zabbix docker: Zabbix"), "Zabbix"),
        (titled("Synology&nbsp;DiskStation"), "Synology DSM"),
        (("200 OK\r\nSet-Cookie: cockpit=x; HttpOnly", "<title>Loading...</title>"), "Cockpit"),
    ],
)
def test_consoles_are_known_by_their_front_page(front: tuple[str, str], product: str) -> None:
    [console] = consoles({"/": front})
    assert (console.product, console.guard) == (product, Guard.NOT_ASKED)
    assert console.known_by


def test_vault_is_seen_and_asks() -> None:
    state = ("200 OK", '{"sealed":false,"version":"1.15.2"}')
    [console] = consoles({"/": titled("Vault"), "/v1/sys/seal-status": state})
    assert (console.product, console.guard) == ("Vault", Guard.LOGIN)


def test_titles_of_other_sites_are_no_consoles() -> None:
    for title in ("Grafting for gardeners", "My Pilot licence", "About Proxies", "The Vault of horror",
                  "Consulting", "Nomads", "Statistics", "Brothers in arms", "silo 5"):  # fmt: skip
        found = [c.product for c in consoles({"/": titled(title)})]
        assert found == [], title


def test_a_hostile_title_is_shown_printable() -> None:
    [console] = consoles({"/": ("200 OK", "<title>\x1b[31m\u202e x: Zabbix</title>")})
    assert console.known_by.isprintable()


# --- search nodes: the greeting, and whether it goes on from there ---

GREETING = '{"version": {"number": "8.11.1"}, "tagline": "You Know, for Search"}'
SEARCH = next(q for q in databases.QUESTIONS if ElasticsearchLogins in q.facts)


@pytest.mark.parametrize(
    ("indices", "needed", "words"),
    [
        (("200 OK", "orders-2026\ncustomers\n"), False, ", 2 indices listed"),
        (("200 OK", ""), False, ", 0 indices listed"),
        (("403 Forbidden", "{}"), True, ", but status 403 for indices"),
        (("404 Not Found", ""), False, "You Know, for Search"),
    ],
)
def test_a_search_node_is_asked_for_its_indices(indices: tuple[str, str], needed: bool, words: str) -> None:
    pages = {"/": ("200 OK", GREETING), "/_cat/indices?h=index": indices}
    with serving(site(pages)) as number:
        found = ask(SEARCH.ask, OpenPort(number, "tcp", "elasticsearch"), ElasticsearchLogins)
    [login] = only(found, ElasticsearchLogins).servers
    assert (login.needed, login.version) == (needed, "" if needed else "8.11.1")
    assert login.answer.endswith(words)
    assert "customers" not in repr(found)


# --- remote management of Windows ---

WINRM = next(q for q in management.QUESTIONS if RemoteManagements in q.facts)
IDENTIFIED = (
    "<s:Envelope><s:Body><wsmid:IdentifyResponse><wsmid:ProductVendor>Microsoft Corporation"
    "</wsmid:ProductVendor></wsmid:IdentifyResponse></s:Body></s:Envelope>"
)


def winrm(handler: Handler, *, tls: bool = False) -> Collected:
    with serving(handler) as number:
        return ask(WINRM.ask, OpenPort(number, "tcp", "http", tls=tls), RemoteManagements, seconds=1.0)


def test_winrm_names_itself_or_asks_for_a_login_at_its_path(tmp_path: Path) -> None:
    [named] = only(winrm(site({"/wsman": ("200 OK", IDENTIFIED)})), RemoteManagements).listeners
    assert (named.tls, named.schemes) == (False, ())
    refusal = "401 \r\nWWW-Authenticate: Negotiate\r\nWWW-Authenticate: Basic realm=WSMAN"
    [asks] = only(winrm(site({"/wsman": (refusal, "")})), RemoteManagements).listeners
    assert asks.schemes == ("negotiate", "basic")
    inside = inside_tls(certificate(tmp_path), site({"/wsman": ("200 OK", IDENTIFIED)}))
    assert only(winrm(inside, tls=True), RemoteManagements).listeners[0].tls
    assert only(winrm(site({})), RemoteManagements).listeners == ()


@pytest.mark.parametrize("handler", [mute, resetting(1), site({"/wsman": ("503 Busy", "")})])
def test_winrm_that_decides_nothing_is_a_gap(handler: Handler) -> None:
    assert reason(winrm(handler), RemoteManagements)


def test_winrm_is_asked_on_its_ports_alone() -> None:
    assert WINRM.applies(OpenPort(5985, "tcp", "http", "Microsoft HTTPAPI httpd"))
    assert not WINRM.applies(OpenPort(80, "tcp", "http", "Microsoft HTTPAPI httpd"))
    assert not WINRM.applies(OpenPort(5985, "udp", "http"))
