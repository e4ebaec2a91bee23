"""Wrapped data keys, for processes that share no folder.

Revision ID: 0002
"""

from alembic import op

from xget_db.data_keys import data_keys_columns

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("data_keys", *data_keys_columns())


def downgrade() -> None:
    op.drop_table("data_keys")
