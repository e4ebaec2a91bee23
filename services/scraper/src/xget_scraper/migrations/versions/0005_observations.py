"""Posts under observation: what tasks found and see again at the ages of their curve.

Revision ID: 0005

Not in batch mode, as 0002.
"""

import sqlalchemy as sa
from alembic import op

import xget_db.types

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tasks", sa.Column("reobserve", xget_db.types.JsonList(), nullable=True))
    op.add_column("task_executions", sa.Column("lookup", sa.String(40), nullable=True))
    op.create_table(
        "observations",
        sa.Column("task_id", sa.String(36), sa.ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("key", sa.String(200), primary_key=True),
        sa.Column("born", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("execution_id", sa.String(36), nullable=True),
        sa.Column("target", sa.Integer(), nullable=True),
        sa.Column("hidden", sa.String(24), nullable=True),
    )
    op.create_index("ix_observations_due", "observations", ["due", "task_id"])
    op.create_index("ix_observations_execution", "observations", ["execution_id", "target"])


def downgrade() -> None:
    """An execution that looks again would be taken for one that collects: it goes."""
    op.drop_table("observations")
    op.execute("DELETE FROM task_executions WHERE lookup IS NOT NULL")
    op.drop_column("task_executions", "lookup")
    op.drop_column("tasks", "reobserve")
