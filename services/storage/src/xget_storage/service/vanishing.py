"""Posts that are gone: when they were last seen as they were, and when a stand-in was first seen in their place.

What was collected stays. Sights may come in any order; the times always hold between them the moment when it went.
"""

from __future__ import annotations

from datetime import datetime

from xget_contracts.items import Gone
from xget_storage.models import StoredItem


def seen_gone(stored: StoredItem, gone: Gone, text: str | None, moment: datetime) -> bool:
    """A stand-in was seen; True when that is news."""
    if stored.gone is None:
        if moment < stored.content_at:
            return False  # it was there later: the stand-in was for one account, or for a while
        stored.gone, stored.gone_text, stored.alive_at = gone, text, stored.content_at
        stored.gone_at = stored.gone_last = moment
        return True
    before = (stored.gone, stored.gone_text, stored.gone_at)
    if stored.alive_at is not None and moment <= stored.alive_at:
        return False
    stored.gone_at = moment if stored.gone_at is None else min(stored.gone_at, moment)
    if stored.gone_last is None or moment >= stored.gone_last:
        stored.gone, stored.gone_text, stored.gone_last = gone, text, moment
    return (stored.gone, stored.gone_text, stored.gone_at) != before


def seen_again(stored: StoredItem, moment: datetime) -> bool:
    """The post itself was seen; True when that is news for one that was taken for gone."""
    if stored.gone is None:
        return False
    if stored.gone_last is None or moment > stored.gone_last:
        stored.gone = stored.gone_text = stored.alive_at = stored.gone_at = stored.gone_last = None
        return True
    before = (stored.alive_at, stored.gone_at)
    if stored.alive_at is None or moment > stored.alive_at:
        stored.alive_at = moment
    if stored.gone_at is not None and moment >= stored.gone_at:
        stored.gone_at = stored.gone_last  # it went after this sight, and before the last stand-in
    return (stored.alive_at, stored.gone_at) != before
