"""From the words of a person to a scan that may begin: scope, plan, demands, and the record of it all."""

from __future__ import annotations

import getpass
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from baselines.load import library
from baselines.resolve import Demand
from baselines.resolve import needs as facts_of
from checks.catalogue import Catalogue
from checks.catalogue import load as load_catalogue
from checks.facts.snapshot import Fact
from checks.model import Kind, Target
from scanner import __version__, app
from scanner.accounts import aws_profiles, check_accounts
from scanner.collect.collector import CollectError, Context, stamp
from scanner.collect.run import Options, Worker, tcp_ports, udp_ports
from scanner.demands import DEFAULT_BASELINES, lasting_name, resolve_baselines, zoned_name
from scanner.dispatch.local import LocalDispatcher
from scanner.inventory import bytes_of, read_inventory
from scanner.names import parse_ports
from scanner.rates import check_rates, rates
from scanner.scope import NetworkScope, Plan, PlannedTarget, Scope, check_files, check_names, load_scope, plan
from scanner.store.record import JobState, ScanRecord, ScanRow, ScanState
from scanner.store.store import Store
from scanner.transport.secrets import secret_reference
from scanner.transport.sent import Sent, log_to, not_kept

_ORDER = (Kind.HOST, Kind.NETWORK, Kind.AWS)


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asked for, option by option, as the command line read it."""

    words: tuple[str, ...] = ()
    scope: Path | None = None
    baselines: tuple[str, ...] = ()
    authorised: bool = False
    public: bool = False
    ssh_keys: tuple[Path, ...] = ()
    ssh_user: str = ""
    ssh_agent: bool = False
    ssh_passphrase: str = ""
    known_hosts: tuple[Path, ...] = ()
    ssh_config: Path | None = None
    aws_profile: str = ""
    no_nmap: bool = False
    no_raw: bool = False
    ports: str = ""
    udp_ports: str = ""
    rate: int | None = None
    rate_per_host: int | None = None
    lab: bool = False
    probe_log: Path | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A scan that may begin. Nothing was sent yet."""

    request: Request
    scope: Scope
    plan: Plan
    catalogue: Catalogue
    demands: tuple[Demand, ...]
    record: ScanRecord

    def wanted(self, kind: Kind) -> frozenset[type[Fact]]:
        """The facts that judging targets of this kind needs; nothing else is collected."""
        return facts_of(self.demands, kind)

    def effort(self, planned: PlannedTarget) -> str:
        """What one target would be sent, in words, for a dry run."""
        match planned.access:
            case NetworkScope() as way:
                options = options_of(self.request, self.scope.file.limits.minutes)
                ports, udp = len(tcp_ports(options, way)), len(udp_ports(options, way))
                packets = (ports + udp) * len(way.addresses)
                rate, per_host = rates(options, way)
                seconds = max(packets / rate, (ports + udp) / per_host)
                seconds = 0 if way.addresses[0].is_loopback else seconds
                count = len(way.addresses)
                return (
                    f"{count:,} address{'es' if count > 1 else ''} × {ports:,} ports"
                    f"{f' and {udp} of UDP' if udp else ''}: "
                    f"at least {packets:,} packets, {seconds / 60:.1f} min at {rate:,}/s"
                )
            case _ if planned.target.kind is Kind.AWS:
                return "read-only API calls (bartizan needs --format iam)"
            case _:
                local = planned.target.spec == "local"
                return "one script on this machine" if local else "one connection, one script"


def prepare(request: Request) -> Prepared:
    """Reads the scope, holds the targets against it, and resolves the baselines.

    Raises:
        TextError: a mistake in the scope, a target, a baseline; one line with the mend.
    """
    scope = load_scope(request.scope) if request.scope else Scope.empty()
    _ports(request)
    _udp_ports(request)
    _passphrase(request)
    file = scope.file
    profiles = None
    if scope.given:
        check_files(scope)
        profiles = aws_profiles() if file.aws else None
        check_names(scope, _profiles_of_baselines(), profiles)
    planned = plan(
        scope,
        request.words,
        now=app.utc_now(),
        authorised=request.authorised,
        identity=who(),
        public=request.public,
    )
    check_accounts(planned, request.aws_profile, profiles)
    options = options_of(request, file.limits.minutes)
    check_rates(options, planned.targets, scoped=scope.given, lab=request.lab)
    catalogue = load_catalogue(file.plugins)
    names = request.baselines or _scope_baselines(scope) or _usual(planned)
    demands = resolve_baselines(names, catalogue)
    record = ScanRecord(
        organisation=file.organisation if scope.given else "",
        authorisation=planned.authorisation,
        words=request.words,
        options=_options(request),
        scope_file=str(request.scope.resolve()) if request.scope else "",
        scope_text=request.scope.read_text(encoding="utf-8-sig") if request.scope else "",
        baselines=tuple(lasting_name(name) for name in names),
        version=__version__,
        plugins=catalogue.plugins,
        limits=planned.notes,
        budget_hours=file.budget_hours,
        inventory_text=_inventory(scope),
    )
    return Prepared(request, scope, planned, catalogue, demands, record)


