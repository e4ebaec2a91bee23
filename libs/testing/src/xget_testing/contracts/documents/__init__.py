"""The behaviour of a document store, whatever the engine.

Subclass `DocumentStoreContract` with a fixture `store` and the class attributes `ports` and `models`, modules of
storage.
"""

from __future__ import annotations

from xget_testing.contracts.documents.changing import ChangesByPeople
from xget_testing.contracts.documents.counting import PageCounts
from xget_testing.contracts.documents.history import Histories
from xget_testing.contracts.documents.lifting import LiftedTakedowns
from xget_testing.contracts.documents.listing import Lists
from xget_testing.contracts.documents.merging import Merging
from xget_testing.contracts.documents.replaying import Replaying
from xget_testing.contracts.documents.vanishing import Vanishing
from xget_testing.contracts.documents.versions import Versions


class DocumentStoreContract(
    PageCounts, Merging, ChangesByPeople, Lists, Histories, Replaying, LiftedTakedowns, Vanishing, Versions
):
    """All of it."""


__all__ = ["DocumentStoreContract"]
