"""kong.yml is the one truth: it loads as shipped, and whatever cannot be done as written is refused by name."""

from pathlib import Path

import pytest
import yaml

from xget_kernel.errors import StartupError
from xget_standalone.gateway.config import Jwt, RateLimiting, default_path, load


def minimal() -> dict:
    route = {"name": "tasks", "paths": ["/api/v1/tasks"], "strip_path": False}
    return {
        "_format_version": "3.0",
        "services": [{"name": "scraper", "url": "http://scraper:8003", "routes": [route]}],
    }


@pytest.fixture
def write(tmp_path: Path):
    def _write(content: object) -> Path:
        path = tmp_path / "kong.yml"
        path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
        return path

    return _write


def test_the_shipped_file_loads_and_protects_all_but_the_ways_to_a_token() -> None:
    config = load(default_path())
    unprotected = {route.path for route in config.routes if "jwt" not in route.plugins}
    assert unprotected == {"/api/v1/auth", "/.well-known/jwks.json"}
    assert set(config.plugins) == {"correlation-id", "request-size-limiting", "rate-limiting"}


def test_the_longest_path_wins_and_methods_count(write) -> None:
    declared = minimal()
    declared["services"][0]["routes"].append(
        {"name": "export", "paths": ["/api/v1/tasks/export"], "methods": ["post"], "strip_path": False}
    )
    config = load(write(declared))
    assert config.find("/api/v1/tasks/export/7", "POST").name == "export"
    assert config.find("/api/v1/tasks/export/7", "GET").name == "tasks"
    assert config.find("/api/v2", "GET") is None


def test_a_routes_plugin_wins_over_the_services_and_the_global_one(write) -> None:
    declared = minimal()
    declared["plugins"] = [{"name": "rate-limiting", "config": {"minute": 1, "limit_by": "ip"}}]
    declared["services"][0]["plugins"] = [{"name": "rate-limiting", "config": {"minute": 2, "limit_by": "ip"}}]
    declared["services"][0]["routes"][0]["plugins"] = [
        {"name": "rate-limiting", "config": {"minute": 3, "limit_by": "ip"}},
        {"name": "jwt", "config": {"key_claim_name": "kid"}},
    ]
    (route,) = load(write(declared)).routes
    assert isinstance(route.plugins["jwt"], Jwt)
    assert isinstance(route.plugins["rate-limiting"], RateLimiting)
    assert route.plugins["rate-limiting"].minute == 3


@pytest.mark.parametrize(
    ("mutate", "says"),
    [
        (lambda d: d["services"][0].update(plugins=[{"name": "oauth2"}]), "oauth2"),
        (lambda d: d.update(_format_version="1.1"), "_format_version"),
        (lambda d: d["services"][0].update(retries=3), "retries"),
        (lambda d: d["services"][0]["routes"][0].update(strip_path=True), "strip_path"),
        (lambda d: d["services"][0]["routes"][0].update(paths=["~/api/.*"]), "prefix"),
        (lambda d: d["services"][0].update(url="http://scraper"), "port"),
        (lambda d: d.update(services=[]), "no route"),
        (lambda d: d.update(plugins=[{"name": "rate-limiting", "config": {"policy": "cluster"}}]), "policy"),
        (lambda d: d.update(plugins=[{"name": "rate-limiting", "config": {"minute": "x"}}]), "minute"),
        (lambda d: d.update(plugins=[{"name": "jwt", "config": {"key_claim_name": "iss"}}]), "kid"),
        (lambda d: d.update(plugins=[{"name": "correlation-id", "config": {"generator": "tracker"}}]), "uuid"),
        (
            lambda d: d.update(plugins=[{"name": "request-size-limiting", "config": {"size_unit": "miles"}}]),
            "size_unit",
        ),
    ],
)
def test_what_cannot_be_done_as_written_is_refused_by_name(write, mutate, says: str) -> None:
    declared = minimal()
    mutate(declared)
    with pytest.raises(StartupError, match=says):
        load(write(declared))


@pytest.mark.parametrize("text", ["", "a: [", "[]", "42", "\x00", "services: {}", "_format_version: '3.0'"])
def test_a_broken_file_is_one_sentence(write, text: str) -> None:
    with pytest.raises(StartupError, match=r"kong\.yml"):
        load(write(text))


def test_a_missing_file_says_which_setting_points_at_it(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="XGET_KONG_CONFIG"):
        load(tmp_path / "nothing.yml")
