"""The tables, mapped by hand; no row object leaves this package.

Portable between SQLite and PostgreSQL: text, integers, floats and blobs only. Times are RFC 3339 text in
UTC, dates ISO text, so that they sort and compare as they stand.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

scans = Table(
    "scans",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("started", Text, nullable=False),
    Column("finished", Text, nullable=False, default=""),
    Column("state", Text, nullable=False),
    Column("record", LargeBinary, nullable=False),
    Column("head", Text, nullable=False, default=""),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("scan_id", Integer, ForeignKey("scans.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("spec", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempt", Integer, nullable=False, default=0),
    Column("failure", Text, nullable=False, default=""),
    Column("reason", Text, nullable=False, default=""),
    Column("started", Text, nullable=False, default=""),
    Column("finished", Text, nullable=False, default=""),
    UniqueConstraint("scan_id", "spec"),
)

artefacts = Table(
    "artefacts",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("data", LargeBinary, nullable=False),
    Column("size", Integer, nullable=False),
)

chain = Table(
    "chain",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("scan_id", Integer, ForeignKey("scans.id"), nullable=False),
    Column("job_id", Integer, ForeignKey("jobs.id"), nullable=False),
    Column("meta", Text, nullable=False),
    Column("digest", Text, ForeignKey("artefacts.digest"), nullable=False),
    Column("hash", Text, nullable=False),
    Index(None, "scan_id"),
)

identities = Table(
    "identities",
    metadata,
    Column("identity", Text, primary_key=True),
    Column("asset", Text, nullable=False),
    Column("scan_id", Integer, ForeignKey("scans.id"), nullable=False),
)

assets = Table(
    "assets",
    metadata,
    Column("scan_id", Integer, ForeignKey("scans.id"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("record", LargeBinary, nullable=False),
)

looks = Table(
    "looks",
    metadata,
    Column("scan_id", Integer, ForeignKey("scans.id"), primary_key=True),
    Column("asset", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("checks", Text, nullable=False),
    Column("carried", Text, nullable=False),
    Column("feeds", Text, nullable=False, server_default="{}"),
)

wordings = Table(
    "wordings",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)
"""What many findings share to the letter (title, fix, reasons, score), kept once, by its digest."""

findings = Table(
    "findings",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("finding_id", Text, nullable=False),
    Column("from_scan", Integer, ForeignKey("scans.id"), nullable=False),
    Column("to_scan", Integer, ForeignKey("scans.id"), nullable=True),
    Column("closed_by", Integer, ForeignKey("scans.id"), nullable=True),
    Column("first_scan", Integer, nullable=False),
    Column("first_seen", Text, nullable=False),
    Column("back", Boolean, nullable=False, default=False),
    Column("state", Text, nullable=False),
    Column("asset", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("check_id", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("severity", Integer, nullable=False),
    Column("score", Float, nullable=False, default=0.0),
    Column("payload", LargeBinary, nullable=False),
    Column("wording", Text, ForeignKey("wordings.digest"), nullable=True),
    Column("reckoning", Text, ForeignKey("wordings.digest"), nullable=True),
    Index(None, "finding_id"),
    Index(None, "asset", "kind", "to_scan"),
)

rollups = Table(
    "rollups",
    metadata,
    Column("scan_id", Integer, ForeignKey("scans.id"), primary_key=True),
    Column("points", Float, nullable=False),
    Column("critical_high", Integer, nullable=False),
    Column("overdue", Integer, nullable=False),
    Column("outcomes", Text, nullable=False),
)
