"""Commands that come from the declarations of task types."""

from __future__ import annotations

from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest

from xget_cli.commands.tasks import create
from xget_cli.commands.tasks.declared import command_name, command_of, parameters_of
from xget_cli.errors import CliError
from xget_sources.ports import TaskTypeSpec
from xget_sources.x.tasks import TASK_TYPES

SEARCH, TWEETS = TASK_TYPES["KEYWORD_SEARCH"], TASK_TYPES["USER_TWEETS"]


def given(words: list[str]) -> tuple[str, dict[str, Any]]:
    """The task type and parameters that a command line leads to."""
    from cyclopts import App  # noqa: PLC0415 - slow to load

    seen: list[tuple[str, dict[str, Any]]] = []

    def run(spec: TaskTypeSpec, parameters: dict[str, Any]) -> int:
        seen.append((spec.name, parameters))
        return 0

    app = App(result_action="return_value")
    for name in TASK_TYPES:
        app.command(command_of(name.lower(), run, {}), name=command_name(name))
    app(words, exit_on_error=False, print_error=False)
    return seen[0]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["keyword-search", "AI OR ML"], ("KEYWORD_SEARCH", {"query": "AI OR ML"})),
        (["keyword-search", "AI", "ML", "--limit", "5"], ("KEYWORD_SEARCH", {"queries": ["AI", "ML"], "limit": 5})),
        (
            ["keyword-search", "--any-words", "量子", "--any-words", "a b", "--has", "images", "--min-likes", "3"],
            ("KEYWORD_SEARCH", {"any_words": ["量子", "a b"], "has": ["images"], "min_likes": 3}),
        ),
        (
            ["keyword-search", "AI", "--product", "top", "--has", "IMAGES"],
            ("KEYWORD_SEARCH", {"query": "AI", "product": "Top", "has": ["images"]}),
        ),
        (["user-search", "nasa", "esa"], ("USER_SEARCH", {"queries": ["nasa", "esa"]})),
        (["user-tweets", "a", "--no-include-replies"], ("USER_TWEETS", {"username": "a", "include_replies": False})),
        (["user-tweets", "--user-id", "1", "--user-id", "2"], ("USER_TWEETS", {"user_ids": ["1", "2"]})),
        (["user-info", "--username", "nasa"], ("USER_INFO", {"username": "nasa"})),
        (["quotes", "20", "--since", "2026-01-01"], ("QUOTES", {"tweet_id": "20", "since": "2026-01-01"})),
        (["trends", "news"], ("TRENDS", {"category": "news"})),
        (["trends"], ("TRENDS", {})),
        (["bookmarks", "--limit", "9"], ("BOOKMARKS", {"limit": 9})),
    ],
)  # fmt: skip
def test_options_become_parameters(words: list[str], expected: tuple[str, dict[str, Any]]) -> None:
    assert given(words) == expected


@pytest.mark.parametrize("name", TASK_TYPES)
def test_every_type_has_a_command_that_takes_its_example(name: str) -> None:
    spec, words = TASK_TYPES[name], [command_name(name)]
    for field, value in spec.example.items():
        for one in value if isinstance(value, list) else [value]:
            words += [f"--{field.replace('_', '-')}", str(one)]
    task_type, parameters = given(words)
    assert task_type == name
    assert spec.parameters.model_validate(parameters) == spec.parameters.model_validate(dict(spec.example))


def test_names_may_come_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "names.txt"
    file.write_text("# astronauts\nnasa\n\n  @esa \n", "utf-8")
    assert parameters_of(TWEETS, {"username": ["jaxa"], "file": file}) == {"usernames": ["jaxa", "nasa", "@esa"]}
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(b"AI\n")))
    assert parameters_of(SEARCH, {"query": None, "file": Path("-")}) == {"query": "AI"}


def test_nothing_to_look_for_is_said_before_anything_is_sent() -> None:
    with pytest.raises(CliError, match="USERNAME or --user-id is missing"):
        parameters_of(TWEETS, {"username": None, "limit": None})


def test_a_task_is_named_by_what_it_is_about() -> None:
    names = [f"user{number}" for number in range(9)]
    assert create._named(TWEETS, {"usernames": names}) == "user tweets: user0, user1, user2 and 6 more"
    assert create._named(TASK_TYPES["BOOKMARKS"], {}) == "bookmarks"
    assert create._named(SEARCH, {"any_words": ["a"], "limit": 3}) == "keyword search: a"
