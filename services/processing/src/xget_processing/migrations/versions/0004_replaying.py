"""Quarantine by attempt, value shapes, and indexes for replaying.

Revision ID: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

OLD = ["execution_id", "page_no", "path", "parser_version"]
NEW = ["execution_id", "page_no", "attempt", "path", "parser_version"]


def upgrade() -> None:
    op.drop_index("ix_quarantine_state", table_name="quarantine")
    with op.batch_alter_table("quarantine") as batch:
        batch.add_column(sa.Column("attempt", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("shape", sa.Text(), nullable=False, server_default=""))
        batch.drop_constraint("uq_quarantine_execution_id_page_no_path_parser_version", type_="unique")
        batch.create_unique_constraint("uq_quarantine_execution_id_page_no_attempt_path_parser_version", NEW)
    op.create_index("ix_quarantine_pages", "quarantine", ["state", "execution_id", "page_no", "attempt"])
    op.create_index(
        "ix_quarantine_owner_pages", "quarantine", ["owner_id", "state", "execution_id", "page_no", "attempt"]
    )
    with op.batch_alter_table("quarantine_pages") as batch:
        batch.add_column(sa.Column("attempt", sa.Integer(), nullable=False, server_default="0"))
        batch.drop_constraint("pk_quarantine_pages", type_="primary")
        batch.create_primary_key("pk_quarantine_pages", ["execution_id", "page_no", "attempt"])


def downgrade() -> None:
    op.execute(
        "DELETE FROM quarantine_pages WHERE EXISTS (SELECT 1 FROM quarantine_pages AS later WHERE "
        "later.execution_id = quarantine_pages.execution_id AND later.page_no = quarantine_pages.page_no "
        "AND later.attempt > quarantine_pages.attempt)"
    )
    op.execute(
        "DELETE FROM quarantine WHERE EXISTS (SELECT 1 FROM quarantine AS later WHERE "
        "later.execution_id = quarantine.execution_id AND later.page_no = quarantine.page_no "
        "AND later.path = quarantine.path AND later.parser_version = quarantine.parser_version "
        "AND later.attempt > quarantine.attempt)"
    )
    with op.batch_alter_table("quarantine_pages") as batch:
        batch.drop_constraint("pk_quarantine_pages", type_="primary")
        batch.drop_column("attempt")
        batch.create_primary_key("pk_quarantine_pages", ["execution_id", "page_no"])
    op.drop_index("ix_quarantine_owner_pages", table_name="quarantine")
    op.drop_index("ix_quarantine_pages", table_name="quarantine")
    with op.batch_alter_table("quarantine") as batch:
        batch.drop_constraint("uq_quarantine_execution_id_page_no_attempt_path_parser_version", type_="unique")
        batch.drop_column("attempt")
        batch.drop_column("shape")
        batch.create_unique_constraint("uq_quarantine_execution_id_page_no_path_parser_version", OLD)
    op.create_index("ix_quarantine_state", "quarantine", ["state"])
