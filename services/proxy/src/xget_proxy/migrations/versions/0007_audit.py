"""Who did what, and who may use whose proxies.

Revision ID: 0007
"""

from alembic import op

from xget_db.audit import AUDIT, make_audit
from xget_db.grants import GRANTS, make_grants

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    make_audit(op)
    make_grants(op)


def downgrade() -> None:
    for name in (GRANTS, AUDIT):
        op.drop_table(name)
