"""Whether stores and consoles serve a stranger."""

from __future__ import annotations

import msgspec

from checks.facts.snapshot import Fact


class Login(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether one port serves a stranger: `needed` is false only where it answered a real request.

    `answer` is the deciding part of the reply, `version` what the server said of itself.
    """

    port: str
    needed: bool
    answer: str
    version: str = ""


class RedisLogins(Fact, frozen=True, forbid_unknown_fields=True):
    """Redis servers, and whether each answers PING without a login."""

    servers: tuple[Login, ...]


class MemcachedLogins(Fact, frozen=True, forbid_unknown_fields=True):
    """memcached servers, and whether each tells its version without a login."""

    servers: tuple[Login, ...]


class MongoLogins(Fact, frozen=True, forbid_unknown_fields=True):
    """MongoDB servers, and whether each lists its databases without a login."""

    servers: tuple[Login, ...]


class ElasticsearchLogins(Fact, frozen=True, forbid_unknown_fields=True):
    """Elasticsearch and OpenSearch nodes, and whether each lists its indices without a login."""

    servers: tuple[Login, ...]


class PostgresLogins(Fact, frozen=True, forbid_unknown_fields=True):
    """PostgreSQL servers, and whether each lets the user `postgres` in without a password."""

    servers: tuple[Login, ...]


class DockerLogins(Fact, frozen=True, forbid_unknown_fields=True):
    """Docker APIs, and whether each answers without a client certificate."""

    servers: tuple[Login, ...]


class KubeletLogins(Fact, frozen=True, forbid_unknown_fields=True):
    """Kubelets, and whether each lists its pods without a token."""

    servers: tuple[Login, ...]


class ApiLogin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether one HTTP API serves a stranger.

    `api` is its name (`etcd`, `kubernetes`, …). Where `decided` is false, `answer` says why, and `needed`
    says nothing.
    """

    port: str
    api: str
    needed: bool
    answer: str
    version: str = ""
    decided: bool = True
    tls: bool = False


class ApiLogins(Fact, frozen=True, forbid_unknown_fields=True):
    """HTTP APIs that were recognised, and whether each serves a harmless read without a login."""

    apis: tuple[ApiLogin, ...]
