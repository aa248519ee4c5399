"""The console script: finds the command, loads only what it needs, and turns errors into exit codes."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

import click

from scanner import __version__
from scanner.cli.codes import INTERNAL, INTERRUPTED, USAGE

COMMANDS = {
    "init": ("scanner.cli.prepare", "init", "Write a commented scope.yaml."),
    "doctor": (
        "scanner.cli.prepare",
        "doctor",
        "Say what is here, what is missing, and what that costs.",
    ),
    "needs": ("scanner.cli.prepare", "needs", "Say what rights a scan would use, before it connects."),
    "hosts": ("scanner.cli.hosts", "hosts", "Enrol the keys of hosts, or list how hosts are reached."),
    "scan": ("scanner.cli.scan", "scan", "Collect, judge, store, rank and report: the main job."),
    "collect": ("scanner.cli.scan", "collect", "Only collect: store snapshots without judging them."),
    "assess": ("scanner.cli.scan", "assess", "Judge stored snapshots, offline."),
    "feeds": ("scanner.cli.feeds", "feeds", "Import, update and show vulnerability data."),
    "findings": ("scanner.cli.findings", "findings", "List findings, worst first."),
    "explain": ("scanner.cli.findings", "explain", "Explain one finding: evidence, score, clock, fix."),
    "report": ("scanner.cli.report", "report", "Write the reports of a scan."),
    "segmentation": ("scanner.cli.zones", "segmentation", "Show what zones reach of each other."),
    "inventory": ("scanner.cli.inventory", "inventory", "Approve the machines of a network, or list them."),
    "scans": ("scanner.cli.show", "scans", "List scans, or show one."),
    "checks": ("scanner.cli.show", "checks", "List checks, or show one."),
    "baselines": ("scanner.cli.show", "baselines", "List baselines, or show one."),
    "facts": ("scanner.cli.show", "facts", "List facts, or print their JSON Schema."),
}
"""Command → (module, attribute, one line). The line stands here so that --help imports no command."""


PACKAGES = ("scanner", "reports", "baselines", "checks")


class Lazy(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order of use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        found = getattr(importlib.import_module(module), attribute)
        assert isinstance(found, click.Command)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, _, line) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command, or the nearest one as a hint."""
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in COMMANDS:
            from difflib import get_close_matches

            close = get_close_matches(name, COMMANDS, n=1)
            hint = f" Did you mean {close[0]}?" if close else ""
            ctx.fail(f"There is no command {name!r}.{hint}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=Lazy, context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "BARTIZAN"}
)
@click.version_option(__version__, "-V", "--version", prog_name="bartizan", message="%(prog)s %(version)s")
@click.option("-v", "--verbose", count=True, help="Log more to stderr (-v: info, -vv: debug).")
def cli(verbose: int) -> None:
    """Look at networks, hosts and AWS accounts, and get one ranked list of what to fix.

    Results go to stdout, progress to stderr. Targets are only read.
    """
    _refuse_strangers()
    if verbose:
        import logging

        level = logging.DEBUG if verbose > 1 else logging.INFO
        logging.basicConfig(level=level, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
        for noisy in ("botocore", "urllib3", "asyncio"):
            logging.getLogger(noisy).setLevel(logging.WARNING)


def _refuse_strangers() -> None:
    """Refuses to run where another distribution owns one of our package names.

    The names are generic; half of our code imported from another project would judge wrongly.
    """
    from importlib.metadata import packages_distributions

    owners = packages_distributions()
    strangers = {name: set(owners.get(name, ())) - {"bartizan"} for name in PACKAGES}
    for name, others in strangers.items():
        if others:
            raise click.ClickException(
                f"the package name {name!r} belongs to {', '.join(sorted(others))} in this environment; "
                "install Bartizan in one of its own (pipx install, uv tool install)"
            )


def main() -> None:
    """Runs the command line and exits with its code."""
    sys.exit(run(sys.argv[1:]))


def run(args: list[str]) -> int:
    """The exit code of these arguments: 0 fine, 1 findings, 2 usage, 3 coverage, 4 internal, 130 stopped."""
    os.environ.setdefault("PYTHONNOUSERSITE", "1")
    try:
        result: Any = cli.main(args=args, prog_name="bartizan", standalone_mode=False)
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        error.show(sys.stderr)
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("stopped", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (head, less) has seen enough. Python would complain again while flushing at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 - the last line of defence: one line, not a traceback
        return _failed(error)
    return result if isinstance(result, int) else 0


def _failed(error: Exception) -> int:
    from baselines.text import TextError
    from checks.catalogue import CatalogueError
    from checks.fix import printable

    first, *others = (printable(line) for line in str(error).splitlines() or [""])
    line = "\n  ".join([first, *others])
    # By name and only if already imported: an error message must not load the database or the scope.
    names = {kind.__name__ for kind in type(error).__mro__}
    if isinstance(error, TextError | CatalogueError) or names & {
        "UsageError",
        "NoScanError",
        "BadStoreError",
        "FeedError",
    }:
        click.echo(f"bartizan: {line}", err=True)
        return USAGE
    if "StoreError" in names:
        click.echo(f"bartizan: {line}", err=True)
        return INTERNAL
    import logging

    logging.getLogger(__name__).debug("internal error", exc_info=error)
    click.echo(f"bartizan: internal error: {type(error).__name__}: {line} (run with -vv for more)", err=True)
    return INTERNAL
