"""Account files of any length: lines are sent in batches, and each is answered."""

from __future__ import annotations

import codecs
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from xget_cli.client import Client
from xget_cli.errors import CliError

BATCH_LINES: Final = 1000
BATCH_CHARS: Final = 300_000
LONGEST_LINE: Final = 100_000
SHOWN: Final = 1000
"""Lines with a trouble that are kept to be shown; a report file has all lines."""
_PATH: Final = "/api/v1/accounts/import"
_TELL_EVERY: Final = 50_000
_WHOLE: Final = "one that is not of lines is sent at once and has at most 900000 bytes: split it"
Line = dict[str, Any]


@dataclass
class Batch:
    """Lines that go together; those that cannot be read are empty, so that the others keep their numbers."""

    first: int
    lines: list[str] = field(default_factory=list)
    unread: list[Line] = field(default_factory=list)
    size: int = 0
    open_quotes: int = 0

    def add(self, number: int, text: str | None, reason: str) -> None:
        """Take in a line."""
        if text is None:
            entry = {"line": number, "outcome": "refused", "username": "", "account_id": None, "reason": reason}
            self.unread.append(entry)
        self.lines.append(text or "")
        self.size += len(text or "")
        self.open_quotes ^= (text or "").count('"') & 1

    def full(self, *, quoted: bool) -> bool:
        """Whether it goes now; a table's cell may go over several lines."""
        large = len(self.lines) >= BATCH_LINES or self.size >= BATCH_CHARS
        return large and (not quoted or not self.open_quotes or self.size >= 2 * BATCH_CHARS)


@dataclass
class Outcome:
    """What became of a file."""

    format: str = ""
    counts: Counter[str] = field(default_factory=Counter)
    troubles: list[Line] = field(default_factory=list)
    """Refused lines and conflicts, the first of them."""
    lines: int = 0
    columns: dict[str, list[str]] = field(default_factory=dict)
    """Of a table: the columns that were not taken, and those that are known."""


class Import:
    """Sends a file of lines."""

    def __init__(self, client: Client, wish: dict[str, Any], report: IO[str] | None = None) -> None:
        self._client = client
        self._wish = wish
        self._report = report
        self._header: str | None = None
        self.outcome = Outcome()

    def run(self, lines: Iterable[tuple[int, str | None, str]], from_line: int = 1) -> Outcome:
        """Send all lines from one on. Raises CliError that says where it stopped."""
        batch: Batch | None = None
        for number, text, reason in lines:
            self._learn(number, text)
            if number < from_line:
                continue
            batch = batch or Batch(number)
            batch.add(number, text, reason)
            if batch.full(quoted=self.outcome.format in {"", "csv"}):
                self._send(batch)
                batch = None
        if batch is not None:
            self._send(batch)
        return self.outcome

    def _learn(self, number: int, text: str | None) -> None:
        """The first line that is no comment tells what kind of file it is."""
        if self._header is not None or not text or not text.strip():
            return
        if text.startswith("#") and "HTTP Cookie File" not in text:
            return
        if text.lstrip()[:1] in {"[", "{"} or text.startswith("#"):
            raise CliError(f"This is no file of lines, and {_WHOLE}.")
        self._header = text

    def _send(self, batch: Batch) -> None:
        again = self.outcome.format == "csv"
        text = "\n".join([self._header or "", *batch.lines] if again else batch.lines)
        if not text.strip():
            return self._take(batch.unread, len(batch.lines))
        try:
            answer = self._client.post(_PATH, {**self._wish, "text": text})
        except CliError as error:
            if not self.outcome.lines:
                raise
            raise CliError(
                f"{error.message} It stopped before line {batch.first}: all lines before are stored. Go on with "
                f"`--from-line {batch.first}`, or run it again: what is stored stays unchanged.",
                error.problem,
            ) from error
        if not self.outcome.format:
            self.outcome.format = answer["format"]
            self.outcome.columns = {name: answer.get(name, []) for name in ("unknown_columns", "known_columns")}
            if "line_format" not in self._wish:
                self._wish["format"] = answer["format"]
        offset = batch.first - (2 if again else 1)
        entries = [{**entry, "line": entry["line"] + offset} for entry in answer["lines"]]
        nothing = {n["line"] for n in batch.unread}
        kept = [entry for entry in entries if entry["line"] not in nothing]
        return self._take(sorted(kept + batch.unread, key=lambda entry: int(entry["line"])), len(batch.lines))

    def _take(self, entries: list[Line], lines: int) -> None:
        found = self.outcome
        before, found.lines = found.lines, found.lines + lines
        for entry in entries:
            found.counts[entry["outcome"]] += 1
            if entry["outcome"] in {"refused", "conflict"} and len(found.troubles) < SHOWN:
                found.troubles.append(entry)
            if self._report is not None:
                self._report.write(json.dumps(entry, ensure_ascii=False) + "\n")
        if self._report is not None:
            self._report.flush()
        if sys.stderr.isatty() or before // _TELL_EVERY < found.lines // _TELL_EVERY:
            told = ", ".join(f"{n} {outcome}" for outcome, n in sorted(found.counts.items()))
            print(f"{found.lines} lines: {told}", file=sys.stderr)  # noqa: T201 - a command line speaks by printing


def lines_of(path: Path, encoding: str | None) -> Iterator[tuple[int, str | None, str]]:
    """Number, text and why there is no text, of each line; the file is never held as a whole.

    UTF-8 unless an encoding is named. A line of another encoding is refused by itself.
    """
    try:
        with sys.stdin.buffer if str(path) == "-" else path.open("rb") as file:
            yield from _decoded(file, path, encoding)
    except OSError as error:
        raise CliError(f"{path} cannot be read: {error.strerror}.") from error
    except LookupError as error:
        raise CliError(f"There is no encoding {encoding!r}: name one like utf-8, gb18030 or cp1252.") from error


def _decoded(file: IO[bytes], path: Path, encoding: str | None) -> Iterator[tuple[int, str | None, str]]:
    for number, raw in enumerate(_raw_lines(file, path), start=1):
        if number == 1 and raw.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise CliError(f"{path} is UTF-16: save it as UTF-8, as `iconv -f utf-16 -t utf-8` does.")
        try:
            text = raw.removeprefix(codecs.BOM_UTF8 if number == 1 else b"").decode(encoding or "utf-8")
        except UnicodeDecodeError as error:
            name = encoding or "UTF-8"
            yield number, None, f"Is not {name} (byte {error.start}): name the file's --encoding, or save it as UTF-8."
        else:
            yield number, text.rstrip("\r\n"), ""


def _raw_lines(file: IO[bytes], path: Path) -> Iterator[bytes]:
    number = 0
    while raw := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(raw) > LONGEST_LINE:
            raise CliError(f"Line {number} of {path} has more than {LONGEST_LINE} bytes: is this a file of accounts?")
        yield raw
