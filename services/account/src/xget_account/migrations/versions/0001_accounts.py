"""Accounts, their ledger, remembered answers.

Revision ID: 0001
"""

import sqlalchemy as sa
from alembic import op

import xget_db.types

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("owner_id", sa.String(length=64), nullable=False),
        sa.Column("platform", sa.String(length=32), nullable=False),
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("username_key", sa.String(length=128), nullable=False),
        sa.Column("login_method", sa.String(length=16), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=True),
        sa.Column("password", sa.Text(), nullable=True),
        sa.Column("email_password", sa.Text(), nullable=True),
        sa.Column("cookies", sa.Text(), nullable=True),
        sa.Column("totp", sa.Text(), nullable=True),
        sa.Column("headers", xget_db.types.JsonDict(), nullable=False),
        sa.Column("user_agent", sa.String(length=512), nullable=True),
        sa.Column("proxy_id", sa.String(length=64), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("error_msg", sa.String(length=500), nullable=True),
        sa.Column("daily_budget", sa.Integer(), nullable=True),
        sa.Column("used_day", sa.String(length=10), nullable=False),
        sa.Column("used_today", sa.Integer(), nullable=False),
        sa.Column("rest_until", xget_db.types.UtcDateTime(), nullable=True),
        sa.Column("last_used", xget_db.types.UtcDateTime(), nullable=True),
        sa.Column("last_report", xget_db.types.JsonDict(), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("lease_holder", sa.String(length=128), nullable=True),
        sa.Column("lease_operation", sa.String(length=64), nullable=True),
        sa.Column("lease_expires_at", xget_db.types.UtcDateTime(), nullable=True),
        sa.Column("lease_reports", sa.Integer(), nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.Column("created_at", xget_db.types.UtcDateTime(), nullable=False),
        sa.Column("updated_at", xget_db.types.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint(
            "owner_id", "platform", "username_key", name=op.f("uq_accounts_owner_id_platform_username_key")
        ),
    )
    op.create_index("ix_accounts_choice", "accounts", ["owner_id", "platform", "last_used"], unique=False)
    op.create_table(
        "idempotency_keys",
        sa.Column("caller", sa.String(length=64), nullable=False),
        sa.Column("operation", sa.String(length=300), nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("headers", sa.String(length=4000), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("caller", "operation", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index("ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"], unique=False)
    op.create_table(
        "ledger",
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("operation", sa.String(length=64), nullable=False),
        sa.Column("limit_", sa.Integer(), nullable=True),
        sa.Column("remaining", sa.Integer(), nullable=True),
        sa.Column("reset_at", xget_db.types.UtcDateTime(), nullable=True),
        sa.Column("rest_until", xget_db.types.UtcDateTime(), nullable=True),
        sa.Column("used_day", sa.String(length=10), nullable=False),
        sa.Column("used_today", sa.Integer(), nullable=False),
        sa.Column("updated_at", xget_db.types.UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_ledger_account_id_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "operation", name=op.f("pk_ledger")),
    )


def downgrade() -> None:
    op.drop_table("ledger")
    op.drop_index("ix_idempotency_keys_created_at", table_name="idempotency_keys")
    op.drop_table("idempotency_keys")
    op.drop_index("ix_accounts_choice", table_name="accounts")
    op.drop_table("accounts")
