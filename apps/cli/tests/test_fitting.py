"""Tables in narrow and wide terminals."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from xget_cli.fitting import GAP, LONGEST, READABLE, fitted
from xget_cli.output import table

NUMBER = "01a2037b-ca95-7ba2-b2e5-c36d8bc1cce9"
Capture = pytest.CaptureFixture[str]

WORDS = st.lists(st.text("abcé量", min_size=1, max_size=30), max_size=6).map(" ".join)
TABLES = st.integers(1, 5).flatmap(
    lambda columns: st.tuples(
        st.lists(st.text("xyz", min_size=1, max_size=9), min_size=columns, max_size=columns, unique=True),
        st.lists(st.lists(WORDS.map(Text), min_size=columns, max_size=columns), max_size=4),
    )
)


@given(TABLES, st.integers(1, 120))
def test_what_fits_keeps_to_the_width_and_breaks_no_word(made: tuple[list[str], list[list[Text]]], width: int) -> None:
    columns, rows = made
    fit = fitted(columns, rows, width, columns[1:])
    if fit is None:
        return
    assert sum(fit.widths) + GAP * (len(fit.widths) - 1) <= width
    assert sorted([*fit.columns, *fit.spared]) == list(range(len(columns)))
    assert list(fit.spared) == list(range(1, len(fit.spared) + 1)), "the first ones first"
    for place, got in zip(fit.columns, fit.widths, strict=True):
        words = [word[:LONGEST] for row in rows for word in row[place].plain.split(" ")]
        assert all(Text(word).cell_len <= got for word in [*words, columns[place]])
        assert got >= READABLE or all(row[place].cell_len <= READABLE for row in rows)


@given(TABLES)
def test_with_room_for_all_each_column_has_what_it_wishes(made: tuple[list[str], list[list[Text]]]) -> None:
    columns, rows = made
    fit = fitted(columns, rows, 10_000, columns)
    assert fit is not None
    assert fit.spared == ()
    for place, got in enumerate(fit.widths):
        assert got == max(Text(columns[place]).cell_len, *(row[place].cell_len for row in rows), 0)


def drawn(capsys: Capture) -> list[str]:
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


@pytest.fixture
def eighty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


@pytest.mark.usefixtures("eighty")
def test_columns_that_can_be_spared_are_left_out_and_named(capsys: Capture) -> None:
    row = [NUMBER, "someone", "PENDING", "2026-11-23T07:05:32.668008Z", "a sentence of five words"]
    table("1 thing", ["id", "who", "status", "at", "why it waits"], [row], spare=("at", "id"))
    assert drawn(capsys) == [
        "1 thing",
        "id                                    who      status   why it waits",
        f"{NUMBER}  someone  PENDING  a sentence of five words",
        "No room for: at. A wider window or --json shows it.",
    ]


@pytest.mark.usefixtures("eighty")
def test_rows_that_fit_in_no_way_are_blocks_of_lines_without_what_is_empty(capsys: Capture) -> None:
    rows = [[NUMBER, NUMBER, "2026-11-23T07:05:32.668008Z", None], [NUMBER, NUMBER, "", "[b]words[/b]"]]
    table("2 things", ["id", "task_id", "at", "why"], rows)
    assert drawn(capsys) == [
        "2 things",
        f"id       {NUMBER}",
        f"task_id  {NUMBER}",
        "at       2026-11-23 07:05:32",
        "",
        f"id       {NUMBER}",
        f"task_id  {NUMBER}",
        "why      [b]words[/b]",
    ]


@pytest.mark.usefixtures("eighty")
def test_a_moment_is_shortened_only_where_there_is_no_room(capsys: Capture) -> None:
    moment = "2026-11-23T07:05:32.668008Z"
    table("", ["at", "what"], [[moment, "this"]])
    assert moment in capsys.readouterr().out
