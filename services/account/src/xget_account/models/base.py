"""What all tables of the account service share."""

from __future__ import annotations

from sqlalchemy.orm import DeclarativeBase

from xget_db.audit import audit_table
from xget_db.base import new_metadata
from xget_db.grants import grants_table
from xget_db.outbox import outbox_table
from xget_web.idempotency import idempotency_table


class Base(DeclarativeBase):
    """Registry of this service's tables."""

    metadata = new_metadata()


idempotency = idempotency_table(Base.metadata)
OUTBOX = outbox_table(Base.metadata)
AUDIT = audit_table(Base.metadata)


class Audit(Base):
    """Somebody did, changed or saw something."""

    __table__ = AUDIT


GRANTS = grants_table(Base.metadata)
