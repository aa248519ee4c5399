"""A scope file in memory, and what can only be said of it by looking at this machine."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path

from baselines.text import MAX_BYTES, Document, parse, read
from baselines.text import Path as Place
from checks.fix import printable
from scanner.addresses import LOOPBACK, AddressSet, literal
from scanner.names import nearest
from scanner.scope.clashes import refuse_clashes, refuse_secrets
from scanner.scope.file import NO_JUMP, ScopeFile
from scanner.scope.guard import Guard, ScopeError
from scanner.scope.windows import Times
from scanner.scope.zones import Policy
from scanner.targets import HostTarget, parse_target

_NO_FILE = "(no scope file)"


@dataclass(frozen=True, slots=True)
class Scope:
    """What may be scanned. `path` is None where nobody wrote a scope file: then only this machine is."""

    file: ScopeFile
    document: Document
    path: Path | None = None

    @classmethod
    def empty(cls) -> Scope:
        """The scope without a scope file."""
        return cls(ScopeFile(version=1, organisation=_NO_FILE), Document(_NO_FILE, {}, {}))

    @property
    def given(self) -> bool:
        """Whether there is a scope file."""
        return self.path is not None

    @property
    def policy(self) -> Policy:
        """The zones, and what may reach what."""
        return Policy(tuple(self.file.zones), tuple(self.file.reach))

    @property
    def guard(self) -> Guard:
        """The guard over all that this scope allows; `plan` gives one that also knows the command line."""
        file = self.file
        allowed = AddressSet.owned(network for entry in file.networks for network in entry.cidrs)
        allowed |= AddressSet.of(network for host in file.hosts for network in host.leads_to)
        allowed |= AddressSet.of(ip_network(one) for host in file.hosts if (one := literal(host.address)))
        if file.local is not None or not self.given:
            allowed |= AddressSet.of(LOOPBACK)
        jumps = (parse_target(spec) for host in file.hosts for spec in host.jump if spec != NO_JUMP)
        places = (literal(one.host) for one in jumps if isinstance(one, HostTarget))
        return Guard(
            allowed=allowed,
            passages=AddressSet.of(ip_network(one) for one in places if one),
            excluded=AddressSet.of(one for one in file.exclude if not isinstance(one, str)),
            excluded_names=frozenset(one for one in file.exclude if isinstance(one, str)),
            times=Times(tuple(file.windows or ()), tuple(file.blackouts)),
            until=file.authorisation.until if file.authorisation else None,
        )

    def error(self, place: Place, message: str) -> ScopeError:
        """A message about one value of the file, with its line."""
        return ScopeError(str(self.document.error(place, message)))

    def secret(self, reference: str) -> str:
        """The reference of a secret, the file of one counted from the scope file."""
        return f"file:{self.file_path(reference)}" if reference.startswith("file:") else reference

    def file_path(self, reference: str, environ: Mapping[str, str] = os.environ) -> Path:
        """The path behind `file:PATH` or `env:NAME`; a relative one counts from the scope file.

        Raises:
            ScopeError: the variable is not set, or there is no such home directory.

        """
        kind, _, name = reference.partition(":")
        text = environ.get(name, "") if kind == "env" else name
        if not text:
            raise ScopeError(f"{reference}: the environment variable {name} is not set")
        try:
            path = Path(text).expanduser()
        except RuntimeError:
            raise ScopeError(f"{printable(reference)}: there is no such home directory") from None
        return path if self.path is None else self.path.parent / path


def load_scope(path: Path) -> Scope:
    """The scope that this file says.

    Raises:
        TextError: the first mistake: file, line, key and the mend. `ScopeError` where the file is not there.

    """
    name = str(path)
    try:
        regular = stat.S_ISREG(path.stat().st_mode)
        data = b""
        if regular:
            with path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        missing = isinstance(error, FileNotFoundError)
        why = "there is no such file; `bartizan init` writes one" if missing else _reason(error)
        raise ScopeError(f"{printable(name)}: {why}") from None
    if not regular:
        raise ScopeError(f"{printable(name)}: this is no file")
    return read_scope(data, name, path)


def read_scope(data: bytes, name: str, path: Path | None = None) -> Scope:
    """The scope in these bytes; `name` is how messages call the file, `path` where it lies.

    Raises:
        TextError: the first mistake: file, line, key and the mend.

    """
    document = read(data, name)
    refuse_secrets(document)
    scope = parse(document, ScopeFile)
    refuse_clashes(document, scope)
    return Scope(scope, document, path or Path(name))


def check_files(scope: Scope, environ: Mapping[str, str] = os.environ) -> None:
    """Looks at every file that the scope names, without reading any.

    Raises:
        ScopeError: one is missing, or others may read a key or change the scope.

    """
    if scope.path is not None and scope.path.stat().st_mode & stat.S_IWOTH:
        raise ScopeError(f"{printable(str(scope.path))}: everybody may change it; chmod o-w it first")
    for number, host in enumerate(scope.file.hosts):
        if host.key and host.key != "agent:":
            _look(scope, ("hosts", number, "key"), host.key, environ, secret=True)
        if host.passphrase.startswith("file:"):
            _look(scope, ("hosts", number, "passphrase"), host.passphrase, environ, secret=True)
        if host.known_hosts:
            _look(scope, ("hosts", number, "known_hosts"), host.known_hosts, environ)
    for number, choice in enumerate(scope.file.baselines):
        if choice.file is not None:
            _look(scope, ("baselines", number, "file"), f"file:{choice.file}", environ)
    if scope.file.inventory:
        path = _look(scope, ("inventory",), scope.file.inventory, environ)
        if path.stat().st_mode & stat.S_IWOTH:
            raise scope.error(
                ("inventory",), f"{scope.file.inventory}: everybody may change it; chmod o-w it first"
            )


def check_names(
    scope: Scope,
    baselines: Mapping[str, Collection[str]],
    aws_profiles: Collection[str] | None = None,
) -> None:
    """Compares the names in the scope with what there is: baselines with their profiles, AWS profiles.

    Raises:
        ScopeError: there is no such baseline or profile, with the nearest one.

    """
    for number, choice in enumerate(scope.file.baselines):
        if choice.id is None:
            continue
        if choice.id not in baselines:
            raise scope.error(("baselines", number, "id"), nearest("baseline", choice.id, baselines))
        known = baselines[choice.id]
        if choice.profile is not None and choice.profile not in known:
            raise scope.error(("baselines", number, "profile"), nearest("profile", choice.profile, known))
    for number, account in enumerate(scope.file.aws):
        if aws_profiles is not None and account.profile and account.profile not in aws_profiles:
            message = nearest("AWS profile", account.profile, aws_profiles)
            raise scope.error(("aws", number, "profile"), message)


def _look(
    scope: Scope, place: Place, reference: str, environ: Mapping[str, str], *, secret: bool = False
) -> Path:
    try:
        path = scope.file_path(reference, environ)
        status = path.stat()
    except ScopeError as error:
        raise scope.error(place, str(error)) from None
    except (OSError, ValueError) as error:
        raise scope.error(place, f"{reference}: {_reason(error)}") from None
    if not stat.S_ISREG(status.st_mode):
        raise scope.error(place, f"{reference}: this is no file")
    if secret and status.st_mode & 0o077:
        mode = stat.S_IMODE(status.st_mode)
        raise scope.error(
            place,
            f"{reference}: others may read this {'key' if place[-1] == 'key' else 'file'} (mode {mode:04o}); "
            "chmod 600 it first",
        )
    return path


def _reason(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return text.lower() or "it cannot be read"
