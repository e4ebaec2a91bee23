"""Executions are collected in segments: targets, windows with cursors of their own, and marks of complete runs.

Revision ID: 0003

Not in batch mode, as 0002. An execution that is under way becomes one target with one segment that has its cursor.
"""

import sqlalchemy as sa
from alembic import op

import xget_db.types

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

UNDER_WAY = "e.phase IN ('queued', 'collecting') AND e.page_no > 0"
COUNTS = ("targets", "targets_done", "segments", "fruitless")


def upgrade() -> None:
    for name in COUNTS:
        op.add_column("task_executions", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    for name in ("continues", "planned"):
        op.add_column("task_executions", sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("task_executions", sa.Column("wish", sa.String(64), nullable=False, server_default=""))
    op.add_column("task_executions", sa.Column("backfill_of", sa.String(36), nullable=True))
    op.add_column("task_executions", sa.Column("complete", sa.Boolean(), nullable=True))
    op.add_column("pages", sa.Column("segment", sa.Integer(), nullable=True))
    _tables()
    _carry_over()
    op.drop_column("task_executions", "cursor")


def _tables() -> None:
    execution = lambda: sa.Column(  # noqa: E731 - a column belongs to one table
        "execution_id", sa.String(36), sa.ForeignKey("task_executions.id", ondelete="CASCADE"), primary_key=True
    )
    ended = lambda: (sa.Column("end_reason", sa.String(24)), sa.Column("end_detail", sa.Text()))  # noqa: E731 - as above
    counted = lambda: (  # noqa: E731 - as above
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("matched", sa.Integer(), nullable=False),
        sa.Column("oldest_at", xget_db.types.UtcDateTime()),
    )
    op.create_table(
        "execution_targets",
        execution(),
        sa.Column("n", sa.Integer(), primary_key=True),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("parameters", xget_db.types.JsonDict(), nullable=False),
        *counted(),
        sa.Column("newest_at", xget_db.types.UtcDateTime()),
        *ended(),
    )
    op.create_index("ix_execution_targets_ended", "execution_targets", ["execution_id", "end_reason"])
    op.create_table(
        "segments",
        execution(),
        sa.Column("n", sa.Integer(), primary_key=True),
        sa.Column("target", sa.Integer(), nullable=False),
        sa.Column("parent", sa.Integer()),
        sa.Column("windowed", sa.Boolean(), nullable=False),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.Column("since", xget_db.types.UtcDateTime()),
        sa.Column("until", xget_db.types.UtcDateTime()),
        sa.Column("probe", sa.Boolean(), nullable=False),
        sa.Column("empties", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("cursor", sa.Text()),
        *counted(),
        *ended(),
    )
    op.create_index("ix_segments_state", "segments", ["execution_id", "state", "target"])
    op.create_table(
        "marks",
        sa.Column("task_id", sa.String(36), sa.ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("target", sa.String(64), primary_key=True),
        sa.Column("wish", sa.String(64), nullable=False),
        sa.Column("newest_at", xget_db.types.UtcDateTime(), nullable=False),
    )


def _carry_over() -> None:
    op.execute(
        "INSERT INTO execution_targets (execution_id, n, label, parameters, pages, matched) "
        "SELECT e.id, 1, t.task_name, t.parameters, e.page_no, e.published_matches "
        f"FROM task_executions e JOIN tasks t ON t.id = e.task_id WHERE {UNDER_WAY}"
    )
    op.execute(
        "INSERT INTO segments (execution_id, n, target, windowed, depth, probe, empties, state, cursor, pages, matched) "
        "SELECT e.id, 1, 1, false, 0, false, 0, 'open', e.cursor, e.page_no, e.published_matches "
        f"FROM task_executions e WHERE {UNDER_WAY}"
    )
    op.execute(
        "UPDATE task_executions AS e SET planned = true, targets = 1, segments = 1 "  # noqa: S608 - our own words
        f"WHERE {UNDER_WAY}"
    )


def downgrade() -> None:
    op.add_column("task_executions", sa.Column("cursor", sa.Text(), nullable=True))
    op.execute(
        "UPDATE task_executions SET cursor = (SELECT max(s.cursor) FROM segments s "
        "WHERE s.execution_id = task_executions.id AND s.state = 'open' AND s.n = 1)"
    )
    for table in ("marks", "segments", "execution_targets"):
        op.drop_table(table)
    op.drop_column("pages", "segment")
    for name in ("complete", "backfill_of", "wish", "planned", "continues", *reversed(COUNTS)):
        op.drop_column("task_executions", name)
