"""Who did, changed or saw what, over HTTP."""

from xget_web.audit.router import AuditRead, audit_router, by
from xget_web.audit.views import Views, kept_dep

__all__ = ["AuditRead", "Views", "audit_router", "by", "kept_dep"]
