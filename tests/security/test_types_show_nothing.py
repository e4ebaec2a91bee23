"""What carries a secret shows it in no repr, text, format, log line, traceback, trace or pickle."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import json
import pickle
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from xget.account.v1 import account_pool_pb2 as accounts
from xget.account.v1 import account_pool_pb2_grpc as account_stubs
from xget.proxy.v1 import proxy_pool_pb2 as proxies
from xget.proxy.v1 import proxy_pool_pb2_grpc as proxy_stubs
from xget_account.models import Account
from xget_account.ports import Credentials, LoginResult
from xget_account.schemas import AccountCreate, AccountUpdate, ImportRequest
from xget_account.service import Granted
from xget_account.service.importing import Found
from xget_auth.schemas import LoginRequest, RefreshRequest, RegisterRequest, TokenPair
from xget_auth.service.sessions import Login
from xget_kernel.keys import KeyFile, Keys, LocalKek, Retired, Wrapping
from xget_kernel.secrets import Keyring, Secret
from xget_proxy.schemas import ProxyCreate
from xget_rpc.hiding import hide_messages
from xget_sources.ports import ApiCredential, Lease
from xget_telemetry import logs

PLANTED = "pl4nted-s3cret-of-32-bytes-long!"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
COOKIES = {"auth_token": PLANTED}


def lease() -> Lease:
    words = {"lease_id": "1.1", "account_id": "1", "username": "neo", "user_agent": None, "proxy_id": None}
    return Lease(
        **words, fencing_token=1, cookies=COOKIES, headers={}, proxy_url=f"http://u:{PLANTED}@h:1", expires_at=NOW
    )


def messages() -> list[Any]:
    hide_messages(account_stubs.AccountPoolStub)
    hide_messages(proxy_stubs.add_ProxyPoolServicer_to_server)
    lent = accounts.Lease(lease_id="1.1", cookies=COOKIES)
    url = f"http://u:{PLANTED}@h:1"
    return [
        lent,
        accounts.AcquireResponse(lease=lent),
        accounts.ApiCredential(bearer_token=PLANTED),
        proxies.AcquireResponse(url=url),
    ]


SECRET = Secret(PLANTED)
TOKENS = {"access_token": PLANTED, "refresh_token": PLANTED, "expires_in": 1, "refresh_expires_in": 1}
MADE: dict[str, Callable[[], Any]] = {
    "Secret": lambda: SECRET,
    "Keyring": lambda: Keyring({"a": PLANTED.encode()}),
    "LocalKek": lambda: LocalKek({"a": PLANTED.encode()}, "XGET_KEK"),
    "Lease": lease,
    "ApiCredential": lambda: ApiCredential(bearer_token=PLANTED, client_secret=PLANTED, refresh_token=PLANTED),
    "Retired": lambda: Retired(NOW, key=PLANTED.encode()),
    "KeyFile": lambda: KeyFile({"a": PLANTED.encode()}, {}, {"b": Retired(NOW, key=PLANTED.encode())}),
    "Wrapping": lambda: Wrapping(LocalKek({"a": PLANTED.encode()}, "XGET_KEK")),
    "Keys": lambda: Keys(Keyring({"a": PLANTED.encode()})),
    "Granted": lambda: Granted(Account(id="1", fence=1), COOKIES, NOW),
    "Found": lambda: Found(1, "neo", {"password": PLANTED}, COOKIES),
    "Credentials": lambda: Credentials("1", "1", "neo", "TWITTER", SECRET, None, SECRET, SECRET, None, SECRET, SECRET),
    "LoginResult": lambda: LoginResult("logged_in", "It is logged in.", COOKIES, SECRET),
    "Login": lambda: Login("neo", PLANTED, "::1"),
    "AccountCreate": lambda: AccountCreate(username="neo", password=PLANTED, cookies=COOKIES, email_password=PLANTED),
    "AccountUpdate": lambda: AccountUpdate(email_password=PLANTED),
    "ImportRequest": lambda: ImportRequest(text=f"neo:{PLANTED}:a@b:c"),
    "ProxyCreate": lambda: ProxyCreate(type="http", ip="h.example", port=1, password=PLANTED),
    "LoginRequest": lambda: LoginRequest(username="neo", password=PLANTED),
    "RegisterRequest": lambda: RegisterRequest(username="neo", password=PLANTED),
    "RefreshRequest": lambda: RefreshRequest(refresh_token=PLANTED),
    "TokenPair": lambda: TokenPair(**TOKENS),
    **{f"message {n}": lambda n=n: messages()[n] for n in range(4)},
}


@pytest.fixture(params=MADE)
def thing(request: pytest.FixtureRequest) -> Any:
    return MADE[request.param]()


def test_no_text_of_it_shows_the_secret(thing: Any) -> None:
    told = [repr(thing), str(thing), f"{thing}", f"{thing!r:>100}", "%s %r" % (thing, thing)]  # noqa: UP031 - one more way
    told += [repr([thing]), repr({"x": thing}), json.dumps({"x": thing}, default=str)]
    assert not any(PLANTED in text for text in told)


def test_no_traceback_shows_it_even_with_locals(thing: Any) -> None:
    def fail(one: Any) -> None:
        held = [one]
        raise RuntimeError(f"it went wrong with {held}")

    try:
        fail(thing)
    except RuntimeError as error:
        shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert "it went wrong" in shown
    assert PLANTED not in shown


def test_no_json_and_no_dictionary_of_its_fields_shows_it(thing: Any) -> None:
    with contextlib.suppress(TypeError):
        assert PLANTED not in json.dumps(thing)
    if dataclasses.is_dataclass(thing) and any(isinstance(value, Secret) for value in vars(thing).values()):
        with pytest.raises(TypeError, match="not pickled"):
            dataclasses.asdict(cast("Any", thing))


def test_no_log_line_shows_it(thing: Any, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("trial", json=True, level="debug")
    log = logs.get_logger("trial")
    log.warning("told", one=thing, many=[thing], deep={"x": {"y": thing}})
    try:
        raise ValueError(thing)
    except ValueError:
        log.exception("failed")
    written = capsys.readouterr()
    assert "told" in written.out + written.err
    assert PLANTED not in written.out + written.err


def test_no_span_shows_it(thing: Any) -> None:
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    with provider.get_tracer("trial").start_as_current_span("span") as span:
        span.set_attribute("one", str(thing))
        span.record_exception(ValueError(thing))
    provider.shutdown()
    assert PLANTED not in "".join(span.to_json() for span in kept.get_finished_spans())


@pytest.mark.parametrize("name", sorted(MADE))
def test_it_is_not_pickled(name: str) -> None:
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(MADE[name]())


@pytest.mark.parametrize("name", sorted(MADE))
def test_it_is_not_copied_by_the_way(name: str) -> None:
    thing = MADE[name]()
    with contextlib.suppress(TypeError):
        assert PLANTED not in repr(copy.deepcopy(thing))
