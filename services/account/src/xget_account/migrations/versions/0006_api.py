"""Credentials and costs of the official API.

Revision ID: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("accounts", sa.Column("api", sa.Text()))
    op.create_table(
        "api_access",
        sa.Column("account_id", sa.String(36), sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("full_archive", sa.Boolean(), nullable=False),
        sa.Column("cap_micros", sa.BigInteger(), nullable=False),
        sa.Column("cap_units", sa.BigInteger()),
        sa.Column("month", sa.String(7), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("micros", sa.BigInteger(), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("held_fence", sa.Integer(), nullable=False),
        sa.Column("held_units", sa.Integer(), nullable=False),
        sa.Column("unit_micros", sa.BigInteger(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("api_access")
    with op.batch_alter_table("accounts") as table:
        table.drop_column("api")
