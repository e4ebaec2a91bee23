"""Who may use whose pool."""

from xget_db.grants.repository import GrantRepository, Lent, grantees_of, lent_to, lent_values
from xget_db.grants.table import GRANTS, grant_columns, grants_table, make_grants

__all__ = [
    "GRANTS",
    "GrantRepository",
    "Lent",
    "grant_columns",
    "grantees_of",
    "grants_table",
    "lent_to",
    "lent_values",
    "make_grants",
]
