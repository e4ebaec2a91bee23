"""kill -9 of a worker in the middle of a login with Chromium: no browser and no folder stays, nothing is lost or shown.

`make soak` kills at every step of X's pages and of Google's, and whatever guards the browser, too (XGET_SOAK=1).
"""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest

from xget_account.service.logins import STEPS
from xget_sources.browser import tree
from xget_testing.browsers import around, command_of, folders_of
from xget_testing.byte_search import found_in_files
from xget_testing.node import Node, Sandbox, free_port, running_sandbox
from xget_testing.planted import PROVIDER, Planted
from xget_testing.waiting import eventually, promised

pytestmark = [pytest.mark.slow, pytest.mark.connected("chromium")]

SOAK = os.environ.get("XGET_SOAK") == "1"
LONG = pytest.mark.skipif(not SOAK, reason="takes minutes; `make soak` runs it")
GONE_SECONDS: Final = 5.0
"""So long after its worker's death a browser may still be there."""
TRY: Final = "SELECT starts, sentence, outcome FROM account_login_attempts WHERE account_id = ?"
COUNT: Final = "SELECT today, holder FROM account_logins WHERE account_id = ?"
OVER: Final = "UPDATE account_logins SET expires_at = '2026-01-01 00:00:00.000000' WHERE expires_at IS NOT NULL"
X_STEPS: Final = ("begun", "starting", "opening", "identifier", "password", "totp", "code", "session", "held", "stored")
GOOGLE_STEPS: Final = ("google", "google_identifier", "google_password", "google_code", "session", "held", "stored")
UNASKED: Final = {"", STEPS["starting"]}
Row = tuple[int, str, str | None]


class Missed(Exception):
    """A step was over before anybody saw it: on a busy machine whoever looks may be held up."""


