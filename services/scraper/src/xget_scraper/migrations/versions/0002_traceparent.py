"""Executions remember the trace of the request that wanted them.

Revision ID: 0002

Not in batch mode: SQLite adds and drops a plain column itself, while copying the table would delete what refers to it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("task_executions", sa.Column("traceparent", sa.String(64), nullable=True))


def downgrade() -> None:
    op.drop_column("task_executions", "traceparent")
