"""The harness for trials tells the truth about the processes that it runs."""

import socket
import sys
from pathlib import Path

import pytest

from xget_testing.node import NotStarted, Process, clean_env, free_base


def run(folder: Path, code: str) -> Process:
    return Process([sys.executable, "-c", code], cwd=folder, env=clean_env(), log=folder / "log")


def test_a_process_is_ready_by_its_first_line_and_stops_by_pid(tmp_path: Path) -> None:
    process = run(tmp_path, "import time; print('here', flush=True); time.sleep(60)")
    assert process.ready == "here"
    assert process.alive
    assert process.stop() == -15
    assert not process.alive


def test_a_process_that_ends_before_its_ready_line_says_why(tmp_path: Path) -> None:
    with pytest.raises(NotStarted, match="the port is taken"):
        run(tmp_path, "import sys; sys.exit('the port is taken')")


def test_a_kill_leaves_no_chance_to_tidy_up(tmp_path: Path) -> None:
    code = "import atexit, time; atexit.register(open, 'tidied', 'w'); print('here', flush=True); time.sleep(60)"
    run(tmp_path, code).kill()
    assert not (tmp_path / "tidied").exists()


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
