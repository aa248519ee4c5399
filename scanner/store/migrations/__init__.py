"""Alembic migrations of the store, from the first release on."""
