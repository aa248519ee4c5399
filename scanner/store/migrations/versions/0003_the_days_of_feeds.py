"""The days of the feeds stand once for each look, so that a newer feed alone changes no finding."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward. Findings of looks before keep the days that they were stored with."""
    with op.batch_alter_table("looks") as batch:
        batch.add_column(sa.Column("feeds", sa.Text(), nullable=False, server_default="{}"))