def run(
    prepared: Prepared,
    store: Store,
    number: int | None,
    *,
    listener: app.Listener,
    cancelled: threading.Event,
    workers: int = 8,
) -> int:
    """Collects everything that is planned; the number of the scan. With a number, that scan goes on."""
    targets = {one.target.spec: one for one in prepared.plan.targets}
    log = _probe_log(prepared.request)
    if number is None:
        now = stamp(app.utc_now())
        planned = [one.target for one in prepared.plan.targets]
        networks = [target.spec for target in planned if target.kind is Kind.NETWORK]
        earlier = store.last_with(networks) if networks else 0
        record = msgspec.structs.replace(prepared.record, compared_with=earlier)
        number = store.start_scan(record, now, planned)
    else:
        store.reopen_jobs(number)
    request = prepared.request
    options = options_of(request, prepared.scope.file.limits.minutes)
    worker = Worker(
        plan=targets,
        wanted={kind: prepared.wanted(kind) for kind in Kind},
        guard=prepared.plan.guard,
        options=options,
        context=Context(cancelled=cancelled),
        progress=listener.progress,
        log=log,
    )
    app.collect(
        store,
        number,
        LocalDispatcher(workers, cancelled),
        worker,
        plan={spec: one.target for spec, one in targets.items()},
        wanted=prepared.wanted,
        listener=listener,
        cancelled=cancelled,
    )
    return number


def options_of(request: Request, minutes: int) -> Options:
    """What the command line says about the ways to targets."""
    _passphrase(request)
    return Options(
        ssh_keys=request.ssh_keys,
        ssh_user=request.ssh_user,
        known_hosts=request.known_hosts,
        ssh_config=request.ssh_config,
        agent=request.ssh_agent,
        ssh_passphrase=request.ssh_passphrase,
        aws_profile=request.aws_profile,
        raw=not request.no_raw,
        nmap=not request.no_nmap,
        minutes=minutes,
        ports=_ports(request),
        udp_ports=_udp_ports(request),
        rate=request.rate or 0,
        rate_per_host=request.rate_per_host or 0,
    )


def demands_of(
    baselines: Iterable[str],
) -> tuple[Catalogue, Callable[[Kind], frozenset[type[Fact]]], tuple[Demand, ...]]:
    """The catalogue, what these baselines (default: the usual ones) want to know, and what they demand."""
    catalogue = load_catalogue()
    demands = resolve_baselines(tuple(baselines) or DEFAULT_BASELINES.values(), catalogue)
    return catalogue, lambda kind: facts_of(demands, kind), demands


def demands_again(row: ScanRow, baselines: tuple[str, ...]) -> tuple[Catalogue, tuple[Demand, ...]]:
    """The catalogue and the demands of a stored scan, or of other baselines."""
    plugins = [plugin.distribution for plugin in row.record.plugins]
    catalogue = load_catalogue(plugins)
    return catalogue, resolve_baselines(baselines or row.record.baselines, catalogue)


def again(row: ScanRow, ways: Mapping[str, Any]) -> Request:
    """The request of an interrupted scan, with the ways to its targets as they are given now.

    Raises:
        UsageError: the newest scan was not interrupted, or it began with another scope or baseline.
    """
    if row.state not in {ScanState.INTERRUPTED, ScanState.RUNNING}:
        raise app.UsageError(f"scan {row.number} is {row.state}; only an interrupted scan can go on")
    record = row.record
    if ways["baselines"] and tuple(map(lasting_name, ways["baselines"])) != record.baselines:
        asked = ", ".join(record.baselines)
        raise app.UsageError(
            f"--resume goes on by {asked}; `bartizan assess --baseline` then judges by others"
        )
    if ways["scope"] and str(ways["scope"].resolve()) != record.scope_file:
        began = record.scope_file or "no scope file"
        raise app.UsageError(f"scan {row.number} began with {began}; --resume takes no other --scope")
    given = {
        k: v for k, v in ways.items() if k not in {"store_url", "workers", "words", "scope", "baselines"}
    }
    stored = {name: tuple(Path(p) for p in text.split("\n")) for name, text in record.options.items() if text}
    for name in ("ssh_keys", "known_hosts"):
        given[name] = given[name] or stored.get(name, ())
    for name in ("ssh_user", "ssh_passphrase", "aws_profile", "ports", "udp_ports"):
        given[name] = given[name] or record.options.get(name, "")
    for name in ("rate", "rate_per_host"):
        given[name] = given[name] or int(record.options.get(name) or 0)
    for name in ("authorised", "public", "ssh_agent", "no_nmap", "no_raw", "lab"):
        given[name] = given[name] or bool(record.options.get(name))
    config = record.options.get("ssh_config", "")
    given["ssh_config"] = given["ssh_config"] or (Path(config) if config else None)
    scope = Path(record.scope_file) if record.scope_file else None
    return Request(words=record.words, scope=scope, baselines=record.baselines, **given)


