"""Any mix of engines is one XGet: a task runs from the request to the search, whatever is embedded and what is not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from xget_testing.engines import url_of
from xget_testing.node import Node, Sandbox, running_node, running_sandbox
from xget_testing.own_names import own_names
from xget_testing.waiting import eventually

ENGINES = ("postgres", "redis", "mongodb", "elasticsearch", "kafka")
pytestmark = [pytest.mark.slow, pytest.mark.connected(*ENGINES)]
QUERY = "AI OR 人工智能"
LIMIT = 60
MIXES = {
    "only events": ("kafka",),
    "only tables": ("postgres",),
    "documents, and search embedded": ("mongodb",),
    "search, and documents embedded": ("elasticsearch",),
    "all but the cache": ("postgres", "mongodb", "elasticsearch", "kafka"),
}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox"), "--posts", "600") as running:
        yield running


@pytest.mark.parametrize("mix", MIXES)
def test_a_task_runs_end_to_end(tmp_path: Path, sandbox: Sandbox, mix: str) -> None:
    truth = sandbox.truth(task_type="KEYWORD_SEARCH", query=QUERY, limit=LIMIT)["matches"][:LIMIT]
    with (
        own_names({name: url_of(name) for name in MIXES[mix]}) as env,
        running_node(tmp_path, sandbox, env=env) as node,
    ):
        task = node.create("KEYWORD_SEARCH", {"query": QUERY, "limit": LIMIT})
        assert node.wait_for(task)["status"] == "COMPLETED"
        stored = [item["native_id"] for item in node.results(task) if item["role"] == "match"]
        assert sorted(stored) == sorted(str(post) for post in truth)
        search = {"q": "AI", "task_id": task, "size": 100}
        assert settled(node, search) > 0
    assert "Traceback" not in (tmp_path / "node.log").read_text()
    assert {path.name for path in (tmp_path / "home").glob("*.db")} == embedded(mix)


def settled(node: Node, search: dict[str, object]) -> int:
    """The number of matches once it no longer grows."""
    seen = [-1]

    def still() -> bool:
        seen.append(node.api("GET", "/data/search", params=search)["total"])
        return seen[-1] == seen[-2] > 0

    eventually(still)
    return seen[-1]


def embedded(mix: str) -> set[str]:
    """The files of what no engine holds."""
    files = {
        "postgres": {f"{name}.db" for name in ("auth", "account", "proxy", "scraper", "processing")},
        "mongodb": {"documents.db", "raw_pages.db"},
        "elasticsearch": {"search.db"},
        "kafka": {"events.db"},
    }
    return {file for name, held in files.items() if name not in MIXES[mix] for file in held}
