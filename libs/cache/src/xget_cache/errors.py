"""What the cache says no with."""

from xget_kernel.errors import Conflict, Unavailable


class CacheDown(Unavailable):
    """Redis does not answer, or answers that it cannot do its work now (503)."""

    code = "cache_down"
    title = "The cache does not answer"


class LockTaken(Conflict):
    """Another holds the lock (409)."""

    code = "lock_taken"
    title = "Someone else is doing this"


class LockLost(Conflict):
    """The lock ran out while it was held, and may be another's by now (409)."""

    code = "lock_lost"
    title = "The lock was lost"
