"""Whatever is sent, to the gateway or straight to a service: a clear answer, and never a server error."""

import json
from typing import Any

import pytest

from xget_testing.node import Node, running_node

pytestmark = pytest.mark.slow

SEARCH = {"task_name": "t", "task_type": "KEYWORD_SEARCH", "parameters": {"query": "AI"}, "immediate": False}
NOWHERE = "01900000-0000-7000-8000-000000000001"
SERVICES = {
    "auth": 1,
    "tasks": 3,
    "task-executions": 3,
    "accounts": 4,
    "proxies": 5,
    "quarantine": 6,
    "parsers": 6,
    "data": 7,
}


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory):
    with running_node(tmp_path_factory.mktemp("node")) as running:
        yield running


@pytest.fixture(scope="module", autouse=True)
def nothing_failed_unseen(node: Node):
    """After all of it the log holds no traceback."""
    yield
    log = (node.folder / "node.log").read_text()
    assert "Traceback" not in log
    assert "http_request_failed" not in log


def both(node: Node, method: str, path: str, **options: Any) -> list[Any]:
    """The same request through the gateway and straight to the service."""
    port = node.base + SERVICES[path.split("?", maxsplit=1)[0].split("/")[1]]
    urls = (f"/api/v1{path}", f"http://127.0.0.1:{port}/api/v1{path}")
    return [node.http.request(method, url, **options) for url in urls]


def refused(answer: Any, status: int) -> dict[str, Any]:
    """The problem of a refusal, complete as the contract says."""
    assert answer.status_code == status, answer.text[:500]
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem.keys() == {"type", "title", "status", "detail", "instance", "errors"}
    assert problem["type"].startswith("urn:xget:error:")
    assert problem["status"] == status
    assert problem["instance"] == answer.request.url.path
    assert problem["detail"].rstrip()[-1] in ".!)"
    assert len(answer.content) < 20_000
    return problem


PARAMETERS = [
    ({"limit": 0}, "parameters.limit"),
    ({"limit": -1}, "parameters.limit"),
    ({"limit": 10**9}, "parameters.limit"),
    ({"limit": 10**30}, "parameters.limit"),
    ({"limit": 1.5}, "parameters.limit"),
    ({"limit": "50"}, "parameters.limit"),
    ({"limit": True}, "parameters.limit"),
    ({"limit": [1]}, "parameters.limit"),
    ({"nonsense": 1}, "parameters.nonsense"),
    ({"query": ""}, "parameters.query"),
    ({"query": "   "}, "parameters.query"),
    ({"query": 5}, "parameters.query"),
    ({"query": None}, "parameters"),
    ({"query": {"a": 1}}, "parameters.query"),
    ({"query": "a\x00b"}, "parameters.query"),
    ({"query": "x" * 501}, "parameters.query"),
    ({"query": "x" * 900_000}, "parameters.query"),
    ({"keyword": "both"}, "parameters"),
    ({"keywords": []}, "parameters.keywords"),
    ({"product": "Best"}, "parameters.product"),
    ({"lang": "english!"}, "parameters.lang"),
    ({"since": "yesterday"}, "parameters.since"),
    ({"since": 20260101}, "parameters.since"),
    ({"since": "2026-13-01"}, "parameters.since"),
    ({"since": "2026-02-01", "until": "2026-01-01"}, "parameters"),
    ({"include_replies": "no"}, "parameters.include_replies"),
]

FIELDS = [
    ({"task_type": "NONSENSE"}, "task_type"),
    ({"task_type": "keyword_search"}, "task_type"),
    ({"task_type": ""}, "task_type"),
    ({"task_type": 7}, "task_type"),
    ({"task_type": None}, "task_type"),
    ({"platform": "myspace"}, "platform"),
    ({"task_name": ""}, "task_name"),
    ({"task_name": None}, "task_name"),
    ({"task_name": ["a"]}, "task_name"),
    ({"task_name": "x" * 201}, "task_name"),
    ({"task_name": "x" * 900_000}, "task_name"),
    ({"task_name": "bell\x07"}, "task_name"),
    ({"task_name": "nul\x00"}, "task_name"),
    ({"task_name": "turned\u202eround"}, "task_name"),
    ({"task_name": "two\nlines"}, "task_name"),
    ({"describe": "esc\x1b[31m"}, "describe"),
    ({"describe": 1}, "describe"),
    ({"parameters": "query=AI"}, "parameters"),
    ({"parameters": None}, "parameters"),
    ({"parameters": []}, "parameters"),
    ({"priority": 0}, "priority"),
    ({"priority": 11}, "priority"),
    ({"priority": "high"}, "priority"),
    ({"immediate": "yes"}, "immediate"),
    ({"account_id": NOWHERE}, "account_id"),
    ({"account_id": "../../etc/passwd"}, "account_id"),
    ({"account_id": "x" * 65}, "account_id"),
    ({"account_id": 5}, "account_id"),
    ({"proxy_id": NOWHERE}, "proxy_id"),
    ({"proxy_id": "' OR 1=1 --"}, "proxy_id"),
    ({"user_id": "x" * 65}, "user_id"),
    ({"user_id": "a\x00b"}, "user_id"),
    ({"status": "COMPLETED"}, "status"),
    ({"owner": "me"}, "owner"),
]


