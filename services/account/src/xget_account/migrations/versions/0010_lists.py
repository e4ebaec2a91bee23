"""Lists of very many accounts in their order, and those that wait for a login, by index.

Revision ID: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_accounts_made": ["created_at", "id"],
    "ix_accounts_owner_made": ["owner_id", "created_at", "id"],
}
LOGGED_OUT, OUT = "ix_accounts_logged_out", sa.text("status = 'NEEDS_LOGIN'")


def upgrade() -> None:
    for name, columns in INDEXES.items():
        op.create_index(name, "accounts", columns)
    op.create_index(LOGGED_OUT, "accounts", ["updated_at", "id"], sqlite_where=OUT, postgresql_where=OUT)


def downgrade() -> None:
    for name in (LOGGED_OUT, *INDEXES):
        op.drop_index(name, table_name="accounts")
