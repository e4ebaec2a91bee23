"""What storage says no with."""

from xget_kernel.errors import Conflict, Invalid, NotFound, PreconditionFailed, Unavailable, XGetError


class ItemNotFound(NotFound):
    """Missing and foreign items are one and the same."""

    code = "item_not_found"
    title = "No such item"


class ItemExists(Conflict):
    """An item with this id is there, or was deleted."""

    code = "item_exists"
    title = "Item exists already"


class ItemShared(Conflict):
    """The item also belongs to other people."""

    code = "item_shared"
    title = "Item belongs to several owners"


class ItemChanged(PreconditionFailed):
    """If-Match names another revision."""

    code = "item_changed"
    title = "Item was changed meanwhile"


class RawNotFound(NotFound):
    """No page shows this item, or not yet."""

    code = "raw_not_found"
    title = "No such raw record"


class RawGone(XGetError):
    """Pages showed this item, and are kept no longer."""

    status = 410
    code = "raw_gone"
    title = "Raw pages are gone"


class AuthorNotFound(NotFound):
    """Nothing of this author is among the caller's items."""

    code = "author_not_found"
    title = "No such author"


class AuthorForgottenHere(Conflict):
    """The author was taken down and stays away."""

    code = "author_forgotten"
    title = "Author was taken down"


class TakedownNotFound(NotFound):
    """Nobody took this author down."""

    code = "takedown_not_found"
    title = "No such takedown"


class BadAuthorKey(Invalid):
    """It is no key of an author."""

    code = "bad_author_key"
    title = "No key of an author"


class BadFilter(Invalid):
    """Filters that do not go together."""

    code = "bad_filter"
    title = "Filters do not fit together"


class SearchAway(Unavailable):
    """The search engine does not answer. Nothing is lost: what was not indexed is indexed when it is back."""

    code = "search_unavailable"
    title = "Search is unavailable"


class RebuildRunning(Conflict):
    """The search index is being rebuilt by somebody else."""

    code = "rebuild_running"
    title = "Another rebuild is running"


def no_such_item(key: str) -> ItemNotFound:
    """The one sentence for missing and foreign items."""
    return ItemNotFound(f"There is no item {key[:128]!r} among yours.")
