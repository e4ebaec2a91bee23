"""SecantusDB: the MongoDB protocol over WiredTiger, from PyPI, in an environment of its own (GPL: a tool only)."""

from __future__ import annotations

import struct

from engines import install
from engines.engine import LOOPBACK, Engine, ask

ENTRY = "from secantus.cli import main; main()"


class MongoDB(Engine):
    """Each commit reaches the disk before it is answered."""

    name = "mongodb"

    def install(self) -> None:
        install.from_pypi("mongodb")

    def prepare(self) -> None:
        self.data.mkdir(exist_ok=True)

    def command(self) -> list[str]:
        where = ["--host", LOOPBACK, "--port", str(self.port), "--storage-path", str(self.data)]
        return [install.base_python(), "-P", "-c", ENTRY, *where, "--sync-on-commit", "--cache-size", "256M"]

    def environment(self) -> dict[str, str]:
        return {"PYTHONPATH": str(install.from_pypi("mongodb")), "PYTHONNOUSERSITE": "1"}

    def ready(self) -> bool:
        return b"isWritablePrimary" in ask(self.port, hello(), size=4096)

    def url(self) -> str:
        return f"mongodb://{LOOPBACK}:{self.port}/?directConnection=true"


def hello() -> bytes:
    """`{hello: 1, $db: "admin"}` as one OP_MSG."""
    body = b"\x10hello\x00" + struct.pack("<i", 1) + b"\x02$db\x00" + struct.pack("<i", 6) + b"admin\x00"
    document = struct.pack("<i", len(body) + 5) + body + b"\x00"
    message = struct.pack("<i", 0) + b"\x00" + document
    return struct.pack("<iiii", len(message) + 16, 1, 0, 2013) + message
