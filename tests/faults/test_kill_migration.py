"""A migration is killed twelve times, at seeded moments, and ends as if nothing had been."""

import asyncio
import itertools
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from xget_testing.engines import url_of
from xget_testing.node import NotStarted, Process, clean_env, forked
from xget_testing.own_names import own_names
from xget_testing.single_home import SingleHome

ENGINES = ("postgres", "mongodb", "elasticsearch", "kafka")
pytestmark = [pytest.mark.slow, pytest.mark.connected(*ENGINES)]
LAUNCHER = Path(__file__).with_name("migrating.py")
KILLS = 12
AWAY = "does not answer"


@dataclass(frozen=True)
class Migrations:
    """Migrations of one node into one place, each in a process."""

    source: Path
    home: Path
    env: dict[str, str]

    def start(self) -> Process | None:
        """None when the shared engines were too busy for once: then it says so, and ends before it has begun."""
        command = [sys.executable, str(LAUNCHER), str(self.source), str(self.home)]
        log = self.source.parent / f"{time.monotonic_ns()}.log"
        try:
            return Process(command, cwd=self.source.parent, env=self.env, log=log, start=forked)
        except NotStarted as refusal:
            if AWAY in str(refusal):
                return None
            raise

    def killed(self, pieces: int, seconds: float) -> list[str]:
        """Kill one after so many pieces and some more time; what it had done."""
        process = next((one for _ in range(5) if (one := self.start()) is not None), None)
        if process is None:
            return []
        done = list(itertools.islice(said(process), pieces))
        if len(done) < pieces:  # busy later on: that is another death
            process.wait(120)
            assert AWAY in errors(process), errors(process)
            return done
        time.sleep(seconds)
        process.kill()
        return done

    def ended(self) -> str:
        """Let one go on to its end; what it said last."""
        for _ in range(5):
            if (process := self.start()) is not None:
                *_, last = said(process)
                process.wait(120)
                if last == "good" or AWAY not in errors(process):
                    return last if last == "good" else f"{last} {errors(process)}"
        return AWAY


def said(process: Process) -> Iterator[str]:
    """The pieces that it has done, each as soon as it says so; its last word is no piece."""
    yield process.ready
    assert process.child.stdout is not None
    for line in process.child.stdout:
        yield line.strip()


def errors(process: Process) -> str:
    return process.log.read_text("utf-8")[-2000:]


def test_twelve_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    source, home = tmp_path / "source", tmp_path / "target"
    asyncio.run(SingleHome(source, pages=30).write())
    chance = random.Random(20260726)
    with own_names({name: url_of(name) for name in ENGINES}) as selected:
        env = {**clean_env(), **selected}
        migrations = Migrations(source, home, env)
        seen = [migrations.killed(chance.randrange(2, 15), chance.random() / 20) for _ in range(KILLS)]
        assert migrations.ended() == "good"
    # The kills came all over the way, and not all at its beginning.
    touched = {line.rpartition(" ")[0].rpartition(" ")[0] for done in seen for line in done}
    assert len(touched) > 15, touched
