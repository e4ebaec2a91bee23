"""The order in which accounts are leased, and who holds one, by index.

Revision ID: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

MICROSECONDS = {
    "sqlite": "CAST(round((julianday(last_used) - 2440587.5) * 86400000000) AS INTEGER)",
    "postgresql": "CAST(extract(epoch FROM last_used) * 1000000 AS BIGINT)",
}


def upgrade() -> None:
    op.add_column("accounts", sa.Column("turn", sa.BigInteger(), nullable=False, server_default="0"))
    used = MICROSECONDS[op.get_bind().dialect.name]
    op.execute(f"UPDATE accounts SET turn = {used} WHERE last_used IS NOT NULL")
    op.drop_index("ix_accounts_choice", table_name="accounts")
    op.create_index("ix_accounts_turn", "accounts", ["owner_id", "platform", "turn", "id"])
    op.create_index("ix_accounts_lease_holder", "accounts", ["lease_holder"])


def downgrade() -> None:
    op.drop_index("ix_accounts_lease_holder", table_name="accounts")
    op.drop_index("ix_accounts_turn", table_name="accounts")
    op.create_index("ix_accounts_choice", "accounts", ["owner_id", "platform", "last_used"])
    op.drop_column("accounts", "turn")
