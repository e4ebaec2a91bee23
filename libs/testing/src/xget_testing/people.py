"""People who use a running node through its gateway: registered, logged in, each with a token of their own."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import httpx2 as httpx

from xget_testing.node import Node
from xget_testing.waiting import eventually

AUTH = "/api/v1/auth"


class Person:
    """Somebody at a gateway. `access` and `refresh` are their newest tokens."""

    def __init__(self, url: str, username: str, password: str) -> None:
        self.username = username
        self.password = password
        self.access = ""
        self.refresh = ""
        self.id = ""
        self.http = httpx.Client(base_url=url, timeout=60, trust_env=False)

    def register(self) -> httpx.Response:
        """Ask to be registered; the answer as it is."""
        answer = self.http.post(f"{AUTH}/register", json={"username": self.username, "password": self.password})
        if answer.is_success:
            self.id = answer.json()["id"]
        return answer

    def login(self) -> None:
        """Log in and keep the tokens."""
        self.keep(self.http.post(f"{AUTH}/login", json={"username": self.username, "password": self.password}))

    def keep(self, answer: httpx.Response) -> None:
        """Take over the pair of tokens of an answer."""
        pair = answer.raise_for_status().json()
        self.access, self.refresh = pair["access_token"], pair["refresh_token"]

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One call under /api/v1 with the access token; the answer as it is."""
        headers = {"Authorization": f"Bearer {self.access}", **options.pop("headers", {})}
        return self.http.request(method, f"/api/v1{path}", headers=headers, **options)

    def api(self, method: str, path: str, **options: Any) -> Any:
        """Like `ask`, decoded; raises on an error answer."""
        answer = self.ask(method, path, **options)
        assert not answer.is_error, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        return answer.json() if answer.content else None

    def settled(self, task_id: str, seconds: float = 240) -> dict[str, Any]:
        """A task of theirs once it has ended."""
        ended = {"COMPLETED", "FAILED", "STOPPED"}
        eventually(lambda: self.api("GET", f"/tasks/{task_id}")["status"] in ended, seconds)
        found: dict[str, Any] = self.api("GET", f"/tasks/{task_id}")
        return found

    def close(self) -> None:
        """Close the connections."""
        self.http.close()


@dataclass(kw_only=True)
class Town:
    """A node that asks for tokens, an administrator, and two neighbours of whom only Alice owns something."""

    node: Node
    admin: Person
    alice: Person
    bob: Person
    first_refusal: httpx.Response
    """What the second one to register was told while registration was closed."""
    secrets: dict[str, str] = field(default_factory=dict)
    """What Alice entrusted to the node, by name."""
    owned: dict[str, str] = field(default_factory=dict)
    """Ids of what Alice owns, by kind: task, execution, account, proxy, item."""
    seen: Any = None
    """The sandbox's log of requests after she has collected."""

    def grant(self, person: Person, *roles: str) -> None:
        """Give somebody other roles: in the table, since no route does."""
        with closing(sqlite3.connect(self.node.home / "auth.db", timeout=10)) as rows, rows:
            rows.execute("UPDATE users SET roles = ? WHERE id = ?", (json.dumps(roles), person.id))
