"""Alembic's entry: the shared logic with this service's tables."""

from alembic import context

from xget_db.migrations import run_env
from xget_proxy.models import Base

run_env(context, Base.metadata)
