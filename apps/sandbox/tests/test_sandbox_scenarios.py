"""Scenario files: each runs, steps happen when they are due, mistakes are told with file, key and rule."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from twscrape.models import parse_tweets

from xget_sandbox.app import Options, Sandbox
from xget_sandbox.drift import parse_drifts
from xget_sandbox.errors import SandboxError
from xget_sandbox.main import tell_scenarios
from xget_sandbox.scenario import find_scenario, scenarios


@pytest.mark.parametrize("name", list(scenarios()))
def test_each_scenario_starts(name):
    found = find_scenario(name)
    sandbox = Sandbox(Options(port=0, posts=10).under(found))
    assert found.about.endswith(".")
    assert len(sandbox.world.posts) >= found.world["posts"]
    for _ in range(30):
        sandbox.director.tick()
    sandbox.conditions.limits.clock.advance(90_000)
    sandbox.director.tick()
    assert sandbox.director.waiting == []
    assert [step for step in sandbox.director.done if "failed" in step] == []


def test_scenarios_are_listed(capsys):
    assert tell_scenarios() == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(scenarios())


async def test_steps_happen_at_requests_and_on_the_virtual_clock(start, gql, ask, tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text(
        "world: {seed: 3, posts: 100}\nlimits: {operations: {SearchTimeline: 4}}\n"
        "schedule:\n  - at_request: 2\n    faults: ['500@1']\n  - after: 100\n    change: {delete: {query: AI}}\n"
    )
    scenario = find_scenario(str(file))
    options = Options().under(scenario)
    sandbox = await start(posts=100, seed=3, start=options.start, schedule=options.schedule)
    answers = [(await gql(sandbox, "SearchTimeline", rawQuery="AI")).status_code for _ in range(5)]
    assert answers == [200, 500, 200, 200, 429]
    assert (await ask(sandbox, "truth", task_type="SEARCH", query="AI"))["count"] > 0
    assert (await ask(sandbox, "clock", post={"advance": 1000}))["elapsed"] == 1000
    assert (await ask(sandbox, "truth", task_type="SEARCH", query="AI"))["count"] == 0
    told = await ask(sandbox, "schedule")
    assert (len(told["done"]), told["waiting"], told["requests"]) == (2, [], 5)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("worlds: {}", "worlds: unknown key"),
        ("world: {posts: many}", "world.posts: has to be a whole number"),
        ("world: {posts: 1.5}", "world.posts: has to be a whole number"),
        ("world: {posts: yes}", "world.posts: has to be a whole number"),
        ("world: {days: 0}", "world.days: has to be above 0"),
        ("world: {days: .nan}", "world.days: has to be a number"),
        ("schedule: [{after: .inf, faults: []}]", r"schedule\[0\].after: has to be a number"),
        ("faults: 5", "faults: has to be a text"),
        ("world: {rich: 1}", "world.rich: has to be true or false"),
        ("clock: {speed: -1}", "clock.speed: has to be a number"),
        ("faults: [meteor@1]", "faults: Unknown fault 'meteor@1'"),
        ("paging: {SearchTimeline: {stal: 1}}", "Unknown paging 'stal'"),
        ("limits: {scale: 0}", "limits.scale: has to be a number above 0"),
        ("drift: [{field: x, do: melt}]", r"drift\[0\].do: has to be one of"),
        ("change: {delete: 5}", "change.delete: has to be a list of ids"),
        ("schedule: [{faults: []}]", r"schedule\[0\]: has to say either after"),
        ("schedule: [{after: 5}]", r"schedule\[0\]: has to do something"),
        ("schedule: [{after: 5, drift: [{field: x, do: rename}]}]", r"schedule\[0\].drift\[0\].to: has to say"),
        ("{", "is not YAML"),
        ("[]", "the file: has to be an object"),
    ],
)
def test_mistakes_are_told_with_file_key_and_rule(tmp_path: Path, text, words):
    file = tmp_path / "wrong.yaml"
    file.write_text(text)
    with pytest.raises(SandboxError, match=words) as caught:
        find_scenario(str(file))
    assert str(caught.value).startswith(str(file))
    assert "\n" not in str(caught.value)


def test_a_scenario_that_is_not_there_is_named():
    with pytest.raises(SandboxError, match=r"one of calm, "):
        find_scenario("nowhere")
    with pytest.raises(SandboxError, match="cannot be read"):
        find_scenario("nowhere.yaml")


DRIFTS: list[tuple[dict[str, Any], str, str]] = [
    ({"field": "legacy.full_text", "do": "rename", "to": "body"}, '"body":', '"full_text":'),
    ({"field": "legacy.favorite_count", "do": "retype"}, '"favorite_count":"', '"favorite_count":1'),
    ({"field": "legacy.lang", "do": "drop"}, '"full_text":', '"lang":'),
    ({"field": "views.count", "do": "nest", "to": "totals"}, '"totals":{"count":', '"views":{"count":'),
    ({"field": "core.screen_name", "do": "null"}, '"screen_name":null', '"core":{"created_at":"x"'),
]


@pytest.mark.parametrize("case", DRIFTS, ids=[drift["do"] for drift, _, _ in DRIFTS])
async def test_the_format_drifts(start, gql, ask, case):
    drift, there, gone = case
    sandbox = await start(posts=100)
    plain = (await gql(sandbox, "SearchTimeline", rawQuery="climate")).text
    await ask(sandbox, "drift", post={"drift": [{**drift, "operation": "SearchTimeline", "after": 50}]})
    assert (await gql(sandbox, "SearchTimeline", rawQuery="climate")).text == plain
    await ask(sandbox, "clock", post={"advance": 60})
    bent = (await gql(sandbox, "SearchTimeline", rawQuery="climate")).text
    assert there in bent
    assert gone not in bent
    assert (await ask(sandbox, "drift"))["struck"] > 10
    assert there not in (await gql(sandbox, "UserTweets", userId="1000003")).text.replace('"full_text":', "")


async def test_a_drift_can_strike_some_posts_only(start, gql, ask):
    sandbox = await start(posts=200)
    await ask(sandbox, "drift", post={"drift": [{"field": "legacy.full_text", "do": "drop", "share": 0.3}]})
    page = (await gql(sandbox, "SearchTimeline", rawQuery="climate")).json()
    assert 0 < (await ask(sandbox, "drift"))["struck"] < 20
    assert len(list(parse_tweets(page))) >= 20


def test_mistakes_in_drifts_are_told():
    for wrong in ("x", [5], [{"field": "a", "do": "drop", "share": 2}], [{"do": "drop"}], [{"field": 5, "do": "drop"}]):
        with pytest.raises(SandboxError, match="drift"):
            parse_drifts(wrong)
