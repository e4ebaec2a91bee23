"""Who may come in: registration, passwords, tokens, sessions, as seen through the gateway."""

import base64
import hmac
import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from xget_kernel.keys import KeyStore
from xget_testing.people import AUTH, Person, Town
from xget_testing.tokens import TokenMaker

pytestmark = pytest.mark.slow
RACE_SECONDS = 5.0
GUARDED = ("/tasks", "/task-executions", "/accounts", "/proxies", "/quarantine", "/parsers", "/data", "/data/search")


def problem(answer: Any, status: int) -> dict[str, Any]:
    """The answer's problem; fails when it is another status or no problem."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert found["status"] == status
    assert found["detail"]
    return found


def compact(header: dict[str, Any], claims: dict[str, Any], mark: bytes) -> str:
    """A token put together by hand."""
    parts = (json.dumps(header).encode(), json.dumps(claims).encode(), mark)
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


@pytest.fixture
def visitor(town: Town):
    """Somebody with an address only; tests give them what they try."""
    person = Person(str(town.admin.http.base_url), "visitor", "")
    yield person
    person.close()


class Signing:
    """The node's own signing key, taken out of its home, and what can be forged without it."""

    def __init__(self, town: Town) -> None:
        keyring = KeyStore(town.node.home / "keys.json").open()
        with closing(sqlite3.connect(town.node.home / "auth.db")) as rows:
            self.kid, sealed = rows.execute("SELECT id, private_jwk FROM signing_keys").fetchone()
        self.private = keyring.decrypt(sealed, aad=f"signing_keys:{self.kid}:private_jwk")
        self.key = ECKey.import_key(json.loads(self.private))
        self.user = town.alice.id

    def claims(self, **changed: Any) -> dict[str, Any]:
        now = int(time.time())
        fresh = {"iss": "xget", "aud": "xget", "sub": self.user, "roles": ["admin"], "iat": now, "exp": now + 900}
        return {name: value for name, value in (fresh | changed).items() if value is not None}

    def sign(self, **changed: Any) -> str:
        """A token as the auth service would sign it, with other claims."""
        return jwt.encode({"alg": "ES256", "kid": self.kid}, self.claims(**changed), self.key)

    def unsigned(self) -> str:
        """alg=none with the right kid."""
        return compact({"alg": "none", "kid": self.kid}, self.claims(), b"")

    def with_public_key_as_secret(self) -> str:
        """HS256, keyed with what everybody can read."""
        header, claims = {"alg": "HS256", "kid": self.kid}, self.claims()
        signed = compact(header, claims, b"").rstrip(".").encode()
        return compact(header, claims, hmac.digest(self.key.as_pem(private=False), signed, "sha256"))

    def by_another_kind_of_key(self) -> str:
        key = RSAKey.generate_key(2048, parameters={"kid": self.kid})
        return jwt.encode({"alg": "RS256", "kid": self.kid}, self.claims(), key, algorithms=["RS256"])

    def by_a_key_of_the_same_name(self) -> str:
        key = ECKey.generate_key("P-256", parameters={"kid": self.kid})
        return jwt.encode({"alg": "ES256", "kid": self.kid}, self.claims(), key)

    def by_a_key_sent_along(self) -> str:
        key = ECKey.generate_key("P-256")
        header = {"alg": "ES256", "kid": self.kid, "jwk": key.as_dict(private=False)}
        return jwt.encode(header, self.claims(), key)

    def with_other_roles(self, token: str) -> str:
        """Somebody's good token whose middle part says admin."""
        head, body, mark = (base64.urlsafe_b64decode(part + "==") for part in token.split("."))
        return compact(json.loads(head), json.loads(body) | {"roles": ["admin"]}, mark)


@pytest.fixture(scope="module")
def signing(town: Town) -> Signing:
    return Signing(town)


