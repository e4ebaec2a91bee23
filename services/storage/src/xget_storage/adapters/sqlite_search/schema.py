"""Tables of the search file, one script per layout version."""

from __future__ import annotations

from typing import Final

_FIRST: Final = """
-- deleted = 1 keeps the revision of a deletion, so that an older revision that arrives late stays out.
CREATE TABLE found (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, rev INTEGER NOT NULL, deleted INTEGER NOT NULL, terms INTEGER,
    kind TEXT, platform TEXT, lang TEXT, author TEXT, at INTEGER, has_media INTEGER
);
CREATE INDEX found_at ON found (at, id);
CREATE TABLE scopes (id INTEGER NOT NULL, owner TEXT NOT NULL, task TEXT NOT NULL, PRIMARY KEY (id, owner, task))
WITHOUT ROWID;
-- Tokens are made before: this tokenizer only cuts at spaces.
CREATE VIRTUAL TABLE words USING fts5 (terms, tokenize = "ascii");
-- Large merges seldom rather than small ones often: a batch costs the same at 100,000 items as at 1,000.
INSERT INTO words (words, rank) VALUES ('automerge', 8);
INSERT INTO words (words, rank) VALUES ('crisismerge', 32);
"""

_SECOND: Final = """
-- Pieces of a list go on by key, as with every other engine, so a cursor outlives a rebuild.
DROP INDEX found_at;
CREATE INDEX found_at ON found (at, key);
-- The rebuild that last wrote a row: what an ended one has not met is no longer among the documents.
ALTER TABLE found ADD COLUMN rebuilt INTEGER NOT NULL DEFAULT 0;
CREATE TABLE rebuilds (number INTEGER NOT NULL, running INTEGER NOT NULL, after TEXT);
INSERT INTO rebuilds (number, running, after) VALUES (0, 0, NULL);
"""

SCHEMA: Final = (_FIRST, _SECOND)
