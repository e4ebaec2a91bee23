import asyncio
import io
import json
import logging

import pytest

from xget_kernel.secrets import Secret
from xget_telemetry import logs
from xget_telemetry.redaction import is_secret_name


@pytest.fixture
def out():
    stream = io.StringIO()
    logs.configure("scraper", json=True, level="info", stream=stream)
    return stream


def lines(stream: io.StringIO) -> list[dict]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_json_with_service_level_logger_and_time(out):
    logs.get_logger("xget_scraper.worker").info("page_stored", items=20)
    (line,) = lines(out)
    assert line["event"] == "page_stored"
    assert (line["service"], line["level"], line["logger"]) == ("scraper", "info", "xget_scraper.worker")
    assert line["items"] == 20
    assert line["timestamp"].endswith("Z")


def test_a_logger_made_before_configure_follows_it():
    log = logs.get_logger("early")
    stream = io.StringIO()
    logs.configure("auth", stream=stream)
    log.info("started")
    assert lines(stream)[0]["service"] == "auth"


def test_lines_below_the_level_are_left_out(out):
    logs.get_logger("a").debug("detail")
    logging.getLogger("aiosqlite").info("chatter")
    assert out.getvalue() == ""


def test_lines_of_libraries_come_out_in_the_same_shape(out):
    logging.getLogger("some.library").warning("hello %s", "you")
    (line,) = lines(out)
    assert (line["event"], line["service"], line["level"]) == ("hello you", "scraper", "warning")


def test_secrets_are_hidden_by_type_and_by_name_however_deep(out):
    logs.get_logger("a").info(
        "account_saved",
        note=Secret("hunter2"),
        password="hunter2",
        account={"cookies": {"ct0": "hunter2"}, "list": [Secret("hunter2"), {"Authorization": "hunter2"}]},
    )
    assert "hunter2" not in out.getvalue()
    assert lines(out)[0]["account"]["list"] == ["********", {"Authorization": "********"}]


@pytest.mark.parametrize(
    "name", ["password", "email_password", "auth_token", "ct0", "API-Key", "apikey", "totp", "Cookie"]
)
def test_names_of_secrets_are_known(name):
    assert is_secret_name(name) or is_secret_name(name.replace("-", "_").lower())


@pytest.mark.parametrize("name", ["username", "task_id", "key", "key_id", "token_type", "event", "author"])
def test_ordinary_names_stay_readable(name):
    assert not is_secret_name(name)


def test_bound_facts_are_on_every_line_of_the_block(out):
    log = logs.get_logger("a")
    with logs.bind(task_id="t1"):
        log.info("inside")
        with logs.bind(task_id="t2"):
            log.info("deeper")
        log.info("inside")
    log.info("outside")
    assert [line.get("task_id") for line in lines(out)] == ["t1", "t2", "t1", None]


async def test_facts_bound_without_a_block_stay_within_their_asyncio_task(out):
    async def work(name: str) -> None:
        logs.bind(task_id=name)
        await asyncio.sleep(0)
        logs.get_logger("a").info("worked", name=name)

    await asyncio.gather(work("t1"), work("t2"))
    assert all(line["task_id"] == line["name"] for line in lines(out))


def test_values_that_json_does_not_know_do_not_stop_a_line(out):
    logs.get_logger("a").info("odd", raw=b"\xff", kind=int, number={1: 2}, exc=ValueError("x"))
    assert lines(out)[0]["event"] == "odd"


def test_an_exception_is_part_of_its_line(out):
    try:
        raise KeyError("gone")
    except KeyError:
        logs.get_logger("a").exception("failed")
    (line,) = lines(out)
    assert "KeyError: 'gone'" in line["exception"]


def test_people_get_columns():
    stream = io.StringIO()
    logs.configure("cli", json=False, stream=stream)
    logs.get_logger("a").info("started", port=8000, token="hunter2")
    assert "started" in stream.getvalue()
    assert "port=8000" in stream.getvalue()
    assert "hunter2" not in stream.getvalue()
