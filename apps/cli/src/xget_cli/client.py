"""Talks to the gateway: adds the token, renews it once, turns problems into one line."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2 as httpx

from xget_cli.errors import CliError, Unreachable
from xget_cli.session import DEFAULT_URL, SessionFile, Tokens


class Client:
    """A gateway at `url` (`--url`, XGET_URL, or this machine's port 8000)."""

    def __init__(self, url: str | None = None) -> None:
        self.url = (url or os.environ.get("XGET_URL") or DEFAULT_URL).rstrip("/")
        if not self.url.startswith(("http://", "https://")):
            raise CliError(f"{self.url!r} is no gateway URL; write it as http://host:port.")
        self.sessions = SessionFile()
        self._http = httpx.Client(base_url=self.url, timeout=httpx.Timeout(30.0, connect=5.0))

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, path: str, **params: Any) -> Any:
        """GET; parameters that are None are left out. Returns the decoded JSON."""
        return self.call("GET", path, params={k: v for k, v in params.items() if v is not None})

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        """POST a JSON body; returns the decoded JSON (None for an empty answer)."""
        return self.call("POST", path, json=body, headers=headers)

    def call(self, method: str, path: str, **options: Any) -> Any:
        """One request with a renewed token if need be; raises CliError for every answer that is an error."""
        answer = self._send(method, path, **options)
        if answer.status_code == httpx.codes.UNAUTHORIZED and self._renew():
            answer = self._send(method, path, **options)
        self._check(answer)
        try:
            return answer.json() if answer.content else None
        except ValueError as error:
            raise CliError(f"What answers at {self.url} is no XGet gateway: name one with --url.") from error

    @contextmanager
    def stream(self, method: str, path: str, **options: Any) -> Iterator[httpx.Response]:
        """A streamed answer (events, exports); raises CliError like `call`, also when it breaks."""
        self.call("GET", "/api/v1/tasks", params={"size": 1})  # renews the token before a long stream begins
        headers = {**self._auth(), **options.pop("headers", {})}
        try:
            with self._http.stream(method, path, headers=headers, **options) as answer:
                if answer.is_error:
                    answer.read()
                    self._check(answer)
                yield answer
        except httpx.HTTPError as error:
            raise self._unreachable() from error

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {**self._auth(), **options.pop("headers", {})}
        try:
            return self._http.request(method, path, headers=headers, **options)
        except httpx.HTTPError as error:
            raise self._unreachable() from error

    def _auth(self) -> dict[str, str]:
        tokens = self.sessions.get(self.url)
        return {"Authorization": f"Bearer {tokens['access_token']}"} if tokens else {}

    def _renew(self) -> bool:
        tokens = self.sessions.get(self.url)
        if tokens is None:
            return False
        body = {"refresh_token": tokens["refresh_token"]}
        answer = self._send("POST", "/api/v1/auth/refresh", json=body)
        if answer.status_code == httpx.codes.CONFLICT:
            return self._renewed_by_another(tokens)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            self.sessions.put(self.url, None)
            return False
        self._check(answer)
        self.sessions.put(self.url, tokens_of(tokens["username"], answer.json()))
        return True

    def _renewed_by_another(self, tokens: Tokens) -> bool:
        """Two commands at once: the other one got the new tokens and writes them down in a moment."""
        for _ in range(20):
            if self.sessions.get(self.url) != tokens:
                return True
            time.sleep(0.1)
        return False

    def _unreachable(self) -> Unreachable:
        return Unreachable(f"Nothing answers at {self.url}. Start it with `xget up`, or name another with --url.")

    def _check(self, answer: httpx.Response) -> None:
        if not answer.is_error:
            return
        problem = _problem(answer)
        if answer.status_code == httpx.codes.UNAUTHORIZED and not answer.request.url.path.endswith("/login"):
            raise CliError(f"Not logged in at {self.url}. Run `xget login`.", problem)
        raise CliError(_sentence(problem) or f"HTTP {answer.status_code}", problem)


def _sentence(problem: dict[str, Any]) -> str:
    """The detail, and each wrong field unless the detail is about that very one."""
    detail = str(problem.get("detail") or problem.get("title") or "")
    wrong = [e for e in problem.get("errors", []) if isinstance(e, dict)]
    fields = "; ".join(f"{e.get('field')}: {e.get('message')}".removeprefix(": ") for e in wrong)
    told = len(wrong) == 1 and str(wrong[0].get("message")) in detail
    if told or not fields:
        return detail
    return fields if detail.startswith(("Field ", str(wrong[0].get("message")))) else f"{detail} ({fields})"


def _problem(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def tokens_of(username: str, body: dict[str, Any]) -> Tokens:
    """The session in an answer of login or refresh."""
    return {"username": username, "access_token": body["access_token"], "refresh_token": body["refresh_token"]}
