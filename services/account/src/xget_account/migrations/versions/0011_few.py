"""Accounts that are not as most are (another state, switched off, at rest), by indexes of those few.

Revision ID: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

NOT_ACTIVE, RESTED = "status <> 'ACTIVE'", "rest_until IS NOT NULL"
FEW = (
    ("ix_accounts_state", "accounts", ["status", "created_at", "id"], NOT_ACTIVE, NOT_ACTIVE),
    ("ix_accounts_owner_state", "accounts", ["owner_id", "status", "created_at", "id"], NOT_ACTIVE, NOT_ACTIVE),
    ("ix_accounts_off", "accounts", ["owner_id", "created_at", "id"], "active = 0", "NOT active"),
    ("ix_accounts_rest", "accounts", ["owner_id", "rest_until", "id", "status", "platform"], RESTED, RESTED),
    ("ix_ledger_rest", "ledger", ["rest_until", "account_id"], RESTED, RESTED),
)


def upgrade() -> None:
    for name, table, columns, on_sqlite, on_postgres in FEW:
        op.create_index(name, table, columns, sqlite_where=sa.text(on_sqlite), postgresql_where=sa.text(on_postgres))


def downgrade() -> None:
    for name, table, *_ in FEW:
        op.drop_index(name, table_name=table)
