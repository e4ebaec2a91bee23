import pytest

from xget_kernel.breaker import Breaker
from xget_kernel.clock import ManualClock
from xget_telemetry import standard
from xget_telemetry.breakers import watch_breakers
from xget_telemetry.metrics import CONTENT_TYPE, Registry, Spec

PAGES = Spec("xget_pages_collected_total", "Raw pages taken from platforms.", ("platform",))
LAG = Spec("xget_lag_messages", "Messages that wait.")
WRITE = Spec("xget_write_seconds", "Seconds a write takes.", buckets=(0.1, 1.0))


def test_each_process_counts_for_itself():
    first, second = Registry(), Registry()
    first.counter(PAGES).labels(platform="x").inc(3)
    assert b'xget_pages_collected_total{platform="x"} 3.0' in first.render()
    assert b'platform="x"' not in second.render()


def test_asking_twice_gives_the_same_instrument():
    registry = Registry()
    registry.gauge(LAG).set(4)
    registry.gauge(LAG).inc()
    assert b"xget_lag_messages 5.0" in registry.render()


def test_histograms_have_the_buckets_of_their_spec():
    registry = Registry()
    registry.histogram(WRITE).observe(0.5)
    text = registry.render()
    assert b'xget_write_seconds_bucket{le="0.1"} 0.0' in text
    assert b'xget_write_seconds_bucket{le="1.0"} 1.0' in text
    assert CONTENT_TYPE.startswith("text/plain")


def test_a_spec_cannot_be_two_kinds_of_instrument():
    registry = Registry()
    registry.gauge(LAG)
    with pytest.raises(TypeError, match="xget_lag_messages"):
        registry.counter(LAG)


async def test_states_are_read_for_each_scrape_and_forgotten_when_they_are_gone():
    waiting = {("x",): 3.0, ("y",): 1.0}

    async def read():
        return dict(waiting)

    registry = Registry()
    registry.sampled(Spec("xget_waiting", "What waits.", ("platform",)), read)
    assert b'xget_waiting{platform="y"} 1.0' in await registry.scrape()
    del waiting["y",]
    assert b'platform="y"' not in await registry.scrape()


async def test_a_state_that_cannot_be_read_is_left_out_and_counted():
    async def read():
        if broken:
            raise OSError("the engine is away")
        return {(): 7.0}

    broken, registry = False, Registry()
    registry.sampled(LAG, read)
    assert b"xget_lag_messages 7.0" in await registry.scrape()
    broken = True
    text = await registry.scrape()
    assert b"xget_lag_messages NaN" in text
    assert b'xget_sample_failures_total{metric="xget_lag_messages"} 1.0' in text


async def test_an_outbox_shows_what_waits_and_how_long():
    clock, registry = ManualClock(), Registry()
    standard.measure_outbox(registry, Rows(clock.now()), clock)
    clock.advance(5)
    text = await registry.scrape()
    assert b"xget_outbox_rows 2.0" in text
    assert b"xget_outbox_oldest_seconds 5.0" in text
    assert b"xget_outbox_refused_rows 1.0" in text


async def test_breakers_of_parts_that_share_a_process_are_shown_together():
    registry, calm = Registry(), [Breaker("The proxy service", failures=(OSError,))]
    stores, resting = (
        [Breaker("MongoDB", failures=(OSError,))],
        Breaker("The proxy service", failures=(OSError,), threshold=1),
    )
    with pytest.raises(OSError, match="away"), resting.guard():
        raise OSError("away")
    for part in (calm, [resting], stores, calm):
        watch_breakers(registry, lambda part=part: part)
    text = await registry.scrape()
    assert b'xget_breaker_state{peer="The proxy service"} 2.0' in text
    assert b'xget_breaker_state{peer="MongoDB"} 0.0' in text


class Rows:
    def __init__(self, written):
        self.written = written

    async def waiting(self):
        return 2

    async def oldest(self):
        return self.written

    async def refused(self):
        return 1
