"""A home belongs to one whole node, or to services and workers beside each other."""

import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from xget_kernel.errors import StartupError
from xget_standalone.home import Home


def test_services_share_a_home_and_a_node_must_wait(tmp_path: Path) -> None:
    with (
        Home(tmp_path, shared=True),
        Home(tmp_path, shared=True),
        pytest.raises(StartupError, match="Another xget runs on"),
        Home(tmp_path),
    ):
        pass
    with Home(tmp_path):
        pass


def test_a_node_has_its_home_alone(tmp_path: Path) -> None:
    with Home(tmp_path):
        for shared in (True, False):
            with pytest.raises(StartupError, match="Another xget runs on"), Home(tmp_path, shared=shared):
                pass


@pytest.mark.parametrize("shared", [True, False])
def test_who_holds_it_is_told_by_pid(tmp_path: Path, shared: bool) -> None:
    code = (
        "import sys; from pathlib import Path; from xget_standalone.home import Home\n"
        f"with Home(Path(sys.argv[1]), shared={shared}): print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StartupError, match=rf"pid {holder.pid}\)"), Home(tmp_path):
            pass
        holder.communicate("")
    with Home(tmp_path):
        assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"


def test_those_who_have_died_are_not_told(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("999999999\nno number\n1\n")
    with Home(tmp_path, shared=True):
        assert (tmp_path / "lock").read_text() == f"1\n{os.getpid()}\n"


def test_of_many_who_come_at_once_none_is_forgotten(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from xget_standalone.home import Home\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "with Home(Path(sys.argv[1]), shared=True): print('held', flush=True); sys.stdin.read()"
    )
    with ExitStack() as stack:
        command, pipe = [sys.executable, "-c", code, str(tmp_path)], subprocess.PIPE
        many = [stack.enter_context(subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)) for _ in range(12)]
        _hear(many, "ready\n")
        for one in many:
            assert one.stdin is not None
            one.stdin.write("\n")
            one.stdin.flush()
        _hear(many, "held\n")
        told = {int(pid) for pid in (tmp_path / "lock").read_text().split()}
        for one in many:
            one.communicate("")
    assert told == {one.pid for one in many}


def _hear(many: Sequence[subprocess.Popen[str]], words: str) -> None:
    for one in many:
        assert one.stdout is not None
        assert one.stdout.readline() == words
