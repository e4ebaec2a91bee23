"""What a user does at a gateway, in short words."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx2 as httpx


class Client:
    """Talks to the gateway at `base`."""

    def __init__(self, base: int) -> None:
        self.base = base
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{base}", timeout=60, trust_env=False)

    @property
    def url(self) -> str:
        """The gateway's address."""
        return f"http://127.0.0.1:{self.base}"

    def api(self, method: str, path: str, **options: Any) -> Any:
        """One call to the gateway under /api/v1; raises on an error answer."""
        answer = self.http.request(method, f"/api/v1{path}", **options)
        assert not answer.is_error, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        return answer.json() if answer.content else None

    def add_account(self, name: str = "one") -> str:
        """Import cookies of an account; returns its id."""
        text = f"auth_token={name * 8}; ct0={'c' * 32}"
        report = self.api("POST", "/accounts/import", json={"text": text, "username": name})
        return str((report.get("lines") or report.get("items"))[0]["account_id"])

    def add_proxy(self, url: str) -> None:
        """Put a proxy into the pool."""
        self.api("POST", "/proxies/import", json={"text": url})

    def create(self, task_type: str, parameters: dict[str, Any], **fields: Any) -> str:
        """Create a task that starts at once; returns its id."""
        body = {"task_name": task_type, "task_type": task_type, "parameters": parameters, **fields}
        return str(self.api("POST", "/tasks", json=body)["id"])

    def wait_for(self, task_id: str, seconds: float = 240) -> dict[str, Any]:
        """The task once it has ended."""
        deadline = time.monotonic() + seconds
        while True:
            task: dict[str, Any] = self.api("GET", f"/tasks/{task_id}")
            if task["status"] in {"COMPLETED", "FAILED", "STOPPED"}:
                return task
            assert time.monotonic() < deadline, f"not ended: {json.dumps(task, ensure_ascii=False)}"
            time.sleep(0.1)

    def certificate(self, task_id: str) -> dict[str, Any]:
        """The certificate of a task's newest execution."""
        newest = self.api("GET", f"/task-executions/task/{task_id}")["items"][0]
        found: dict[str, Any] = self.api("GET", f"/task-executions/{newest['id']}/certificate")
        return found

    def results(self, task_id: str) -> list[dict[str, Any]]:
        """Everything a task has stored, all pages."""
        found, cursor = [], None
        while True:
            params = {"limit": 100, **({"cursor": cursor} if cursor else {})}
            page = self.api("GET", f"/tasks/{task_id}/results", params=params)
            found += page["items"]
            cursor = page["next_cursor"]
            if not cursor:
                return found
