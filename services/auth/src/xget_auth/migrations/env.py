"""Alembic's entry: the shared logic with this service's tables."""

from alembic import context

from xget_auth.models import Base
from xget_db.migrations import run_env

run_env(context, Base.metadata)
