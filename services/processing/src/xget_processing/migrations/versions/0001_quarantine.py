"""Quarantine, its pages, parser versions, outbox.

Revision ID: 0001
"""

import sqlalchemy as sa
from alembic import op

from xget_db.outbox import outbox_columns
from xget_db.types import UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "quarantine",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("execution_id", sa.String(length=64), nullable=False),
        sa.Column("page_no", sa.Integer(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("parser_version", sa.String(length=64), nullable=False),
        sa.Column("task_id", sa.String(length=64), nullable=False),
        sa.Column("owner_id", sa.String(length=64), nullable=False),
        sa.Column("platform", sa.String(length=64), nullable=False),
        sa.Column("operation", sa.String(length=128), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("native_id", sa.String(length=256), nullable=True),
        sa.Column("raw_zstd", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_quarantine"),
        sa.UniqueConstraint(
            "execution_id", "page_no", "path", "parser_version",
            name="uq_quarantine_execution_id_page_no_path_parser_version",
        ),
    )
    op.create_index("ix_quarantine_owner_id_id", "quarantine", ["owner_id", "id"])
    op.create_index("ix_quarantine_state", "quarantine", ["state"])
    op.create_index("ix_quarantine_task_id", "quarantine", ["task_id"])
    op.create_table(
        "quarantine_pages",
        sa.Column("execution_id", sa.String(length=64), nullable=False),
        sa.Column("page_no", sa.Integer(), nullable=False),
        sa.Column("message", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("execution_id", "page_no", name="pk_quarantine_pages"),
    )
    op.create_table(
        "parser_versions",
        sa.Column("platform", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("first_used", UtcDateTime(), nullable=False),
        sa.Column("last_used", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("platform", "version", name="pk_parser_versions"),
    )
    op.create_table("outbox", *outbox_columns(), sqlite_autoincrement=True)


def downgrade() -> None:
    op.drop_table("outbox")
    op.drop_table("parser_versions")
    op.drop_table("quarantine_pages")
    op.drop_index("ix_quarantine_task_id", table_name="quarantine")
    op.drop_index("ix_quarantine_state", table_name="quarantine")
    op.drop_index("ix_quarantine_owner_id_id", table_name="quarantine")
    op.drop_table("quarantine")
