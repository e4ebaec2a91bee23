"""Databases to measure on, the server behind them, and the processor time that it takes."""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from pymongo import MongoClient
from pymongo.uri_parser import parse_uri

from xget_kernel.secrets import Secret
from xget_storage.adapters.mongo import MongoServer, opened_mongo
from xget_storage.adapters.mongo.layout import apply
from xget_storage.adapters.mongo_documents.schema import ALL
from xget_storage.settings import Settings

TICK = os.sysconf("SC_CLK_TCK")
LISTENS = "0A"


class Spent(NamedTuple):
    """Seconds of a processor. Of a server that hides, the time in which this process did nothing."""

    own: float
    server: float

    def since(self, before: Spent) -> Spent:
        """What was added."""
        return Spent(self.own - before.own, self.server - before.server)


@dataclass(frozen=True, slots=True)
class Server:
    """What answers, and its process, if it is one of this machine that can be seen."""

    name: str
    pid: int | None

    @classmethod
    async def of(cls, url: str, server: MongoServer) -> Server:
        """The server at a URL."""
        hello, build = [await server.database.command(name) for name in ("hello", "buildInfo")]
        name = "SecantusDB" if hello.get("setName") == "secantus" else f"MongoDB {build['version']}"
        nodes = parse_uri(url)["nodelist"]
        local = len(nodes) == 1 and nodes[0][0] in ("127.0.0.1", "localhost")
        return cls(name, _listening(nodes[0][1]) if local else None)

    def spent(self) -> Spent:
        """Seconds of a processor that this process and the server took so far."""
        own = time.process_time()
        if self.pid is None:
            return Spent(own, time.perf_counter() - own)
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return Spent(own, (int(fields[11]) + int(fields[12])) / TICK)

    @property
    def unit(self) -> str:
        """What `spent` counts."""
        return "elapsed" if self.pid is None else "processor"


def _listening(port: int) -> int | None:
    """The process that listens on a port."""
    rows = [line.split() for name in ("tcp", "tcp6") for line in _lines(Path("/proc/net") / name)]
    inodes = {row[9] for row in rows if row[3] == LISTENS and int(row[1].rpartition(":")[2], 16) == port}
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):  # processes end while one looks, and others' are closed to us
            if (opened := os.readlink(link)).startswith("socket:[") and opened[8:-1] in inodes:
                return int(link.parts[2])
    return None


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines()[1:] if path.exists() else []


@asynccontextmanager
async def database(url: str, folder: Path) -> AsyncIterator[MongoServer]:
    """A database of its own with the documents' collections, dropped at the end unless the server goes too."""
    name = f"bench{secrets.token_hex(6)}"
    async with opened_mongo(Settings(home=folder, grpc_port=0, mongodb_url=Secret(url), mongodb_db=name)) as server:
        await apply(server, ALL)
        yield server
    if "XGET_BENCH_KEEP" not in os.environ:
        await asyncio.to_thread(_drop, url, name)


def _drop(url: str, name: str) -> None:
    with MongoClient[dict[str, Any]](url) as client:  # without the limits of time that the product sets
        client.drop_database(name)
