"""Accounts of one developer app, and money that nobody has told the end of.

Revision ID: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_apps",
        sa.Column("account_id", sa.String(36), sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("app", sa.String(64), nullable=False),
        sa.Column("app_key", sa.String(160), nullable=False),
        sa.Column("app_wide", sa.Boolean(), nullable=False),
        sa.Column("open_fence", sa.Integer(), nullable=False),
        sa.Column("open_units", sa.Integer(), nullable=False),
        sa.Column("open_micros", sa.BigInteger(), nullable=False),
        sa.Column("lost_month", sa.String(7), nullable=False),
        sa.Column("lost_units", sa.BigInteger(), nullable=False),
        sa.Column("lost_micros", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_api_apps_app_key", "api_apps", ["app_key"])


def downgrade() -> None:
    op.drop_table("api_apps")
