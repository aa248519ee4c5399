"""Databases and stores: Redis, memcached, PostgreSQL, MariaDB, etcd."""

from __future__ import annotations

import functools
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.lab.daemons_place import Place, Prepared, Preparer
from tests.lab.parts import program


def redis(password: str, place: Place) -> Prepared:
    """A Redis for everybody, or with a password."""
    port = place.port(6379)
    # Protected mode stays on for the closed one: with a password it lets strangers as far as AUTH.
    locked = ("--requirepass", password) if password else ("--protected-mode", "no")
    return Prepared(("redis-server", "--port", str(port), "--bind", place.address, "--save", "", "--dir",
                     str(place.folder), *locked), (port,))  # fmt: skip


def memcached(udp: bool, place: Place) -> Prepared:
    """A memcached for everybody; over UDP too."""
    port = place.port(11211)
    return Prepared(
        ("memcached", "-u", "nobody", "-l", place.address, "-p", str(port), "-U", str(port if udp else 0),
         "-m", "8", "-t", "1"),
        (port,),
        (port,) if udp else (),
    )  # fmt: skip


def _cluster(place: Place) -> Path:
    """An empty database cluster."""
    data = place.folder / "cluster"
    as_postgres = (program("setpriv"), "--reuid=postgres", "--regid=postgres", "--clear-groups")
    subprocess.run(
        [*as_postgres, program("initdb"), "-D", str(data), "-A", "trust", "-N", "-U", "postgres",
         "--no-locale", "--no-instructions"],
        check=True,
        capture_output=True,
        cwd="/",
    )  # fmt: skip
    return data


def postgres(method: str, place: Place) -> Prepared:
    """A PostgreSQL that lets in whoever says a name (`trust`), or asks for a password (`scram-sha-256`)."""
    port = place.port(5432)
    shutil.chown(place.folder, "postgres", "postgres")
    data = _cluster(place)
    place.write("pg_hba.conf", f"host all all 0.0.0.0/0 {method}\n")
    command = ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", program("postgres"), "-D",
               str(data), "-p", str(port), "-h", place.address, "-k", "", "-F", "-c",
               f"hba_file={place.folder}/pg_hba.conf", "-c", "shared_buffers=1MB", "-c",
               "max_connections=10", "-c", "autovacuum=off", "-c",
               "dynamic_shared_memory_type=mmap")  # fmt: skip
    return Prepared(command, (port,))


def mariadb(place: Place) -> Prepared:
    """A MariaDB that strangers may not log in to, but whose greeting everybody sees; no TLS."""
    port = place.port(3306)
    data = place.directory("data")
    subprocess.run(
        [program("mariadb-install-db"), "--no-defaults", f"--datadir={data}", "--skip-test-db",
         "--auth-root-authentication-method=normal", "--user=mysql"],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return Prepared(
        ("mariadbd", "--no-defaults", f"--datadir={data}", f"--port={port}", "--user=mysql",
         f"--bind-address={place.address}", f"--socket={data}/socket", f"--pid-file={data}/pid",
         "--skip-log-bin", "--innodb-buffer-pool-size=8M", "--skip-name-resolve", "--skip-slave-start"),
        (port,),
    )  # fmt: skip


def etcd(place: Place) -> Prepared:
    """An etcd for everybody."""
    port, peer = place.port(2379), place.port(2380)
    own = f"http://{place.address}:{port}"
    return Prepared(
        ("etcd", "--data-dir", str(place.folder / "data"), "--listen-client-urls", own,
         "--advertise-client-urls", own, "--listen-peer-urls", f"http://127.0.0.1:{peer}",
         "--initial-advertise-peer-urls", f"http://127.0.0.1:{peer}", "--initial-cluster",
         f"default=http://127.0.0.1:{peer}", "--enable-v2", "--unsafe-no-fsync"),
        (port,),
        environment={"ETCD_UNSUPPORTED_ARCH": "arm64"},
    )  # fmt: skip


DAEMONS: Mapping[str, Preparer] = {
    "redis-open": functools.partial(redis, ""),
    "redis-good": functools.partial(redis, "a-long-password-of-this-test"),
    "memcached": functools.partial(memcached, False),
    "memcached-udp": functools.partial(memcached, True),
    "postgres-trust": functools.partial(postgres, "trust"),
    "postgres-good": functools.partial(postgres, "scram-sha-256"),
    "mariadb": mariadb,
    "etcd": etcd,
}
