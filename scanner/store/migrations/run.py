"""Runs the migrations inside the program: no alembic.ini, no command line."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError as MigrationError
from sqlalchemy import Engine

__all__ = ["MigrationError", "upgrade"]


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Brings the store to that revision, in one transaction where the database can."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
