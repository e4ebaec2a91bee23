import msgspec
import pytest
from pydantic import BaseModel, ValidationError

from xget_kernel.secrets import Secret


class Body(BaseModel):
    password: Secret


def test_a_secret_shows_itself_only_when_asked():
    secret = Secret("hunter2")
    assert secret.reveal() == "hunter2"
    assert "hunter2" not in f"{secret} {secret!r} {[secret]} {vars(Secret)}"


def test_secrets_compare_by_value():
    assert Secret("a") == Secret("a")
    assert Secret("ä") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1
    assert not Secret("")


def test_a_body_takes_text_and_never_gives_it_back():
    body = Body.model_validate_json('{"password": "hunter2"}')
    assert body.password.reveal() == "hunter2"
    assert Body(password=Secret("x")).password.reveal() == "x"
    assert "hunter2" not in body.model_dump_json() + repr(body) + str(body.model_dump())
    assert Body.model_json_schema()["properties"]["password"]["type"] == "string"


def test_a_body_with_another_type_is_refused():
    with pytest.raises(ValidationError):
        Body.model_validate_json('{"password": 5}')


def test_messages_cannot_hold_secrets():
    with pytest.raises(TypeError):
        msgspec.json.encode({"password": Secret("x")})
