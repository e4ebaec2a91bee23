"""A migration is killed twelve times, at seeded moments, and ends as if nothing had been."""

import asyncio
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from xget_testing.engines import url_of
from xget_testing.node import clean_env
from xget_testing.own_names import own_names
from xget_testing.single_home import SingleHome

ENGINES = ("postgres", "mongodb", "elasticsearch", "kafka")
pytestmark = [pytest.mark.slow, pytest.mark.connected(*ENGINES)]
LAUNCHER = Path(__file__).with_name("migrating.py")
KILLS = 12
AWAY = "does not answer"


def started(source: Path, home: Path, env: dict[str, str]) -> subprocess.Popen[str]:
    command = [sys.executable, str(LAUNCHER), str(source), str(home)]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def killed(process: subprocess.Popen[str], pieces: int, seconds: float) -> list[str]:
    """Kill it after so many pieces and some more time; what it had done."""
    assert process.stdout is not None
    done = []
    for _ in range(pieces):
        line = process.stdout.readline()
        if not line:  # shared engines may be too busy for once: then it says so, and this run counts as another death
            errors = process.communicate()[1]
            assert AWAY in errors, errors[-2000:]
            return done
        done.append(line.strip())
    time.sleep(seconds)
    process.kill()
    process.communicate()
    return done


def test_twelve_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    source, home = tmp_path / "source", tmp_path / "target"
    asyncio.run(SingleHome(source, pages=30).write())
    chance = random.Random(20260726)
    with own_names({name: url_of(name) for name in ENGINES}) as selected:
        env = {**clean_env(), **selected}
        seen = [killed(started(source, home, env), chance.randrange(2, 15), chance.random() / 20) for _ in range(KILLS)]
        said, errors = started(source, home, env).communicate(timeout=120)
        if AWAY in errors:
            said, errors = started(source, home, env).communicate(timeout=120)
        assert said.splitlines()[-1:] == ["good"], (said[-2000:], errors[-2000:])
    # The kills came all over the way, and not all at its beginning.
    touched = {line.rpartition(" ")[0].rpartition(" ")[0] for done in seen for line in done}
    assert len(touched) > 15, touched
