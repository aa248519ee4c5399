"""`hosts`: the keys by which hosts are known, and how each is reached."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from checks.fix import printable
from scanner.cli.codes import COVERAGE, FINE, USAGE
from scanner.cli.options import format_option
from scanner.cli.text import of_target, table

if TYPE_CHECKING:
    from scanner.hosts import Candidate
    from scanner.transport.ssh_enrol import ShownKey

F = TypeVar("F", bound=Callable[..., Any])
_FILE = click.Path(path_type=Path, dir_okay=False)


def _ways(function: F) -> F:
    """The options that say which hosts, and how they are reached: those of `scan`."""
    for option in reversed(
        (
            click.argument("words", metavar="[TARGET]...", nargs=-1),
            click.option("--scope", type=_FILE, envvar="BARTIZAN_SCOPE", help="The scope file (scope.yaml)."),
            click.option(
                "--i-am-authorized",
                "authorised",
                is_flag=True,
                help="Without a scope file: you may connect to the targets named here.",
            ),
            click.option(
                "--ssh-key", "ssh_keys", multiple=True, type=_FILE, help="Private key for jump hosts."
            ),
            click.option("--ssh-user", default="", help="Login name for hosts."),
            click.option("--ssh-agent", is_flag=True, help="Use the keys of the SSH agent."),
            click.option(
                "--ssh-passphrase", default="", metavar="REF", help="Where the keys' passphrase is."
            ),
            click.option("--known-hosts", multiple=True, type=_FILE, help="Host keys that are trusted."),
            click.option("--ssh-config", type=_FILE, help="An OpenSSH client configuration."),
        )
    ):
        function = option(function)
    return function


@click.group(short_help="Enrol the keys of hosts, or list how hosts are reached.")
def hosts() -> None:
    """The hosts that are logged in to over SSH."""


@hosts.command("list")
@_ways
@format_option("table", "json")
def hosts_list(form: str, **ways: Any) -> None:
    """How each host of the scope (or each TARGET) would be reached. Connects to nothing."""
    from dataclasses import asdict

    from scanner.hosts import listed, planned
    from scanner.prepare import Request

    found = listed(*planned(Request(**ways)))
    if form == "json":
        click.echo(json.dumps([asdict(one) for one in found], indent=2))
        return
    rows = [[one.name, one.host, one.user, one.key, one.jump, one.known] for one in found]
    click.echo(table(["name", "host", "user", "key", "jump", "known by"], rows, wide=5, then=3))


@hosts.command("enrol")
@_ways
@click.option("--yes", is_flag=True, help="Ask nothing: trust what the hosts show now.")
@click.option(
    "--fingerprint",
    "fingerprints",
    multiple=True,
    metavar="SHA256:...",
    help="Write the key with this fingerprint, and ask nothing (repeatable).",
)
@format_option("table", "json")
def hosts_enrol(yes: bool, fingerprints: tuple[str, ...], form: str, **ways: Any) -> int:
    """Show the keys of TARGETs (default: the hosts of the scope) and write them into known_hosts.

    Compare the fingerprints with the hosts' own (`ssh-keygen -lf` on their .pub files) before you say yes.
    A key that has changed is never replaced.
    """
    from scanner.hosts import as_rows, candidates, enrol, planned, refusal
    from scanner.prepare import Request

    named = tuple(ways["known_hosts"])
    found = candidates(*planned(Request(**ways)))
    chosen = _Chooser(yes=yes, fingerprints=frozenset(fingerprints), quiet=form == "json")
    written: dict[str, Path] = {}
    refused: dict[str, str] = {}
    for one in found:
        if one.shown is None:
            click.echo(printable(of_target(one.name, one.error)), err=True)
            continue
        if why := refusal(one.shown):
            refused[one.name] = why
        elif keys := chosen.keys(one):
            written[one.name] = enrol(one, keys, named[0] if named else None)
        elif one.shown.of("new") and not (one.shown.vouched or one.shown.of("known")):
            refused[one.name] = chosen.why
        if one.name in refused:
            click.echo(printable(f"{one.name}: {refused[one.name]}"), err=True)
        elif one.name in written:
            click.echo(printable(f"{one.name}: enrolled in {written[one.name]}"), err=True)
    if form == "json":
        click.echo(json.dumps(as_rows(found, written, refused), indent=2))
    if refused:
        return USAGE
    return COVERAGE if any(one.shown is None for one in found) else FINE


class _Chooser:
    """Shows the keys of a host and asks which to write."""

    def __init__(self, *, yes: bool, fingerprints: frozenset[str], quiet: bool) -> None:
        self.yes, self.fingerprints, self.quiet = yes, fingerprints, quiet
        self.why = ""

    def keys(self, one: Candidate) -> tuple[ShownKey, ...]:
        """The new keys to write; none, and `why`, where nobody said yes."""
        assert one.shown is not None
        new = one.shown.of("new")
        if not self.quiet:
            click.echo(printable(f"{one.name} ({one.shown.name})"))
            for key in one.shown.keys:
                click.echo(f"  {key.kind.ljust(20)} {key.fingerprint}  {key.state}")
            if one.shown.vouched:
                click.echo("  known by a certificate of an authority in known_hosts")
        if not new:
            return ()
        if self.fingerprints:
            self.why = "none of its keys has a fingerprint that was given; nothing is written"
            return tuple(key for key in new if key.fingerprint in self.fingerprints)
        if self.yes:
            return new
        if not sys.stdin.isatty():
            self.why = "nobody is here to ask; give --fingerprint SHA256:... (or --yes); nothing is written"
            return ()
        self.why = "not enrolled"
        many = "these keys" if len(new) > 1 else "this key"
        return new if click.confirm(f"Is that the host, and do you trust {many}?", err=True) else ()