FORGED: dict[str, Callable[[Signing, Town], str]] = {
    "expired": lambda signing, _: signing.sign(exp=int(time.time()) - 1),
    "without an end": lambda signing, _: signing.sign(exp=None),
    "for another audience": lambda signing, _: signing.sign(aud="somebody-else"),
    "without an audience": lambda signing, _: signing.sign(aud=None),
    "of another issuer": lambda signing, _: signing.sign(iss="https://example.org"),
    "not valid yet": lambda signing, _: signing.sign(nbf=int(time.time()) + 600),
    "nobody's": lambda signing, _: signing.sign(sub=None),
    "unsigned": lambda signing, _: signing.unsigned(),
    "signed with the public key": lambda signing, _: signing.with_public_key_as_secret(),
    "signed by RSA": lambda signing, _: signing.by_another_kind_of_key(),
    "signed by a namesake": lambda signing, _: signing.by_a_key_of_the_same_name(),
    "bringing its key": lambda signing, _: signing.by_a_key_sent_along(),
    "signed by a stranger": lambda _, town: TokenMaker().make(town.alice.id, ["admin"]),
    "with raised roles": lambda signing, town: signing.with_other_roles(town.bob.access),
    "a refresh token": lambda _, town: town.alice.refresh,
    "no token": lambda *_: "let me in",
    "two dots": lambda *_: "..",
    "endless": lambda *_: "x" * 20_000,
}


def test_the_first_user_may_register_when_it_is_closed_and_the_next_is_told_whom_to_ask(town: Town) -> None:
    found = problem(town.first_refusal, 403)
    assert found["type"] == "urn:xget:error:registration_closed"
    assert "XGET_REGISTRATION" in found["detail"]
    assert town.admin.api("GET", "/auth/me")["roles"] == ["admin"]
    assert town.bob.api("GET", "/auth/me")["roles"] == ["analyst"]


@pytest.mark.parametrize("path", GUARDED)
def test_nothing_answers_without_a_token(town: Town, visitor: Person, path: str) -> None:
    services = {"tasks": 3, "task-executions": 3, "accounts": 4, "proxies": 5, "quarantine": 6, "parsers": 6, "data": 7}
    port = town.node.base + services[path.split("/")[1]]
    for url in (f"/api/v1{path}", f"http://127.0.0.1:{port}/api/v1{path}"):
        answer = visitor.http.get(url)
        problem(answer, 401)
        assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("kind", FORGED)
def test_no_forged_token_is_good_anywhere(town: Town, visitor: Person, signing: Signing, kind: str) -> None:
    headers = {"Authorization": f"Bearer {FORGED[kind](signing, town)}"}
    ports = {"/tasks": 3, "/accounts": 4, "/proxies": 5, "/quarantine": 6, "/data": 7, "/auth/me": 1}
    for path, offset in ports.items():
        service = f"http://127.0.0.1:{town.node.base + offset}/api/v1{path}"
        urls = (service,) if path == "/auth/me" else (f"/api/v1{path}", service)
        for url in urls:
            found = problem(visitor.http.get(url, headers=headers), 401)
            assert town.alice.id not in json.dumps(found)


def test_a_token_of_the_real_key_with_all_claims_is_good(signing: Signing, visitor: Person) -> None:
    visitor.access = signing.sign()
    assert visitor.ask("GET", "/tasks").status_code == 200


@pytest.mark.parametrize("header", ["Basic YWxpY2U6c2VjcmV0", "Bearer", "bearer a b", "Token abc", ""])
def test_other_authorization_headers_are_refused(visitor: Person, header: str) -> None:
    problem(visitor.http.get("/api/v1/tasks", headers={"Authorization": header}), 401)


@pytest.mark.parametrize(
    ("username", "password", "status"),
    [
        ("al", "long enough for us", 422),
        ("with blank", "long enough for us", 422),
        ("somebody", "kurz!", 422),
        ("somebody", "a" * 64, 422),
        ("somebodyofname", "somebodyofname", 422),
        ("ALICE", "long enough for us", 409),
    ],
)
def test_weak_passwords_and_taken_names_are_refused_with_the_field(
    visitor: Person, username: str, password: str, status: int
) -> None:
    answer = visitor.http.post(f"{AUTH}/register", json={"username": username, "password": password})
    assert problem(answer, status)["errors"][0]["field"] in {"username", "password"}
    assert password not in answer.text or password == username


