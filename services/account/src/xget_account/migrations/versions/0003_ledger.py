"""What the ledger knows of failures, and from where an account's turn counts on.

Revision ID: 0003
"""

import sqlalchemy as sa
from alembic import op

import xget_db.types

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("ledger", sa.Column("failures", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("ledger", sa.Column("errors", xget_db.types.JsonList(), nullable=True))
    op.add_column("accounts", sa.Column("begun", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute("UPDATE accounts SET begun = turn")
    op.create_index("ix_accounts_begun", "accounts", ["owner_id", "platform", "begun"])


def downgrade() -> None:
    op.drop_index("ix_accounts_begun", table_name="accounts")
    op.drop_column("accounts", "begun")
    op.drop_column("ledger", "errors")
    op.drop_column("ledger", "failures")
