"""Lists of providers, and which proxies came from them.

Revision ID: 0006
"""

import sqlalchemy as sa
from alembic import op

from xget_db.types import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("proxies", sa.Column("provider_id", sa.String(length=36), nullable=True))
    op.add_column("proxies", sa.Column("retired_at", UtcDateTime(), nullable=True))
    op.create_index("ix_proxies_provider_id", "proxies", ["provider_id"])
    op.create_table(
        "providers",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("owner_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("host", sa.String(length=253), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("type", sa.String(length=8), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("every_seconds", sa.Integer(), nullable=False),
        sa.Column("next_at", UtcDateTime(), nullable=False),
        sa.Column("last_at", UtcDateTime(), nullable=True),
        sa.Column("last_error", sa.String(length=300), nullable=True),
        sa.Column("added", sa.Integer(), nullable=False),
        sa.Column("removed", sa.Integer(), nullable=False),
        sa.Column("kept", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_providers")),
        sa.UniqueConstraint("owner_id", "name", name=op.f("uq_providers_owner_id_name")),
    )
    op.create_index("ix_providers_next_at", "providers", ["next_at"])


def downgrade() -> None:
    op.drop_table("providers")
    op.drop_index("ix_proxies_provider_id", table_name="proxies")
    for name in ("retired_at", "provider_id"):
        op.drop_column("proxies", name)
