"""Routes to a platform, in a task's order.

Revision ID: 0006

Not in batch mode, as 0002.
"""

import sqlalchemy as sa
from alembic import op

import xget_db.types

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tasks", sa.Column("routes", xget_db.types.JsonList(), nullable=True))
    op.add_column("segments", sa.Column("route", sa.String(40), nullable=True))
    op.add_column("task_executions", sa.Column("failovers", xget_db.types.JsonList(), nullable=True))


def downgrade() -> None:
    op.drop_column("task_executions", "failovers")
    op.drop_column("segments", "route")
    op.drop_column("tasks", "routes")
