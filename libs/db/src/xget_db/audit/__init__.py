"""Who did, changed or saw what."""

from xget_db.audit.reading import AuditFilter, AuditRepository, prune
from xget_db.audit.table import AUDIT, audit_columns, audit_table, make_audit
from xget_db.audit.trail import SYSTEM, By, Subject, Trail, values_of

__all__ = [
    "AUDIT",
    "SYSTEM",
    "AuditFilter",
    "AuditRepository",
    "By",
    "Subject",
    "Trail",
    "audit_columns",
    "audit_table",
    "make_audit",
    "prune",
    "values_of",
]
