"""What readiness says of silent services and of events that wait."""

from datetime import datetime, timedelta

import pytest

from xget_kernel.breaker import Breaker
from xget_kernel.clock import ManualClock
from xget_web.health import Degraded
from xget_web.peers import outbox_answer, peers_answer


async def test_a_silent_service_degrades_until_it_may_be_tried_again() -> None:
    clock = ManualClock()
    breakers: list[Breaker] = []
    check = peers_answer(breakers)
    assert await check() is None
    breakers.append(Breaker("The account service", failures=(OSError,), threshold=1, clock=clock))
    with pytest.raises(OSError, match="gone"), breakers[0].guard():
        raise OSError("gone")
    found = await check()
    assert isinstance(found, Degraded)
    assert found.startswith("The account service does not answer")
    clock.advance(5)
    assert await check() is None


class Waiting:
    since: datetime | None = None

    async def oldest(self) -> datetime | None:
        return self.since


async def test_events_that_wait_long_degrade() -> None:
    clock, waiting = ManualClock(), Waiting()
    check = outbox_answer(lambda: waiting, clock, lambda: None)
    assert await check() is None
    waiting.since = clock.now() - timedelta(seconds=3)
    assert await check() is None
    clock.advance(39)
    found = await check()
    assert isinstance(found, Degraded)
    assert "42 s" in found


async def test_what_the_event_log_says_is_wrong_degrades() -> None:
    check = outbox_answer(Waiting, ManualClock(), lambda: "Kafka has no topic xget.tasks.")
    found = await check()
    assert isinstance(found, Degraded)
    assert found == "Kafka has no topic xget.tasks."
