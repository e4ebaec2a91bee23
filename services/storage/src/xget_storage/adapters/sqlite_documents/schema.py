"""Tables of the document file, one script per layout version."""

from __future__ import annotations

from typing import Final

_FIRST: Final = """
-- Long ids are kept once; everything else refers to them by number.
CREATE TABLE owners (id INTEGER PRIMARY KEY, owner_id TEXT NOT NULL UNIQUE);
CREATE TABLE tasks (id INTEGER PRIMARY KEY, task_id TEXT NOT NULL, owner INTEGER NOT NULL, UNIQUE (task_id, owner));
CREATE TABLE runs (
    id INTEGER PRIMARY KEY, execution_id TEXT NOT NULL UNIQUE, task INTEGER NOT NULL, owner INTEGER NOT NULL
);
CREATE INDEX runs_task ON runs (task);
CREATE INDEX tasks_owner ON tasks (owner);

-- doc NULL is a tombstone. `at` is the time that lists sort by, in microseconds since 1970.
CREATE TABLE items (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, rev INTEGER NOT NULL, kind TEXT, platform TEXT, lang TEXT,
    author TEXT, at INTEGER, has_media INTEGER, doc BLOB
);
CREATE INDEX items_at ON items (at, id);
CREATE INDEX items_author ON items (author, at, id);
CREATE TABLE owned (
    owner INTEGER NOT NULL, at INTEGER NOT NULL, item INTEGER NOT NULL, PRIMARY KEY (owner, at, item)
) WITHOUT ROWID;
-- Owners who deleted the item: no collection of theirs brings it back.
CREATE TABLE hidden (item INTEGER NOT NULL, owner INTEGER NOT NULL, PRIMARY KEY (item, owner)) WITHOUT ROWID;
CREATE TABLE authors (key TEXT PRIMARY KEY, doc BLOB NOT NULL);

-- Rows are never deleted, so counts stay what they were. page_no is where the execution first saw the item,
-- match_page where it first saw it as an answer.
CREATE TABLE sightings (
    seq INTEGER PRIMARY KEY, run INTEGER NOT NULL, item INTEGER NOT NULL, page_no INTEGER NOT NULL,
    match_page INTEGER, ord INTEGER NOT NULL, seen_at INTEGER NOT NULL, fresh INTEGER NOT NULL,
    changed INTEGER NOT NULL, metrics TEXT
);
CREATE UNIQUE INDEX sightings_run_item ON sightings (run, item);
CREATE INDEX sightings_run ON sightings (run);
-- What a task lists: each item once, at its first sighting by any execution.
CREATE TABLE task_items (
    task INTEGER NOT NULL, item INTEGER NOT NULL, seq INTEGER NOT NULL, matched INTEGER NOT NULL,
    PRIMARY KEY (task, item)
) WITHOUT ROWID;
CREATE INDEX task_items_seq ON task_items (task, seq, matched);

CREATE TABLE pages (
    run INTEGER NOT NULL, page_no INTEGER NOT NULL, digest BLOB NOT NULL, matched INTEGER NOT NULL,
    context INTEGER NOT NULL, fresh INTEGER NOT NULL, updated INTEGER NOT NULL, unchanged INTEGER NOT NULL,
    answer BLOB NOT NULL, UNIQUE (run, page_no)
);

CREATE TABLE audit (seq INTEGER PRIMARY KEY, item INTEGER NOT NULL, owner INTEGER, entry BLOB NOT NULL);
CREATE INDEX audit_item ON audit (item);
-- What people changed and search has still to take over.
CREATE TABLE unindexed (key TEXT PRIMARY KEY, rev INTEGER NOT NULL) WITHOUT ROWID;
"""

_SECOND: Final = """
-- Authors who were taken down, and stay away while active. The document knows how far that is.
CREATE TABLE takedowns (
    id INTEGER PRIMARY KEY, author TEXT NOT NULL UNIQUE, v INTEGER NOT NULL, active INTEGER NOT NULL,
    pending INTEGER NOT NULL, doc BLOB NOT NULL
);
-- Items that a takedown deleted (whole = 1), or took copied texts out of.
CREATE TABLE erased (item INTEGER PRIMARY KEY, author TEXT NOT NULL, whole INTEGER NOT NULL);
CREATE INDEX erased_author ON erased (author, whole);
"""

_THIRD: Final = """
-- Later versions of edited posts, by the key of the first one.
CREATE TABLE versions (first TEXT NOT NULL, item INTEGER NOT NULL, PRIMARY KEY (first, item)) WITHOUT ROWID;
INSERT INTO versions (first, item)
SELECT platform || ':' || json_extract(CAST(doc AS TEXT), '$.extra.edit.ids[0]'), id FROM items
WHERE doc IS NOT NULL AND kind = 'post' AND json_array_length(CAST(doc AS TEXT), '$.extra.edit.ids') > 1;
"""

_FOURTH: Final = """
-- Lists count without reading documents: what they filter by stands in the index. Tombstones have no `at`.
DROP INDEX items_at;
CREATE INDEX items_at ON items (at, id, lang, kind, platform, has_media);
"""

SCHEMA: Final = (_FIRST, _SECOND, _THIRD, _FOURTH)
