"""Every error is a problem with a status, a field and a rule."""

from collections.abc import AsyncIterator, Callable

import httpx2 as httpx
import pytest
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError

from xget_testing.apps import running
from xget_testing.tokens import TokenMaker
from xget_web.validation import to_error

NOTES = "/api/v1/notes"
JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def client(make_app: Callable[..., FastAPI], maker: TokenMaker) -> AsyncIterator[httpx.AsyncClient]:
    async with running(make_app(), token=maker.make()) as found:
        yield found


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, object]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, object] = answer.json()
    assert set(body) == {"type", "title", "status", "detail", "instance", "errors"}
    assert body["type"] == f"urn:xget:error:{code}"
    assert body["status"] == status
    return body


async def test_unknown_path_is_404(client: httpx.AsyncClient) -> None:
    assert problem(await client.get("/api/v1/nothing"), 404, "path_not_found")["instance"] == "/api/v1/nothing"


async def test_wrong_method_is_405_and_names_all_allowed_ones(client: httpx.AsyncClient) -> None:
    answer = await client.delete(NOTES)
    problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, POST"


async def test_malformed_json_is_400(client: httpx.AsyncClient) -> None:
    problem(await client.post(NOTES, content=b'{"name": ', headers=JSON), 400, "malformed_body")


async def test_invalid_utf8_is_400(client: httpx.AsyncClient) -> None:
    problem(await client.post(NOTES, content=b'{"name": "\xff\xfe"}', headers=JSON), 400, "malformed_body")


async def test_lone_surrogate_is_400(client: httpx.AsyncClient) -> None:
    problem(await client.post(NOTES, content=b'{"name": "\\ud800"}', headers=JSON), 400, "malformed_body")


async def test_not_a_number_is_400(client: httpx.AsyncClient) -> None:
    problem(await client.post(NOTES, content=b'{"name": "a", "stars": NaN}', headers=JSON), 400, "malformed_body")


async def test_json_nested_too_deep_is_400(client: httpx.AsyncClient) -> None:
    problem(await client.post(NOTES, content=b"[" * 100_000, headers=JSON), 400, "malformed_body")


async def test_wrong_content_type_is_415(client: httpx.AsyncClient) -> None:
    answer = await client.post(NOTES, content=b'{"name": "a"}', headers={"Content-Type": "text/plain"})
    problem(answer, 415, "wrong_content_type")


async def test_body_without_content_type_is_415(client: httpx.AsyncClient) -> None:
    problem(await client.post(NOTES, content=b'{"name": "a"}'), 415, "wrong_content_type")


async def test_missing_body_is_422(client: httpx.AsyncClient) -> None:
    problem(await client.post(NOTES), 422, "invalid_request")


async def test_each_wrong_field_is_named_with_its_rule(client: httpx.AsyncClient) -> None:
    body = problem(await client.post(NOTES, json={"name": "", "stars": "5", "more": 1}), 422, "invalid_request")
    assert isinstance(body["errors"], list)
    found = {(e["field"], e["rule"]) for e in body["errors"]}
    assert found == {("name", "string_too_short"), ("stars", "int_type"), ("more", "extra_forbidden")}


async def test_control_characters_have_their_own_rule(client: httpx.AsyncClient) -> None:
    for name in ("a\x00b", "a\x1b[31m", "a\u202eb", "line\nbreak"):
        body = problem(await client.post(NOTES, json={"name": name}), 422, "invalid_request")
        assert body["errors"][0]["rule"] == "no_control_characters"  # type: ignore[index]  # JSON
    assert (await client.post(NOTES, json={"name": "ok", "remark": "two\nlines\tand 中文"})).status_code == 201


async def test_huge_page_is_422(client: httpx.AsyncClient) -> None:
    for page in ("1" + "0" * 30, "9" * 5000, "0", "-1", "x"):
        body = problem(await client.get(NOTES, params={"page": page}), 422, "invalid_request")
        assert body["errors"][0]["field"] == "page"  # type: ignore[index]  # JSON


async def test_strange_path_id_is_404(client: httpx.AsyncClient) -> None:
    for name in ("nothing", "%00", "%FF", "..%2f", "%F0%9F%98%80"):
        answer = await client.get(f"{NOTES}/{name}")
        assert answer.status_code == 404, name


async def test_body_over_the_limit_is_413_declared_or_counted(client: httpx.AsyncClient) -> None:
    big = b'{"name": "' + b"x" * 2_000_000 + b'"}'

    async def parts() -> AsyncIterator[bytes]:
        for start in range(0, len(big), 50_000):
            yield big[start : start + 50_000]

    problem(await client.post(NOTES, content=big, headers=JSON), 413, "body_too_large")
    problem(await client.post(NOTES, content=parts(), headers=JSON), 413, "body_too_large")


async def test_unforeseen_error_is_500_without_details(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"{NOTES}/x/broken")
    problem(answer, 500, "internal_error")
    assert "secret detail" not in answer.text


async def test_declared_errors_keep_code_and_sentence(client: httpx.AsyncClient) -> None:
    await client.post(NOTES, json={"name": "one"})
    body = problem(await client.post(NOTES, json={"name": "one"}), 409, "note_exists")
    assert body["detail"] == "There is a note of this name."


async def test_every_answer_has_id_and_security_headers(client: httpx.AsyncClient) -> None:
    answer = await client.get(NOTES, headers={"X-Request-ID": "abc-1"})
    assert answer.headers["x-request-id"] == "abc-1"
    assert answer.headers["x-content-type-options"] == "nosniff"
    forged = await client.get("/nothing", headers={"X-Request-ID": "a b<script>"})
    assert forged.headers["x-request-id"] != "a b<script>"


def test_a_fault_that_two_dependencies_saw_is_told_once() -> None:
    fault = {"type": "missing", "loc": ("body", "name"), "msg": "Field required", "input": {}}
    other = {**fault, "loc": ("body", "text")}
    found = to_error(RequestValidationError([fault, other, fault, other]))
    assert [error.field for error in found.errors] == ["name", "text"]
