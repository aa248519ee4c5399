"""What this machine has for a scan, what it lacks, and what each lack costs."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Part:
    """One thing a scan can use. `state` is here, missing or broken; `cost` what its lack costs."""

    part: str
    state: str
    found: str
    cost: str = ""


def examine(store: str) -> tuple[Part, ...]:
    """Everything that a scan can use on this machine. Sends nothing to the network."""
    return tuple(_parts(store))


def _parts(store: str) -> Iterator[Part]:
    yield Part("Python", "here", sys.version.partition(" ")[0])
    yield _store(store)
    yield _root()
    yield _nmap()
    yield _raw_sockets()
    yield _program("ssh keys", _keys(), "no key in ~/.ssh", "hosts need --ssh-key FILE or an agent")
    agent = os.environ.get("SSH_AUTH_SOCK", "")
    yield _program("ssh agent", agent, "none", "used only where the scope says agent:")
    known = Path("~/.ssh/known_hosts").expanduser()
    yield _program(
        "known hosts",
        str(known) if known.exists() else "",
        "none",
        "hosts need --known-hosts FILE to be trusted",
    )
    yield _aws()
    yield _life_cycles()
    yield from _feeds()
    yield from _plugins()


def _store(url: str) -> Part:
    from scanner.store.opening import StoreError
    from scanner.store.store import Store

    try:
        count = len(Store.open(url).scans())
    except StoreError as error:
        return Part("store", "broken", str(error), "no scan can be kept")
    return Part("store", "here", f"{url} ({count} scan{'' if count == 1 else 's'})")


def _root() -> Part:
    if os.geteuid() == 0:
        return Part("root", "here", "running as root")
    sudo = shutil.which("sudo")
    # Only asks whether it may; no command of a target is involved.
    if sudo and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0:  # noqa: S603
        return Part("root", "here", "sudo without a password")
    cost = "what only root may read on this machine (shadow, firewall rules) is reported as not known"
    return Part("root", "missing", "no root, no sudo without a password", cost)


def _nmap() -> Part:
    from scanner.transport import nmap

    cost = "ports are found and asked by our own probes; fewer products and versions are named"
    found = nmap.find()
    if found is None:
        return Part("nmap", "missing", "not installed", cost)
    return Part("nmap", "here", f"{found.path} {'.'.join(map(str, found.version))}")


def _raw_sockets() -> Part:
    cost = "ports are asked with full connections: slower, and the target's logs show each one"
    if not hasattr(socket, "AF_PACKET"):
        return Part("raw sockets", "missing", "not on this system", cost)
    try:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0):
            return Part("raw sockets", "here", "may be opened")
    except OSError as error:
        return Part("raw sockets", "missing", error.strerror or "refused", cost)


def _program(part: str, found: str, lack: str, cost: str) -> Part:
    return Part(part, "here", found) if found else Part(part, "missing", lack, cost)


def _keys() -> str:
    folder = Path("~/.ssh").expanduser()
    if not folder.is_dir():
        return ""
    return ", ".join(
        sorted(f"~/.ssh/{p.stem}" for p in folder.glob("id_*.pub") if p.with_suffix("").exists())
    )


def _aws() -> Part:
    import botocore.session

    session = botocore.session.get_session()
    profiles = session.available_profiles
    named = "environment" if os.environ.get("AWS_ACCESS_KEY_ID") else ""
    found = ", ".join(filter(None, [named, *(f"profile {p}" for p in profiles)]))
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
    if found and endpoint:
        found += f"; endpoint {endpoint}"
    return _program("AWS credentials", found, "none", "AWS accounts cannot be scanned")


def _life_cycles() -> Part:
    from checks.host.lifecycle import DATA_DATE

    return Part("life-cycle data", "here", f"as of {DATA_DATE}")


def _feeds() -> Iterator[Part]:
    from datetime import UTC, datetime

    from scanner.intel.status import states
    from scanner.intel.store import Feeds, default_feeds
    from scanner.intel.unpack import FeedError

    path = Path(os.environ.get("BARTIZAN_FEEDS") or default_feeds())
    try:
        found = states(Feeds.open_to_read(path), datetime.now(UTC).date())
    except FeedError as error:
        yield Part("feeds", "broken", str(error), "hosts are judged without feeds; delete the file")
        return
    for one in found:
        if one.parts:
            age = f"of {one.date}, {one.age} days old{', stale' if one.stale else ''}"
            yield Part(f"feed {one.name}", "here", age, one.cost)
        else:
            yield Part(f"feed {one.name}", "missing", "not imported", one.cost)


def _plugins() -> Iterator[Part]:
    from importlib.metadata import entry_points

    for point in entry_points(group="bartizan.checks"):
        dist = point.dist
        name = f"{dist.name} {dist.version}" if dist else point.value
        yield Part("plug-in", "here", f"{name}: loaded only where the scope lists it under plugins")