def test_nobody_gives_themselves_a_role(visitor: Person) -> None:
    body = {"username": "climber", "password": "long enough for us", "roles": ["admin"]}
    assert problem(visitor.http.post(f"{AUTH}/register", json=body), 422)["errors"][0]["field"] == "roles"


def test_wrong_passwords_are_slowed_down_and_say_nothing_about_who_exists(town: Town, visitor: Person) -> None:
    url = str(town.admin.http.base_url)
    somebody = Person(url, "guessed-at", "a password to guess")
    somebody.register()
    told = {}
    for name in ("nobody-here", "guessed-at"):
        body = {"username": name, "password": "a wrong password"}
        answers = [visitor.http.post(f"{AUTH}/login", json=body) for _ in range(6)]
        assert [a.status_code for a in answers] == [401] * 5 + [429]
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
        told[name] = (answers[0].text, problem(answers[-1], 429)["type"])
    assert told["guessed-at"] == told["nobody-here"]
    # The right password does not help while the pause lasts, and nobody else is held up by it.
    right = {"username": somebody.username, "password": somebody.password}
    assert visitor.http.post(f"{AUTH}/login", json=right).status_code == 429
    town.bob.login()
    somebody.close()


def test_a_refresh_token_is_good_once_and_its_return_ends_the_session(town: Town) -> None:
    bob = Person(str(town.bob.http.base_url), town.bob.username, town.bob.password)
    for _ in range(5):  # on a busy machine the second may come too late for a race
        bob.login()
        stolen, began = bob.refresh, time.monotonic()
        bob.keep(bob.http.post(f"{AUTH}/refresh", json={"refresh_token": stolen}))
        race = bob.http.post(f"{AUTH}/refresh", json={"refresh_token": stolen})
        if time.monotonic() - began < RACE_SECONDS:
            break
    assert bob.refresh != stolen
    assert bob.ask("GET", "/tasks").status_code == 200
    assert problem(race, 409)["type"].endswith("refresh_token_just_used")
    time.sleep(RACE_SECONDS + 0.2)
    problem(bob.http.post(f"{AUTH}/refresh", json={"refresh_token": stolen}), 401)
    found = problem(bob.http.post(f"{AUTH}/refresh", json={"refresh_token": bob.refresh}), 401)
    assert "session has ended" in found["detail"]
    assert town.bob.ask("GET", "/tasks").status_code == 200  # another login of his goes on
    events = [line["event"] for line in town.admin.api("GET", "/auth/audit")["items"]]
    assert "refresh_token_reused" in events
    bob.close()


def test_a_logout_ends_the_session_and_knows_nothing_of_others(town: Town) -> None:
    alice = Person(str(town.alice.http.base_url), town.alice.username, town.alice.password)
    alice.login()
    assert alice.http.post(f"{AUTH}/logout", json={"refresh_token": alice.refresh}).status_code == 204
    problem(alice.http.post(f"{AUTH}/refresh", json={"refresh_token": alice.refresh}), 401)
    assert alice.http.post(f"{AUTH}/logout", json={"refresh_token": "xr_unknown"}).status_code == 204
    town.alice.keep(alice.http.post(f"{AUTH}/refresh", json={"refresh_token": town.alice.refresh}))
    alice.close()


@pytest.mark.parametrize(("method", "path"), [("POST", "/auth/keys/rotate"), ("GET", "/auth/audit")])
def test_administration_is_for_administrators(town: Town, method: str, path: str) -> None:
    for person in (town.alice, town.bob):
        problem(person.ask(method, path), 403)


def test_a_new_signing_key_logs_nobody_out(town: Town) -> None:
    before = town.alice.access
    town.admin.api("POST", "/auth/keys/rotate")
    assert len(town.admin.http.get("/.well-known/jwks.json").json()["keys"]) == 2
    assert before == town.alice.access
    assert town.alice.ask("GET", "/tasks").status_code == 200
