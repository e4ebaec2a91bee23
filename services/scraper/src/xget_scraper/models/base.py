"""The declarative base of the scraper's tables."""

from __future__ import annotations

from sqlalchemy.orm import DeclarativeBase

from xget_db.base import new_metadata
from xget_db.outbox import outbox_table
from xget_web.idempotency import idempotency_table


class Base(DeclarativeBase):
    """All tables of the scraper."""

    metadata = new_metadata()


OUTBOX = outbox_table(Base.metadata)
IDEMPOTENCY = idempotency_table(Base.metadata)
