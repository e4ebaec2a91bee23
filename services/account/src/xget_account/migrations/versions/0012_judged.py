"""By which rule of which playbook an account was moved.

Revision ID: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("account_history", sa.Column("rule", sa.String(80), nullable=True))
    op.add_column("account_history", sa.Column("playbook", sa.String(16), nullable=True))


def downgrade() -> None:
    op.drop_column("account_history", "playbook")
    op.drop_column("account_history", "rule")
