"""Which entries have answered an execution is a table of its own, asked for a page's keys, instead of a list per page.

Revision ID: 0004

Not in batch mode, as 0002. Only executions that still collect have use for their keys.
"""

import sqlalchemy as sa
from alembic import op

import xget_db.types

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

COLLECTS = "e.phase IN ('queued', 'collecting')"


def upgrade() -> None:
    op.create_table(
        "matches",
        sa.Column(
            "execution_id", sa.String(36), sa.ForeignKey("task_executions.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("key", sa.Text(), primary_key=True),
        sqlite_with_rowid=False,
    )
    op.add_column("task_executions", sa.Column("keyed", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index(
        "ix_task_executions_keyed",
        "task_executions",
        ["phase"],
        sqlite_where=sa.text("keyed = 1"),
        postgresql_where=sa.text("keyed"),
    )
    _carry_over(op.get_bind())
    op.drop_column("pages", "match_keys")


def _carry_over(connection: sa.Connection) -> None:
    executions = connection.scalars(sa.text(f"SELECT e.id FROM task_executions e WHERE {COLLECTS}")).all()  # noqa: S608 - our own words
    for execution in executions:
        pages = connection.execute(
            sa.text("SELECT match_keys FROM pages WHERE execution_id = :execution").columns(
                match_keys=xget_db.types.JsonList()
            ),
            {"execution": execution},
        )
        rows = [{"execution": execution, "key": key} for key in {key for (keys,) in pages for key in keys}]
        if rows:
            connection.execute(sa.text("INSERT INTO matches (execution_id, key) VALUES (:execution, :key)"), rows)
            connection.execute(
                sa.text("UPDATE task_executions SET keyed = true WHERE id = :execution"), {"execution": execution}
            )


def downgrade() -> None:
    op.add_column("pages", sa.Column("match_keys", xget_db.types.JsonList(), nullable=False, server_default="[]"))
    connection = op.get_bind()
    executions = connection.scalars(sa.text(f"SELECT e.id FROM task_executions e WHERE {COLLECTS} AND e.keyed")).all()  # noqa: S608 - as above
    for execution in executions:
        found = connection.scalars(sa.text("SELECT key FROM matches WHERE execution_id = :id"), {"id": execution}).all()
        connection.execute(
            sa.text(
                "UPDATE pages SET match_keys = :keys WHERE execution_id = :id AND page_no = "
                "(SELECT min(p.page_no) FROM pages p WHERE p.execution_id = :id)"
            ).bindparams(sa.bindparam("keys", type_=xget_db.types.JsonList())),
            {"keys": list(found), "id": execution},
        )
    op.drop_index("ix_task_executions_keyed", "task_executions")
    op.drop_column("task_executions", "keyed")
    op.drop_table("matches")
