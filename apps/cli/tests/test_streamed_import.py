"""Account files of any length, read by line and sent in batches; every line keeps its number and gets its answer."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from xget_cli.commands.accounts.importing import BATCH_LINES, LONGEST_LINE, Import, lines_of
from xget_cli.errors import CliError


class Taker:
    """Stands where the client stands: takes texts and answers as the service does, by line of the text."""

    def __init__(self, format: str = "twscrape", broken_at: int = 0) -> None:
        self.texts: list[str] = []
        self.bodies: list[dict[str, Any]] = []
        self._format, self._broken_at = format, broken_at

    def post(self, _: str, body: dict[str, Any]) -> dict[str, Any]:
        if len(self.texts) + 1 == self._broken_at:
            raise CliError("Nothing answers.")
        self.texts.append(body["text"])
        self.bodies.append(dict(body))
        numbered = list(enumerate(body["text"].split("\n"), start=1))[1 if self._format == "csv" else 0 :]
        lines = [{"line": n, "outcome": "created", "username": text} for n, text in numbered if text]
        told = {"unknown_columns": ["phone"], "known_columns": ["username", "cookies"]} if self._format == "csv" else {}
        return {"format": self._format, "lines": lines, **told}


def run(taker: Taker, lines: Iterable[str], from_line: int = 1, **wish: Any) -> tuple[Any, list[dict[str, Any]]]:
    report = io.StringIO()
    numbered = ((n, text, "") for n, text in enumerate(lines, start=1))
    outcome = Import(taker, wish, report).run(numbered, from_line)  # type: ignore[arg-type]  # it only posts
    return outcome, [json.loads(line) for line in report.getvalue().splitlines()]


def test_each_line_of_many_keeps_its_number() -> None:
    taker = Taker()
    found, report = run(taker, (f"user{n}" for n in range(1, 2501)))
    assert [text.count("\n") + 1 for text in taker.texts] == [BATCH_LINES, BATCH_LINES, 500]
    assert [(one["line"], one["username"]) for one in report] == [(n, f"user{n}") for n in range(1, 2501)]
    assert (found.lines, dict(found.counts)) == (2500, {"created": 2500})
    assert taker.bodies[1]["format"] == "twscrape", "what was recognised holds for the rest"


def test_a_table_takes_its_header_along_and_is_not_cut_within_a_cell() -> None:
    taker = Taker("csv")
    rows = ["username,cookies"] + [f"u{n},x" for n in range(2, BATCH_LINES)] + ['"u', 'v",x', "last,x"]
    found, report = run(taker, rows)
    assert found.columns == {"unknown_columns": ["phone"], "known_columns": ["username", "cookies"]}
    assert taker.texts[1].split("\n") == ["username,cookies", "last,x"]
    assert report[-1]["line"] == len(rows)


def test_it_says_where_it_stopped_and_goes_on_there() -> None:
    with pytest.raises(CliError, match=r"stopped before line 1001.*--from-line 1001"):
        run(Taker(broken_at=2), (f"user{n}" for n in range(1, 2501)))
    found, report = run(Taker(), (f"user{n}" for n in range(1, 2501)), from_line=1001)
    assert (found.lines, report[0]["line"], report[0]["username"]) == (1500, 1001, "user1001")


def read(path: Path, content: bytes, encoding: str | None = None) -> list[tuple[int, str | None, str]]:
    path.write_bytes(content)
    return list(lines_of(path, encoding))


def test_a_line_in_another_encoding_is_refused_by_itself(tmp_path: Path) -> None:
    content = b"\xef\xbb\xbfann:pw\r\ncaf\xe9:pw\n\xe5\x8f\xb0:pw"
    first, second, third = read(tmp_path / "f", content)
    assert (first, third) == ((1, "ann:pw", ""), (3, "台:pw", ""))
    assert second[1] is None
    assert "Is not UTF-8 (byte 3)" in second[2]
    assert "caf" not in second[2]
    assert read(tmp_path / "f", b"caf\xe9:pw", "cp1252") == [(1, "café:pw", "")]
    taker, report = Taker(), io.StringIO()
    Import(taker, {}, report).run(lines_of(tmp_path / "f", None))  # type: ignore[arg-type]  # it only posts
    assert taker.texts == []
    assert json.loads(report.getvalue())["outcome"] == "refused"


@pytest.mark.parametrize(
    ("content", "encoding", "sentence"),
    [
        (b"x" * (LONGEST_LINE + 1), None, "has more than"),
        ("a:b".encode("utf-16"), None, "f is UTF-16: save it as UTF-8"),
        (b"a", "klingon", "no encoding 'klingon'"),
    ],
)
def test_what_is_no_file_of_lines_is_one_sentence(
    tmp_path: Path, content: bytes, encoding: str | None, sentence: str
) -> None:
    with pytest.raises(CliError, match=sentence):
        read(tmp_path / "f", content, encoding)
    with pytest.raises(CliError, match="no file of lines"):
        run(Taker(), ['[{"name": 1}', "]"])
