"""What `xget doctor` says at the command line, as people read it at 100 columns and as programs do."""

import json
from collections.abc import Iterator

import pytest

from xget_testing.engines import url_of
from xget_testing.many_starts import Outcome, Run, outcomes
from xget_testing.own_names import own_names

ENGINES = ("postgres", "redis", "mongodb", "elasticsearch", "kafka")
pytestmark = [pytest.mark.slow, pytest.mark.connected(*ENGINES)]
HIDDEN = "hidden-word"
NOBODY = {
    f"{name}_SERVICE_URL": "http://127.0.0.1:9"
    for name in ("AUTH", "ACCOUNT", "PROXY", "SCRAPER", "PROCESSING", "STORAGE")
}
CASES: dict[str, tuple[dict[str, str] | None, tuple[str, ...]]] = {
    "embedded": (None, ()),
    "real": ({}, ()),
    "one down": ({"MONGODB_URL": f"mongodb://u:{HIDDEN}@127.0.0.1:1"}, ("engine documents", "Start it", "MONGODB_URL")),
    "a wrong password": ({"POSTGRES_PASSWORD": HIDDEN}, ("engine tables", "refuses the login", "POSTGRES_PASSWORD")),
    "no address": ({"KAFKA_BOOTSTRAP_SERVERS": ","}, ("engine events", "KAFKA_BOOTSTRAP_SERVERS", "localhost:9092")),
}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Outcome]]:
    """What it said in each case, for people and for programs."""
    with own_names({name: url_of(name) for name in ENGINES}) as env:
        runs = {}
        for name, (change, _) in CASES.items():
            chosen = {**(env | change if change is not None else {}), **NOBODY, "COLUMNS": "100"}
            if change and "POSTGRES_PASSWORD" in change:
                chosen["POSTGRES_SERVER"] = chosen.pop("DATABASE_URL").rpartition("@")[2].partition("/")[0]
            for options in ([], ["--json"]):
                command = ["doctor", "--home", "home", "--url", "http://127.0.0.1:9", *options]
                runs[f"{name} {options}"] = Run(command, chosen)
        told = outcomes(runs, tmp_path_factory.mktemp("doctor"), at_once=5)
        for _ in range(3):  # an engine that is too busy for the others is asked again, by itself
            late = {name: runs[name] for name, one in told.items() if one.code and not expected(name)}
            told |= outcomes(late, tmp_path_factory.mktemp("again"), at_once=1) if late else {}
        yield told


def expected(name: str) -> tuple[str, ...]:
    """What has to be wrong in the case of a run."""
    return CASES[name.partition(" [")[0]][1]


@pytest.mark.parametrize("name", CASES)
def test_people_read_what_is_wrong_and_how_to_mend_it(said: dict[str, Outcome], name: str) -> None:
    told, words = said[f"{name} []"], CASES[name][1]
    assert (told.code, told.err) == (1 if words else 0, ""), told
    assert ("All is well." in told.out) == (not words)
    assert all(word in told.out for word in words), told.out
    assert HIDDEN not in told.out
    table = told.out.partition("\n\n")[0].splitlines()
    assert max(map(len, table)) <= 100
    assert len([line for line in table if line.split()[:1] in (["ok"], ["-"], ["WRONG"])]) >= 18, told.out


@pytest.mark.parametrize("name", CASES)
def test_programs_read_the_same(said: dict[str, Outcome], name: str) -> None:
    told, words = said[f"{name} ['--json']"], CASES[name][1]
    report = json.loads(told.out)
    wrong = {f"{one['area']} {one['name']}" for one in report["findings"] if one["state"] == "wrong"}
    assert (told.code, report["well"], told.err) == (1 if words else 0, not words, "")
    assert (words[0] in wrong) if words else not wrong
    assert HIDDEN not in told.out
