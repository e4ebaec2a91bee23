"""Who is looked after: started again with growing pauses, given up when it never got ready, stopped within a time."""

import asyncio
import sys
import time
from pathlib import Path

import pytest

from xget_kernel.errors import StartupError
from xget_standalone.cluster import child as supervision
from xget_standalone.cluster.child import Child
from xget_standalone.cluster.plan import Spec, parse_replicas, plan
from xget_standalone.process import LIFELINE
from xget_standalone.services import PARTS, WORKERS, Addresses


class Told:
    def __init__(self, folder: Path, code: str) -> None:
        self.sentences: list[str] = []
        spec = Spec(name="one", command=(sys.executable, "-c", code), env={"HERE": str(folder)}, port=0)
        self.child = Child(spec, folder / "one.log", lambda: None, self.sentences.append)


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(supervision, "LONGEST_PAUSE", 0.02)


async def test_what_ends_is_started_again(tmp_path: Path) -> None:
    told = Told(tmp_path, "print('ready', flush=True)")
    running = asyncio.create_task(told.child.run())
    while told.child.starts < 3:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    assert told.child.ready.is_set()
    assert not told.child.refusal
    await told.child.stop(5)
    await running
    assert "one ended (0); again in" in told.sentences[0]


@pytest.mark.parametrize(("healthy", "pauses"), [(600.0, [1, 2, 4]), (0.0, [1, 1, 1])])
async def test_pauses_grow_only_while_it_dies_before_it_was_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, healthy: float, pauses: list[int]
) -> None:
    monkeypatch.setattr(supervision, "HEALTHY_SECONDS", healthy)
    monkeypatch.setattr(supervision, "LONGEST_PAUSE", 1.0)
    asked: list[float] = []
    monkeypatch.setattr(supervision.random, "uniform", lambda *_: 1.0)
    told = Told(tmp_path, "print('ready', flush=True)")
    pause = told.child._pause

    async def noted(waits: float) -> None:
        asked.append(waits)
        await pause(waits)

    monkeypatch.setattr(told.child, "_pause", noted)
    running = asyncio.create_task(told.child.run())
    while len(asked) < 3:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    await told.child.stop(5)
    await running
    assert [round(one / supervision.FIRST_PAUSE) for one in asked[:3]] == pauses


async def test_what_refuses_to_start_is_told_and_not_tried_again(tmp_path: Path) -> None:
    told = Told(tmp_path, "import sys; print('xget: Port 1 is taken.', file=sys.stderr); sys.exit(2)")
    await told.child.run()
    assert (told.child.refusal, told.child.starts) == ("Port 1 is taken.", 1)
    assert told.child.ready.is_set()


async def test_what_never_gets_ready_is_given_up(tmp_path: Path) -> None:
    told = Told(tmp_path, "raise SystemError('broken')")
    await told.child.run()
    assert told.child.starts == supervision.FIRST_TRIES
    assert "broken" in told.child.refusal


async def test_what_once_ran_is_tried_until_its_engine_is_back(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; file = Path(os.environ['HERE']) / 'starts'\n"
        "starts = int(file.read_text()) if file.exists() else 0; file.write_text(str(starts + 1))\n"
        "if 0 < starts < 15: print('xget: The engine is away.', file=sys.stderr); sys.exit(2)\n"
        "print('ready', flush=True); sys.stdin.read() if starts else None"
    )
    told = Told(tmp_path, code)
    running = asyncio.create_task(told.child.run())
    async with asyncio.timeout(180):
        while told.child.starts < 16:  # noqa: ASYNC110 - the child has no event for it
            await asyncio.sleep(0.01)
    await told.child.stop(5)
    await running
    assert not told.child.refusal
    assert "The engine is away." in told.sentences[1]


async def test_what_does_not_end_is_killed(tmp_path: Path) -> None:
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
    told = Told(tmp_path, code)
    running = asyncio.create_task(told.child.run())
    await told.child.ready.wait()
    began = time.monotonic()
    await told.child.stop(0.3)
    await running
    assert time.monotonic() - began < 30, "it sleeps for a minute"
    assert "is killed" in told.sentences[-1]


async def test_what_it_says_is_kept(tmp_path: Path) -> None:
    code = "import sys; print('ready'); print('more', flush=True); print('worse', file=sys.stderr, flush=True)"
    told = Told(tmp_path, f"{code}; sys.stdin.read()")
    running = asyncio.create_task(told.child.run())
    async with asyncio.timeout(180):
        while len(told.child.log.read_text().split() if told.child.log.exists() else []) < 2:  # noqa: ASYNC110 - a file
            await asyncio.sleep(0.01)
    await told.child.stop(5)
    await running
    assert sorted(told.child.log.read_text().split()) == ["more", "worse"]


def make_plan(replicas: dict[str, int] | None = None, **environ: str):
    return plan(
        Addresses("127.0.0.1", 9000),
        Path("home"),
        program=["xget"],
        replicas=replicas or {},
        open_mode=False,
        log_level="info",
        environ=environ,
    )


def test_a_cluster_has_a_process_per_service_and_worker_on_ports_of_their_own() -> None:
    made = make_plan({"scraper": 2, "storage": 3})
    assert {spec.name for spec in made.services} == set(PARTS)
    names = [spec.name for spec in made.workers]
    assert {"scraper-worker", "scraper-worker-2", "storage-worker-3"} < set(names)
    assert len(names) == len(WORKERS) + 1 + 2
    ports = [spec.port for spec in [*made.services, *made.workers, made.gateway]]
    assert len(set(ports)) == len(ports)
    assert made.gateway.port == 9000


def test_each_process_knows_where_the_others_are_and_how_many_it_is() -> None:
    made = make_plan({"storage": 2}, AUTH_SERVICE_URL="http://elsewhere:1", XGET_PORT="1", XGET_REPLICAS="9")
    env = {spec.name: spec.env for spec in [*made.services, *made.workers]}
    assert env["scraper"]["STORAGE_SERVICE_URL"] == "http://127.0.0.1:9007"
    assert env["scraper"]["AUTH_SERVICE_URL"] == "http://elsewhere:1"
    assert "XGET_PORT" not in env["scraper"]
    assert env["storage-worker-2"]["XGET_REPLICAS"] == "2"
    assert env["storage"]["XGET_REPLICAS"] == "1"
    assert all(one[LIFELINE] == "1" for one in env.values())


def test_replicas_are_numbers_of_workers() -> None:
    assert parse_replicas("worker=2, storage=4") == {"scraper": 2, "storage": 4}
    assert parse_replicas("") == {}
    for wrong in ("storage", "storage=0", "storage=x", "storage=99", "auth=2", "nonsense=1"):
        with pytest.raises(StartupError, match="--replicas"):
            parse_replicas(wrong)
