"""What goes wrong with events, as sentences with a status."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xget_kernel.errors import Conflict, NotFound, TooLarge, Unavailable

if TYPE_CHECKING:
    from xget_events.log import Record


class UnknownTopic(NotFound):
    """A message for a topic that nobody created."""

    code = "unknown_topic"
    title = "No such topic"


class MessageTooLarge(TooLarge):
    """A body above its topic's `max_message_mb`."""

    code = "message_too_large"
    title = "Message too large"


class Fenced(Conflict):
    """A commit for a partition that another member of the group holds by now; it will see those records again."""

    code = "partition_fenced"
    title = "Partition held by another member"


class LogClosed(Unavailable):
    """The log was closed while somebody still used it."""

    code = "event_log_closed"
    title = "Event log closed"


class PoisonMessage(Exception):
    """A record that no retry will mend: it goes straight to the dead-letter topic, with `reason` in its headers.

    Name the `record` when the batch held several; without it the batch is taken apart to find it.
    """

    def __init__(self, reason: str, record: Record | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.record = record
