"""What a process holds in memory is written nowhere when it crashes."""

import subprocess
import sys

import pytest

SCRIPT = """
import asyncio, ctypes, resource
from xget_standalone.process import Process
asyncio.run(Process().listen())
print(resource.getrlimit(resource.RLIMIT_CORE)[0], ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
"""
"""3 is PR_GET_DUMPABLE."""


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is of Linux")
def test_no_core_is_written_or_handed_to_a_program() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["0", "0"]
