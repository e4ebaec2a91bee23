"""The disk fills up under a running node: it says so, keeps what it acknowledged, and goes on when there is room."""

import asyncio
import os
import resource
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from xget_testing.node import XGET, Node, Sandbox, clean_env, running_sandbox
from xget_testing.single_home import SingleHome
from xget_testing.waiting import eventually, promised

pytestmark = pytest.mark.slow

SEARCH = {"query": "AI OR 人工智能"}
FILE_LIMIT = 128 * 1024
"""Files of the node may not grow beyond this while there is no room: SQLite's logs do, its own log does not."""


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory):
    with running_sandbox(tmp_path_factory.mktemp("sandbox"), "--posts", "600") as running:
        yield running


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(place)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this user may not mount a small disk")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


class SmallDisk:
    """Takes all room of a disk, and gives it back."""

    def __init__(self, disk: Path) -> None:
        self.home = disk / "home"
        self._filler = disk / "filler"

    def exhaust(self, _node: Node) -> None:
        self.fill()

    def fill(self) -> None:
        with self._filler.open("wb", buffering=0) as file:
            for size in (1 << 20, 4096):
                try:
                    while file.write(b"\0" * size):
                        pass
                except OSError:
                    continue

    def give_back(self, _node: Node) -> None:
        self._filler.unlink()


class FileLimit:
    """Files of the node's process cannot grow any more, and may again."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"

    def exhaust(self, node: Node) -> None:
        self._set(node, FILE_LIMIT)

    def give_back(self, node: Node) -> None:
        self._set(node, resource.RLIM_INFINITY)

    def _set(self, node: Node, size: int) -> None:
        assert node.process is not None
        _, hard = resource.prlimit(node.process.child.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(node.process.child.pid, resource.RLIMIT_FSIZE, (size, hard))


@pytest.fixture(params=["a full disk", "a limit on files"])
def room(request: pytest.FixtureRequest, tmp_path: Path) -> SmallDisk | FileLimit:
    if request.param == "a full disk":
        return SmallDisk(request.getfixturevalue("disk"))
    return FileLimit(tmp_path)


@pytest.fixture
def node(tmp_path: Path, sandbox: Sandbox, room: SmallDisk | FileLimit) -> Iterator[Node]:
    node = Node(tmp_path, sandbox)
    node.home = room.home
    try:
        node.start()
        node.add_proxy(sandbox.proxy)
        node.add_account(f"{os.getpid()}{type(room).__name__}")
        yield node
    finally:
        sandbox.faults("")
        node.close()


def write_until_refused(node: Node, send: Callable[[int], Any], kept: list[str]) -> Any:
    """Write small things until there is no room; ids of what was acknowledged go to `kept`."""
    for number in range(2000):
        answer = send(number)
        if answer.is_error:
            return answer
        kept.append(answer.json().get("id") or answer.json()["key"])
    raise AssertionError("there was always room")


def test_it_says_so_loses_nothing_and_goes_on(node: Node, sandbox: Sandbox, room: SmallDisk | FileLimit) -> None:
    truth = {str(one) for one in sandbox.truth(task_type="KEYWORD_SEARCH", **SEARCH)["matches"]}
    sandbox.faults("slow=2%1")  # so that it is not through before the disk is full
    running = node.create("KEYWORD_SEARCH", SEARCH)
    eventually(lambda: node.api("GET", f"/tasks/{running}")["result_count"])
    items: list[str] = []
    tasks: list[str] = []
    room.exhaust(node)
    waiting = {"task_name": "t", "task_type": "USER_INFO", "parameters": {"username": "elonmusk"}, "immediate": False}
    refused = [
        write_until_refused(node, lambda n: node.http.post("/api/v1/data", json={"text": f"{n} " * 500}), items),
        write_until_refused(
            node, lambda n: node.http.post("/api/v1/tasks", json={**waiting, "describe": "x" * 4000}), tasks
        ),
    ]
    for answer in refused:
        assert answer.status_code == 507, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == 507
        assert "disk" in answer.json()["detail"]
        assert any(word in answer.json()["detail"] for word in ("is safe", "was lost"))
    assert node.api("GET", "/tasks")["total"] == len(tasks) + 1
    assert node.process is not None
    time.sleep(4)  # the running task meets the wall too
    assert node.process.alive
    assert node.api("GET", f"/tasks/{running}")["status"] == "RUNNING"

    room.give_back(node)
    sandbox.faults("")
    task = node.wait_for(running)
    assert task["status"] == "COMPLETED", task["error_message"]
    stored = [item["native_id"] for item in node.results(running) if item["role"] == "match"]
    assert len(stored) == len(truth)
    assert set(stored) == truth
    certificate = node.certificate(running)
    assert (certificate["complete"], certificate["counts"]["matched"]) == (True, len(truth))
    for key in items:
        assert node.http.get(f"/api/v1/data/{key}").status_code == 200
    for one in tasks:
        assert node.http.get(f"/api/v1/tasks/{one}").status_code == 200
    assert node.http.post("/api/v1/tasks", json=waiting).status_code == 201
    log = (node.folder / "node.log").read_text()
    assert "http_request_failed" not in log
    assert "Traceback" not in log
    assert node.stop(promised(10)) == 0


def test_migrate_data_needs_room_for_its_keys_and_says_so(disk: Path, tmp_path: Path) -> None:
    source, home = tmp_path / "source", disk / "home"
    asyncio.run(SingleHome(source, pages=1).write())
    before = sorted(path.name for path in source.iterdir())
    target = tmp_path / "target.env"
    target.touch(mode=0o600)
    target.write_text("KAFKA_BOOTSTRAP_SERVERS=127.0.0.1:1\n")
    command = [XGET, "migrate-data", "--from", str(source), "--to", str(target), "--home", str(home)]
    SmallDisk(disk).fill()
    done = subprocess.run(command, env=clean_env(), capture_output=True, text=True, timeout=180, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done
    assert "No space left on device" in done.stderr
    assert sorted(path.name for path in source.iterdir()) == before
