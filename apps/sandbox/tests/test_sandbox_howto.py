"""What docs/howto/sandbox.md and the README tell people to type is accepted, and does what they say."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from xget_sandbox.app import Options
from xget_sandbox.faults import parse_faults
from xget_sandbox.main import parser
from xget_sandbox.paging import parse_rules
from xget_sandbox.scenario import find_scenario

ROOT = Path(__file__).parents[3]
HOWTO = (ROOT / "docs/howto/sandbox.md").read_text("utf-8")
README = (ROOT / "apps/sandbox/README.md").read_text("utf-8")
POSTS = re.findall(r"POST (\w+)`? `?(\{.*?\})`", HOWTO + README)


@pytest.mark.parametrize(("page", "body"), POSTS, ids=[f"{page}-{n}" for n, (page, _) in enumerate(POSTS)])
async def test_bodies_are_taken(start, ask, page: str, body: str) -> None:
    sandbox = await start(posts=200)
    body = body.replace('"20…"', f'"{next(iter(sandbox.world.posts))}"').replace('{"a": "b"}', '{"elonmusk": "b"}')
    told = await ask(sandbox, page, post=json.loads(body))
    assert "error" not in told


def test_options_are_taken() -> None:
    known = {option for action in parser()._actions for option in action.option_strings}
    assert {name for name in re.findall(r"`(--[a-z-]+)", HOWTO + README) if name != "--help"} <= known
    for given in re.findall(r"--faults ([\w@%.,:=-]+)", HOWTO + README):
        if given != "LIST":
            assert parse_faults(given)
    rules = [given for given in re.findall(r"--paging ([\w.,=]+)", HOWTO + README) if given != "LIST"]
    assert len(rules) >= 4
    assert all(parse_rules(given) for given in rules)


async def test_the_scenario_of_the_page_does_what_it_says(start, gql, ask, tmp_path: Path) -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", HOWTO, re.DOTALL)
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    scenario = find_scenario(str(tmp_path / "mine.yaml"))
    assert Options(port=0).under(scenario).posts == 5000
    sandbox = await start(posts=200, rich=True, start=scenario.start, schedule=scenario.schedule)
    before = await ask(sandbox, "truth", task_type="KEYWORD_SEARCH", query="climate")
    for _ in range(30):
        await gql(sandbox, "UserByScreenName", screen_name="quiet_acct")
    after: dict[str, Any] = await ask(sandbox, "truth", task_type="KEYWORD_SEARCH", query="climate")
    assert 0 < before["count"] - after["count"] == len(after["gone"])
    assert (await ask(sandbox, "drift"))["drift"] == []
    await ask(sandbox, "clock", post={"advance": 3600})
    assert [one["do"] for one in (await ask(sandbox, "drift"))["drift"]] == ["retype"]
    assert (await ask(sandbox, "schedule"))["waiting"] == []
