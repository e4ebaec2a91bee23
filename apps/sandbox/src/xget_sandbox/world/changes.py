"""Changes to a running world, as scenarios and `POST change` order them.

A change is an object with one or more of: `delete`, `withhold`, `age_gate`, `restore`, `edit` (posts) and `suspend`,
`protect`, `reinstate`, `remove` (user names), `rename` ({old: new}). Posts are a list of ids, or {query, share}: a
seeded share (default all) of what a search finds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast
from zlib import crc32

from xget_sandbox.errors import SandboxError
from xget_sandbox.world import World
from xget_sandbox.world.ids import snowflake
from xget_sandbox.world.life import Gone
from xget_sandbox.world.model import Post, Standing

POSTS = {"delete": "deleted", "withhold": "withheld", "age_gate": "age_gated", "restore": None, "edit": None}
PEOPLE: dict[str, Standing] = {
    "suspend": "suspended",
    "protect": "protected",
    "reinstate": "active",
    "remove": "removed",
}
NAMES = (*POSTS, *PEOPLE, "rename")
HANDLE = re.compile(r"\w{1,15}", re.ASCII)
Find = Callable[[str], Sequence[Post]]


class Changes:
    """Applies changes; `find` is the search that a change may name its posts by."""

    def __init__(self, world: World, find: Find) -> None:
        self.world = world
        self.find = find

    def apply(self, change: Mapping[str, Any]) -> dict[str, int]:
        """What was done: posts or users by kind of change. Raises SandboxError and changes nothing."""
        check(change)
        rows = {name: self._posts(value) for name, value in change.items() if name in POSTS}
        people = {name: self._people(value) for name, value in change.items() if name in PEOPLE}
        renames = self._renames(change.get("rename", {}))
        for name, posts in rows.items():
            for post in posts:
                self._post(name, post)
        for name, ids in people.items():
            for one in ids:
                self._person(name, one)
        self._rename(renames)
        self.world.life.changes += 1
        self.world.life.people_changed = self.world.life.people_changed or bool(people)
        done = {name: len(found) for name, found in (rows | people).items()}
        return done | ({"rename": len(renames)} if renames else {})

    def _posts(self, wanted: Any) -> list[Post]:
        if isinstance(wanted, Mapping):
            share = float(wanted.get("share", 1.0))
            found = self.find(str(wanted["query"]))
            return [post for post in found if crc32(f"{self.world.seed}:{post.id}".encode()) % 10_000 < share * 10_000]
        posts = [self.world.posts.get(int(one)) for one in wanted]
        for one, post in zip(wanted, posts, strict=True):
            if post is None:
                raise SandboxError(f"There is no post {one} in this world.")
        return [post for post in posts if post]

    def _people(self, names: Sequence[str]) -> list[int]:
        return [self._author(name) for name in names]

    def _renames(self, names: Mapping[str, str]) -> list[tuple[int, str]]:
        taken = self.world.handles.keys() - {old.removeprefix("@").lower() for old in names}
        new = [handle.lower() for handle in names.values()]
        for handle in new:
            if handle in taken or new.count(handle) > 1:
                raise SandboxError(f"rename: there is a user {handle} already.")
        return [(self._author(old), handle) for old, handle in names.items()]

    def _author(self, name: str) -> int:
        author = self.world.handles.get(str(name).removeprefix("@").lower())
        if author is None:
            raise SandboxError(f"There is no user {name} in this world.")
        return author.id

    def _post(self, name: str, post: Post) -> None:
        life = self.world.life
        if name == "edit":
            before = life.edited.get(post.id, post)
            at = life.now_ms + len(life.edited)
            new = replace(before, id=snowflake(at, post.id & 0xFFF), text=f"{before.text} (edited)")
            life.versions[new.id] = (*life.versions.get(before.id, ()), before.id)
            life.edited[post.id] = new
            self.world.posts[new.id] = new
        elif name == "restore":
            life.gone.pop(post.id, None)
        else:
            life.gone[post.id] = cast(Gone, POSTS[name])

    def _person(self, name: str, one: int) -> None:
        author = self.world.authors[one]
        changed = replace(author, standing=PEOPLE[name])
        self.world.authors[one] = self.world.handles[author.handle.lower()] = changed

    def _rename(self, renames: Sequence[tuple[int, str]]) -> None:
        """All at once: two users may swap their names."""
        for one, _ in renames:
            del self.world.handles[self.world.authors[one].handle.lower()]
        for one, handle in renames:
            changed = replace(self.world.authors[one], handle=handle)
            self.world.authors[one] = self.world.handles[handle.lower()] = changed


def check(change: Mapping[str, Any]) -> None:
    """Raises SandboxError for what is no change, naming the key and the rule."""
    if not isinstance(change, Mapping) or not change:
        raise SandboxError(f"a change is an object with one of {', '.join(NAMES)}.")
    for name, value in change.items():
        if name not in NAMES:
            raise SandboxError(f"{name}: unknown change; there are {', '.join(NAMES)}.")
        if name in POSTS:
            _check_posts(name, value)
        elif name == "rename":
            if not isinstance(value, Mapping) or not all(isinstance(one, str) for one in (*value, *value.values())):
                raise SandboxError("rename: has to be an object of old and new user names.")
            if not all(HANDLE.fullmatch(new) for new in value.values()):
                raise SandboxError("rename: a user name has 1 to 15 letters, digits and underscores.")
        elif not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise SandboxError(f"{name}: has to be a list of user names.")


def _check_posts(name: str, value: Any) -> None:
    if isinstance(value, Mapping):
        share = value.get("share", 1.0)
        numeric = isinstance(share, (int, float)) and not isinstance(share, bool) and 0 <= share <= 1
        if set(value) - {"query", "share"} or not isinstance(value.get("query"), str) or not numeric:
            raise SandboxError(f"{name}: has to be a list of ids, or query with a share from 0 to 1.")
    elif not isinstance(value, list) or not all(str(one).isdecimal() for one in value):
        raise SandboxError(f"{name}: has to be a list of ids, or query with a share from 0 to 1.")
