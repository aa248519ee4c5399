"""A network of sixty hosts on this machine, started in seconds: real services, silence, filters and traps.

    with estate() as network:
        network.scanner.inside(scan)      # the only way to it; there is no way out
        network.listeners.heard[...]      # bytes that the fake ports got: the printer's must stay 0

`PLAN` (in `estate_plan`) says what is planted on each host and what a scan must find. Without root,
`on_loopback` starts as many of the same services on free ports of 127.0.0.1.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.lab.daemons import Place, Running, folder, start, stop_all
from tests.lab.estate_listeners import Listeners
from tests.lab.estate_plan import EVERY, PLAN, SCANNER, SIX_SCANNER, Planned
from tests.lab.network import Namespace, Wire

__all__ = ["Estate", "Loopback", "estate", "on_loopback"]

_AT_ONCE = 6
_FIRST = ("mariadb", "postgres", "postfix")
"""What takes longest to start."""
PRINTER = ("10.90.0.40", 9100)
CONTROLLER = ("10.90.0.41", 502)

ROOTLESS = (
    "sshd-good", "dropbear", "vnc-open", "nginx-plain", "nginx-login", "nginx-old-tls", "nginx-expired",
    "nginx-good", "lighttpd", "python-http", "openssl-anonymous", "rsync-open", "redis-open", "redis-good",
    "memcached", "etcd", "bind-open", "snmpd-public", "slapd-anonymous",
)  # fmt: skip
"""Daemons that need no rights but those of any user."""


@dataclass(frozen=True)
class Estate:
    """The running network: where the scanner stands, its hosts, and what the fake ports heard."""

    scanner: Namespace
    hosts: Mapping[str, Namespace]
    listeners: Listeners
    daemons: tuple[Running, ...]
    plan: tuple[Planned, ...]

    @property
    def open(self) -> frozenset[tuple[str, int]]:
        """Every TCP port that is open over IPv4, without those of the middlebox."""
        return frozenset((host.address, port) for host in self.plan for port in host.tcp)

    def fragile_bytes(self) -> int:
        """What the printer and the controller got: must be 0."""
        return sum(
            self.listeners.heard[host.address, port]
            for host in self.plan
            if host.name in ("printer", "controller")
            for port in host.silent
        )


@dataclass(frozen=True)
class Loopback:
    """The same services on loopback: each daemon by name, and the silent ports."""

    daemons: Mapping[str, Running]
    silent: tuple[int, ...]
    listeners: Listeners


@contextlib.contextmanager
def estate(plan: Sequence[Planned] = PLAN, silent: int = 0) -> Iterator[Estate]:
    """The network, running. `silent` more silent ports are spread over the closed hosts. Needs root.

    Raises:
        AssertionError: a daemon did not start, or there is a way out of the scanner's namespace.

    """
    plan = with_silent(plan, silent)
    with contextlib.ExitStack() as stack:
        wire = Wire(stack)
        scanner = wire.host(f"{SCANNER}/26")
        _six(scanner, SIX_SCANNER)
        assert_no_way_out(scanner)
        made = wire.hosts([f"{host.address}/26" for host in plan])
        wire.plain()
        machines = {host.address: machine for host, machine in zip(plan, made, strict=True)}
        listeners = stack.enter_context(Listeners())
        for host in plan:
            _ports(host, machines[host.address], listeners)
        own = stack.enter_context(folder())
        running = _start(stack, own, plan, machines)
        yield Estate(scanner, machines, listeners, running, tuple(plan))


@contextlib.contextmanager
def on_loopback(names: Sequence[str] = ROOTLESS, silent: int = 4) -> Iterator[Loopback]:
    """The services that any user may start, on free ports of loopback, and some silent ports."""
    with contextlib.ExitStack() as stack:
        listeners = stack.enter_context(Listeners())
        own = stack.enter_context(folder())
        running: dict[str, Running] = {}
        stack.callback(lambda: stop_all(tuple(running.values()), own))
        for name in names:
            place = Place(_sub(own, name))
            running[name] = start(name, place)
        for one in running.values():
            one.wait()
        quiet = tuple(listeners.open() for _ in range(silent))
        yield Loopback(running, quiet, listeners)


def with_silent(plan: Sequence[Planned], silent: int) -> tuple[Planned, ...]:
    """The plan with that many silent ports more on hosts that are closed."""
    closed = [host for host in plan if host.name == "closed"]
    numbers = (3306, 5060, 5432, 6001, 8000, 8008, 8081, 8888, 9090, 10000)
    more: dict[int, list[int]] = {}
    for index in range(silent):
        host, port = closed[index % len(closed)], numbers[index // len(closed)]
        more.setdefault(host.number, []).append(port)
    return tuple(
        Planned(host.number, "silent", silent=tuple(more[host.number])) if host.number in more else host
        for host in plan
    )


def assert_no_way_out(scanner: Namespace) -> None:
    """Nothing that a scan sends can leave this machine."""
    routes = scanner.command("ip", "route").splitlines() + scanner.command("ip", "-6", "route").splitlines()
    assert routes
    assert not [route for route in routes if route.startswith("default") or " via " in route], routes


def _six(machine: Namespace, address: str) -> None:
    machine.command("ip", "address", "add", f"{address}/64", "dev", "eth0", "nodad")


def _ports(host: Planned, machine: Namespace, listeners: Listeners) -> None:
    """Filters and fake ports of one host."""
    for port in host.silent:
        listeners.open(port, there=machine, address=host.address)
    for port, words in host.says.items():
        listeners.open(port, there=machine, address=host.address, words=words)
    for port, words in host.late.items():
        listeners.open(port, there=machine, address=host.address, words=words, delay=1.5)
    if host.six:
        _six(machine, host.six_address)
    for port in host.six:
        listeners.open(port, there=machine, address=host.six_address)
    if host.drops:
        _drop(host, machine)
    if host.every:
        listeners.open(7, there=machine, address=host.address)
        nat = "add table ip box; add chain ip box pre { type nat hook prerouting priority -100; }"
        machine.command("nft", f"{nat}; add rule ip box pre tcp dport 1-65535 redirect to :7")


def _drop(host: Planned, machine: Namespace) -> None:
    every = host.drops == EVERY
    rule = "ip protocol != 254 drop" if every else f"tcp dport {{ {', '.join(map(str, host.drops))} }} drop"
    chain = "add table ip lab; add chain ip lab in { type filter hook input priority 0; }"
    machine.command("nft", f"{chain}; add rule ip lab in {rule}")


def _start(
    stack: contextlib.ExitStack, own: Path, plan: Sequence[Planned], machines: Mapping[str, Namespace]
) -> tuple[Running, ...]:
    """All daemons, started together and then awaited together."""
    wanted = [(name, host) for host in plan for name in host.daemons]
    wanted.sort(key=lambda pair: not pair[0].startswith(_FIRST))
    running: list[Running] = []
    stack.callback(lambda: stop_all(running, own))

    def begin(pair: tuple[str, Planned]) -> None:
        name, host = pair
        place = Place(_sub(own, f"{host.number}-{name}"), host.address, machines[host.address])
        running.append(start(name, place))

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(begin, wanted))
    for one in running:
        one.wait()
    return tuple(running)


def _sub(own: Path, name: str) -> Path:
    made = own / name
    made.mkdir()
    made.chmod(0o755)
    return made


def leftovers() -> tuple[str, ...]:
    """Namespaces of this process that are still there: must be none after the block."""
    mine = f"btz-{os.getpid()}-"
    return tuple(name for name in os.listdir("/run/netns") if name.startswith(mine))
