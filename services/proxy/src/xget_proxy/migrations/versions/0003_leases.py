"""Leases of proxies, their limits, and which account uses which.

Revision ID: 0003
"""

import sqlalchemy as sa
from alembic import op

from xget_db.types import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("proxies", sa.Column("max_concurrency", sa.Integer(), nullable=True))
    op.add_column("proxies", sa.Column("daily_budget", sa.Integer(), nullable=True))
    op.add_column("proxies", sa.Column("used_on", sa.String(length=10), nullable=True))
    op.add_column("proxies", sa.Column("used_today", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "leases",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("proxy_id", sa.String(length=36), nullable=False),
        sa.Column("owner_id", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.String(length=64), nullable=False),
        sa.Column("holder", sa.String(length=64), nullable=False),
        sa.Column("operation", sa.String(length=100), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("failed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leases")),
    )
    op.create_index("ix_leases_proxy_id_at", "leases", ["proxy_id", "at"])
    op.create_index("ix_leases_at", "leases", ["at"])
    op.create_index("ix_leases_live", "leases", ["proxy_id", "ended_at", "expires_at"])
    op.create_table(
        "bindings",
        sa.Column("owner_id", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.String(length=64), nullable=False),
        sa.Column("proxy_id", sa.String(length=36), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("owner_id", "account_id", name=op.f("pk_bindings")),
    )
    op.create_index("ix_bindings_proxy_id", "bindings", ["proxy_id"])
    op.create_table(
        "rotations",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("owner_id", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.String(length=64), nullable=False),
        sa.Column("from_proxy_id", sa.String(length=36), nullable=True),
        sa.Column("proxy_id", sa.String(length=36), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rotations")),
    )
    op.create_index("ix_rotations_proxy_id", "rotations", ["proxy_id"])
    op.create_index("ix_rotations_from_proxy_id", "rotations", ["from_proxy_id"])


def downgrade() -> None:
    for name in ("rotations", "bindings", "leases"):
        op.drop_table(name)
    for name in ("used_today", "used_on", "daily_budget", "max_concurrency"):
        op.drop_column("proxies", name)
