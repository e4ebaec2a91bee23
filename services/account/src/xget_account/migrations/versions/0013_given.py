"""Up to which lease an account had another session than now.

Revision ID: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("accounts", sa.Column("given_fence", sa.Integer(), nullable=False, server_default="-1"))


def downgrade() -> None:
    op.drop_column("accounts", "given_fence")
