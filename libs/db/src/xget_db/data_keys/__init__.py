"""Data keys in a service's own tables, for processes that share no folder (ADR 0023)."""

from xget_db.data_keys.lost import lost_keys, stored, there
from xget_db.data_keys.opening import open_keys
from xget_db.data_keys.place import InTable
from xget_db.data_keys.table import data_keys_columns, data_keys_table

__all__ = ["InTable", "data_keys_columns", "data_keys_table", "lost_keys", "open_keys", "stored", "there"]
