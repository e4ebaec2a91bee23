"""Tasks, executions, pages, certificates; remembered answers; the outbox.

Revision ID: 0001
"""

import sqlalchemy as sa
from alembic import op

import xget_db.types

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('idempotency_keys',
    sa.Column('caller', sa.String(length=64), nullable=False),
    sa.Column('operation', sa.String(length=300), nullable=False),
    sa.Column('key', sa.String(length=128), nullable=False),
    sa.Column('request_hash', sa.String(length=64), nullable=False),
    sa.Column('status', sa.Integer(), nullable=True),
    sa.Column('headers', sa.String(length=4000), nullable=True),
    sa.Column('body', sa.LargeBinary(), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('caller', 'operation', 'key', name=op.f('pk_idempotency_keys'))
    )
    op.create_index('ix_idempotency_keys_created_at', 'idempotency_keys', ['created_at'], unique=False)
    op.create_table('outbox',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('topic', sa.String(length=200), nullable=False),
    sa.Column('key', sa.String(length=200), nullable=False),
    sa.Column('value', sa.LargeBinary(), nullable=False),
    sa.Column('headers', xget_db.types.JsonDict(), nullable=False),
    sa.Column('created_at', xget_db.types.UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_outbox')),
    sqlite_autoincrement=True
    )
    op.create_table('tasks',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('user_id', sa.String(length=64), nullable=False),
    sa.Column('pool_owners', xget_db.types.JsonList(), nullable=False),
    sa.Column('task_name', sa.String(length=200), nullable=False),
    sa.Column('describe', sa.Text(), nullable=False),
    sa.Column('task_type', sa.String(length=40), nullable=False),
    sa.Column('platform', sa.String(length=20), nullable=False),
    sa.Column('parameters', xget_db.types.JsonDict(), nullable=False),
    sa.Column('account_id', sa.String(length=64), nullable=True),
    sa.Column('proxy_id', sa.String(length=64), nullable=True),
    sa.Column('priority', sa.Integer(), nullable=False),
    sa.Column('immediate', sa.Boolean(), nullable=False),
    sa.Column('status', sa.String(length=12), nullable=False),
    sa.Column('message', sa.Text(), nullable=True),
    sa.Column('error_message', sa.Text(), nullable=True),
    sa.Column('progress', sa.Integer(), nullable=True),
    sa.Column('result_count', sa.Integer(), nullable=False),
    sa.Column('execution_id', sa.String(length=36), nullable=True),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('rev', sa.Integer(), nullable=False),
    sa.Column('created_at', xget_db.types.UtcDateTime(), nullable=False),
    sa.Column('updated_at', xget_db.types.UtcDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_tasks'))
    )
    op.create_index('ix_tasks_owner', 'tasks', ['user_id', 'created_at'], unique=False)
    op.create_index('ix_tasks_status', 'tasks', ['status', 'created_at'], unique=False)
    op.create_table('task_executions',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('task_id', sa.String(length=36), nullable=False),
    sa.Column('user_id', sa.String(length=64), nullable=False),
    sa.Column('phase', sa.String(length=12), nullable=False),
    sa.Column('status', sa.String(length=12), nullable=False),
    sa.Column('immediate', sa.Boolean(), nullable=False),
    sa.Column('priority', sa.Integer(), nullable=False),
    sa.Column('match_limit', sa.Integer(), nullable=True),
    sa.Column('queued_at', xget_db.types.UtcDateTime(), nullable=False),
    sa.Column('started_at', xget_db.types.UtcDateTime(), nullable=True),
    sa.Column('completed_at', xget_db.types.UtcDateTime(), nullable=True),
    sa.Column('fence', sa.Integer(), nullable=False),
    sa.Column('lease_owner', sa.String(length=64), nullable=True),
    sa.Column('lease_until', xget_db.types.UtcDateTime(), nullable=True),
    sa.Column('resume_at', xget_db.types.UtcDateTime(), nullable=True),
    sa.Column('waiting_since', xget_db.types.UtcDateTime(), nullable=True),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('retries', sa.Integer(), nullable=False),
    sa.Column('resumes', sa.Integer(), nullable=False),
    sa.Column('stop_requested', sa.Boolean(), nullable=False),
    sa.Column('cursor', sa.Text(), nullable=True),
    sa.Column('page_no', sa.Integer(), nullable=False),
    sa.Column('published_matches', sa.Integer(), nullable=False),
    sa.Column('account_id', sa.String(length=64), nullable=True),
    sa.Column('proxy_id', sa.String(length=64), nullable=True),
    sa.Column('requests', sa.Integer(), nullable=False),
    sa.Column('bytes', sa.BigInteger(), nullable=False),
    sa.Column('end_reason', sa.String(length=24), nullable=True),
    sa.Column('end_detail', sa.Text(), nullable=True),
    sa.Column('message', sa.Text(), nullable=True),
    sa.Column('error_message', sa.Text(), nullable=True),
    sa.Column('matched', sa.Integer(), nullable=False),
    sa.Column('context', sa.Integer(), nullable=False),
    sa.Column('new', sa.Integer(), nullable=False),
    sa.Column('updated', sa.Integer(), nullable=False),
    sa.Column('unchanged', sa.Integer(), nullable=False),
    sa.Column('duplicate', sa.Integer(), nullable=False),
    sa.Column('quarantined', sa.Integer(), nullable=False),
    sa.Column('pages_stored', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['task_id'], ['tasks.id'], name=op.f('fk_task_executions_task_id_tasks'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_task_executions'))
    )
    op.create_index('ix_task_executions_claim', 'task_executions', ['phase', 'immediate', 'priority', 'queued_at'], unique=False)
    op.create_index('ix_task_executions_owner', 'task_executions', ['user_id', 'queued_at'], unique=False)
    op.create_index('ix_task_executions_task', 'task_executions', ['task_id', 'queued_at'], unique=False)
    op.create_table('certificates',
    sa.Column('execution_id', sa.String(length=36), nullable=False),
    sa.Column('body', xget_db.types.JsonDict(), nullable=False),
    sa.Column('issued_at', xget_db.types.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['execution_id'], ['task_executions.id'], name=op.f('fk_certificates_execution_id_task_executions'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('execution_id', name=op.f('pk_certificates'))
    )
    op.create_table('pages',
    sa.Column('execution_id', sa.String(length=36), nullable=False),
    sa.Column('page_no', sa.Integer(), nullable=False),
    sa.Column('settled', sa.Boolean(), nullable=False),
    sa.Column('attempt', sa.Integer(), nullable=True),
    sa.Column('operation', sa.String(length=80), nullable=True),
    sa.Column('route', sa.String(length=40), nullable=True),
    sa.Column('cursor_in', sa.Text(), nullable=True),
    sa.Column('cursor_out', sa.Text(), nullable=True),
    sa.Column('sha256', sa.String(length=64), nullable=True),
    sa.Column('bytes', sa.Integer(), nullable=False),
    sa.Column('requests', sa.Integer(), nullable=False),
    sa.Column('account_id', sa.String(length=64), nullable=True),
    sa.Column('proxy_id', sa.String(length=64), nullable=True),
    sa.Column('match_keys', xget_db.types.JsonList(), nullable=False),
    sa.Column('fetched_at', xget_db.types.UtcDateTime(), nullable=True),
    sa.Column('stored_attempt', sa.Integer(), nullable=True),
    sa.Column('stored_at', xget_db.types.UtcDateTime(), nullable=True),
    sa.Column('matched', sa.Integer(), nullable=False),
    sa.Column('context', sa.Integer(), nullable=False),
    sa.Column('new', sa.Integer(), nullable=False),
    sa.Column('updated', sa.Integer(), nullable=False),
    sa.Column('unchanged', sa.Integer(), nullable=False),
    sa.Column('duplicate', sa.Integer(), nullable=False),
    sa.Column('quarantined', sa.Integer(), nullable=False),
    sa.Column('first_id', sa.String(length=80), nullable=True),
    sa.Column('last_id', sa.String(length=80), nullable=True),
    sa.Column('first_at', xget_db.types.UtcDateTime(), nullable=True),
    sa.Column('last_at', xget_db.types.UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['execution_id'], ['task_executions.id'], name=op.f('fk_pages_execution_id_task_executions'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('execution_id', 'page_no', name=op.f('pk_pages'))
    )
    op.create_index('ix_pages_unsettled', 'pages', ['execution_id'], unique=False, sqlite_where=sa.text('settled = 0'), postgresql_where=sa.text('NOT settled'))


def downgrade() -> None:
    op.drop_index('ix_pages_unsettled', table_name='pages', sqlite_where=sa.text('settled = 0'), postgresql_where=sa.text('NOT settled'))
    op.drop_table('pages')
    op.drop_table('certificates')
    op.drop_index('ix_task_executions_task', table_name='task_executions')
    op.drop_index('ix_task_executions_owner', table_name='task_executions')
    op.drop_index('ix_task_executions_claim', table_name='task_executions')
    op.drop_table('task_executions')
    op.drop_index('ix_tasks_status', table_name='tasks')
    op.drop_index('ix_tasks_owner', table_name='tasks')
    op.drop_table('tasks')
    op.drop_table('outbox')
    op.drop_index('ix_idempotency_keys_created_at', table_name='idempotency_keys')
    op.drop_table('idempotency_keys')
