"""Logins by the machine.

Revision ID: 0005
"""

import sqlalchemy as sa
from alembic import op

from xget_db.types import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account_logins",
        sa.Column("account_id", sa.String(36), sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("browser_state", sa.Text()),
        sa.Column("refused", sa.Text()),
        sa.Column("refused_rev", sa.Integer()),
        sa.Column("holder", sa.String(128)),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("expires_at", UtcDateTime()),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("next_at", UtcDateTime()),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("today", sa.Integer(), nullable=False),
    )
    op.create_table(
        "account_login_attempts",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("account_id", sa.String(36), sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("asked_by", sa.String(64), nullable=False),
        sa.Column("method", sa.String(16), nullable=False),
        sa.Column("started_at", UtcDateTime()),
        sa.Column("starts", sa.Integer(), nullable=False),
        sa.Column("ended_at", UtcDateTime()),
        sa.Column("outcome", sa.String(32)),
        sa.Column("sentence", sa.String(500), nullable=False),
        sa.Column("screenshot", sa.String(500)),
    )
    op.create_index("ix_account_login_attempts_account", "account_login_attempts", ["account_id", "at", "id"])
    op.create_index(
        "uq_account_login_attempts_open",
        "account_login_attempts",
        ["account_id"],
        unique=True,
        sqlite_where=sa.text("outcome IS NULL"),
        postgresql_where=sa.text("outcome IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("account_login_attempts")
    op.drop_table("account_logins")
