"""A set of engines: what was started is found again and ended, and nothing else is ever touched."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from engines.engine import wait_until
from engines.errors import EngineError
from engines.processes import alive, look_up
from engines.sets import EngineSet
from engines.state import State

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings(
        "ignore:subprocess .* is still running:ResourceWarning"
    ),  # servers outlive their starter
]


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    """A process that is none of ours."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as process:
        yield process
        process.kill()


def state_of(group: EngineSet) -> State:
    return group.states()["toy"]


def test_an_engine_that_runs_is_not_started_again(toys: EngineSet) -> None:
    assert toys.start(["toy"]) == {}
    before = state_of(toys)
    assert toys.start(["toy"]) == {}
    assert state_of(toys) == before
    assert toys.urls() == {"toy": before.url}


def test_a_killed_engine_comes_back_on_its_port_with_its_data(toys: EngineSet) -> None:
    toys.start(["toy"])
    before = state_of(toys)
    (toys.folder / "toy" / "data" / "kept").touch()
    toys.kill("toy")
    assert toys.urls() == {}
    assert toys.start(["toy"]) == {}
    after = state_of(toys)
    assert (after.ports, after.password, after.url) == (before.ports, before.password, before.url)
    assert after.process != before.process
    assert (toys.folder / "toy" / "data" / "kept").exists()


def test_fresh_begins_with_empty_data(toys: EngineSet) -> None:
    toys.start(["toy"])
    (toys.folder / "toy" / "data" / "kept").touch()
    assert toys.start(["toy"], fresh=True) == {}
    assert not (toys.folder / "toy" / "data" / "kept").exists()


def test_a_kill_takes_the_children_along(toys: EngineSet) -> None:
    toys.start(["toy"])
    child = int((toys.folder / "toy" / "data" / "child").read_text())
    assert look_up(child)
    toys.kill("toy")
    assert not look_up(child)


def test_children_that_outlived_their_server_end_before_the_next_start(toys: EngineSet) -> None:
    toys.start(["toy"])
    orphan = look_up(int((toys.folder / "toy" / "data" / "child").read_text()))
    server = state_of(toys).process
    subprocess.run(["kill", "-9", str(server.pid)], check=True)
    assert wait_until(lambda: not alive(server), seconds=60)
    assert orphan
    assert alive(orphan)
    assert toys.start(["toy"]) == {}
    assert not alive(orphan)


def test_stop_may_be_called_at_any_time(toys: EngineSet) -> None:
    toys.stop(["toy"])
    toys.start(["toy"])
    process = state_of(toys).process
    toys.stop(["toy"])
    assert not alive(process)
    toys.stop(["toy"])
    assert state_of(toys).pid == 0
    with pytest.raises(EngineError, match="does not run"):
        toys.kill("toy")


def test_a_pid_that_somebody_else_has_now_is_left_alone(toys: EngineSet, stranger: subprocess.Popen[bytes]) -> None:
    toys.start(["toy"])
    toys.stop(["toy"])
    file = toys.folder / "toy" / "state.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "pid": stranger.pid, "started": "1"}))
    assert not state_of(toys).running
    toys.stop(["toy"])
    assert toys.start(["toy"]) == {}
    toys.remove()
    assert stranger.poll() is None


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"pid": "1"}', '{"engine": "toy", "ports": [], "password": "x"}'])
def test_a_damaged_state_counts_as_none_and_its_server_is_found_all_the_same(toys: EngineSet, damage: str) -> None:
    toys.start(["toy"])
    lost = state_of(toys).process
    (toys.folder / "toy" / "state.json").write_text(damage)
    assert toys.urls() == {}
    assert toys.start(["toy"]) == {}
    assert not alive(lost)
    assert toys.urls()


def test_a_set_whose_state_is_lost_is_removed_with_its_server(toys: EngineSet) -> None:
    toys.start(["toy"])
    lost = state_of(toys).process
    (toys.folder / "toy" / "state.json").unlink()
    toys.remove()
    assert not alive(lost)
    assert not toys.folder.exists()
    assert not toys.lock.exists()


def test_a_server_that_ends_at_once_is_told_with_its_last_words(toys: EngineSet) -> None:
    toys.start(["toy"])
    toys.stop(["toy"])
    (toys.folder / "toy" / "data" / "broken").touch()
    assert "the toy is broken" in toys.start(["toy"])["toy"]
    assert toys.urls() == {}


def test_only_the_owner_may_read_a_state(toys: EngineSet) -> None:
    toys.start(["toy"])
    assert Path(toys.folder / "toy" / "state.json").stat().st_mode & 0o077 == 0
