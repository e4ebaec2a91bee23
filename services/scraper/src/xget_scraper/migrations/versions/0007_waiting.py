"""What a run waits for, in words for machines.

Revision ID: 0007

Not in batch mode, as 0002.
"""

import sqlalchemy as sa
from alembic import op

import xget_db.types

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tasks", sa.Column("waiting", xget_db.types.JsonDict(), nullable=True))
    op.add_column("task_executions", sa.Column("waits_for", sa.String(12), nullable=True))
    op.add_column("task_executions", sa.Column("room_accounts", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("task_executions", "room_accounts")
    op.drop_column("task_executions", "waits_for")
    op.drop_column("tasks", "waiting")
