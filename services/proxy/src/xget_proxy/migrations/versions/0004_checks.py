"""What background checks find: recent latencies, exits, anonymity; when a proxy is checked next.

Revision ID: 0004
"""

import sqlalchemy as sa
from alembic import op

from xget_db.types import JsonList, UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_COLUMNS = (
    ("check_at", UtcDateTime()),
    ("latencies", JsonList()),
    ("exits", JsonList()),
    ("exit_ip", sa.String(length=45)),
    ("anonymity", sa.String(length=16)),
)


def upgrade() -> None:
    for name, kind in _COLUMNS:
        op.add_column("proxies", sa.Column(name, kind, nullable=True))
    for name in ("rotating", "located"):
        op.add_column("proxies", sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index("ix_proxies_check_at", "proxies", ["check_at"])


def downgrade() -> None:
    op.drop_index("ix_proxies_check_at", table_name="proxies")
    for name in ("located", "rotating", *(name for name, _ in reversed(_COLUMNS))):
        op.drop_column("proxies", name)
