"""Executions and their pages as rows."""

from __future__ import annotations

import sqlite3
from typing import Final

import msgspec

from xget_contracts.events import PageParsed
from xget_storage.adapters.sqlite_documents.batch import PageRow, Run
from xget_storage.adapters.sqlite_rows import number, owner_number
from xget_storage.service.counting import KeptAnswer, PageCounts

_ANSWER: Final = msgspec.json.Decoder(KeptAnswer)


def find_run(connection: sqlite3.Connection, page: PageParsed) -> Run:
    """The numbers of a page's execution, task and owner."""
    row = connection.execute("SELECT id, task, owner FROM runs WHERE execution_id = ?", (page.execution_id,)).fetchone()
    if row is not None:
        return Run(*row)
    owner = owner_number(connection, page.owner_id)
    task = number(connection, "SELECT id FROM tasks WHERE task_id = ? AND owner = ?", page.task_id, owner)
    if task is None:
        sql = "INSERT INTO tasks (task_id, owner) VALUES (?, ?)"
        task = int(connection.execute(sql, (page.task_id, owner)).lastrowid or 0)
    sql = "INSERT INTO runs (execution_id, task, owner) VALUES (?, ?, ?)"
    return Run(int(connection.execute(sql, (page.execution_id, task, owner)).lastrowid or 0), task, owner)


def find_page(connection: sqlite3.Connection, run: Run, page_no: int) -> PageRow:
    """What is stored of a page; an empty digest when nothing is."""
    sql = "SELECT digest, matched, context, fresh, updated, unchanged, answer FROM pages WHERE run = ? AND page_no = ?"
    row = connection.execute(sql, (run.id, page_no)).fetchone()
    if row is None:
        return PageRow(run.id, page_no, b"", PageCounts(), None)
    digest, matched, context, new, updated, unchanged, answer = row
    counts = PageCounts(matched=matched, context=context, new=new, updated=updated, unchanged=unchanged)
    kept = _ANSWER.decode(answer)
    return PageRow(run.id, page_no, digest, counts, kept.told(), set(kept.touched))
