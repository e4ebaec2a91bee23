"""Times and ids: X's ids are snowflakes, so they sort like the time they were made."""

from datetime import UTC, datetime

SNOWFLAKE_EPOCH_MS = 1288834974657
NOW_MS = int(datetime(2026, 8, 1, 12, tzinfo=UTC).timestamp() * 1000)
DAY_MS = 86_400_000


def snowflake(at_ms: int, sequence: int = 0) -> int:
    """The id of something made at `at_ms` (Unix milliseconds); `sequence` (22 bits) tells equals apart."""
    return ((at_ms - SNOWFLAKE_EPOCH_MS) << 22) | (sequence & 0x3FFFFF)


def snowflake_ms(identifier: int) -> int:
    """When an id was made, in Unix milliseconds."""
    return (identifier >> 22) + SNOWFLAKE_EPOCH_MS


def x_time(at_ms: int) -> str:
    """The time in X's own words: `Wed Jul 08 21:59:10 +0000 2026`."""
    moment = datetime.fromtimestamp(at_ms // 1000, UTC)
    return f"{DAYS[moment.weekday()]} {MONTHS[moment.month - 1]} {moment:%d %H:%M:%S +0000 %Y}"


def iso_time(at_ms: int) -> str:
    """RFC 3339 in UTC, to the second (X's own precision)."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