@pytest.mark.parametrize(("changed", "field"), PARAMETERS, ids=lambda value: str(value)[:40])
def test_wrong_parameters_are_refused_by_name(node: Node, changed: dict[str, Any], field: str) -> None:
    body = {**SEARCH, "parameters": {"query": "AI", **changed}}
    for answer in both(node, "POST", "/tasks", json=body):
        named(refused(answer, 422), field)


@pytest.mark.parametrize(("changed", "field"), FIELDS, ids=lambda value: str(value)[:40])
def test_wrong_fields_are_refused_by_name(node: Node, changed: dict[str, Any], field: str) -> None:
    for answer in both(node, "POST", "/tasks", json={**SEARCH, **changed}):
        named(refused(answer, 422), field)


def named(problem: dict[str, Any], field: str) -> None:
    """The first error names the field, a rule and a sentence."""
    first = problem["errors"][0]
    assert problem["errors"].count(first) == 1
    assert first["field"] == field
    assert first["rule"]
    assert first["message"].endswith((".", "!"))


@pytest.mark.parametrize("missing", ["task_name", "task_type", "parameters"])
def test_what_is_missing_is_named(node: Node, missing: str) -> None:
    body = {name: value for name, value in SEARCH.items() if name != missing}
    for answer in both(node, "POST", "/tasks", json=body):
        assert refused(answer, 422)["errors"][0]["field"].startswith(missing)


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b'{"task_name": ', 400),
        (b"", 422),
        (b"not json", 400),
        (b'"a string"', 422),
        (b"[]", 422),
        (b"null", 422),
        (b"1e999", 400),
        (b'{"task_name": NaN}', 400),
        ('{"task_name": "käse"}'.encode("latin-1"), 400),
        (b'{"task_name": "\xff\xfe"}', 400),
        (b'{"task_name": "\\ud800"}', 400),
        (b"\xef\xbb\xbf{}", 400),
        (b"[" * 100_000, 400),
        (b'{"a":' * 50_000, 400),
    ],
    ids=lambda value: str(value)[:24],
)
def test_bodies_that_are_no_json_object_are_refused(node: Node, content: bytes, status: int) -> None:
    for path in ("/tasks", "/accounts", "/proxies", "/data", "/quarantine/replay", "/auth/login"):
        for answer in both(node, "POST", path, content=content, headers={"Content-Type": "application/json"}):
            problem = refused(answer, status)
            assert status == 400 or problem["errors"]


def test_a_body_of_two_megabytes_is_too_large_everywhere(node: Node) -> None:
    name = json.dumps({**SEARCH, "task_name": "x" * 2_000_000}).encode()
    for path in ("/tasks", "/accounts", "/accounts/import", "/proxies/import", "/data", "/auth/register"):
        for answer in both(node, "POST", path, content=name, headers={"Content-Type": "application/json"}):
            refused(answer, 413)


def test_a_body_that_does_not_say_its_length_is_counted(node: Node) -> None:
    def pieces():
        for _ in range(40):
            yield b"x" * 100_000

    for url in ("/api/v1/tasks", f"http://127.0.0.1:{node.base + 3}/api/v1/tasks"):
        answer = node.http.post(url, content=pieces(), headers={"Content-Type": "application/json"})
        refused(answer, 413)


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "application/x-www-form-urlencoded", "", "a" * 5000])
def test_another_content_type_is_refused(node: Node, kind: str) -> None:
    for path in ("/tasks", "/accounts/import", "/proxies", "/data/batch", "/auth/login"):
        for answer in both(node, "POST", path, content=json.dumps(SEARCH), headers={"Content-Type": kind}):
            refused(answer, 415)


