"""Authors who were taken down.

Revision ID: 0005
"""

import sqlalchemy as sa
from alembic import op

from xget_db.types import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "forgotten_authors",
        sa.Column("platform", sa.String(length=64), nullable=False),
        sa.Column("author_id", sa.String(length=256), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("platform", "author_id", name="pk_forgotten_authors"),
    )


def downgrade() -> None:
    op.drop_table("forgotten_authors")
