"""Pages to work on: X search pages of 20 posts, rendered from the sandbox's seeded world as X would send them.

`python -m bench.pages FILE POSTS [SEED]` writes them in a process of its own, so that the world counts in nobody's
memory and rendering in nobody's time. A file is a row of frames: four bytes of length, then the page as msgpack.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import msgspec
import orjson
import zstandard

from xget_contracts.events import PageCollected
from xget_kernel.ids import new_id
from xget_sandbox.wire.cursors import Cursor
from xget_sandbox.wire.posts import Renderer
from xget_sandbox.wire.timelines import Page, instructions, tweet_item
from xget_sandbox.world import build_world
from xget_sources.registry import load_sources

SEED = 7
POSTS_PER_PAGE = 20
PAGES_PER_EXECUTION = 50
OWNER = "bench"
PLATFORM = "x"
LISTING = "search:Latest:bench"


def make(path: Path, posts: int, seed: int = SEED) -> Path:
    """Write a file of `posts` posts in another process; one that is there is taken as it is."""
    if not path.exists():
        subprocess.run([sys.executable, "-m", "bench.pages", str(path), str(posts), str(seed)], check=True)
    return path


def read(path: Path) -> Iterator[PageCollected]:
    """The pages of a file, one at a time."""
    decoder = msgspec.msgpack.Decoder(PageCollected)
    with path.open("rb") as file:
        while size := file.read(4):
            yield decoder.decode(file.read(int.from_bytes(size, "big")))


def bodies(posts: int, seed: int = SEED) -> Iterator[tuple[bytes, list[str]]]:
    """Bodies of search pages, newest post first, each with the keys of the posts that it lists."""
    world = build_world(seed, posts)
    renderer = Renderer(world)
    for offset in range(0, posts, POSTS_PER_PAGE):
        listed = world.newest[offset : offset + POSTS_PER_PAGE]
        entries = [
            (f"tweet-{post.id}", tweet_item(renderer.post(post.id), "result", highlights=True)) for post in listed
        ]
        page = Page(LISTING, "token", Cursor(offset), entries, Cursor(offset + POSTS_PER_PAGE), posts)
        timeline = {"timeline": {"instructions": instructions(page, "search")}}
        body = orjson.dumps({"data": {"search_by_raw_query": {"search_timeline": timeline}}})
        yield body, [f"{PLATFORM}:{post.id}" for post in listed]


def _collected(posts: int, seed: int) -> Iterator[PageCollected]:
    compressor = zstandard.ZstdCompressor()
    route = next(source.route for source in load_sources().values() if source.platform == PLATFORM)
    execution = task = ""
    for number, (body, keys) in enumerate(bodies(posts, seed)):
        if number % PAGES_PER_EXECUTION == 0:
            execution, task = new_id(), new_id()
        yield PageCollected(
            execution_id=execution,
            task_id=task,
            owner_id=OWNER,
            page_no=number % PAGES_PER_EXECUTION + 1,
            platform=PLATFORM,
            route=route,
            task_type="KEYWORD_SEARCH",
            operation="SearchTimeline",
            fetched_at=datetime.now(UTC),
            sha256=sha256(body).hexdigest(),
            body_zstd=compressor.compress(body),
            match_keys=keys,
        )


def main(arguments: list[str]) -> int:
    """Write FILE with POSTS posts of the world of SEED."""
    path, posts, seed = Path(arguments[0]), int(arguments[1]), int(arguments[2]) if len(arguments) > 2 else SEED
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        for page in _collected(posts, seed):
            frame = msgspec.msgpack.encode(page)
            file.write(len(frame).to_bytes(4, "big") + frame)
    partial.rename(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
