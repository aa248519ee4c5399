"""MySQL, PostgreSQL, Redis, MongoDB and search engines, from their configurations."""

from __future__ import annotations

import re
from collections.abc import Mapping

from checks.facts.host.databases import (
    HbaLine,
    MongoDb,
    MySql,
    PostgreSql,
    Redis,
    RedisServer,
    SearchEngine,
)
from checks.facts.snapshot import Absence, Gap
from scanner.collect.collector import Collected
from scanner.collect.host.configs import Files, pairs

_MYSQL_SECTIONS = re.compile(r"\[(mysqld|mysqld-[\d.]+|server|mariadbd?|mariadbd?-[\d.]+)\]")
_MYSQL_ORDER = ("/etc/my.cnf", "/etc/my.cnf.d/", "/etc/mysql/my.cnf", "/etc/mysql/conf.d/", "/etc/mysql/")
_MYSQL_READ = ("/etc/my.cnf.d", "/etc/mysql/")
_OFF = frozenset({"0", "off", "false", "no"})
_ON = frozenset({"1", "on", "true", "yes", "enabled"})
_KINDS = frozenset({"local", "host", "hostssl", "hostnossl", "hostgssenc", "hostnogssenc"})


def mysql(files: Files) -> Collected:
    """The `MySql` in the option files, later ones over earlier ones, as the server reads them."""
    bind, decided, local_only, no_logins = "", "", False, False
    settings = False
    gaps: list[Gap] = []
    here = files["mysql"]
    for file in sorted((one for one in here if one.endswith(".cnf")), key=_mysql_rank):
        inside = False
        for line in here[file]:
            if line.startswith("["):
                inside = bool(_MYSQL_SECTIONS.fullmatch(line.strip()))
                settings |= inside
                continue
            if taken := re.match(r"!include(?:dir)? (.*)", line):
                if not taken[1].startswith(_MYSQL_READ):
                    gaps.append(Gap(MySql.__name__, f"{taken[1]} is taken in from there, unread", file))
                continue
            [(key, value)] = pairs([line])
            name = key.replace("_", "-").removeprefix("loose-")
            if not inside:
                continue
            if name == "bind-address":
                bind, decided = value, file
            elif name == "skip-networking":
                local_only = value.lower() not in _OFF
            elif name == "skip-grant-tables":
                no_logins = value.lower() not in _OFF
    if not settings:
        # The files of clients alone are no sign of a server.
        return _absent(MySql.__name__, "no MySQL or MariaDB server is configured here")
    return Collected((MySql(decided or min(here), bind, local_only, no_logins),), tuple(gaps))


def _mysql_rank(file: str) -> tuple[int, str]:
    return next((at for at, start in enumerate(_MYSQL_ORDER) if file.startswith(start)), 0), file


def postgres(files: Files) -> Collected:
    """The `PostgreSql` in pg_hba.conf and postgresql.conf of every cluster."""
    access: list[HbaLine] = []
    gaps: list[Gap] = []
    for file, lines in files.get("hba", {}).items():
        for line in lines:
            found = _hba(file, line.split())
            if found is None:
                gaps.append(Gap(PostgreSql.__name__, f"a line of another form: {line[:60]}", where=file))
            else:
                access.append(found)
    listens: list[tuple[str, str]] = []
    for file, lines in files.get("postgres", {}).items():
        values = dict(pairs([line.replace("=", " ", 1) for line in lines], " "))
        if file.endswith(("/postgresql.conf", "/postgresql.auto.conf")):
            listens.append((file, values.get("listen_addresses", "localhost")))
        elif "listen_addresses" in values:
            listens.append((file, values["listen_addresses"]))
        if "include" in values or "include_if_exists" in values or "hba_file" in values:
            named = values.get("hba_file") or values.get("include") or values.get("include_if_exists", "")
            if named not in files.get("hba", {}):
                gaps.append(Gap(PostgreSql.__name__, f"{named} is taken in from there, unread", where=file))
    if not access and not listens:
        return Collected(
            gaps=tuple(gaps),
            absences=() if gaps else (Absence(PostgreSql.__name__, "no PostgreSQL cluster is configured"),),
        )
    return Collected((PostgreSql(tuple(access), tuple(listens)),), tuple(gaps))


