import pytest

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
