"""The order of choice as columns, what platforms think of exits, and sessions of gateways.

Revision ID: 0008
"""

from typing import Final

import sqlalchemy as sa
from alembic import op

from xget_db.types import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_LENT: Final = """
UPDATE proxies SET lent = (
    SELECT count(*) FROM leases
    WHERE leases.proxy_id = proxies.id AND leases.ended_at IS NULL AND leases.expires_at > CURRENT_TIMESTAMP
)
"""
_PLACE: Final = """
UPDATE proxies SET place = 20 - CAST(
    round(CAST(
        20.0 * coalesce(success_rate, 0.9) / (1.0 + coalesce(latency, 500.0) / 1000.0) / (1.0 + lent * 0.25) AS NUMERIC
    )) AS INTEGER
)
"""


def upgrade() -> None:
    columns = (("lent", sa.Integer(), "0"), ("place", sa.Integer(), "8"), ("turn", sa.BigInteger(), "0"))
    for name, kind, before in columns:
        op.add_column("proxies", sa.Column(name, kind, nullable=False, server_default=before))
    op.execute(_LENT)
    op.execute(_PLACE)
    op.create_index("ix_proxies_best", "proxies", ["owner_id", "status", "place", "turn", "id"])
    op.create_index("ix_proxies_best_there", "proxies", ["owner_id", "status", "country", "place", "turn", "id"])
    open_ones = sa.text("ended_at IS NULL")
    op.create_index("ix_leases_open", "leases", ["expires_at"], sqlite_where=open_ones, postgresql_where=open_ones)
    op.add_column("bindings", sa.Column("session", sa.String(length=16), nullable=False, server_default=""))
    op.create_table(
        "reputations",
        sa.Column("proxy_id", sa.String(length=36), nullable=False),
        sa.Column("platform", sa.String(length=32), nullable=False),
        sa.Column("success_rate", sa.Float(), nullable=False),
        sa.Column("refusals", sa.Integer(), nullable=False),
        sa.Column("refused_at", UtcDateTime(), nullable=False),
        sa.Column("rests_until", UtcDateTime(), nullable=True),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("proxy_id", "platform", name=op.f("pk_reputations")),
    )


def downgrade() -> None:
    op.drop_table("reputations")
    op.drop_column("bindings", "session")
    op.drop_index("ix_leases_open", table_name="leases")
    for name in ("ix_proxies_best_there", "ix_proxies_best"):
        op.drop_index(name, table_name="proxies")
    for name in ("turn", "place", "lent"):
        op.drop_column("proxies", name)
