"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def default_store() -> str:
    """The SQLite file in the platform's data directory of this user."""
    from platformdirs import user_data_path

    return str(user_data_path("bartizan") / "bartizan.db")


def store_option(function: F) -> F:
    """`--store URL`, also from BARTIZAN_STORE."""
    return click.option(
        "--store",
        "store_url",
        metavar="URL",
        envvar="BARTIZAN_STORE",
        help="File or database URL of the store (default: the user's data directory; or BARTIZAN_STORE).",
    )(function)


def format_option(*formats: str) -> Callable[[F], F]:
    """`--format`, and `--json` where JSON is one of them."""

    def add(function: F) -> F:
        function = click.option(
            "--format", "form", type=click.Choice(formats), default=formats[0], show_default=True
        )(function)
        return click.option("--json", "form", flag_value="json", help="Short for --format json.")(function)

    return add


def open_store(url: str | None, scope_store: str = "") -> Any:
    """The store of that URL (the option or BARTIZAN_STORE), else of the scope file, else the default one."""
    from scanner.store.store import Store

    return Store.open(url or scope_store or default_store())