def import_output(store: Store, output: Path, name: str, baselines: tuple[str, ...]) -> int:
    """Stores what the printed script wrote when somebody ran it by hand, as a scan of its own.

    Raises:
        UsageError: the file cannot be read, or is not the output of the script.
    """
    from scanner.collect.host.collect import parse_output

    _, wanted, _ = demands_of(baselines)
    at = stamp(app.utc_now())
    target = Target(Kind.HOST, name, f"file:{name}")
    try:
        seen = parse_output(target, wanted(Kind.HOST), output.read_bytes(), at)
    except OSError as error:
        raise app.UsageError(f"{output}: {error.strerror}") from None
    except CollectError as error:
        raise app.UsageError(f"{output}: {error}") from None
    names = tuple(map(lasting_name, baselines)) or (DEFAULT_BASELINES[Kind.HOST],)
    record = ScanRecord("", f"output read from {output.name}", (), {}, "", "", names, __version__)
    number = store.start_scan(record, at, [target])
    [job] = store.jobs(number)
    store.finish_job(number, job.id, JobState.DONE, at, snapshots=[seen])
    store.set_scan(number, state=ScanState.COLLECTED, at=at)
    return number


def _profiles_of_baselines() -> dict[str, frozenset[str]]:
    return {name: frozenset(loaded.baseline.profiles) for name, loaded in library().items()}


def _inventory(scope: Scope) -> str:
    """The list of approved machines that the scope names, read and found to be one."""
    if not scope.file.inventory:
        return ""
    path = scope.file_path(scope.file.inventory)
    try:
        data = bytes_of(path)
    except OSError as error:
        raise scope.error(("inventory",), f"{path}: {error.strerror}") from None
    read_inventory(data, str(path))
    return data.decode("utf-8-sig")


def _scope_baselines(scope: Scope) -> tuple[str, ...]:
    """The baselines of a scope file; a file of one counts from the folder of the scope file."""
    folder = scope.path.parent if scope.path else Path()
    return tuple(
        zoned_name(f"{one.id or folder / str(one.file)}{':' + one.profile if one.profile else ''}", one.zones)
        for one in scope.file.baselines
    )


def _usual(planned: Plan) -> tuple[str, ...]:
    kinds = {one.target.kind for one in planned.targets}
    return tuple(DEFAULT_BASELINES[kind] for kind in _ORDER if kind in kinds)


def _options(request: Request) -> dict[str, str]:
    """The options that say how targets were reached; paths and names, never what is in the files."""
    return {
        "ssh_keys": "\n".join(str(p) for p in request.ssh_keys),
        "known_hosts": "\n".join(str(p) for p in request.known_hosts),
        "ssh_config": str(request.ssh_config or ""),
        "ssh_user": request.ssh_user,
        "ssh_passphrase": request.ssh_passphrase,
        "aws_profile": request.aws_profile,
        "ports": request.ports,
        "udp_ports": request.udp_ports,
        "rate": str(request.rate or ""),
        "rate_per_host": str(request.rate_per_host or ""),
        **{
            name: "yes" if getattr(request, name) else ""
            for name in ("authorised", "public", "ssh_agent", "no_nmap", "no_raw", "lab")
        },
    }


def _probe_log(request: Request) -> Callable[[Sent], None]:
    if request.probe_log is None:
        return not_kept
    try:
        return log_to(request.probe_log)
    except OSError as error:
        raise app.UsageError(f"--probe-log {request.probe_log}: {error.strerror}") from None


def _passphrase(request: Request) -> None:
    """Refuses what is no reference before it is recorded; what was written is not repeated."""
    try:
        if request.ssh_passphrase:
            secret_reference(request.ssh_passphrase)
    except ValueError as error:
        raise app.UsageError(f"--ssh-passphrase: {error}") from None


def _ports(request: Request) -> str | tuple[int, ...]:
    """The ports of `--ports`; a scope file says its own."""
    words = [word.strip() for word in request.ports.split(",")] if request.ports else []
    if words and request.scope:
        raise app.UsageError("--ports goes without a scope file; write ports: under the network there")
    if words in (["top"], ["all"]):
        return words[0]
    try:
        return tuple(sorted({port for word in words for port in parse_ports(word)}))
    except ValueError as error:
        raise app.UsageError(f"--ports: {error}") from None


def _udp_ports(request: Request) -> str | tuple[int, ...]:
    """The ports of `--udp-ports`; a scope file says its own."""
    words = [word.strip() for word in request.udp_ports.split(",")] if request.udp_ports else []
    if words and request.scope:
        raise app.UsageError("--udp-ports goes without a scope file; write udp: under the network there")
    if words in (["usual"], ["none"]):
        return words[0]
    try:
        return tuple(sorted({port for word in words for port in parse_ports(word)}))
    except ValueError as error:
        raise app.UsageError(f"--udp-ports: {error}") from None


def who() -> str:
    """Who runs this: the login and the machine, as the evidence records it."""
    try:
        name = getpass.getuser()
    except OSError:
        name = "an unknown login"
    return f"{name} on {socket.gethostname()}"
