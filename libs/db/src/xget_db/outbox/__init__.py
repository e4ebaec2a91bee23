"""Facts that are announced with the commit that makes them true: rows first, messages after."""

from xget_db.outbox.emit import Outbox, emit_with
from xget_db.outbox.refused import Aside
from xget_db.outbox.relay import EventPublisher, OutboxRelay
from xget_db.outbox.table import outbox_columns, outbox_table

__all__ = ["Aside", "EventPublisher", "Outbox", "OutboxRelay", "emit_with", "outbox_columns", "outbox_table"]