def _hba(file: str, words: list[str]) -> HbaLine | None:
    match words:
        case ["local", database, user, method, *_]:
            return HbaLine(file, "local", database, user, "", method)
        case [kind, database, user, address, mask, method, *_] if kind in _KINDS and re.fullmatch(
            r"[\d.]+|[0-9a-fA-F:]+:[0-9a-fA-F:]*", mask
        ):
            return HbaLine(file, kind, database, user, f"{address}/{mask}", method)
        case [kind, database, user, address, method, *_] if kind in _KINDS:
            return HbaLine(file, kind, database, user, address, method)
        case _:
            return None


def redis(files: Files) -> Collected:
    """The `Redis` in every configuration that sets a port or an address."""
    found: list[RedisServer] = []
    gaps: list[Gap] = []
    for file, lines in files["redis"].items():
        if not file.endswith(".conf") or "sentinel" in file or not lines:
            continue
        values = dict(pairs(lines, " "))
        if "include" in values:
            gaps.append(
                Gap(Redis.__name__, f"{values['include']} is taken in from there, unread", where=file)
            )
        if "aclfile" in values:
            gaps.append(Gap(Redis.__name__, "the users stand in a file of their own, unread", where=file))
        users = [line.split()[1:] for line in lines if line.startswith("user ")]
        defaults = [words for words in users if words[:1] == ["default"]]
        closed = "requirepass" in values or bool(defaults and "nopass" not in defaults[-1])
        protected = values.get("protected-mode", "yes").lower() != "no"
        port = values.get("port", "6379")
        number = int(port) if port.isascii() and port.isdigit() and len(port) < 6 else 6379
        bind = tuple(one.lstrip("-") for one in values.get("bind", "").split())
        found.append(RedisServer(file, bind, number, closed, protected))
    if not found:
        return _absent(Redis.__name__, "no Redis or Valkey server is configured here")
    return Collected((Redis(tuple(sorted(found, key=lambda one: one.file))),), tuple(gaps))


def mongo(files: Files) -> Collected:
    """The `MongoDb` in mongod.conf, written as YAML or as plain settings."""
    file, lines = next(iter(files["mongo"].items()))
    bind, authorization, every = "", False, False
    for line in lines:
        [(key, value)] = pairs([line], ":=")
        match key.strip():
            case "authorization":
                authorization = value.lower() == "enabled"
            case "auth":
                authorization = value.lower() in _ON
            # Members of a replica set that know each other by a key file demand logins, too.
            case "keyfile":
                authorization = True
            case "bindip" | "bind_ip":
                bind = value
            case "bindipall" | "bind_ip_all":
                every = value.lower() in _ON
            case _:
                continue
    address = "*" if every else bind or "127.0.0.1"
    return Collected((MongoDb(file, address, authorization),))


def search(files: Files) -> Collected:
    """The `SearchEngine` in elasticsearch.yml or opensearch.yml."""
    for file, lines in files["elastic"].items():
        if file.endswith(("/elasticsearch.yml", "/opensearch.yml")):
            values = dict(pairs(lines, ":"))
            product = "opensearch" if "opensearch.yml" in file else "elasticsearch"
            nested = [key for key in ("xpack", "plugins", "network", "http") if key in values]
            gaps = [
                Gap(
                    SearchEngine.__name__, f"the settings under {key} are written in another form", where=file
                )
                for key in nested
            ]
            fact = SearchEngine(product, file, _hosts(values), _security(product, values))
            return Collected((fact,), tuple(gaps))
    return _absent(SearchEngine.__name__, "no search engine is configured here")


def _hosts(values: Mapping[str, str]) -> tuple[str, ...]:
    keys = ("http.bind_host", "http.host", "network.bind_host", "network.host")
    value = next((values[key] for key in keys if key in values), "")
    return tuple(one.strip(" \"'") for one in value.strip("[]").split(",") if one.strip(" \"'"))


def _security(product: str, values: Mapping[str, str]) -> str:
    if product == "opensearch":
        disabled = values.get("plugins.security.disabled", "")
        return "" if not disabled else "off" if disabled.lower() in _ON else "on"
    enabled = values.get("xpack.security.enabled", "")
    return "" if not enabled else "on" if enabled.lower() in _ON else "off"


def _absent(fact: str, reason: str) -> Collected:
    return Collected(absences=(Absence(fact, reason),))
