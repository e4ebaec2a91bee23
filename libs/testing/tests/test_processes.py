"""The harness for trials tells the truth about the processes that it runs."""

import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from xget_testing.node import NotStarted, Process, clean_env, forked, free_base, program

Run = Callable[[str], Process]


@pytest.fixture(params=[program, pytest.param(forked, marks=pytest.mark.slow)], ids=["program", "forked"])
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Run:
    def running(code: str) -> Process:
        script = tmp_path / "script.py"
        script.write_text(code, "utf-8")
        command = [sys.executable, str(script), "an argument"]
        env = {**clean_env(), "ONE": "1"}
        return Process(command, cwd=tmp_path, env=env, log=tmp_path / "log", start=request.param)

    return running


def test_a_process_is_ready_by_its_first_line_and_stops_by_pid(run: Run) -> None:
    process = run("import time; print('here', flush=True); time.sleep(60)")
    assert process.ready == "here"
    assert process.alive
    assert process.stop() == -15
    assert not process.alive


def test_a_process_that_ends_before_its_ready_line_says_why(run: Run) -> None:
    with pytest.raises(NotStarted, match="the port is taken"):
        run("import sys; sys.exit('the port is taken')")


def test_a_kill_leaves_no_chance_to_tidy_up(run: Run, tmp_path: Path) -> None:
    process = run("import atexit, time; atexit.register(open, 'tidied', 'w'); print(1, flush=True); time.sleep(60)")
    process.kill()
    assert not process.alive
    assert not (tmp_path / "tidied").exists()


def test_a_process_has_the_arguments_folder_and_environment_that_it_is_given(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWO", "2")
    monkeypatch.setenv("XGET_OPEN", "1")
    told = "print(sys.argv[1:], os.getcwd(), [os.environ.get(one) for one in ('ONE', 'TWO', 'XGET_OPEN')], flush=True)"
    process = run(f"import os, sys; {told}; sys.exit(3)")
    assert process.ready == f"['an argument'] {tmp_path} ['1', '2', None]"
    assert process.wait(30) == 3


def test_each_process_is_another_one(run: Run) -> None:
    processes = [run("import os; print(os.getpid(), flush=True)") for _ in range(2)]
    assert [process.wait(30) for process in processes] == [0, 0]
    assert len({process.ready for process in processes} | {str(os.getpid())}) == 3


def test_a_base_has_all_its_ports_free() -> None:
    base = free_base()
    for port in (base, base + 7, base + 1007):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", port))


def test_trials_do_not_inherit_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XGET_OPEN", "1")
    monkeypatch.setenv("POSTGRES_SERVER", "elsewhere")
    assert not {"XGET_OPEN", "POSTGRES_SERVER"} & clean_env().keys()
    assert clean_env()["TWS_TELEMETRY"] == "0"
