"""Who did, changed or saw what."""

from xget_db.audit.table import AUDIT, audit_columns, audit_table, make_audit

__all__ = ["AUDIT", "audit_columns", "audit_table", "make_audit"]
