"""What findings share is kept once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward. Findings that are there keep all that they say in their payload."""
    op.create_table(
        "wordings",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_wordings")),
    )
    with op.batch_alter_table("findings") as batch:
        batch.add_column(sa.Column("wording", sa.Text(), nullable=True))
        batch.add_column(sa.Column("reckoning", sa.Text(), nullable=True))
        batch.create_foreign_key(op.f("fk_findings_wording"), "wordings", ["wording"], ["digest"])
        batch.create_foreign_key(op.f("fk_findings_reckoning"), "wordings", ["reckoning"], ["digest"])
