"""Who did what, who used which account, and who may use whose pool.

Revision ID: 0007
"""

import sqlalchemy as sa
from alembic import op

from xget_db.audit import AUDIT, make_audit
from xget_db.grants import GRANTS, make_grants
from xget_db.types import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    make_audit(op)
    make_grants(op)
    op.create_table(
        "lease_log",
        sa.Column("account_id", sa.String(36), primary_key=True),
        sa.Column("holder", sa.String(128), primary_key=True),
        sa.Column("operation", sa.String(64), primary_key=True),
        sa.Column("requester_id", sa.String(64), nullable=False, server_default=""),
        sa.Column("first_at", UtcDateTime(), nullable=False),
        sa.Column("last_at", UtcDateTime(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
    )
    op.create_index("ix_lease_log_last_at", "lease_log", ["last_at"])


def downgrade() -> None:
    for name in ("lease_log", GRANTS, AUDIT):
        op.drop_table(name)
