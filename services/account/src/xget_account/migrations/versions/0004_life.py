"""History of accounts and samples of unknown answers.

Revision ID: 0004
"""

import sqlalchemy as sa
from alembic import op

import xget_db.types
from xget_db.outbox import outbox_columns

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("accounts", sa.Column("next_step", sa.String(length=32), nullable=False, server_default=""))
    op.create_table(
        "account_history",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("at", xget_db.types.UtcDateTime(), nullable=False),
        sa.Column("from_state", sa.String(length=16), nullable=False),
        sa.Column("to_state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("next_step", sa.String(length=32), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_history")),
    )
    op.create_index("ix_account_history_account", "account_history", ["account_id", "at", "id"])
    op.create_table(
        "account_samples",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("owner_id", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("platform", sa.String(length=32), nullable=False),
        sa.Column("operation", sa.String(length=64), nullable=False),
        sa.Column("shape", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body_kind", sa.String(length=32), nullable=False),
        sa.Column("answer", xget_db.types.JsonDict(), nullable=False),
        sa.Column("at", xget_db.types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_samples")),
    )
    op.create_index("ix_account_samples_shape", "account_samples", ["owner_id", "shape", "at"])
    op.create_table(
        "account_checks",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("at", xget_db.types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_checks")),
    )
    op.create_index("ix_account_checks_account", "account_checks", ["account_id", "at"])
    op.create_index("ix_account_checks_at", "account_checks", ["at"])
    op.create_table("outbox", *outbox_columns(), sqlite_autoincrement=True)


def downgrade() -> None:
    op.drop_table("outbox")
    op.drop_index("ix_account_checks_at", table_name="account_checks")
    op.drop_index("ix_account_checks_account", table_name="account_checks")
    op.drop_table("account_checks")
    op.drop_index("ix_account_samples_shape", table_name="account_samples")
    op.drop_table("account_samples")
    op.drop_index("ix_account_history_account", table_name="account_history")
    op.drop_table("account_history")
    op.drop_column("accounts", "next_step")
