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
    _tell_who_waits_already()


def _tell_who_waits_already() -> None:
    """Tasks whose latest run waits may do so for hours before anything writes their row again."""
    tasks = sa.table("tasks", sa.column("id"), sa.column("execution_id"), sa.column("waiting", xget_db.types.JsonDict()))
    times = [sa.column(name, xget_db.types.UtcDateTime()) for name in ("resume_at", "waiting_since")]
    runs = sa.table("task_executions", sa.column("id"), sa.column("phase"), *times)
    latest = tasks.join(runs, runs.c.id == tasks.c.execution_id)
    query = sa.select(tasks.c.id, runs.c.phase, *times).select_from(latest)
    found = op.get_bind().execute(query.where(runs.c.phase.in_(("queued", "draining")))).all()
    for task_id, phase, resume_at, since in found:
        waiting: dict[str, str | None] = {"reason": "storage" if phase == "draining" else "worker"}
        if phase == "queued" and resume_at is not None:
            waiting = {"reason": "account" if since else "retry", "until": resume_at.isoformat()}
            waiting |= {"since": since.isoformat(), "accounts": None} if since else {}
        op.get_bind().execute(sa.update(tasks).where(tasks.c.id == task_id).values(waiting=waiting))


def downgrade() -> None:
    op.drop_column("task_executions", "room_accounts")
    op.drop_column("task_executions", "waits_for")
    op.drop_column("tasks", "waiting")
