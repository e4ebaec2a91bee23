"""Secrets in tables: which columns hold them, which keys wrote them, and writing them anew."""

from xget_db.sealed.columns import Sealed
from xget_db.sealed.rows import Count, Piece, Place, SealedRows, Unreadable, key_id_of
from xget_db.sealed.usage import counted

__all__ = ["Count", "Piece", "Place", "Sealed", "SealedRows", "Unreadable", "counted", "key_id_of"]
