"""Who did, changed or saw what, and who lets whom use his proxies, over HTTP."""

from __future__ import annotations

from xget_proxy.deps import database, grant_desk, views
from xget_proxy.errors import ProxyNotFound
from xget_proxy.models import AUDIT
from xget_web.audit import audit_router
from xget_web.grants import grants_router

trail = audit_router("/api/v1/proxies/audit", "proxies", table=AUDIT, database=database, views=views)
grants = grants_router("/api/v1/proxies/grants", "proxies", database=database, desk=grant_desk, missing=ProxyNotFound)
