"""Transactions whose statements go to the driver as they are, for what happens at every page."""

from xget_db.direct.prepared import Build, Prepared, Statements
from xget_db.direct.senders import PostgresSender, Sender, SqliteSender
from xget_db.direct.tracing import Traced
from xget_db.direct.transaction import Direct, Rows, Said
from xget_db.direct.whole import Work, finished, whole

__all__ = [
    "Build",
    "Direct",
    "PostgresSender",
    "Prepared",
    "Rows",
    "Said",
    "Sender",
    "SqliteSender",
    "Statements",
    "Traced",
    "Work",
    "finished",
    "whole",
]
