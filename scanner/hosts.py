"""The hosts of a scope as they are reached: by whom, with which key, on which way, and whether known."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from scanner import app
from scanner.collect.collector import CollectError, Context
from scanner.collect.run import Options
from scanner.collect.ssh_way import led_access, ssh_access
from scanner.prepare import Request, options_of, who
from scanner.scope import HostScope, Plan, PlannedTarget, Scope, check_files, load_scope, plan
from scanner.transport.known_hosts import append, fingerprint, line_for
from scanner.transport.secrets import SecretReader, shown_reference
from scanner.transport.ssh_access import SshAccess
from scanner.transport.ssh_enrol import CHANGED, NEW, REVOKED, Shown, ShownKey, shown_keys
from scanner.transport.ssh_keys import Logins

_AT_ONCE = 8
NOT_ENROLLED = "not enrolled"


@dataclass(frozen=True, slots=True)
class HostLine:
    """One host of a scope, for a list. `known` is a fingerprint, an authority, or that it is not enrolled."""

    name: str
    host: str
    user: str
    key: str
    jump: str
    known: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A host that was asked for its keys, or the reason why it gave none."""

    name: str
    access: SshAccess | None
    shown: Shown | None
    error: str = ""


def planned(request: Request) -> tuple[Plan, Options]:
    """The plan of these words, held against the scope and its authorisation as a scan would be.

    Raises:
        TextError: a mistake in the scope or in a target; one line with the mend.

    """
    scope = load_scope(request.scope) if request.scope else Scope.empty()
    if scope.given:
        check_files(scope)
    found = plan(
        scope,
        request.words,
        now=app.utc_now(),
        authorised=request.authorised,
        identity=who(),
        public=request.public,
    )
    return found, options_of(request, scope.file.limits.minutes)


def hosts_of(made: Plan) -> tuple[PlannedTarget, ...]:
    """The hosts among the targets.

    Raises:
        UsageError: there is none.

    """
    found = tuple(one for one in made.targets if isinstance(one.access, HostScope))
    if not found:
        raise app.UsageError("no host is named; write user@host, or hosts: in the scope file")
    return found


def listed(made: Plan, options: Options) -> tuple[HostLine, ...]:
    """How each host would be reached; nothing is sent, no name resolved, no secret read."""
    return tuple(_line(one, options) for one in hosts_of(made))


def candidates(made: Plan, options: Options) -> tuple[Candidate, ...]:
    """Asks every host for its keys, each within the scope and its times."""
    secrets, logins = SecretReader(), Logins()

    def asked(one: PlannedTarget) -> Candidate:
        assert isinstance(one.access, HostScope)
        try:
            _in_time(made)
            access = ssh_access(one.access, options, made.guard, secrets, logins)
            return Candidate(one.target.name, access, shown_keys(access, Context()))
        except CollectError as error:
            return Candidate(one.target.name, None, None, error.said)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return tuple(pool.map(asked, hosts_of(made)))


def enrol(candidate: Candidate, keys: Iterable[ShownKey], file: Path | None = None) -> Path:
    """Writes these keys of a host into its known_hosts file (or that one); gives the file.

    Only new keys are written: a changed or revoked one is a matter for a person.

    Raises:
        UsageError: the file cannot be written.

    """
    assert candidate.access is not None
    assert candidate.shown is not None
    known = candidate.access.known_hosts
    path = file or (known[0] if known else Path("~/.ssh/known_hosts").expanduser())
    lines = [line_for(candidate.shown.name, key.kind, key.blob) for key in keys if key.state == NEW]
    try:
        if lines:
            append(path, lines)
    except OSError as error:
        raise app.UsageError(f"{path}: {error.strerror}; name another file with --known-hosts") from None
    return path


def refusal(found: Shown) -> str:
    """Why a host that is known may not be enrolled anew; empty where nothing is in the way."""
    if revoked := found.of(REVOKED):
        return f"its key {revoked[0].fingerprint} is revoked in known_hosts"
    if changed := found.of(CHANGED):
        return (
            f"THE HOST KEY HAS CHANGED: it shows {changed[0].kind} {changed[0].fingerprint}, and known_hosts "
            "has another; nothing is replaced. If you know why, take the old line out (`ssh-keygen -R "
            f"{shlex.quote(found.name)}`, with -f FILE for another file) and enrol again"
        )
    return ""


def _in_time(made: Plan) -> None:
    moment = app.utc_now()
    if not made.guard.allows_now(moment):
        opening = made.guard.next_opening(moment)
        raise app.UsageError(f"outside the time window of the scope; it opens {opening}")


def _line(one: PlannedTarget, options: Options) -> HostLine:
    way = one.access
    assert isinstance(way, HostScope)
    reference = way.passphrase or options.ssh_passphrase
    try:
        access = led_access(way, options, None, Logins())
        keys = [f"file:{file}" for file in access.key_files] + (["agent:"] if access.use_agent else [])
        passphrase = f" ({shown_reference(reference)})" if reference else ""
        return HostLine(
            name=one.target.name,
            host=access.name,
            user=access.login,
            key=(", ".join(keys) or "none") + passphrase,
            jump=" > ".join(f"{hop.login}@{hop.name}" for hop in access.jumps) or "-",
            known=_known(access),
        )
    except CollectError as error:
        return HostLine(one.target.name, f"{way.host}:{way.port}", way.user, "-", "-", str(error))


def _known(access: SshAccess) -> str:
    known = access.known()
    keys = [f"{kind} {fingerprint(blob)}" for kind, blob in known.accepted if blob not in known.revoked]
    keys += [f"authority {fingerprint(blob)}" for _, blob in known.authorities if blob not in known.revoked]
    return ", ".join(dict.fromkeys(keys)) or NOT_ENROLLED


def as_rows(
    found: Iterable[Candidate], written: Mapping[str, Path], refused: Mapping[str, str]
) -> list[dict[str, object]]:
    """What became of each host, for `--format json`."""
    return [
        {
            "name": one.name,
            "host": one.access.name if one.access else "",
            "error": one.error or refused.get(one.name, ""),
            "vouched": bool(one.shown and one.shown.vouched),
            "written": str(written.get(one.name, "")),
            "keys": [
                {"type": key.kind, "fingerprint": key.fingerprint, "state": key.state}
                for key in (one.shown.keys if one.shown else ())
            ],
        }
        for one in found
    ]
