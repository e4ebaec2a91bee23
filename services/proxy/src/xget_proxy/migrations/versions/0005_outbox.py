"""What waits to be announced.

Revision ID: 0005
"""

from alembic import op

from xget_db.outbox import outbox_columns

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("outbox", *outbox_columns(), sqlite_autoincrement=True)


def downgrade() -> None:
    op.drop_table("outbox")