class Trial:
    """One account that logs in with a browser under a node that dies, and what the sandbox saw of it."""

    def __init__(self, node: Node, sandbox: Sandbox, planted: Planted) -> None:
        self.node, self.sandbox, self.planted = node, sandbox, planted
        self.account = self.name = ""
        self.gone: dict[str, float] = {}
        """Seconds from a death to the end of the last process and folder, by step."""
        self._starts = self._asked = self._unsure = self._pages = 0

    def begin(self, method: str = "TWITTER", **person: Any) -> None:
        """Entrust an account to the node; the worker logs it in by itself."""
        for old in self.node.api("GET", "/accounts?size=100")["items"]:
            if old["id"] not in self.planted.accounts:
                self.node.api("DELETE", f"/accounts/{old['id']}")
        one, self._pages = self.planted.secrets, self.sandbox.people()["pages"]
        self.name = f"ann{self._pages}"
        body = {"username": self.name, "email": f"{self.name}@mail.test"}
        body |= {"password": one["kept password"], "totp": one["totp"]}
        body["email_password"] = one["e-mail password"]
        google = {"google": True, "google_totp": True, "totp": one["totp"]} if method == "GOOGLE" else {}
        self.sandbox.register({**body, **google, **person})
        self._starts = self._asked = self._unsure = 0
        self.account = self.node.api("POST", "/accounts", json={**body, "login_method": method})["id"]

    def die_at(self, step: str, *, with_guard: bool = False, real_lease: bool = False) -> int:
        """kill -9 at a step of the next start; then nothing of the browser is left, and its lease ends. Its id."""
        running = self.node.process
        assert running is not None
        self.sandbox.mail(lost=step == "code")  # its worker waits for a mail, and dies
        eventually(lambda: self._is_at(step) or self._is_over(step), 240, pause=0.002)
        if self._is_over(step):
            raise Missed(step)
        pid = running.child.pid
        if step == "held":
            self._kill_while_it_cannot_store(pid)
        guards = [one for one in tree.members(pid) if with_guard and "adapters.login.child" in command_of(one)]
        for one in guards:
            os.kill(one, signal.SIGKILL)
        running.kill()
        self.sandbox.mail(lost=False)
        dead = time.monotonic()
        eventually(lambda: not around(pid) and (with_guard or not folders_of(pid)), promised(GONE_SECONDS), pause=0.02)
        self.gone[step] = time.monotonic() - dead
        assert found_in_files([self.node.home], self.planted.secrets, but=frozenset()) == {}, step
        self._starts, sentence, _ = self._row()
        self._asked += step != "stored" and sentence not in UNASKED
        self._unsure += step == "opening"  # it is counted before the page is asked for
        if not real_lease:
            self._sql(OVER)
        return pid

    def is_well(self, sessions: set[int]) -> None:
        """A worker has ended the try: the account works; it is one try, counted as often as X or Google was asked."""
        eventually(lambda: self._row()[2] is not None, 240)
        asked = self._asked + 1
        tried = self.node.api("GET", f"/accounts/{self.account}/logins")["items"]
        status = self.node.api("GET", f"/accounts/{self.account}/status")
        assert (status["state"], status["usable"], status["login"]) == ("ACTIVE", True, None), status
        assert [one["outcome"] for one in tried] == ["logged_in"]
        seen = self.sandbox.people()
        assert self.logins() in sessions
        ((today, holder),) = self._sql(COUNT, [self.account])
        assert (today, holder) == (asked, None)
        assert seen["pages"] - self._pages in {asked, asked - self._unsure}, "as many pages as were counted"

    def logins(self) -> int:
        """How many sessions X gave; nothing wrong was ever said to it."""
        (one,) = [person for person in self.sandbox.people()["accounts"] if person["username"] == self.name]
        assert one["wrong"] == 0
        return int(one["logins"])

    def outcome(self) -> str | None:
        """How the account's try ended."""
        return self._row()[2]

    def _is_at(self, step: str) -> bool:
        starts, sentence, outcome = self._row()
        if step == "stored":
            return outcome is not None
        return starts > self._starts and (step == "begun" or sentence == STEPS["session" if step == "held" else step])

    def _is_over(self, step: str) -> bool:
        return step != "stored" and self.outcome() is not None

    def _kill_while_it_cannot_store(self, pid: int) -> None:
        """The worker has the session and waits for the table, which somebody else is writing to, when it dies."""
        with closing(sqlite3.connect(self.node.home / "account.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            eventually(lambda: not around(pid), 8, pause=0.01)
            assert self.node.process is not None
            self.node.process.kill()

    def _row(self) -> Row:
        found: list[Row] = self._sql(TRY, [self.account])
        return found[0] if found else (0, "", None)

    def _sql(self, statement: str, values: Sequence[str] = ()) -> list[Any]:
        with closing(sqlite3.connect(self.node.home / "account.db", isolation_level=None)) as tables:
            return tables.execute(statement, values).fetchall()


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    options = ("--posts", "20", "--imap", str(free_port()))
    with running_sandbox(tmp_path_factory.mktemp("sandbox"), *options) as running:
        yield running


@pytest.fixture
def trial(tmp_path: Path, sandbox: Sandbox) -> Iterator[Trial]:
    planted, node = Planted(), Node(tmp_path, sandbox)
    node.env |= {"XGET_LOGIN_WITH": "browser", "XGET_LOGIN_POLL_SECONDS": "0.05", "XGET_LOGIN_DAILY_CAP": "20"}
    node.env |= {"XGET_PROXY_PROVIDER_HOSTS": PROVIDER, "XGET_IMAP_HOSTS": f"mail.test=localhost:{sandbox.imap}"}
    try:
        node.start()
        node.add_proxy(sandbox.proxy)
        planted.plant(node)
        yield Trial(node, sandbox, planted)
    finally:
        node.close()


def test_a_worker_killed_before_its_browser_with_the_session_and_after_the_store(trial: Trial) -> None:
    for last in (False, False, False, True):
        trial.begin(challenge="email_code")
        try:
            for step in ("begun", "session", "stored"):
                trial.die_at(step)
                trial.node.start()
        except Missed:
            if last:
                raise
        else:
            break
    trial.is_well({2})


def sessions_after(step: str) -> set[int]:
    """How many sessions X may have given when the first start ends at a step and the second one succeeds."""
    if step == "google_code":
        return {1, 2}  # Google may have heard the last answer or not
    return {1 + (step in {"session", "held"})}


@LONG
def test_killed_at_every_step_of_x_and_of_google_it_leaves_nothing_and_loses_nothing(trial: Trial) -> None:
    ways = [("TWITTER", "email_code", X_STEPS), ("TWITTER", "unusual", ("name",)), ("GOOGLE", "none", GOOGLE_STEPS)]
    for method, challenge, steps in ways:
        for step in steps:
            trial.begin(method, challenge=challenge)
            trial.die_at(step)
            trial.node.start()
            trial.is_well(sessions_after(step))
            print(f"{method} {step}: all gone after {trial.gone[step]:.2f} s")  # `pytest -s` shows the figures


@LONG
def test_killed_together_with_the_guard_of_its_browser_the_next_worker_clears_up(trial: Trial) -> None:
    for step in ("starting", "password", "session"):
        trial.begin(challenge="email_code")
        dead = trial.die_at(step, with_guard=True)
        trial.node.start()
        eventually(lambda dead=dead: not folders_of(dead), promised(GONE_SECONDS))
        trial.is_well(sessions_after(step))


@LONG
def test_the_lease_of_a_dead_worker_ends_by_itself(trial: Trial) -> None:
    trial.begin(challenge="email_code")
    trial.die_at("totp", real_lease=True)
    dead = time.monotonic()
    trial.node.start()
    trial.is_well({1})
    assert 20 < time.monotonic() - dead < 60


@LONG
def test_a_login_that_dies_three_times_waits_as_the_rules_say(trial: Trial) -> None:
    trial.begin(challenge="email_code")
    for step in ("identifier", "totp", "code"):
        trial.die_at(step)
        trial.node.start()
    eventually(trial.outcome, 20)
    status = trial.node.api("GET", f"/accounts/{trial.account}/status")
    assert (trial.outcome(), status["state"], status["next_step"]) == ("interrupted", "NEEDS_LOGIN", "wait")
    assert status["sentence"] == "The worker died 3 times during this login."
    assert trial.logins() == 0
