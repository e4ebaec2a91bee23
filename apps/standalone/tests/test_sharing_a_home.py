"""A home belongs to one whole node, or to services and workers beside each other."""

import os
import subprocess
import sys
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
