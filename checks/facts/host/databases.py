"""How the data stores of a host are configured: where they listen, and whom they ask for a password."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class MySql(Fact, frozen=True, forbid_unknown_fields=True):
    """MySQL or MariaDB. `bind` is the address it listens on, empty where none is set (that is all of them).

    `local_only` says that it listens to no network at all; `no_logins` that it was told to check none.
    `file` holds the last line that decided about the address.
    """

    file: str
    bind: str
    local_only: bool
    no_logins: bool


class HbaLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of pg_hba.conf; `address` is empty for local connections."""

    file: str
    kind: str
    database: str
    user: str
    address: str
    method: str


class PostgreSql(Fact, frozen=True, forbid_unknown_fields=True):
    """PostgreSQL: who is let in how, and for each file of settings the addresses that it listens on."""

    access: tuple[HbaLine, ...]
    listens: tuple[tuple[str, str], ...]


class RedisServer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One configuration of Redis or Valkey.

    `bind` are its addresses, empty where none is set. `password` says that the default user needs one
    (or is off), `protected` that without one only the machine itself is served.
    """

    file: str
    bind: tuple[str, ...]
    port: int
    password: bool
    protected: bool


class Redis(Fact, frozen=True, forbid_unknown_fields=True):
    """All configurations of Redis and Valkey."""

    servers: tuple[RedisServer, ...]


class MongoDb(Fact, frozen=True, forbid_unknown_fields=True):
    """MongoDB: its addresses, and whether it asks who is there (`authorization`)."""

    file: str
    bind: str
    authorization: bool


class SearchEngine(Fact, frozen=True, forbid_unknown_fields=True):
    """Elasticsearch or OpenSearch. `hosts` are its addresses, empty for the default, which is loopback.

    `security` is on, off, or empty where no line says so.
    """

    product: str
    file: str
    hosts: tuple[str, ...]
    security: str
