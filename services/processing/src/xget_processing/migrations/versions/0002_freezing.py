"""Parsers' states and windows, and the pages that wait for frozen parsers.

Revision ID: 0002
"""

import sqlalchemy as sa
from alembic import op

from xget_db.types import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "parsers",
        sa.Column("route", sa.String(length=64), nullable=False),
        sa.Column("operation", sa.String(length=128), nullable=False),
        sa.Column("platform", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("route", "operation", name="pk_parsers"),
    )
    op.create_table(
        "parser_minutes",
        sa.Column("route", sa.String(length=64), nullable=False),
        sa.Column("operation", sa.String(length=128), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("minute", UtcDateTime(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("route", "operation", "version", "minute", name="pk_parser_minutes"),
    )
    op.create_table(
        "frozen_pages",
        sa.Column("execution_id", sa.String(length=64), nullable=False),
        sa.Column("page_no", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("route", sa.String(length=64), nullable=False),
        sa.Column("operation", sa.String(length=128), nullable=False),
        sa.Column("message", sa.LargeBinary(), nullable=False),
        sa.Column("traceparent", sa.String(length=128), nullable=True),
        sa.Column("frozen_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("execution_id", "page_no", "attempt", name="pk_frozen_pages"),
    )
    op.create_index(
        "ix_frozen_pages_order", "frozen_pages", ["route", "operation", "execution_id", "page_no", "attempt"]
    )


def downgrade() -> None:
    op.drop_index("ix_frozen_pages_order", table_name="frozen_pages")
    op.drop_table("frozen_pages")
    op.drop_table("parser_minutes")
    op.drop_table("parsers")
