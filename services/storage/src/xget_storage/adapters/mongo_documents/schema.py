"""Collections of the documents.

`executions`: one per execution; `n` counts those of a task, so that places in lists need no counter of their own.
`items`: the truth about an item, its owners and tasks, all of it replaced at once (`v` grows with every write).
`sightings`: `execution:item`, in the order `s`; `ft` is the task of those that are its first. Never deleted, so counts
stay what they were; those of deleted items have another `e`, and so are in no list; `was` are pages that counted an
item before a page that came late.
`pages`: counts and answer of a page, written last: a page without one is stored again; `more` are keys of items that
deliveries before the newest showed.
`audit`: changes by people, copied from the item's `todo`.
`takedowns`: authors who were taken down, by key; `active` ones stay away.
"""

from __future__ import annotations

from typing import Final

from xget_storage.adapters.mongo.layout import NUMBER, TEXT, Collection, Index

# Ascending, and read backwards: the same on the original, and the stand-in errs at the ends of descending ranges.
_BY_TIME: Final = (("shown.at", 1), ("_id", 1))

ITEMS: Final = Collection(
    "items",
    (
        Index("by_time", _BY_TIME),
        Index("of_owner", (("owners", 1), *_BY_TIME)),
        Index("of_author", (("shown.author", 1), *_BY_TIME)),
        Index("of_task", (("lists", 1), *_BY_TIME)),
        Index("unindexed", (("unindexed", 1),), sparse=True),
        Index("forgotten", (("forgotten", 1),), sparse=True),
        Index("versions", (("first", 1),), sparse=True),
    ),
    ("_id", "v", "rev", "owners"),
    {"_id": TEXT, "v": NUMBER, "rev": NUMBER, "owners": {"bsonType": "array"}, "tasks": {"bsonType": "array"}},
)
SIGHTINGS: Final = Collection(
    "sightings",
    (
        Index("of_execution", (("e", 1), ("s", 1)), unique=True),
        Index("first_of_task", (("ft", 1), ("s", 1))),
    ),
    ("_id", "e", "k", "s", "p"),
    {"_id": TEXT, "e": TEXT, "k": TEXT, "s": NUMBER, "p": NUMBER},
)
AUTHORS: Final = Collection("authors", (), ("_id", "v"), {"_id": TEXT, "v": NUMBER})
PAGES: Final = Collection(
    "pages", (), ("_id", "v", "digests", "answer"), {"_id": TEXT, "v": NUMBER, "digests": {"bsonType": "array"}}
)
EXECUTIONS: Final = Collection(
    "executions",
    (Index("of_task", (("task", 1), ("owner", 1), ("n", 1)), unique=True),),
    ("_id", "task", "owner", "n"),
    {"_id": TEXT, "task": TEXT, "owner": TEXT, "n": NUMBER},
)
AUDIT: Final = Collection("audit", (Index("of_item", (("k", 1), ("n", 1))),), ("_id", "k", "n"), {"k": TEXT})

TAKEDOWNS: Final = Collection(
    "takedowns", (), ("_id", "v", "active", "pending"), {"_id": TEXT, "v": NUMBER, "active": {"bsonType": "bool"}}
)

ALL: Final = (EXECUTIONS, ITEMS, SIGHTINGS, AUTHORS, PAGES, AUDIT, TAKEDOWNS)