IDS = [NOWHERE, "1", "0", "-1", "x" * 128, "..%2F..%2Fetc", "%00", "%FF%FE", "量子", "' OR 1=1 --", "%E2%80%AE", "null"]
BY_ID = [
    ("GET", "/tasks/{}", None),
    ("PUT", "/tasks/{}", SEARCH),
    ("DELETE", "/tasks/{}", None),
    ("POST", "/tasks/{}/start", None),
    ("POST", "/tasks/{}/stop", None),
    ("GET", "/tasks/{}/status", None),
    ("GET", "/tasks/{}/results", None),
    ("GET", "/tasks/{}/events", None),
    ("POST", "/tasks/export/{}", {"format": "csv"}),
    ("GET", "/task-executions/{}", None),
    ("GET", "/task-executions/{}/certificate", None),
    ("GET", "/task-executions/task/{}", None),
    ("GET", "/accounts/{}", None),
    ("PUT", "/accounts/{}", {"active": False}),
    ("DELETE", "/accounts/{}", None),
    ("GET", "/accounts/{}/status", None),
    ("GET", "/proxies/{}", None),
    ("PUT", "/proxies/{}", {"status": "INACTIVE"}),
    ("DELETE", "/proxies/{}", None),
    ("GET", "/quarantine/{}", None),
    ("POST", "/quarantine/{}/replay", None),
    ("POST", "/quarantine/{}/dismiss", None),
    ("GET", "/data/{}", None),
    ("PUT", "/data/{}", {"text": "new"}),
    ("DELETE", "/data/{}", None),
    ("GET", "/data/{}/audit", None),
]


@pytest.mark.parametrize(("method", "path", "body"), BY_ID)
def test_ids_of_nothing_are_404_whatever_they_look_like(node: Node, method: str, path: str, body: Any) -> None:
    for number in IDS:
        for answer in both(node, method, path.format(number), **({"json": body} if body else {})):
            problem = refused(answer, 404) if "%2F" not in number else answer.json()
            assert problem["status"] == 404


QUERIES = [
    ("/tasks?page=0", "page"),
    ("/tasks?page=-1", "page"),
    ("/tasks?page=x", "page"),
    ("/tasks?page=99999999999999999999", "page"),
    ("/tasks?size=0", "size"),
    ("/tasks?size=101", "size"),
    ("/tasks?size=1.5", "size"),
    ("/tasks?status=BUSY", "status"),
    ("/tasks?sort=password", "sort"),
    ("/tasks?priority=high", "priority"),
    ("/tasks?task_type=" + "x" * 100, "task_type"),
    ("/tasks/search/results", "q"),
    ("/tasks/search/results?q=", "q"),
    ("/tasks/search/results?q=a%00b", "q"),
    ("/tasks/search/results?q=AI&limit=0", "limit"),
    ("/tasks/search/results?q=AI&limit=1000000000", "limit"),
    ("/tasks/search/results?q=AI&cursor=nonsense", "cursor"),
    ("/task-executions?status=BUSY", "status"),
    ("/accounts?status=HAPPY", "status"),
    ("/accounts?active=perhaps", "active"),
    ("/proxies?type=ftp", "type"),
    ("/proxies?country=Germany", "country"),
    ("/quarantine?state=lost", "state"),
    ("/data?since=yesterday", "since"),
    ("/data?has_media=perhaps", "has_media"),
    ("/data?role=match", "role"),
    ("/data?cursor=AAAA", "cursor"),
    ("/data/search?q=" + "x" * 1001, "q"),
    ("/data/search?q=AI&sort=random", "sort"),
    ("/data/search?q=AI&cursor=%F0%9F%92%A9", "cursor"),
    ("/data/search?q=AI&size=0", "size"),
]


@pytest.mark.parametrize(("path", "field"), QUERIES, ids=lambda value: str(value)[:50])
def test_wrong_query_parameters_are_refused_by_name(node: Node, path: str, field: str) -> None:
    for answer in both(node, "GET", path):
        named(refused(answer, 422), field)


@pytest.mark.parametrize(
    "text", ['"', '""', "(", "AND OR NOT", "*", "a* NEAR b", "-", "- -", "量", "\u200b", "🐢", "%", "NULL"]
)
def test_any_text_may_be_searched_for(node: Node, text: str) -> None:
    for path in ("/data/search", "/tasks/search/results"):
        for answer in both(node, "GET", path, params={"q": text}):
            assert answer.status_code == 200, answer.text


def test_other_paths_and_methods_say_what_there_is(node: Node) -> None:
    for path in ("/api/v1/nothing", "/", "/api/v2/tasks", "/api/v1/../../etc/passwd", "//", "/api/v1/tasks//x//"):
        assert node.http.get(path).status_code == 404
    for answer in both(node, "PATCH", "/tasks"):
        refused(answer, 405)
        assert "POST" in answer.headers["allow"]


def test_headers_of_nonsense_do_no_harm(node: Node) -> None:
    for headers in (
        {"X-Request-ID": "x" * 4000},
        {"X-Request-ID": "a\tb"},
        {"Accept": "image/png"},
        {"Accept-Encoding": "nonsense"},
        {"X-Forwarded-For": "' OR 1=1"},
        {"Range": "bytes=0-1"},
        {"If-None-Match": "*"},
    ):
        for answer in both(node, "GET", "/tasks", headers=headers):
            assert answer.status_code == 200
            assert len(answer.headers["x-request-id"]) <= 128
    for key in ("", "x" * 129, "with blank"):
        for answer in both(node, "POST", "/tasks", json=SEARCH, headers={"Idempotency-Key": key}):
            refused(answer, 422)
