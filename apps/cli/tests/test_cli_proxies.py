"""Proxies as people see them."""

from __future__ import annotations

from xget_cli.commands.proxies import _cell, sparkline
from xget_cli.main import build


def test_latencies_are_drawn_and_failures_are_crosses() -> None:
    assert sparkline([]) == ""
    assert sparkline([None]) == "×"
    assert sparkline([50.0, 50.0]) == "▁▁"
    assert sparkline([100, None, 450, 800]) == "▁×▅█"


def test_a_proxy_is_told_in_short_words() -> None:
    proxy = {
        "type": "socks5", "ip": "2001:db8::1", "port": 1080, "latency": 123.4, "success_rate": 0.5, "latencies": [1.0],
        "pause_until": "2026-11-05T10:20:30Z", "status": "INACTIVE", "last_check": None,
    }  # fmt: skip
    told = {name: _cell(name, proxy) for name in ("proxy", "latency", "success_rate", "recent", "state", "last_check")}
    assert told == {
        "proxy": "socks5://[2001:db8::1]:1080",
        "latency": "123 ms",
        "success_rate": "50%",
        "recent": "▁",
        "state": "rests until 10:20:30",
        "last_check": "never",
    }


def test_the_address_of_a_list_is_not_that_of_the_gateway() -> None:
    words = ["proxies", "providers", "add", "list", "https://lists.example/a", "--url", "http://gateway:8000"]
    _, bound, _ = build().parse_args(words, exit_on_error=False, print_error=False)
    assert bound.args == ("list", "https://lists.example/a")
    assert bound.kwargs["common"].url == "http://gateway:8000"
